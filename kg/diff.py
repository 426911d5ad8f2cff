"""What a change means: entities and assertions added, changed and removed, evidence added to what stood.

``graph_diff`` compares two projections and knows nothing of where they come from; ``around`` picks the
part of a large graph that a change can have touched, so that a small change costs little.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyoxigraph import NamedNode, Quad
from rdflib.namespace import RDF

from kg.changes import Delta
from kg.evidence import confidence_value
from kg.projection import Cited, Claim, EntitySpec, Projection, Reference, StructureSpec
from kg.records import Evidence, Source
from kg.store import is_part
from kg.triples import Facts, grouped

_TYPE = NamedNode(str(RDF.type))


@dataclass(frozen=True, slots=True)
class EntityRef:
    """An entity by its CURIE, label and kind; label and kind are empty for one that is not declared."""

    curie: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an entity before and after, as text; empty where it had no value."""

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntityChange:
    """An entity and how its fields changed."""

    entity: EntityRef
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class AssertionChange:
    """An assertion, the evidence that came and went, and its confidence, which is None where it does not stand."""

    id: str
    subject: EntityRef
    relation: str
    object: EntityRef
    evidence_added: tuple[Evidence, ...]
    evidence_removed: tuple[Evidence, ...]
    confidence_before: float | None
    confidence_after: float | None

    @property
    def text(self) -> str:
        """The claim in one line."""
        return f"{self.subject.label or self.subject.curie} {self.relation} {self.object.label or self.object.curie}"


@dataclass(frozen=True, slots=True)
class SourceChange:
    """A source whose description changed."""

    before: Source
    after: Source


@dataclass(frozen=True)
class GraphDiff:
    """The difference between two graphs in the terms of a curator."""

    entities_added: tuple[EntityRef, ...] = ()
    entities_changed: tuple[EntityChange, ...] = ()
    entities_removed: tuple[EntityRef, ...] = ()
    assertions_added: Sequence[AssertionChange] = ()
    assertions_changed: tuple[AssertionChange, ...] = ()
    assertions_removed: tuple[AssertionChange, ...] = ()
    sources_added: tuple[Source, ...] = ()
    sources_changed: tuple[SourceChange, ...] = ()
    sources_removed: tuple[Source, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(self.counts.values())


def graph_diff(before: Projection, after: Projection) -> GraphDiff:
    """Return how one graph differs from another; both may be the same part of larger graphs."""
    names = _names(before) | _names(after)
    old, new = before.by_curie, after.by_curie
    claims = _claims(before, after, names)
    parts: dict[str, tuple[Any, ...]] = {
        "entities_added": tuple(names[c] for c in sorted(new.keys() - old.keys())),
        "entities_changed": tuple(_entity_changes(old, new, names)),
        "entities_removed": tuple(names[c] for c in sorted(old.keys() - new.keys())),
        "assertions_added": tuple(c for c in claims if c.confidence_before is None),
        "assertions_changed": tuple(c for c in claims if None not in (c.confidence_before, c.confidence_after)),
        "assertions_removed": tuple(c for c in claims if c.confidence_after is None),
        "sources_added": tuple(s for iri, s in after.sources.items() if iri not in before.sources),
        "sources_changed": tuple(
            SourceChange(before.sources[iri], s)
            for iri, s in after.sources.items()
            if iri in before.sources and before.sources[iri] != s
        ),
        "sources_removed": tuple(s for iri, s in before.sources.items() if iri not in after.sources),
    }
    counts = {name: len(items) for name, items in parts.items()}
    counts["evidence_added"] = sum(len(c.evidence_added) for c in parts["assertions_changed"])
    counts["evidence_removed"] = sum(len(c.evidence_removed) for c in parts["assertions_changed"])
    return GraphDiff(**parts, counts=counts)


def _names(projection: Projection) -> dict[str, EntityRef]:
    return {s.values["curie"]: EntityRef(s.values["curie"], s.values["label"], s.kind) for s in projection.entities}


def _entity_changes(
    old: Mapping[str, EntitySpec], new: Mapping[str, EntitySpec], names: Mapping[str, EntityRef]
) -> Iterable[EntityChange]:
    for curie in sorted(old.keys() & new.keys()):
        if old[curie] is new[curie]:
            continue
        before, after = _texts(old[curie]), _texts(new[curie])
        fields = [
            FieldChange(name, before.get(name, ()), after.get(name, ()))
            for name in sorted(before.keys() | after.keys())
            if before.get(name, ()) != after.get(name, ())
        ]
        if fields:
            yield EntityChange(names[curie], tuple(fields))


def _texts(spec: EntitySpec) -> dict[str, tuple[str, ...]]:
    values = {name: _text(value) for name, value in spec.values.items() if value not in (None, ())}
    return {**values, "kind": (spec.kind,)}


def _text(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(sorted(text for item in value for text in _text(item)))
    if isinstance(value, Cited):
        return (value.id,)
    if isinstance(value, Reference):
        return (value.curie,)
    if isinstance(value, StructureSpec):
        inner = {k: _text(v) for k, v in value.values.items() if k != "id" and v not in (None, ())}
        return ("; ".join(f"{k} {', '.join(v)}" for k, v in sorted(inner.items())),)
    return (str(value).lower() if isinstance(value, bool) else str(value),)


def _claims(before: Projection, after: Projection, names: Mapping[str, EntityRef]) -> list[AssertionChange]:
    old, new = ({claim.id: claim for claim in projection.claims} for projection in (before, after))
    changes = []
    for id_ in old.keys() | new.keys():
        had, has = ({_told(e): e for e in c.evidence} if c else {} for c in (old.get(id_), new.get(id_)))
        if had.keys() != has.keys():
            claim = new.get(id_) or old[id_]
            changes.append(_change(claim, had, has, names))
    return sorted(changes, key=lambda c: (c.relation, c.subject.curie, c.object.curie))


def _told(evidence: Evidence) -> tuple[object, ...]:
    """Return what a piece of evidence says; a corrected citation of its source does not make it another."""
    study = evidence.study.id if evidence.study else None
    return (
        *(evidence.id, evidence.source.id, evidence.level.name, evidence.direction, evidence.date, study),
        *(evidence.sample_size, evidence.count, evidence.total, evidence.grade, evidence.comment),
        evidence.verification,
    )


def _change(
    claim: Claim, had: Mapping[Any, Evidence], has: Mapping[Any, Evidence], names: Mapping[str, EntityRef]
) -> AssertionChange:
    return AssertionChange(
        claim.id,
        names[claim.subject],
        claim.relation,
        names[claim.object],
        tuple(e for told, e in has.items() if told not in had),
        tuple(e for told, e in had.items() if told not in has),
        confidence_value(had.values()) if had else None,
        confidence_value(has.values()) if has else None,
    )


# ---------------------------------------------------------------- the part of a graph that a change touches
Lookup = Callable[[Any], Iterable[Quad]]


def around(delta: Delta, about: Lookup, owners: Lookup) -> tuple[Facts, Facts]:
    """Return what stood before and what stands after a change, as far as it can have touched anything.

    What it did not touch is shared. ``about`` and ``owners`` look up, in the graph before the change, the source quads
    with a term as subject, and the links from whatever a node is a part of.
    """
    delta = delta.of_sources()
    came: dict[Any, list[Quad]] = defaultdict(list)
    parents: dict[Any, list[Any]] = defaultdict(list)
    for quad in delta.added:
        came[quad.subject].append(quad)
        if is_part(quad):
            parents[quad.object].append(quad.subject)
    nodes: set[Any] = {quad.subject for quad in (*delta.removed, *delta.added)}
    for _ in range(2):  # a record inside evidence, evidence inside an assertion
        nodes |= {parent for node in nodes for parent in (*parents.get(node, ()), *(q.subject for q in owners(node)))}
    gone = set(delta.removed)
    before: list[Quad] = []
    after: list[Quad] = list(delta.added)
    touched: set[Any] = {quad.subject for quad in (*gone, *after)}
    done: set[Any] = set()
    for _ in range(3):  # an assertion, its evidence and ends, their sources
        fresh = nodes - done
        done |= fresh
        for node in fresh:
            found = about(node)
            before += found
            if node in touched:
                after += [quad for quad in found if quad not in gone]
            links = (*found, *came.get(node, ()))
            nodes |= {q.object for q in links if q.predicate != _TYPE and isinstance(q.object, NamedNode)}
    old, new = grouped(before), grouped(after)
    changed = {node.value for node in touched}
    return old, {**{iri: said for iri, said in old.items() if iri not in changed}, **new}
