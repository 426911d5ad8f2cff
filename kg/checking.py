"""What is wrong with a curator's files: every problem, with file, line, column and what to do.

Three layers, each on all files together: SHACL shapes (``kg.shapes``: fields, evidence), the meaning of
assertions (here: kinds at both ends, levels, dates, contradictions), and identifiers (``kg.identifiers``:
existence, replacement, label, duplicates). An error keeps a file from being loaded; a warning does not.
What is only advice (a claim that rests on one weak source) is said with ``pedantic``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property, lru_cache

from pyoxigraph import Triple
from rdflib import URIRef
from rdflib.namespace import DCTERMS, SH, SKOS

from kg.dates import first_day
from kg.diagnostics import Diagnostic, as_errors, by_place, of_syntax, with_excerpts
from kg.documents import Document
from kg.facts import (
    ASSERTION_TYPE,
    EVIDENCE_LINK,
    LABEL,
    OBJECT,
    PREDICATE,
    SUBJECT,
    TYPE,
    Others,
    Said,
    Task,
    meant,
)
from kg.identifiers import Identifiers
from kg.memory import no_collection
from kg.model import EvidenceLevel, Kind, Model, Relation
from kg.reference import Reference
from kg.shapes import Shapes
from kg.skeletons import GIVEN, LOCAL, placeholder
from kg.vocabulary import KG

AGAINST = ", or check against a graph that has it (--against DATA)"
WEAK = 0.35  # strength of evidence under which a claim that has no other is worth a second look
_ENGINE_FIELDS = {
    TYPE,
    LABEL,
    str(SKOS.altLabel),
    str(DCTERMS.description),
    str(SKOS.exactMatch),
    str(SKOS.broadMatch),
    str(DCTERMS.source),
}
_ENGINE_CLASSES = tuple(map(str, (KG.Assertion, KG.Evidence, KG.Source, KG.Study)))
_NS, _LEVEL, _DIRECTION, _STUDY = str(KG._NS), str(KG.level), str(KG.direction), str(KG.study)
_NUMBERS = (str(KG.count), str(KG.total), str(KG.sampleSize))
_COUNTED = frozenset(_NUMBERS)
_DATE, _SOURCE, _SOURCE_TYPE = str(DCTERMS.date), str(DCTERMS.source), str(KG.Source)
# What a file that could not be read to its end may have said: not reported while there are syntax errors.
_UNSURE = {"undefined-entity", "undefined-study", "shape-Class", "unused-source", "broken-reference"}

Progress = Callable[[str, int, int], None]


def check(
    documents: Sequence[Document],
    model: Model,
    reference: Reference | None = None,
    context: Iterable[Triple] = (),
    today: date | None = None,
    *,
    gone: Iterable[str] = (),
    pedantic: bool = False,
    progress: Progress | None = None,
    others: Others = tuple,
    said: Said | None = None,
) -> list[Diagnostic]:
    """Return every problem in the documents (already through ``name_nodes``), sorted by place.

    ``context`` holds triples of the graph that the documents may refer to but that are not examined,
    ``gone`` the IRIs that loading would take out of the graph. ``others`` gives the entities that the context leaves
    out, asked for where something near is looked for. ``pedantic`` adds advice. ``said`` is what documents and context
    say, where that was put together before.
    """
    found = [of_syntax(error) for document in documents for error in document.syntax]
    if not documents:
        return found
    task = Task(documents, model, reference, list(context), today or date.today(), pedantic, others, said)
    with no_collection():
        of_meaning = set(_Checker(task, set(gone)).findings(progress or (lambda *_: None)))
    if found:
        of_meaning = {d for d in of_meaning if d.code not in _UNSURE}
    return by_place([*found, *of_meaning])


class _Checker(Shapes, Identifiers):
    """Runs all checks on one task."""

    def __init__(self, task: Task, gone: set[str]) -> None:
        super().__init__(task)
        self.gone = gone
        self.kind_fields: dict[str, set[str]] = {}
        self.fine = set[int]()
        """What subjects other than assertions and entities say, by identity, where nothing is wrong with it."""
        self.fine_evidence = set[int]()
        """The same, of evidence, where nothing is wrong with it whichever assertion it belongs to."""
        self.filled = set[int]()
        """What ``fine`` has, where nothing is left to be filled in."""

    def findings(self, progress: Progress) -> Iterator[Diagnostic]:
        total = len(self.own)
        progress("shapes", 0, total)
        yield from self.shapes()
        for done, subject in enumerate(self.own):
            if done % 500 == 0:
                progress("checking", done, total)
            if id(self.facts[subject]) not in self.fine:
                yield from self.subject(subject)
            if subject.endswith(LOCAL) or subject in GIVEN or self.may_be_unfilled(subject):
                yield from self.unfilled(subject)
        yield from self.sources()
        yield from self.broken()
        progress("checking", total, total)

    def subject(self, subject: str) -> Iterator[Diagnostic]:
        types = self.types(subject)
        if ASSERTION_TYPE in types:
            yield from self.assertions(subject)
        if kinds := self.kinds(subject):
            yield from self.entities(subject, kinds)
        elif found := [*self.unknown_type(subject, types), *self.records(subject, types)]:
            yield from found
        elif ASSERTION_TYPE not in types:
            self.fine.add(id(self.facts[subject]))

    # -------------------------------------------------------------- assertions
    def assertions(self, subject: str) -> Iterator[Diagnostic]:
        about = self.facts[subject]
        ends = [about.get(p, ()) for p in (SUBJECT, PREDICATE, OBJECT)]
        if all(len(end) == 1 for end in ends):
            yield from self.assertion(subject, *(end[0].value for end in ends))

    def assertion(self, iri: str, subject: str, predicate: str, object_: str) -> Iterator[Diagnostic]:
        relation = self.model.by_iri.get(predicate)
        if not isinstance(relation, Relation):
            names = [self.name(r.iri) for r in self.model.relations]
            yield self.say(
                "error",
                "unknown-relation",
                iri,
                f"{self.claim(iri)}: {self.name(predicate)} is no relation",
                meant(self.name(predicate), names),
            )
            return
        if subject == object_:
            yield self.say("error", "self-loop", iri, f"{self.claim(iri)} relates an entity to itself")
        here, there = self.kinds(subject), self.kinds(object_)
        if not here or here[0].name not in relation.subjects:
            yield self.end(iri, subject, here, relation.subjects, "subject")
        if not there or there[0].name not in relation.objects:
            yield self.end(iri, object_, there, relation.objects, "object")
        if relation.same_kind and here and there and here[0] != there[0]:
            message = f"{self.claim(iri)}: {relation.name} needs both ends of one kind, not {here[0].name} and {there[0].name}"
            yield self.say("error", "wrong-kind", iri, message)
        yield from self.evidence(iri, relation)

    def end(self, iri: str, node: str, kinds: Sequence[Kind], allowed: tuple[str, ...], which: str) -> Diagnostic:
        if not kinds:
            return self.undefined(iri, node, allowed, which)
        message = f"{self.claim(iri)}: its {which} {self.name(node)} is a {kinds[0].name}, but the relation wants {' or '.join(allowed)}"
        return self.say("error", "wrong-kind", iri, message)

    def undefined(self, iri: str, node: str, allowed: tuple[str, ...], which: str) -> Diagnostic:
        curie = self.name(node)
        prefix, term = curie.partition(":")[0], self.reference.term(curie) if self.reference else None
        hint = meant(curie, self.entity_names) or "Declare it, or correct the identifier."
        prefixes = {p for name in allowed for p in self.model.kind[name].id_prefixes}
        owners = [kind.name for kind in self.model.kinds if prefix in kind.id_prefixes]
        if owners and prefix not in prefixes:
            hint = f"{prefix} identifies a {' or '.join(owners)}; the relation wants {' or '.join(allowed)}. {hint}"
        elif term and term.obsolete:
            hint = f"{curie} ({term.label}) is obsolete{f'; use {term.replaced_by}' if term.replaced_by else ''}."
        elif term:
            hint = f"It is {term.label!r}: declare it with its kind{'' if self.context else AGAINST}."
        return self.say(
            "error", "undefined-entity", iri, f"{self.claim(iri)}: its {which} {curie} is not defined", hint
        )

    def evidence(self, iri: str, relation: Relation) -> Iterator[Diagnostic]:
        nodes = self.values(iri, EVIDENCE_LINK)
        if relation.accepts_levels and not (names := self.levels(nodes)) & set(relation.accepts_levels):
            wanted = ", ".join(relation.accepts_levels)
            message = f"{self.claim(iri)}: {relation.name} needs evidence of one of the levels {wanted}, and has {', '.join(sorted(names)) or 'none'}"
            yield self.say("error", "evidence-too-weak", iri, message, f"{relation.description}")
        if self.context:
            yield from self.contradiction(iri, nodes)
        if self.pedantic and len(nodes) == 1:
            yield from self.weak(iri, nodes[0])
        for node in nodes:
            about = self.facts.get(node, {})
            if id(about) not in self.fine_evidence:
                found = [*self.dates(iri, node), *self.numbers(iri, node), *self.studied(iri, node)]
                yield from found
                if about and not found:
                    self.fine_evidence.add(id(about))

    def levels(self, nodes: Sequence[str]) -> set[str]:
        """Return the names of the levels of some evidence."""
        levels = [self.model.by_iri.get(level) for node in nodes for level in self.values(node, _LEVEL)]
        return {level.name for level in levels if isinstance(level, EvidenceLevel)}

    def studied(self, iri: str, node: str) -> Iterator[Diagnostic]:
        for study in self.values(node, _STUDY):
            if not {str(KG.Study), *(k.iri for k in self.kinds(study))} & set(self.types(study)):
                hint = meant(self.name(study), [self.name(s) for s in self.facts if str(KG.Study) in self.types(s)])
                message = f"{self.claim(iri)}: the study {self.name(study)} is not defined"
                yield self.say("error", "undefined-study", iri, message, hint)

    def dates(self, iri: str, node: str) -> Iterator[Diagnostic]:
        at = node if node in self.own else iri
        for text in self.values(node, _DATE):
            try:
                day = first_day(text)
            except ValueError as error:
                yield self.say("error", "impossible-date", at, f"{self.claim(iri)}: {error}")
                continue
            if day > self.today:
                message = f"{self.claim(iri)}: its evidence is dated {text}, after today"
                yield self.say("warning", "future-date", at, message, "Give the day on which the source appeared.")

    def numbers(self, iri: str, node: str) -> Iterator[Diagnostic]:
        """The shapes compare count and total; a count without a total must fit into the sample."""
        if _COUNTED.isdisjoint(self.facts.get(node, ())):
            return
        count, total, size = (self.number(node, predicate) for predicate in _NUMBERS)
        at = node if node in self.own else iri
        if count is not None and total is None and size is not None and count > size:
            message = f"{self.claim(iri)}: kg:count is {count}, but kg:sampleSize only {size}"
            yield self.say("error", "count-above-sample", at, message, "Give kg:total, or correct the numbers.")
        elif count is not None and total is None and self.pedantic:
            yield self.say("warning", "count-without-total", at, f"{self.claim(iri)}: kg:count has no kg:total")
        if self.pedantic and total is not None and size is not None and total > size:
            message = f"{self.claim(iri)}: kg:total is {total}, but kg:sampleSize only {size}"
            yield self.say("warning", "total-above-sample", at, message)

    def number(self, node: str, predicate: str) -> int | None:
        texts = self.values(node, predicate)
        return int(texts[0]) if len(texts) == 1 and texts[0].isdigit() else None

    def contradiction(self, iri: str, nodes: Sequence[str]) -> Iterator[Diagnostic]:
        """Warn where the documents say yes and the graph says no, or the other way round."""
        said = {
            mine: {d for n in nodes if (n in self.own) is mine for d in self.values(n, _DIRECTION)}
            for mine in (True, False)
        }
        yes, no = str(KG.Supports), str(KG.Contradicts)
        for ours, theirs, word in ((yes, no, "contradicts"), (no, yes, "supports")):
            if ours in said[True] and theirs in said[False] and ours not in said[False]:
                message = f"{self.claim(iri)}: what the graph holds already {word} it"
                hint = "Both will stand, and the confidence falls. Check that the two speak of the same thing."
                yield self.say("warning", "contradiction", iri, message, hint)

    def weak(self, iri: str, node: str) -> Iterator[Diagnostic]:
        levels = [self.model.by_iri.get(level) for level in self.values(node, _LEVEL)]
        strengths = [level.strength for level in levels if isinstance(level, EvidenceLevel)]
        if strengths and max(strengths) < WEAK:
            message = f"{self.claim(iri)} rests on one weak source ({levels[0].name if levels[0] else ''})"
            yield self.say("warning", "single-weak-source", iri, message, "Look for a second, independent source.")

    # -------------------------------------------------------------- entities and sources
    def entities(self, subject: str, kinds: Sequence[Kind]) -> Iterator[Diagnostic]:
        if len(kinds) > 1:
            message = (
                f"{self.name(subject)} is declared as {' and '.join(k.name for k in kinds)}; an entity has one kind"
            )
            yield self.say("error", "several-kinds", subject, message)
        yield from self.fields(subject, kinds[0])
        yield from self.field_dates(subject, kinds[0])
        yield from self.identifier(subject, kinds[0])
        yield from self.references(subject)
        yield from self.identities(subject, kinds[0])

    def may_be_unfilled(self, subject: str) -> bool:
        """Whether what is said of a subject passes the first test of ``placeholder``: without a call for every value of a bulk load."""
        about = self.facts[subject]
        if id(about) in self.filled:
            return False
        for terms in about.values():
            for term in terms:
                if (value := term.value) in GIVEN or value.endswith(LOCAL):
                    return True
        if id(about) in self.fine:  # others may say the same
            self.filled.add(id(about))
        return False

    def unfilled(self, subject: str) -> Iterator[Diagnostic]:
        """Yield what a skeleton of ``kg new`` left to be filled in."""
        left = {
            f"{self.name(predicate)} {self.name(value)}"
            for predicate, terms in self.facts[subject].items()
            for term in terms
            if placeholder(value := term.value, self.name)
        }
        if placeholder(subject, self.name):
            left.add(f"the identifier {self.name(subject)}")
        for what in sorted(left):
            message = f"{self.described(subject)} still has {what}, which `kg new` left to be filled in"
            yield self.say("error", "placeholder", subject, message, "Write what is true, or take the line out.")

    def field_dates(self, subject: str, kind: Kind) -> Iterator[Diagnostic]:
        for f in kind.fields:
            for text in self.values(subject, f.iri) if f.datatype in {"date", "partialDate"} else ():
                try:
                    first_day(text)
                except ValueError as error:
                    yield self.say(
                        "error", "impossible-date", subject, f"{self.name(subject)}: {self.name(f.iri)} {error}"
                    )

    def records(self, subject: str, types: Sequence[str]) -> Iterator[Diagnostic]:
        """A misspelt property of an assertion, evidence, source or study would be lost in silence."""
        for class_ in types:
            if class_ in _ENGINE_CLASSES:
                known = _engine_fields(self.model)[class_]
                for predicate in self.facts[subject].keys() - known:
                    if predicate.startswith(_NS):
                        message = (
                            f"{self.described(subject)}: {self.name(predicate)} is no field of {self.name(class_)}"
                        )
                        hint = meant(self.name(predicate), [self.name(k) for k in known])
                        yield self.say("error", "unknown-field", subject, message, hint)

    def unknown_type(self, subject: str, types: Sequence[str]) -> Iterator[Diagnostic]:
        known = self.known_types
        for type_ in () if known.issuperset(types) else types:
            if type_ not in known and type_.startswith(_NS):
                message = f"{self.name(subject)} has the unknown type {self.name(type_)}"
                yield self.say(
                    "error", "unknown-kind", subject, message, meant(self.name(type_), [self.name(k) for k in known])
                )

    @cached_property
    def known_types(self) -> set[str]:
        return {*_ENGINE_CLASSES, *(owner.iri for owner in self.model.owners)}

    def fields(self, subject: str, kind: Kind) -> Iterator[Diagnostic]:
        known = self.kind_fields.get(kind.name) or self.kind_fields.setdefault(kind.name, _fields_of(kind))
        for predicate in self.facts[subject].keys() - known:
            if predicate in {relation.iri for relation in self.model.relations}:
                message = f"{self.name(subject)} states {self.name(predicate)} directly; write it as a kg:Assertion with its evidence"
                yield self.say("error", "bare-relation", subject, message)
            elif predicate.startswith(_NS):
                message = f"{self.name(subject)}: {self.name(predicate)} is no field of {kind.name}"
                yield self.say(
                    "error",
                    "unknown-field",
                    subject,
                    message,
                    meant(self.name(predicate), [self.name(k) for k in known]),
                )
        for f in kind.fields:
            if f.from_curie and self.values(subject, f.iri):
                yield self.say(
                    "error",
                    "derived-field",
                    subject,
                    f"{self.name(subject)}: {self.name(f.iri)} is read off the identifier; do not write it",
                )

    def sources(self) -> Iterator[Diagnostic]:
        used = {term.value for facts in self.facts.values() for term in facts.get(_SOURCE, ())}
        for subject in self.own:
            if _SOURCE_TYPE in self.types(subject) and subject not in used:
                yield self.say(
                    "warning", "unused-source", subject, f"the source {self.name(subject)} is cited by nothing"
                )

    def broken(self) -> Iterator[Diagnostic]:
        """Report what other files say of an entity, source or study that loading would take away."""
        lost = {iri for iri in self.gone if not self.types(iri)}
        for triple in self.context if lost else ():
            subject, object_ = triple.subject.value, getattr(triple.object, "value", "")  # type: ignore[union-attr]
            if object_ in lost and triple.predicate.value != TYPE:
                message = f"{self.name(object_)} would go, but {self.described(subject)} still refers to it"
                hint = "Keep it, or change the file that refers to it as well."
                yield Diagnostic(
                    "error", "broken-reference", message, self.documents[0].name, hint=hint, subject=self.name(object_)
                )


@lru_cache(maxsize=4)
def _engine_fields(model: Model) -> dict[str, set[str]]:
    """Return the predicates that each of the engine's own classes has."""
    graph = model.shapes
    return {
        class_: {
            str(path) for shape in graph.objects(URIRef(class_), SH.property) for path in graph.objects(shape, SH.path)
        }
        for class_ in _ENGINE_CLASSES
    }


def _fields_of(kind: Kind) -> set[str]:
    return {field.iri for field in kind.fields} | _ENGINE_FIELDS


__all__ = [
    "Diagnostic",
    "as_errors",
    "check",
    "with_excerpts",
]
