"""Paths and hypotheses as clients ask for them: every claim through the real application."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from server.graphql.paging import ClientGone, look_at_clock, watch

Ask = Callable[..., dict[str, Any]]
LUPUS, GRAVIS = "MONDO:0007915", "MONDO:0009688"


def data(body: dict[str, Any]) -> dict[str, Any]:
    assert "errors" not in body, body["errors"]
    found: dict[str, Any] = body["data"]
    return found


def code(body: dict[str, Any]) -> str:
    (error,) = body["errors"]
    found: str = error["extensions"]["code"]
    return found


# ---------------------------------------------------------------- paths
PATHS = """query($from: [ID!]!, $to: [ID!]!, $where: PathConstraints, $assuming: [AssertionInput!], $without: [ID!], $first: Int = 10, $after: String, $asOf: Date, $orderBy: PathOrder, $diverse: Boolean = false) {
  paths(from: $from, to: $to, where: $where, assuming: $assuming, without: $without, first: $first, after: $after, asOf: $asOf, orderBy: $orderBy, diverse: $diverse) {
    totalCount exhaustive truncated truncatedBy remaining
    pageInfo { hasNextPage hasPreviousPage endCursor }
    edges { cursor node {
      id text length sign metapath newest assumed
      nodes { curie }
      score { value terms { name value } }
      weakestStep { confidence }
      steps { from { curie } to { curie } relation name phrase reversed sign assumed confidence evidence { id } assertion { id latest } }
    } }
    whyNot { text blocking relaxations { constraints advice count } nearest { text } stuck { steps count } truncatedBy }
  }
}"""
MECHANISM = {"metapath": ["targets", "expressedOn", "drives"]}


def test_a_path_explains_itself(ask: Ask) -> None:
    """A sentence, each step with its evidence, a score that is the product of its terms, a sign."""
    page = data(ask(PATHS, **{"from": ["therapy:alpha"], "to": [LUPUS], "where": MECHANISM}))["paths"]
    (path,) = (edge["node"] for edge in page["edges"])
    assert path["text"] == (
        "alpha-cel targets CD19, which is expressed on B cells, which drive systemic lupus erythematosus"
    )
    assert (path["length"], path["sign"], path["assumed"]) == (3, -1, False)
    product = 1.0
    for term in path["score"]["terms"]:
        product *= term["value"]
    assert path["score"]["value"] == pytest.approx(product)
    assert path["weakestStep"]["confidence"] == min(step["confidence"] for step in path["steps"])
    assert all(step["evidence"] for step in path["steps"])
    assert page["exhaustive"]
    assert page["totalCount"] == 1


def test_pages_of_paths_join_without_gap_or_repeat(ask: Ask) -> None:
    question = {"from": ["therapy:alpha"], "to": [LUPUS, GRAVIS], "where": {"maxLength": 5}}
    whole = data(ask(PATHS, **question, first=100))["paths"]
    assert whole["exhaustive"]
    assert not whole["pageInfo"]["hasNextPage"]
    seen, after = [], None
    while True:
        page = data(ask(PATHS, **question, first=2, after=after))["paths"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        assert page["remaining"] == whole["totalCount"] - len(seen)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == [edge["node"]["id"] for edge in whole["edges"]]
    assert len(set(seen)) == whole["totalCount"]


def test_ids_may_be_global_ids(ask: Ask) -> None:
    ids = data(ask('{ a: entity(curie: "therapy:alpha") { id } b: entity(curie: "MONDO:0007915") { id } }'))
    page = data(ask(PATHS, **{"from": [ids["a"]["id"]], "to": [ids["b"]["id"]]}))["paths"]
    assert page["totalCount"] > 0


def test_an_assumed_edge_completes_paths_and_is_marked(ask: Ask) -> None:
    question = {"from": ["therapy:alpha"], "to": [GRAVIS], "where": {"metapath": ["depletes", "drives"]}}
    assert data(ask(PATHS, **question))["paths"]["totalCount"] == 0
    assumed = [{"subject": "therapy:alpha", "relation": "depletes", "object": "CL:0000786", "confidence": 0.5}]
    (edge,) = data(ask(PATHS, **question, assuming=assumed))["paths"]["edges"]
    first, second = edge["node"]["steps"]
    assert (first["assumed"], first["confidence"], first["evidence"], first["assertion"]["latest"]) == (
        True,
        0.5,
        [],
        None,
    )
    assert second["assumed"] is False
    assert data(ask(PATHS, **question))["paths"]["totalCount"] == 0, "nothing is written"


def test_what_is_left_out_takes_its_paths_along(ask: Ask) -> None:
    question = {"from": ["therapy:alpha"], "to": [LUPUS], "where": MECHANISM}
    assert data(ask(PATHS, **question, without=["CL:0000236"]))["paths"]["totalCount"] == 0


def test_a_day_hides_later_evidence(ask: Ask) -> None:
    question = {"from": ["therapy:alpha"], "to": [LUPUS]}
    then = ask(PATHS, **question, asOf="2020-12-31", orderBy="LENGTH")
    assert next(e["node"]["metapath"] for e in data(then)["paths"]["edges"]) == ["investigatedFor"]
    assert data(then)["paths"]["totalCount"] < data(ask(PATHS, **question))["paths"]["totalCount"]
    assert then["extensions"]["graph"]["asOf"] == "2020-12-31"


def test_an_empty_answer_says_why_and_what_would_fill_it(ask: Ask) -> None:
    page = data(ask(PATHS, **{"from": ["therapy:alpha"], "to": [LUPUS], "where": {"minConfidence": 0.999}}))["paths"]
    assert page["edges"] == []
    assert page["exhaustive"]
    assert page["whyNot"]["blocking"] == ["minConfidence"]
    assert page["whyNot"]["relaxations"][0]["count"] >= 1
    assert "minConfidence" in page["whyNot"]["text"]


def test_where_there_are_paths_nothing_needs_explaining(ask: Ask) -> None:
    assert data(ask(PATHS, **{"from": ["therapy:alpha"], "to": [LUPUS]}))["paths"]["whyNot"] is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"to": ["therapy:alpha"]}, "BAD_USER_INPUT"),
        ({"to": ["MONDO:0007916"]}, "NOT_FOUND"),
        ({"to": []}, "BAD_USER_INPUT"),
        ({"where": {"metapath": []}}, "BAD_USER_INPUT"),
        ({"where": {"metapath": ["targetz"]}}, "NOT_FOUND"),
        ({"where": {"relations": ["drvies"]}}, "NOT_FOUND"),
        ({"where": {"minLength": 3, "maxLength": 2}}, "BAD_USER_INPUT"),
        ({"where": {"minConfidence": 2}}, "BAD_USER_INPUT"),
        ({"where": {"via": ["CL:0000236"], "avoid": ["CL:0000236"]}}, "BAD_USER_INPUT"),
        ({"where": {"signs": [5]}}, "BAD_USER_INPUT"),
        ({"first": -1}, "BAD_USER_INPUT"),
        ({"first": 5_000_000}, "LIMIT_EXCEEDED"),
        ({"after": "zzz"}, "BAD_USER_INPUT"),
        ({"assuming": [{"subject": LUPUS, "relation": "targets", "object": "HGNC:1633"}]}, "BAD_USER_INPUT"),
        ({"assuming": [{"subject": "therapy:alpha", "relation": "tragets", "object": "HGNC:1633"}]}, "NOT_FOUND"),
        ({"without": ["therapy:nobody"]}, "NOT_FOUND"),
    ],
)
def test_bad_questions_are_refused_with_a_code(ask: Ask, changes: dict[str, Any], expected: str) -> None:
    assert code(ask(PATHS, **{"from": ["therapy:alpha"], "to": [LUPUS], **changes})) == expected


def test_a_spent_budget_says_so_instead_of_failing(make_client: Callable[..., TestClient]) -> None:
    body = make_client(search_steps=1).post(
        "/graphql", json={"query": PATHS, "variables": {"from": ["therapy:alpha"], "to": [LUPUS]}}
    )
    page = data(body.json())["paths"]
    assert page["truncated"]
    assert page["truncatedBy"] == "steps"
    assert not page["exhaustive"]


def test_shortest_paths_are_all_of_one_length(ask: Ask) -> None:
    query = '{ shortestPaths(from: ["therapy:beta"], to: ["MONDO:0009688"]) { totalCount nodes { length text } } }'
    found = data(ask(query))["shortestPaths"]
    assert found["totalCount"] == len(found["nodes"]) > 0
    assert len({path["length"] for path in found["nodes"]}) == 1


def test_a_distance_comes_with_a_path_of_that_length(ask: Ask) -> None:
    query = """query($from: [ID!]!, $avoid: [ID!]) { distance(from: $from, to: ["MONDO:0009688"], where: {avoid: $avoid}) {
      length truncatedBy nodes { curie } path { length steps { assertion { id } } } } }"""
    body = ask(query, **{"from": ["therapy:beta"]})
    found = data(body)["distance"]
    shortest = data(ask('{ shortestPaths(from: ["therapy:beta"], to: ["MONDO:0009688"]) { nodes { length } } }'))
    assert found["length"] == found["path"]["length"] == shortest["shortestPaths"]["nodes"][0]["length"]
    ends = found["nodes"][0]["curie"], found["nodes"][-1]["curie"]
    assert ends == ("therapy:beta", "MONDO:0009688")
    between = [node["curie"] for node in found["nodes"][1:-1]]
    assert between
    other = data(ask(query, **{"from": ["therapy:beta"], "avoid": between}))["distance"]
    assert not {node["curie"] for node in other["nodes"]} & set(between)


def test_the_best_paths_unite_to_a_view(ask: Ask) -> None:
    query = """{ connectingSubgraph(from: ["therapy:alpha"], to: ["MONDO:0007915"], paths: 3) {
      truncated nodes { distance entity { curie } } edges { subject { curie } object { curie } } } }"""
    view = data(ask(query))["connectingSubgraph"]
    curies = {node["entity"]["curie"] for node in view["nodes"]}
    assert {"therapy:alpha", LUPUS} <= curies
    assert all(e["subject"]["curie"] in curies and e["object"]["curie"] in curies for e in view["edges"])


def test_what_can_be_reached_is_counted_by_kind(ask: Ask) -> None:
    query = """{ reachable(from: ["therapy:alpha"], where: {maxLength: 2}, first: 2) {
      totalCount exhaustive remaining truncatedBy nodes { distance entity { curie } } byKind { value count } byDistance { value count } } }"""
    found = data(ask(query))["reachable"]
    assert sum(row["count"] for row in found["byKind"]) == found["totalCount"]
    assert sum(row["count"] for row in found["byDistance"]) == found["totalCount"]
    assert (found["remaining"], found["truncatedBy"]) == (found["totalCount"] - 2, "first")
    assert found["nodes"][0]["distance"] == 1


def test_work_is_estimated_before_it_is_done(ask: Ask) -> None:
    found = data(ask('{ explainPaths(from: ["therapy:alpha"], to: ["MONDO:0007915"]) { walks steps frontiers text } }'))
    paths = data(ask(PATHS, **{"from": ["therapy:alpha"], "to": [LUPUS]}))["paths"]
    assert found["explainPaths"]["walks"] >= paths["totalCount"]


def test_a_path_can_be_drawn(ask: Ask) -> None:
    query = '{ paths(from: ["therapy:alpha"], to: ["MONDO:0007915"], first: 1) { nodes { length cytoscape } } }'
    (path,) = data(ask(query))["paths"]["nodes"]
    groups = [element["group"] for element in path["cytoscape"]]
    assert groups.count("nodes") == path["length"] + 1
    assert groups.count("edges") == path["length"]


# ---------------------------------------------------------------- hypotheses
HYPOTHESES = """query($therapy: ID, $disease: ID, $where: HypothesisConstraints, $assuming: [AssertionInput!], $without: [ID!], $asOf: Date, $first: Int = 10, $after: String) {
  hypotheses(therapy: $therapy, disease: $disease, where: $where, assuming: $assuming, without: $without, asOf: $asOf, first: $first, after: $after) {
    totalCount exhaustive truncatedBy remaining known tested note
    pageInfo { hasNextPage hasPreviousPage endCursor }
    permutations { text permutations seed method }
    metapaths { metapath { id stance } pairs }
    edges { cursor node {
      id rank score status pValue qValue pValueNote text pathsTotal againstTotal firstSuggested baselineRank scoreChange
      therapy { curie } disease { curie label }
      contributions { score share dwpc metapath { id stance sign text length kinds relations } }
      supportingPaths { text share contribution steps { relation assumed confidence } weakestStep { phrase } }
      against { kind text count total }
      gaps { text gain relation }
      trials { curie }
      robustness { low high exact disjointPaths edge { id label removes } line { id label removes } }
    } }
  }
}"""


def test_a_hypothesis_makes_its_case(ask: Ask) -> None:
    """Contributions add up to the score; every path, argument and gap is there in words."""
    page = data(ask(HYPOTHESES, therapy="therapy:alpha"))["hypotheses"]
    assert page["totalCount"] >= 1
    assert page["exhaustive"]
    for edge in page["edges"]:
        hypothesis = edge["node"]
        scores = [c["score"] for c in hypothesis["contributions"] if c["metapath"]["stance"] != "AGAINST"]
        assert hypothesis["score"] == pytest.approx(sum(scores))
        assert hypothesis["therapy"]["curie"] == "therapy:alpha"
        assert hypothesis["supportingPaths"]
        assert hypothesis["text"]
    ranks = [edge["node"]["rank"] for edge in page["edges"]]
    assert ranks == sorted(ranks)


def test_what_the_graph_asserts_is_no_hypothesis(ask: Ask) -> None:
    page = data(ask(HYPOTHESES, therapy="therapy:gamma"))["hypotheses"]
    assert LUPUS not in [edge["node"]["disease"]["curie"] for edge in page["edges"]]
    assert page["known"] >= 1


def test_a_graph_too_small_for_p_values_says_so(ask: Ask) -> None:
    page = data(ask(HYPOTHESES, therapy="therapy:alpha"))["hypotheses"]
    for edge in page["edges"]:
        assert edge["node"]["pValue"] is None
        assert edge["node"]["pValueNote"]


def test_assumptions_move_ranks_and_say_by_how_much(ask: Ask) -> None:
    assumed = [{"subject": "therapy:alpha", "relation": "depletes", "object": "CL:0000786"}]
    before = data(ask(HYPOTHESES, therapy="therapy:alpha", disease=GRAVIS))["hypotheses"]["edges"][0]["node"]
    after = data(ask(HYPOTHESES, therapy="therapy:alpha", disease=GRAVIS, assuming=assumed))["hypotheses"]["edges"][0][
        "node"
    ]
    assert after["score"] > before["score"]
    assert after["scoreChange"] == pytest.approx(after["score"] - before["score"])
    assert after["baselineRank"] == before["rank"]
    assert before["baselineRank"] is None


def test_a_list_of_the_past_says_what_became_of_each_entry(ask: Ask) -> None:
    """The issue's question: what would the list have looked like then, and which of it entered trials since?"""
    query = """query($asOf: Date) { hypotheses(disease: "MONDO:0007915", asOf: $asOf, where: {includeTested: true}) { nodes {
      status later { status since assertions { relation } trials { curie } through { text status therapy { curie } disease { curie } } }
      through { text } throughTotal related { relation } } } }"""
    (now,) = data(ask(query))["hypotheses"]["nodes"]
    assert now["later"] is None
    (then,) = data(ask(query, asOf="2019-12-31"))["hypotheses"]["nodes"]
    assert then["later"] == {
        "status": "IN_TRIAL",
        "since": "2019-05-31",
        "assertions": [{"relation": "investigatedFor"}],
        "trials": [{"curie": "CLINICALTRIALS:NCT00000001"}],
        "through": [],
    }


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "BAD_USER_INPUT"),
        ({"therapy": LUPUS}, "BAD_USER_INPUT"),
        ({"therapy": "therapy:nobody"}, "NOT_FOUND"),
        ({"therapy": "therapy:alpha", "where": {"maxLength": 99}}, "BAD_USER_INPUT"),
        ({"therapy": "therapy:alpha", "where": {"metapaths": [["targetz"]]}}, "NOT_FOUND"),
        ({"therapy": "therapy:alpha", "where": {"metapaths": []}}, "BAD_USER_INPUT"),
        ({"therapy": "therapy:alpha", "where": {"permutations": -3}}, "BAD_USER_INPUT"),
        ({"therapy": "therapy:alpha", "after": "zzz"}, "BAD_USER_INPUT"),
    ],
)
def test_bad_hypothesis_questions_are_refused(ask: Ask, variables: dict[str, Any], expected: str) -> None:
    assert code(ask(HYPOTHESES, **variables)) == expected


def test_every_pair_of_two_sets_is_in_the_matrix(ask: Ask) -> None:
    query = f"""{{ hypothesisMatrix(therapies: ["therapy:alpha", "therapy:gamma"], diseases: ["{LUPUS}", "{GRAVIS}"]) {{
      exhaustive rows {{ score tested status conflicts therapy {{ curie }} disease {{ curie }} bestPath {{ text }} }} }} }}"""
    matrix = data(ask(query))["hypothesisMatrix"]
    assert matrix["exhaustive"]
    assert [[c["disease"]["curie"] for c in row] for row in matrix["rows"]] == [[LUPUS, GRAVIS], [LUPUS, GRAVIS]]
    assert {c["tested"] for row in matrix["rows"] for c in row} <= {"TESTED", "TESTED_NO_EFFECT", "UNTESTED"}


def test_mechanisms_are_compared_link_by_link(ask: Ask) -> None:
    query = f"""{{ compareMechanisms(therapy: "therapy:alpha", known: "{LUPUS}", candidate: "{GRAVIS}") {{
      text carriedOver onlyKnown {{ breaksAt {{ phrase candidate }} links {{ known candidate knownAssertion {{ id }} }} }} shared {{ weight }} }} }}"""
    found = data(ask(query))["compareMechanisms"]
    assert found["text"]
    for path in found["onlyKnown"]:
        assert path["breaksAt"]["candidate"] != "PRESENT"


def test_the_planner_names_edges_worth_looking_for(ask: Ask) -> None:
    found = data(
        ask("{ missingEdges(first: 3) { totalCount nodes { text gain raises best { gain therapy { curie } } } } }")
    )
    gains = [edge["gain"] for edge in found["missingEdges"]["nodes"]]
    assert gains == sorted(gains, reverse=True)
    assert all(gain > 0 for gain in gains)


# ---------------------------------------------------------------- running them
def test_a_search_leaves_the_event_loop(client: TestClient) -> None:
    """Its cost is above what runs inline, so that it runs on a thread and others are answered meanwhile."""
    engine = client.app.state.engine  # type: ignore[attr-defined]
    prepared = engine.prepare('{ paths(from: ["a"], to: ["b"]) { totalCount } }', None, {})
    assert not engine.is_quick(prepared, {})


def test_a_search_ends_when_its_client_leaves() -> None:
    gone = threading.Event()
    watch(gone.is_set)
    try:
        look_at_clock()
        gone.set()
        with pytest.raises(ClientGone):
            look_at_clock()
    finally:
        watch(None)
