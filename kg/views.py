"""Bounded pieces of the graph to look at."""

from __future__ import annotations

import heapq
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import NamedTuple

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
    distances = {candidate.entity.curie: candidate.distance for candidate in kept}
    among = {
        edge.assertion.id: edge.assertion
        for c in kept
        for edge in _allowed(c.entity, constraints)
        if edge.node.curie in distances
    }
    edges = tuple(among.values())
    if max_edges is not None and len(edges) > max_edges:
        edges = _most_telling(edges, distances, max_edges)
    shown = Counter(end.curie for assertion in edges for end in (assertion.subject, assertion.object))
    nodes = tuple(ViewNode(c.entity, c.distance, c.entity.degree - shown[c.entity.curie]) for c in kept)
    cut = "maxNodes" if len(kept) < len(reached) else "maxEdges" if len(edges) < len(among) else None
    return View(nodes, edges, len(reached), len(among), cut)


def _most_telling(edges: Sequence[Assertion], distances: Mapping[str, int], most: int) -> tuple[Assertion, ...]:
    """Return ``most`` of the edges, in their order: first the best that leads to each node from one hop nearer."""
    ranked = sorted(edges, key=lambda edge: (-edge.confidence, edge.id))
    joined: set[str] = set()
    leading = []
    for edge in ranked:
        near, far = sorted((edge.subject.curie, edge.object.curie), key=distances.__getitem__)
        if distances[near] < distances[far] and far not in joined:
            joined.add(far)
            leading.append(edge.id)
    kept = set(islice(dict.fromkeys([*leading, *(edge.id for edge in ranked)]), most))
    return tuple(edge for edge in edges if edge.id in kept)


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
