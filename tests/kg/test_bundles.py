"""What the evidence of many edges says is read from columns; it is what their records say."""

import math
from datetime import date

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from kg.bundles import Footing, short_name
from kg.errors import BadInput
from kg.evidence import confidence_value, line_key
from kg.matrices import matrices
from kg.overlay import scenario
from tests.kg import routes


@settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_columns_say_what_records_say(data) -> None:
    """On random graphs, plain, as of a day and under assumptions: dates, doubts, and what each line of evidence carries."""
    graph = data.draw(routes.graphs())
    if data.draw(st.booleans()):
        graph = graph.as_of(routes.FIRST_DAY.replace(day=data.draw(st.integers(1, 6))))
    try:
        what_if = scenario(graph, *(data.draw(routes.overlays(graph)) if data.draw(st.booleans()) else ([], [])))
    except BadInput:
        assume(False)
    made = matrices(what_if)
    numbers = np.arange(sum(map(len, made.edges.values())))
    footing = Footing(what_if, made, numbers)
    records = [made.assertion(number) for number in numbers.tolist()]
    assert len(footing) == len(records)
    assert [footing.assertion(n) for n in range(len(footing))] == records
    assert sorted(a.id for a in records) == sorted({a.id for a in what_if.edges()})

    supported = [[e.known_on for e in a.evidence if e.direction == "SUPPORTS"] for a in records]
    assert footing.since().tolist() == [min(days, default=date.max).toordinal() for days in supported]
    assert footing.contradicted() == [
        n for n, a in enumerate(records) if any(e.direction == "CONTRADICTS" for e in a.evidence)
    ]

    own = [a for a in records if not what_if.is_assumed(a.id)]
    names = {}
    for item in (item for a in own for item in a.evidence):
        names.setdefault(line_key(item), item.study.label if item.study else short_name(item.source))
    lines = list(footing.lines())
    assert [(line.key, line.name) for line in lines] == sorted(names.items())
    for line in lines:
        for confidences in (True, False):
            expected = [1.0 if what_if.is_assumed(a.id) else _left(a, line.key, confidences) for a in records]
            found = footing.without(line, confidences=confidences)
            assert all(map(math.isclose, found.tolist(), expected))


def _left(assertion, key: str, confidences: bool) -> float:
    if key not in map(line_key, assertion.evidence):
        return 1.0
    left = [item for item in assertion.evidence if line_key(item) != key]
    if not any(item.direction == "SUPPORTS" for item in left):
        return 0.0
    return confidence_value(left) / assertion.confidence if confidences and assertion.confidence else 1.0
