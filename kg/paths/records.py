"""A path as people read it: its nodes and steps, a sentence, and a score split into terms."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from kg.adjacency import COST_UNIT
from kg.model import Relation
from kg.records import Assertion, Entity, Evidence
from kg.wording import Verb, chain

if TYPE_CHECKING:
    from kg.paths.ground import Ground
    from kg.paths.ranking import Found


@dataclass(frozen=True, slots=True)
class Term:
    """One factor of a score: what it is, and its value."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Score:
    """A score in [0, 1], the product of its terms."""

    value: float
    terms: tuple[Term, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One edge as walked from ``start`` to ``end``; ``reversed`` if against its relation.

    ``assumed`` marks an edge that the client assumed; ``model`` is the relation's record.
    """

    start: Entity
    end: Entity
    assertion: Assertion
    model: Relation
    reversed: bool
    assumed: bool = False

    @property
    def relation(self) -> str:
        """Name of the relation, whichever way it is walked."""
        return self.model.name

    @property
    def name(self) -> str:
        """Name of the relation as walked: of its inverse, if reversed."""
        return self.model.inverse if self.reversed else self.model.name

    @property
    def phrase(self) -> str:
        """The relation as walked, in words."""
        return self.model.phrases(self.reversed)[0]

    @property
    def sign(self) -> int:
        """The relation's effect sign."""
        return self.model.effect_sign

    @property
    def confidence(self) -> float:
        """Confidence of the edge under the scenario, in [0, 1]."""
        return self.assertion.confidence

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Evidence of the edge, newest first."""
        return self.assertion.evidence

    def __repr__(self) -> str:
        return f"<Step {self.start.curie} {self.name} {self.end.curie} {self.confidence:.2f}>"


class Steps:
    """The steps of some paths, each made once, when somebody asks for it."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._made: dict[tuple[int, int], Step] = {}

    def of(self, found: Found, nodes: Sequence[Entity]) -> tuple[Step, ...]:
        """Return the steps of a path between its nodes."""
        made, steps = self._made, []
        for i, key in enumerate(zip(found.nodes[:-1], found.edges, strict=True)):
            step = made.get(key)
            if step is None:  # of two threads, one is right
                step = made.setdefault(key, self._step(nodes[i], nodes[i + 1], self.ground.assertion(key[1])))
            steps.append(step)
        return tuple(steps)

    def _step(self, start: Entity, end: Entity, assertion: Assertion) -> Step:
        scenario = self.ground.scenario
        relation = scenario.graph.model.relation[assertion.relation]
        return Step(start, end, assertion, relation, assertion.subject is not start, scenario.is_assumed(assertion.id))


class Path:
    """A path: steps one after another between ``nodes``, no node twice.

    The score is the product of the edges' confidences and, for each node between the ends, its number of
    edges to the power of minus ``damping``: through a hub, which everything is connected to, little is explained.
    """

    def __init__(self, nodes: tuple[Entity, ...], found: Found, steps: Steps) -> None:
        self.nodes = nodes
        self.cost = found.cost
        self._found = found
        self._steps = steps

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The edges as walked."""
        return self._steps.of(self._found, self.nodes)

    @property
    def degrees(self) -> tuple[int, ...]:
        """The number of edges of each node between the ends."""
        return tuple(map(self._steps.ground.degree, self._found.nodes[1:-1]))

    @property
    def damping(self) -> float:
        """The exponent of what hubs take from the score."""
        return self._steps.ground.damping

    @property
    def length(self) -> int:
        """Number of steps."""
        return len(self.nodes) - 1

    @cached_property
    def id(self) -> str:
        """An identifier that the same path has in every version: a hash of where it starts and its assertions."""
        text = "\n".join([self.nodes[0].curie, *(step.assertion.id for step in self.steps)])
        return f"path:{hashlib.sha256(text.encode()).hexdigest()[:20]}"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the nodes."""
        return tuple(node.kind for node in self.nodes)

    @property
    def metapath(self) -> tuple[str, ...]:
        """The names of the relations as walked; as ``PathConstraints.metapath`` takes them."""
        return tuple(step.name for step in self.steps)

    @cached_property
    def score(self) -> Score:
        """How much the path explains, in [0, 1], with the factors that it is the product of."""
        terms = [Term(f"confidence of “{_claim(step)}”", step.confidence) for step in self.steps]
        terms += [
            Term(f"{node.label} has {degree} edges: {degree}^-{self.damping:g}", degree**-self.damping)
            for node, degree in zip(self.nodes[1:-1], self.degrees, strict=True)
        ]
        certain = all(step.confidence > 0.0 for step in self.steps)
        value = float(f"{math.exp(-self.cost / COST_UNIT):.11g}")  # what costs in whole units are good for
        return Score(value if certain else 0.0, tuple(terms))

    @property
    def sign(self) -> int:
        """The product of the steps' effect signs: what more of the start does to the end; 0 where a step says nothing."""
        return math.prod(step.sign for step in self.steps)

    @cached_property
    def weakest_step(self) -> Step:
        """The step of the least confidence; of several, the first."""
        return min(self.steps, key=lambda step: step.confidence)

    @cached_property
    def newest(self) -> date | None:
        """The day of the newest evidence on the path; None where all of it is assumed."""
        return max((step.assertion.latest for step in self.steps if step.evidence), default=None)

    @property
    def assumed(self) -> bool:
        """Whether any step was assumed."""
        return any(step.assumed for step in self.steps)

    @cached_property
    def text(self) -> str:
        """The path as a sentence, in the model's phrases."""
        return sentence(self.steps)

    def __repr__(self) -> str:
        return f"<Path {self.score.value:.3f} {self.text!r}>"


def sentence(steps: Sequence[Step]) -> str:
    """Return steps as a sentence: “A targets B, which is expressed on Cs, which drive D”."""
    names = [steps[0].start.label, *(step.end.label for step in steps)]
    return chain(names, [Verb(*step.model.phrases(step.reversed), " (assumed)" * step.assumed) for step in steps])


def _claim(step: Step) -> str:
    a = step.assertion
    return f"{a.subject.label} {a.relation} {a.object.label}"
