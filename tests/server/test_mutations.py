"""Changing a graph that is being read: atomic, checked, authored, and never seen half done."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from kg import GraphService
from server.graphql import writing
from tests.server.writing import (
    APPLY,
    BROKEN,
    NEW_CLAIM,
    NEW_THERAPY,
    PREFIXES,
    WRONG,
    applied,
    change,
    code,
    post,
    token,
)

Make = Callable[..., TestClient]
LABEL = '{ entity(curie: "therapy:delta") { label } version { number } }'


@pytest.fixture
def curator(client: TestClient) -> dict[str, str]:
    return token(client)


# ---------------------------------------------------------------- applying
def test_a_source_becomes_one_change_set_and_the_next_request_sees_it(
    client: TestClient, curator: dict[str, str]
) -> None:
    payload = applied(client, curator)
    assert payload["ok"] is True
    assert payload["version"] == {"number": 2, "author": "ward 7 (token)", "message": "because", "entities": 15}
    made = payload["changeSet"]
    assert (made["version"], made["author"], made["removed"], made["sources"][0]["name"]) == (
        2,
        "ward 7 (token)",
        0,
        "new.ttl",
    )
    body = post(client, LABEL, {}).json()
    assert body["data"] == {"entity": {"label": "delta-cel"}, "version": {"number": 2}}
    assert body["extensions"]["graph"]["version"] == 2


def test_the_answer_to_a_change_is_of_the_version_it_made(client: TestClient, curator: dict[str, str]) -> None:
    body = post(client, APPLY, change(), curator).json()
    assert body["extensions"]["graph"]["version"] == 2


def test_the_same_again_changes_nothing_and_says_so(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator)
    again = applied(client, curator)
    assert (again["ok"], again["changeSet"], again["version"]["number"]) == (True, None, 2)


def test_a_source_replaces_what_it_said_and_nothing_else(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator)
    applied(client, curator, NEW_THERAPY.replace("delta-cel", "Delta"))
    assert post(client, LABEL, {}).json()["data"]["entity"]["label"] == "Delta"
    assert applied(client, curator, None, remove=["new.ttl"])["version"]["entities"] == 14


def test_several_files_are_one_change_set(client: TestClient, curator: dict[str, str]) -> None:
    epsilon = NEW_THERAPY.replace("delta", "epsilon")
    files = [
        {"source": f"{n}.ttl", "format": "TURTLE", "content": text} for n, text in enumerate((NEW_THERAPY, epsilon))
    ]
    payload = applied(client, curator, None, files=files)
    assert (payload["version"]["number"], payload["version"]["entities"]) == (2, 16)
    assert [s["name"] for s in payload["changeSet"]["sources"]] == ["0.ttl", "1.ttl"]


def test_a_dry_run_changes_nothing(client: TestClient, curator: dict[str, str]) -> None:
    payload = applied(client, curator, dryRun=True)
    assert (payload["ok"], payload["changeSet"], payload["version"]["number"]) == (True, None, 1)
    assert post(client, LABEL, {}).json()["data"]["entity"] is None


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        ("N_TRIPLES", '<http://x.example/a> <http://www.w3.org/2000/01/rdf-schema#label> "a" .\n'),
        ("TRIG", NEW_THERAPY),
        ("JSON_LD", '{"@id": "http://x.example/a", "http://www.w3.org/2000/01/rdf-schema#label": "a"}'),
    ],
)
def test_other_formats_are_read(client: TestClient, curator: dict[str, str], format_: str, content: str) -> None:
    assert applied(client, curator, content, format=format_, dryRun=True)["ok"] is True


# ---------------------------------------------------------------- mistakes in the data
def test_what_is_wrong_is_a_diagnostic_with_its_place_and_nothing_is_changed(
    client: TestClient, curator: dict[str, str]
) -> None:
    payload = applied(client, curator, WRONG)
    assert (payload["ok"], payload["changeSet"], payload["version"]["number"]) == (False, None, 1)
    (found,) = [d for d in payload["diagnostics"] if "CarTee" in d["message"]]
    assert (found["severity"], found["source"], found["line"]) == (
        "ERROR",
        "new.ttl",
        WRONG[: WRONG.index("therapy:delta")].count("\n") + 1,
    )
    assert "kg:CarT" in found["hint"]


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        ("TURTLE", BROKEN),
        ("JSON_LD", NEW_THERAPY),
        ("RDF_XML", NEW_THERAPY),
        ("N_TRIPLES", NEW_THERAPY),
        ("TURTLE", "\x00"),
        ("JSON_LD", '{"@context": "http://127.0.0.1:9/context", "@id": "http://x.example/a"}'),
    ],
)
def test_text_that_is_not_its_format_is_a_diagnostic(
    client: TestClient, curator: dict[str, str], format_: str, content: str
) -> None:
    payload = applied(client, curator, content, format=format_)
    assert payload["ok"] is False
    assert payload["diagnostics"][0]["severity"] == "ERROR"
    assert payload["diagnostics"][0]["source"] == "new.ttl"


def test_the_first_bad_line_is_named(client: TestClient, curator: dict[str, str]) -> None:
    found = applied(client, curator, PREFIXES + "therapy:a a kg:Therapy .\ntherapy:b a ,, .\n")["diagnostics"]
    (syntax,) = [d for d in found if d["code"] == "syntax"]
    assert syntax["line"] == PREFIXES.count("\n") + 2


# ---------------------------------------------------------------- requests that make no sense
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"content": None}, "nothing to apply"),
        ({"message": "  "}, "message is empty"),
        ({"source": ""}, "no name for a source"),
        ({"source": "a\nb.ttl"}, "no name for a source"),
        ({"source": "x" * 201}, "no name for a source"),
        ({"remove": ["new.ttl"]}, "named twice"),
    ],
)
def test_an_order_that_makes_no_sense_is_an_error_with_what_to_do(
    client: TestClient, curator: dict[str, str], given: dict[str, Any], said: str
) -> None:
    variables = change()
    variables["input"].update(given)
    response = post(client, APPLY, variables, curator)
    assert code(response) == "BAD_USER_INPUT"
    assert said in response.json()["errors"][0]["message"]


def test_an_unknown_format_is_refused_by_the_schema(client: TestClient, curator: dict[str, str]) -> None:
    response = post(client, APPLY, change(format="WORD"), curator)
    assert "'WORD' does not exist in 'SourceFormat'" in response.json()["errors"][0]["message"]
    assert code(response) == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize("content", [b"\xff", b"\\ud800"])
def test_text_that_is_no_unicode_is_400(client: TestClient, curator: dict[str, str], content: bytes) -> None:
    body = b'{"query": "mutation { __typename }", "variables": {"x": "' + content + b'"}}'
    response = client.post("/graphql", content=body, headers={"content-type": "application/json", **curator})
    assert (response.status_code, code(response)) == (400, "BAD_USER_INPUT")


def test_a_body_past_its_limit_is_413_and_names_it(make_client: Make) -> None:
    client = make_client(max_body_bytes=2_000, max_upload_bytes=20_000)
    headers = token(client)
    long = NEW_THERAPY + "# " + "x" * 5_000 + "\n"
    assert post(client, APPLY, change(long), headers).status_code == 200
    for sent, limit in ((headers, "max_upload_bytes"), ({}, "max_body_bytes")):
        response = post(client, APPLY, change(long * 5), sent)
        assert (response.status_code, code(response)) == (413, "LIMIT_EXCEEDED")
        assert limit in response.json()["errors"][0]["message"]


def test_a_file_inside_the_document_itself_is_refused_past_the_ordinary_limit(make_client: Make) -> None:
    client = make_client(max_body_bytes=2_000, max_upload_bytes=20_000)
    inline = 'mutation { applyChanges(input: {source: "a.ttl", message: "m", content: "%s"}) { ok } }' % ("x" * 3_000)
    response = post(client, inline, {}, token(client))
    assert code(response) == "LIMIT_EXCEEDED"
    assert "variables" in response.json()["errors"][0]["message"]


def test_brackets_inside_a_file_are_not_taken_for_nesting(client: TestClient, curator: dict[str, str]) -> None:
    assert applied(client, curator, NEW_THERAPY + "# " + "[{" * 2_000 + '\\" [[[' + "\n")["ok"] is True


def test_a_mutation_goes_by_post_only(client: TestClient, curator: dict[str, str]) -> None:
    response = client.get(
        "/graphql", params={"query": 'mutation { revert(changeSet: 1, message: "m") { ok } }'}, headers=curator
    )
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    streamed = client.post(
        "/graphql", json={"query": APPLY, "variables": change()}, headers={"accept": "text/event-stream", **curator}
    )
    assert code(streamed) == "BAD_USER_INPUT"


def test_answers_to_mutations_are_never_cached(client: TestClient, curator: dict[str, str]) -> None:
    """The same bytes twice must run twice."""
    for _ in range(2):
        post(client, APPLY, change(dryRun=True), curator)
    assert len(client.app.state.endpoint.responses) == 0  # type: ignore[attr-defined]


def test_a_document_is_prepared_once_unless_it_may_hold_a_whole_file(
    client: TestClient, curator: dict[str, str]
) -> None:
    """Preparing holds up the event loop, so whoever reads meanwhile."""
    documents = client.app.state.engine.documents  # type: ignore[attr-defined]
    before = len(documents)
    for _ in range(2):
        post(client, APPLY, change(dryRun=True), curator)
    assert (len(documents), documents.hits) == (before + 1, 1)
    post(client, APPLY + "# " + 5_000 * "long ", change(dryRun=True), curator)
    assert len(documents) == before + 1


# ---------------------------------------------------------------- concurrency
def test_the_expected_version_must_be_the_graphs(client: TestClient, curator: dict[str, str]) -> None:
    assert applied(client, curator, expectedVersion=1)["ok"] is True
    response = post(client, APPLY, change(NEW_CLAIM, expectedVersion=1), curator)
    assert code(response) == "CONFLICT"
    extensions = response.json()["errors"][0]["extensions"]
    assert (extensions["expectedVersion"], extensions["version"]) == (1, 2)


def test_of_two_writers_at_once_one_wins_and_the_other_is_told(client: TestClient, curator: dict[str, str]) -> None:
    with client:
        answers: list[Any] = []
        texts = [NEW_THERAPY, NEW_THERAPY.replace("delta", "epsilon")]

        def write(text: str) -> None:
            answers.append(
                post(client, APPLY, change(text, source=f"{len(text)}.ttl", expectedVersion=1), curator).json()
            )

        threads = [threading.Thread(target=write, args=(text,)) for text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    codes = sorted(a["errors"][0]["extensions"]["code"] if "errors" in a else "applied" for a in answers)
    assert codes == ["CONFLICT", "applied"]


def test_writes_without_an_expected_version_queue_and_none_is_lost(client: TestClient, curator: dict[str, str]) -> None:
    with client:
        threads = [
            threading.Thread(
                target=applied,
                args=(client, curator, NEW_THERAPY.replace("delta", f"d{n}")),
                kwargs={"source": f"{n}.ttl"},
            )
            for n in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert post(client, "{ version { number entities } }", {}).json()["data"]["version"] == {
        "number": 6,
        "entities": 19,
    }


def test_more_writes_than_may_wait_are_refused(make_client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make_client(max_writes_waiting=0)
    headers, original = token(client), writing.Writer.apply
    begun = threading.Event()

    def slow(self: Any, *arguments: Any) -> Any:
        begun.set()
        time.sleep(0.5)
        return original(self, *arguments)

    monkeypatch.setattr(writing.Writer, "apply", slow)
    with client:
        first = threading.Thread(target=applied, args=(client, headers))
        first.start()
        begun.wait()
        response = post(client, APPLY, change(NEW_CLAIM), headers)
        first.join()
    assert (response.status_code, code(response), response.headers["retry-after"]) == (503, "LIMIT_EXCEEDED", "5")


def test_readers_go_on_while_a_change_is_made_and_never_see_half_of_it(
    client: TestClient, curator: dict[str, str], service: GraphService
) -> None:
    """Each answer names one version, and holds exactly what that version holds."""
    query = '{ version { number entities assertions } assertions(filter: {subject: ["therapy:alpha"]}) { totalCount } therapies { totalCount nodes { curie } } }'
    seen: dict[int, set[str]] = {}
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            body = client.post("/graphql", json={"query": f"# {time.perf_counter()}\n{query}"}).json()
            number = body["data"]["version"]["number"]
            assert number == body["extensions"]["graph"]["version"]
            seen.setdefault(number, set()).add(str(body["data"]))

    with client:
        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for number in range(6):
            applied(client, curator, NEW_CLAIM if number % 2 else NEW_THERAPY.replace("delta", f"d{number}"))
        done.set()
        for reader in readers:
            reader.join()
    assert len(seen) > 1
    assert {number: len(answers) for number, answers in seen.items()} == dict.fromkeys(seen, 1)


def test_the_answer_to_a_change_has_its_own_time(make_client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time for the operation ran out while it wrote, but the change is made, so the answer must say so."""
    client, original = make_client(request_seconds=0.3), writing.Writer.apply

    def slow(self: Any, *arguments: Any) -> Any:
        time.sleep(0.4)
        return original(self, *arguments)

    monkeypatch.setattr(writing.Writer, "apply", slow)
    assert applied(client, token(client))["changeSet"]["version"] == 2


def test_an_internal_fault_while_writing_is_masked_and_audited(
    client: TestClient, curator: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret path /etc/shadow")

    monkeypatch.setattr(GraphService, "check", broken)
    response = post(client, APPLY, change(), curator)
    assert code(response) == "INTERNAL_SERVER_ERROR"
    assert "shadow" not in response.text
    assert 'graph_writes_total{result="failed",what="apply_changes"} 1.0' in client.get("/metrics").text


def test_a_stopping_service_finishes_the_write_that_runs(make_client: Make, service: GraphService) -> None:
    client = make_client()
    headers = token(client)
    with client:
        applied(client, headers)
    response = post(client, APPLY, change(NEW_CLAIM), headers)
    assert (response.status_code, code(response)) == (503, "LIMIT_EXCEEDED")
    assert service.store.version == 2


# ---------------------------------------------------------------- impact, and asking again
IMPACT = """mutation($input: ChangesInput!) { applyChanges(input: $input) { version { number } impact {
  confidencesTotal hypotheses { compared pairs leftOut ranksChanged enteredTotal
    left { subject { curie } object { label } rankBefore rankAfter statusBefore statusAfter } } } } }"""
UNDO = """mutation($n: Int!, $id: String) { revert(changeSet: $n, message: "undo", clientChangeId: $id) {
  changeSet { version reverts } diff { counts { entitiesRemoved } } } }"""
TRIED = NEW_THERAPY.replace(
    "kg:CarT .",
    """kg:CarT .
[] a kg:Assertion ; rdf:subject therapy:alpha ; rdf:predicate kg:investigatedFor ; rdf:object MONDO:0009688 ;
  kg:evidence [ dcterms:source <https://example.org/news> ; kg:level kg:NewsReport ; kg:direction kg:Supports ; dcterms:date "2020-06"^^xsd:gYearMonth ] .""",
)


@pytest.mark.parametrize(("dry_run", "version"), [(True, 1), (False, 2)])
def test_a_change_says_which_hypotheses_it_moves(
    client: TestClient, curator: dict[str, str], dry_run: bool, version: int
) -> None:
    body = post(client, IMPACT, change(TRIED, dryRun=dry_run), curator).json()
    payload = body["data"]["applyChanges"]
    assert payload["version"]["number"] == version
    moves = payload["impact"]["hypotheses"]
    assert (moves["leftOut"], moves["compared"] == moves["pairs"]) == (None, True)
    (left,) = [m for m in moves["left"] if m["subject"]["curie"] == "therapy:alpha"]
    assert (left["object"]["label"], left["statusAfter"], left["rankAfter"]) == ("myasthenia gravis", "IN_TRIAL", None)


def test_an_undo_that_is_sent_again_is_done_once(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator)
    first, again = (post(client, UNDO, {"n": 2, "id": "mine"}, curator).json()["data"]["revert"] for _ in range(2))
    assert first == again
    assert first == {"changeSet": {"version": 3, "reverts": 2}, "diff": {"counts": {"entitiesRemoved": 1}}}


def test_a_name_of_another_change_is_refused(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator, clientChangeId="mine")
    answer = post(client, UNDO, {"n": 2, "id": "mine"}, curator)
    assert code(answer) == "BAD_USER_INPUT"
    assert "belongs to another change" in answer.json()["errors"][0]["message"]
