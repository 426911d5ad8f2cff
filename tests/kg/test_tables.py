"""A spreadsheet says the same as Turtle, and its mistakes have a cell."""

import pytest

from kg import Model
from kg.checking import check
from kg.documents import Document
from kg.errors import SyntaxProblem
from kg.reading import name_nodes, read_file, read_text
from kg.tables import COLUMNS, template, write_table
from kg.turtle import write_turtle
from tests.conftest import TINY

ROW = "therapy:alpha\ttargets\tHGNC:1633\tCASE_SERIES\tSUPPORTS\t2024-02-22\thttps://example.org/paper\t\t15\t3\t15\t\tREAD_AT_SOURCE\tsays so\n"
HEADER = "\t".join(COLUMNS) + "\n"


def table(text: str, model: Model, *, recover: bool = False) -> Document:
    return read_text(text.encode(), "tsv", "t.tsv", model, recover=recover)


def test_a_row_is_an_assertion_with_its_evidence(model: Model) -> None:
    document = name_nodes(table(HEADER + ROW, model))
    said = {str(t.predicate.value).split("/")[-1].split("#")[-1]: t.object.value for t in document.triples}
    assert said["predicate"].endswith("/targets")
    assert (said["sampleSize"], said["count"], said["total"], said["date"]) == ("15", "3", "15", "2024-02-22")
    assert {place.line for place in document.places.values()} == {2}


def test_turtle_to_table_and_back_is_the_same(model: Model) -> None:
    """Everything but what a table does not hold: entities, sources and studies."""
    original = read_file(TINY / "tiny.ttl")
    text, left = write_table(original.triples, model)
    assert left == sum(not _of_assertion(t, original) for t in original.triples)
    back = name_nodes(table(text, model))
    assert set(back.triples) <= set(name_nodes(original).triples)
    assert write_table(table(text, model).triples, model)[0] == text
    turtle = read_text(write_turtle(table(text, model).triples, model).encode(), "ttl", "t.ttl")
    assert name_nodes(turtle).triples == back.triples


def _of_assertion(triple, document: Document) -> bool:
    links = {t.object for t in document.triples if t.predicate.value.endswith("vocab/evidence")}
    claims = {t.subject for t in document.triples if str(t.object).endswith("vocab/Assertion>")}
    return triple.subject in claims | links


def test_two_rows_of_one_claim_are_one_assertion_with_two_pieces_of_evidence(model: Model) -> None:
    document = name_nodes(table(HEADER + ROW + ROW.replace("2024-02-22", "2025"), model))
    assert sum(str(t.object).endswith("vocab/Assertion>") for t in document.triples) == 1
    assert sum(str(t.predicate).endswith("vocab/evidence>") for t in document.triples) == 2


@pytest.mark.parametrize(
    ("old", "new", "column", "said"),
    [
        ("targets", "target", "relation", "did you mean targets"),
        ("CASE_SERIES", "CASE_SERIE", "level", "did you mean CASE_SERIES"),
        ("SUPPORTS", "YES", "direction", "known are SUPPORTS"),
        ("2024-02-22", "2024-02-30", "date", "2024-02-30"),
        ("\t15\t3", "\tmany\t3", "sampleSize", "not a whole number"),
        ("HGNC:1633", "HGCN:1633", "object", "did you mean the prefix HGNC"),
        ("therapy:alpha", "", "subject", "subject is empty"),
    ],
)
def test_a_wrong_cell_is_named_with_line_and_column(model: Model, old: str, new: str, column: str, said: str) -> None:
    row = ROW.replace(old, new, 1)
    (error,) = table(HEADER + ROW + row, model, recover=True).syntax
    at = sum(len(cell) + 1 for cell in row.split("\t")[: COLUMNS.index(column)]) + 1
    assert (error.line, error.column) == (3, at)
    assert said in str(error)


def test_all_wrong_cells_are_reported_in_one_run(model: Model) -> None:
    bad = ROW.replace("targets", "nope")
    assert [e.line for e in table(HEADER + bad + ROW + bad, model, recover=True).syntax] == [2, 4]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("subjekt\trelation\tobject\n", "did you mean subject"),
        ("subject\trelation\n", "lacks object, level"),
        ("", "the table is empty"),
    ],
)
def test_a_wrong_header_says_what_it_should_be(model: Model, header: str, said: str) -> None:
    with pytest.raises(SyntaxProblem, match=said):
        table(header, model)


def test_cells_with_quotes_tabs_and_line_breaks_survive(model: Model) -> None:
    original = read_text(
        b"@prefix kg: <https://cartograph.example/vocab/> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> ."
        b"@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix HGNC: <http://identifiers.org/hgnc/> .\n"
        b"[] a kg:Assertion ; rdf:subject HGNC:1 ; rdf:predicate kg:targets ; rdf:object HGNC:2 ;"
        b' kg:evidence [ a kg:Evidence ; rdfs:comment "a \\"b\\"\\tc\\nd" ] .',
        "ttl",
        "t.ttl",
    )
    text, left = write_table(original.triples, model)
    assert left == 0
    assert name_nodes(table(text, model)).triples == name_nodes(original).triples


def test_the_template_is_a_table_without_rows(model: Model) -> None:
    assert table(template(), model).triples == []


def test_a_table_is_checked_like_turtle(model: Model) -> None:
    """Entities may stand in another file of the same run."""
    tiny = name_nodes(read_file(TINY / "tiny.ttl"))
    good = name_nodes(table(HEADER + ROW, model))
    assert check([tiny, good], model) == []
    wrong = name_nodes(table(HEADER + ROW.replace("\t3\t15", "\t30\t15"), model))
    (found,) = check([tiny, wrong], model)
    assert (found.source, found.line, found.code) == ("t.tsv", 2, "shape-LessThanOrEquals")
