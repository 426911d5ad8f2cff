"""What a Python user reads."""

from datetime import date

import networkx as nx
import pytest

from kg import Snapshot
from kg.errors import NotFound


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
