"""A view is bounded, nearest first, and says what it left out."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg import Snapshot
from kg.errors import BadInput
from kg.records import Edge, Entity
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


def allows(constraints: Constraints, edge: Edge) -> bool:
    """Whether an edge may be walked, from the words of ``Constraints``."""
    assertion = edge.assertion
    return (
        (constraints.relations is None or assertion.relation in constraints.relations)
        and (constraints.kinds is None or edge.node.kind in constraints.kinds)
        and edge.node.curie not in constraints.avoid
        and assertion.confidence >= constraints.min_confidence
        and constraints.direction in ("both", "in" if edge.reversed else "out")
        and (constraints.levels is None or any(item.level.name in constraints.levels for item in assertion.evidence))
    )


def plainly_reached(around: list[Entity], depth: int, constraints: Constraints) -> list[tuple[str, int]]:
    """Every way is a candidate, and the best one is taken next; ways that are as good go by who was met first."""
    ways = [(0, 0.0, turn, entity) for turn, entity in enumerate(around)]
    turn, found = len(ways), {}
    while ways:
        distance, doubt, _, entity = ways.pop(ways.index(min(ways, key=lambda way: way[:3])))
        if entity.curie in found:
            continue
        found[entity.curie] = distance
        for edge in (e for edges in entity.links.values() for e in edges if allows(constraints, e)):
            if distance < depth:
                ways.append((distance + 1, 1.0 - (1.0 - doubt) * edge.confidence, turn, edge.node))
                turn += 1
    return list(found.items())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data(), st.integers(0, 3), st.sampled_from(["in", "out", "both"]), st.sampled_from([0.0, 0.3]))
def test_nodes_come_in_the_order_of_a_plain_search(
    tiny_graph: Snapshot, data: st.DataObject, depth: int, direction: str, least: float
) -> None:
    everything = list(tiny_graph.entities.values())
    around = data.draw(st.lists(st.sampled_from(everything), min_size=1, max_size=3))
    constraints = Constraints(min_confidence=least, direction=direction)
    view = neighbourhood(around, depth, 100, constraints)
    assert [(n.entity.curie, n.distance) for n in view.nodes] == plainly_reached(around, depth, constraints)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_of_many_equally_trusted_nodes_the_order_is_that_of_a_plain_search_too(
    seed_graph: Snapshot, depth: int
) -> None:
    for curie in ("MONDO:0007915", "HGNC:1633", "CL:0000236"):
        around = [seed_graph.entity(curie)]
        view = neighbourhood(around, depth, 10_000)
        assert [(n.entity.curie, n.distance) for n in view.nodes] == plainly_reached(around, depth, Constraints())


def test_a_dense_view_keeps_the_edges_that_hold_it_together_then_the_most_trusted(seed_graph: Snapshot) -> None:
    around = [seed_graph.entity("MONDO:0007915")]
    whole = neighbourhood(around, 2, 60)
    room = 80
    view = neighbourhood(around, 2, 60, max_edges=room)
    assert (len(view.edges), view.total_edges, view.truncated_by) == (room, len(whole.edges), "maxNodes")
    assert [n.entity for n in view.nodes] == [n.entity for n in whole.nodes]
    joined = {whole.nodes[0].entity.curie}
    for _ in range(2):
        joined |= {
            end.curie for a in view.edges if {a.subject.curie, a.object.curie} & joined for end in (a.subject, a.object)
        }
    assert joined == curies(view)
    leading = len(view.nodes) - 1
    best = sorted((a.confidence for a in whole.edges), reverse=True)[: room - leading]
    assert sorted((a.confidence for a in view.edges), reverse=True)[: room - leading] == best
    for node, before in zip(view.nodes, whole.nodes, strict=True):
        assert node.hidden >= before.hidden
    small = neighbourhood(around, 0, 60, max_edges=0)
    assert (small.edges, small.total_edges, small.truncated_by) == ((), 0, None)
    assert neighbourhood(around, 1, 500, max_edges=10).truncated_by == "maxEdges"


def test_less_than_no_edges_is_refused(tiny_graph: Snapshot) -> None:
    with pytest.raises(BadInput, match="0 edges or more"):
        neighbourhood([tiny_graph.entity("therapy:alpha")], 1, 10, max_edges=-1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_edges_are_those_that_a_walk_may_take_from_one_end_or_the_other(
    tiny_graph: Snapshot, data: st.DataObject
) -> None:
    everything, model = list(tiny_graph.entities.values()), tiny_graph.model
    some = lambda names: data.draw(st.none() | st.frozensets(st.sampled_from(sorted(names))))  # noqa: E731
    constraints = Constraints(
        relations=some(model.relation),
        kinds=some(model.kind),
        levels=some(model.level),
        avoid=some(tiny_graph.entities) or frozenset(),
        min_confidence=data.draw(st.sampled_from([0.0, 0.3, 0.9])),
        direction=data.draw(st.sampled_from(["in", "out", "both"])),
    )
    view = neighbourhood(data.draw(st.lists(st.sampled_from(everything), max_size=4)), 2, 100, constraints)
    edges = [e for n in view.nodes for edges in n.entity.links.values() for e in edges]
    walked = {e.assertion for e in edges if allows(constraints, e) and e.node.curie in curies(view)}
    assert (set(view.edges), view.total_edges) == (walked, len(walked))
