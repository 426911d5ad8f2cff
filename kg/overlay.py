"""What if: a snapshot seen with some assertions assumed and some edges or evidence taken away.

A ``Scenario`` is a small difference to an immutable snapshot: the snapshot is neither copied nor
written. Searches read the edges through it, so every search can be asked what would follow if an edge
were true, if it were not, or if a study had never been published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from kg.errors import BadInput, NotFound
from kg.evidence import confidence_value
from kg.lookup import near_names, relation_named
from kg.model import Relation
from kg.reading import assertion_iri
from kg.records import Assertion, Entity, Evidence
from kg.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Assumption:
    """A claim that a client asks to take as true.

    ``subject`` and ``object`` are any names that ``Snapshot.entity`` resolves; ``relation`` is the name of a
    relation, or its inverse name, which swaps the ends. ``confidence`` lies in (0, 1].
    """

    subject: str
    relation: str
    object: str
    confidence: float = 1.0


@dataclass(frozen=True, eq=False)
class AssumedAssertion(Assertion):
    """An assertion that holds because a client assumed it; its evidence, mostly none, may not support it."""

    @cached_property
    def supported(self) -> bool:
        """True: the assumption stands in for evidence."""
        return True


@dataclass(frozen=True, eq=False)
class Scenario:
    """A snapshot seen under assumptions.

    ``graph`` is the snapshot, already as of the wanted day. ``assumed`` are the assumed assertions, which
    replace the ones of the same id where the graph has them; ``changed`` are assertions that lost some of
    their evidence, by id, with the confidence that is left; ``removed`` are ids of assertions that are no
    edges any more. ``key`` is equal for equal scenarios of one version, and hashable.
    """

    graph: Snapshot
    assumed: tuple[Assertion, ...] = ()
    changed: Mapping[str, Assertion] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    key: tuple[Any, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it is the snapshot as it stands."""
        return not (self.assumed or self.changed or self.removed)

    @cached_property
    def _assumed(self) -> dict[str, Assertion]:
        return {assertion.id: assertion for assertion in self.assumed}

    def is_assumed(self, id: str) -> bool:
        """Whether the assertion with this id was assumed."""
        return id in self._assumed

    def assertion(self, id: str) -> Assertion:
        """Return the assertion as it is under the scenario, edge or not; raises NotFound for an unknown id."""
        found = self._assumed.get(id) or self.changed.get(id) or self.graph.assertion_by_id.get(id)
        if found is None:
            raise NotFound("assertion", id)
        return found

    def edges(self) -> Iterator[Assertion]:
        """Yield every assertion that is an edge under the scenario, once: the graph's in its order, then the assumed."""
        if self.is_plain:
            yield from (a for a in self.graph.assertions if a.supported)
            return
        gone = self.removed | self._assumed.keys()
        for assertion in self.graph.assertions:
            if assertion.supported and assertion.id not in gone:
                yield self.changed.get(assertion.id, assertion)
        yield from self.assumed

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What was assumed, in canonical names."""
        return tuple(Assumption(*row) for row in self.key[2])

    @property
    def without(self) -> tuple[str, ...]:
        """What was taken away, in canonical names."""
        names: tuple[str, ...] = self.key[3]
        return names

    def __repr__(self) -> str:
        return (
            f"<Scenario of {self.graph!r}: {len(self.assumed)} assumed, "
            f"{len(self.changed)} weakened, {len(self.removed)} removed>"
        )


def scenario(graph: Snapshot, assuming: Sequence[Assumption] = (), without: Sequence[str] = ()) -> Scenario:
    """Return the snapshot as it would be with some assertions assumed and some things taken away.

    ``without`` names an assertion (the edge goes), an entity (all its edges go), a source or a study (its
    evidence goes, and with it the edges that nothing else supports). A trial that is both an entity and a
    study goes as both. Assuming an edge that exists sets its confidence and keeps its evidence.

    Raises NotFound, with near matches, for names of nothing, and BadInput for an assumption that no data
    could state: ends of the wrong kind, a thing related to itself, a confidence outside (0, 1], or the
    same claim assumed twice or taken away as well.
    """
    assumed = _assumed(graph, assuming)
    taken = _Taken.away(graph, without)
    _check_not_both(assumed.values(), taken)
    changed, unsupported = taken.weakened()
    removed = taken.edges | unsupported
    key = (
        graph.version.tag,
        graph.known_on,
        tuple(sorted((a.subject.curie, a.relation, a.object.curie, a.confidence) for a in assumed.values())),
        tuple(sorted(taken.names)),
    )
    return Scenario(
        graph,
        tuple(assumed.values()),
        {id: a for id, a in changed.items() if id not in assumed and id not in removed},
        frozenset(removed - assumed.keys()),
        key,
    )


# ------------------------------------------------------------------ assuming
def _assumed(graph: Snapshot, assuming: Iterable[Assumption]) -> dict[str, Assertion]:
    found: dict[str, Assertion] = {}
    for assumption in assuming:
        assertion = _assertion(graph, assumption)
        twin = found.setdefault(assertion.id, assertion)
        if twin.confidence != assertion.confidence:
            raise BadInput(
                f"{_said(assertion)} is assumed twice, with confidence {twin.confidence:g} and "
                f"{assertion.confidence:g}; keep one."
            )
    return found


def _assertion(graph: Snapshot, assumption: Assumption) -> Assertion:
    relation, reversed_ = relation_named(graph.model, assumption.relation)
    subject, object_ = graph.entity(assumption.subject), graph.entity(assumption.object)
    if reversed_:
        subject, object_ = object_, subject
    _check_claim(subject, relation, object_)
    if not 0.0 < assumption.confidence <= 1.0:
        raise BadInput(
            f"The confidence of an assumption must lie above 0 and at most 1, not {assumption.confidence:g}. "
            "To assume that an edge is not there, name it in `without`."
        )
    iri = assertion_iri(subject.iri, relation.iri, object_.iri)
    id = graph.model.prefixes.curie(iri)
    known = graph.assertion_by_id.get(id)
    evidence = known.evidence if known else ()
    return AssumedAssertion(id, iri, subject, relation.name, object_, evidence, float(assumption.confidence))


def _check_claim(subject: Entity, relation: Relation, object_: Entity) -> None:
    if subject.curie == object_.curie:
        raise BadInput(
            f"{subject.label} ({subject.curie}) cannot be assumed to relate to itself; name two different ends."
        )
    pairs = set(relation.pairs())
    if (subject.kind, object_.kind) in pairs:
        return
    allowed = " or ".join(f"{s} → {o}" for s, o in sorted(pairs)[:6]) + (" or …" if len(pairs) > 6 else "")
    swapped = " Swap the ends." if (object_.kind, subject.kind) in pairs else ""
    raise BadInput(
        f"{relation.name} leads {allowed}, and {subject.label} ({subject.curie}) is a {subject.kind}, "
        f"{object_.label} ({object_.curie}) a {object_.kind}.{swapped}"
    )


def _said(assertion: Assertion) -> str:
    return f"“{assertion.subject.label} {assertion.relation} {assertion.object.label}”"


# ------------------------------------------------------------------ taking away
@dataclass
class _Taken:
    """What ``without`` takes away: edges by id, entities, and what evidence may rest on (sources and studies)."""

    graph: Snapshot
    names: set[str] = field(default_factory=set)
    edges: set[str] = field(default_factory=set)
    entities: set[str] = field(default_factory=set)
    bases: set[str] = field(default_factory=set)

    @classmethod
    def away(cls, graph: Snapshot, without: Iterable[str]) -> _Taken:
        taken = cls(graph)
        for name in without:
            taken.add(name)
        return taken

    def add(self, name: str) -> None:
        """Take one thing away, as all that it is; raises NotFound where it is nothing."""
        iri = self.graph.model.prefixes.iri(name)
        id = self.graph.model.prefixes.curie(iri) if iri else name
        entity = self.graph.find(name)
        found = entity.curie if entity else id
        if id in self.graph.assertion_by_id:
            self.edges.add(id)
        elif entity is not None:
            self.entities.add(entity.curie)
            self.edges |= {edge.assertion.id for edges in entity.links.values() for edge in edges}
        elif id not in self.graph.adjacency.bases and not _known_later(self.graph, id):
            raise self._unknown(name)
        if found in self.graph.adjacency.bases:
            self.bases.add(found)
        self.names.add(found)

    def weakened(self) -> tuple[dict[str, Assertion], set[str]]:
        """Return the assertions with the evidence that is left, and the ids of those that nothing supports any more."""
        changed, unsupported = {}, set()
        touched = {position for base in self.bases for position in self.graph.adjacency.bases[base]}
        for position in sorted(touched):
            assertion = self.graph.assertions[position]
            evidence = tuple(e for e in assertion.evidence if not self.rests(e))
            left = replace(assertion, evidence=evidence, confidence=confidence_value(evidence))
            if left.supported:
                changed[left.id] = left
            elif assertion.supported:
                unsupported.add(left.id)
        return changed, unsupported

    def rests(self, evidence: Evidence) -> bool:
        """Whether a piece of evidence is taken away."""
        return evidence.source.id in self.bases or (evidence.study is not None and evidence.study.id in self.bases)

    def _unknown(self, name: str) -> NotFound:
        near = [*self.graph.index.near(name), *near_names(name, self.graph.adjacency.bases)][:3]
        hint = "`without` takes the id of an assertion, an entity, a source or a study."
        return NotFound("assertion, entity, source or study", name, near, hint)


def _known_later(graph: Snapshot, id: str) -> bool:
    """Whether an id is of an assertion that the graph holds, but did not know yet on its day: nothing to take away."""
    return graph.known_on is not None and id in graph.as_of(date.max).assertion_by_id


def _check_not_both(assumed: Iterable[Assertion], taken: _Taken) -> None:
    for assertion in assumed:
        gone = {assertion.id} & taken.edges or {assertion.subject.curie, assertion.object.curie} & taken.entities
        if gone:
            raise BadInput(
                f"{_said(assertion)} is assumed, and `without` takes {', '.join(sorted(gone))} away; drop one of the two."
            )
