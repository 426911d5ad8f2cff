"""RDF terms into the plain values that a snapshot is assembled from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyoxigraph import Quad, Triple
from rdflib.namespace import DCTERMS, RDF, RDFS, SKOS

from kg.model import EvidenceLevel, Field, Kind, Model, Record, Relation
from kg.records import Evidence, Source, Study
from kg.triples import About, Facts, grouped
from kg.vocabulary import KG

TYPE, LABEL = str(RDF.type), str(RDFS.label)
_CITATION = str(DCTERMS.bibliographicCitation)
_DATE = str(DCTERMS.date)
_DESCRIPTION = str(DCTERMS.description)
_SOURCE = str(DCTERMS.source)
_COUNT = str(KG.count)
_DIRECTION = str(KG.direction)
_DOI = str(KG.doi)
_EVIDENCE = str(KG.evidence)
_GRADE = str(KG.grade)
_LEVEL = str(KG.level)
_PMID = str(KG.pmid)
_SAMPLE_SIZE = str(KG.sampleSize)
_SOURCE_KIND = str(KG.sourceKind)
_STUDY = str(KG.study)
_TOTAL = str(KG.total)
_URL = str(KG.url)
_VERIFICATION = str(KG.verification)
_SPO = (str(RDF.subject), str(RDF.predicate), str(RDF.object))
_COMMENT = str(RDFS.comment)
_ALT_LABEL = str(SKOS.altLabel)
_BROAD_MATCH = str(SKOS.broadMatch)
_EXACT_MATCH = str(SKOS.exactMatch)
_CLASSES = _ASSERTIONS, _EVIDENCES, _SOURCES, _STUDIES = tuple(
    map(str, (KG.Assertion, KG.Evidence, KG.Source, KG.Study))
)
CASTS: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "decimal": float,
    "boolean": lambda text: text in {"true", "1"},
    "date": str,
    "partialDate": str,
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A field's value that is another entity, by CURIE, until the entities exist."""

    curie: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A field's value that is a source, by its id: what is known of the source may change while the entity does not."""

    id: str


@dataclass(frozen=True, slots=True)
class StructureSpec:
    """A record's values, entities and sources still by CURIE."""

    record: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class EntitySpec:
    """An entity's values, other entities and sources still by CURIE."""

    kind: str
    values: Mapping[str, Any]

    @cached_property
    def refers(self) -> bool:
        """Whether any value is, or has in it, another entity or a source."""
        return any(map(_refers, self.values.values()))


@dataclass(frozen=True, slots=True)
class Claim:
    """An assertion's ends by CURIE, and its evidence."""

    id: str
    iri: str
    subject: str
    relation: str
    object: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Projection:
    """Everything a snapshot is assembled from."""

    entities: tuple[EntitySpec, ...]
    claims: tuple[Claim, ...]
    sources: Mapping[str, Source]
    studies: Mapping[str, Study]

    @cached_property
    def by_curie(self) -> Mapping[str, EntitySpec]:
        """The entities by CURIE."""
        return {spec.values["curie"]: spec for spec in self.entities}


def entity_order(spec: EntitySpec) -> tuple[str, str, str]:
    """Return what entities are sorted by."""
    return spec.kind, spec.values["label"].lower(), spec.values["curie"]


def project(statements: Iterable[Triple | Quad], model: Model) -> Projection:
    """Return the entities, claims, sources and studies that statements (free of blank nodes) make.

    What is incomplete, such as an assertion whose end is not declared, is left out: ``kg check`` reports
    it and loading refuses it, so it can only be there because the schema changed after loading.
    """
    return project_facts(grouped(statements), model)


def project_facts(facts: Facts, model: Model) -> Projection:
    """Return what ``project`` does, from statements that are grouped."""
    return _Projector(facts, model).projection()


def project_both(before: Facts, after: Facts, model: Model) -> tuple[Projection, Projection]:
    """Return what ``project_facts`` does for both; entities of which both say the same, as the same object, are shared."""
    first = project_facts(before, model)
    return first, _Projector(after, model, before, first).projection()


class _Projector:
    def __init__(
        self, facts: Facts, model: Model, before: Facts | None = None, known: Projection | None = None
    ) -> None:
        """Take what is said, and perhaps what was said before and what that made."""
        self.facts = facts
        self.before: Facts = before or {}
        self.known = {spec.values["iri"]: spec for spec in known.entities} if known else {}
        self.model = model
        self.curie = model.prefixes.curie
        self.kinds: dict[int, Kind | None] = {}  # by the identity of types
        self.leading: dict[str, set[str]] = {}  # by kind, the predicates that lead on to what is said of others
        self.said: dict[int, tuple[Any, ...] | None] = {}  # by the identity of what evidence says
        self.entity_curies: dict[str, str] = {}
        self.level = {level.iri: level for level in model.levels}
        self.notation = {
            value.iri: value.name for value in (*model.directions, *model.verifications, *model.source_kinds)
        }

    def projection(self) -> Projection:
        entities = []
        for iri, about in self.facts.items():
            kind = self.kind(about)
            if kind:
                same = self.before.get(iri) is about and self.stands_alone(kind, about)
                entities.append(self.known[iri] if same else self.entity(iri, kind))
        entities.sort(key=entity_order)
        known = {spec.values["curie"] for spec in entities}
        self.entity_curies = {spec.values["iri"]: spec.values["curie"] for spec in entities}
        claims = [claim for iri in self.typed[_ASSERTIONS] if (claim := self.claim(iri, known))]
        claims.sort(key=lambda claim: (claim.subject, claim.relation, claim.object))
        return Projection(tuple(entities), tuple(claims), self.sources, self.studies)

    # -------------------------------------------------------------- facts
    def kind(self, about: About) -> Kind | None:
        types = about.get(TYPE, ())
        if id(types) not in self.kinds:  # most subjects have their types in common
            things = (self.model.by_iri.get(type_.value) for type_ in types)
            self.kinds[id(types)] = next((thing for thing in things if isinstance(thing, Kind)), None)
        return self.kinds[id(types)]

    @cached_property
    def typed(self) -> Mapping[str, Sequence[str]]:
        """Class -> what is of it."""
        found: dict[str, list[str]] = {class_: [] for class_ in _CLASSES}
        for iri, about in self.facts.items():
            for type_ in about.get(TYPE, ()):
                if (of_class := found.get(type_.value)) is not None:
                    of_class.append(iri)
        return found

    def values(self, iri: str, predicate: str) -> list[str]:
        about = self.facts.get(iri)
        terms = about.get(predicate) if about else None
        return sorted([term.value for term in terms]) if terms else []

    def value(self, iri: str, predicate: str) -> str | None:
        about = self.facts.get(iri)
        terms = about.get(predicate) if about else None
        if not terms:
            return None
        value: str = terms[0].value
        return value if len(terms) == 1 else self.values(iri, predicate)[0]

    def number(self, iri: str, predicate: str) -> int | None:
        value = self.value(iri, predicate)
        return None if value is None else int(value)

    # -------------------------------------------------------------- entities
    def entity(self, iri: str, kind: Kind) -> EntitySpec:
        curie = self.curie(iri)
        values: dict[str, Any] = {
            "iri": iri,
            "curie": curie,
            "label": self.value(iri, LABEL) or curie,
            "synonyms": tuple(self.values(iri, _ALT_LABEL)),
            "description": self.value(iri, _DESCRIPTION),
            "xrefs": tuple(sorted(self.curie(x) for x in self.values(iri, _EXACT_MATCH))),
            "broad_matches": tuple(sorted(self.curie(x) for x in self.values(iri, _BROAD_MATCH))),
            "url": self.model.prefixes.page(iri),
            "sources": self.sources_of(iri),
        }
        for field in kind.fields:
            values.setdefault(field.attribute, self.field(iri, field))
        return EntitySpec(kind.name, values)

    def stands_alone(self, kind: Kind, about: About) -> bool:
        """Whether an entity shows nothing that is said of another subject."""
        leading = self.leading.get(kind.name)
        if leading is None:
            followed = (field.iri for field in kind.fields if field.datatype in {"record", "source"})
            leading = self.leading[kind.name] = {_SOURCE, *followed}
        return leading.isdisjoint(about)

    def field(self, iri: str, field: Field) -> Any:
        if field.from_curie:
            prefix, _, local = self.curie(iri).partition(":")
            return local if prefix == field.from_curie else None
        found = [value for raw in self.values(iri, field.iri) if (value := self.cast(raw, field)) is not None]
        if field.many:
            return tuple(found)
        return found[0] if found else None

    def cast(self, raw: str, field: Field) -> Any:
        if field.datatype == "enum":
            return next((value.name for value in field.values if value.iri == raw), None)
        if field.datatype == "entity":
            return Reference(self.curie(raw))
        if field.datatype == "source":
            return self.cited(raw)
        if field.datatype == "record":
            return self.structure(raw, self.model.record[field.target or ""])
        return CASTS[field.datatype](raw)

    def structure(self, iri: str, record: Record) -> StructureSpec:
        values = {field.attribute: self.field(iri, field) for field in record.fields}
        return StructureSpec(record.name, {"id": self.curie(iri), **values})

    def sources_of(self, iri: str) -> tuple[Cited, ...]:
        return tuple(cited for source in self.values(iri, _SOURCE) if (cited := self.cited(source)))

    def cited(self, iri: str) -> Cited | None:
        source = self.sources.get(iri)
        return Cited(source.id) if source else None

    # -------------------------------------------------------------- evidence
    @cached_property
    def sources(self) -> dict[str, Source]:
        return {iri: self.source(iri) for iri in sorted(self.typed[_SOURCES])}

    def source(self, iri: str) -> Source:
        curie = self.curie(iri)
        doi = self.value(iri, _DOI) or (curie.removeprefix("doi:") if curie.startswith("doi:") else None)
        pmid = self.value(iri, _PMID) or (curie.removeprefix("PMID:") if curie.startswith("PMID:") else None)
        url = self.value(iri, _URL) or self.model.prefixes.page(iri) or iri
        return Source(
            id=curie,
            iri=iri,
            kind=self.notation.get(self.value(iri, _SOURCE_KIND) or "", "DATABASE"),
            citation=self.value(iri, _CITATION) or curie,
            url=url,
            doi=doi,
            pmid=pmid,
            nct=nct_number(url),
            date=self.value(iri, _DATE),
        )

    @cached_property
    def studies(self) -> dict[str, Study]:
        named = {value for iri in self.typed[_EVIDENCES] for value in self.values(iri, _STUDY)}
        return {iri: self.study(iri) for iri in sorted(named | set(self.typed[_STUDIES]))}

    def study(self, iri: str) -> Study:
        curie = self.curie(iri)
        is_entity = self.kind(self.facts.get(iri, {})) is not None
        return Study(
            curie,
            iri,
            self.value(iri, LABEL) or curie,
            self.value(iri, _DESCRIPTION),
            curie if is_entity else None,
        )

    def claim(self, iri: str, known: set[str]) -> Claim | None:
        ends = [self.value(iri, term) for term in _SPO]
        relation = self.model.by_iri.get(ends[1] or "")
        subject, object_ = (self.entity_curies.get(end) or self.curie(end) for end in (ends[0] or "", ends[2] or ""))
        if not isinstance(relation, Relation) or subject not in known or object_ not in known:
            return None
        evidence = [item for node in self.values(iri, _EVIDENCE) if (item := self.evidence(node))]
        if len(evidence) > 1:
            evidence.sort(key=lambda item: (item.known_on, item.id), reverse=True)
        return Claim(self.curie(iri), iri, subject, relation.name, object_, tuple(evidence)) if evidence else None

    def evidence(self, iri: str) -> Evidence | None:
        about = self.facts.get(iri)
        if about is None:
            return None
        if id(about) not in self.said:  # loaded in bulk, much evidence says the same
            self.said[id(about)] = self.evidence_said(iri)
        said = self.said[id(about)]
        return None if said is None else Evidence(self.curie(iri), *said)

    def evidence_said(self, iri: str) -> tuple[Any, ...] | None:
        """Return what evidence has after its id, or None where it lacks what it needs."""
        level: EvidenceLevel | None = self.level.get(self.value(iri, _LEVEL) or "")
        source = self.sources.get(self.value(iri, _SOURCE) or "")
        date, direction = self.value(iri, _DATE), self.notation.get(self.value(iri, _DIRECTION) or "")
        if not (level and source and date and direction):
            return None
        study = self.value(iri, _STUDY)
        return (
            *(source, level, direction, date, self.studies[study] if study else None),
            *(self.number(iri, predicate) for predicate in (_SAMPLE_SIZE, _COUNT, _TOTAL)),
            *(self.value(iri, _GRADE), self.value(iri, _COMMENT)),
            self.notation.get(self.value(iri, _VERIFICATION) or ""),
        )


def _refers(value: Any) -> bool:
    return isinstance(value, Reference | Cited | StructureSpec) or (
        isinstance(value, tuple) and any(map(_refers, value))
    )


def nct_number(url: str) -> str | None:
    """Return the NCT number that a web address ends in, if it does."""
    tail = url.rstrip("/").rpartition("/")[2]
    return tail if tail.startswith("NCT") and tail[3:].isdigit() and len(tail) == 11 else None
