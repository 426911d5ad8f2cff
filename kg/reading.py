"""RDF files into triples that know the line they came from.

Text is parsed by Oxigraph's parsers, which accept and refuse exactly what the W3C suites say. They
give no positions, so Turtle is first cut into statements, and each statement's triples take its line;
other formats are searched for the subject.
"""

from __future__ import annotations

import bisect
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, parse
from rdflib.namespace import RDF

from kg.errors import BadInput, SyntaxProblem
from kg.vocabulary import ASSERTION, EVIDENCE, KG, NODE

Subject: TypeAlias = Any  # NamedNode or BlankNode; pyoxigraph's stubs also allow RDF 1.2 triples, which reading refuses
Term: TypeAlias = Any  # the same, or Literal

FORMATS = {
    "ttl": RdfFormat.TURTLE,
    "trig": RdfFormat.TRIG,
    "nt": RdfFormat.N_TRIPLES,
    "nq": RdfFormat.N_QUADS,
    "jsonld": RdfFormat.JSON_LD,
    "rdf": RdfFormat.RDF_XML,
    "xml": RdfFormat.RDF_XML,
    "owl": RdfFormat.RDF_XML,
}
ENDINGS = ", ".join("." + ending for ending in FORMATS)

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+ | \#[^\n]*)
  | (?P<quoted><[^<>"{}|^`\\\x00-\x20]*> | \"{3}(?:[^"\\]|\\.|"(?!""))*\"{3} | '{3}(?:[^'\\]|\\.|'(?!''))*'{3}
        | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
  | (?P<end>\.(?=[\s\#]|$))
  | (?P<word>[^\s<"'.\#][^\s<"']*?(?=\.(?:[\s\#]|$)|[\s<"']|$))
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands; lines and columns count from 1."""

    line: int
    column: int


@dataclass
class Document:
    """One parsed file: its name, the SHA-256 of its bytes, its triples, and where each subject stands."""

    name: str
    sha256: str
    text: str
    triples: list[Triple]
    places: dict[Subject, Place] = field(default_factory=dict)

    def place(self, subject: Term) -> Place | None:
        """Return where a subject stands, or None where that is not known."""
        return self.places.get(subject) if not isinstance(subject, Literal) else None

    def line(self, number: int) -> str:
        """Return one line of the text, without its line break."""
        return self.text.split("\n", number)[number - 1].rstrip("\r")


def files_under(paths: Iterable[Path]) -> list[Path]:
    """Return the RDF files named or lying below the named folders, sorted within each folder.

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


def read_file(path: Path, name: str | None = None) -> Document:
    """Parse one file; raises SyntaxProblem with line and column where it is not what its ending says."""
    return read_text(path.read_bytes(), path.suffix[1:].lower(), name or str(path))


def read_text(data: bytes, ending: str, name: str) -> Document:
    """Parse bytes in the format of a file ending (``ttl``, ``jsonld`` …)."""
    format_ = FORMATS.get(ending)
    if format_ is None:
        raise BadInput(f"{name} has the format {ending!r}; known are {', '.join(FORMATS)}.")
    text = _decode(data, name)
    document = Document(name, hashlib.sha256(data).hexdigest(), text, [])
    quads = _parse(text, format_, name)
    if any(isinstance(quad.object, Triple) for quad in quads):
        raise SyntaxProblem(name, "RDF 1.2 triple terms are not supported; write a kg:Assertion instead")
    if format_ == RdfFormat.TURTLE and _place_statements(document):
        return document
    document.triples = [quad.triple for quad in quads]
    document.places = _search(text, {t.subject for t in document.triples})
    return document


def _place_statements(document: Document) -> bool:
    """Fill in triples and places statement by statement; False where the text's layout defeats the cutting."""
    try:
        for place, triples in _statements(document.text, document.name):
            document.triples += triples
            for triple in triples:
                document.places.setdefault(triple.subject, place)
    except SyntaxProblem:  # the whole text parses, so only the cut is wrong, as in "x:a x:b x:c.@prefix y: <…> ."
        document.triples, document.places = [], {}
        return False
    return True


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise SyntaxProblem(
            name, f"byte 0x{data[error.start]:02x} is not valid UTF-8; save the file as UTF-8", line, column
        ) from error


def _parse(text: str, format_: RdfFormat, name: str) -> list[Quad]:
    try:
        return list(parse(text.encode(), format=format_))
    except SyntaxError as error:
        message = re.sub(r"^Parser error (?:at line \d+ )?(?:between )?.*?: ", "", str(error.msg))
        raise SyntaxProblem(name, message, error.lineno, error.offset) from error


def _statements(text: str, name: str) -> Iterator[tuple[Place, list[Triple]]]:
    """Yield each Turtle statement's place and triples."""
    breaks = [i for i, char in enumerate(text) if char == "\n"]
    header = ""
    for start, end in _cut(text):
        chunk = text[start:end]
        if re.match(r"@?(prefix|base)\b", chunk, re.IGNORECASE):
            header += chunk + "\n"
            continue
        line = bisect.bisect_left(breaks, start)
        place = Place(line + 1, start - (breaks[line - 1] + 1 if line else 0) + 1)
        yield place, [quad.triple for quad in _parse(header + chunk, RdfFormat.TURTLE, name)]


def _cut(text: str) -> Iterator[tuple[int, int]]:
    """Yield the bounds of each statement of a Turtle text that is known to parse."""
    start: int | None = None
    directive = ""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "space":
            continue
        if start is None:
            start = match.start()
            directive = match.group().lower()
        if (
            kind == "end"
            or (directive == "prefix" and match.group().startswith("<"))
            or (directive == "base" and kind == "quoted")
        ):
            yield start, match.end()
            start, directive = None, ""


def _search(text: str, subjects: set[Subject]) -> dict[Subject, Place]:
    """Find where each IRI first begins a line, or first stands at all, in a text that is not Turtle."""
    places: dict[Subject, Place] = {}
    wanted = {node.value: node for node in subjects if isinstance(node, NamedNode)}
    for number, line in enumerate(text.split("\n"), 1):
        for match in re.finditer(r'[<"]([^<>"\s]+)[>"]', line):
            node = wanted.pop(match.group(1), None)
            if node is not None:
                places[node] = Place(number, match.start() + 1)
    return places


# ---------------------------------------------------------------- names for nodes that have none
_TYPE, _ASSERTION = NamedNode(str(RDF.type)), NamedNode(str(KG.Assertion))
_EVIDENCE, _EVIDENCE_CLASS = NamedNode(str(KG.evidence)), NamedNode(str(KG.Evidence))
_SPO = tuple(NamedNode(str(term)) for term in (RDF.subject, RDF.predicate, RDF.object))


def assertion_iri(subject: str, predicate: str, object_: str) -> str:
    """Return the IRI of the assertion that (subject, predicate, object): the same claim has one IRI in every file."""
    return ASSERTION + _digest(f"{subject}\n{predicate}\n{object_}")


def name_nodes(document: Document) -> Document:
    """Return the document with every blank node named after its content, and every assertion after its claim.

    The names depend on nothing but the content, so the same file gives the same triples on every load
    and a changed line changes only its own node. Raises SyntaxProblem for blank nodes in a circle.
    """
    names = _Names(document)
    triples = {Triple(names(t.subject), t.predicate, names(t.object)) for t in document.triples}
    evidence: set[Term] = {t.object for t in triples if t.predicate == _EVIDENCE}
    triples |= {Triple(node, _TYPE, _EVIDENCE_CLASS) for node in evidence}
    places: dict[Subject, Place] = {}
    for node, place in document.places.items():
        places.setdefault(names(node), place)
    return Document(document.name, document.sha256, document.text, sorted(triples, key=str), places)


class _Names:
    """Gives each node of a document its final name."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.out: dict[Term, list[Triple]] = defaultdict(list)
        self.parents: dict[Term, list[Triple]] = defaultdict(list)
        for triple in document.triples:
            self.out[triple.subject].append(triple)
            if isinstance(triple.object, BlankNode):
                self.parents[triple.object].append(triple)
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
        facts = self.out[node]
        if not any(t.predicate == _TYPE and t.object == _ASSERTION for t in facts):
            return None
        ends = [{t.object for t in facts if t.predicate == term} for term in _SPO]
        if any(len(end) != 1 for end in ends):
            return None
        s, p, o = (cast(Term, next(iter(end))) for end in ends)
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
            self.contents[node] = _digest(
                "\n".join(sorted(f"{t.predicate} {self.content(t.object)}" for t in self.out[node]))
            )
            self.open.discard(node)
        return self.contents[node]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]
