"""Bounded pieces of the graph to look at."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from kg.errors import BadInput
from kg.records import Assertion, Edge, Entity


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
            and (self.kinds is None or edge.node.kind in self.kinds)
            and edge.node.curie not in self.avoid
            and edge.assertion.confidence >= self.min_confidence
            and (self.direction == "both" or (self.direction == "in") is edge.reversed)
            and (self.levels is None or any(e.level.name in self.levels for e in edge.assertion.evidence))
        )


@dataclass(frozen=True, slots=True)
class ViewNode:
    """An entity in a view: hops from the nearest start, and how many of its edges are not shown."""

    entity: Entity
    distance: int
    hidden: int


@dataclass(frozen=True, slots=True)
class View:
    """A piece of the graph: nodes nearest and most trusted first, all allowed edges among them.

    ``total_nodes`` counts what the depth and the constraints allow; ``truncated_by`` names the limit
    that left some of it out, or is None.
    """

    nodes: tuple[ViewNode, ...]
    edges: tuple[Assertion, ...]
    total_nodes: int
    truncated_by: str | None = None


@dataclass(order=True)
class _Candidate:
    distance: int
    doubt: float
    turn: int
    entity: Entity = field(compare=False)


def neighbourhood(around: Sequence[Entity], depth: int, max_nodes: int, constraints: Constraints | None = None) -> View:
    """Return what lies within ``depth`` hops of some entities, at most ``max_nodes`` of it.

    Nodes are taken hop by hop; within a hop, those reached over more trusted edges come first
    (product of confidences along the way). Raises BadInput for a depth or size below what makes sense.
    """
    if depth < 0 or max_nodes < 1:
        raise BadInput(
            f"A view needs a depth of 0 or more and room for 1 node or more, not depth {depth} and {max_nodes} nodes."
        )
    constraints = constraints or Constraints()
    reached = list(_reach(around, depth, constraints))
    kept = reached[: max(max_nodes, len({entity.curie for entity in around}))]
    chosen = {candidate.entity.curie for candidate in kept}
    edges = {
        edge.assertion.id: edge.assertion
        for c in kept
        for edge in _allowed(c.entity, constraints)
        if edge.node.curie in chosen
    }
    nodes = tuple(ViewNode(c.entity, c.distance, _hidden(c.entity, edges)) for c in kept)
    return View(nodes, tuple(edges.values()), len(reached), "maxNodes" if len(kept) < len(reached) else None)


def _allowed(entity: Entity, constraints: Constraints) -> Iterator[Edge]:
    return (edge for edges in entity.links.values() for edge in edges if constraints.allows(edge))


def _hidden(entity: Entity, shown: Collection[str]) -> int:
    return sum(edge.assertion.id not in shown for edges in entity.links.values() for edge in edges)


def _reach(around: Sequence[Entity], depth: int, constraints: Constraints) -> Iterator[_Candidate]:
    turn = count()
    heap = [_Candidate(0, 0.0, next(turn), entity) for entity in around]
    heapq.heapify(heap)
    seen: set[str] = set()
    while heap:
        here = heapq.heappop(heap)
        if here.entity.curie in seen:
            continue
        seen.add(here.entity.curie)
        yield here
        if here.distance < depth:
            for edge in _allowed(here.entity, constraints):
                if edge.node.curie not in seen:
                    trust = (1.0 - here.doubt) * edge.confidence
                    heapq.heappush(heap, _Candidate(here.distance + 1, 1.0 - trust, next(turn), edge.node))
