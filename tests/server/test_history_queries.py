"""What was, who did it, and undoing it: history, changeSet, diff, revert and the meaning of a change."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.server.writing import APPLY, NEW_CLAIM, NEW_THERAPY, REVERT, applied, change, code, post, token

Make = Callable[..., TestClient]
MORE = NEW_CLAIM.replace(
    '"2020-06"^^xsd:gYearMonth ]',
    '"2020-06"^^xsd:gYearMonth ] , [ dcterms:source <https://example.org/paper> ; kg:level kg:SingleArmTrial ; kg:direction kg:Supports ; dcterms:date "2022-03-01"^^xsd:date ]',
)
REF = "curie label kind"
CLAIM = f"id text relation subject {{ {REF} }} object {{ {REF} }} confidenceBefore confidenceAfter evidenceAdded {{ level source {{ citation }} }} evidenceRemoved {{ level }}"
DIFF = f"""
  fromVersion toVersion empty
  counts {{ entitiesAdded entitiesChanged entitiesRemoved assertionsAdded assertionsChanged assertionsRemoved evidenceAdded evidenceRemoved sourcesAdded }}
  entitiesAdded {{ {REF} }} entitiesRemoved {{ {REF} }} entitiesChanged {{ entity {{ {REF} }} fields {{ name before after }} }}
  assertionsAdded {{ {CLAIM} }} assertionsChanged {{ {CLAIM} }} assertionsRemoved {{ {CLAIM} }}
"""
ASK_DIFF = f"query($a: Int!, $b: Int!) {{ diff(from: $a, to: $b) {{ {DIFF} }} }}"
APPLY_DIFF = f"mutation($input: ChangesInput!) {{ applyChanges(input: $input) {{ ok diff {{ {DIFF} }} }} }}"


@pytest.fixture
def curator(client: TestClient) -> dict[str, str]:
    return token(client)


def ask(client: TestClient, query: str, **variables: Any) -> Any:
    body = post(client, query, variables).json()
    assert "errors" not in body, body
    return body["data"]


def set_counts(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


# ---------------------------------------------------------------- what a change means
def test_a_change_says_what_it_means_and_its_dry_run_says_the_same(client: TestClient, curator: dict[str, str]) -> None:
    dry, made = (
        post(client, APPLY_DIFF, change(NEW_CLAIM, dryRun=dry), curator).json()["data"]["applyChanges"]["diff"]
        for dry in (True, False)
    )
    assert (dry.pop("toVersion"), made.pop("toVersion")) == (None, 2)
    assert dry == made
    assert made["fromVersion"] == 1
    assert set_counts(made["counts"]) == {"entitiesAdded": 1, "assertionsAdded": 1}
    assert made["entitiesAdded"] == [{"curie": "therapy:delta", "label": "delta-cel", "kind": "Therapy"}]
    (claim,) = made["assertionsAdded"]
    assert claim["text"] == "delta-cel investigatedFor systemic lupus erythematosus"
    assert (claim["confidenceBefore"], claim["evidenceAdded"][0]["level"]) == (None, "NEWS_REPORT")
    assert 0 < claim["confidenceAfter"] < 1


def test_evidence_for_what_stood_is_a_change_of_confidence(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator, NEW_CLAIM)
    found = post(client, APPLY_DIFF, change(MORE), curator).json()["data"]["applyChanges"]["diff"]
    assert set_counts(found["counts"]) == {"assertionsChanged": 1, "evidenceAdded": 1}
    (claim,) = found["assertionsChanged"]
    assert claim["confidenceBefore"] < claim["confidenceAfter"]
    assert [e["source"]["citation"] for e in claim["evidenceAdded"]] == ["Example A et al. 2022"]


def test_any_two_versions_can_be_compared_in_both_directions(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator, NEW_CLAIM)
    applied(client, curator, None, remove=["new.ttl"])
    forth = ask(client, ASK_DIFF, a=1, b=2)["diff"]
    back = ask(client, ASK_DIFF, a=2, b=3)["diff"]
    assert (
        forth["entitiesAdded"] == back["entitiesRemoved"] == ask(client, ASK_DIFF, a=2, b=1)["diff"]["entitiesRemoved"]
    )
    assert back["assertionsRemoved"][0]["confidenceAfter"] is None
    assert ask(client, ASK_DIFF, a=1, b=3)["diff"]["empty"] is True
    assert ask(client, ASK_DIFF, a=0, b=1)["diff"]["counts"]["entitiesAdded"] == 14


def test_a_version_that_there_is_not_is_named(client: TestClient) -> None:
    response = post(client, ASK_DIFF, {"a": 1, "b": 7})
    assert code(response) == "NOT_FOUND"
    assert "Versions go from 1 to 1" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(("arguments", "curies"), [("first: 2", 2), ("first: 20, skip: 13", 1), ("skip: 14", 0)])
def test_a_long_diff_is_read_page_by_page(client: TestClient, arguments: str, curies: int) -> None:
    found = ask(client, f"{{ diff(from: 0, to: 1) {{ entitiesAdded({arguments}) {{ curie }} }} }}")
    assert len(found["diff"]["entitiesAdded"]) == curies


@pytest.mark.parametrize(
    ("arguments", "found"),
    [("first: -1", "BAD_USER_INPUT"), ("skip: -1", "BAD_USER_INPUT"), ("first: 1001", "LIMIT_EXCEEDED")],
)
def test_a_page_of_a_diff_that_cannot_be_had_is_an_error(client: TestClient, arguments: str, found: str) -> None:
    assert code(post(client, f"{{ diff(from: 0, to: 1) {{ entitiesAdded({arguments}) {{ curie }} }} }}", {})) == found


def test_working_out_a_diff_does_not_hold_up_the_event_loop(client: TestClient) -> None:
    """It counts as costly, so it runs on a thread."""
    engine = client.app.state.engine  # type: ignore[attr-defined]
    prepared = engine.prepare("{ diff(from: 0, to: 1) { empty } }", None, {})
    assert not engine.is_quick(prepared, {})


# ---------------------------------------------------------------- history
def test_history_is_a_relay_connection_newest_first(client: TestClient, curator: dict[str, str]) -> None:
    for name in ("d1", "d2", "d3"):
        applied(client, curator, NEW_THERAPY.replace("delta", name), source=f"{name}.ttl")
    query = "query($first: Int, $after: String) { history(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { version author sources { name } } } } }"
    page = ask(client, query, first=3)["history"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (4, True)
    assert [(e["node"]["version"], e["node"]["sources"][0]["name"]) for e in page["edges"]] == [
        (4, "d3.ttl"),
        (3, "d2.ttl"),
        (2, "d1.ttl"),
    ]
    rest = ask(client, query, after=page["pageInfo"]["endCursor"])["history"]
    assert [(e["node"]["version"], e["node"]["author"]) for e in rest["edges"]] == [(1, "kg")]
    assert rest["pageInfo"]["hasNextPage"] is False


def test_a_change_set_names_its_files_and_what_was_taken_out(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator)
    applied(client, curator, None, remove=["new.ttl"])
    query = (
        "query($v: Int!) { changeSet(version: $v) { version message added removed reverts sources { name sha256 } } }"
    )
    came, went = (ask(client, query, v=version)["changeSet"] for version in (2, 3))
    assert len(came["sources"][0]["sha256"]) == 64
    assert went["sources"] == [{"name": "new.ttl", "sha256": None}]
    assert (came["added"], came["removed"]) == (went["removed"], went["added"])
    assert code(post(client, query, {"v": 9})) == "NOT_FOUND"


# ---------------------------------------------------------------- undoing
def reverted(client: TestClient, headers: dict[str, str], number: int, **given: Any) -> Any:
    return post(client, REVERT, {"n": number, "why": "a mistake", **given}, headers)


def test_a_revert_is_a_change_set_of_its_own(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator)
    payload = reverted(client, curator, 2).json()["data"]["revert"]
    assert (payload["ok"], payload["version"]["number"], payload["version"]["entities"]) == (True, 3, 14)
    assert (payload["changeSet"]["message"], payload["changeSet"]["author"]) == ("a mistake", "ward 7 (token)")
    assert ask(client, "{ changeSet(version: 3) { reverts } }")["changeSet"] == {"reverts": 2}
    assert ask(client, ASK_DIFF, a=1, b=3)["diff"]["empty"] is True


def test_a_revert_leaves_what_came_later(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator)
    applied(client, curator, NEW_THERAPY.replace("delta", "epsilon"), source="other.ttl")
    assert reverted(client, curator, 2).json()["data"]["revert"]["ok"] is True
    assert ask(client, '{ entity(curie: "therapy:epsilon") { label } }')["entity"] == {"label": "epsilon-cel"}


def test_a_revert_that_later_changes_stand_in_the_way_of_is_a_conflict_that_names_them(
    client: TestClient, curator: dict[str, str]
) -> None:
    applied(client, curator)
    applied(client, curator, NEW_THERAPY.replace('"delta-cel"', '"Delta"'))
    response = reverted(client, curator, 2)
    assert code(response) == "CONFLICT"
    assert response.json()["errors"][0]["extensions"]["laterChangeSets"] == [3]


def test_a_revert_that_would_leave_a_claim_about_nothing_is_refused_with_the_reason(
    client: TestClient, curator: dict[str, str]
) -> None:
    applied(client, curator)
    claim = NEW_CLAIM.replace(
        'therapy:delta a kg:Therapy ; rdfs:label "delta-cel" ; kg:granularity kg:Product ; kg:modality kg:CarT .', ""
    )
    applied(client, curator, claim, source="claim.ttl")
    payload = reverted(client, curator, 2).json()["data"]["revert"]
    assert payload["ok"] is False
    assert any("therapy:delta" in d["message"] for d in payload["diagnostics"])
    assert payload["version"]["number"] == 3


def test_a_revert_can_be_tried_first_and_must_say_why(client: TestClient, curator: dict[str, str]) -> None:
    applied(client, curator)
    dry = 'mutation { revert(changeSet: 2, message: "", dryRun: true) { ok changeSet { version } diff { counts { entitiesRemoved } } } }'
    assert post(client, dry, {}, curator).json()["data"]["revert"] == {
        "ok": True,
        "changeSet": None,
        "diff": {"counts": {"entitiesRemoved": 1}},
    }
    silent = 'mutation { revert(changeSet: 2, message: " ") { ok } }'
    assert code(post(client, silent, {}, curator)) == "BAD_USER_INPUT"
    late = 'mutation { revert(changeSet: 2, message: "m", expectedVersion: 1) { ok } }'
    assert code(post(client, late, {}, curator)) == "CONFLICT"
    assert code(reverted(client, curator, 9)) == "NOT_FOUND"


def test_a_revert_needs_a_token_too(client: TestClient) -> None:
    assert code(reverted(client, {}, 1)) == "UNAUTHENTICATED"


# ---------------------------------------------------------------- asking again
def test_a_change_sent_twice_under_one_id_is_made_once(client: TestClient, curator: dict[str, str]) -> None:
    """A client that lost the answer may ask again, even where others wrote meanwhile."""
    first = applied(client, curator, clientChangeId="abc")
    applied(client, curator, NEW_THERAPY.replace("delta", "epsilon"), source="other.ttl")
    again = applied(client, curator, clientChangeId="abc", expectedVersion=1)
    assert again["changeSet"] == first["changeSet"]
    assert again["version"]["number"] == 3


def test_the_body_of_a_mutation_may_be_sent_again_as_it_is(client: TestClient, curator: dict[str, str]) -> None:
    for number in (2, 2):
        assert post(client, APPLY, change(), curator).json()["data"]["applyChanges"]["version"]["number"] == number
