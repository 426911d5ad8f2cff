"""Assertions as a table, for people with spreadsheets: tab-separated, one row a piece of evidence.

The header names the columns, in any order. Identifiers are CURIEs or IRIs; relations, levels and
directions have the names of the API. Rows with the same subject, relation and object are one assertion.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pyoxigraph import BlankNode, Literal, NamedNode, Triple
from rapidfuzz import process
from rdflib.namespace import DCTERMS, RDF, RDFS, XSD

from kg.dates import parse_partial
from kg.documents import Document, Place, Term
from kg.errors import SyntaxProblem
from kg.vocabulary import KG

if TYPE_CHECKING:
    from kg.model import Model

COLUMNS = (
    "subject", "relation", "object", "level", "direction", "date", "source", "study",
    "sampleSize", "count", "total", "grade", "verification", "comment",
)  # fmt: skip
REQUIRED = COLUMNS[:7]
_NUMBERS = {"sampleSize": KG.sampleSize, "count": KG.count, "total": KG.total}
_TEXTS = {"grade": KG.grade, "comment": RDFS.comment}
_DATES = (XSD.gYear, XSD.gYearMonth, XSD.date)


def _node(iri: object) -> NamedNode:
    return NamedNode(str(iri))


class _CellProblem(ValueError):
    """What is wrong with one cell."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its cells by column, where it starts, and the column number of each cell."""

    cells: Mapping[str, str]
    line: int
    columns: Mapping[str, int]


def read_table(document: Document, model: Model) -> None:
    """Fill a document from its text; what cannot be read is noted in ``document.syntax``, cell by cell."""
    names = TableNames(model)
    nodes: dict[tuple[str, str, str], BlankNode] = {}
    triples: list[Triple] = []
    document.prefixes = model.prefixes.turtle()
    try:
        for row in _rows(document):
            triples += _row_triples(document, row, names, nodes)
    except csv.Error as error:
        document.syntax.append(SyntaxProblem(document.name, f"the table cannot be read: {error}"))
    document.triples = triples


def _row_triples(
    document: Document, row: Row, names: TableNames, nodes: dict[tuple[str, str, str], BlankNode]
) -> Iterator[Triple]:
    values: dict[str, list[tuple[NamedNode, Term]]] = {}
    for column in COLUMNS:
        text = row.cells.get(column, "").strip()
        try:
            values[column] = names.facts(column, text)
        except _CellProblem as error:
            document.syntax.append(SyntaxProblem(document.name, str(error), row.line, row.columns.get(column, 1)))
            return
    claim = tuple(values[column][0][1].value for column in COLUMNS[:3])
    place = Place(row.line, 1)
    if claim not in nodes:
        node = nodes[claim] = BlankNode()
        document.places[node] = place
        yield Triple(node, _node(RDF.type), _node(KG.Assertion))
        yield from (Triple(node, *values[column][0]) for column in COLUMNS[:3])
    evidence = BlankNode()
    document.places[evidence] = place
    yield Triple(nodes[claim], _node(KG.evidence), evidence)
    yield Triple(evidence, _node(RDF.type), _node(KG.Evidence))
    yield from (Triple(evidence, *fact) for column in COLUMNS[3:] for fact in values[column])


def _rows(document: Document) -> Iterator[Row]:
    """Yield the rows under the header; raises SyntaxProblem where the header is not right."""
    raw = document.text.splitlines(keepends=True)
    reader = csv.reader(raw, delimiter="\t", strict=True)
    header: list[str] | None = None
    start = 1
    for cells in reader:
        line, start = start, reader.line_num + 1
        if not any(cell.strip() for cell in cells) or cells[0].startswith("#"):
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
            _check_header(document, header, line)
            continue
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            message = f"the row has {len(cells)} cells, but the header names {len(header)} columns"
            document.syntax.append(SyntaxProblem(document.name, message, line, 1))
            continue
        yield Row(dict(zip(header, cells, strict=False)), line, _columns(raw[line - 1], header))
    if header is None:
        raise SyntaxProblem(document.name, f"the table is empty; its header is {', '.join(COLUMNS)}", 1, 1)


def _columns(line: str, header: Sequence[str]) -> dict[str, int]:
    columns, at = {}, 1
    for name, cell in zip(header, line.split("\t"), strict=False):
        columns[name] = at
        at += len(cell) + 1
    return columns


def _check_header(document: Document, header: list[str], line: int) -> None:
    places = _columns("\t".join(header), header)
    for name in header:
        if name not in COLUMNS:
            meant = process.extractOne(name, COLUMNS, score_cutoff=60)
            hint = f"did you mean {meant[0]}?" if meant else f"known are {', '.join(COLUMNS)}"
            raise SyntaxProblem(document.name, f"{name!r} is no column; {hint}", line, places[name])
    missing = [name for name in REQUIRED if name not in header]
    if missing or len(set(header)) < len(header):
        what = f"lacks {', '.join(missing)}" if missing else "names a column twice"
        raise SyntaxProblem(document.name, f"the header {what}; it is {', '.join(COLUMNS)}", line, 1)


class TableNames:
    """Turns the names in a table into the terms of a model, and back."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @cached_property
    def terms(self) -> dict[str, dict[str, str]]:
        """Per column, the name in the API of each term's IRI."""
        model = self.model
        return {
            "relation": {relation.iri: relation.name for relation in model.relations},
            "level": {level.iri: level.name for level in model.levels},
            "direction": {value.iri: value.name for value in model.directions},
            "verification": {value.iri: value.name for value in model.verifications},
        }

    def facts(self, column: str, text: str) -> list[tuple[NamedNode, Term]]:
        """Return the predicate and value that a cell stands for; raises ValueError saying what is wrong."""
        predicate = _PREDICATES[column]
        if not text:
            if column in COLUMNS[:3]:
                raise _CellProblem(f"{column} is empty")
            return []
        return [(_node(predicate), self.value(column, text))]

    def value(self, column: str, text: str) -> Term:
        """Return the term that a cell stands for."""
        if column in self.terms:
            return _node(self.term(column, text))
        if column in _NUMBERS:
            return Literal(str(_whole(column, text)), datatype=_node(XSD.integer))
        if column in _TEXTS:
            return Literal(text)
        return _date(text) if column == "date" else _node(self.iri(column, text))

    def iri(self, column: str, text: str) -> str:
        """Return the IRI that a CURIE or IRI in a cell stands for."""
        iri = self.model.prefixes.iri(text)
        if iri is None or re.search(r"[\s<>\"{}|\\^`]", iri):
            prefix, colon, _ = text.partition(":")
            near = process.extractOne(prefix, [row.prefix for row in self.model.prefixes.rows], score_cutoff=60)
            hint = f"; did you mean the prefix {near[0]}?" if colon and near else ""
            raise _CellProblem(f"{column} {text!r} is neither a CURIE of a known prefix nor an IRI{hint}")
        return iri

    def term(self, column: str, text: str) -> str:
        """Return the IRI of a relation, level, direction or verification by its name, local name or CURIE."""
        spelled = {**{name: iri for iri, name in self.terms[column].items()}}
        for iri in self.terms[column]:
            spelled |= {self.model.prefixes.curie(iri): iri, re.split(r"[/#]", iri)[-1]: iri, iri: iri}
        if text in spelled:
            return spelled[text]
        names = list(self.terms[column].values())
        near = process.extractOne(text, names, score_cutoff=60, processor=str.casefold)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
        raise _CellProblem(f"{text!r} is no {column}; {hint}")

    def cell(self, column: str, term: Term) -> str:
        """Return what a term is written as in a column."""
        if column in self.terms:
            return self.terms[column].get(term.value, self.model.prefixes.curie(term.value))
        return self.model.prefixes.curie(term.value) if isinstance(term, NamedNode) else term.value


_PREDICATES = {
    "subject": RDF.subject, "relation": RDF.predicate, "object": RDF.object, "level": KG.level,
    "direction": KG.direction, "date": DCTERMS.date, "source": DCTERMS.source, "study": KG.study,
    "verification": KG.verification, **_NUMBERS, **_TEXTS,
}  # fmt: skip


def _whole(column: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise _CellProblem(f"{column} {text!r} is not a whole number")
    return int(text)


def _date(text: str) -> Literal:
    try:
        _, month, day = parse_partial(text)
    except ValueError as error:
        raise _CellProblem(f"date {text!r}: {str(error).removesuffix('.')}") from None
    return Literal(text, datatype=_node(_DATES[(month is not None) + (day is not None)]))


# ---------------------------------------------------------------- writing
def write_table(triples: Iterable[Triple], model: Model) -> tuple[str, int]:
    """Return the assertions among triples as a table, and how many triples are not part of any."""
    names = TableNames(model)
    everything = list(triples)
    facts: dict[Term, dict[str, list[Term]]] = {}
    for triple in everything:
        facts.setdefault(triple.subject, {}).setdefault(triple.predicate.value, []).append(triple.object)
    told = 0
    rows: list[list[str]] = []
    for about in facts.values():
        if _node(KG.Assertion) not in about.get(str(RDF.type), ()):
            continue
        claim = [_cell(about, column, names) for column in COLUMNS[:3]]
        told += sum(map(len, about.values()))
        for node in about.get(str(KG.evidence), ()):
            evidence = facts.get(node, {})
            told += sum(map(len, evidence.values()))
            rows.append(claim + [_cell(evidence, column, names) for column in COLUMNS[3:]])
    return _tsv([list(COLUMNS), *sorted(rows)]), max(len(everything) - told, 0)


def _cell(about: Mapping[str, list[Term]], column: str, names: TableNames) -> str:
    values = about.get(str(_PREDICATES[column]), ())
    return names.cell(column, values[0]) if values else ""


def _tsv(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(rows)
    return out.getvalue()


def template() -> str:
    """Return an empty table."""
    return _tsv([COLUMNS])


__all__ = ["COLUMNS", "REQUIRED", "TableNames", "read_table", "template", "write_table"]
