"""Every triple knows the line it came from, and names depend on content alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, NamedNode

from kg.errors import BadInput, SyntaxProblem
from kg.reading import Place, files_under, name_nodes, read_file, read_text
from tests.conftest import TINY

HEAD = "@prefix x: <http://x/> .\n"


def read(text: str, ending: str = "ttl"):
    return read_text(text.encode(), ending, f"t.{ending}")


def test_a_subject_is_placed_where_its_statement_begins() -> None:
    document = read(HEAD + '# x:no x:p "." .\nx:a.b x:p "a . # b", """c\n. d""" ;\n  x:q 0.5 .\n  x:c x:p x:d .\n')
    assert document.place(NamedNode("http://x/a.b")) == Place(3, 1)
    assert document.place(NamedNode("http://x/c")) == Place(6, 3)


def test_prefixes_in_the_middle_and_in_capitals_are_understood() -> None:
    document = read(HEAD + "x:a x:p x:b .\nPREFIX y: <http://y/>\ny:c x:p x:d .\n")
    assert document.place(NamedNode("http://y/c")) == Place(4, 1)


def test_a_layout_that_defeats_the_cutting_still_gives_every_triple() -> None:
    document = read(HEAD + "x:a x:p x:b.@prefix y: <http://y/> .\ny:c x:p x:d .\n")
    assert len(document.triples) == 2


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"x:a x:b x:c .", "bad.ttl:1:1"),
        (HEAD.encode() + b"x:a x:b", "bad.ttl:2:"),
        (HEAD.encode() + b'x:a x:b "\xff" .', "bad.ttl:2:10"),
    ],
)
def test_a_syntax_error_names_line_and_column(data: bytes, place: str) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        read_text(data, "ttl", "bad.ttl")
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("nt", "<http://x/a> <http://x/p> <http://x/b> .\n"),
        ("nq", "<http://x/a> <http://x/p> <http://x/b> <http://x/g> .\n"),
        ("trig", "<http://x/g> {\n<http://x/a> <http://x/p> <http://x/b> }\n"),
        ("jsonld", '{"@id": "http://x/a", "http://x/p": {"@id": "http://x/b"}}'),
        (
            "rdf",
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">\n<rdf:Description rdf:about="http://x/a"><x:p rdf:resource="http://x/b"/></rdf:Description></rdf:RDF>',
        ),
    ],
)
def test_every_format_gives_the_same_triple_and_a_place(ending: str, text: str) -> None:
    document = read(text, ending)
    assert [str(t) for t in document.triples] == ["<http://x/a> <http://x/p> <http://x/b>"]
    assert document.place(NamedNode("http://x/a")) is not None


def test_triple_terms_are_refused_rather_than_lost() -> None:
    with pytest.raises(SyntaxProblem, match="triple terms"):
        read(HEAD + "x:a x:p <<( x:a x:b x:c )>> .")


def test_no_blank_node_survives_and_order_does_not_matter() -> None:
    document = name_nodes(read_file(TINY / "tiny.ttl"))
    assert not any(isinstance(term, BlankNode) for t in document.triples for term in (t.subject, t.object))
    lines = (TINY / "tiny.ttl").read_text(encoding="utf-8")
    head, _, body = lines.partition("\n\n")
    blocks = body.split("\n[] ")
    shuffled = head + "\n\n" + "\n[] ".join([blocks[0], *reversed(blocks[1:])])
    assert name_nodes(read(shuffled)).triples == document.triples


def test_the_same_claim_in_two_files_is_one_assertion_with_two_pieces_of_evidence() -> None:
    head = (
        HEAD
        + "@prefix kg: <https://cartograph.example/vocab/> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"
    )
    claim = "[] a kg:Assertion ; rdf:subject x:s ; rdf:predicate x:p ; rdf:object x:o ; kg:evidence [ kg:level x:{} ] ."
    one, two = (name_nodes(read(head + claim.format(level))) for level in ("A", "B"))
    both = {t for t in (*one.triples, *two.triples) if t.predicate.value.endswith("vocab/evidence")}
    assert len({t.subject for t in both}) == 1
    assert len({t.object for t in both}) == 2


def test_blank_nodes_in_a_circle_are_an_error() -> None:
    with pytest.raises(SyntaxProblem, match="circle"):
        name_nodes(read(HEAD + "_:a x:p _:b . _:b x:p _:a ."))


def test_unknown_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_text("x")
    with pytest.raises(BadInput, match="unknown ending"):
        files_under([tmp_path / "a.docx"])
    with pytest.raises(BadInput, match="does not exist"):
        files_under([tmp_path / "nothing.ttl"])


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\\\x00\r"), max_size=12).map(
    lambda s: s.replace('"', "'").replace("\n", " ")
)


@given(st.lists(st.tuples(st.integers(0, 9), TEXT), min_size=1, max_size=8))
def test_cutting_loses_nothing(rows: list[tuple[int, str]]) -> None:
    """Whatever stands in strings and comments, the statements hold exactly the triples of the whole."""
    text = HEAD + "".join(f'x:s{n} x:p "{said}" . # {said}\n' for n, said in rows)
    document = read(text)
    assert {(t.subject.value, t.object.value) for t in document.triples} == {
        (f"http://x/s{n}", said) for n, said in rows
    }
    assert len(document.places) == len({n for n, _ in rows})
