"""Many paths at once: the first thousand of an order by whole columns of numbers.

Where there are few walks, all are listed. Else it is a beam search that knows what it left out: walks of a plan are
listed place by place, and of the prefixes at each place only the best are kept, by the least cost that they can be
finished at. The best prefix that was dropped bounds everything that is missing: paths that come before it are
certain, in their order. Walks that meet a node twice are dropped when they do, so fewer paths than asked for may be
certain; then more prefixes are kept. Between two ends, walks of up to three steps are paths, and once is enough.

By confidence, the paths of fewer steps say what the last wanted one costs at most, and longer ones are only looked for
within that (``layers.Within``). CPU on Hetionet between hubs, against finding paths one by one (``ranking``): the first
1,000 of up to three steps 9 ms for 32 ms, the ten best of up to four 0.8 ms for 8.3 ms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple, cast

import numpy as np

from kg.budget import Budget
from kg.columns import Bools, Ints
from kg.paths.constraints import CONFIDENCE, LENGTH
from kg.paths.counting import join, unmet
from kg.paths.ground import ARCS_A_STEP, Arcs, Spent
from kg.paths.layers import FAR, Core, Plan
from kg.paths.nearest import Nearest
from kg.paths.ranking import Found, Key, Ranking

LISTED = (CONFIDENCE, LENGTH)  # orders whose keys grow with every step
MANY = 5  # paths to come, from which on listing pays
LISTING_SHARE = 0.5  # of a budget; the rest is left to find paths one by one where that was not enough
MANY_WALKS = 2_000  # from which on it pays to see first which of them can be among the best
MOST_KEPT = 100_000  # prefixes at a place


class Listed:
    """The paths of a core in one order like those of a ``Ranking``, many at once where many are expected.

    ``expected`` is the number of paths that somebody will ask for, those returned already included.
    """

    def __init__(self, core: Core, order_by: str) -> None:
        self.core = core
        self.order_by = order_by
        self.truncated_by: str | None = None
        self.position = 0
        self.complete = False
        self.expected = 0
        self.more = False
        """Whether another path is known to come, without knowing which."""
        self._ranking = Ranking(core, order_by)
        self._ahead: deque[Found] = deque()
        self._all = False
        self._listable = order_by in LISTED
        self._listed = False

    @property
    def queued(self) -> int:
        """How much is kept to go on, in steps."""
        return self._ranking.queued + sum(len(found.nodes) for found in self._ahead)

    def next(self, budget: Budget) -> Found | None:
        """Return the next path, or None: then either ``complete``, or ``truncated_by`` says what stopped the search."""
        self.more = False
        many = self.expected - self.position >= MANY or self._listed
        if many and self._listable and not (self._ahead or self._all):
            self._list(budget)
        if budget.exhausted_by is not None:
            self.truncated_by, found = budget.exhausted_by, None
        elif not (self._ahead or self._all):
            found = self._nearest(budget) or self._ranked(budget)
        else:
            spent = not budget.spend()
            self.truncated_by = budget.exhausted_by
            self.complete = not (spent or self._ahead)
            found = None if spent or not self._ahead else self._ahead.popleft()
        self.position += found is not None
        return found

    def ahead(self, count: int, budget: Budget) -> list[Found]:
        """Return up to so many of the next paths where these are known already, but for the last that is known."""
        count = min(count, len(self._ahead) - 1)
        if count < 1 or budget.left < count or not budget.spend(count):
            return []
        self.more = False
        self.position += count
        return [self._ahead.popleft() for _ in range(count)]

    def _list(self, budget: Budget) -> None:
        share = budget.share(LISTING_SHARE)
        self.core.ground.budget = share
        try:
            found, self._all = best_paths(self.core, self.order_by, max(self.expected, 2 * self.position))
            self._ahead.extend(found[self.position :])
            self._listed = True
        except Spent:
            self._listable = False
        budget.spend(share.spent)

    def _nearest(self, budget: Budget) -> Found | None:
        """Return the best of the shortest paths, where it is asked for and these are all."""
        plan = self.core.whole
        if self.position or not self._listable or not isinstance(plan, Nearest) or not budget.spend():
            return None
        self.more = not plan.single
        self.complete = plan.single
        return plan.best()

    def _ranked(self, budget: Budget) -> Found | None:
        ranking = self._ranking
        found = None
        while ranking.position <= self.position and (found := ranking.next(budget)) is not None:
            pass
        self.truncated_by, self.complete = ranking.truncated_by, ranking.complete
        return found


class _Rows(NamedTuple):
    """Prefixes, one a row: what they cost, the least that they can be finished at, and their columns by place."""

    costs: Ints
    to_end: Ints
    states: Ints
    nodes: list[Ints]
    steps: list[Ints]
    edges: list[Ints]


def best_paths(core: Core, order_by: str, count: int) -> tuple[list[Found], bool]:
    """Return the first paths in an order, ``count`` or more where there are as many, and whether these are all.

    Raises Spent where the core's budget does not allow it, or far more than ``count`` would have to be listed.
    """
    kept = count
    while kept <= MOST_KEPT:
        found, floor = _attempt(core, order_by, count, kept)
        certain = found if floor is None else [path for path in found if path.key < floor]
        if floor is None or len(certain) >= count:
            return certain, floor is None
        kept *= 4
    raise Spent


def _attempt(core: Core, order_by: str, count: int, kept: int) -> tuple[list[Found], Key | None]:
    """Return paths in order, and the place before which none is missing, or None where none is."""
    found: list[Found] = []
    floors: list[Key] = []
    for length in core.ground.question.lengths:
        shorter = len(found)
        enough = shorter >= count
        if enough and order_by == LENGTH:
            floors.append((length, 0, 0, ()))
            break
        limit = found[count - 1].cost if enough else None
        if limit is not None:
            floors.append((limit + 1, 0, 0, ()))
        for plan in core.plans(length) if limit is None else core.plans_within(length, limit):
            listing = _Listing(plan, order_by, kept if order_by == CONFIDENCE else kept - shorter, limit)
            found += listing.paths()
            floors += listing.floors
        found.sort()
    return found, min(floors, default=None)


class _Listing:
    """The best walks of a plan that are paths; ``floors`` are the places of the best prefixes that were dropped."""

    def __init__(self, plan: Plan, order_by: str, kept: int, limit: int | None) -> None:
        self.plan = plan
        self.ground = plan.ground
        self.order_by = order_by
        self.kept = kept
        self.limit = limit
        self.floors: list[Key] = []

    def paths(self) -> list[Found]:
        """Return the paths in order; raises Spent."""
        rows = self._every() or self._best()
        return self._found(self._cut(rows, ordered=True))

    def _every(self) -> _Rows | None:
        """Return all walks that are paths, or None where they are many."""
        rows: _Rows | None = None
        for place, arcs in enumerate(self.plan.places):
            rows = self._joined(rows, arcs, self._costs(arcs, place), MANY_WALKS)
            if rows is None:
                break
        return rows

    def _best(self) -> _Rows:
        """Return the best walks that are paths, or more."""
        plan, ground = self.plan, self.ground
        states = plan.starts
        nodes = ground.nodes(states)
        rows = _Rows(np.zeros(len(states), np.int64), plan.remaining[0][states], states, [nodes], [nodes], [])
        for place in range(plan.length):
            rows = self._longer(self._cut(rows), place)
        return rows

    def _key(self, to_end: int, steps: tuple[int, ...]) -> Key:
        length = self.plan.length
        return (length, to_end, 0, steps) if self.order_by == LENGTH else (to_end, length, 0, steps)

    # -------------------------------------------------------------- one step more
    def _longer(self, rows: _Rows, place: int) -> _Rows:
        """Return the prefixes that are one step longer."""
        arcs, costs = self._arcs(rows, place)
        longer = cast(_Rows, self._joined(rows, arcs, costs))
        return longer._replace(to_end=longer.costs + self.plan.remaining[place + 1][longer.states])

    def _joined(self, rows: _Rows | None, arcs: Arcs, costs: Ints, most: int | None = None) -> _Rows | None:
        """Return the prefixes that some become along some arcs, at the start the arcs themselves; None where these are too many.

        What they can be finished at is left to say.
        """
        ground = self.ground
        if most is not None and len(arcs.heads) > most:
            return None
        nodes, edges = ground.nodes(arcs.heads), ground.edges_of(arcs)
        steps = nodes * ground.adjacency.codes + ground.codes_of(arcs)
        if rows is None:
            starts = ground.nodes(arcs.tails)
            return _Rows(costs, costs, arcs.heads, [starts, nodes], [starts, steps], [edges])
        order = arcs.tails.argsort(kind="stable")
        row, picked = join(rows.states, arcs.tails[order])
        if most is not None and len(row) > most:
            return None
        if not ground.budget.spend(len(row) // ARCS_A_STEP + 1):
            raise Spent
        arc = order[picked]
        new = unmet(rows.nodes, row, nodes[arc])
        if not new.all():
            row, arc = row[new], arc[new]
        total = rows.costs[row] + costs[arc]
        return _Rows(
            total,
            total,
            arcs.heads[arc],
            [*(column[row] for column in rows.nodes), nodes[arc]],
            [*(column[row] for column in rows.steps), steps[arc]],
            [*(column[row] for column in rows.edges), edges[arc]],
        )

    def _costs(self, arcs: Arcs, place: int) -> Ints:
        """Return what arcs at a place and their heads cost."""
        costs = self.ground.costs_of(arcs)
        if place + 1 < self.plan.length:
            costs += self.ground.node_costs[self.ground.nodes(arcs.heads)]
        return costs

    def _arcs(self, rows: _Rows, place: int) -> tuple[Arcs, Ints]:
        """Return the arcs that the best prefixes may go on along, the best of them, and what they and their heads cost."""
        plan, ground = self.plan, self.ground
        best = np.full(ground.size, np.iinfo(np.int64).max, np.int64)
        np.minimum.at(best, rows.states, rows.costs)
        states = (best < np.iinfo(np.int64).max).nonzero()[0]
        arcs = plan.steps(states, place)
        costs = self._costs(arcs, place)
        bounds = best[arcs.tails] + costs + plan.remaining[place + 1][arcs.heads]
        keep, floor = self._within(bounds)
        if floor is not None:
            self.floors.append(self._key(floor, ()))
            arcs, costs = arcs.where(keep), costs[keep]
        return arcs, costs

    # -------------------------------------------------------------- what is left out
    def _within(self, bounds: Ints) -> tuple[Bools, int | None]:
        """Return which bounds are among the least, with all that are equal, and the least of the others, if any are."""
        limit = FAR if self.limit is None else self.limit
        if len(bounds) > self.kept:
            limit = min(limit, int(np.partition(bounds, self.kept - 1)[self.kept - 1]))
        inside: Bools = bounds <= limit
        return inside, None if inside.all() else int(bounds[~inside].min())

    def _cut(self, rows: _Rows, *, ordered: bool = False) -> _Rows:
        """Return the best of some prefixes, in order if wanted."""
        keep, floor = self._within(rows.to_end)
        if floor is not None:
            self.floors.append(self._key(floor, ()))
            rows = _chosen(rows, keep.nonzero()[0])
        if ordered or len(rows.costs) > 2 * self.kept:  # many are equal: their steps decide
            order = np.lexsort((*rows.steps[::-1], rows.to_end))
            for first in order[self.kept : self.kept + 1].tolist():
                self.floors.append(self._key(int(rows.to_end[first]), tuple(int(step[first]) for step in rows.steps)))
            rows = _chosen(rows, order[: self.kept])
        return rows

    def _found(self, rows: _Rows) -> list[Found]:
        nodes, steps, edges = (_tuples(columns) for columns in (rows.nodes, rows.steps, rows.edges))
        costs, length = rows.costs.tolist(), self.plan.length
        numbers = (repeat(length), costs) if self.order_by == LENGTH else (costs, repeat(length))
        keys = zip(*numbers, repeat(0), steps)
        return list(map(Found._make, zip(keys, nodes, edges, costs)))  # noqa: B905


def _chosen(rows: _Rows, keep: Ints) -> _Rows:
    columns = ([column[keep] for column in some] for some in (rows.nodes, rows.steps, rows.edges))
    return _Rows(rows.costs[keep], rows.to_end[keep], rows.states[keep], *columns)


def _tuples(columns: Sequence[Ints]) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))
