"""Paths are exact, complete, in a total order, and say what they left out."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kg import Snapshot
from kg.errors import BadInput
from kg.overlay import scenario
from kg.paths import ORDERS, PathConstraints, find_paths
from tests.kg import routes


def examples(number: int) -> settings:
    """The same examples on every run; how long one takes depends on who else is on the machine."""
    return settings(
        max_examples=number, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )


@st.composite
def questions(draw):
    """A random graph, as known on a day, under an overlay, with ends and constraints that do not contradict themselves."""
    graph = draw(routes.graphs())
    if draw(st.booleans()):
        graph = graph.as_of(routes.FIRST_DAY + timedelta(days=draw(st.integers(0, 5))))
    sources, targets = draw(routes.ends(graph))
    asked = draw(routes.constraints(graph))
    overlay = draw(routes.overlays(graph)) if draw(st.booleans()) else ([], [])
    try:
        what_if = scenario(graph, *overlay)
        find_paths(what_if, sources, targets, asked, first=0, count=False)
    except BadInput:
        assume(False)
    return what_if, sources, targets, asked, draw(st.sampled_from(ORDERS)), draw(st.sampled_from([0.0, 0.25]))


@examples(400)
@given(questions())
def test_the_answer_is_what_listing_all_paths_gives(question) -> None:
    """All constraints, overlays and days, on random typed graphs: same paths, same order, same count."""
    what_if, sources, targets, asked, order_by, damping = question
    expected = routes.listed(what_if, sources, targets, asked, order_by, damping)
    page = find_paths(what_if, sources, targets, asked, order_by, first=10_000, damping=damping)
    assert [routes.plain(path) for path in page] == expected
    assert (page.total, page.exhaustive, page.has_next, page.truncated_by) == (len(expected), True, False, None)
    counted = find_paths(what_if, sources, targets, asked, order_by, first=1, damping=damping)
    assert counted.total == len(expected)
