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

from kg.adjacency import NO_DATE, Ints
from kg.budget import Budget
from kg.paths.constraints import LENGTH, NOVELTY
from kg.paths.ground import Spent
from kg.paths.layers import Core, Plan

PLANNING_SHARE = 0.5  # of a budget; the rest is left to say what was found within it

Key = tuple[int, int, int, tuple[int, ...]]
"""Place of a path in the order: three numbers that depend on the order, and the steps. Smaller comes first."""


class Found(NamedTuple):
    """A path by numbers: its place in the order, its nodes, the positions of its assertions, and its cost."""

    key: Key
    nodes: tuple[int, ...]
    edges: tuple[int, ...]
    cost: int


class _Child(NamedTuple):
    """A step that a prefix may take; they sort by the least cost from here to an end, then by what step it is."""

    to_end: int
    step: int
    state: int
    node: int
    edge: int
    cost: int
    day: int
    newest: int


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
        self._children: dict[tuple[int, int, int], list[_Child]] = {}
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
        """Number of prefixes that wait to be taken up."""
        return len(self._queue)

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
                nodes, edges = (*prefix.nodes, child.node), (*prefix.edges, child.edge)
                return Found(entry[:4], nodes, edges, prefix.cost + child.cost)
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
        return _Prefix(
            prefix.plan,
            (*prefix.nodes, child.node),
            (*prefix.edges, child.edge) if place else (),
            (*prefix.steps, child.step),
            prefix.cost + child.cost,
            max(prefix.day, child.day),
            self._children_of(prefix.plan, place, child.state),
        )

    def _children_of(self, plan_number: int, place: int, state: int) -> list[_Child]:
        key = (plan_number, place, state)
        if key not in self._children:
            days = self._newest[plan_number]
            self._children[key] = _children(self._plans[plan_number], place, state, days)
        return self._children[key]

    def _push(self, prefix: _Prefix) -> None:
        """Queue the best child of a new prefix; by novelty all, as how they rank depends on the prefix's own day."""
        if self.order_by != NOVELTY:
            self._push_from(prefix, 0)
        else:
            for i, child in enumerate(prefix.children):
                if child.node not in prefix.nodes:
                    heapq.heappush(self._queue, self._entry(prefix, child, i))

    def _push_from(self, prefix: _Prefix, first: int) -> None:
        for i in range(first, len(prefix.children)):
            child = prefix.children[i]
            if child.node not in prefix.nodes:
                heapq.heappush(self._queue, self._entry(prefix, child, i))
                return

    def _entry(self, prefix: _Prefix, child: _Child, i: int) -> _Entry:
        cost, length = prefix.cost + child.to_end, self._plans[prefix.plan].length
        steps = (*prefix.steps, child.step)
        if self.order_by == LENGTH:
            return (length, cost, 0, steps, prefix.plan, child.state, prefix, i)
        if self.order_by == NOVELTY:
            return (-max(prefix.day, child.newest), cost, length, steps, prefix.plan, child.state, prefix, i)
        return (cost, length, 0, steps, prefix.plan, child.state, prefix, i)


def _starts(plan: Plan, newest: Sequence[Ints]) -> list[_Child]:
    states = plan.starts
    nodes = plan.layers.ground.nodes(states)
    days = newest[0][states] if newest else np.zeros(len(states), np.int64)
    rows = zip(plan.remaining[0][states], nodes, states, days, strict=True)
    return sorted(_Child(int(to_end), int(n), int(s), int(n), -1, 0, NO_DATE, int(day)) for to_end, n, s, day in rows)


def _children(plan: Plan, place: int, state: int, newest: Sequence[Ints]) -> list[_Child]:
    """Return the steps from a state at a place along which an end can be reached, in order; raises Spent."""
    ground = plan.layers.ground
    arcs = plan.steps(np.array([state], np.int64), place)
    nodes = ground.nodes(arcs.heads)
    costs = arcs.costs + (ground.node_costs[nodes] if place + 1 < plan.length else 0)
    to_end = costs + plan.remaining[place + 1][arcs.heads]
    steps = nodes * ground.adjacency.codes + arcs.codes
    days = ground.dates(arcs.edges) if newest else np.zeros(len(nodes), np.int64)
    best = np.maximum(days, newest[place + 1][arcs.heads]) if newest else days
    order = np.lexsort((arcs.heads, steps, to_end))
    columns = (to_end, steps, arcs.heads, nodes, arcs.edges, costs, days, best)
    return list(map(_Child._make, zip(*(column[order].tolist() for column in columns), strict=True)))
