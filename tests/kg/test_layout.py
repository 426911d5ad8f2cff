"""Boxes stand where their neighbours are, never on one another, and in the same place every time."""

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import Snapshot
from kg.figures import view_figure
from kg.layout import STRESS_NODES, Box, arrange
from kg.pictures import draw
from kg.views import neighbourhood


def overlapping(boxes: list[Box], points: list[tuple[float, float]]) -> list[tuple[int, int]]:
    return [
        (i, j)
        for i, j in itertools.combinations(range(len(boxes)), 2)
        if abs(points[i][0] - points[j][0]) < (boxes[i].width + boxes[j].width) / 2
        and abs(points[i][1] - points[j][1]) < (boxes[i].height + boxes[j].height) / 2
    ]


@st.composite
def graphs(draw):
    count = draw(st.integers(0, 40))
    sizes = draw(st.lists(st.tuples(st.floats(20, 240), st.floats(20, 60)), min_size=count, max_size=count))
    boxes = [Box(w, h, i % 4, i % 3) for i, (w, h) in enumerate(sizes)]
    pairs = st.tuples(st.integers(0, max(count - 1, 0)), st.integers(0, max(count - 1, 0)))
    edges = draw(st.lists(pairs, max_size=60)) if count else []
    return boxes, [(a, b) for a, b in edges if a != b]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_no_box_stands_on_another(graph) -> None:
    boxes, edges = graph
    points = arrange(boxes, edges)
    assert len(points) == len(boxes)
    assert overlapping(boxes, points) == []


def test_the_same_graph_has_the_same_picture(seed_graph: Snapshot) -> None:
    view = neighbourhood([seed_graph.entity("MONDO:0007915")], 1, 60)
    assert draw(view_figure(seed_graph, view)) == draw(view_figure(seed_graph, view))


def test_neighbours_stand_nearer_than_others() -> None:
    """Two stars joined by one edge: every leaf is nearer to its own middle."""
    boxes = [Box(60, 24, 0 if i < 2 else 1) for i in range(22)]
    edges = [(0, 1), *((0, i) for i in range(2, 12)), *((1, i) for i in range(12, 22))]
    points = arrange(boxes, edges)

    def far(a: int, b: int) -> float:
        return (points[a][0] - points[b][0]) ** 2 + (points[a][1] - points[b][1]) ** 2

    assert sum(far(i, 0) < far(i, 1) for i in range(2, 12)) >= 9
    assert sum(far(i, 1) < far(i, 0) for i in range(12, 22)) >= 9


def test_many_boxes_are_set_in_rows_nearest_first() -> None:
    boxes = [Box(100, 30, i % 3) for i in range(STRESS_NODES + 200)]
    points = arrange(boxes, [])
    assert overlapping(boxes[:200], points[:200]) == []
    lowest = [max(y for box, (_, y) in zip(boxes, points, strict=True) if box.distance == d) for d in range(3)]
    assert lowest == sorted(lowest)


@pytest.mark.parametrize(("nodes", "seconds"), [(60, 0.4), (300, 8.0)])
def test_drawing_is_quick(seed_graph: Snapshot, nodes: int, seconds: float) -> None:
    """Measured in processor time; the bounds are loose, 60 take about 0.06 s on an idle machine."""
    figure = view_figure(seed_graph, neighbourhood([seed_graph.entity("MONDO:0007915")], 3, nodes))
    assert len(figure.nodes) == nodes
    started = time.thread_time()
    draw(figure)
    assert time.thread_time() - started < seconds
