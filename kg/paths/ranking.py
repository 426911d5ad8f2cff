"""Paths one after another in a total order, found lazily: the next best path is worked out when it is asked for.

Best-first search with the exact remaining cost of a walk as its bound (A*: Hart, Nilsson & Raphael 1968):
a prefix is taken up only when nothing better is left, so the first k paths cost little more than k paths,
however many there are. Children of a prefix are kept sorted and enter the queue one at a time, so a hub with
ten thousand neighbours costs one entry, not ten thousand.

The order is total: by the order's own key, then by the sequence of steps. Costs are integers, so sums are
exact and the order does not depend on how they were added up.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kg.adjacency import NO_DATE
from kg.budget import Budget
from kg.columns import Ints
from kg.paths.constraints import LENGTH, NOVELTY
from kg.paths.ground import Arcs, Spent
from kg.paths.layers import Core, Plan

FEW, ARCS_A_STATE = 8, 256  # working out one state costs about as much as 256 arcs in bulk
PLANNING_SHARE = 0.5  # of a budget; the rest is left to say what was found within it

Key = tuple[int, int, int, tuple[int, ...]]
"""Place of a path in the order: three numbers that depend on the order, and the steps. Smaller comes first."""


class Found(NamedTuple):
    """A path by numbers: its place in the order, its nodes, the positions of its assertions, and its cost."""

    key: Key
    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    cost: int


_Child = tuple[int, int, int, int, int, int, int, int]
"""A step that a prefix may take: the least cost from here to an end, what step it is, the state and the node it
leads to, its edge, its cost, the day of its evidence, and the newest day that it or the rest of a walk can meet.
Children sort by the first two. They are plain tuples of numbers, which the garbage collector need not follow."""
_NODE = 3


@dataclass(slots=True, eq=False)
class _Prefix:
    """The beginning of a path and the steps that may follow; a path's very beginning is a prefix of no nodes."""

    plan: int
    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    steps: tuple[int, ...]
    cost: int
    day: int
    children: Sequence[_Child]


_Entry = tuple[int, int, int, tuple[int, ...], int, int, _Prefix, int]


class Ranking:
    """The paths of a core in one order, best first; ``next`` returns them one by one.

    ``position`` counts the paths returned; ``complete`` says that they were all; ``dropped_by`` names the
    limit for which the longest paths were left out from the start, if any were.
    """

    def __init__(self, core: Core, order_by: str) -> None:
        self.core = core
        self.order_by = order_by
        self.truncated_by: str | None = None
        self.dropped_by: str | None = None
        self.position = 0
        self.complete = False
        self._lengths = list(core.ground.question.lengths)[::-1]
        self._plans: list[Plan] = []
        self._newest: list[list[Ints]] = []
        self._children: dict[tuple[int, int], _Steps] = {}
        self._queue: list[_Entry] = []

    def next(self, budget: Budget) -> Found | None:
        """Return the next path, or None: then either ``complete``, or ``truncated_by`` says what stopped the search.

        Stopped by a budget, the search can be taken up again with a fresh one.
        """
        try:
            found = self._next(budget)
        except Spent:
            found = None
        self.truncated_by = self.dropped_by or budget.exhausted_by
        if found is None:
            self.complete = self.truncated_by is None
        else:
            self.position += 1
        return found

    @property
    def queued(self) -> int:
        """How much is kept to go on: prefixes that wait to be taken up, and steps that are worked out."""
        return len(self._queue) + sum(steps.size for steps in self._children.values())

    def _next(self, budget: Budget) -> Found | None:
        while self._fill(budget):
            if not budget.spend():
                raise Spent
            *_, prefix, i = self._queue[0]
            child = prefix.children[i]
            ends = len(prefix.nodes) == self._plans[prefix.plan].length
            longer = None if ends else self._longer(prefix, child)  # may raise, so before the queue changes
            entry = heapq.heappop(self._queue)
            if self.order_by != NOVELTY:
                self._push_from(prefix, i + 1)
            if longer is None:
                _, _, _, node, edge, cost, *_ = child
                return Found(entry[:4], (*prefix.nodes, node), (*prefix.edges, edge), prefix.cost + cost)
            self._push(longer)
        return None

    # -------------------------------------------------------------- plans
    def _fill(self, budget: Budget) -> bool:
        """Make sure that the queue holds the best prefix that is left; return whether there is any.

        By length, paths of the next length are only planned once the shorter ones have run dry. Lengths too
        costly to plan are dropped: what is shorter is still worth having, and ``dropped_by`` says so.
        """
        ground = self.core.ground
        if self._lengths and not (self._queue and self.order_by == LENGTH):
            ground.budget = budget.share(PLANNING_SHARE)
            try:
                while self._lengths and not (self._queue and self.order_by == LENGTH):
                    self._plan(self._lengths[-1])
                    self._lengths.pop()
            except Spent:
                self.dropped_by = ground.budget.exhausted_by
                self._lengths.clear()
            budget.spend(ground.budget.spent)
        ground.budget = budget
        return bool(self._queue)

    def _plan(self, length: int) -> None:
        plans = self.core.plans(length)
        newest = [plan.newest() if self.order_by == NOVELTY else [] for plan in plans]
        for plan, days in zip(plans, newest, strict=True):
            self._plans.append(plan)
            self._newest.append(days)
            starts = _starts(plan, days)
            self._push(_Prefix(len(self._plans) - 1, (), (), (), 0, NO_DATE, starts))

    # -------------------------------------------------------------- prefixes
    def _longer(self, prefix: _Prefix, child: _Child) -> _Prefix:
        place = len(prefix.nodes)
        _, step, state, node, edge, cost, day, _ = child
        return _Prefix(
            prefix.plan,
            (*prefix.nodes, node),
            (*prefix.edges, edge) if place else (),
            (*prefix.steps, step),
            prefix.cost + cost,
            max(prefix.day, day),
            self._children_of(prefix.plan, place, state),
        )

    def _children_of(self, plan: int, place: int, state: int) -> Sequence[_Child]:
        if (plan, place) not in self._children:
            self._children[plan, place] = _Steps(self._plans[plan], place, self._newest[plan])
        return self._children[plan, place].of(state)

    def _push(self, prefix: _Prefix) -> None:
        """Queue the best child of a new prefix; by novelty all, as how they rank depends on the prefix's own day."""
        if self.order_by != NOVELTY:
            self._push_from(prefix, 0)
        else:
            for i, child in enumerate(prefix.children):
                if child[_NODE] not in prefix.nodes:
                    heapq.heappush(self._queue, self._entry(prefix, child, i))

    def _push_from(self, prefix: _Prefix, first: int) -> None:
        children, nodes = prefix.children, prefix.nodes
        for i in range(first, len(children)):
            if children[i][_NODE] not in nodes:
                heapq.heappush(self._queue, self._entry(prefix, children[i], i))
                return

    def _entry(self, prefix: _Prefix, child: _Child, i: int) -> _Entry:
        to_end, step, state, *_, newest = child
        cost, length = prefix.cost + to_end, self._plans[prefix.plan].length
        steps = (*prefix.steps, step)
        if self.order_by == LENGTH:
            return (length, cost, 0, steps, prefix.plan, state, prefix, i)
        if self.order_by == NOVELTY:
            return (-max(prefix.day, newest), cost, length, steps, prefix.plan, state, prefix, i)
        return (cost, length, 0, steps, prefix.plan, state, prefix, i)


def _starts(plan: Plan, newest: Sequence[Ints]) -> list[_Child]:
    states = plan.starts
    nodes = plan.ground.nodes(states)
    days = newest[0][states] if newest else np.zeros(len(states), np.int64)
    rows = zip(plan.remaining[0][states], nodes, states, days, strict=True)
    return sorted((int(to_end), int(n), int(s), int(n), -1, 0, NO_DATE, int(day)) for to_end, n, s, day in rows)


class _Steps:
    """The steps between two places of a plan, sorted for each state; worked out for one state at a time.

    Once that has cost as much as working out all at once would, all are put in order.
    """

    def __init__(self, plan: Plan, place: int, newest: Sequence[Ints]) -> None:
        self._plan = plan
        self._place = place
        self._newest = newest
        self._known: dict[int, Sequence[_Child]] = {}
        self._all: Arcs | None = None
        self._ordered: tuple[Ints, ...] | None = None

    @property
    def size(self) -> int:
        """Number of steps that are worked out."""
        return sum(map(len, self._known.values())) if self._ordered is None else len(self._ordered[0])

    def of(self, state: int) -> Sequence[_Child]:
        """Return the steps from a state along which an end can be reached, in order; raises Spent."""
        if state not in self._known:
            self._work_out(state)
        return self._known[state]

    def _work_out(self, state: int) -> None:
        plan, place = self._plan, self._place
        few = ARCS_A_STATE * (len(self._known) + 1)
        if self._all is None and (len(self._known) >= FEW or len(plan.places[place].heads) <= few):
            self._all = plan.places[place]
        if self._ordered is None and self._all is not None and len(self._all.heads) <= few:
            self._ordered = self._sorted(self._all)
        if self._ordered is not None:
            tails, *columns = self._ordered
            own = slice(*tails.searchsorted((state, state + 1)).tolist())
            columns = [column[own] for column in columns]
        else:
            _, *columns = self._sorted(plan.steps(np.array([state], np.int64), place))
        self._known[state] = list(zip(*[column.tolist() for column in columns], strict=True))

    def _sorted(self, arcs: Arcs) -> tuple[Ints, ...]:
        """Return the states that arcs lead from, sorted, and the columns of the steps that they are, in order for each."""
        plan, place = self._plan, self._place
        ground = plan.ground
        nodes = ground.nodes(arcs.heads)
        edges = ground.edges_of(arcs)
        costs = ground.costs_of(arcs) + (ground.node_costs[nodes] if place + 1 < plan.length else 0)
        to_end = costs + plan.remaining[place + 1][arcs.heads]
        steps = nodes * ground.adjacency.codes + ground.codes_of(arcs)
        days = ground.dates(edges) if self._newest else np.zeros(len(nodes), np.int64)
        best = np.maximum(days, self._newest[place + 1][arcs.heads]) if self._newest else days
        order = np.lexsort((arcs.heads, steps, to_end, arcs.tails))
        columns = (arcs.tails, to_end, steps, arcs.heads, nodes, edges, costs, days, best)
        return tuple([column[order] for column in columns])
