"""Turtle as a curator writes it: prefixes, entities first, evidence nested in its assertion, one order.

``write_turtle`` writes triples; ``format_turtle`` normalises a file and keeps its comments, so that two
people's edits of one file differ in git only where they differ.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pyoxigraph import BlankNode, CanonicalizationAlgorithm, Dataset, Literal, NamedNode, Quad, RdfFormat, Triple, parse
from rdflib.namespace import DCTERMS, RDF, RDFS, SKOS, XSD

from kg.documents import Subject, Term
from kg.errors import BadInput
from kg.model import Model
from kg.statements import comments_of, parse_statements
from kg.vocabulary import KG

TYPE = str(RDF.type)
_HEAD = [TYPE, *map(str, (RDFS.label, RDF.subject, RDF.predicate, RDF.object, KG.sourceKind, KG.doi, KG.pmid))]
_ENTITY = [*map(str, (SKOS.altLabel, DCTERMS.description, SKOS.exactMatch, SKOS.broadMatch))]
_SOURCE = [*map(str, (DCTERMS.bibliographicCitation, KG.url))]
_EVIDENCE = [
    TYPE,
    *map(str, (DCTERMS.source, KG.level, KG.direction, DCTERMS.date, KG.study, KG.sampleSize, KG.count, KG.total)),
    *map(str, (KG.grade, KG.verification, RDFS.comment)),
]
_FIRST, _REST, _NIL = (NamedNode(str(term)) for term in (RDF.first, RDF.rest, RDF.nil))
_LOCAL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_\-])?")
_BARE = {
    str(XSD.integer): re.compile(r"[+-]?[0-9]+"),
    str(XSD.decimal): re.compile(r"[+-]?[0-9]*\.[0-9]+"),
    str(XSD.double): re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)[eE][+-]?[0-9]+"),
    str(XSD.boolean): re.compile("true|false"),
}
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
MAX_NESTING = 40  # deeper blank nodes get labels


class Names:
    """Writes IRIs as prefixed names, and remembers which prefixes that took."""

    def __init__(self, bindings: Mapping[str, str]) -> None:
        self._bindings = sorted(bindings.items(), key=lambda item: (-len(item[1]), item[0]))
        self._known: dict[str, str] = {}
        self.used: dict[str, str] = {}

    def __call__(self, iri: str) -> str:
        """Return an IRI as it stands in Turtle."""
        if iri not in self._known:
            self._known[iri] = self._short(iri)
        return self._known[iri]

    def _short(self, iri: str) -> str:
        for prefix, namespace in self._bindings:
            local = iri[len(namespace) :]
            if iri.startswith(namespace) and _LOCAL.fullmatch(local):
                self.used[prefix] = namespace
                return f"{prefix}:{local}"
        return f"<{iri}>"


def bindings(model: Model, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return prefix -> namespace: the model's names, and a file's own for namespaces the model does not name."""
    table = dict(model.prefixes.turtle())
    known = set(table.values())
    table.update({prefix: ns for prefix, ns in (own or {}).items() if ns not in known})
    return table


def write_turtle(
    triples: Iterable[Triple],
    model: Model,
    *,
    prefixes: Mapping[str, str] | None = None,
    header: Sequence[str] = (),
    comments: Mapping[Subject, Sequence[str]] | None = None,
) -> str:
    """Return triples as Turtle; ``header`` and ``comments`` (by subject) are lines that begin with #."""
    return _Writer(list(dict.fromkeys(triples)), model, bindings(model, prefixes), comments or {}).text(header)


def format_turtle(text: str, name: str, model: Model) -> str:
    """Return a Turtle file in the one order and layout, with all its comments; formatting twice changes nothing.

    Comments at the top stay there; others stay with the statement they stand before, in, or behind.
    Raises SyntaxProblem where the text is not Turtle.
    """
    parsed, statements = parse_statements(text, name)
    header, kept, tail = comments_of(text, statements)
    triples = [quad.triple for quad in parsed.quads]
    out = write_turtle(triples, model, prefixes=parsed.prefixes, header=header, comments=kept)
    if tail:
        out += "\n" + "".join(f"{line}\n" for line in tail)
    if _canonical(out) != _canonical(text):
        raise BadInput(f"{name}: formatting would change what the file says, so it was left alone. Please report it.")
    return out


def _canonical(text: str) -> set[Quad]:
    dataset = Dataset(parse(text.encode(), format=RdfFormat.TURTLE))
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    return set(dataset)


@dataclass
class _Writer:
    """Writes one set of triples."""

    triples: Sequence[Triple]
    model: Model
    table: Mapping[str, str]
    comments: Mapping[Subject, Sequence[str]]
    labels: dict[Subject, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = Names(self.table)
        self.out: dict[Subject, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
        self.parents: dict[Subject, list[Subject]] = defaultdict(list)
        for triple in self.triples:
            self.out[triple.subject][triple.predicate.value].append(triple.object)
            if isinstance(triple.object, BlankNode):
                self.parents[triple.object].append(triple.subject)

        self.comments = self._hoisted(self.comments)

    def _hoisted(self, comments: Mapping[Subject, Sequence[str]]) -> dict[Subject, list[str]]:
        """Return the comments of nodes in brackets with those of the statement that they stand in."""
        hoisted: dict[Subject, list[str]] = {}
        for node, lines in comments.items():
            at = node
            while self.nested(at):
                at = self.parents[at][0]
            hoisted.setdefault(at, []).extend(lines)
        return hoisted

    def text(self, header: Sequence[str]) -> str:
        roots = [node for node in self.out if not self.nested(node)]
        placed = ((self.order(node), self.statement(node), node) for node in sorted(roots, key=str))
        blocks = sorted(placed, key=lambda block: block[:2])  # two nodes without a name may say the same
        body: list[str] = []
        previous, last = None, ""
        for order, statement, node in blocks:
            if order[0] != previous or "\n" in statement + last or self.comments.get(node):
                body.append("\n")
            body += [f"{line}\n" for line in self.comments.get(node, ())]
            body.append(statement + "\n")
            previous, last = order[0], statement
        used = self.name.used or {"kg": self.table["kg"]}
        top = [f"{line}\n" for line in header]
        top += [f"@prefix {p}: <{used[p]}> .\n" for p in sorted(used, key=lambda p: (p.lower(), p))]
        return "".join([*top, *(["\n"] if body and body[0] != "\n" else []), *body])

    # -------------------------------------------------------------- order
    @cached_property
    def ranks(self) -> dict[str, int]:
        owners = [owner.iri for owner in self.model.owners]
        return {iri: rank for rank, iri in enumerate([*owners, str(KG.Study), str(KG.Source)])} | {
            str(KG.Assertion): _ASSERTION_RANK
        }

    def order(self, node: Subject) -> tuple[int, tuple[str, ...]]:
        about = self.out[node]
        rank = min((self.ranks.get(t.value, _OTHER_RANK) for t in about.get(TYPE, ())), default=_OTHER_RANK)
        claim = (about.get(str(term)) for term in (RDF.subject, RDF.predicate, RDF.object))
        keys = [self.term(values[0]) if values and not isinstance(values[0], BlankNode) else "" for values in claim]
        return rank, (*keys, self.name(node.value) if isinstance(node, NamedNode) else "")

    @cached_property
    def fields(self) -> list[str]:
        own = [f.iri for owner in self.model.owners for f in owner.fields if f.iri != str(DCTERMS.source)]
        return list(dict.fromkeys([*_HEAD, *_ENTITY, *_SOURCE, *own, str(DCTERMS.date), str(KG.evidence)]))

    def predicates(self, about: Mapping[str, list[Term]]) -> list[str]:
        evidence = str(KG.direction) in about or str(KG.level) in about
        order = _EVIDENCE if evidence else [*self.fields, str(DCTERMS.source)]
        rank = {iri: number for number, iri in enumerate(order)}
        return sorted(about, key=lambda iri: (rank.get(iri, len(rank)), iri))

    # -------------------------------------------------------------- text
    def statement(self, node: Subject) -> str:
        about = self.out[node]
        parts = [(iri, self.pair(iri, about[iri], 2)) for iri in self.predicates(about)]
        head = " ; ".join(text for iri, text in parts if iri in _HEAD)
        rest = [text for iri, text in parts if iri not in _HEAD]
        lines = ([head] if head else []) + rest
        return f"{self.subject(node)} " + " ;\n  ".join(lines) + " ."

    def subject(self, node: Subject) -> str:
        if isinstance(node, NamedNode):
            return self.name(node.value)
        return self.label(node) if self.parents.get(node) else "[]"

    def label(self, node: Subject) -> str:
        if node not in self.labels:
            self.labels[node] = f"_:{node.value}"
        return self.labels[node]

    def pair(self, predicate: str, objects: Sequence[Term], indent: int) -> str:
        texts = sorted(self.term(term, indent) for term in objects)
        verb = "a" if predicate == TYPE else self.name(predicate)
        nested = any(text.startswith("[ ") for text in texts) and len(texts) > 1
        return f"{verb} " + (f" ,\n{' ' * (indent + 2)}" if nested else " , ").join(texts)

    def term(self, term: Term, indent: int = 2) -> str:
        if isinstance(term, NamedNode):
            return self.name(term.value)
        if isinstance(term, Literal):
            return self.literal(term)
        if not self.nested(term):
            return self.label(term)
        items = self.items(term)
        if items is not None:
            return f"( {' '.join(self.term(item, indent) for item in items)} )"
        return self.bracket(term, indent + 2)

    def bracket(self, node: Subject, indent: int) -> str:
        about = self.out.get(node, {})
        parts = [(iri, self.pair(iri, about[iri], indent)) for iri in self.predicates(about)]
        if not parts:
            return "[]"
        comment = str(RDFS.comment)
        line = " ; ".join(text for iri, text in parts if iri != comment)
        told = [text for iri, text in parts if iri == comment]
        return "[ " + f" ;\n{' ' * indent}".join([*([line] if line else []), *told]) + " ]"

    def literal(self, literal: Literal) -> str:
        datatype = literal.datatype.value
        if datatype in _BARE and _BARE[datatype].fullmatch(literal.value):
            return literal.value
        quoted = '"' + re.sub(r'[\\"\n\r\t\b\f]', lambda m: _ESCAPES[m.group()], literal.value) + '"'
        if literal.language:
            return f"{quoted}@{literal.language}"
        return quoted if datatype == str(XSD.string) else f"{quoted}^^{self.name(datatype)}"

    # -------------------------------------------------------------- blank nodes
    def nested(self, node: Term) -> bool:
        """Whether a node is written in brackets where it is referred to: once, and not in a circle."""
        if not isinstance(node, BlankNode) or len(self.parents.get(node, ())) != 1:
            return False
        at: Subject = node
        for _ in range(MAX_NESTING):
            parents = self.parents.get(at, ())
            if not isinstance(at, BlankNode) or len(parents) != 1:
                return True
            at = parents[0]
            if at == node:
                return False
        return False

    def items(self, node: Subject) -> list[Term] | None:
        """Return the members of a list that starts at a node, or None where there is no proper one."""
        items: list[Term] = []
        while node != _NIL:
            about = self.out.get(node, {})
            if set(about) != {_FIRST.value, _REST.value} or not self.nested(node):
                return None
            first, rest = about[_FIRST.value], about[_REST.value]
            if len(first) != 1 or len(rest) != 1:
                return None
            items.append(first[0])
            node = rest[0]
        return items


_OTHER_RANK, _ASSERTION_RANK = 900, 1000
