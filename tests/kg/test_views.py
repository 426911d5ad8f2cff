"""A view is bounded, nearest first, and says what it left out."""

import pytest

from kg import Snapshot
from kg.errors import BadInput
from kg.views import Constraints, neighbourhood


def curies(view) -> set[str]:
    return {node.entity.curie for node in view.nodes}


def test_depth_bounds_the_distance(tiny_graph: Snapshot) -> None:
    view = neighbourhood([tiny_graph.entity("HGNC:1633")], 1, 100)
    assert curies(view) == {"HGNC:1633", "therapy:alpha", "CL:0000236"}
    assert {a.relation for a in view.edges} == {"targets", "expressedOn", "depletes"}
    assert neighbourhood([tiny_graph.entity("HGNC:1633")], 0, 100).edges == ()


def test_a_cut_view_keeps_the_most_trusted_and_says_so(tiny_graph: Snapshot) -> None:
    view = neighbourhood([tiny_graph.entity("therapy:alpha")], 2, 3)
    assert (len(view.nodes), view.truncated_by) == (3, "maxNodes")
    assert view.total_nodes > 3
    assert view.nodes[1].entity.curie == "CLINICALTRIALS:NCT00000001"
    shown = {a.id for a in view.edges}
    for node in view.nodes:
        everything = [e.assertion.id for edges in node.entity.links.values() for e in edges]
        assert node.hidden == len([a for a in everything if a not in shown])


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        (Constraints(relations=frozenset({"targets"})), {"therapy:alpha", "HGNC:1633"}),
        (Constraints(kinds=frozenset({"Risk"})), {"therapy:alpha", "MONDO:0600008", "risk:high-cost"}),
        (Constraints(kinds=frozenset({"Risk"}), min_confidence=0.5), {"therapy:alpha", "MONDO:0600008"}),
        (
            Constraints(kinds=frozenset({"Risk"}), avoid=frozenset({"MONDO:0600008"})),
            {"therapy:alpha", "risk:high-cost"},
        ),
        (
            Constraints(kinds=frozenset({"Trial", "Target"}), direction="in"),
            {"therapy:alpha", "CLINICALTRIALS:NCT00000001"},
        ),
        (
            Constraints(levels=frozenset({"NEWS_REPORT"}), relations=frozenset({"hasRisk"})),
            {"therapy:alpha", "risk:high-cost"},
        ),
    ],
)
def test_constraints_narrow_the_view(tiny_graph: Snapshot, constraints: Constraints, expected: set[str]) -> None:
    assert curies(neighbourhood([tiny_graph.entity("therapy:alpha")], 1, 100, constraints)) == expected


def test_impossible_sizes_are_refused(tiny_graph: Snapshot) -> None:
    with pytest.raises(BadInput, match="depth of 0"):
        neighbourhood([tiny_graph.entity("therapy:alpha")], -1, 10)
