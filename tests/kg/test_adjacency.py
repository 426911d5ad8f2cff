"""The arrays say what the records say."""

import numpy as np
from hypothesis import given

from kg import Snapshot
from kg.adjacency import MAX_COST, Adjacency, Shelf, costs_of
from tests.kg import routes
from tests.kg.test_paths import examples


def arcs(adjacency: Adjacency, relation: str, reversed: bool) -> set[tuple[str, str, str]]:
    rows = adjacency.rows(relation, reversed=reversed)
    return {
        (entity.curie, adjacency.entities[rows.indices[i]].curie, adjacency.assertions[rows.positions[i]].id)
        for v, entity in enumerate(adjacency.entities)
        for i in range(rows.indptr[v], rows.indptr[v + 1])
    }


@examples(60)
@given(routes.graphs())
def test_rows_and_gathered_arcs_are_the_edges(graph: Snapshot) -> None:
    """Both directions of every relation, nodes without edges included."""
    adjacency = graph.adjacency
    for relation in graph.model.relations:
        edges = [a for a in graph.assertions if a.supported and a.relation == relation.name]
        assert arcs(adjacency, relation.name, False) == {(a.subject.curie, a.object.curie, a.id) for a in edges}
        assert arcs(adjacency, relation.name, True) == {(a.object.curie, a.subject.curie, a.id) for a in edges}
    nodes = np.arange(len(adjacency.entities))
    places, ends = adjacency.gather(nodes)
    assert list(places) == list(range(len(adjacency.neighbours)))
    assert np.array_equal(ends, adjacency.indptr[1:])
    for node in nodes:
        one, end = adjacency.gather(nodes[node : node + 1])
        assert list(one) == list(range(adjacency.indptr[node], adjacency.indptr[node + 1]))
        assert [len(one)] == list(end)
    assert adjacency.arc_count(nodes) == 2 * graph.edge_count


@examples(30)
@given(routes.graphs())
def test_what_is_known_of_nodes_and_assertions_is_what_records_say(graph: Snapshot) -> None:
    adjacency = graph.adjacency
    assert [graph.model.kinds[k].name for k in adjacency.kinds] == [e.kind for e in graph.entities.values()]
    assert list(adjacency.degrees) == [e.degree for e in graph.entities.values()]
    assert list(adjacency.disputed) == [a.disputed for a in graph.assertions]
    assert list(adjacency.dates) == [a.latest.toordinal() for a in graph.assertions]
    strong = adjacency.at_levels(frozenset({"STRONG"}))
    assert list(strong) == [
        any(e.level.name == "STRONG" and e.direction == "SUPPORTS" for e in a.evidence) for a in graph.assertions
    ]
    for name, positions in adjacency.bases.items():
        assert list(positions) == [
            i
            for i, a in enumerate(graph.assertions)
            if any(name in (e.source.id, e.study and e.study.id) for e in a.evidence)
        ]


def test_it_is_built_once(tiny_graph: Snapshot) -> None:
    assert tiny_graph.adjacency is tiny_graph.adjacency


def test_costs_are_whole_and_bounded() -> None:
    assert list(costs_of(np.array([1.0, 0.0]))) == [0, MAX_COST]


def test_a_shelf_forgets_what_was_put_there_first() -> None:
    shelf = Shelf(room=10)
    for name in "abc":
        shelf.put(name, name.upper(), 4)
    assert (shelf.pop("a"), shelf.pop("b"), shelf.pop("b"), shelf.pop("c")) == (None, "B", None, "C")
    shelf.put("heavy", 1, 6)
    assert shelf.pop("heavy") is None
