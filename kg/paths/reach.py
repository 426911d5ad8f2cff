"""What can be reached from somewhere, and how far things are apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kg.budget import Budget
from kg.columns import Ints
from kg.overlay import Scenario
from kg.paths.constraints import Ends, PathConstraints, understand
from kg.paths.ground import Ground, Spent
from kg.paths.layers import Core
from kg.paths.ranking import Ranking
from kg.records import Entity


@dataclass(frozen=True, slots=True)
class Reached:
    """An entity and the least number of steps of a path to it."""

    entity: Entity
    distance: int


@dataclass(frozen=True)
class Reach:
    """All that paths from some starts lead to, nearest first, by kind and label within a distance.

    ``truncated_by`` names the limit that ended the search; then there may be more, at ``searched_to`` steps
    and beyond.
    """

    nodes: tuple[Reached, ...]
    searched_to: int
    truncated_by: str | None

    @property
    def by_kind(self) -> Mapping[str, int]:
        """Number of entities of each kind, most first."""
        return dict(sorted(Counter(r.entity.kind for r in self.nodes).items(), key=lambda row: (-row[1], row[0])))

    @property
    def by_distance(self) -> Mapping[int, int]:
        """Number of entities at each distance."""
        return dict(sorted(Counter(r.distance for r in self.nodes).items()))

    @property
    def exhaustive(self) -> bool:
        """Whether nothing was left out."""
        return self.truncated_by is None


def reachable(
    scenario: Scenario, sources: Ends, constraints: PathConstraints | None = None, *, budget: Budget | None = None
) -> Reach:
    """Return every entity that a path under the constraints leads to from any of the sources.

    ``kinds`` bounds what lies on the way, not where it leads. Raises what ``find_paths`` raises.
    """
    question = understand(scenario, sources, None, constraints or PathConstraints())
    budget = budget or Budget()
    ground = Ground(scenario, question, budget)
    distances, searched, stopped = _spread(ground) if question.is_simple else _checked(ground)
    entities = ground.adjacency.entities
    order = np.lexsort((np.arange(ground.count), distances))
    nodes = tuple(Reached(entities[i], int(distances[i])) for i in order if distances[i] > 0)
    return Reach(nodes, searched, stopped)


def _spread(ground: Ground) -> tuple[Ints, int, str | None]:
    """Return the distance of every node (0: not reached), by breadth-first search."""
    asked = ground.question
    distances = np.zeros(ground.count, np.int64)
    frontier = np.array(asked.sources, np.int64)
    seen = np.zeros(ground.count, np.bool_)
    seen[frontier] = True
    for step in range(1, asked.longest + 1):
        try:
            heads = ground.forward(frontier, ground.codes).heads
        except Spent:
            return distances, step, ground.budget.exhausted_by
        heads = np.unique(heads[~seen[heads]])
        heads = heads[~np.isin(heads, sorted(asked.avoid))]
        seen[heads] = True
        distances[heads] = step
        frontier = heads[ground.between[heads]]
        if not len(frontier):
            break
    return distances, asked.longest, None


def _checked(ground: Ground) -> tuple[Ints, int, str | None]:
    """Return the same under constraints that a breadth-first search does not see: walks propose, paths confirm."""
    asked, budget = ground.question, ground.budget
    distances = np.zeros(ground.count, np.int64)
    for length in asked.lengths:
        for node in _proposed(ground, length):
            if distances[node] or not budget.spend():
                continue
            question = asked._replace(targets=(int(node),), shortest=length, longest=length)
            if node not in asked.sources and node not in asked.avoid:
                ranking = Ranking(Core(Ground(ground.scenario, question, budget)), "LENGTH")
                distances[node] = length if ranking.next(budget) else 0
        if budget.exhausted_by:
            return distances, length, budget.exhausted_by
    return distances, asked.longest, None


def _proposed(ground: Ground, length: int) -> Ints:
    """Return the nodes that walks of some length lead to, constraints on whole paths aside."""
    nodes = np.array(ground.question.sources, np.int64)
    plain = Ground(ground.scenario, ground.question._replace(signs=None), ground.budget)
    passed = plain.between.copy()
    passed[sorted(ground.question.via)] = True
    for i in range(length):
        try:
            codes = plain.codes if plain.steps is None else plain.steps[i]
            nodes = np.unique(plain.forward(nodes[passed[nodes]] if i else nodes, codes).heads)
        except Spent:
            return np.zeros(0, np.int64)
    return nodes
