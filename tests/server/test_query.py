"""The GraphQL contract: what a researcher asks and gets."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

Ask = Callable[..., dict[str, Any]]


def data(body: dict[str, Any]) -> dict[str, Any]:
    assert "errors" not in body, body["errors"]
    found: dict[str, Any] = body["data"]
    return found


def error(body: dict[str, Any]) -> dict[str, Any]:
    (only,) = body["errors"]
    found: dict[str, Any] = only
    return found


# ---------------------------------------------------------------- look-ups
@pytest.mark.parametrize(
    "name",
    ["MONDO:0007915", "DOID:9074", "http://purl.obolibrary.org/obo/MONDO_0007915", "RGlzZWFzZTpNT05ETzowMDA3OTE1"],
)
def test_entity_takes_any_identifier(ask: Ask, name: str) -> None:
    found = data(ask("query($c: String!) { entity(curie: $c) { curie kind ... on Disease { area } } }", c=name))
    assert found == {"entity": {"curie": "MONDO:0007915", "kind": "Disease", "area": "AUTOIMMUNE"}}


def test_an_unknown_entity_is_an_error_with_near_matches(ask: Ask) -> None:
    body = ask('{ entity(curie: "MONDO:0007916") { label } version { number } }')
    assert body["data"] == {"entity": None, "version": {"number": 1}}
    problem = error(body)
    assert problem["extensions"]["code"] == "NOT_FOUND"
    assert {"curie": "MONDO:0007915", "label": "systemic lupus erythematosus"} in problem["extensions"]["nearMatches"]
    assert "Did you mean" in problem["message"]


def test_every_id_fetches_its_node_again(ask: Ask) -> None:
    query = "{ assertions(first: 3) { nodes { id subject { id } object { id } } } }"
    ids = [i for a in data(ask(query))["assertions"]["nodes"] for i in (a["id"], a["subject"]["id"], a["object"]["id"])]
    again = data(ask("query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=[*ids, "nothing:1"]))["nodes"]
    assert [node and node["id"] for node in again] == [*ids, None]


def test_node_takes_a_curie_and_is_null_for_nothing(ask: Ask) -> None:
    found = data(ask('{ a: node(id: "therapy:alpha") { __typename } b: node(id: "therapy:none") { id } }'))
    assert found == {"a": {"__typename": "Therapy"}, "b": None}


# ---------------------------------------------------------------- relations and evidence
def test_an_edge_carries_its_evidence_and_source(ask: Ask) -> None:
    query = """{ entity(curie: "therapy:alpha") { ... on Therapy { hasRisk(filter: {minConfidence: 0.5}) {
      totalCount edges { confidence disputed node { label severity }
        evidence { level strength direction date count total grade source { id kind citation doi url } } } } } } }"""
    (edge,) = data(ask(query))["entity"]["hasRisk"]["edges"]
    assert edge["node"] == {"label": "cytokine release syndrome", "severity": "LIFE_THREATENING"}
    (evidence,) = edge["evidence"]
    assert (evidence["count"], evidence["total"], evidence["grade"], evidence["level"]) == (
        8,
        12,
        "any",
        "SINGLE_ARM_TRIAL",
    )
    assert evidence["source"]["doi"] == "10.5555/example.paper"


def test_inverse_relations_lead_back(ask: Ask) -> None:
    query = '{ entity(curie: "MONDO:0007915") { ... on Disease { treatedBy { nodes { label } } studiedIn { nodes { acronym } } } } }'
    assert data(ask(query))["entity"] == {
        "treatedBy": {"nodes": [{"label": "gammamab"}]},
        "studiedIn": {"nodes": [{"acronym": "ALPHA-1"}]},
    }


def test_a_confidence_explains_itself(ask: Ask) -> None:
    query = """{ assertions(filter: {relation: ["depletes"]}) { nodes { confidence
      explanation { value support contradiction text lines { key label strength share evidence { source { citation } } } } } } }"""
    (claim,) = data(ask(query))["assertions"]["nodes"]
    (line,) = claim["explanation"]["lines"]
    assert claim["confidence"] == claim["explanation"]["value"] == 0.75
    assert (line["label"], line["share"], len(line["evidence"])) == ("Alpha cohort", 1.0, 2), (
        "two papers on one cohort are one line"
    )


def test_as_of_shows_the_graph_as_it_was_known(ask: Ask) -> None:
    query = 'query($day: Date) { entity(curie: "therapy:alpha", asOf: $day) { ... on Therapy { investigatedFor { edges { confidence evidence { date } } } } } }'
    then = ask(query, day="2021-12-31")
    assert data(then)["entity"]["investigatedFor"]["edges"] == [
        {"confidence": pytest.approx(0.15), "evidence": [{"date": "2020-06"}]}
    ]
    assert {**then["extensions"]["graph"], "answer": ""} == {"version": 1, "asOf": "2021-12-31", "answer": ""}
    assert len(data(ask(query))["entity"]["investigatedFor"]["edges"][0]["evidence"]) == 2


# ---------------------------------------------------------------- filters, order, facets
@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("therapies(filter: {modality: {eq: CAR_T}})", ["alpha-cel", "beta-cel"]),
        ("therapies(filter: {modality: {not: CAR_T}})", ["gammamab"]),
        ("therapies(filter: {platform: {isNull: true}})", ["gammamab"]),
        ('therapies(filter: {label: {contains: "CEL"}, platform: {in: [ALLOGENEIC]}})', ["beta-cel"]),
        ('therapies(filter: {synonyms: {startsWith: "a-0"}})', ["alpha-cel"]),
        ('therapies(filter: {sponsor: {eq: "Example University"}})', ["alpha-cel"]),
        ('therapies(filter: {id: {in: ["therapy:beta", "VGhlcmFweTp0aGVyYXB5OmFscGhh"]}})', ["alpha-cel", "beta-cel"]),
        (
            'therapies(filter: {or: [{label: {eq: "gammamab"}}, {targets: {node: {symbol: {eq: "CD19"}}}}]})',
            ["alpha-cel", "gammamab"],
        ),
        ("therapies(filter: {not: {hasRisk: {}}})", ["beta-cel", "gammamab"]),
        ("therapies(filter: {hasRisk: {minConfidence: 0.9}})", []),
        ("therapies(filter: {treats: {disputed: true, level: [RANDOMIZED_TRIAL]}})", ["gammamab"]),
        ("therapies(filter: {treats: {direction: [CONTRADICTS]}})", ["gammamab"]),
        ("therapies(filter: {or: []})", []),
        ("trials(filter: {enrollment: {gte: 12, lt: 40}})", ["Alpha-cel in lupus"]),
        ('trials(filter: {startDate: {lt: "2020"}})', ["Alpha-cel in lupus"]),
        ('trials(filter: {startDate: {eq: "2023"}})', ["Beta-cel in myasthenia gravis"]),
        ("trials(filter: {randomized: {eq: true}})", ["Beta-cel in myasthenia gravis"]),
        (
            'diseases(filter: {drivenBy: {node: {expresses: {node: {symbol: {eq: "TNFRSF17"}}}}}})',
            ["myasthenia gravis"],
        ),
        ("diseases(filter: {organSystems: {eq: NERVOUS}})", ["myasthenia gravis"]),
    ],
)
def test_filters_mean_what_they_say(ask: Ask, query: str, labels: list[str]) -> None:
    (page,) = data(ask(f"{{ {query} {{ totalCount nodes {{ label }} }} }}")).values()
    assert [node["label"] for node in page["nodes"]] == labels
    assert page["totalCount"] == len(labels)


@pytest.mark.parametrize(
    ("order", "labels"),
    [
        ("[{field: LABEL, direction: DESC}]", ["gammamab", "beta-cel", "alpha-cel"]),
        ("[{field: PLATFORM, direction: DESC}]", ["alpha-cel", "beta-cel", "gammamab"]),
        ("[{field: PLATFORM}]", ["beta-cel", "alpha-cel", "gammamab"]),
        ("[{field: DEGREE, direction: DESC}, {field: LABEL}]", ["alpha-cel", "beta-cel", "gammamab"]),
    ],
)
def test_missing_values_sort_last_either_way(ask: Ask, order: str, labels: list[str]) -> None:
    assert [
        n["label"]
        for n in data(ask(f"{{ therapies(orderBy: {order}) {{ nodes {{ label }} }} }}"))["therapies"]["nodes"]
    ] == labels


def test_edges_sort_by_confidence_and_by_the_far_end(ask: Ask) -> None:
    query = 'query($by: [RiskEdgeOrder!]) { entity(curie: "therapy:alpha") { ... on Therapy { hasRisk(orderBy: $by) { nodes { label } } } } }'
    by = data(ask(query, by=[{"field": "CONFIDENCE", "direction": "ASC"}]))["entity"]["hasRisk"]["nodes"]
    assert [n["label"] for n in by] == ["high cost", "cytokine release syndrome"]
    by = data(ask(query, by=[{"field": "LABEL"}]))["entity"]["hasRisk"]["nodes"]
    assert [n["label"] for n in by] == ["cytokine release syndrome", "high cost"]


def test_facets_count_over_all_pages(ask: Ask) -> None:
    query = '{ therapies(first: 1) { facets(fields: ["modality"]) { field values { value count } } } }'
    assert data(ask(query))["therapies"]["facets"] == [
        {"field": "modality", "values": [{"value": "CAR_T", "count": 2}, {"value": "MONOCLONAL_ANTIBODY", "count": 1}]}
    ]


def test_every_connection_counts_what_it_lists(ask: Ask) -> None:
    """Search hits, assertions and edges have facets as lists of entities do, those of edges about evidence too."""
    query = """{
      search(text: "cell", kinds: [CellPopulation]) { facets { field values { value count } } }
      assertions { totalCount facets(fields: ["evidenceDirection", "relation"], first: 1) { field values { value count } } }
      entity(curie: "therapy:alpha") { ... on Therapy { hasRisk { totalCount facets(fields: ["evidenceLevel"]) { values { count } } } } }
    }"""
    found = data(ask(query))
    assert found["search"]["facets"][0]["values"][0]["value"] == "CellPopulation"
    assert [f["field"] for f in found["assertions"]["facets"]] == ["relation", "evidenceDirection"]
    assert found["assertions"]["facets"][1]["values"] == [{"value": "SUPPORTS", "count": 16}]
    risks = found["entity"]["hasRisk"]
    assert sum(v["count"] for v in risks["facets"][0]["values"]) >= risks["totalCount"]


def test_an_unknown_facet_says_which_there_are(ask: Ask) -> None:
    (error,) = ask('{ therapies { facets(fields: ["modalty"]) { field } } }')["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert "modality" in error["message"]


def test_assertions_filter_by_ends_source_and_study(ask: Ask) -> None:
    def count(filter_: str) -> int:
        total: int = data(ask(f"{{ assertions(filter: {filter_}) {{ totalCount }} }}"))["assertions"]["totalCount"]
        return total

    assert count("{}") == 17
    assert count("{supported: false}") == 1
    assert count('{subject: ["therapy:alpha"], object: ["MONDO:0007915"]}') == 1
    assert count('{relation: ["drivenBy"]}') == count('{relation: ["drives"]}') == 2
    assert count('{source: ["10.5555/example.paper"], study: ["study:alpha-cohort"]}') == 3
    assert count("{subjectKind: [Trial], objectKind: [Disease]}") == 2
    assert count("{disputed: true}") == 1


# ---------------------------------------------------------------- search, views, meta
def test_search_says_what_matched_and_how(ask: Ask) -> None:
    query = (
        '{ search(text: "lupus", kinds: [Disease]) { totalCount edges { score matched field tier node { curie } } } }'
    )
    (edge,) = data(ask(query))["search"]["edges"]
    assert edge == {
        "score": 0.99,
        "matched": "lupus",
        "field": "synonym",
        "tier": "EXACT",
        "node": {"curie": "MONDO:0007915"},
    }


def test_a_view_is_bounded_and_says_so(ask: Ask) -> None:
    query = """{ graphView(around: ["therapy:alpha"], depth: 2, maxNodes: 4, where: {kinds: [Target, CellPopulation, Disease], minConfidence: 0.3}) {
      totalNodes truncated truncatedBy nodes { distance hidden entity { curie } } edges { relation subject { curie } object { curie } } } }"""
    view = data(ask(query))["graphView"]
    assert (len(view["nodes"]), view["truncated"], view["truncatedBy"], view["totalNodes"]) == (4, True, "maxNodes", 5)
    shown = {node["entity"]["curie"] for node in view["nodes"]}
    assert all({e["subject"]["curie"], e["object"]["curie"]} <= shown for e in view["edges"])


def test_the_metagraph_tells_what_can_be_asked(ask: Ask) -> None:
    query = """{ metagraph { kinds { name plural count fields { name datatype required values { name } } }
      relations { name inverse effectSign biolinkPredicate count } edges { subject relation object count } levels { name strength eco count } } }"""
    found = data(ask(query))["metagraph"]
    assert {k["name"]: k["count"] for k in found["kinds"]} == {
        "Therapy": 3,
        "Target": 2,
        "CellPopulation": 2,
        "Disease": 3,
        "Trial": 2,
        "Risk": 2,
    }
    assert {"subject": "Therapy", "relation": "targets", "object": "Target", "count": 2} in found["edges"]
    assert next(r for r in found["relations"] if r["name"] == "depletes")["effectSign"] == -1
    assert sum(level["count"] for level in found["levels"]) == 20


def test_version_and_history_tell_which_graph_answers(ask: Ask) -> None:
    found = data(
        ask(
            "{ version { number entities assertions edges evidence sources author } history { nodes { version author message added } } }"
        )
    )
    assert found["version"] == {
        "number": 1,
        "entities": 14,
        "assertions": 17,
        "edges": 16,
        "evidence": 20,
        "sources": 4,
        "author": "kg",
    }
    assert [c["version"] for c in found["history"]["nodes"]] == [1]


# ---------------------------------------------------------------- Relay's cursor specification
@pytest.mark.parametrize(
    ("arguments", "labels", "following", "preceding"),
    [
        ("first: 2", ["myasthenia gravis", "systemic lupus erythematosus"], True, False),
        ("last: 1", ["systemic sclerosis"], False, True),
        ("first: 2, last: 1", ["systemic lupus erythematosus"], True, True),
        ("first: 0", [], True, False),
        ("first: 9", ["myasthenia gravis", "systemic lupus erythematosus", "systemic sclerosis"], False, False),
    ],
)
def test_pages_are_cut_as_relay_says(
    ask: Ask, arguments: str, labels: list[str], following: bool, preceding: bool
) -> None:
    page = data(
        ask(
            f"{{ diseases({arguments}) {{ totalCount nodes {{ label }} pageInfo {{ hasNextPage hasPreviousPage }} }} }}"
        )
    )["diseases"]
    assert [n["label"] for n in page["nodes"]] == labels
    assert (page["pageInfo"], page["totalCount"]) == ({"hasNextPage": following, "hasPreviousPage": preceding}, 3)


def test_walking_forward_and_back_visits_everything_once(ask: Ask) -> None:
    forward, cursor = [], None
    while True:
        query = "query($after: String) { assertions(first: 4, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }"
        page = data(ask(query, after=cursor))["assertions"]
        forward += [edge["node"]["id"] for edge in page["edges"]]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    query = "query($before: String) { assertions(last: 17, before: $before) { nodes { id } } }"
    back = [node["id"] for node in data(ask(query, before=cursor))["assertions"]["nodes"]]
    assert len(set(forward)) == len(forward) == 17
    assert back == forward[:-1]


@pytest.mark.parametrize(
    ("cursor", "said"),
    [
        ("zzz", "is no cursor"),
        ("b2xkLTB8bm90aGluZw", "version 0 of the graph, which is now at version 1"),
        ("%%%", "is no cursor"),
    ],
)
def test_a_wrong_cursor_says_so(ask: Ask, cursor: str, said: str) -> None:
    problem = error(ask("query($after: String) { diseases(after: $after) { totalCount } }", after=cursor))
    assert problem["extensions"]["code"] == "BAD_USER_INPUT"
    assert said in problem["message"]


def test_a_cursor_of_another_list_says_so(ask: Ask) -> None:
    cursor = data(ask("{ risks { pageInfo { endCursor } } }"))["risks"]["pageInfo"]["endCursor"]
    assert (
        "not in this list"
        in error(ask("query($after: String) { diseases(after: $after) { totalCount } }", after=cursor))["message"]
    )


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("{ diseases(first: -1) { totalCount } }", "BAD_USER_INPUT", "must be 0 or more"),
        ("{ diseases(first: 1001) { totalCount } }", "LIMIT_EXCEEDED", "max_page_size is 1000"),
        ("{ therapies(filter: {targets: {minConfidence: 2}}) { totalCount } }", "BAD_USER_INPUT", "between 0 and 1"),
        ('{ assertions(filter: {relation: ["cures"]}) { totalCount } }', "NOT_FOUND", "Relations are targets"),
        ("{ graphView(around: []) { totalNodes } }", "BAD_USER_INPUT", "around is empty"),
        ('{ graphView(around: ["therapy:alpha"], depth: 99) { totalNodes } }', "LIMIT_EXCEEDED", "max_view_depth is 6"),
        ('{ diseases(asOf: "yesterday") { totalCount } }', "GRAPHQL_VALIDATION_FAILED", "yesterday"),
        ('{ trials(filter: {startDate: {lt: "soon"}}) { totalCount } }', "BAD_USER_INPUT", "2024-02-22"),
        ("{ diseses { totalCount } }", "GRAPHQL_VALIDATION_FAILED", "Did you mean 'diseases'"),
    ],
)
def test_a_mistake_gets_a_code_and_a_sentence(ask: Ask, query: str, code: str, said: str) -> None:
    problem = ask(query)["errors"][0]
    assert problem["extensions"]["code"] == code
    assert said in problem["message"]


def test_dates_are_iso_dates(ask: Ask) -> None:
    latest = data(ask('{ assertions(filter: {relation: ["treats"]}) { nodes { latest } } }'))["assertions"]["nodes"][0][
        "latest"
    ]
    assert date.fromisoformat(latest) == date(2024, 12, 31)
