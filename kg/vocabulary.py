"""Terms of the engine, and the one table of prefixes that turns CURIEs into IRIs and back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from curies import Converter, Record
from rdflib import URIRef
from rdflib.namespace import DefinedNamespace, Namespace


class KG(DefinedNamespace):
    """The engine's own terms (kg/core.ttl); a misspelt one raises at once."""

    _fail = True
    _NS = Namespace("https://cartograph.example/vocab/")

    Kind: URIRef
    Relation: URIRef
    Record: URIRef
    EvidenceLevel: URIRef
    Entity: URIRef
    Assertion: URIRef
    Evidence: URIRef
    Source: URIRef
    Study: URIRef
    ChangeSet: URIRef
    PartialDate: URIRef

    plural: URIRef
    color: URIRef
    shape: URIRef
    idPrefix: URIRef
    curiePrefix: URIRef
    fromCurie: URIRef
    synonym: URIRef
    sameKind: URIRef
    phrase: URIRef
    inversePhrase: URIRef
    effectSign: URIRef
    acceptsLevel: URIRef
    predicts: URIRef
    attemptOf: URIRef
    speaksAgainst: URIRef
    harm: URIRef
    definitional: URIRef
    haltedValue: URIRef
    haltReason: URIRef
    graded: URIRef
    biolinkClass: URIRef
    biolinkPredicate: URIRef
    biolinkAssociation: URIRef
    mappingNote: URIRef
    strength: URIRef
    ecoCode: URIRef
    knowledgeLevel: URIRef
    agentType: URIRef
    prefixSynonym: URIRef
    urlTemplate: URIRef

    evidence: URIRef
    level: URIRef
    direction: URIRef
    study: URIRef
    sampleSize: URIRef
    count: URIRef
    total: URIRef
    grade: URIRef
    verification: URIRef
    sourceKind: URIRef
    doi: URIRef
    pmid: URIRef
    url: URIRef
    Supports: URIRef
    Contradicts: URIRef
    Inconclusive: URIRef

    version: URIRef
    message: URIRef
    added: URIRef
    removed: URIRef
    delta: URIRef
    changeId: URIRef
    reverts: URIRef
    file: URIRef
    sha256: URIRef


ASSERTION = "https://cartograph.example/assertion/"
EVIDENCE = "https://cartograph.example/evidence/"
NODE = "https://cartograph.example/node/"
SOURCE = "https://cartograph.example/source/"
CHANGE = "https://cartograph.example/change/"
GRAPH = "https://cartograph.example/graph/"

NCT_NUMBER = re.compile(r"NCT\d{8}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prefix:
    """One row of the prefix table."""

    prefix: str
    namespace: str
    synonyms: tuple[str, ...] = ()
    url_template: str | None = None


class Prefixes:
    """The prefix table of a schema: CURIE to IRI, IRI to CURIE, identifier to web page."""

    def __init__(self, rows: Iterable[Prefix]) -> None:
        self.rows = tuple(sorted(rows, key=lambda row: row.prefix.lower()))
        self._templates = {row.prefix: row.url_template for row in self.rows}
        self._converter = Converter(
            [Record(prefix=r.prefix, uri_prefix=r.namespace, prefix_synonyms=list(r.synonyms)) for r in self.rows],
        )

        self._prefix_of = self._converter.reverse_prefix_map
        longest_first = sorted(self._prefix_of, key=len, reverse=True)
        self._namespace = re.compile("|".join(map(re.escape, longest_first)) or "(?!)").match

    def curie(self, iri: str) -> str:
        """Return the CURIE of an IRI, or the IRI itself where no prefix covers it.

        The same as the converter's ``compress``, which walks the IRI character by character in Python and took a
        tenth of the time of a large load.
        """
        found = self._namespace(iri)
        return f"{self._prefix_of[found[0]]}:{iri[found.end() :]}" if found else iri

    def iri(self, name: str) -> str | None:
        """Return the IRI of a CURIE (any spelling of its prefix), of a bare NCT number, or of an IRI; else None."""
        name = name.strip().strip("<>")
        if NCT_NUMBER.fullmatch(name):
            return self._converter.expand(f"CLINICALTRIALS:{name.upper()}")
        if name.startswith(("http://", "https://")):
            return name
        return self._converter.expand(name) if ":" in name else None

    def page(self, iri: str) -> str | None:
        """Return the web page about an IRI, where its prefix has one."""
        prefix, _, identifier = self.curie(iri).partition(":")
        template = self._templates.get(prefix)
        return template.replace("{}", identifier) if template else None

    def turtle(self) -> dict[str, str]:
        """Return prefix -> namespace, as Turtle and JSON-LD want it."""
        return {row.prefix: row.namespace for row in self.rows}
