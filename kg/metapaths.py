"""Metapaths: the sequences of relations along which one kind may reach another.

A metapath is to the metagraph (kinds and relations) what a path is to the graph. Hypotheses are
scored per metapath (Sun et al. 2011, VLDB 4:992; Himmelstein & Baranzini 2015, PLOS Comput Biol
11:e1004259), so this module enumerates them, reads them from names, and says what each argues.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import NamedTuple

from kg.errors import BadInput, NearMatch, NotFound
from kg.model import Model, Relation
from kg.wording import Verb, kind_chain

MAX_LENGTH = 4  # repeated nodes are excluded exactly up to here (kg/matrices.py)

SUPPORTS, AGAINST, ASSOCIATION = "SUPPORTS", "AGAINST", "ASSOCIATION"

Metaedge = tuple[str, str, str]
"""Subject kind, relation, object kind."""


class Step(NamedTuple):
    """One relation as walked: from ``source`` to ``target``, against its direction if ``reversed``.

    A tuple, as products of matrices are looked up by the steps that they are made of.
    """

    source: str
    relation: str
    target: str
    reversed: bool

    @property
    def metaedge(self) -> Metaedge:
        """The kinds and relation as stored, subject first."""
        return (self.target, self.relation, self.source) if self.reversed else (self.source, self.relation, self.target)


@dataclass(frozen=True)
class Metapath:
    """A sequence of steps; two are equal when their steps are.

    ``names`` are the relations as seen on the way (the inverse's name where walked backwards);
    ``sign`` is the product of their effect signs: +1 the start increases the end, -1 it decreases
    it, 0 nothing is said. ``stance`` is what a path of it argues about the predicted relation:
    SUPPORTS, AGAINST, or ASSOCIATION where the sign is 0.
    """

    steps: tuple[Step, ...]
    names: tuple[str, ...]
    sign: int
    stance: str
    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Metapath) and self.steps == other.steps

    def __hash__(self) -> int:
        return hash(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its nodes, one more than steps."""
        return (self.steps[0].source, *(step.target for step in self.steps))

    @property
    def id(self) -> str:
        """Its names in one string, as ``parse_metapath`` reads them."""
        return " > ".join(self.names)

    @property
    def order(self) -> tuple[int, tuple[str, ...], tuple[Step, ...]]:
        """Sort key: shorter first, then by name."""
        return len(self.steps), self.names, self.steps


class Metagraph:
    """The relations of a model that have edges, between which kinds, and what hypotheses are about.

    ``edges`` gives the (subject kind, relation, object kind) triples that occur. Raises BadInput
    where the model predicts nothing.
    """

    def __init__(self, model: Model, edges: Iterable[Metaedge], predicts: Sequence[str] | None = None) -> None:
        self.model = model
        self.predicts = tuple(predicts if predicts is not None else model.predicts)
        self.edges = frozenset(edges)
        self._check_predicts()
        self.steps_from: dict[str, list[Step]] = defaultdict(list)
        for source, name, target in sorted(self.edges):
            self.steps_from[source].append(Step(source, name, target, False))
            if not model.relation[name].symmetric:  # a symmetric relation is the same walked either way
                self.steps_from[target].append(Step(target, name, source, True))

    def _check_predicts(self) -> None:
        if not self.predicts:
            raise BadInput("The schema names no kg:predicts relation, so there is nothing to make hypotheses about.")
        for name in self.predicts:
            if name not in self.model.relation:
                raise NotFound("relation", name, _near(name, self.model.relation))

    @cached_property
    def ends(self) -> tuple[str, str]:
        """The kinds of subject and object of a hypothesis; raises BadInput where the predicted relations disagree."""
        pairs = [set(self.model.relation[name].pairs()) for name in self.predicts]
        common = sorted(set.intersection(*pairs))
        if len(common) != 1:
            raise BadInput(
                f"The predicted relations {', '.join(self.predicts)} must share one subject kind and one object kind."
            )
        return common[0]

    @property
    def end_names(self) -> tuple[str, str]:
        """What the two ends are called: as their kinds are, or subject and object where these are equal."""
        first, second = (kind[:1].lower() + kind[1:] for kind in self.ends)
        return (first, second) if first != second else ("subject", "object")

    @cached_property
    def wanted_sign(self) -> int:
        """The effect that the predicted relations state: their common sign, 0 if they state none."""
        signs = {self.model.relation[name].effect_sign for name in self.predicts} - {0}
        return signs.pop() if len(signs) == 1 else 0

    @cached_property
    def claims(self) -> frozenset[str]:
        """Relations that speak of the predicted relation itself: those predicted, attempts at them, results against them."""
        attempts = {r.name for r in self.model.relations if set(r.attempt_of) & set(self.predicts)}
        return self.opposing | attempts | set(self.predicts)

    @cached_property
    def harms(self) -> frozenset[str]:
        """Kinds of harms: the objects of relations that the schema marks as such."""
        return frozenset(kind for relation in self.model.relations if relation.harm for kind in relation.objects)

    @cached_property
    def opposing(self) -> frozenset[str]:
        """Relations whose edges speak against a predicted one."""
        return frozenset(r.name for r in self.model.relations if set(r.speaks_against) & set(self.predicts))

    # -------------------------------------------------------------- making
    def metapath(self, steps: Sequence[Step]) -> Metapath:
        """Return the metapath of these steps, with its names, sign, stance and text."""
        relations = [self.model.relation[step.relation] for step in steps]
        names = tuple(r.inverse if s.reversed else r.name for r, s in zip(relations, steps, strict=True))
        sign = math.prod(relation.effect_sign for relation in relations)
        return Metapath(tuple(steps), names, sign, self._stance(relations, sign), self._text(steps, relations))

    def _stance(self, relations: Sequence[Relation], sign: int) -> str:
        if sum(relation.name in self.opposing for relation in relations) % 2:
            return AGAINST
        argued = sign * self.wanted_sign
        return SUPPORTS if argued > 0 else AGAINST if argued < 0 else ASSOCIATION

    def _text(self, steps: Sequence[Step], relations: Sequence[Relation]) -> str:
        label = {kind.name: kind.label for kind in self.model.kinds}
        kinds = [label[steps[0].source], *(label[step.target] for step in steps)]
        verbs = [Verb(*r.phrases(s.reversed)) for r, s in zip(relations, steps, strict=True)]
        return kind_chain(kinds, verbs)

    def enumerate(
        self, max_length: int = 3, relations: Collection[str] | None = None, source: str = "", target: str = ""
    ) -> tuple[Metapath, ...]:
        """Return all metapaths between the kinds of a hypothesis, shortest first, at most ``max_length`` steps.

        The predicted relations alone are left out (they are what is predicted); inside a longer
        metapath they are allowed, as in Rephetio's Compound-resembles-Compound-treats-Disease.
        Metapaths that say nothing of a pair (``argues``) are left out. ``relations`` restricts the relations
        walked, and then those too are kept. Raises BadInput for a length outside 1 … 4.
        """
        if not 1 <= max_length <= MAX_LENGTH:
            raise BadInput(f"Metapaths have 1 to {MAX_LENGTH} steps, not {max_length}.")
        source, target = source or self.ends[0], target or self.ends[1]
        reach = self._distances(target, max_length)
        walked = (self.metapath(steps) for steps in self._walks((), source, target, max_length, reach))
        found = [m for m in walked if not self._trivial(m) and self._wanted(m, relations)]
        return tuple(sorted(found, key=lambda m: m.order))

    def _wanted(self, metapath: Metapath, relations: Collection[str] | None) -> bool:
        if relations is None:
            return self.argues(metapath)
        return all(step.relation in relations for step in metapath.steps)

    def passes_harm(self, metapath: Metapath) -> bool:
        """Whether a harm stands between the ends."""
        return not self.harms.isdisjoint(metapath.kinds[1:-1])

    def argues(self, metapath: Metapath) -> bool:
        """Whether a metapath says anything of a pair: harms and failures that others share are no reason to try it.

        A failed test counts only against, and only where it is of one of the ends. So does a harm: where it comes
        with the subject and, by the signs, worsens the object, without the detour over what else is tried there.
        """
        failed = [number for number, step in enumerate(metapath.steps) if step.relation in self.opposing]
        if failed and (len(failed) > 1 or failed[0] not in (0, len(metapath) - 1)):
            return False
        if not self.passes_harm(metapath):
            return True
        entering = [step for step in metapath.steps[:-1] if step.target in self.harms]
        comes_with = all(self.model.relation[step.relation].harm and not step.reversed for step in entering)
        detour = any(step.relation in self.claims for step in metapath.steps)
        return comes_with and not detour and bool(metapath.sign) and metapath.stance == AGAINST

    def _trivial(self, metapath: Metapath) -> bool:
        return len(metapath) == 1 and metapath.steps[0].relation in self.predicts

    def _distances(self, target: str, max_length: int) -> dict[str, int]:
        """Fewest steps from each kind to the target kind."""
        distance, frontier = {target: 0}, [target]
        for hops in range(1, max_length + 1):
            frontier = [
                kind
                for kind, steps in self.steps_from.items()
                if kind not in distance and any(step.target in frontier for step in steps)
            ]
            distance.update(dict.fromkeys(frontier, hops))
        return distance

    def _walks(
        self, done: tuple[Step, ...], here: str, target: str, left: int, reach: dict[str, int]
    ) -> Iterator[tuple[Step, ...]]:
        if done and here == target:
            yield done
        for step in self.steps_from.get(here, ()) if left else ():
            if reach.get(step.target, left) < left:
                yield from self._walks((*done, step), step.target, target, left - 1, reach)

    # -------------------------------------------------------------- reading
    def parse(self, names: str | Sequence[str], source: str = "", target: str = "") -> tuple[Metapath, ...]:
        """Return the metapaths that a sequence of relation names means: several, where kinds leave a choice.

        ``names`` is a list, or one string with ``,`` or ``>`` between names; a name is a relation's
        or its inverse's. Raises BadInput that says where the sequence breaks, NotFound for a name
        that is no relation.
        """
        wanted = [n.strip() for n in names.replace(">", ",").split(",")] if isinstance(names, str) else list(names)
        if not any(wanted):
            raise BadInput("The metapath is empty; name at least one relation.")
        if len(wanted) > MAX_LENGTH:
            raise BadInput(
                f"The metapath {' > '.join(wanted)} has {len(wanted)} steps; at most {MAX_LENGTH} can be scored."
            )
        source, target = source or self.ends[0], target or self.ends[1]
        routes: list[tuple[Step, ...]] = [()]
        for name in wanted:
            routes = self._extended(routes, name, source, " > ".join(wanted))
        arrived = [self.metapath(route) for route in routes if route[-1].target == target]
        if not arrived:
            ends = sorted({route[-1].target for route in routes})
            raise BadInput(f"The metapath {' > '.join(wanted)} ends at {', '.join(ends)}, but must end at {target}.")
        if all(map(self._trivial, arrived)):
            raise BadInput(f"{wanted[0]} is what hypotheses predict; it cannot be its own evidence.")
        return tuple(sorted(arrived, key=lambda m: m.order))

    def _extended(
        self, routes: Sequence[tuple[Step, ...]], name: str, source: str, whole: str
    ) -> list[tuple[Step, ...]]:
        self._known(name)
        heres = {route[-1].target if route else source for route in routes}
        onward = [
            (*route, step)
            for route in routes
            for step in self.steps_from.get(route[-1].target if route else source, ())
            if name in self._called(step)
        ]
        if not onward:
            offered = sorted({self._called(s)[0] for here in heres for s in self.steps_from.get(here, ())})
            raise BadInput(
                f"The metapath {whole} breaks at {name}: no edge of it leads on from {' or '.join(sorted(heres))}. "
                f"From there lead {', '.join(offered) or 'none'}."
            )
        return onward

    def _called(self, step: Step) -> tuple[str, ...]:
        relation = self.model.relation[step.relation]
        if relation.symmetric:
            return relation.name, relation.inverse
        return (relation.inverse,) if step.reversed else (relation.name,)

    def _known(self, name: str) -> None:
        names = [n for relation in self.model.relations for n in (relation.name, relation.inverse)]
        if name not in names:
            raise NotFound("relation", name, _near(name, names))


def _near(name: str, known: Iterable[str]) -> list[NearMatch]:
    return [NearMatch(match, "") for match in get_close_matches(name, list(known), 3, 0.5)]
