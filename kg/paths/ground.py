"""What may be walked: the arcs of a scenario that fulfil a question's constraints on edges.

A scenario is applied as a small difference while walking: arcs of edges that it takes away or changes are
left out, and arcs of changed and assumed edges are added from a short list of extras. Constraints are
checked on the arcs at hand only, so a search pays for what it touches, never for the whole graph.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg.adjacency import NO_DATE, costs_of
from kg.budget import Budget
from kg.columns import Bools, Ints, Numbers, run_members
from kg.overlay import Scenario
from kg.paths.constraints import DAMPING, Question
from kg.records import Assertion

NONE = np.zeros(0, np.int64)
ARCS_A_STEP = 16  # arcs looked at in bulk cost about this much less than one step of an enumeration


class Spent(Exception):
    """The budget ran out in the middle of a computation that is worth nothing unfinished."""


class Arcs(NamedTuple):
    """Arcs walked from states to states; what else is known of them is looked up with ``Ground``.

    ``places`` are those in the adjacency, after them those of extras; ``flip`` is 1 where they were found from
    their heads.
    """

    tails: Ints
    heads: Ints
    places: Ints
    flip: int

    def where(self, keep: Bools) -> Arcs:
        """Return those of the arcs that are to be kept."""
        return self.at(keep.nonzero()[0])

    def at(self, chosen: Ints) -> Arcs:
        """Return some of the arcs."""
        return Arcs(self.tails[chosen], self.heads[chosen], self.places[chosen], self.flip)


class Fan(NamedTuple):
    """The arcs at some nodes, of which most lead nowhere: what lies at their other ends, and where the rest is looked up.

    Where all arcs at the nodes are walkable, ``ends`` says where each node's end, else ``rows`` which node each is of;
    those of a single node follow one another from place ``first`` on. ``flip`` is 1 where they lead towards the nodes.
    """

    nodes: Ints
    others: Ints | Numbers
    flip: int
    places: Ints | None = None
    first: int = 0
    rows: Ints | None = None
    ends: Ints | None = None

    def at(self, chosen: Ints) -> Arcs:
        """Return some of the arcs."""
        if self.rows is not None:
            own = self.nodes[self.rows[chosen]]
        elif self.ends is not None:
            own = self.nodes[self.ends.searchsorted(chosen, "right")]
        else:
            own = self.nodes.repeat(len(chosen))
        others = self.others[chosen].astype(np.int64)
        places = chosen + self.first if self.places is None else self.places[chosen]
        return Arcs(others, own, places, 1) if self.flip else Arcs(own, others, places, 0)

    def arc(self, i: int) -> tuple[int, int, int]:
        """Return one of the arcs: the node of those that it is at, the one at its other end, and its place."""
        if self.rows is not None:
            row = self.rows.item(i)
        else:
            row = 0 if self.ends is None else int(self.ends.searchsorted(i, "right"))
        place = i + self.first if self.places is None else self.places.item(i)
        return self.nodes.item(row), self.others.item(i), place

    def place_between(self, node: int, other: int) -> int:
        """Return the place of the first arc between one of the nodes and one at the other ends."""
        for i in (self.others == other).nonzero()[0].tolist():
            own, _, place = self.arc(i)
            if own == node:
                return place
        raise ValueError(f"no arc between {node} and {other}")


class Ground:
    """The walkable arcs of a scenario under a question.

    A *state* is a node, times three if signs matter: then ``state % 3 - 1`` is the sign that the rest of
    the walk must have. Sets of nodes are kept as states throughout; ``nodes`` gives the nodes back.
    """

    def __init__(self, scenario: Scenario, question: Question, budget: Budget, damping: float = DAMPING) -> None:
        self.scenario = scenario
        self.question = question
        self.budget = budget
        self.damping = damping
        self.adjacency = adjacency = scenario.graph.adjacency
        self.base, self.count = adjacency.sizes
        self.width = 3 if question.signs is not None else 1
        self.size = self.count * self.width
        self._own_arcs = len(adjacency.neighbours)
        self._codes_free = len(question.codes) == adjacency.codes
        self.codes = adjacency.every_code if self._codes_free else adjacency.mask(question.codes)
        self.steps = None if question.steps is None else tuple(map(adjacency.mask, question.steps))
        self._extras: tuple[Assertion, ...] = (*scenario.changed.values(), *scenario.assumed)
        self._gone = self._removed()
        self._edges_free = (
            self._gone is None and question.min_confidence <= 0.0 and question.disputed and question.levels is None
        )
        self._extra_codes: Ints = NONE
        self._extra_edges: Ints = NONE
        if self._extras:
            self._prepare_extras()
        self.node_costs = self._node_costs()
        self.barred = bool(question.kinds is not None or question.avoid or question.via)
        """Whether any node but an end may not stand between the ends."""

    @cached_property
    def _signs(self) -> Ints:
        """The effect sign of each code."""
        return np.array([relation.effect_sign for relation in self.scenario.graph.model.relations], np.int64).repeat(2)

    # -------------------------------------------------------------- the scenario
    def codes_at(self, step: int) -> Bools:
        """Return which codes a step may have; steps are counted from 0."""
        return self.codes if self.steps is None else self.steps[step]

    def _removed(self) -> Bools | None:
        """Return which assertions the graph's own arcs must not be walked for, or None for none."""
        if self.scenario.is_plain:
            return None
        gone = np.zeros(self.base, np.bool_)
        names = {*self.scenario.removed, *self.scenario.changed, *(a.id for a in self.scenario.assumed)}
        position = self.adjacency.position
        gone[[position[name] for name in names if name in position]] = True
        return gone

    def _prepare_extras(self) -> None:
        """Lay out both arcs of every extra edge, and which of them fulfil the constraints."""
        number, code = self.adjacency.number, self.adjacency.code
        apart = [(i, a) for i, a in enumerate(self._extras) if a.subject.curie != a.object.curie]
        subjects = [number[a.subject.curie] for _, a in apart]
        objects = [number[a.object.curie] for _, a in apart]
        codes = [code[a.relation] for _, a in apart]
        self._extra_tails: Ints = np.array(subjects + objects, np.int64)
        self._extra_heads: Ints = np.array(objects + subjects, np.int64)
        self._extra_codes = np.array(codes + [c + 1 for c in codes], np.int64)
        self._extra_edges = np.array([self.base + i for i, _ in apart] * 2, np.int64)
        self._extra_costs = costs_of(np.array([a.confidence for _, a in apart] * 2, np.float64))
        self._extra_ok = np.array([self._fulfils(a) for _, a in apart] * 2, np.bool_)

    def _fulfils(self, extra: Assertion) -> bool:
        asked = self.question
        if extra.confidence < asked.min_confidence:
            return False
        if self.scenario.is_assumed(extra.id):
            return True
        return (asked.disputed or not extra.disputed) and (
            asked.levels is None
            or any(e.direction == "SUPPORTS" and e.level.name in asked.levels for e in extra.evidence)
        )

    def _node_costs(self) -> Ints:
        """Return the cost of passing each node: damping · ln(degree under the scenario)."""
        if self._gone is None:
            return self.adjacency.node_costs(self.damping)
        costs = self.adjacency.node_costs(self.damping).copy()
        nodes = np.array(list(self._degree_changes), np.int64)
        degrees = self.adjacency.degrees[nodes] + np.array(list(self._degree_changes.values()), np.int64)
        costs[nodes] = self.adjacency.cost_of_degrees(degrees, self.damping)
        return costs

    @cached_property
    def _degree_changes(self) -> dict[int, int]:
        changes: dict[int, int] = {}
        number = self.adjacency.number
        if self._gone is not None:
            for i in self._gone.nonzero()[0].tolist():
                assertion = self.adjacency.assertions[i]
                for end in (assertion.subject, assertion.object) if assertion.supported else ():
                    changes[number[end.curie]] = changes.get(number[end.curie], 0) - 1
        for assertion in self._extras:
            for end in (assertion.subject, assertion.object):
                changes[number[end.curie]] = changes.get(number[end.curie], 0) + 1
        return changes

    def degree(self, node: int) -> int:
        """Return the number of edges at a node under the scenario."""
        own = int(self.adjacency.degrees[node])
        return own if self.scenario.is_plain else own + self._degree_changes.get(node, 0)

    @cached_property
    def between(self) -> Bools:
        """Return which nodes may stand between the ends where nothing else is said; those to pass are placed apart."""
        asked = self.question
        if asked.kinds is None:
            allowed = np.ones(self.count, np.bool_)
        else:
            allowed = np.isin(self.adjacency.kinds, sorted(asked.kinds))
        if self.barred:
            allowed[sorted(asked.avoid | asked.via)] = False
        for ends in (asked.sources, asked.targets):
            if len(ends) == 1:  # a path meets its own ends once; with several ends others may lie between
                allowed[ends[0]] = False
        return allowed

    # -------------------------------------------------------------- states
    def nodes(self, states: Ints) -> Ints:
        """Return the nodes of some states."""
        return states if self.width == 1 else states // 3

    def starts(self, nodes: Ints) -> Ints:
        """Return the states in which a walk may begin at some nodes."""
        if self.question.signs is None:
            return nodes
        return np.concatenate([nodes * 3 + sign + 1 for sign in sorted(self.question.signs)])

    def ends(self, nodes: Ints) -> Ints:
        """Return the states in which a walk ends at some nodes: nothing is left, and the empty product is +1."""
        return nodes if self.width == 1 else nodes * 3 + 2

    # -------------------------------------------------------------- walking
    def cost(self, states: Ints | Numbers) -> int:
        """Return how many arcs would be looked at to walk one step from some states."""
        return self.adjacency.arc_count(states if self.width == 1 else states // 3)

    def forward(self, states: Ints, codes: Bools, to: Bools | None = None) -> Arcs:
        """Return the arcs from some states along some codes, if wanted to some states only.

        Raises Spent where the budget does not allow it.
        """
        rows, heads, places = self._gather(self.nodes(states), codes, 0, self._mask_of_nodes(to))
        arcs = Arcs(states[rows], heads, places, 0)
        if self.width == 1:
            return arcs
        arcs = _signed_forward(arcs, self._signs[self.codes_of(arcs)])
        return arcs if to is None else arcs.where(to[arcs.heads])

    def backward(self, states: Ints, codes: Bools, from_: Bools | None = None) -> Arcs:
        """Return the arcs into some states along some codes, if wanted from some states only; raises Spent likewise."""
        rows, tails, places = self._gather(self.nodes(states), codes, 1, self._mask_of_nodes(from_))
        arcs = Arcs(tails, states[rows], places, 1)
        if self.width == 1:
            return arcs
        tails = tails * 3 + self._signs[self.codes_of(arcs)] * (arcs.heads % 3 - 1) + 1
        arcs = arcs._replace(tails=tails)
        return arcs if from_ is None else arcs.where(from_[tails])

    def fan(self, nodes: Ints, flip: int) -> Fan:
        """Return the arcs at some nodes, where signs do not matter; raises Spent likewise."""
        adjacency = self.adjacency
        if self._extras or not (self._edges_free and self._codes_free):
            rows, others, places = self._gather(nodes, self.codes, flip, None)
            return Fan(nodes, others, flip, places, rows=rows)
        if len(nodes) == 1:
            node = nodes.item(0)
            first, end = adjacency.indptr.item(node), adjacency.indptr.item(node + 1)
            if not self.budget.spend((end - first) // ARCS_A_STEP + 1):
                raise Spent
            return Fan(nodes, adjacency.neighbours[first:end], flip, first=first)
        if not self.budget.spend(adjacency.arc_count(nodes) // ARCS_A_STEP + 1):
            raise Spent
        places, ends = adjacency.gather(nodes)
        return Fan(nodes, adjacency.neighbours[places], flip, places, ends=ends)

    def _mask_of_nodes(self, states: Bools | None) -> Bools | None:
        if states is None or self.width == 1:
            return states
        nodes: Bools = np.logical_or.reduce(states.reshape(-1, self.width), axis=1)
        return nodes

    def _gather(self, nodes: Ints, codes: Bools, flip: int, wanted: Bools | None) -> tuple[Ints, Ints, Ints]:
        """Return row, other end and place of the arcs at nodes; ``flip`` 1 reads them towards the nodes.

        ``wanted`` are the nodes that may be at the other end. Most arcs of a search lead nowhere, so what is not
        needed to see that is looked up afterwards.
        """
        adjacency = self.adjacency
        if len(nodes) == 1 and self._edges_free and not self._extras:
            return self._gather_one(nodes.item(0), codes, flip, wanted)
        if not self.budget.spend(adjacency.arc_count(nodes) // ARCS_A_STEP + 1):
            raise Spent
        places, ends = adjacency.gather(nodes)
        heads = adjacency.neighbours[places]
        chosen = None if wanted is None else wanted[heads].nonzero()[0]
        if not (self._edges_free and (codes is adjacency.every_code or codes.all())):
            looked_at = places if chosen is None else places[chosen]
            ok = self._arc_ok(looked_at, codes[adjacency.arc_codes[looked_at] ^ flip]).nonzero()[0]
            chosen = ok if chosen is None else chosen[ok]
        if chosen is None:
            rows = np.arange(len(nodes)).repeat(adjacency.arc_counts[nodes])
        else:
            rows, heads, places = ends.searchsorted(chosen, "right"), heads[chosen], places[chosen]
        found = rows, heads.astype(np.int64), places
        return self._with_extras(found, nodes, codes, flip, wanted) if len(self._extras) else found

    def _gather_one(self, node: int, codes: Bools, flip: int, wanted: Bools | None) -> tuple[Ints, Ints, Ints]:
        """Return the same for one node, where all its edges may be walked: its arcs of one code follow one another."""
        adjacency = self.adjacency
        first, end = adjacency.indptr.item(node), adjacency.indptr.item(node + 1)
        if not self.budget.spend((end - first) // ARCS_A_STEP + 1):
            raise Spent
        walked = len(codes) if codes is adjacency.every_code else int(np.count_nonzero(codes))
        if walked == 1:
            code = int(codes.argmax()) ^ flip
            first, end = (first + adjacency.arc_codes[first:end].searchsorted((code, code + 1))).tolist()
        heads = adjacency.neighbours[first:end]
        chosen = None if wanted is None else wanted.take(heads)
        if walked not in (1, len(codes)):
            own = codes[adjacency.arc_codes[first:end] ^ flip]
            chosen = own if chosen is None else own & chosen
        if chosen is None:
            return np.zeros(end - first, np.int64), heads.astype(np.int64), np.arange(first, end)
        kept = chosen.nonzero()[0]
        return np.zeros(len(kept), np.int64), heads[kept].astype(np.int64), kept + first

    def _arc_ok(self, places: Ints, ok: Bools) -> Bools:
        """Return which of some arcs fulfil the constraints on edges, of those that are ok so far."""
        if self._edges_free:
            return ok
        asked, adjacency = self.question, self.adjacency
        edges = adjacency.positions[places]
        if self._gone is not None:
            ok &= ~self._gone[edges]
        if asked.min_confidence > 0.0:
            ok &= adjacency.confidences[edges] >= asked.min_confidence
        if not asked.disputed:
            ok &= ~adjacency.disputed[edges]
        if asked.levels is not None:
            ok &= adjacency.at_levels(asked.levels)[edges]
        return ok

    def _with_extras(
        self, found: tuple[Ints, Ints, Ints], nodes: Ints, codes: Bools, flip: int, wanted: Bools | None
    ) -> tuple[Ints, Ints, Ints]:
        ok = self._extra_ok & codes[self._extra_codes ^ flip] & np.isin(self._extra_tails, nodes)
        near = (ok if wanted is None else ok & wanted[self._extra_heads]).nonzero()[0]
        order = np.argsort(nodes, kind="stable")
        first = np.searchsorted(nodes[order], self._extra_tails[near], "left")
        counts = np.searchsorted(nodes[order], self._extra_tails[near], "right") - first
        which = np.repeat(near, counts)  # a node stands in several rows where it is in several states
        more = order[run_members(first, counts)], self._extra_heads[which], self._own_arcs + which
        rows, heads, places = (np.concatenate(pair) for pair in zip(found, more, strict=True))
        return rows, heads, places

    # -------------------------------------------------------------- arcs
    def codes_of(self, arcs: Arcs) -> Ints:
        """Return the codes of arcs as they are walked."""
        return self._looked_up(self.adjacency.arc_codes, self._extra_codes, arcs.places) ^ arcs.flip

    def edges_of(self, arcs: Arcs) -> Ints:
        """Return the positions of the assertions of arcs, from ``base`` on of extras."""
        return self._looked_up(self.adjacency.positions, self._extra_edges, arcs.places)

    def edge_at(self, place: int) -> tuple[int, int]:
        """Return the position of the assertion of one arc, and the arc's code as it lies in its place."""
        if place >= self._own_arcs:
            return self._extra_edges.item(place - self._own_arcs), self._extra_codes.item(place - self._own_arcs)
        return self.adjacency.positions.item(place), self.adjacency.arc_codes.item(place)

    def cost_at(self, place: int) -> int:
        """Return the cost of the edge of one arc."""
        if place >= self._own_arcs:
            return self._extra_costs.item(place - self._own_arcs)
        return self.adjacency.arc_costs.item(place)

    def costs_of(self, arcs: Arcs) -> Ints:
        """Return the costs of the edges of arcs, without the nodes that they lead to."""
        if not len(self._extras):
            return self.adjacency.arc_costs[arcs.places]
        own = arcs.places < self._own_arcs
        costs = np.empty(len(own), np.int64)
        costs[own] = self.adjacency.arc_costs[arcs.places[own]]
        costs[~own] = self._extra_costs[arcs.places[~own] - self._own_arcs]
        return costs

    @cached_property
    def least_cost(self) -> int:
        """What every edge costs at least."""
        own = self.adjacency.least_cost
        return min(own, int(self._extra_costs.min(initial=own))) if self._extras else own

    def _looked_up(self, column: NDArray[Any], extra: Ints, places: Ints) -> Ints:
        if not len(self._extras):
            return column[places].astype(np.int64)
        own = places < self._own_arcs
        values = np.empty(len(places), np.int64)
        values[own] = column[places[own]]
        values[~own] = extra[places[~own] - self._own_arcs]
        return values

    # -------------------------------------------------------------- edges
    def assertion(self, edge: int) -> Assertion:
        """Return the assertion of an edge's position."""
        return self._extras[edge - self.base] if edge >= self.base else self.adjacency.assertions[edge]

    def dates(self, edges: Ints) -> Ints:
        """Return the day of the newest evidence of some edges as an ordinal; NO_DATE for assumed ones without any."""
        own = np.where(edges < self.base, edges, 0)
        days = self.adjacency.dates[own] if self.base else np.zeros(len(edges), np.int64)
        if not self._extras:
            return days
        extra = np.array([a.latest.toordinal() if a.evidence else NO_DATE for a in self._extras], np.int64)
        return np.where(edges < self.base, days, extra[np.maximum(edges - self.base, 0)])


def _signed_forward(arcs: Arcs, signs: Ints) -> Arcs:
    """Return the arcs with the sign that is left to make up in their heads' states.

    A sign of ±1 leaves (what was needed) · sign. A sign of 0 makes the whole walk 0 whatever follows: it may
    only be walked where 0 is needed, and then the rest may have any sign, each a state of its own.
    """
    needed = arcs.tails % 3 - 1
    clear = signs != 0
    parts = [_select(arcs, clear, arcs.heads[clear] * 3 + needed[clear] * signs[clear] + 1)]
    free = ~clear & (needed == 0)
    parts += [_select(arcs, free, arcs.heads[free] * 3 + rest) for rest in range(3)]
    tails, heads, places = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return Arcs(tails, heads, places, arcs.flip)


def _select(arcs: Arcs, chosen: Bools, heads: Ints) -> Arcs:
    return Arcs(arcs.tails[chosen], heads, arcs.places[chosen], arcs.flip)
