"""Bounded pieces of the graph to look at."""

from __future__ import annotations

import heapq
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kg.errors import BadInput
from kg.records import Assertion, Edge, Entity

if TYPE_CHECKING:
    from kg.columns import Bools, Ints
    from kg.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a view may contain; None means anything. ``direction`` is out, in or both, seen from the start."""

    relations: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    levels: frozenset[str] | None = None
    avoid: frozenset[str] = frozenset()
    min_confidence: float = 0.0
    direction: str = "both"

    def allows(self, edge: Edge) -> bool:
        """Whether an edge may be walked."""
        return (
            (self.relations is None or edge.assertion.relation in self.relations)
            and self.admits(edge.node)
            and edge.assertion.confidence >= self.min_confidence
            and (self.direction == "both" or (self.direction == "in") is edge.reversed)
            and self.knows(edge.assertion)
        )

    def admits(self, entity: Entity) -> bool:
        """Whether an edge may lead to an entity."""
        return (self.kinds is None or entity.kind in self.kinds) and entity.curie not in self.avoid

    def knows(self, assertion: Assertion) -> bool:
        """Whether some evidence of an assertion is of a level that is looked for."""
        return self.levels is None or any(item.level.name in self.levels for item in assertion.evidence)


ANYTHING = Constraints()
FAR = (sys.maxsize, 1.0)


@dataclass(frozen=True, slots=True)
class ViewNode:
    """An entity in a view: hops from the nearest start, and how many of its edges are not shown."""

    entity: Entity
    distance: int
    hidden: int


@dataclass(frozen=True, slots=True)
class View:
    """A piece of the graph: nodes nearest and most trusted first, all allowed edges among them.

    ``total_nodes`` counts what the depth and the constraints allow, ``total_edges`` the allowed edges among
    ``nodes``; ``truncated_by`` names the limit that left some of it out, nodes before edges, or is None.
    """

    nodes: tuple[ViewNode, ...]
    edges: tuple[Assertion, ...]
    total_nodes: int
    total_edges: int
    truncated_by: str | None = None


class _Candidate(NamedTuple):
    """A way to reach an entity; candidates sort by the first three, as no two have the same turn."""

    distance: int
    doubt: float
    turn: int
    entity: Entity


def neighbourhood(
    around: Sequence[Entity],
    depth: int,
    max_nodes: int,
    constraints: Constraints | None = None,
    *,
    max_edges: int | None = None,
) -> View:
    """Return what lies within ``depth`` hops of some entities, at most ``max_nodes`` and ``max_edges`` of it.

    Nodes are taken hop by hop; within a hop, those reached over more trusted edges come first
    (product of confidences along the way). Of the edges, one that leads to each node is kept first, so that
    the view hangs together, and then the most trusted. Raises BadInput for a depth or size below what makes sense.
    """
    if depth < 0 or max_nodes < 1:
        raise BadInput(
            f"A view needs a depth of 0 or more and room for 1 node or more, not depth {depth} and {max_nodes} nodes."
        )
    if max_edges is not None and max_edges < 0:
        raise BadInput(f"A view has room for 0 edges or more, not {max_edges}.")
    constraints = constraints or Constraints()
    reached = list(_reach(around, depth, constraints))
    kept = reached[: max(max_nodes, len({entity.curie for entity in around}))]
    edges, total = _edges(kept, constraints, max_edges)
    shown = Counter(end.curie for assertion in edges for end in (assertion.subject, assertion.object))
    nodes = tuple(ViewNode(c.entity, c.distance, c.entity.degree - shown[c.entity.curie]) for c in kept)
    cut = "maxNodes" if len(kept) < len(reached) else "maxEdges" if len(edges) < total else None
    return View(nodes, edges, len(reached), total, cut)


def _edges(kept: Sequence[_Candidate], constraints: Constraints, most: int | None) -> tuple[tuple[Assertion, ...], int]:
    """Return the edges between some nodes, in the order of those, and how many there are without the limit."""
    if not kept:
        return (), 0
    graph = kept[0].entity.graph
    positions = _allowed_among(graph, kept, constraints)
    total = len(positions)
    if most is not None and total > most:
        positions = positions[_most_telling(graph, positions, kept, most)]
    return tuple(graph.assertions.at(position) for position in positions.tolist()), total


def _allowed_among(graph: Snapshot, kept: Sequence[_Candidate], constraints: Constraints) -> Ints:
    """Return the positions of the edges that may be walked between some nodes, from either end or as ``direction`` says."""
    columns = graph.columns
    positions = graph.edges_among(candidate.entity for candidate in kept)
    rank = _by_number(graph, kept, range(len(kept)))
    ends = np.stack([rank[columns.subjects[positions]], rank[columns.objects[positions]]])
    order = np.lexsort((positions, ends.max(axis=0, initial=-1), ends.min(axis=0, initial=len(kept))))
    return positions[order[_walkable(graph, positions[order], kept, constraints)]]


def _walkable(graph: Snapshot, positions: Ints, kept: Sequence[_Candidate], constraints: Constraints) -> Bools:
    """Return which edges ``constraints`` let through, from one end or the other; as ``Constraints.allows`` says of one."""
    columns, model = graph.columns, graph.model
    able = np.ones(len(positions), bool)
    if constraints == ANYTHING:
        return able
    able &= columns.confidences[positions] >= constraints.min_confidence
    if constraints.relations is not None:
        able &= np.isin(
            columns.relations[positions], [i for i, r in enumerate(model.relations) if r.name in constraints.relations]
        )
    allowed = _by_number(graph, kept, (constraints.admits(candidate.entity) for candidate in kept)) > 0
    onward, back = allowed[columns.objects[positions]], allowed[columns.subjects[positions]]
    able &= {"both": onward | back, "out": onward, "in": back}[constraints.direction]
    if constraints.levels is not None:
        for at in np.flatnonzero(able).tolist():
            able[at] = constraints.knows(graph.assertions.at(int(positions[at])))
    return able


def _most_telling(graph: Snapshot, positions: Ints, kept: Sequence[_Candidate], most: int) -> Ints:
    """Return which of the edges stay: the best that leads to each node from one hop nearer, then the most trusted."""
    columns = graph.columns
    best = np.argsort(-columns.confidences[positions], kind="stable")
    distance = _by_number(graph, kept, (candidate.distance for candidate in kept))
    subjects, objects = columns.subjects[positions[best]], columns.objects[positions[best]]
    onward = np.flatnonzero(distance[subjects] != distance[objects])
    farther = np.where(distance[subjects] > distance[objects], subjects, objects)[onward]
    leading = onward[np.unique(farther, return_index=True)[1]]
    first = np.zeros(len(best), bool)
    first[leading] = True
    chosen: Ints = np.sort(best[np.concatenate([np.flatnonzero(first), np.flatnonzero(~first)])[:most]])
    return chosen


def _by_number(graph: Snapshot, kept: Sequence[_Candidate], values: Iterable[int]) -> Ints:
    """Return values of some nodes where the graph has their numbers, and 0 elsewhere."""
    found = np.zeros(len(graph.entities), np.int64)
    found[[graph.columns.number[candidate.entity.curie] for candidate in kept]] = list(values)
    return found


def _allowed(entity: Entity, constraints: Constraints) -> Iterator[Edge]:
    edges = chain.from_iterable(entity.links.values())
    return edges if constraints == ANYTHING else filter(constraints.allows, edges)


def _reach(around: Sequence[Entity], depth: int, constraints: Constraints) -> Iterator[_Candidate]:
    turn = count()
    heap = [_Candidate(0, 0.0, next(turn), entity) for entity in around]
    best = {entity.curie: (0, 0.0) for entity in around}
    seen: set[str] = set()
    while heap:
        here = heapq.heappop(heap)
        if here.entity.curie in seen:
            continue
        seen.add(here.entity.curie)
        yield here
        if here.distance < depth:
            distance = here.distance + 1
            for node, doubt in _steps(here, constraints):
                if (distance, doubt) < best.get(node.curie, FAR):  # a later way that is no better never wins
                    best[node.curie] = (distance, doubt)
                    heapq.heappush(heap, _Candidate(distance, doubt, next(turn), node))


def _steps(here: _Candidate, constraints: Constraints) -> Iterator[tuple[Entity, float]]:
    trust = 1.0 - here.doubt
    for edge in _allowed(here.entity, constraints):
        yield edge.node, 1.0 - trust * edge.assertion.confidence
