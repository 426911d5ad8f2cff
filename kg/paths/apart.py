"""How far apart things are: the length of the shortest paths between them, and one of these.

Of the shortest paths whichever is met first will do, so nothing is ranked or listed; ``search.shortest_paths`` finds
the best of them, and all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from kg.budget import Budget
from kg.overlay import Scenario
from kg.paths.constraints import ANYTHING, DAMPING, Ends, PathConstraints, numbers_of, understand
from kg.paths.ground import Ground, Spent
from kg.paths.nearest import any_nearest, at_a_glance, found_along
from kg.paths.records import Path
from kg.paths.search import Search, paths_of
from kg.records import Entity
from kg.snapshot import Snapshot


@dataclass(frozen=True, eq=False)
class Distance:
    """How many steps two sets of ends are apart, by one of the shortest paths between them.

    ``curies`` name the entities on the path, ends included; there are none where there is no path. Which of several
    paths it is says nothing, but it is the same every time. ``truncated_by`` names the limit that ended the search, if
    one did: then there may be a path.
    """

    curies: tuple[str, ...]
    truncated_by: str | None
    graph: Snapshot = field(repr=False)
    make_path: Callable[[], Path | None] = field(repr=False)

    @property
    def length(self) -> int | None:
        """Least number of steps from one end to another, or None where there is no path."""
        return len(self.curies) - 1 if self.curies else None

    @cached_property
    def nodes(self) -> tuple[Entity, ...]:
        """The entities on the path."""
        return tuple([self.graph.entities[curie] for curie in self.curies])

    @cached_property
    def path(self) -> Path | None:
        """The path, or None where there is none."""
        return self.make_path()


def distance(
    scenario: Scenario,
    sources: Ends,
    targets: Ends,
    constraints: PathConstraints | None = None,
    *,
    budget: Budget | None = None,
    damping: float = DAMPING,
) -> Distance:
    """Return how far any of the sources is from any of the targets, along paths under the constraints.

    How far paths are looked for is said at ``shortest_paths``; raises what ``find_paths`` raises.
    """
    asked, budget = constraints or ANYTHING, budget or Budget()
    graph = scenario.graph
    names = graph.columns.curies
    if asked == ANYTHING and (nodes := _at_a_glance(scenario, sources, targets, budget)):

        def along() -> Path:
            ground = Ground(scenario, understand(scenario, sources, targets, asked), budget, damping)
            return paths_of(ground, [found_along(ground, nodes)])[0]

        return Distance(tuple([names[node] for node in nodes]), None, graph, along)
    question = understand(scenario, sources, targets, asked)
    if not question.is_simple:
        search = Search(scenario, question, damping, budget)
        page = search.shortest_page(limited=asked.max_length is not None, first=1, count=False)
        best = page.paths[0] if page else None
        named = tuple([node.curie for node in best.nodes]) if best else ()
        return Distance(named, page.truncated_by, graph, lambda: best)
    ground = Ground(scenario, question, budget, damping)
    try:
        met = any_nearest(ground, asked.max_length)
    except Spent:
        return Distance((), budget.exhausted_by, graph, lambda: None)
    if met is None:
        return Distance((), None, graph, lambda: None)
    curies = tuple([names[node] for node in met.nodes])
    return Distance(curies, None, graph, lambda: paths_of(ground, [met.found()])[0])


def _at_a_glance(scenario: Scenario, sources: Ends, targets: Ends, budget: Budget) -> tuple[int, ...]:
    """Return the nodes on a path between one end and another, or nothing where it is not so simple."""
    if not scenario.is_plain:
        return ()
    starts, ends = numbers_of(scenario, sources), numbers_of(scenario, targets)
    if len(starts) != 1 or len(ends) != 1 or starts == ends:
        return ()
    return at_a_glance(scenario.graph.adjacency, starts[0], ends[0], budget)
