"""The core of a search: for each place on a path, which nodes may stand there so that the path can be finished.

Paths of each length are searched as walks through layers. Both ends are expanded a layer at a time, always
the side with fewer arcs to look at, until they meet ("meet in the middle": research/paths.md; Pohl 1971,
Bi-directional Search); then the least remaining cost is computed back to the start. An enumeration that only
takes steps with a finite remaining cost never walks into a dead end but for nodes met twice, and it has the
exact remaining cost as its bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from kg.adjacency import NO_DATE
from kg.columns import Bools, Ints, Numbers
from kg.paths.ground import Arcs, Ground

FEW_ARCS = 2000  # are gathered whole, as the next layer will want them too
FAR = int(np.iinfo(np.int64).max // 4)
"""Remaining cost of states from which no end can be reached."""


@dataclass(frozen=True)
class Places:
    """Where on a path given nodes must stand: position -> node. ``length`` None stands for paths of any length."""

    length: int | None
    fixed: Mapping[int, int]

    def at(self, position: int | None) -> int | None:
        """Return the node that must stand at a position, if one must."""
        return None if position is None else self.fixed.get(position)


class Layers:
    """The states at each distance from both ends, for paths whose places are the same; computed as asked for."""

    def __init__(self, ground: Ground, places: Places) -> None:
        self.ground = ground
        self.places = places
        via = ground.question.via
        self._forward = [ground.starts(self._at(0, np.array(ground.question.sources, np.int64), via))]
        self._forward_arcs: list[Arcs] = []
        self._backward = [ground.ends(self._at(places.length, np.array(ground.question.targets, np.int64), via))]
        self._backward_arcs: list[Arcs] = []

    def _at(self, position: int | None, nodes: Ints, via: frozenset[int]) -> Ints:
        """Return the nodes that may stand at an end: the one that must, or those that need not stand elsewhere."""
        node = self.places.at(position)
        if node is None and not via:
            return nodes
        free: Bools = ~np.isin(nodes, sorted(via)) if node is None else nodes == node
        return nodes[free]

    def _allowed(self, nodes: Ints, position: int | None) -> Bools:
        node = self.places.at(position)
        allowed: Bools = self.ground.between[nodes] if node is None else nodes == node
        return allowed

    def _distinct(self, states: Ints) -> Ints:
        return marked(states, self.ground.size).nonzero()[0]

    def codes(self, step: int) -> Bools:
        """Return which codes a step may have; steps are counted from 0."""
        return self.ground.codes_at(step)

    # -------------------------------------------------------------- from the start
    def forward(self, i: int) -> Ints:
        """Return the states between the ends that i steps from a start reach; of 0 steps, the starts."""
        while len(self._forward) <= i:
            step = len(self._forward)
            heads = self.forward_arcs(step - 1).heads
            heads = heads[self._allowed(self.ground.nodes(heads), step)]
            self._forward.append(self._distinct(heads))
        return self._forward[i]

    def forward_arcs(self, i: int) -> Arcs:
        """Return all arcs that may be the step after i steps from a start."""
        while len(self._forward_arcs) <= i:
            step = len(self._forward_arcs)
            self._forward_arcs.append(self.ground.forward(self.forward(step), self.codes(step)))
        return self._forward_arcs[i]

    def forward_to(self, i: int, states: Bools) -> Arcs:
        """Return those of ``forward_arcs(i)`` that lead to some states, where they are many without finding the others."""
        if self.forward_cost(i) <= FEW_ARCS:
            arcs = self.forward_arcs(i)
            return arcs.where(states[arcs.heads])
        return self.ground.forward(self.forward(i), self.codes(i), states)

    def narrow(self) -> None:
        """Leave out of the last layers what no path of interest passes, before they are connected: here nothing."""

    @property
    def sizes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Numbers of states in the layers made so far, from the starts and from the ends."""
        return tuple(map(len, self._forward)), tuple(map(len, self._backward))

    def forward_cost(self, i: int) -> int:
        """Return what ``forward_arcs(i)`` would look at; nothing once it is known."""
        return 0 if len(self._forward_arcs) > i else self.ground.cost(self.forward(i))

    # -------------------------------------------------------------- from the end
    def backward(self, j: int) -> Ints:
        """Return the states between the ends from which j steps reach an end; of 0 steps, the ends."""
        while len(self._backward) <= j:
            self._extend_backward()
        return self._backward[j]

    def _extend_backward(self) -> None:
        tails = self._arcs_to_last().tails
        self._backward.append(self._distinct(tails))

    def _arcs_to_last(self) -> Arcs:
        """Return the arcs that lead to the last layer from states between the ends."""
        j = len(self._backward)
        arcs = self.backward_arcs(j - 1)
        return arcs.where(self._allowed(self.ground.nodes(arcs.tails), self._from_end(j)))

    def backward_arcs(self, j: int) -> Arcs:
        """Return all arcs that may be the step before j steps to an end."""
        while len(self._backward_arcs) <= j:
            step = len(self._backward_arcs)
            self._backward_arcs.append(self.ground.backward(self.backward(step), self._codes_before(step)))
        return self._backward_arcs[j]

    def backward_from(self, j: int, states: Bools) -> Arcs:
        """Return those of ``backward_arcs(j)`` that come from some states, where they are many without finding the others."""
        if self.backward_cost(j) <= FEW_ARCS:
            arcs = self.backward_arcs(j)
            return arcs.where(states[arcs.tails])
        return self.ground.backward(self.backward(j), self._codes_before(j), states)

    def backward_cost(self, j: int) -> int:
        """Return what ``backward_arcs(j)`` would look at; nothing once it is known."""
        return 0 if len(self._backward_arcs) > j else self.ground.cost(self.backward(j))

    def _codes_before(self, j: int) -> Bools:
        place = self._from_end(j + 1)
        return self.codes(place if place is not None else 0)

    def _from_end(self, j: int) -> int | None:
        return None if self.places.length is None else self.places.length - j


class Within(Layers):
    """The states of walks of one length that may cost no more than a limit; of dearer walks some may be left in.

    What a walk costs above the least for its steps is what it may spend: states are left out that spend too much
    together with the least that the other side has spent so far. Of two hubs, that leaves the few neighbours that
    explain something, which have few neighbours themselves.
    """

    def __init__(self, ground: Ground, places: Places, length: int, limit: int) -> None:
        super().__init__(ground, places)
        self._most = limit - length * ground.least_cost
        first = np.full(ground.size, FAR, np.int64)
        first[self._forward[0]] = 0
        self._so_far = [first]
        last = np.full(ground.size, FAR, np.int64)
        last[self._backward[0]] = 0
        self._remaining = [last]

    def forward(self, i: int) -> Ints:
        """Return the states between the ends that i steps from a start reach within the limit."""
        while len(self._forward) <= i:
            step, ground = len(self._forward), self.ground
            arcs = self.forward_arcs(step - 1)
            arcs = arcs.where(self._allowed(ground.nodes(arcs.heads), step))
            so_far = np.full(ground.size, FAR, np.int64)
            costs = self._so_far[-1][arcs.tails] + ground.costs_of(arcs) + ground.node_costs[ground.nodes(arcs.heads)]
            np.minimum.at(so_far, arcs.heads, costs)
            self._so_far.append(so_far)
            self._forward.append(self._distinct(arcs.heads))
            self._narrow(0)
        return self._forward[i]

    def _extend_backward(self) -> None:
        arcs = self._arcs_to_last()
        self._remaining.append(least(self.ground, arcs, self._remaining[-1], last=len(self._backward) == 1))
        self._backward.append(self._distinct(arcs.tails))
        self._narrow(1)

    def narrow(self) -> None:
        """Leave out of the last layers what the other side, as far as it is known by now, makes too dear."""
        self._narrow(0)
        self._narrow(1)

    def _narrow(self, side: int) -> None:
        spent, others = self._spent(side), self._spent(1 - side)
        layers = self._backward if side else self._forward
        layers[-1] = layers[-1][spent <= self._most - others.min(initial=FAR)]

    def _spent(self, side: int) -> Ints:
        """Return what the states of the last layer of a side spend above the least."""
        layers, costs = (self._backward, self._remaining) if side else (self._forward, self._so_far)
        states, steps, ground = layers[-1], len(layers) - 1, self.ground
        spent = costs[-1][states] - steps * ground.least_cost
        return spent + ground.node_costs[ground.nodes(states)] if side and steps else spent


class Plan:
    """Paths of one length, as walks on which an end can be reached from every state; what enumerations read.

    ``places`` are the arcs of all walks between one place and the next; none of them is on no walk.
    """

    def __init__(self, ground: Ground, places: Sequence[Arcs]) -> None:
        self.ground = ground
        self.places = places
        self.length = len(places)

    @cached_property
    def starts(self) -> Ints:
        """The states that a path of this length may start in."""
        return np.unique(self.places[0].tails)

    def steps(self, states: Ints, i: int) -> Arcs:
        """Return the arcs of the walks from states at place i."""
        arcs = self.places[i]
        return arcs.where(arcs.tails == states[0] if len(states) == 1 else marked(states, self.ground.size)[arcs.tails])

    @cached_property
    def onward(self) -> list[Ints]:
        """Per place, the least cost to an end along each arc."""
        return self._cheapest[0]

    @property
    def remaining(self) -> list[Ints]:
        """Per place, the least cost to an end from each state of a walk there; of others it says nothing."""
        return self._cheapest[1]

    @cached_property
    def _cheapest(self) -> tuple[list[Ints], list[Ints]]:
        ground, last = self.ground, self.length - 1
        remaining = [np.empty(ground.size, np.int64)]  # filled nowhere else: most of a large graph is on no walk
        remaining[0][self.places[last].heads] = 0
        onward: list[Ints] = []
        for place in range(last, -1, -1):
            arcs = self.places[place]
            costs = ground.costs_of(arcs)
            if place < last:
                costs += ground.node_costs[ground.nodes(arcs.heads)] + remaining[0][arcs.heads]
            here = np.empty(ground.size, np.int64)
            here[arcs.tails] = FAR
            np.minimum.at(here, arcs.tails, costs)
            remaining.insert(0, here)
            onward.insert(0, costs)
        return onward, remaining

    def newest(self) -> list[Ints]:
        """Return, per place, the newest day of evidence that the rest of a walk from each state can meet."""
        ground = self.ground
        best = [np.full(ground.size, NO_DATE, np.int64)]
        for arcs in reversed(self.places):
            days = np.maximum(ground.dates(ground.edges_of(arcs)), best[0][arcs.heads])
            here = np.full(ground.size, NO_DATE, np.int64)
            np.maximum.at(here, arcs.tails, days)
            best.insert(0, here)
        return best

    def walks(self) -> list[NDArray[np.float64]]:
        """Return, per place, how many walks lead from each state to an end; exact below 2^53."""
        counts = [np.ones(self.ground.size, np.float64)]
        for arcs in reversed(self.places):
            counts.insert(0, np.bincount(arcs.tails, counts[0][arcs.heads], self.ground.size).astype(np.float64))
        return counts


def layered(layers: Layers, length: int) -> Plan | None:
    """Return the walks of one length through layers, or None where there are none; raises Spent."""
    met = _meet(layers, length)
    if met is None:
        return None
    i, j = met
    connecting = _connect(layers, i, j)
    if not len(connecting.heads):
        return None
    before, after, size = [connecting], [connecting], layers.ground.size
    for step in range(i - 1, -1, -1):
        arcs = layers.forward_arcs(step)
        before.append(arcs.where(marked(before[-1].tails, size)[arcs.heads]))
    for step in range(j - 1, -1, -1):
        arcs = layers.backward_arcs(step)
        after.append(arcs.where(marked(after[-1].heads, size)[arcs.tails]))
    return Plan(layers.ground, [*before[:0:-1], *after])


def _meet(layers: Layers, length: int) -> tuple[int, int] | None:
    """Return how many layers each side was expanded, or None where one of them came to nothing."""
    i, j = 0, 0
    while i + j < length - 1:
        if layers.forward_cost(i) <= layers.backward_cost(j):
            i += 1
            reached = layers.forward(i)
        else:
            j += 1
            reached = layers.backward(j)
        if not len(reached):
            return None
    return i, j


def _connect(layers: Layers, i: int, j: int) -> Arcs:
    """Return the arcs from the states i steps from a start to those j steps from an end."""
    layers.narrow()
    if layers.forward_cost(i) <= layers.backward_cost(j):
        return layers.forward_to(i, marked(layers.backward(j), layers.ground.size))
    return layers.backward_from(j, marked(layers.forward(i), layers.ground.size))


def least(ground: Ground, arcs: Arcs, after: Ints, *, last: bool) -> Ints:
    """Return the least cost of one of some arcs and what remains after it; ``last`` arcs lead to an end, at no more cost."""
    arcs = arcs.where(after[arcs.heads] < FAR)
    costs = ground.costs_of(arcs) + after[arcs.heads]
    if not last:
        costs += ground.node_costs[ground.nodes(arcs.heads)]
    result = np.full(ground.size, FAR, np.int64)
    np.minimum.at(result, arcs.tails, costs)
    return result


def marked(states: Ints | Numbers, size: int) -> Bools:
    """Return which of so many states are among some."""
    marks = np.zeros(size, np.bool_)
    marks[states] = True
    return marks


def placements(ground: Ground, length: int) -> Iterator[Places]:
    """Yield every way to place the nodes that a path must pass; a path stands in exactly one of them."""
    asked = ground.question
    if not asked.via:
        yield Places(length if asked.steps is not None else None, {})
        return
    via = sorted(asked.via)
    for positions in permutations(range(length + 1), len(via)):
        fixed = dict(zip(positions, via, strict=True))
        if all(_may_stand(ground, node, position, length) for position, node in fixed.items()):
            yield Places(length, fixed)


def _may_stand(ground: Ground, node: int, position: int, length: int) -> bool:
    asked = ground.question
    if position in (0, length):
        return node in (asked.targets if position else asked.sources)
    return asked.kinds is None or int(ground.adjacency.kinds[node]) in asked.kinds


class Core:
    """The plans of all lengths; plans that may stand anywhere share their layers."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.layers: list[Layers] = []
        """All layers made so far."""
        self.whole: Plan | None = None
        """The plan that holds all paths, where one was given."""
        self._plans: dict[int, list[Plan]] = {}

    def plans(self, length: int) -> list[Plan]:
        """Return the plans for paths of one length; none where there can be no such path. Raises Spent."""
        if length not in self._plans:
            found = (layered(self._layers(places), length) for places in placements(self.ground, length))
            self._plans[length] = [plan for plan in found if plan is not None]
        return self._plans[length]

    def plans_within(self, length: int, limit: int) -> list[Plan]:
        """Return plans that hold the paths of one length that cost no more than a limit, perhaps others; raises Spent."""
        if length in self._plans or self.ground.question.via:
            return self.plans(length)
        (places,) = placements(self.ground, length)
        plan = layered(Within(self.ground, places, length, limit), length)
        return [] if plan is None else [plan]

    def hold(self, plan: Plan) -> None:
        """Take a plan that was made elsewhere for all paths that are asked for."""
        self.whole, self._plans[plan.length] = plan, [plan]

    def _layers(self, places: Places) -> Layers:
        if places.length is not None or not self.layers:
            self.layers.append(Layers(self.ground, places))
        return self.layers[-1]
