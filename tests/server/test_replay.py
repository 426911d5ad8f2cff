"""Answers that were cited can be asked again, and say what became of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from kg.errors import NotFound
from kg.graph import GraphService
from kg.reading import name_nodes, read_text
from server.app import create_app
from server.citations import Citation, Citations
from server.settings import Settings

PATHS = '{ paths(from: ["therapy:alpha"], to: ["MONDO:0007915"], first: 3) { totalCount nodes { text } } }'
REPLAY = "query($answer: ID!) { replay(answer: $answer) { verdict text madeAtVersion version query edges { assertion before after } } }"
Ask = Callable[..., dict[str, Any]]


def ask_of(client: TestClient) -> Ask:
    def ask(query: str, **variables: Any) -> dict[str, Any]:
        body: dict[str, Any] = client.post("/graphql", json={"query": query, "variables": variables}).json()
        return body

    return ask


def test_the_same_question_of_the_same_graph_has_the_same_id(ask: Ask) -> None:
    first, second = (ask(PATHS)["extensions"]["graph"]["answer"] for _ in range(2))
    other = ask(PATHS.replace("first: 3", "first: 2"))["extensions"]["graph"]["answer"]
    assert first == second != other


def test_an_answer_that_still_holds_is_the_same(ask: Ask) -> None:
    id_ = ask(PATHS)["extensions"]["graph"]["answer"]
    found = ask(REPLAY, answer=id_)["data"]["replay"]
    assert (found["verdict"], found["edges"], found["query"]) == ("SAME", [], PATHS)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [("kg:Contradicts", "UNSUPPORTED"), ("kg:Supports", "CHANGED")],
)
def test_what_changed_is_named(client: TestClient, service: GraphService, evidence: str, verdict: str) -> None:
    """An edge that the answer rested on goes, or only gets another confidence."""
    ask = ask_of(client)
    id_ = ask(PATHS)["extensions"]["graph"]["answer"]
    text = (Path(__file__).parents[1] / "data" / "tiny" / "tiny.ttl").read_text(encoding="utf-8")
    old = "kg:level kg:Mechanistic ; kg:direction kg:Supports"
    new = (
        f"kg:level kg:Review ; kg:direction {evidence}"
        if verdict == "UNSUPPORTED"
        else "kg:level kg:NewsReport ; kg:direction kg:Supports"
    )
    drives = text.index("rdf:subject CL:0000236 ; rdf:predicate kg:drives")
    changed = text[:drives] + text[drives:].replace(old, new, 1)
    service.load([name_nodes(read_text(changed.encode(), "ttl", "tiny.ttl"))], message="another reading")
    found = ask(REPLAY, answer=id_)["data"]["replay"]
    assert found["verdict"] == verdict
    assert (found["madeAtVersion"], found["version"]) == (1, 2)
    assert any((edge["after"] is None) is (verdict == "UNSUPPORTED") for edge in found["edges"])
    assert "B cell drives systemic lupus erythematosus" in found["text"]


def test_an_unknown_answer_is_an_error_that_says_what_is_kept(ask: Ask) -> None:
    (error,) = ask(REPLAY, answer="answer:nothing")["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert "kept" in error["message"]


def test_look_ups_have_an_id_but_are_not_kept(ask: Ask) -> None:
    """Only searches are worth keeping; a look-up is its own question."""
    id_ = ask('{ entity(curie: "therapy:alpha") { label } }')["extensions"]["graph"]["answer"]
    assert ask(REPLAY, answer=id_)["errors"]


def test_answers_outlive_the_service(service: GraphService) -> None:
    with TestClient(create_app(service, Settings())) as client:
        id_ = ask_of(client)(PATHS)["extensions"]["graph"]["answer"]
    with TestClient(create_app(service, Settings())) as client:
        assert ask_of(client)(REPLAY, answer=id_)["data"]["replay"]["verdict"] == "SAME"


def test_only_the_newest_answers_are_kept(tmp_path: Path) -> None:
    kept = Citations(tmp_path, 10)
    for number in range(200):
        kept.keep(Citation(f"answer:{number}", 1, float(number), "{ q }", None, {}, "d", {}))
    assert kept.find("answer:199").made == 199
    with pytest.raises(Exception, match="kept"):
        kept.find("answer:5")
    kept.close()


def test_a_full_disk_keeps_nobody_from_an_answer(tmp_path: Path) -> None:
    """The answer is there and only not kept; what was kept is still found."""
    kept = Citations(tmp_path, 10)
    before = Citation("answer:0", 1, 0.0, "{ x }", None, {}, "d", {})
    kept.keep(before)
    kept._database.execute("PRAGMA max_page_count = 1")  # never below what there is: no page more
    kept.keep(replace(before, id="answer:1", query="x" * 100_000))
    with pytest.raises(NotFound):
        kept.find("answer:1")
    assert kept.find("answer:0") == before
    kept.close()


def test_where_no_file_can_be_made_answers_are_kept_in_memory(tmp_path: Path) -> None:
    (tmp_path / "citations.sqlite").mkdir()
    kept = Citations(tmp_path, 10)
    kept.keep(one := Citation("answer:0", 1, 0.0, "{ x }", None, {}, "d", {}))
    assert kept.find("answer:0") == one
    kept.close()
