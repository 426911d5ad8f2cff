"""Every triple knows the line it came from, and names depend on content alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, NamedNode

from kg.documents import Place
from kg.errors import BadInput, SyntaxProblem
from kg.reading import files_under, name_nodes, read_file, read_text
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


# ---------------------------------------------------------------- places in every format
CLAIM = {
    "ttl": '@prefix x: <http://x/> .\nx:s x:p\n  [ x:q "a [ b" ;\n    x:r [ x:q 2 ] ] .',
    "trig": '@prefix x: <http://x/> .\nx:g {\n  x:s x:p\n  [ x:q "a [ b" ;\n    x:r [ x:q 2 ] ] }',
}


@pytest.mark.parametrize("ending", list(CLAIM))
def test_nodes_in_brackets_have_places_of_their_own(ending: str) -> None:
    document = read(CLAIM[ending], ending)
    shift = 1 if ending == "trig" else 0
    found = sorted((place.line, place.column) for place in document.places.values())
    assert found == [(2 + shift, 1 + 2 * shift), (3 + shift, 3), (4 + shift, 9)]


def test_trig_places_statements_in_and_between_graphs() -> None:
    text = "@prefix x: <http://x/> .\nx:a x:p 1 .\nGRAPH x:g { x:b x:p 2 .\n  x:c x:p 3 }\nx:h { }\nx:d x:p 4 ."
    places = {s.value[-1]: (p.line, p.column) for s, p in read(text, "trig").places.items()}
    assert places == {"a": (2, 1), "b": (3, 13), "c": (4, 3), "d": (6, 1)}


def test_json_ld_places_named_and_nameless_nodes() -> None:
    text = '{"@context": {"x": "http://x/"},\n "@graph": [\n  {"@id": "x:a",\n   "x:p": {"@type": "x:T",\n "x:q": 1}},\n  {"@id": "http://x/b", "x:p": 2}]}'
    document = read(text, "jsonld")
    places = {s.value[-1] if isinstance(s, NamedNode) else "_": (p.line, p.column) for s, p in document.places.items()}
    assert places == {"a": (3, 3), "b": (6, 3), "_": (4, 11)}


def test_rdf_xml_places_named_and_nameless_nodes() -> None:
    text = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">\n'
        '<rdf:Description rdf:about="http://x/a">\n <x:p>\n  <x:T><x:q>1</x:q></x:T></x:p></rdf:Description>\n</rdf:RDF>'
    )
    document = read(text, "rdf")
    assert len(document.triples) == 3
    assert sorted((p.line, p.column) for p in document.places.values()) == [(2, 1), (4, 3)]


def test_n_quads_are_placed_by_line_and_other_graphs_are_merged() -> None:
    document = read("_:n <http://x/p> <http://x/o> <http://x/g> .\n<http://x/a> <http://x/p> _:n .\n", "nq")
    assert sorted(p.line for p in document.places.values()) == [1, 2]
    assert len(document.triples) == 2


@pytest.mark.parametrize(
    ("ending", "text", "line"),
    [
        ("jsonld", '{"@id": "http://x/a",\n "http://x/p": }', 2),
        ("rdf", "<a>\n<b></a>", 2),
        ("trig", "<http://x/g> {\n <http://x/a> <b }", 2),
        ("nq", "<http://x/a> <http://x/p> <http://x/o> .\n<http://x/a> .\n", 2),
        ("nt", "<http://x/a> <http://x/p> .\n", 1),
    ],
)
def test_a_syntax_error_in_any_format_has_a_line(ending: str, text: str, line: int) -> None:
    with pytest.raises(SyntaxProblem) as caught:
        read(text, ending)
    assert caught.value.line == line


def test_recovery_reports_every_broken_statement_and_keeps_the_others() -> None:
    text = HEAD + 'x:a x:p .\nx:b x:p "fine" .\n x:c x:p 1 ;; ] .\nx:d x:p 2 .'
    document = read_text(text.encode(), "ttl", "t.ttl", recover=True)
    assert [error.line for error in document.syntax] == [2, 4]
    assert {t.subject.value[-1] for t in document.triples} == {"b", "d"}


def test_evidence_is_the_same_whether_or_not_it_says_what_it_is() -> None:
    text = "@prefix kg: <https://cartograph.example/vocab/> .\n<http://x/a> kg:evidence [ %s kg:count 1 ] ."
    one, two = (name_nodes(read(text % said)) for said in ("", "a kg:Evidence ;"))
    assert one.triples == two.triples
