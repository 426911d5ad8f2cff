"""Parsing that remembers where things stand.

Oxigraph's parsers give no positions. So a text is first instrumented: a marker statement before each
statement, a marker property in each ``[…]``, an identifier for each JSON or XML node that has none. The
parser hands the markers back among the triples, and what stands between two markers stood between
them in the text. Where a marker does not come back, the layout was not understood: the text is parsed as
it is, and subjects are searched for.
"""

from __future__ import annotations

import re
from collections import UserDict
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from xml.parsers import expat

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, Triple, parse

from kg.documents import Lines, Place, Subject
from kg.errors import SyntaxProblem
from kg.triples import Triples

MAX_DEPTH = 200  # brackets, objects or elements; nobody writes more by hand, and parsers recurse
MAX_ENTITY = 512  # characters of an XML entity: enough for a namespace, too little for a bomb
MARK = NamedNode("urn:kg:mark")
_BLANK = "kgmark"
RDF_NS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TRIPLE_TERMS = "RDF 1.2 triple terms are not supported; write a kg:Assertion instead"
TOO_DEEP = f"nested more than {MAX_DEPTH} deep; give the inner nodes IRIs"

TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n]+ | \#[^\n]*)
  | (?P<quoted><[^<>"{}|^`\\\x00-\x20]*> | \"{3}(?:[^"\\]++|\\.|"(?!""))*+\"{3} | '{3}(?:[^'\\]++|\\.|'(?!''))*+'{3}
        | "(?:[^"\\\n]++|\\.)*+" | '(?:[^'\\\n]++|\\.)*+')  # possessive: one that does not end is not tried in all ways
  | (?P<terms><<)
  | (?P<end>\.(?=[\s\#{}\[\]]|$))
  | (?P<mark>[\[\](){}])
  | (?P<plain>(?:[^<"'\#\[\](){}\\.]++|\\.|\.(?=[^\s\#{}\[\]]))++)  # names, spaces, ; and , up to what matters
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_IRI_OR_LABEL = re.compile(r"\s*(<[^<>\s]*>|_:\S+)")
_TERM_LINE = re.compile(r"\s*(?:<[^>]*>|_:\S+)\s+<[^>]*>\s*<<")


@dataclass
class Parsed:
    """What a text says: its quads, where each subject first stands, and its prefixes.

    Of lines without blank nodes there are ``triples`` instead of quads.
    """

    quads: list[Quad]
    places: MutableMapping[Subject, Place] = field(default_factory=dict)
    prefixes: dict[str, str] = field(default_factory=dict)
    triples: Triples | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """The bounds of one statement of a Turtle or TriG text; ``directive`` for a prefix or base."""

    start: int
    end: int
    directive: bool = False


def parse_placed(text: str, format_: RdfFormat, name: str) -> Parsed:
    """Parse a text; raises SyntaxProblem with line and column where it is not in the format."""
    if format_ in {RdfFormat.TURTLE, RdfFormat.TRIG}:
        parsed = _turtle(text, format_, name)
    elif format_ == RdfFormat.JSON_LD:
        parsed = _json(text, name)
    elif format_ == RdfFormat.RDF_XML:
        parsed = _xml(text, name)
    else:
        parsed = _lines(text, format_, name)
    spelled_out = format_ in {RdfFormat.N_TRIPLES, RdfFormat.N_QUADS}  # where no other syntax makes one
    looked_at = parsed.quads if "<<" in text or not spelled_out else ()
    if any(isinstance(quad.object, Triple) or isinstance(quad.subject, Triple) for quad in looked_at):
        raise SyntaxProblem(name, TRIPLE_TERMS)
    return parsed


def plain_parse(text: str, format_: RdfFormat, name: str) -> Parsed:
    """Parse a text as it stands, without places."""
    with _explained(name):
        parser = parse(text.encode(), format=format_)
        return Parsed(list(parser), {}, dict(parser.prefixes))


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what the parser says of a text into SyntaxProblem."""
    try:
        yield
    except SyntaxError as error:
        message = re.sub(r"^Parser error (?:at line \d+ )?(?:between )?.*?: ", "", str(error.msg))
        message = re.sub(r" \(line \d+\)$", "", message)
        raise SyntaxProblem(name, message, error.lineno, error.offset) from error


# ---------------------------------------------------------------- Turtle and TriG
def cut(text: str) -> Iterator[Statement]:
    """Yield the bounds of each statement of a Turtle text, in order."""
    start: int | None = None
    first = ""
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "space":
            continue
        if start is None:
            start, first = match.start(), _first_word(match.group())
        if kind == "end" or _ends_directive(first, match):
            yield Statement(start, match.end(), first.lstrip("@") in {"prefix", "base", "version"})
            start = None
    if start is not None:
        yield Statement(start, len(text))


def _first_word(part: str) -> str:
    return part.split(None, 1)[0].lower()


def _ends_directive(first: str, match: re.Match[str]) -> bool:
    """Whether a token ends a directive in SPARQL's spelling, which has no full stop."""
    if first == "prefix":
        return match.group().startswith("<")
    return first in {"base", "version"} and match.lastgroup == "quoted"


def _turtle(text: str, format_: RdfFormat, name: str) -> Parsed:
    marked, offsets = mark_statements(text, format_, name)
    try:
        parsed = plain_parse(marked, format_, name)
    except SyntaxProblem:
        return _searched(text, format_, name)  # raises again, with the place in the real text
    lines = Lines(text)
    quads, places, seen, here = [], parsed.places, 0, Place(1, 1)
    for quad in parsed.quads:
        if quad.predicate == MARK:
            place = lines.place(offsets[int(quad.object.value)])  # type: ignore[union-attr]
            seen += 1
            if quad.subject == MARK:
                here = place
            else:
                places[quad.subject] = place
        else:
            quads.append(quad)
            places.setdefault(quad.subject, here)
    parsed.quads = quads
    return parsed if seen == len(offsets) else _searched(text, format_, name)


def mark_statements(text: str, format_: RdfFormat, name: str) -> tuple[str, list[int]]:
    """Return a Turtle or TriG text with markers put in, and the offset that each stands for."""
    out: list[str] = []
    offsets: list[int] = []
    done, depth, bracket, first, fresh = 0, 0, 0, "", True
    brackets = format_ == RdfFormat.TRIG
    previous = ""
    for match in TOKEN.finditer(text):
        kind, part, start = match.lastgroup, match.group(), match.start()
        if kind == "space":
            continue
        if kind == "terms":
            place = Lines(text).place(start)
            raise SyntaxProblem(name, TRIPLE_TERMS, place.line, place.column)
        if previous == "[" and part != "]":
            out += [text[done:start], f"<urn:kg:mark> {len(offsets)} ; "]
            done = start
            offsets.append(bracket)
        if fresh and not (brackets and part in "{}"):
            first, fresh = _first_word(part), False
            if first.lstrip("@") not in {"prefix", "base", "version"}:
                out += [text[done:start], f"<urn:kg:mark> <urn:kg:mark> {len(offsets)} . "]
                done = start
                offsets.append(start)
        if kind == "end" or (brackets and part in "{}") or _ends_directive(first, match):
            fresh, first = True, ""
        elif part in "[(":
            bracket = start
            depth += 1
            if depth > MAX_DEPTH:
                place = Lines(text).place(start)
                raise SyntaxProblem(name, TOO_DEEP, place.line, place.column)
        elif part in "])":
            depth -= 1
        previous = part
    out.append(text[done:])
    return "".join(out), offsets


def _searched(text: str, format_: RdfFormat, name: str) -> Parsed:
    parsed = plain_parse(text, format_, name)
    parsed.places = _search(text, {quad.subject for quad in parsed.quads})
    return parsed


def _search(text: str, subjects: set[Subject]) -> dict[Subject, Place]:
    """Find where each IRI first stands in a text of unknown layout."""
    places: dict[Subject, Place] = {}
    wanted = {node.value: node for node in subjects if isinstance(node, NamedNode)}
    for number, line in enumerate(text.split("\n"), 1):
        for match in re.finditer(r'[<"]([^<>"\s]+)[>"]', line):
            node = wanted.pop(match.group(1), None)
            if node is not None:
                places[node] = Place(number, match.start() + 1)
    return places


# ---------------------------------------------------------------- N-Triples and N-Quads
def _lines(text: str, format_: RdfFormat, name: str) -> Parsed:
    for number, line in enumerate(text.split("\n"), 1) if "<<" in text else ():
        if _TERM_LINE.match(line):
            raise SyntaxProblem(name, TRIPLE_TERMS, number, 1)
    if format_ == RdfFormat.N_TRIPLES and "_:" not in text and "<<" not in text:
        with _explained(name):
            return Parsed([], _LinePlaces(text), triples=Triples.of(parse(text.encode(), format=format_)))
    parsed = plain_parse(text, format_, name)
    parsed.places = _LinePlaces(text)
    return parsed


class _LinePlaces(UserDict[Subject, Place]):
    """Where the subjects of lines first stand. They are looked for when somebody asks: of a bulk load, hardly anybody does."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def data(self) -> dict[Subject, Place]:  # type: ignore[override]
        """The places; ``UserDict`` keeps them under this name."""
        found: dict[str, Place] = {}
        same = "\n"  # an IRI at the start of the last line: files say all they have to say of one subject in a row
        for number, line in enumerate(self._text.split("\n"), 1):
            if not line.startswith(same) and (match := _IRI_OR_LABEL.match(line)):
                name = match.group(1)
                found.setdefault(name, Place(number, match.start(1) + 1))
                same = name if match.start(1) == 0 and name.startswith("<") else "\n"
        places: dict[Subject, Place] = {}
        for name, place in found.items():
            with suppress(ValueError):  # written with an escape: no place is better than a wrong one
                places[NamedNode(name[1:-1]) if name.startswith("<") else BlankNode(name[2:])] = place
        return places


# ---------------------------------------------------------------- JSON-LD
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]')


@dataclass
class _Object:
    """A JSON object that is being read: where it starts, its keys, its identifier, whether it is a context."""

    start: int
    context: bool
    keys: list[str] = field(default_factory=list)
    id: str | None = None

    @property
    def nameless_node(self) -> bool:
        return not self.context and self.id is None and bool({"@type", "type"} & set(self.keys))


def _json(text: str, name: str) -> Parsed:
    objects = _objects(text, name)
    lines = Lines(text)
    nameless = [o for o in objects if o.nameless_node and "@value" not in o.keys]
    done = 0
    pieces: list[str] = []
    for number, found in enumerate(nameless):
        pieces += [text[done : found.start + 1], f'"@id":"_:{_BLANK}{number}",']
        done = found.start + 1
    marked = "".join([*pieces, text[done:]])
    try:
        parsed = plain_parse(marked, RdfFormat.JSON_LD, name)
    except SyntaxProblem:
        parsed = _remote_explained(text, name)
    spelled = {o.id: o.start for o in reversed(objects) if o.id}
    for subject in {quad.subject for quad in parsed.quads}:
        offset = _json_offset(subject, nameless, spelled, parsed.prefixes)
        if offset is not None:
            parsed.places[subject] = lines.place(offset)
    return parsed


def _json_offset(
    subject: Subject, nameless: list[_Object], spelled: Mapping[str, int], prefixes: dict[str, str]
) -> int | None:
    if isinstance(subject, BlankNode):
        number = subject.value.removeprefix(_BLANK)
        return nameless[int(number)].start if number.isdigit() and subject.value.startswith(_BLANK) else None
    iri = subject.value
    names = [iri, *(f"{p}:{iri[len(ns) :]}" for p, ns in prefixes.items() if iri.startswith(ns))]
    return next((spelled[n] for n in names if n in spelled), None)


def _remote_explained(text: str, name: str) -> Parsed:
    try:
        return plain_parse(text, RdfFormat.JSON_LD, name)
    except SyntaxProblem as error:
        if "LoadDocumentCallback" in error.reason:
            reason = "the @context is an address, which is never fetched; write the context into the file"
            at = text.find('"@context"')
            place = Lines(text).place(max(at, 0))
            raise SyntaxProblem(name, reason, place.line, place.column) from error
        raise


def _objects(text: str, name: str) -> list[_Object]:
    """Return the objects of a JSON text in order, without judging the text."""
    found: list[_Object] = []
    stack: list[_Object | None] = []
    key, previous = "", ""
    for match in _JSON.finditer(text):
        part = match.group()
        if part in "{[":
            inside = bool(stack) and (stack[-1] is not None and stack[-1].context)
            stack.append(_Object(match.start(), inside or key == "@context") if part == "{" else None)
            if part == "{":
                found.append(stack[-1])  # type: ignore[arg-type]
            if len(stack) > MAX_DEPTH:
                place = Lines(text).place(match.start())
                raise SyntaxProblem(name, TOO_DEEP, place.line, place.column)
            key = "" if part == "{" else key
        elif part in "}]":
            if stack:
                stack.pop()
        elif part == ":" and previous.startswith('"') and stack and stack[-1]:
            key = previous[1:-1]
            stack[-1].keys.append(key)
        elif part.startswith('"') and previous == ":" and key in {"@id", "id"} and stack and stack[-1]:
            stack[-1].id = part[1:-1]
        previous = part
    return found


# ---------------------------------------------------------------- RDF/XML
class _Elements:
    """Reads the node elements of an RDF/XML text with expat, which knows positions, and refuses bombs."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name = data, name
        self.stack: list[str] = []  # what the children of each open element are: node, property or literal
        self.places: dict[str, Place] = {}
        self.nameless: list[tuple[int, Place]] = []
        self.prefix = ""
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = lambda _: self.stack.pop()
        self.parser.StartNamespaceDeclHandler = self.namespace
        self.parser.EntityDeclHandler = self.entity

    def run(self) -> None:
        try:
            self.parser.Parse(self.data, True)
        except expat.ExpatError as error:
            message = expat.errors.messages[error.code]
            raise SyntaxProblem(self.name, message, error.lineno, error.offset + 1) from error

    def here(self) -> Place:
        return Place(self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)

    def fail(self, message: str) -> None:
        place = self.here()
        raise SyntaxProblem(self.name, message, place.line, place.column)

    def namespace(self, prefix: str | None, uri: str) -> None:
        if uri == RDF_NS and prefix:
            self.prefix = prefix

    def entity(self, name: str, _: bool, value: str | None, *__: object) -> None:
        if value is None or "&" in value or "%" in value or len(value) > MAX_ENTITY:
            self.fail(f"the entity {name} refers to a file or to other entities, or is long; such are not read")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.stack) > MAX_DEPTH:
            self.fail(TOO_DEEP)
        expected = self.stack[-1] if self.stack else "node"
        if expected == "literal":
            self.stack.append("literal")
        elif expected == "node" and name == f"{RDF_NS} RDF":
            self.stack.append("node")
        elif expected == "node":
            self.node(attributes)
            self.stack.append("property")
        else:
            kind = attributes.get(f"{RDF_NS} parseType", "")
            self.stack.append({"": "node", "Collection": "node", "Resource": "property"}.get(kind, "literal"))

    def node(self, attributes: dict[str, str]) -> None:
        place = self.here()
        if f"{RDF_NS} about" in attributes:
            self.places.setdefault(attributes[f"{RDF_NS} about"], place)
        elif f"{RDF_NS} nodeID" in attributes:
            self.places.setdefault("_:" + attributes[f"{RDF_NS} nodeID"], place)
        elif f"{RDF_NS} ID" not in attributes:
            self.nameless.append((self.parser.CurrentByteIndex, place))


def _xml(text: str, name: str) -> Parsed:
    data = text.encode()
    elements = _Elements(data, name)
    elements.run()
    pieces: list[bytes] = []
    done = 0
    for number, (offset, place) in enumerate(elements.nameless if elements.prefix else ()):
        match = re.compile(rb"<[^\s/>]+").match(data, offset)
        if match:
            pieces += [data[done : match.end()], f' {elements.prefix}:nodeID="{_BLANK}{number}"'.encode()]
            done = match.end()
            elements.places[f"_:{_BLANK}{number}"] = place
    pieces.append(data[done:])
    try:
        parsed = plain_parse(b"".join(pieces).decode(), RdfFormat.RDF_XML, name)
    except SyntaxProblem:
        parsed = plain_parse(text, RdfFormat.RDF_XML, name)
    for subject in {quad.subject for quad in parsed.quads}:
        found = elements.places.get(subject.value if isinstance(subject, NamedNode) else str(subject))
        if found:
            parsed.places[subject] = found
    return parsed
