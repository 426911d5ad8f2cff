"""Who may do what: open reading, tokens for writing, and nothing that guesses or leaks."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from kg.errors import Forbidden, TooManyAttempts, Unauthenticated
from kg.tokens import TokenFile
from server.auth import ANYONE, Failures, Identity
from server.roles import warn_of_open_door
from server.settings import Settings
from tests.conftest import ROOT
from tests.server.live import Live
from tests.server.writing import APPLY, change, code, post, token

Make = Callable[..., TestClient]
VERSION = "{ version { number } }"


def folder_of(client: TestClient) -> Any:
    return client.app.state.service.store.folder  # type: ignore[attr-defined]


# ---------------------------------------------------------------- roles
@pytest.mark.parametrize(
    ("held", "may"),
    [(None, []), ("reader", ["reader"]), ("curator", ["reader", "curator"]), ("admin", ["reader", "curator", "admin"])],
)
def test_each_role_may_do_what_lower_ones_may(held: str | None, may: list[str]) -> None:
    identity = Identity("x", held, "token")
    assert [role for role in ("reader", "curator", "admin") if identity.may(role)] == may


def test_who_is_nobody_is_told_to_send_a_token_and_who_is_somebody_which_role_is_missing() -> None:
    with pytest.raises(Unauthenticated, match="Authorization: Bearer"):
        ANYONE.require("curator", "Writing")
    with pytest.raises(Forbidden, match="'x' has the role reader"):
        Identity("x", "reader", "token").require("curator", "Writing")
    with pytest.raises(Forbidden, match="has no role here"):
        Identity("x", None, "oidc").require("reader", "Reading")


# ---------------------------------------------------------------- reading and writing
def test_reading_is_open_and_writing_is_not(client: TestClient) -> None:
    assert post(client, VERSION, {}).json()["data"] == {"version": {"number": 1}}
    response = post(client, APPLY, change())
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"
    assert post(client, VERSION, {}).json()["data"] == {"version": {"number": 1}}


def test_a_reader_may_not_write_and_a_curator_may(client: TestClient) -> None:
    response = post(client, APPLY, change(), token(client, "reader", "r"))
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert post(client, APPLY, change(), token(client, "curator", "c")).json()["data"]["applyChanges"]["ok"] is True


def test_expired_and_revoked_tokens_say_so(client: TestClient) -> None:
    file = TokenFile(folder_of(client))
    past = datetime.now(UTC) - timedelta(days=2)
    old = file.create("old", "curator", past + timedelta(days=1), now=past)
    gone = file.create("gone", "curator")
    file.revoke("gone")
    for secret, state in ((old, "expired"), (gone, "revoked")):
        response = post(client, APPLY, change(), {"authorization": f"Bearer {secret}"})
        assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")
        assert state in response.json()["errors"][0]["message"]


def test_a_revoked_token_is_useless_from_the_next_request_on(client: TestClient) -> None:
    headers = token(client)
    assert post(client, VERSION, {}, headers).status_code == 200
    TokenFile(folder_of(client)).revoke("ward 7")
    assert post(client, VERSION, {}, headers).status_code == 401


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense", "Bearer kgt_x", "bearer a.b.c"]
)
def test_a_bad_header_is_401_even_for_reading(client: TestClient, header: str) -> None:
    """Who sends a token means to be known; being served as nobody would hide the mistake."""
    response = post(client, VERSION, {}, {"authorization": header})
    assert (response.status_code, code(response)) == (401, "UNAUTHENTICATED")


def test_reading_can_be_closed(make_client: Make) -> None:
    client = make_client(reads_need_token=True)
    for path in ("/graphql?query={version{number}}", "/schema.graphql", "/metrics"):
        assert client.get(path).status_code == 401
    headers = token(client, "reader")
    answer = client.get("/graphql?query={version{number}}", headers=headers)
    assert answer.json()["data"] == {"version": {"number": 1}}
    assert (answer.headers["cache-control"], answer.headers["vary"]) == ("private, no-cache", "Accept, Authorization")
    assert (
        client.get("/graphql?query={version{number}}", headers={"if-none-match": answer.headers["etag"]}).status_code
        == 401
    )
    assert client.get("/metrics", headers=headers).status_code == 200
    assert "entities" not in client.get("/").text
    assert client.get("/health").status_code == client.get("/ready").status_code == 200


def test_a_cached_answer_is_not_given_to_who_may_not_read(make_client: Make) -> None:
    client = make_client(reads_need_token=True)
    headers = token(client, "reader")
    assert post(client, VERSION, {}, headers).status_code == 200
    assert post(client, VERSION, {}).status_code == 401


def test_a_damaged_token_file_refuses_tokens_and_leaves_open_reading_alone(client: TestClient) -> None:
    headers = token(client)
    (folder_of(client) / "tokens.json").write_text("{", encoding="utf-8")
    assert post(client, VERSION, {}).status_code == 200
    response = post(client, APPLY, change(), headers)
    assert code(response) == "STORE_UNAVAILABLE"
    assert response.status_code == 503


# ---------------------------------------------------------------- guessing
def test_failures_count_within_a_window_and_by_address() -> None:
    now = [0.0]
    failures = Failures(2, 60, clock=lambda: now[0])
    for _ in range(2):
        failures.check("a")
        failures.add("a")
    with pytest.raises(TooManyAttempts) as caught:
        failures.check("a")
    assert caught.value.retry_after == 61
    failures.check("b")
    now[0] = 60.0
    failures.check("a")


def test_addresses_that_failed_do_not_fill_the_memory() -> None:
    failures = Failures(2, 60)
    for number in range(11_000):
        failures.add(str(number))
    assert len(failures._times) == 10_000


def test_guessing_is_429_with_the_time_to_wait(make_client: Make) -> None:
    client = make_client(auth_failures=3)
    good = token(client)
    guesses = [post(client, VERSION, {}, {"authorization": f"Bearer kgt_{n}"}).status_code for n in range(4)]
    assert guesses == [401, 401, 401, 429]
    response = post(client, VERSION, {}, good)
    assert (response.status_code, code(response)) == (429, "LIMIT_EXCEEDED")
    assert 0 < int(response.headers["retry-after"]) <= 61
    assert post(client, VERSION, {}).status_code == 200
    assert "tokens_refused_total 3.0" in client.get("/metrics").text


# ---------------------------------------------------------------- secrets and the audit
LEAKY = """
import structlog, sys
from server.observability import configure_logging
configure_logging("debug", sys.argv[1])
def fails(authorization): raise RuntimeError("broken")
try: fails("Bearer kgt_" + "topsecret")
except RuntimeError as error: structlog.get_logger().error("unhandled", exc_info=error)
"""


@pytest.mark.parametrize("format_", ["json", "console"])
def test_tracebacks_in_the_log_hold_no_values_of_variables(format_: str) -> None:
    """A fault while a request is served would otherwise print its Authorization header."""
    command = [sys.executable, "-c", LEAKY, format_]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
    assert "broken" in said
    assert "RuntimeError" in said
    assert "topsecret" not in said.replace('"Bearer kgt_" + "topsecret"', "")


def test_no_secret_is_ever_logged(live: Live) -> None:
    """Not a good one, not a bad one, not in an error, not even in part."""
    good, key = live.token("curator"), live.key
    wrong = "kgt_wrongwrongwrong"
    for header in (f"Bearer {good}", f"Bearer {wrong}", "Basic aHVudGVyMg==", f"Bearer {wrong}.a.b"):
        live.post(APPLY, change(), authorization=header)
        live.post("{ nothing }", {}, authorization=header)
    said = live.stop()
    assert '"event": "write"' in said
    assert "token_refused" in said
    for secret in (good.removeprefix("kgt_"), "wrongwrong", "aHVudGVyMg", key):
        assert secret[:8] not in said


def test_every_attempt_to_write_is_audited_with_the_name_of_its_token(client: TestClient) -> None:
    with structlog.testing.capture_logs() as logs:
        post(client, APPLY, change(), token(client, "reader", "r"))
        post(client, APPLY, change(), token(client, "curator", "ward 7"))
        post(client, APPLY, change(expectedVersion=1), token(client, "curator", "late"))
    writes = [(e["who"], e["role"], e["result"], e.get("version")) for e in logs if e["event"] == "write"]
    assert writes == [
        ("r", "reader", "denied", None),
        ("ward 7", "curator", "applied", 2),
        ("late", "curator", "conflict", None),
    ]
    assert client.get("/metrics").text.count('graph_writes_total{result="applied",what="apply_changes"} 1.0') == 1


def test_cors_allows_the_authorization_header_for_allowed_origins_only(make_client: Make) -> None:
    client = make_client(cors_origins=("https://lab.example",))
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    good = client.options("/graphql", headers={"origin": "https://lab.example", **preflight})
    assert good.status_code == 200
    assert "authorization" in good.headers["access-control-allow-headers"]
    bad = client.options("/graphql", headers={"origin": "https://evil.example", **preflight})
    assert "access-control-allow-origin" not in bad.headers


@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_no_form_of_another_page_can_write(client: TestClient, type_: str) -> None:
    """These are the content types a browser sends across origins without asking first."""
    body = json.dumps({"query": APPLY, "variables": change()})
    response = client.post("/graphql", content=body, headers={"content-type": type_, **token(client)})
    assert response.status_code == 415


# ---------------------------------------------------------------- an open door
@pytest.mark.parametrize(
    ("host", "settings", "tokens", "warned"),
    [
        ("127.0.0.1", {}, False, []),
        ("::1", {}, False, []),
        ("0.0.0.0", {}, False, ["reading_is_open", "no_tokens"]),  # noqa: S104
        ("0.0.0.0", {}, True, ["reading_is_open"]),  # noqa: S104
        ("::", {"reads_need_token": True}, True, []),
        ("192.0.2.1", {"reads_need_token": True, "oidc_issuer": "https://id.example"}, False, []),
    ],
)
def test_a_service_that_others_reach_says_what_stands_open(
    tmp_path: Path, host: str, settings: dict[str, Any], tokens: bool, warned: list[str]
) -> None:
    if tokens:
        TokenFile(tmp_path).create("a", "reader")
    with structlog.testing.capture_logs() as logs:
        warn_of_open_door(host, Settings(**settings), tmp_path)
    assert [entry["event"] for entry in logs] == warned
