"""Bearer tokens: made once, kept as hashes, and useless after their end."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg.cli import main
from kg.errors import BadInput, NotFound, StoreDamaged
from kg.tokens import TokenFile, parse_expiry

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["token", *map(str, arguments)])


def test_a_secret_is_shown_once_and_kept_nowhere(tmp_path: Path) -> None:
    secret = TokenFile(tmp_path).create("ward 7", "curator", now=NOW)
    assert len(secret) > 40
    assert all(secret not in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    (row,) = json.loads((tmp_path / "tokens.json").read_text(encoding="utf-8"))["tokens"]
    assert len(row["hash"]) == 64


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    TokenFile(tmp_path).create("a", "reader")
    assert stat.S_IMODE((tmp_path / "tokens.json").stat().st_mode) == 0o600


def test_the_right_secret_finds_its_token_and_others_find_none(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    secrets = {name: file.create(name, "reader") for name in ("a", "b", "c")}
    assert [token.name for name in "abc" if (token := file.find(secrets[name]))] == ["a", "b", "c"]
    for wrong in ("", "a", secrets["a"][:-1], secrets["a"] + "x", secrets["a"].upper(), "\ud800"):
        assert file.find(wrong) is None


def test_what_another_process_changes_is_seen_at_once(tmp_path: Path) -> None:
    service, command = TokenFile(tmp_path), TokenFile(tmp_path)
    assert service.all() == ()
    secret = command.create("a", "curator")
    assert service.find(secret) is not None
    command.revoke("a")
    found = service.find(secret)
    assert found is not None
    assert found.state(datetime.now(UTC)) == "revoked"


def test_a_token_is_active_until_its_end(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    secret = file.create("a", "reader", NOW + timedelta(days=1), now=NOW)
    token = file.find(secret)
    assert token is not None
    assert [token.state(NOW + timedelta(hours=h)) for h in (0, 23, 24)] == ["active", "active", "expired"]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("90d", NOW + timedelta(days=90)),
        ("12h", NOW + timedelta(hours=12)),
        ("2w", NOW + timedelta(weeks=2)),
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_a_span_or_the_end_of_a_day(text: str, end: datetime) -> None:
    assert parse_expiry(text, NOW) == end


@pytest.mark.parametrize("text", ["", "soon", "90", "-1d", "2027-13-01", "99999w9"])
def test_an_expiry_that_is_none_is_refused_with_the_ways_to_write_one(text: str) -> None:
    with pytest.raises(BadInput, match="write 90d"):
        parse_expiry(text, NOW)


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 65, "a;b", "<b>"])
def test_names_that_would_spoil_logs_and_history_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="no name for a token"):
        TokenFile(tmp_path).create(name, "reader")


def test_a_name_is_used_once_even_after_it_was_revoked(tmp_path: Path) -> None:
    """Otherwise the history could not tell two people apart."""
    file = TokenFile(tmp_path)
    file.create("a", "reader")
    file.revoke("a")
    with pytest.raises(BadInput, match="names are used once"):
        file.create("a", "reader")


def test_past_ends_unknown_roles_and_unknown_names_are_refused(tmp_path: Path) -> None:
    file = TokenFile(tmp_path)
    with pytest.raises(BadInput, match="past"):
        file.create("a", "reader", NOW - timedelta(days=1), now=NOW)
    with pytest.raises(BadInput, match="roles are reader, curator, admin"):
        file.create("a", "root")
    file.create("ward", "reader")
    with pytest.raises(NotFound, match="ward"):
        file.revoke("wart")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"tokens": [{"name": "a"}]}', '{"tokens": 3}', "\x00"])
def test_a_damaged_file_is_an_error_and_not_an_empty_list(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokens.json").write_text(text, encoding="utf-8")
    with pytest.raises(StoreDamaged, match=r"tokens\.json cannot be read"):
        TokenFile(tmp_path).all()


def test_the_command_makes_lists_and_revokes(tmp_path: Path) -> None:
    made = run("create", "--role", "curator", "--name", "ward 7", "--expires", "90d", "--data", tmp_path)
    assert made.exit_code == 0
    assert TokenFile(tmp_path).find(made.stdout.strip()) is not None
    assert "curator, expires" in made.stderr
    assert run("revoke", "ward 7", "--data", tmp_path).output == "Token 'ward 7' is revoked.\n"
    (row,) = json.loads(run("list", "--data", tmp_path, "--format", "json").output)
    assert (row["name"], row["role"], row["state"]) == ("ward 7", "curator", "revoked")
    listed = run("list", "--data", tmp_path).output
    assert "ward 7" in listed
    assert made.stdout.strip() not in listed


def test_the_command_refuses_in_one_sentence(tmp_path: Path) -> None:
    result = run("create", "--role", "reader", "--name", "a", "--expires", "soon", "--data", tmp_path)
    assert (result.exit_code, result.output) == (
        2,
        "kg: 'soon' is no expiry; write 90d, 12h, 4w or a date such as 2027-01-31.\n",
    )
