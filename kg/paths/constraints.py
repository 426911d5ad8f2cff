"""What a path may be, as people say it and as numbers that searches use.

``PathConstraints`` is what is asked. ``understand`` resolves its names against a scenario, refuses what
contradicts itself with a sentence that says what to do, and returns a ``Question``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, TypeAlias

from kg.adjacency import Adjacency
from kg.errors import BadInput
from kg.lookup import Reading, kind_named, level_named, relation_named
from kg.model import Model
from kg.overlay import Scenario
from kg.records import Entity

CONFIDENCE, LENGTH, NOVELTY = "CONFIDENCE", "LENGTH", "NOVELTY"
ORDERS = (CONFIDENCE, LENGTH, NOVELTY)
DIRECTIONS = ("both", "out", "in")
SIGNS = (-1, 0, 1)
DEFAULT_LENGTH = 4
DAMPING = 0.25
"""Exponent w of degree^-w. Hetionet's 0.4-0.5 (Himmelstein & Baranzini 2015) was fitted to prediction over
paths that all count edges alike; a ranking to read should prefer specific intermediates without burying the
central ones, which carry most of the curated evidence, so it is damped half as much."""

Named: TypeAlias = str | Entity
Ends: TypeAlias = Named | Sequence[Named]


@dataclass(frozen=True, slots=True)
class PathConstraints:
    """What a path may be; the default allows everything up to four steps.

    ``max_length`` and ``min_length`` count steps; no ``max_length`` means 4, or as many as ``metapath`` has.
    ``relations`` may be walked, under either name; ``kinds`` may stand between the ends; ``via`` lists what a
    path must pass (ends count), ``avoid`` what it must not. ``metapath`` names the relation of every step as
    read along the way: a relation's name walks it forwards, its inverse name backwards, and a symmetric
    relation is walked either way under both. ``levels`` asks every edge for supporting evidence at one of
    some levels, ``min_confidence`` for a confidence. ``direction`` walks every step with ("out") or against
    ("in") its relation; symmetric relations have no direction. ``disputed`` false leaves out edges with
    contradicting evidence. ``signs`` keeps paths whose product of effect signs is among them (-1, 0, +1).
    Assumed edges have no evidence to ask for: ``levels`` and ``disputed`` let them pass.
    """

    max_length: int | None = None
    min_length: int = 1
    relations: Collection[str] | None = None
    kinds: Collection[str] | None = None
    via: Collection[str] = ()
    avoid: Collection[str] = ()
    metapath: Sequence[str] | None = None
    levels: Collection[str] | None = None
    min_confidence: float = 0.0
    direction: str = "both"
    disputed: bool = True
    signs: Collection[int] | None = None

    @property
    def longest(self) -> int:
        """Number of steps a path may have at most."""
        if self.max_length is not None:
            return self.max_length
        return len(self.metapath) if self.metapath else max(DEFAULT_LENGTH, self.min_length)


ANYTHING = PathConstraints()
"""What is asked where nothing is said."""


class Question(NamedTuple):
    """Constraints with every name resolved to a number of ``Adjacency``; equal questions are equal and hash alike.

    ``codes`` may be walked at any step; ``steps`` are the codes of each step of a metapath.
    """

    sources: tuple[int, ...]
    targets: tuple[int, ...]
    shortest: int
    longest: int
    codes: frozenset[int]
    steps: tuple[frozenset[int], ...] | None
    kinds: frozenset[int] | None
    via: frozenset[int]
    avoid: frozenset[int]
    levels: frozenset[str] | None
    min_confidence: float
    disputed: bool
    signs: frozenset[int] | None

    @property
    def key(self) -> tuple[object, ...]:
        """The same for equal questions in every process, unlike the order of sets."""
        return tuple(map(_plain, self))

    @property
    def is_simple(self) -> bool:
        """Whether every walk of the least length between the ends, over what may be walked, is a path that answers."""
        return self.shortest == 1 and self.steps is None and not self.via and self.signs is None

    def of_length(self, length: int) -> Question:
        """Return the same question about paths of one length."""
        return self._replace(shortest=length, longest=length)

    @property
    def lengths(self) -> range:
        """Numbers of steps that a path may have."""
        return range(self.shortest, self.longest + 1)


def resolve(scenario: Scenario, ends: Ends) -> tuple[Entity, ...]:
    """Return the entities of one or several names, each once; raises NotFound for unknown ones."""
    several = [ends] if isinstance(ends, str | Entity) else list(ends)
    if not several:
        return ()
    names = [end if isinstance(end, str) else end.curie for end in several]
    return tuple({entity.curie: entity for entity in map(scenario.graph.entity, names)}.values())


def numbers_of(scenario: Scenario, ends: Ends) -> tuple[int, ...]:
    """Return the numbers of what ``resolve`` returns, without making records of entities that are named by their CURIEs."""
    number, found = scenario.graph.adjacency.number, []
    for end in (ends,) if isinstance(ends, str | Entity) else ends:
        name = end if isinstance(end, str) else end.curie
        own = number.get(name)
        found.append(number[scenario.graph.entity(name).curie] if own is None else own)
    return tuple(found) if len(found) == 1 else tuple(dict.fromkeys(found))


def understand(scenario: Scenario, sources: Ends, targets: Ends | None, asked: PathConstraints) -> Question:
    """Return the question with its names resolved; ``targets`` None leaves the far end open.

    Raises NotFound for unknown names and BadInput for what contradicts itself.
    """
    adjacency, model = scenario.graph.adjacency, scenario.graph.model
    starts, ends = numbers_of(scenario, sources), numbers_of(scenario, targets) if targets is not None else ()
    _check_ends(adjacency, starts, ends, open_=targets is None)
    _check_numbers(asked)
    compared = bool(asked.via or asked.avoid or asked.metapath is not None)  # else nobody needs records of the ends
    from_, to = ([adjacency.entities[number] for number in some] if compared else [] for some in (starts, ends))
    via = resolve(scenario, tuple(asked.via)) if asked.via else ()
    avoid = resolve(scenario, tuple(asked.avoid)) if asked.avoid else ()
    if avoid:
        _check_places(from_, to, via, avoid)
    kinds = None if asked.kinds is None else frozenset(kind_named(model, name).name for name in asked.kinds)
    if via:
        _check_via(asked, [e for e in via if e not in from_ and e not in to], kinds)
    relations = _relations(model, asked)
    steps = None
    if asked.metapath is not None:
        steps = _steps(adjacency, model, asked, relations)
        _check_kinds(adjacency, asked.metapath, from_, to, kinds)
    return Question(
        sources=tuple(sorted(starts)),
        targets=tuple(sorted(ends)),
        shortest=asked.min_length if steps is None else len(steps),
        longest=asked.longest if steps is None else len(steps),
        codes=_all_codes(adjacency, model, relations, asked.direction),
        steps=steps,
        kinds=None if kinds is None else frozenset(adjacency.kind_number[name] for name in kinds),
        via=frozenset(_numbers(adjacency, via)) if via else frozenset(),
        avoid=frozenset(_numbers(adjacency, avoid)) if avoid else frozenset(),
        levels=None if asked.levels is None else frozenset(level_named(model, name).name for name in asked.levels),
        min_confidence=asked.min_confidence,
        disputed=asked.disputed,
        signs=None if asked.signs is None else frozenset(asked.signs),
    )


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    return tuple(map(_plain, value)) if isinstance(value, tuple) else value


def _numbers(adjacency: Adjacency, entities: Iterable[Entity]) -> tuple[int, ...]:
    return tuple(sorted(adjacency.number[entity.curie] for entity in entities))


# ------------------------------------------------------------------ relations
def _relations(model: Model, asked: PathConstraints) -> list[str]:
    """Return the names of the relations that may be walked."""
    if asked.relations is None:
        return list(model.relation)
    if not asked.relations:
        raise BadInput("`relations` is empty, so nothing may be walked; leave it out to allow every relation.")
    return list(dict.fromkeys(relation_named(model, name).relation.name for name in asked.relations))


def _all_codes(adjacency: Adjacency, model: Model, relations: Sequence[str], direction: str) -> frozenset[int]:
    if direction == "both" and len(relations) == len(model.relations):
        return adjacency.all_codes
    return frozenset(chain.from_iterable(_codes(adjacency, model, name, direction) for name in relations))


def _codes(adjacency: Adjacency, model: Model, relation: str, direction: str) -> list[int]:
    code = adjacency.code[relation]
    if direction == "both" or model.relation[relation].symmetric:
        return [code, code + 1]
    return [code + (direction == "in")]


def _steps(
    adjacency: Adjacency, model: Model, asked: PathConstraints, relations: Collection[str]
) -> tuple[frozenset[int], ...]:
    names = asked.metapath or ()
    if not names:
        raise BadInput(
            "The metapath is empty; name the relation of each step, as in targets, expressedOn, drives, or leave it out."
        )
    if not asked.min_length <= len(names) <= asked.longest:
        raise BadInput(
            f"The metapath has {len(names)} steps, but lengths from {asked.min_length} to {asked.longest} are asked for; "
            "leave out minLength and maxLength, or change the metapath."
        )
    return tuple(_step(adjacency, relation_named(model, name), name, asked, relations) for name in names)


def _step(
    adjacency: Adjacency, reading: Reading, name: str, asked: PathConstraints, relations: Collection[str]
) -> frozenset[int]:
    relation, reversed_ = reading
    if relation.name not in relations:
        raise BadInput(f"The metapath walks {name}, which `relations` leaves out; add it there or drop `relations`.")
    code = adjacency.code[relation.name]
    if relation.symmetric:
        return frozenset({code, code + 1})
    if asked.direction == ("out" if reversed_ else "in"):
        raise BadInput(
            f"The metapath walks {name} {'against' if reversed_ else 'with'} its direction, but direction is "
            f"{asked.direction!r}; drop `direction`: the names of a metapath say it already."
        )
    return frozenset({code + reversed_})


def _check_kinds(
    adjacency: Adjacency,
    metapath: Sequence[str],
    from_: Collection[Entity],
    to: Collection[Entity],
    between: Collection[str] | None,
) -> None:
    """Raise BadInput where no chain of kinds leads along the metapath from one end to the other."""
    model = adjacency.model
    here = {entity.kind for entity in from_}
    for i, name in enumerate(metapath):
        there = {end for kind in here for end in adjacency.leads(name, kind)}
        if not there:
            ways = sorted({link.name for kind in here for link in model.links(kind)})
            raise BadInput(
                f"Step {i + 1} of the metapath, {name}, does not start at {_either(here)}, which is where one stands; "
                f"from there lead {', '.join(ways) or 'no relations'}."
            )
        last = i == len(metapath) - 1
        here = there & {entity.kind for entity in to} if last and to else there
        if last and not here:
            raise BadInput(
                f"The metapath ends at {_either(there)}, but `to` is {_either({e.kind for e in to})}; "
                "change its last step or the end."
            )
        if not last and between is not None:
            here = here & set(between)
            if not here:
                raise BadInput(
                    f"After step {i + 1} the metapath stands at {_either(there)}, which `kinds` leaves out; add it there."
                )


def _either(kinds: Iterable[str]) -> str:
    return " or ".join(f"a {kind}" for kind in sorted(kinds))


# ------------------------------------------------------------------ contradictions
def _check_ends(adjacency: Adjacency, from_: Sequence[int], to: Sequence[int], *, open_: bool) -> None:
    if not from_ or not (to or open_):
        raise BadInput(f"`{'to' if from_ else 'from'}` is empty; a path needs an entity at each end.")
    shared = [adjacency.entities[number] for number in from_ if number in to]
    if shared:
        names = ", ".join(f"{entity.label} ({entity.curie})" for entity in shared)
        raise BadInput(
            f"{names} stands in both `from` and `to`, and a path leads from one thing to another: take it out of one, "
            "or ask for what is reachable from it."
        )


def _check_numbers(asked: PathConstraints) -> None:
    if asked.min_length < 1 or asked.longest < 1:
        raise BadInput("A path has one step or more; set minLength and maxLength to 1 or more.")
    if asked.min_length > asked.longest:
        raise BadInput(
            f"minLength is {asked.min_length} and maxLength {asked.longest}, which no path fulfils; swap or widen them."
        )
    if not 0.0 <= asked.min_confidence <= 1.0:
        raise BadInput(f"minConfidence must lie from 0 to 1, not {asked.min_confidence:g}.")
    if asked.direction not in DIRECTIONS:
        raise BadInput(f"The direction {asked.direction!r} is none of {', '.join(DIRECTIONS)}.")
    if asked.signs is not None and (not asked.signs or not set(asked.signs) <= set(SIGNS)):
        raise BadInput("`signs` holds some of -1, 0 and 1; leave it out to allow all of them.")
    if asked.levels is not None and not asked.levels:
        raise BadInput("`levels` is empty, which no evidence fulfils; leave it out to allow every level.")


def _check_places(
    from_: Collection[Entity], to: Collection[Entity], via: Collection[Entity], avoid: Collection[Entity]
) -> None:
    for place, entities in (("from", from_), ("to", to), ("via", via)):
        clash = [entity for entity in avoid if entity in entities]
        if clash:
            names = ", ".join(f"{entity.label} ({entity.curie})" for entity in clash)
            raise BadInput(f"{names} stands in both `{place}` and `avoid`; take it out of one.")


def _check_via(asked: PathConstraints, between: Sequence[Entity], kinds: Collection[str] | None) -> None:
    """Raise BadInput where what must be passed cannot lie between the ends."""
    if len(between) >= asked.longest:
        raise BadInput(
            f"A path of at most {asked.longest} steps has no room for the {len(between)} entities in `via`; "
            f"raise maxLength to {len(between) + 1} or more, or name fewer."
        )
    left_out = [entity for entity in between if kinds is not None and entity.kind not in kinds]
    if left_out:
        entity = left_out[0]
        raise BadInput(
            f"{entity.label} ({entity.curie}) in `via` is a {entity.kind}, which `kinds` leaves out; add it there."
        )
