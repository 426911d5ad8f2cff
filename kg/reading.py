"""Files into triples that know the line they came from.

RDF is parsed by Oxigraph's parsers, which accept and refuse exactly what the W3C suites say;
``kg.positions`` gets the places out of them, and ``kg.tables`` reads assertions from a table.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import starmap
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple
from rdflib.namespace import RDF

from kg.documents import Document, Lines, Place, Subject, Term, new_document
from kg.errors import BadInput, SyntaxProblem
from kg.model import Model, load_model
from kg.positions import Parsed, cut, parse_placed, plain_parse
from kg.tables import read_table
from kg.triples import About, Facts, Triples, in_order
from kg.vocabulary import ASSERTION, EVIDENCE, GRAPH, KG, NODE, SOURCE

FORMATS = {
    "ttl": RdfFormat.TURTLE,
    "trig": RdfFormat.TRIG,
    "nt": RdfFormat.N_TRIPLES,
    "nq": RdfFormat.N_QUADS,
    "jsonld": RdfFormat.JSON_LD,
    "rdf": RdfFormat.RDF_XML,
    "xml": RdfFormat.RDF_XML,
    "owl": RdfFormat.RDF_XML,
    "tsv": None,  # the table of kg.tables
}
ENDINGS = ", ".join("." + ending for ending in FORMATS)
MAX_SYNTAX_PROBLEMS = 20


def files_under(paths: Iterable[Path]) -> list[Path]:
    """Return the files named or lying below the named folders, sorted within each folder.

    Raises BadInput for a path that does not exist or a file of an unknown format.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.suffix[1:].lower() in FORMATS and p.is_file())
        elif not path.exists():
            raise BadInput(f"{path} does not exist.")
        elif path.suffix[1:].lower() not in FORMATS:
            raise BadInput(f"{path} has an unknown ending; known are {ENDINGS}.")
        else:
            found.append(path)
    return found


def read_file(path: Path, name: str | None = None, model: Model | None = None, *, recover: bool = False) -> Document:
    """Parse one file; raises SyntaxProblem with line and column where it is not what its ending says."""
    return read_text(path.read_bytes(), path.suffix[1:].lower(), name or str(path), model, recover=recover)


def read_text(data: bytes, ending: str, name: str, model: Model | None = None, *, recover: bool = False) -> Document:
    """Parse bytes in the format of a file ending (``ttl``, ``jsonld``, ``tsv`` …).

    With ``recover``, syntax errors are kept in the document instead of raised, and of Turtle the other
    statements are read. A table needs the model that its names come from (by default the one installed).
    """
    document = new_document(name, data, "")
    try:
        _read(document, data, ending, model)
    except SyntaxProblem as error:
        if not recover:
            raise
        document.syntax = [error]
        if ending == "ttl" and document.text:
            _recover(document)
    if document.syntax and not recover:
        raise document.syntax[0]
    return document


def _read(document: Document, data: bytes, ending: str, model: Model | None) -> None:
    if ending not in FORMATS:
        raise BadInput(f"{document.name} has the format {ending!r}; known are {', '.join(FORMATS)}.")
    document.text = _decode(data, document.name)
    format_ = FORMATS[ending]
    if format_ is None:
        read_table(document, model or load_model())
        return
    try:
        _fill(document, parse_placed(document.text, format_, document.name))
    except RecursionError:
        raise SyntaxProblem(document.name, "nodes are nested too deeply; give the inner ones IRIs") from None


def _fill(document: Document, parsed: Parsed) -> None:
    derived = NamedNode(GRAPH + "derived")  # what an export says of these is worked out anew on loading
    said = parsed.triples
    document.triples = [q.triple for q in parsed.quads if q.graph_name != derived] if said is None else said
    document.places, document.prefixes = parsed.places, parsed.prefixes


def read_parts(path: Path, name: str, model: Model | None = None, *, recover: bool = False) -> list[Document]:
    """Parse one file that may hold the named graphs of an export, each of which is a source file of its own.

    All other named graphs of a TriG or N-Quads file are merged: a graph here is the file it came from.
    """
    document = read_file(path, name, model, recover=recover)
    ending = path.suffix[1:].lower()
    format_ = FORMATS[ending]
    if ending not in {"trig", "nq"} or format_ is None or SOURCE not in document.text or document.syntax:
        return [document]
    groups: dict[str, list[Triple]] = defaultdict(list)
    for quad in plain_parse(document.text, format_, name).quads:
        graph = getattr(quad.graph_name, "value", "")
        if not graph.startswith(GRAPH):
            groups[unquote(graph.removeprefix(SOURCE)) if graph.startswith(SOURCE) else name].append(quad.triple)
    return [
        Document(part, document.sha256, document.text, triples, document.places, document.prefixes)
        for part, triples in sorted(groups.items())
    ]


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise SyntaxProblem(
            name, f"byte 0x{data[error.start]:02x} is not valid UTF-8; save the file as UTF-8", line, column
        ) from error


def _recover(document: Document) -> None:
    """Read the statements of a Turtle text one by one, keeping what parses and noting what does not."""
    lines, header, first = Lines(document.text), "", document.syntax[0]
    found: list[SyntaxProblem] = []
    triples: list[Triple] = []
    for statement in cut(document.text):
        chunk = document.text[statement.start : statement.end]
        place = lines.place(statement.start)
        try:
            parsed = plain_parse(header + chunk, RdfFormat.TURTLE, document.name)
        except SyntaxProblem as error:
            found.append(_moved(error, place, header.count("\n")))
            continue
        if statement.directive:
            header += chunk.replace("\n", " ") + "\n"
        triples += [quad.triple for quad in parsed.quads]
        for quad in parsed.quads:
            document.places.setdefault(quad.subject, place)
        if len(found) >= MAX_SYNTAX_PROBLEMS:
            break
    document.triples = triples
    later = [error for error in found if (error.line or 0) > (first.line or 0)]
    document.syntax = [first, *later][:MAX_SYNTAX_PROBLEMS]


def _moved(error: SyntaxProblem, place: Place, header: int) -> SyntaxProblem:
    """Return an error of a statement parsed by itself at its place in the whole text."""
    line = (error.line or 1) - header
    column = error.column
    if line <= 1 and column is not None:
        column += place.column - 1
    return SyntaxProblem(error.source, error.reason, place.line + max(line, 1) - 1, column)


# ---------------------------------------------------------------- names for nodes that have none
_TYPE, _ASSERTION = NamedNode(str(RDF.type)), NamedNode(str(KG.Assertion))
_EVIDENCE, _EVIDENCE_CLASS = NamedNode(str(KG.evidence)), NamedNode(str(KG.Evidence))
_IS_EVIDENCE = (_EVIDENCE_CLASS,)
_SPO = tuple(NamedNode(str(term)) for term in (RDF.subject, RDF.predicate, RDF.object))
_TYPE_IRI, _EVIDENCE_IRI, *_ENDS = (term.value for term in (_TYPE, _EVIDENCE, *_SPO))


def assertion_iri(subject: str, predicate: str, object_: str) -> str:
    """Return the IRI of the assertion that (subject, predicate, object): the same claim has one IRI in every file."""
    return ASSERTION + _digest(f"{subject}\n{predicate}\n{object_}")


def name_nodes(document: Document) -> Document:
    """Return the document with every blank node named after its content, and every assertion after its claim.

    The names depend on nothing but the content, so the same file gives the same triples on every load
    and a changed line changes only its own node. Raises SyntaxProblem for blank nodes in a circle.
    """
    triples, places = document.triples, document.places
    if not isinstance(triples, Triples) or not all(starmap(_well_named, triples.facts.items())):
        names = _Names(document)
        try:
            renamed = {node: name for node in names.unsettled if (name := names(node)) != node}
        except RecursionError:
            raise SyntaxProblem(document.name, "blank nodes form a chain that is too long; give some IRIs") from None
        if renamed:
            new = renamed.get
            triples = [Triple(new(t.subject, t.subject), t.predicate, new(t.object, t.object)) for t in triples]
            places = {}
            for node, place in document.places.items():
                places.setdefault(new(node, node), place)
    return replace(document, triples=Triples(_with_evidence_typed(Triples.of(triples).facts)), places=places)


def _well_named(iri: str, about: About) -> bool:
    """Whether a subject has the name that it should have, for one that has an IRI."""
    if _ASSERTION not in about.get(_TYPE_IRI, ()):
        return True
    ends = [about.get(term, ()) for term in _ENDS]
    if any(len(end) != 1 or not isinstance(end[0], NamedNode) for end in ends):
        return True
    return iri == assertion_iri(*(end[0].value for end in ends))


def _with_evidence_typed(facts: Facts) -> Facts:
    """Return facts in which all evidence says that it is; what says the same is there once: loaded in bulk, much does."""
    typed, alike = dict(facts), dict[tuple[Any, ...], About]()
    for about in facts.values():
        for node in about.get(_EVIDENCE_IRI, ()):
            if not isinstance(node, NamedNode):
                continue
            said = typed.get(iri := node.value, {})
            types = said.get(_TYPE_IRI, ())
            if _EVIDENCE_CLASS not in types:
                said = {
                    **said,
                    _TYPE_IRI: in_order((*types, _EVIDENCE_CLASS)) if types else _IS_EVIDENCE,
                }
            typed[iri] = alike.setdefault((*said, *map(id, said.values())), said)
    return typed


class _Names:
    """Gives each node of a document its final name."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.out: dict[Term, list[Triple]] = defaultdict(list)
        self.parents: dict[Term, list[Triple]] = defaultdict(list)
        self.assertions: set[Subject] = set()
        for triple in document.triples:
            subject, object_ = triple.subject, triple.object
            self.out[subject].append(triple)
            if isinstance(object_, BlankNode):
                self.parents[object_].append(triple)
            elif object_ == _ASSERTION and triple.predicate == _TYPE:
                self.assertions.add(subject)
        nameless = (node for node in {**self.out, **self.parents} if isinstance(node, BlankNode))
        self.unsettled = dict.fromkeys((*nameless, *self.assertions))
        """The nodes that may get another name than they have."""
        self.known: dict[Term, NamedNode] = {}
        self.contents: dict[Term, str] = {}
        self.open: set[Term] = set()

    def __call__(self, node: Term) -> Term:
        if isinstance(node, Literal):
            return node
        if node not in self.known:
            self.known[node] = self.name(node)
        return self.known[node]

    def name(self, node: Subject) -> NamedNode:
        claim = self.claim(node)
        if claim:
            return NamedNode(assertion_iri(*claim))
        if isinstance(node, NamedNode):
            return node
        content = self.content(node)  # first, because it notices circles
        links = sorted(f"{self(t.subject).value} {t.predicate.value}" for t in self.parents[node])
        base = EVIDENCE if any(t.predicate == _EVIDENCE for t in self.parents[node]) else NODE
        return NamedNode(base + _digest("\n".join([*links[:1], content])))

    def claim(self, node: Subject) -> tuple[str, str, str] | None:
        if node not in self.assertions:
            return None
        ends = {term: set[Term]() for term in _SPO}
        for triple in self.out[node]:
            if (predicate := triple.predicate) in ends:
                ends[predicate].add(triple.object)
        if any(len(end) != 1 for end in ends.values()):
            return None
        s, p, o = (cast(Term, next(iter(end))) for end in ends.values())
        if not all(isinstance(term, NamedNode) for term in (s, p, o)):
            return None
        return s.value, p.value, o.value

    def content(self, node: Term) -> str:
        if not isinstance(node, BlankNode):
            return str(node)
        if node in self.open:
            place = self.document.places.get(node)
            raise SyntaxProblem(
                self.document.name,
                "blank nodes refer to each other in a circle; give one an IRI",
                place.line if place else None,
            )
        if node not in self.contents:
            self.open.add(node)
            facts = {f"{t.predicate} {self.content(t.object)}" for t in self.out[node]}
            if any(t.predicate == _EVIDENCE for t in self.parents[node]):
                facts.add(f"{_TYPE} {_EVIDENCE_CLASS}")  # saying so or not is the same evidence
            self.contents[node] = _digest("\n".join(sorted(facts)))
            self.open.discard(node)
        return self.contents[node]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
