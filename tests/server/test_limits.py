"""Every limit is hit, names itself, and cannot be walked around."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

Make = Callable[..., TestClient]


def problem(client: TestClient, query: str, **variables: Any) -> dict[str, Any]:
    (only,) = client.post("/graphql", json={"query": query, "variables": variables}).json()["errors"]
    found: dict[str, Any] = only
    return found


NESTED = "{ diseases { nodes { drivenBy { nodes { drives { nodes { label } } } } } } }"


@pytest.mark.parametrize(
    ("setting", "query"),
    [
        ({"max_depth": 4}, NESTED),
        ({"max_aliases": 2}, "{ a: version { number } b: version { number } c: version { number } }"),
        ({"max_directives": 1}, "{ version @include(if: true) { number @skip(if: false) tag @skip(if: true) } }"),
        ({"max_cost": 1_000}, NESTED),
        ({"max_tokens": 10}, NESTED),
        ({"max_page_size": 5}, "{ diseases(first: 6) { totalCount } }"),
        ({"max_view_nodes": 5}, '{ graphView(around: ["therapy:alpha"], maxNodes: 6) { totalNodes } }'),
        ({"max_view_edges": 5}, '{ graphView(around: ["therapy:alpha"], maxEdges: 6) { totalNodes } }'),
        ({"max_view_depth": 2}, '{ graphView(around: ["therapy:alpha"], depth: 3) { totalNodes } }'),
        ({"max_ids": 1}, '{ nodes(ids: ["a:b", "c:d"]) { id } }'),
        ({"max_filter_depth": 2}, '{ diseases(filter: {not: {not: {not: {label: {eq: "x"}}}}}) { totalCount } }'),
        ({"request_seconds": 0.0}, "{ diseases { totalCount } }"),
    ],
)
def test_passing_a_limit_names_it(make_client: Make, setting: dict[str, float], query: str) -> None:
    ((name, maximum),) = setting.items()
    found = problem(make_client(**setting), query)
    assert found["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert (found["extensions"]["limit"], found["extensions"]["maximum"]) == (name, maximum)
    assert name in found["message"]


def test_fragments_do_not_hide_depth_cost_or_aliases(make_client: Make) -> None:
    hidden = "query { ...A } fragment A on Query { x: diseases { nodes { ...B } } } fragment B on Disease { y: drivenBy { nodes { z: label } } }"
    assert problem(make_client(max_aliases=2), hidden)["extensions"]["limit"] == "max_aliases"
    assert problem(make_client(max_depth=4), hidden)["extensions"]["limit"] == "max_depth"
    assert problem(make_client(max_cost=200), hidden)["extensions"]["limit"] == "max_cost"


def test_variables_cannot_hide_the_size_of_a_list(make_client: Make) -> None:
    client = make_client(max_cost=500)
    query = "query($n: Int = 3) { diseases(first: $n) { nodes { label synonyms } } }"
    assert "errors" not in client.post("/graphql", json={"query": query}).json()
    assert problem(client, query, n=900)["extensions"]["limit"] == "max_cost"
    assert "errors" not in client.post("/graphql", json={"query": query, "variables": {"n": 5}}).json()


VIEW = """query($n: Int!) { graphView(around: ["MONDO:0007915"], maxNodes: $n) { totalNodes
  nodes { distance entity { curie label kind degree url } }
  edges { id relation confidence disputed subject { curie } object { curie } %s } } }"""


def test_a_view_may_be_as_large_as_its_own_limit_says(make_client: Make) -> None:
    """What the explorer asks for reaches max_view_nodes; lists inside a view are not for free."""
    client = make_client()
    body = client.post("/graphql", json={"query": VIEW % "", "variables": {"n": 5_000}}).json()
    assert "errors" not in body
    assert problem(client, VIEW % "", n=5_001)["extensions"]["limit"] == "max_view_nodes"
    for list_ in ("evidence { level }", "subject { ... on Therapy { targets(first: 50) { nodes { label } } } }"):
        assert problem(client, VIEW % list_, n=5_000)["extensions"]["limit"] == "max_cost"
        assert "errors" not in client.post("/graphql", json={"query": VIEW % list_, "variables": {"n": 100}}).json()


def test_a_dense_view_keeps_to_the_limit_of_edges_and_counts_the_rest(make_client: Make) -> None:
    client = make_client(max_view_edges=3)
    query = '{ graphView(around: ["therapy:alpha"], depth: 2) { totalEdges truncated truncatedBy edges { id } } }'
    view = client.post("/graphql", json={"query": query}).json()["data"]["graphView"]
    assert (len(view["edges"]), view["truncated"], view["truncatedBy"]) == (3, True, "maxEdges")
    assert view["totalEdges"] > 3
    picture = client.get("/view.svg?around=therapy:alpha&depth=2").text
    assert f"3 of {view['totalEdges']} relations shown" in picture
    about = client.get("/view.json?around=therapy:alpha&depth=2&max-edges=2").json()["data"]
    assert (about["totalEdges"], about["truncated"]) == (view["totalEdges"], True)


def test_a_fragment_costs_its_fields_outside_of_a_view_even_where_one_spreads_it(make_client: Make) -> None:
    fields = "fragment F on Entity { curie label kind degree url }"
    view = '{ graphView(around: ["MONDO:0007915"], maxNodes: 100) { nodes { entity { ...F } } } '
    client = make_client(max_cost=400)
    assert "errors" not in client.post("/graphql", json={"query": f"{view} }} {fields}"}).json()
    found = problem(client, f"{view} diseases(first: 100) {{ nodes {{ ...F }} }} }} {fields}")
    assert found["extensions"]["limit"] == "max_cost"


def test_spreads_of_spreads_are_measured_in_linear_time(client: TestClient) -> None:
    """strawberry's own limiters take more than 20 s for this document (research/graphql.md §2)."""
    chain = "".join(f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }} " for i in range(30))
    started = time.perf_counter()
    body = client.post(
        "/graphql", json={"query": "{ ...f0 } " + chain + "fragment f30 on Query { version { number } }"}
    ).json()
    assert time.perf_counter() - started < 5
    assert body["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_circles_of_fragments_are_refused(client: TestClient) -> None:
    body = client.post(
        "/graphql", json={"query": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"}
    ).json()
    assert "Cannot spread fragment" in body["errors"][0]["message"]


def test_introspection_passes_the_limits_and_can_be_turned_off(client: TestClient, make_client: Make) -> None:
    from graphql import get_introspection_query

    query = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
    assert client.post("/graphql", json={"query": query}).json()["data"]["__schema"]["queryType"]["name"] == "Query"
    assert (
        "introspection"
        in make_client(introspection=False).post("/graphql", json={"query": query}).json()["errors"][0]["message"]
    )


def test_at_most_a_few_validation_errors_are_reported(client: TestClient) -> None:
    body = client.post("/graphql", json={"query": "{ " + " ".join(f"no{i}" for i in range(500)) + " }"}).json()
    assert 1 <= len(body["errors"]) <= 6
