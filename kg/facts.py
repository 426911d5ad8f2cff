"""Triples by subject and predicate, and what checks ask of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import NamedTuple

from pyoxigraph import NamedNode, Triple
from rapidfuzz import process
from rdflib.namespace import RDF, RDFS

from kg.diagnostics import Diagnostic
from kg.documents import Document, Place, Subject
from kg.model import Kind, Model
from kg.reference import Reference
from kg.triples import Facts, Triples, grouped, together
from kg.vocabulary import KG

TYPE, LABEL = str(RDF.type), str(RDFS.label)
SUBJECT, PREDICATE, OBJECT = str(RDF.subject), str(RDF.predicate), str(RDF.object)
ASSERTION_TYPE, EVIDENCE_LINK = str(KG.Assertion), str(KG.evidence)


@dataclass(frozen=True)
class Said:
    """What documents and their context say, and which document says something of each subject first."""

    facts: Facts
    owner: Mapping[str, Document]


def said(documents: Iterable[Document], context: Iterable[Triple] = ()) -> Said:
    """Return what documents and their context say; what several say alike is there once."""
    parts = [(document, Triples.of(document.triples).facts) for document in documents]
    owner: dict[str, Document] = {}
    for document, facts in parts:
        owner.update(dict.fromkeys([subject for subject in facts if subject not in owner], document))
    return Said(together([*(facts for _, facts in parts), grouped(context)]), owner)


class Named(NamedTuple):
    """An entity that a graph has, by its IRI, the name of its kind, and its label."""

    iri: str
    kind: str
    label: str


Others = Callable[[], Iterable[Named]]


@dataclass(frozen=True)
class Task:
    """What is to be checked: the documents, and the rest of the graph that they will join.

    ``others`` gives the entities that the context may leave out; they are gathered where a finding looks for one like
    another, for in a large graph that takes longer than all the rest. ``said`` is what documents and context say, where
    that is at hand.
    """

    documents: Sequence[Document]
    model: Model
    reference: Reference | None
    context: Sequence[Triple]
    today: date
    pedantic: bool = False
    others: Others = tuple
    said: Said | None = None


class World:
    """The facts of a task, and the words for them; the checks are methods of its subclasses."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.documents = task.documents
        self.model = task.model
        self.reference = task.reference
        self.today = task.today
        self.pedantic = task.pedantic
        self.context = task.context
        found = task.said or said(task.documents, task.context)
        self.facts, self.owner = found.facts, found.owner
        self.own = self.owner.keys()
        self.name = lru_cache(maxsize=200_000)(task.model.prefixes.curie)
        self._kinds_of: dict[int, Sequence[Kind]] = {}

    # -------------------------------------------------------------- saying
    def say(self, severity: str, code: str, subject: str, message: str, hint: str = "") -> Diagnostic:
        """Return a finding at the place where its subject stands, or else where that is referred to."""
        document = self.owner.get(subject) or self.documents[0]
        place = document.place(NamedNode(subject)) or self.parent_place(document, subject)
        name = self.name(subject)
        line, column = (place.line, place.column) if place else (None, None)
        return Diagnostic(severity, code, message, document.name, line, column, hint, name)

    def parent_place(self, document: Document, subject: str) -> Place | None:
        """Return where a node is referred to, for one that has no place of its own."""
        parents: Iterator[Subject] = (
            t.subject for t in document.triples if getattr(t.object, "value", None) == subject
        )
        return next((place for parent in parents if (place := document.place(parent))), None)

    def claim(self, subject: str) -> str:
        """Return an assertion in words."""
        parts = [
            self.name(v).removeprefix("kg:") for p in (SUBJECT, PREDICATE, OBJECT) for v in self.values(subject, p)[:1]
        ]
        return f"the assertion “{' '.join(parts)}”" if parts else "an assertion"

    def described(self, subject: str) -> str:
        """Return what a message calls a node: its CURIE, its claim, or whose evidence it is."""
        if ASSERTION_TYPE in self.types(subject):
            return self.claim(subject)
        claims = [self.claim(assertion) for assertion in self.by_evidence.get(subject, ())]
        return f"evidence of {claims[0]}" if claims else self.name(subject)

    # -------------------------------------------------------------- asking
    def values(self, subject: str, predicate: str) -> list[str]:
        """Return the values of a property, as strings."""
        about = self.facts.get(subject)
        return [term.value for term in about.get(predicate, ())] if about else []

    def types(self, subject: str) -> list[str]:
        """Return the IRIs of the classes that a node has."""
        return self.values(subject, TYPE)

    def kinds(self, subject: str) -> Sequence[Kind]:
        """Return the kinds that a node has: one, if all is well."""
        about = self.facts.get(subject)
        types = about.get(TYPE) if about else None
        if types is None:
            return ()
        found = self._kinds_of.get(id(types))
        if found is None:  # most subjects have their types in common
            things = [self.model.by_iri.get(term.value) for term in types]
            found = self._kinds_of[id(types)] = [thing for thing in things if isinstance(thing, Kind)]
        return found

    @cached_property
    def by_evidence(self) -> dict[str, list[str]]:
        """Return evidence -> the assertions that it belongs to."""
        index: dict[str, list[str]] = defaultdict(list)
        for subject in self.facts:
            for node in self.values(subject, EVIDENCE_LINK):
                index[node].append(subject)
        return index

    @cached_property
    def entity_names(self) -> list[str]:
        """CURIEs of everything that has a kind, for near matches."""
        known = (subject for subject in self.facts if self.kinds(subject))
        return sorted(self.name(subject) for subject in {*known, *self.others})

    @cached_property
    def others(self) -> dict[str, Named]:
        """Entities of the graph that are in no fact, by IRI."""
        return {other.iri: other for other in self.task.others() if other.iri not in self.facts}


def meant(name: str, candidates: Iterable[str]) -> str:
    """Return "Did you mean …?" with the nearest of some names, or nothing."""
    near = process.extract(name, sorted(set(candidates)), limit=2, score_cutoff=75)
    return f"Did you mean {' or '.join(match for match, *_ in near)}?" if near else ""
