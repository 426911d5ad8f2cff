"""Formatting changes how a file looks and never what it says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg import Model, load_model
from kg.checking import check
from kg.errors import SyntaxProblem
from kg.model import data_folder
from kg.reading import files_under, name_nodes, read_text
from kg.skeletons import TEXTS, skeleton
from kg.turtle import format_turtle
from tests.conftest import TINY

SEEDS = files_under([data_folder("seeds"), TINY])
HEAD = "@prefix kg: <https://cartograph.example/vocab/> .\n@prefix x: <http://x/> .\n"


@pytest.mark.parametrize("file", SEEDS, ids=lambda f: f.name)
def test_formatting_keeps_what_the_seeds_say_and_is_done_after_once(file, model: Model) -> None:
    """``format_turtle`` itself compares the two graphs by RDFC-1.0 and refuses to change one."""
    text = file.read_text(encoding="utf-8")
    once = format_turtle(text, file.name, model)
    assert format_turtle(once, file.name, model) == once
    assert once.startswith(text.split("\n", 1)[0]), "the comment at the top stays there"
    before, after = (name_nodes(read_text(t.encode(), "ttl", "t")).triples for t in (text, once))
    assert before == after


def test_every_comment_is_kept_with_its_statement(model: Model) -> None:
    text = (
        "# top\n"
        + HEAD
        + "\n# of b\nx:b x:p x:o ; # inside b\n  x:q 1 . # behind b\n# of a\nx:a x:p '# no comment' .\n# end\n"
    )
    out = format_turtle(text, "t.ttl", model)
    assert out.startswith("# top\n@prefix")
    assert out.endswith("\n# end\n")
    a, b = out.index("x:a x:p"), out.index("x:b")
    assert a < b
    assert out.index("# of a") < a < out.index("# of b") < out.index("# inside b") < out.index("# behind b") < b
    assert format_turtle(out, "t.ttl", model) == out


def test_the_order_of_statements_does_not_matter(model: Model) -> None:
    lines = ["x:a x:p 1 .", "x:b x:q 0.5 , 1e3 , true .", 'x:c x:r "l"@en-GB , "a\\nb" .', "[] x:p ( 1 [ x:q 2 ] ) ."]
    one, two = (format_turtle(HEAD + "\n".join(order), "t", model) for order in (lines, lines[::-1]))
    assert one == two
    assert "x:b x:q 0.5 , 1e3 , true ." in one.replace("\n  ", " ")


def test_shared_and_circular_blank_nodes_keep_labels(model: Model) -> None:
    out = format_turtle(HEAD + "x:a x:p _:n . x:b x:p _:n . _:n x:q _:m . _:m x:q _:n .", "t", model)
    assert "_:n" in out
    assert format_turtle(out, "t", model) == out


def test_text_that_is_not_turtle_is_refused_with_its_place(model: Model) -> None:
    with pytest.raises(SyntaxProblem, match="t:3:"):
        format_turtle(HEAD + "x:a x:p", "t", model)


NODES = st.sampled_from(["x:a", "x:b", "<http://y/#z>", "kg:Therapy", "_:n", "_:m"])
VALUES = st.one_of(
    NODES,
    st.integers(-5, 5).map(str),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8).map(
        lambda s: '"' + "".join(f"\\u{ord(c):04X}" if ord(c) < 0xFFFF else f"\\U{ord(c):08X}" for c in s) + '"'
    ),
    st.sampled_from(
        ["[]", "[ x:q 1 ]", "( 1 2 )", "[ x:q [ x:r () ] ]", '"1.10"^^<http://www.w3.org/2001/XMLSchema#decimal>']
    ),
)
STATEMENTS = st.tuples(
    NODES, st.sampled_from(["a", "x:p", "x:q"]), VALUES, st.sampled_from(["", " # note", "\n# line"])
)


@given(st.lists(STATEMENTS, max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_turtle_formats_once_and_for_all(rows: list[tuple[str, str, str, str]]) -> None:
    model = load_model()
    rows = [row for row in rows if not (row[1] == "a" and row[2][0] in '"-0123456789')]
    text = HEAD + "".join(f"{s} {p} {o} .{note}\n" for s, p, o, note in rows)
    once = format_turtle(text, "t", model)
    assert format_turtle(once, "t", model) == once
    assert once.count("# note") + once.count("# line") == text.count("# note") + text.count("# line")


# ---------------------------------------------------------------- skeletons
def filled_in(text: str) -> str:
    """Return a skeleton with something in the place of what it leaves open."""
    for capitals in TEXTS:
        text = text.replace(f'"{capitals}"', '"Something"')
    return text.replace("10.XXXX/REPLACE", "10.1000/x").replace(":ID", ":one")


def test_a_skeleton_of_every_kind_passes_once_filled_in(model: Model) -> None:
    for kind in model.kinds:
        text = skeleton(model, kind)
        assert text.startswith("# ")
        assert format_turtle(text, "t", model)
        found = check([name_nodes(read_text(text.encode(), "ttl", "t"))], model)
        assert {d.code for d in found if d.severity == "error"} == {"placeholder"}, kind.name
        found = check([name_nodes(read_text(filled_in(text).encode(), "ttl", "t"))], model)
        assert [str(d) for d in found if d.severity == "error"] == [], kind.name


def test_a_skeleton_knows_required_fields_and_allowed_values(model: Model) -> None:
    text = skeleton(model, model.kind["Therapy"], "therapy:new-one", "New one")
    assert 'therapy:new-one a kg:Therapy ; rdfs:label "New one" ;' in text
    assert "\n  kg:granularity kg:Product ;" in text
    assert "\n  # kg:platform kg:Autologous ;" in text
    assert "rdf:predicate kg:targets" in text


def test_the_assertions_of_a_skeleton_pass_once_uncommented(model: Model) -> None:
    text = skeleton(model, model.kind["Therapy"], "therapy:new-one", "New one")
    start = text.index("# [] a kg:Assertion ; rdf:subject therapy:new-one ; rdf:predicate kg:targets")
    block = text[start:].split("] .")[0] + "] ."
    filled = text + block.replace("# [", "[").replace("#  ", "").replace("OBJECT", "HGNC:1633").replace("#", "")
    filled += '\nHGNC:1633 a kg:Target ; rdfs:label "CD19" .\n'
    head = (
        "@prefix HGNC: <http://identifiers.org/hgnc/> .\n@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"
    )
    found = check([name_nodes(read_text((head + filled_in(filled)).encode(), "ttl", "t"))], model)
    assert [str(d) for d in found] == []
