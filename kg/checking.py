"""What is wrong with a curator's files: every problem, with file, line, column and what to do.

Three layers, each on all files together: SHACL shapes (fields, evidence), the meaning of assertions
(kinds at both ends, levels, dates), and identifiers (existence, replacement, label).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

import shacl
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse, serialize
from rapidfuzz import process
from rdflib.namespace import DCTERMS, RDF, RDFS, SKOS

from kg.dates import first_day
from kg.model import EvidenceLevel, Kind, Model, Relation, local_name
from kg.reading import Document, Subject, Term
from kg.reference import Reference
from kg.vocabulary import KG

TYPE, LABEL = str(RDF.type), str(RDFS.label)
SUBJECT, PREDICATE, OBJECT = str(RDF.subject), str(RDF.predicate), str(RDF.object)
_ENGINE_FIELDS = {
    TYPE,
    LABEL,
    str(SKOS.altLabel),
    str(DCTERMS.description),
    str(SKOS.exactMatch),
    str(SKOS.broadMatch),
    str(DCTERMS.source),
}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: ``severity`` is error or warning; line and column count from 1."""

    severity: str
    code: str
    message: str
    source: str
    line: int | None = None
    column: int | None = None
    hint: str = ""
    subject: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part is not None)
        return f"{place}: {self.severity}: {self.message} [{self.code}]{' ' + self.hint if self.hint else ''}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


Facts = Mapping[str, Mapping[str, Sequence[Term]]]


def group(triples: Iterable[Triple]) -> dict[str, dict[str, list[Term]]]:
    """Return subject -> predicate -> objects, all by IRI."""
    facts: dict[str, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
    subject: Subject
    for triple in triples:
        subject = triple.subject
        facts[subject.value][triple.predicate.value].append(triple.object)
    return facts


def check(
    documents: Sequence[Document],
    model: Model,
    reference: Reference | None = None,
    context: Iterable[Triple] = (),
    today: date | None = None,
) -> list[Diagnostic]:
    """Return every problem in the documents (already through ``name_nodes``), sorted by place.

    ``context`` holds triples of the graph that the documents may refer to but that are not examined.
    """
    checker = _Checker(documents, model, reference, list(context), today or date.today())
    found = {*checker.shapes(), *checker.assertions(), *checker.entities(), *checker.sources()}
    return sorted(found, key=lambda d: (d.source, d.line or 0, d.column or 0, d.severity, d.code, d.message))


class _Checker:
    def __init__(
        self,
        documents: Sequence[Document],
        model: Model,
        reference: Reference | None,
        context: list[Triple],
        today: date,
    ) -> None:
        self.documents = documents
        self.model = model
        self.reference = reference
        self.today = today
        own = [triple for document in documents for triple in document.triples]
        self.triples = list(dict.fromkeys([*own, *context]))
        self.facts = group(self.triples)
        self.owner: dict[str, Document] = {}
        subject: Subject
        for document in documents:
            for triple in document.triples:
                subject = triple.subject
                self.owner.setdefault(subject.value, document)
        self.own = self.owner.keys()

    # -------------------------------------------------------------- helpers
    def say(self, severity: str, code: str, subject: str, message: str, hint: str = "") -> Diagnostic:
        document = self.owner.get(subject) or self.documents[0]
        place = document.place(NamedNode(subject)) or self.parent_place(document, subject)
        name = self.name(subject)
        return Diagnostic(
            severity, code, message, document.name, place and place.line, place and place.column, hint, name
        )

    def parent_place(self, document: Document, subject: str) -> Any:
        parents: Iterator[Subject] = (
            t.subject for t in document.triples if getattr(t.object, "value", None) == subject
        )
        return next((place for parent in parents if (place := document.place(parent))), None)

    def name(self, iri: str) -> str:
        return self.model.prefixes.curie(iri)

    def values(self, subject: str, predicate: str) -> list[str]:
        return [term.value for term in self.facts.get(subject, {}).get(predicate, ())]

    def types(self, subject: str) -> list[str]:
        return self.values(subject, TYPE)

    def kinds(self, subject: str) -> list[Kind]:
        things = (self.model.by_iri.get(type_) for type_ in self.types(subject))
        return [thing for thing in things if isinstance(thing, Kind)]

    def claim(self, subject: str) -> str:
        parts = [local_name_of(self.name(v)) for p in (SUBJECT, PREDICATE, OBJECT) for v in self.values(subject, p)[:1]]
        return f"the assertion “{' '.join(parts)}”" if parts else "an assertion"

    def described(self, subject: str) -> str:
        if str(KG.Assertion) in self.types(subject):
            return self.claim(subject)
        claims = [self.claim(assertion) for assertion in self.by_evidence.get(subject, ())]
        return f"evidence of {claims[0]}" if claims else self.name(subject)

    @cached_property
    def by_evidence(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = defaultdict(list)
        for subject in self.facts:
            for node in self.values(subject, str(KG.evidence)):
                index[node].append(subject)
        return index

    # -------------------------------------------------------------- SHACL
    def shapes(self) -> Iterator[Diagnostic]:
        text = (serialize(self.triples, format=RdfFormat.N_TRIPLES) or b"") + _schema_ntriples(self.model)
        report = _compiled_shapes(self.model).validate_text(text.decode(), format="ntriples")
        results = [result for result in report.results if _iri(result.focus_node) in self.own]
        incomplete = {_iri(result.focus_node) for result in results}
        for result in results:
            if result.component == "NodeConstraintComponent" and _iri(result.value or "") in incomplete:
                continue  # the value's own result says more
            yield self.shape_problem(result)

    def shape_problem(self, result: Any) -> Diagnostic:
        focus, path = _iri(result.focus_node), _iri(result.path or "")
        who, field = self.described(focus), self.name(path)
        value = self.name(result.value_plain) if result.value_plain else ""
        told = next((m for m in self.messages.get((_iri(result.root_shape or ""), path), ())), None)
        message = f"{who}: {told}" if told else f"{who}: {_plain(result.component, field, value, result.message)}"
        return self.say(
            "error",
            f"shape-{result.component.removesuffix('ConstraintComponent')}",
            focus,
            message,
            self.near_value(path, value),
        )

    @cached_property
    def messages(self) -> dict[tuple[str, str], list[str]]:
        return _messages(self.model)

    def near_value(self, path: str, value: str) -> str:
        allowed = {
            self.name(v.iri): v.name
            for things in self.model.owners
            for f in things.fields
            if f.iri == path
            for v in f.values
        }
        near = process.extract(value, list(allowed), limit=2, score_cutoff=70) if value else []
        return f"Did you mean {' or '.join(match for match, *_ in near)}?" if near else ""

    # -------------------------------------------------------------- assertions
    def assertions(self) -> Iterator[Diagnostic]:
        for subject in self.own:
            if str(KG.Assertion) in self.types(subject):
                ends = [self.values(subject, p) for p in (SUBJECT, PREDICATE, OBJECT)]
                if all(len(end) == 1 for end in ends):
                    yield from self.assertion(subject, *(end[0] for end in ends))

    def assertion(self, iri: str, subject: str, predicate: str, object_: str) -> Iterator[Diagnostic]:
        relation = self.model.by_iri.get(predicate)
        if not isinstance(relation, Relation):
            names = [self.name(r.iri) for r in self.model.relations]
            yield self.say(
                "error",
                "unknown-relation",
                iri,
                f"{self.claim(iri)}: {self.name(predicate)} is no relation",
                _meant(self.name(predicate), names),
            )
            return
        if subject == object_:
            yield self.say("error", "self-loop", iri, f"{self.claim(iri)} relates an entity to itself")
        yield from self.end(iri, subject, relation.subjects, "subject")
        yield from self.end(iri, object_, relation.objects, "object")
        here, there = self.kinds(subject), self.kinds(object_)
        if relation.same_kind and here and there and here[0] != there[0]:
            message = f"{self.claim(iri)}: {relation.name} needs both ends of one kind, not {here[0].name} and {there[0].name}"
            yield self.say("error", "wrong-kind", iri, message)
        yield from self.evidence(iri, relation)

    def end(self, iri: str, node: str, allowed: tuple[str, ...], which: str) -> Iterator[Diagnostic]:
        kinds = self.kinds(node)
        if not kinds:
            hint = (
                _meant(self.name(node), [self.name(s) for s in self.facts if self.kinds(s)])
                or "Declare it, or correct the identifier."
            )
            yield self.say(
                "error",
                "undefined-entity",
                iri,
                f"{self.claim(iri)}: its {which} {self.name(node)} is not defined",
                hint,
            )
        elif kinds[0].name not in allowed:
            message = f"{self.claim(iri)}: its {which} {self.name(node)} is a {kinds[0].name}, but the relation wants {' or '.join(allowed)}"
            yield self.say("error", "wrong-kind", iri, message)

    def evidence(self, iri: str, relation: Relation) -> Iterator[Diagnostic]:
        nodes = self.values(iri, str(KG.evidence))
        levels = [self.model.by_iri.get(level) for node in nodes for level in self.values(node, str(KG.level))]
        names = {level.name for level in levels if isinstance(level, EvidenceLevel)}
        if relation.accepts_levels and not names & set(relation.accepts_levels):
            wanted = ", ".join(relation.accepts_levels)
            message = f"{self.claim(iri)}: {relation.name} needs evidence of one of the levels {wanted}, and has {', '.join(sorted(names)) or 'none'}"
            yield self.say("error", "evidence-too-weak", iri, message, f"{relation.description}")
        for node in nodes:
            yield from self.dates(iri, node)
            for study in self.values(node, str(KG.study)):
                if not {str(KG.Study), *(k.iri for k in self.kinds(study))} & set(self.types(study)):
                    hint = _meant(
                        self.name(study), [self.name(s) for s in self.facts if str(KG.Study) in self.types(s)]
                    )
                    yield self.say(
                        "error",
                        "undefined-study",
                        iri,
                        f"{self.claim(iri)}: the study {self.name(study)} is not defined",
                        hint,
                    )

    def dates(self, iri: str, node: str) -> Iterator[Diagnostic]:
        for text in self.values(node, str(DCTERMS.date)):
            try:
                day = first_day(text)
            except ValueError as error:
                yield self.say("error", "impossible-date", iri, f"{self.claim(iri)}: {error}")
                continue
            if day > self.today:
                yield self.say(
                    "warning", "future-date", iri, f"{self.claim(iri)}: its evidence is dated {text}, after today"
                )

    # -------------------------------------------------------------- entities and sources
    def entities(self) -> Iterator[Diagnostic]:
        for subject in self.own:
            kinds = self.kinds(subject)
            if len(kinds) > 1:
                yield self.say(
                    "error",
                    "several-kinds",
                    subject,
                    f"{self.name(subject)} is declared as {' and '.join(k.name for k in kinds)}; an entity has one kind",
                )
            if kinds:
                yield from self.fields(subject, kinds[0])
                yield from self.identifier(subject, kinds[0])
                yield from self.identities(subject)
            elif any(type_.startswith(str(KG._NS)) for type_ in self.types(subject)):
                yield from self.unknown_type(subject)

    def unknown_type(self, subject: str) -> Iterator[Diagnostic]:
        engine = {str(KG.Assertion), str(KG.Evidence), str(KG.Source), str(KG.Study)}
        known = engine | {owner.iri for owner in self.model.owners}
        for type_ in self.types(subject):
            if type_.startswith(str(KG._NS)) and type_ not in known:
                message = f"{self.name(subject)} has the unknown type {self.name(type_)}"
                yield self.say(
                    "error", "unknown-kind", subject, message, _meant(self.name(type_), [self.name(k) for k in known])
                )

    def fields(self, subject: str, kind: Kind) -> Iterator[Diagnostic]:
        known = {f.iri for f in kind.fields} | _ENGINE_FIELDS
        for predicate in self.facts[subject]:
            if predicate in known:
                continue
            if predicate in {relation.iri for relation in self.model.relations}:
                message = f"{self.name(subject)} states {self.name(predicate)} directly; write it as a kg:Assertion with its evidence"
                yield self.say("error", "bare-relation", subject, message)
            elif predicate.startswith(str(KG._NS)):
                message = f"{self.name(subject)}: {self.name(predicate)} is no field of {kind.name}"
                yield self.say(
                    "error",
                    "unknown-field",
                    subject,
                    message,
                    _meant(self.name(predicate), [self.name(k) for k in known]),
                )
        for f in kind.fields:
            if f.from_curie and self.values(subject, f.iri):
                yield self.say(
                    "error",
                    "derived-field",
                    subject,
                    f"{self.name(subject)}: {self.name(f.iri)} is read off the identifier; do not write it",
                )

    def identifier(self, subject: str, kind: Kind) -> Iterator[Diagnostic]:
        curie = self.name(subject)
        prefix = curie.partition(":")[0]
        if kind.id_prefixes and prefix not in kind.id_prefixes:
            yield self.say(
                "error",
                "wrong-prefix",
                subject,
                f"{curie}: a {kind.name} has an identifier with the prefix {', '.join(kind.id_prefixes)}",
            )
            return
        table = self.reference.table(curie) if self.reference else None
        if not table or not self.reference:
            return
        term = self.reference.term(curie)
        if term is None:
            severity = "error" if table.complete else "warning"
            extent = (
                ""
                if table.complete
                else f" (a partial table of {table.prefix} {table.version}; `kg reference build` makes a full one)"
            )
            yield self.say(
                severity,
                "unknown-identifier",
                subject,
                f"{curie} is not in the reference table{extent}",
                self.by_label(table.terms, subject),
            )
        elif term.obsolete:
            yield self.say(
                "error",
                "obsolete-identifier",
                subject,
                f"{curie} ({term.label}) is obsolete",
                f"Use {term.replaced_by}." if term.replaced_by else "",
            )
        else:
            for label in self.values(subject, LABEL):
                if label != term.label:
                    message = f"{curie} is labelled {label!r} here and {term.label!r} in {table.prefix} {table.version}"
                    yield self.say(
                        "error",
                        "label-mismatch",
                        subject,
                        message,
                        "Use the official label; other names go into skos:altLabel.",
                    )

    def by_label(self, terms: Mapping[str, Any], subject: str) -> str:
        labels = {term.label: curie for curie, term in terms.items() if not term.obsolete}
        near = [
            m
            for label in self.values(subject, LABEL)
            for m in process.extract(label, list(labels), limit=2, score_cutoff=85)
        ]
        return f"Did you mean {' or '.join(f'{labels[match]} {match}' for match, *_ in near)}?" if near else ""

    def identities(self, subject: str) -> Iterator[Diagnostic]:
        for xref in self.values(subject, str(SKOS.exactMatch)):
            others = [s for s in self.by_xref[xref] if s != subject]
            if others:
                message = f"{self.name(subject)} and {self.name(others[0])} both say they are {self.name(xref)}"
                yield self.say("warning", "near-duplicate", subject, message)

    @cached_property
    def by_xref(self) -> dict[str, list[str]]:
        index: dict[str, list[str]] = defaultdict(list)
        for subject in self.facts:
            for xref in self.values(subject, str(SKOS.exactMatch)):
                index[xref].append(subject)
        return index

    def sources(self) -> Iterator[Diagnostic]:
        used = {term.value for facts in self.facts.values() for term in facts.get(str(DCTERMS.source), ())}
        for subject in self.own:
            if str(KG.Source) in self.types(subject) and subject not in used:
                yield self.say(
                    "warning", "unused-source", subject, f"the source {self.name(subject)} is cited by nothing"
                )


# ---------------------------------------------------------------- plain functions
def with_excerpts(diagnostics: Iterable[Diagnostic], documents: Sequence[Document]) -> list[tuple[Diagnostic, str]]:
    """Return each diagnostic with the line of text that it is about."""
    by_name = {document.name: document for document in documents}
    return [(d, by_name[d.source].line(d.line) if d.line and d.source in by_name else "") for d in diagnostics]


def as_errors(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics with every warning turned into an error."""
    return [replace(d, severity="error") for d in diagnostics]


def local_name_of(curie: str) -> str:
    """Return the part of an engine CURIE behind its prefix, and any other CURIE whole."""
    return curie.removeprefix("kg:")


def _meant(name: str, candidates: Iterable[str]) -> str:
    near = process.extract(name, sorted(set(candidates)), limit=2, score_cutoff=75)
    return f"Did you mean {' or '.join(match for match, *_ in near)}?" if near else ""


def _plain(component: str, field: str, value: str, fallback: str | None) -> str:
    phrases: dict[str, Callable[[], str]] = {
        "MinCountConstraintComponent": lambda: f"needs {field}",
        "MaxCountConstraintComponent": lambda: f"has more than one {field}",
        "InConstraintComponent": lambda: f"{field} may not be {value}",
        "DatatypeConstraintComponent": lambda: f"{field} has the value {value}, which is of the wrong datatype",
        "ClassConstraintComponent": lambda: f"{field} refers to {value}, which is not defined or of the wrong kind",
        "PatternConstraintComponent": lambda: f"{field} has the value {value}, which is not of the right form",
        "NodeKindConstraintComponent": lambda: f"{field} has the value {value}; an identifier is needed",
        "NodeConstraintComponent": lambda: f"{field} has the value {value}, which is incomplete or of the wrong form",
    }
    return phrases[component]() if component in phrases else f"{field} {value}: {fallback or component}"


def _iri(term: str) -> str:
    match = re.fullmatch(r"<(.*)>", term)
    return match.group(1) if match else term


@lru_cache(maxsize=4)
def _schema_ntriples(model: Model) -> bytes:
    return bytes(model.shapes.serialize(format="ox-nt"), "utf-8")


@lru_cache(maxsize=4)
def _compiled_shapes(model: Model) -> shacl.Shapes:
    return shacl.Shapes.from_text(_schema_ntriples(model).decode(), format="ntriples")


@lru_cache(maxsize=4)
def _messages(model: Model) -> dict[tuple[str, str], list[str]]:
    """Return (shape, path) -> the messages its property shapes carry."""
    facts = group(quad.triple for quad in parse(_schema_ntriples(model), format=RdfFormat.N_TRIPLES))
    sh = "http://www.w3.org/ns/shacl#"
    out: dict[tuple[str, str], list[str]] = defaultdict(list)
    for shape, about in facts.items():
        for node in about.get(f"{sh}property", ()):
            body = facts.get(node.value, {})
            for path in body.get(f"{sh}path", ()):
                out[shape, path.value] += [m.value for m in body.get(f"{sh}message", ()) if isinstance(m, Literal)]
    return out


__all__ = ["Diagnostic", "as_errors", "check", "group", "local_name", "with_excerpts"]
