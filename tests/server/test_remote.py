"""Commands find the service that holds their data folder and go through it."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg import presence
from kg.cli import main
from kg.cli.remote import RemoteService, named_files, running_service
from kg.errors import BadInput, CheckFailed, StoreError
from kg.presence import Presence, announced, find
from kg.store import Store
from tests.conftest import TINY
from tests.server.live import Live
from tests.server.writing import NEW_THERAPY, WRONG

HISTORY = '{ history(first: 1) { nodes { version author message sources { name } } } entity(curie: "therapy:delta") { label } }'


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def new(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    path = tmp_path / "files" / "new.ttl"
    path.write_text(NEW_THERAPY, encoding="utf-8")
    return path


# ---------------------------------------------------------------- being found
def test_a_service_is_found_while_it_runs_and_its_key_is_private(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    with announced(tmp_path, "http://127.0.0.1:1/graphql") as said:
        assert find(tmp_path) == said == Presence("http://127.0.0.1:1/graphql", os.getpid(), said.key)
        assert stat.S_IMODE((tmp_path / "service.key").stat().st_mode) == 0o600
        assert said.key not in (tmp_path / "service.json").read_text(encoding="utf-8")
    assert find(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_each_run_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = set()
    for _ in range(2):
        with announced(tmp_path, "http://127.0.0.1:1/graphql") as said:
            keys.add(said.key)
    assert len(keys) == 2


def test_what_a_killed_service_left_behind_is_not_believed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "service.key").write_text("k", encoding="utf-8")
    (tmp_path / "service.json").write_text(
        json.dumps({"url": "http://127.0.0.1:1/graphql", "pid": gone.pid}), encoding="utf-8"
    )
    assert find(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": "http://x", "pid": "soon"}', "\x00"])
def test_a_damaged_announcement_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "service.key").write_text("k", encoding="utf-8")
    (tmp_path / "service.json").write_text(text, encoding="utf-8")
    assert find(tmp_path) is None


def test_a_process_that_does_not_answer_is_no_service(tmp_path: Path) -> None:
    """Its number may have been given to another process since."""
    with announced(tmp_path, "http://127.0.0.1:9/graphql"):
        assert running_service(tmp_path) is None


def test_a_service_that_goes_silent_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.cli.remote.PAUSE", 0.0)
    remote = RemoteService(Presence("http://127.0.0.1:9/graphql", 1, "k"))
    with pytest.raises(StoreError, match=r"did not answer.*doing it again is safe"):
        remote.revert(1, message="m", author="a")


def test_files_are_named_as_without_a_service(tmp_path: Path, new: Path) -> None:
    assert named_files([new]) == [(new, "new.ttl")]
    assert named_files([tmp_path]) == [(new, "files/new.ttl")]


def test_a_file_that_is_no_text_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "x.ttl").write_bytes(b"\xff")
    with pytest.raises(BadInput, match="not valid UTF-8"):
        RemoteService(Presence("", 1, "")).load([("x.ttl", tmp_path / "x.ttl")], message="", author="")


# ---------------------------------------------------------------- kg load and kg revert
def test_load_and_revert_go_through_the_service(live: Live, new: Path) -> None:
    dry = run("load", new, "--data", live.data, "--dry-run")
    assert (dry.exit_code, "Nothing was changed" in dry.output) == (0, True)
    result = run("load", new, "--data", live.data, "--author", "Zoë", "-m", "from the ward")
    assert result.exit_code == 0, result.output
    assert "+ therapy:delta delta-cel" in result.output
    assert "Version 2: " in result.output
    assert f"through the service at {live.url}" in result.output
    found = live.post(HISTORY, {})["data"]
    assert found["entity"] == {"label": "delta-cel"}
    (change,) = found["history"]["nodes"]
    assert (change["author"], change["message"], change["sources"]) == (
        "Zoë (local)",
        "from the ward",
        [{"name": "new.ttl"}],
    )
    assert "Nothing changed: version 2 already" in run("load", new, "--data", live.data).output
    undone = run("revert", 2, "--data", live.data)
    assert undone.exit_code == 0, undone.output
    assert "- therapy:delta delta-cel" in undone.output
    assert live.post(HISTORY, {})["data"]["entity"] is None
    live.stop()
    assert not (live.data / "service.json").exists()
    assert not (live.data / "service.key").exists()
    with Store(live.data) as store:
        assert store.version == 3


def test_what_is_wrong_is_shown_and_nothing_is_loaded(live: Live, new: Path) -> None:
    new.write_text(WRONG, encoding="utf-8")
    result = run("load", new, "--data", live.data)
    assert result.exit_code == 1
    assert "new.ttl:9:1: error:" in result.output
    assert "nothing was loaded" in result.output
    remote = running_service(live.data)
    assert remote is not None
    with pytest.raises(CheckFailed):
        remote.load([("new.ttl", new)], message="m", author="a")


def test_a_reason_of_the_service_is_passed_on(live: Live) -> None:
    result = run("revert", 9, "--data", live.data)
    assert result.exit_code == 2
    assert "No version is called '9'" in result.output or "No change set is called '9'" in result.output


def test_a_service_of_another_key_is_refused(live: Live, monkeypatch: pytest.MonkeyPatch, new: Path) -> None:
    (live.data / "service.key").write_text("not the key", encoding="utf-8")
    result = run("load", new, "--data", live.data)
    assert result.exit_code == 2
    assert "token is not known" in result.output


def test_no_proxy_is_asked_on_the_way(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert running_service(live.data) is not None


def test_a_service_killed_outright_leaves_the_folder_to_the_next_command(live: Live, new: Path) -> None:
    live.process.kill()
    live.process.wait()
    assert (live.data / presence.PLACE).exists()
    assert run("load", new, "--data", live.data).exit_code == 0
    assert run("load", TINY, "--data", live.data).exit_code == 0


# ---------------------------------------------------------------- reading while a service runs
def test_reading_commands_answer_as_without_a_service(live: Live, new: Path, tmp_path: Path) -> None:
    """Each is asked twice: of the running service, and of its folder once it has stopped."""
    assert run("load", new, "--data", live.data, "-m", "more").exit_code == 0
    asked = [
        ("history", "--format", "json"),
        ("history", "--format", "ttl"),
        ("show", 2, "--format", "json"),
        ("show", 2, "--quads"),
        ("diff", 1, 2),
        ("export", "--at", 1),
        ("export", "--format", "ttl"),
    ]
    through = [run(*question, "--data", live.data) for question in asked]
    status = run("status", "--data", live.data)
    fresh = tmp_path / "claim.ttl"
    fresh.write_text(
        NEW_THERAPY.partition("therapy:delta a")[0]
        + 'therapy:eta a kg:Therapy ; rdfs:label "delta-cel" ; kg:granularity kg:Product ; kg:modality kg:CarT .\n',
        encoding="utf-8",
    )
    checked = run("check", fresh, "--against", live.data)
    live.stop()
    for question, result in zip(asked, through, strict=True):
        alone = run(*question, "--data", live.data)
        assert (result.exit_code, alone.exit_code) == (0, 0), (question, result.output, alone.output)
        assert result.output == alone.output, question
    assert f"served at {live.url}" in status.output
    assert "delta-cel" in checked.output
    assert checked.output == run("check", fresh, "--against", live.data).output


def test_an_expected_version_is_kept_to(live: Live, new: Path) -> None:
    result = run("load", new, "--data", live.data, "--expected-version", 7)
    assert result.exit_code == 2
    assert "7" in result.output
    live.stop()
    assert run("load", new, "--data", live.data, "--expected-version", 7).exit_code == 2
    assert run("load", new, "--data", live.data, "--expected-version", 1).exit_code == 0


def test_a_dry_run_through_the_service_shows_the_impact(live: Live, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny.ttl"
    text = (TINY / "tiny.ttl").read_text(encoding="utf-8")
    tiny.write_text(text.replace("kg:level kg:SingleArmTrial", "kg:level kg:NewsReport"), encoding="utf-8")
    through = run("load", tiny, "--data", live.data, "--dry-run")
    live.stop()
    alone = run("load", tiny, "--data", live.data, "--dry-run")
    for output in (through.output, alone.output):
        assert "Confidences it moves: " in output
        assert "Hypotheses it moves: " in output
    found = json.loads(run("load", tiny, "--data", live.data, "--dry-run", "--format", "json").output)
    assert (found["dryRun"], found["changeSet"], found["impact"]["hypotheses"]["leftOut"]) == (True, None, None)


def test_a_look_at_a_folder_without_a_store_makes_none(tmp_path: Path) -> None:
    for command in (("history",), ("status",), ("export",), ("show", 1), ("diff", 0, 1), ("revert", 1)):
        result = run(*command, "--data", tmp_path / "typo")
        assert (result.exit_code, "There is no store in" in result.output) == (2, True), command
    assert not (tmp_path / "typo").exists()
