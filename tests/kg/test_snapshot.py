"""What a Python user reads."""

import gc
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import networkx as nx
import pytest

from kg import Snapshot
from kg.errors import NotFound
from kg.memory import no_collection
from kg.snapshot import AS_OF_VIEWS


@pytest.mark.parametrize(
    "name", ["MONDO:0007915", "DOID:9074", "doid:9074", "http://purl.obolibrary.org/obo/MONDO_0007915"]
)
def test_an_entity_is_found_by_any_of_its_identifiers(tiny_graph: Snapshot, name: str) -> None:
    assert tiny_graph.entity(name).label == "systemic lupus erythematosus"


def test_field_values_that_are_identifiers_resolve_too(tiny_graph: Snapshot) -> None:
    assert {tiny_graph.entity(n).curie for n in ("UniProtKB:P15391", "uniprot:P15391", "ENSEMBL:ENSG00000177455")} == {
        "HGNC:1633"
    }
    assert tiny_graph.entity("NCT00000001").nct == "NCT00000001"


def test_an_unknown_name_suggests_near_ones(tiny_graph: Snapshot) -> None:
    with pytest.raises(NotFound) as caught:
        tiny_graph.entity("systemic lupus erythematosis")
    assert caught.value.near[0].curie == "MONDO:0007915"


def test_an_identifier_without_its_prefix_suggests_its_entity_first(tiny_graph: Snapshot) -> None:
    for entity in tiny_graph.entities.values():
        near = tiny_graph.index.near(entity.curie.partition(":")[2])
        assert near[0].curie == entity.curie


def test_edges_lead_both_ways_and_the_most_trusted_come_first(tiny_graph: Snapshot) -> None:
    lupus = tiny_graph.entity("MONDO:0007915")
    (edge,) = lupus.edges("drivenBy")
    assert (edge.node.curie, edge.reversed, edge.node.edges("drives")[0].node) == ("CL:0000236", True, lupus)
    confidences = [e.confidence for e in tiny_graph.entity("therapy:alpha").edges("hasRisk")]
    assert confidences == sorted(confidences, reverse=True)


def test_an_assertion_without_support_is_kept_but_makes_no_edge(tiny_graph: Snapshot) -> None:
    (claim,) = (a for a in tiny_graph.assertions if a.object.curie == "MONDO:0005100")
    assert (claim.supported, claim.confidence, claim.object.degree) == (False, 0.0, 0)


def test_structured_values_hold_entities(tiny_graph: Snapshot) -> None:
    construct = tiny_graph.entity("therapy:alpha").construct
    assert construct.antigens == (tiny_graph.entity("HGNC:1633"),)
    assert construct.costimulatory_domains == ("4-1BB",)


def test_as_of_hides_later_evidence_and_recomputes(tiny_graph: Snapshot) -> None:
    def lupus(day: date | None) -> list[float]:
        return [e.confidence for e in tiny_graph.as_of(day).entity("therapy:alpha").edges("investigatedFor")]

    assert lupus(date(2020, 6, 29)) == []
    assert lupus(date(2020, 6, 30)) == pytest.approx([0.15])
    assert lupus(None) == pytest.approx([1 - 0.85 * 0.25])
    assert tiny_graph.as_of(date(2023, 12, 31)).entity("therapy:gamma").edges("treats")[0].assertion.disputed is False
    assert tiny_graph.as_of(date(2024, 12, 31)).entity("therapy:gamma").edges("treats")[0].assertion.disputed is True


def test_the_networkx_graph_is_frozen_and_documented(tiny_graph: Snapshot) -> None:
    graph = tiny_graph.nx
    assert isinstance(graph, nx.MultiDiGraph)
    data = graph.edges["therapy:alpha", "HGNC:1633", "targets"]
    assert data["weight"] == pytest.approx(1 - data["confidence"])
    assert nx.has_path(graph, "therapy:alpha", "MONDO:0009688")
    assert graph.number_of_edges() == tiny_graph.edge_count
    with pytest.raises(nx.NetworkXError):
        graph.add_node("x")


def test_records_are_frozen_and_misspelt_fields_fail(tiny_graph: Snapshot) -> None:
    alpha = tiny_graph.entity("therapy:alpha")
    with pytest.raises(AttributeError, match="frozen"):
        alpha.label = "beta"
    with pytest.raises(AttributeError):
        _ = alpha.modalty


def test_a_day_on_which_all_was_known_shares_the_records_and_bears_its_date(tiny_graph: Snapshot) -> None:
    late = tiny_graph.as_of(date.max)
    assert (late.known_on, late.nx.graph["as_of"], tiny_graph.known_on) == (date.max, date.max, None)
    assert late.assertions is tiny_graph.assertions
    assert late.adjacency is tiny_graph.adjacency
    assert late.derived is tiny_graph.derived


def test_an_earlier_view_leads_back_to_later_days(tiny_graph: Snapshot) -> None:
    early = tiny_graph.as_of(date(2020, 6, 29))
    assert early.as_of(None) is early
    assert early.as_of(date.max) is tiny_graph.as_of(date.max)
    assert early.entity("therapy:alpha").graph is early
    assert early.edge_count < early.as_of(date(2022, 12, 31)).edge_count < tiny_graph.edge_count


def test_only_so_many_views_are_kept(tiny_graph: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    days = [date(1990, 1, 1 + i) for i in range(AS_OF_VIEWS + 1)]
    first, *_, last = [tiny_graph.as_of(day) for day in days]
    assert tiny_graph.as_of(days[-1]) is last
    assert tiny_graph.as_of(days[0]) is not first
    monkeypatch.setattr("kg.snapshot.AS_OF_ASSERTIONS", 1)
    kept = tiny_graph.as_of(date(1991, 1, 1))
    assert tiny_graph.as_of(date(1991, 1, 1)) is kept
    assert tiny_graph.as_of(days[-1]) is not last


def test_links_are_the_same_for_all_threads_and_cannot_be_written(tiny_graph: Snapshot) -> None:
    view = tiny_graph.as_of(date(2024, 12, 31))
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: [entity.links for entity in view.entities.values()], range(8)))
    assert all(a is b for others in seen for a, b in zip(seen[0], others, strict=True))
    with pytest.raises(TypeError):
        seen[0][0]["targets"] = ()


def test_links_are_the_supported_assertions_from_both_ends(tiny_graph: Snapshot) -> None:
    inverse = {relation.name: relation.inverse for relation in tiny_graph.model.relations}
    seen = [
        (e.curie, n, x.assertion, x.node.curie)
        for e in tiny_graph.entities.values()
        for n in e.links
        for x in e.edges(n)
    ]
    edges = [a for a in tiny_graph.assertions if a.supported]
    told = [(a.subject.curie, a.relation, a, a.object.curie) for a in edges]
    told += [(a.object.curie, inverse[a.relation], a, a.subject.curie) for a in edges]
    assert sorted(seen, key=str) == sorted(told, key=str)
    assert [e.degree for e in tiny_graph.entities.values()] == [
        sum(map(len, e.links.values())) for e in tiny_graph.entities.values()
    ]


def test_networkx_reads_the_attributes_and_copies_them_as_dictionaries(tiny_graph: Snapshot) -> None:
    data = tiny_graph.nx.edges["therapy:alpha", "HGNC:1633", "targets"]
    assert list(data) == ["relation", "confidence", "weight", "evidence", "assertion"]
    assert (len(data), data.get("no"), "no" in data, "weight" in data) == (5, None, False, True)
    assert data == tiny_graph.nx.copy().edges["therapy:alpha", "HGNC:1633", "targets"]
    assert repr(data).startswith("{'relation': 'targets'")
    with pytest.raises(TypeError):
        data["weight"] = 0
    copied = tiny_graph.nx.copy()
    copied.edges["therapy:alpha", "HGNC:1633", "targets"]["weight"] = 0
    assert data["weight"] > 0


def test_the_collector_is_left_as_it_was_found() -> None:
    with no_collection():
        assert not gc.isenabled()
        with no_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
