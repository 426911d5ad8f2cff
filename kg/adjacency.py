"""The edges of a snapshot as compact arrays of integers: what searches walk on.

Nodes are numbered in the order of ``snapshot.entities``, assertions in that of ``snapshot.assertions``.
Each edge appears as two *arcs*, one from each of its ends. The arcs of a node lie next to each other
(compressed sparse rows: Saad 2003, Iterative Methods for Sparse Linear Systems, §3.4), ordered by *code* and
neighbour; a code is twice the position of the relation in the model, plus one if the arc runs against it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kg.assertions import Positions
from kg.columns import NOTHING, Bools, Ints, Numbers, numbered, starts_of
from kg.lookup import relation_named
from kg.records import Assertion, Entity

if TYPE_CHECKING:
    from kg.snapshot import Snapshot

COST_UNIT = 10**12  # costs are whole multiples of 1e-12: sums are exact in any order, so rankings are too
MAX_COST = 690 * COST_UNIT  # of a confidence of 1e-300 or less, zero included
NO_DATE = 0
ROOM = 200_000  # steps that stopped searches may remember together: some 70 MB


class Rows(NamedTuple):
    """The arcs of one relation in one direction: ``indices[indptr[v]:indptr[v + 1]]`` are the neighbours of node v.

    ``positions`` are the assertions' positions in ``snapshot.assertions``.
    """

    indptr: Ints
    indices: Ints
    positions: Ints


class Shelf:
    """A place to put things by name for a while, as long as their weights allow; the ones put there first go first.

    Safe between threads.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._weight = 0
        self._things: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, name: Hashable, thing: object, weight: int) -> None:
        """Put a thing there, in place of one of the same name; one too heavy for half the room is not kept."""
        if weight > self.room // 2:
            return
        with self._lock:
            self._weight += weight - self._things.pop(name, (None, 0))[1]
            self._things[name] = thing, weight
            while self._weight > self.room:
                self._weight -= self._things.popitem(last=False)[1][1]

    def pop(self, name: Hashable) -> object | None:
        """Take a thing away and return it, or None where it is not there."""
        with self._lock:
            thing, weight = self._things.pop(name, (None, 0))
            self._weight -= weight
            return thing

    def let_go(self) -> None:
        """Take all things away."""
        with self._lock:
            self._things, self._weight = OrderedDict(), 0


class Adjacency:
    """The arcs of a snapshot's edges; everything is built on first use, in time linear in the graph."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.entities: Sequence[Entity] = snapshot.by_number
        self.assertions: Sequence[Assertion] = snapshot.assertions
        self.columns = snapshot.columns
        self.model = snapshot.model
        self._costs: dict[float, Ints] = {}
        self._level_masks: dict[frozenset[str], Bools] = {}
        self._leads: dict[tuple[str, str], frozenset[str]] = {}
        self._step_masks: dict[frozenset[int], Bools] = {}
        self.open_searches = Shelf(ROOM)
        """Searches that stopped at a cursor, for whoever goes on; weighed in steps that they remember."""

    def let_go(self) -> None:
        """Forget the searches that somebody may go on with: they hold the arcs that hold them."""
        self.open_searches.let_go()

    # -------------------------------------------------------------- numbering
    @cached_property
    def number(self) -> Mapping[str, int]:
        """Numbers of nodes by CURIE."""
        return self.columns.number

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Positions of assertions by id."""
        return Positions(self.columns)

    @cached_property
    def kind_number(self) -> Mapping[str, int]:
        """Numbers of kinds by name, in the order of the model."""
        return numbered(self.model.kinds)

    @cached_property
    def code(self) -> Mapping[str, int]:
        """Codes of arcs along each relation, by its name; along its inverse it is one more."""
        return {relation.name: 2 * i for i, relation in enumerate(self.model.relations)}

    @cached_property
    def codes(self) -> int:
        """Number of codes."""
        return 2 * len(self.model.relations)

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """Numbers of assertions and of nodes."""
        return len(self.assertions), len(self.entities)

    @cached_property
    def all_codes(self) -> frozenset[int]:
        """All codes."""
        return frozenset(range(self.codes))

    @cached_property
    def every_code(self) -> Bools:
        """All codes, as a mask."""
        return np.ones(self.codes, np.bool_)

    def mask(self, codes: frozenset[int]) -> Bools:
        """Return which codes are among some; those of one relation are asked for again and again."""
        known = self._step_masks.get(codes)
        if known is not None:
            return known
        mask = np.zeros(self.codes, np.bool_)
        mask[sorted(codes)] = True
        if len(codes) <= 2:
            mask.flags.writeable = False
            self._step_masks[codes] = mask
        return mask

    def leads(self, name: str, kind: str) -> frozenset[str]:
        """Return the kinds that a relation leads to from a kind under one of its names; raises NotFound for another."""
        known = self._leads.get((name, kind))
        if known is not None:
            return known
        relation, reversed_ = relation_named(self.model, name)
        pairs = [(o, s) if reversed_ else (s, o) for s, o in relation.pairs()]
        ends = {end for start, end in pairs if start == kind}
        if relation.symmetric:
            ends |= {start for start, end in pairs if end == kind}
        return self._leads.setdefault((name, kind), frozenset(ends))

    # -------------------------------------------------------------- nodes
    @cached_property
    def kinds(self) -> Ints:
        """The number of each node's kind."""
        kinds = np.empty(len(self.entities), np.int64)
        for kind, numbers in self.columns.entities.of_kind.items():
            kinds[numbers.start : numbers.stop] = self.kind_number[kind]
        return kinds

    @cached_property
    def degrees(self) -> Ints:
        """Number of edges at each node, both directions."""
        return np.bincount(self._subjects, minlength=len(self.entities)) + np.bincount(
            self._objects, minlength=len(self.entities)
        )

    def node_costs(self, damping: float) -> Ints:
        """Return damping · ln(degree) of each node, in units of ``COST_UNIT``; 0 for nodes without edges."""
        if damping not in self._costs:
            self._costs[damping] = self.cost_of_degrees(self.degrees, damping)
        return self._costs[damping]

    @staticmethod
    def cost_of_degrees(degrees: Ints, damping: float) -> Ints:
        """Return damping · ln(degree) of some degrees, in units of ``COST_UNIT``."""
        costs = damping * np.log(np.maximum(degrees, 1))
        return np.rint(costs * COST_UNIT).astype(np.int64)

    # -------------------------------------------------------------- assertions
    @property
    def confidences(self) -> NDArray[np.float64]:
        """Confidence of each assertion."""
        return self.columns.confidences

    @property
    def costs(self) -> Ints:
        """-ln(confidence) of each assertion, in units of ``COST_UNIT``; searches read ``arc_costs``."""
        return costs_of(self.confidences)

    @cached_property
    def least_cost(self) -> int:
        """The least cost of an assertion; 0 where there are none."""
        return int(self.costs.min()) if len(self.assertions) else 0

    @cached_property
    def disputed(self) -> Bools:
        """Whether evidence both supports and contradicts each assertion."""
        return self.columns.supported & self.columns.pointing("CONTRADICTS")

    @property
    def dates(self) -> Ints:
        """Day of the newest evidence of each assertion, as a proleptic Gregorian ordinal."""
        return self.columns.latest

    def at_levels(self, levels: frozenset[str]) -> Bools:
        """Return whether each assertion has supporting evidence at one of some levels."""
        if levels not in self._level_masks:
            columns = self.columns
            wanted = np.array([level.name in levels for level in self.model.levels], np.bool_)
            found = wanted[columns.evidence.levels[columns.rows]] & columns.directed("SUPPORTS")
            mask = np.zeros(len(columns), np.bool_)
            mask[columns.owners[found]] = True
            self._level_masks[levels] = mask
        return self._level_masks[levels]

    @cached_property
    def bases(self) -> Mapping[str, Sequence[int]]:
        """Positions of the assertions that have evidence from each source and each study, by its id."""
        columns = self.columns
        found: dict[str, Sequence[int]] = {}
        named = [source.id for source in columns.sources], [study.id for study in columns.studies]
        for names, column in zip(named, (columns.evidence.sources, columns.evidence.studies), strict=True):
            numbers = column[columns.rows]
            pairs = np.unique(np.stack([numbers, columns.owners], axis=1)[numbers != NOTHING], axis=0)
            starts = np.searchsorted(pairs[:, 0], np.arange(len(names) + 1))
            for number, name in enumerate(names):  # a trial may be both: what its records and what its results say
                own = pairs[starts[number] : starts[number + 1], 1].tolist()
                found[name] = sorted({*found.get(name, ()), *own})
        return found

    # -------------------------------------------------------------- arcs
    @cached_property
    def _edges(self) -> Ints:
        """Positions of the assertions that are edges."""
        return np.flatnonzero(self.columns.supported)

    @property
    def _subjects(self) -> Ints:
        return self.columns.subjects[self._edges].astype(np.int64)

    @property
    def _objects(self) -> Ints:
        return self.columns.objects[self._edges].astype(np.int64)

    @cached_property
    def _arcs(self) -> tuple[Ints, NDArray[np.int32], NDArray[np.int32], NDArray[np.int16]]:
        """Row pointers, neighbours, assertion positions and codes; an edge from a node to itself is on no path."""
        subjects, objects = self._subjects, self._objects
        codes = 2 * self.columns.relations[self._edges].astype(np.int64)  # see ``code``
        apart = subjects != objects
        subjects, objects, codes, edges = (a[apart] for a in (subjects, objects, codes, self._edges))
        ends = np.concatenate([subjects, objects])
        others = np.concatenate([objects, subjects])
        both = np.concatenate([codes, codes + 1])
        count = len(self.entities)
        order = np.argsort(
            (ends * self.codes + both) * count + others
        )  # no two are alike; a third of what lexsort takes
        indptr = starts_of(np.bincount(ends, minlength=len(self.entities)))
        positions = np.concatenate([edges, edges])[order]
        return indptr, others[order].astype(np.int32), positions.astype(np.int32), both[order].astype(np.int16)

    @property
    def indptr(self) -> Ints:
        """Where the arcs of each node begin; one longer than there are nodes."""
        return self._arcs[0]

    @cached_property
    def arc_counts(self) -> Ints:
        """How many arcs each node has."""
        return np.diff(self.indptr)

    @property
    def neighbours(self) -> NDArray[np.int32]:
        """The node that each arc leads to."""
        return self._arcs[1]

    @property
    def positions(self) -> NDArray[np.int32]:
        """The assertion of each arc."""
        return self._arcs[2]

    @property
    def arc_codes(self) -> NDArray[np.int16]:
        """The code of each arc."""
        return self._arcs[3]

    @cached_property
    def arc_costs(self) -> Ints:
        """-ln(confidence) of each arc's assertion, in units of ``COST_UNIT``: those of a node lie next to each other."""
        return self.costs[self.positions]

    def rows(self, relation: str, *, reversed: bool = False) -> Rows:
        """Return the arcs along one relation (against it, if reversed), as compressed sparse rows of their own."""
        wanted = self.arc_codes == self.code[relation] + reversed
        counts = np.add.reduceat(np.append(wanted, False), self.indptr[:-1]) if len(self.entities) else np.zeros(0, int)
        counts = np.where(np.diff(self.indptr) > 0, counts, 0)  # reduceat gives empty rows their neighbour's value
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Rows(indptr, self.neighbours[wanted].astype(np.int64), self.positions[wanted].astype(np.int64))

    def gather(self, nodes: Ints) -> tuple[Ints, Ints]:
        """Return the places in ``neighbours`` of the arcs of some nodes, node by node, and where each node's end."""
        starts, counts = self.indptr[nodes], self.arc_counts[nodes]
        if len(nodes) == 1:
            return np.arange(starts[0], starts[0] + counts[0]), counts
        ends = counts.cumsum()
        places = (starts - ends + counts).repeat(counts)
        places += np.arange(len(places))
        return places, ends

    def arc_count(self, nodes: Ints | Numbers) -> int:
        """Return the number of arcs of some nodes: what gathering them costs."""
        if len(nodes) == 1:
            return self.arc_counts.item(nodes[0])
        return int(np.add.reduce(self.arc_counts[nodes]))


def costs_of(confidences: NDArray[np.float64]) -> Ints:
    """Return -ln(confidence) of some confidences in units of ``COST_UNIT``, at most ``MAX_COST``."""
    costs = -np.log(np.maximum(confidences, 1e-300)) * COST_UNIT
    whole: Ints = np.minimum(np.rint(costs), MAX_COST).astype(np.int64)
    return whole
