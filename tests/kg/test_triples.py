"""Triples by subject and predicate, and what is worked out from them for a first load."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Quad, Store, Triple
from rdflib.namespace import RDF

from kg.changes import Delta, Stated, pack, unpack
from kg.derivation import DERIVED, derive, derived
from kg.reading import name_nodes, read_text
from kg.triples import Triples, grouped, together
from kg.vocabulary import KG

TYPE, EVIDENCE, EVIDENCE_TYPE = (NamedNode(str(term)) for term in (RDF.type, KG.evidence, KG.Evidence))
IRIS = st.sampled_from([NamedNode(f"http://x/{name}") for name in ("a", "a0", "ab", "a-", "b", "é")])
LITERALS = st.sampled_from(
    [Literal("a"), Literal("a", language="en"), Literal("1"), Literal(1), Literal('a"'), Literal("a\n")]
)
TRIPLES = st.lists(st.builds(Triple, IRIS, IRIS, IRIS | LITERALS), max_size=30)
GRAPH = NamedNode("http://x/graph")


@given(TRIPLES)
def test_triples_come_once_each_in_the_order_of_their_texts(given_: list[Triple]) -> None:
    triples = Triples.of(given_)
    expected = sorted(set(given_), key=str)
    assert list(triples) == expected
    assert triples == expected
    assert len(triples) == len(expected)
    assert list(triples.quads(GRAPH)) == [Quad(t.subject, t.predicate, t.object, GRAPH) for t in expected]
    assert triples.literals == {t.object for t in expected if isinstance(t.object, Literal)}
    assert expected[1:] == triples[1:]
    new = {Literal("a"): Literal(1)}
    assert triples.replaced(new) == sorted(
        {Triple(t.subject, t.predicate, new.get(t.object, t.object)) for t in expected}, key=str
    )
    assert triples == expected


@given(st.lists(TRIPLES, max_size=4))
def test_facts_together_are_those_of_all_the_triples(parts: list[list[Triple]]) -> None:
    facts = [grouped(part) for part in parts]
    whole = together(facts)
    assert Triples(whole) == Triples.of(triple for part in parts for triple in part)
    assert facts == [grouped(part) for part in parts]


NODES = st.sampled_from([NamedNode(f"http://x/{name}") for name in ("a", "a0", "b")])
PREDICATES = st.sampled_from(
    [NamedNode(str(t)) for t in (RDF.type, RDF.subject, RDF.predicate, RDF.object, KG.evidence, KG.direction)]
)
OBJECTS = NODES | st.sampled_from([NamedNode(str(t)) for t in (KG.Assertion, KG.Supports)]) | st.just(Literal("a"))


@given(st.lists(st.builds(Triple, NODES, PREDICATES, OBJECTS), max_size=40))
def test_plain_triples_of_a_first_load_are_those_that_are_derived_from_its_quads(said: list[Triple]) -> None:
    triples = Triples.of(said)
    quads = list(triples.quads(GRAPH))
    stale, fresh = derive(Store(), (), quads)
    assert not stale
    stated = Stated([(GRAPH, triples)], derived(triples.facts))
    assert list(stated) == [*quads, *fresh]
    assert [quad for quad in stated if quad.graph_name == DERIVED] == fresh
    assert len(stated) == len(quads) + len(fresh)
    assert unpack(pack(Delta((), stated))) == Delta((), (*quads, *fresh))


LINES = """\
<http://x/e> <https://cartograph.example/vocab/level> <http://x/l> .
<http://x/a> <https://cartograph.example/vocab/evidence> <http://x/e> .
<http://x/b> <https://cartograph.example/vocab/evidence> <http://x/f> .
<http://x/b> <https://cartograph.example/vocab/evidence> <http://x/g> .
<http://x/f> <https://cartograph.example/vocab/level> <http://x/l> .
<http://x/g> <https://cartograph.example/vocab/level> <http://x/m> .
<http://x/g> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://x/t> .
<http://x/c> <https://cartograph.example/vocab/evidence> "none" .
"""


def test_evidence_says_that_it_is_and_what_is_said_alike_is_there_once() -> None:
    document = name_nodes(read_text(LINES.encode(), "nt", "a.nt"))
    facts = document.triples.facts
    assert {s for s, about in facts.items() if EVIDENCE_TYPE in about.get(TYPE.value, ())} == {
        f"http://x/{name}" for name in "efg"
    }
    assert facts["http://x/e"] is facts["http://x/f"]
    assert len(facts["http://x/g"][TYPE.value]) == 2


def test_lines_are_named_as_the_same_statements_of_turtle_are() -> None:
    """Lines without blank nodes are grouped while they are read; with one, and in Turtle, triples are made first."""
    claim = (
        "<http://x/wrong> a <https://cartograph.example/vocab/Assertion> ; "
        "<http://www.w3.org/1999/02/22-rdf-syntax-ns#subject> <http://x/s> ; "
        "<http://www.w3.org/1999/02/22-rdf-syntax-ns#predicate> <http://x/p> ; "
        "<http://www.w3.org/1999/02/22-rdf-syntax-ns#object> <http://x/o> ."
    )
    turtle = read_text(claim.encode(), "ttl", "a")
    lines = read_text("".join(f"{t} .\n" for t in turtle.triples).encode(), "nt", "a")
    assert isinstance(lines.triples, Triples)
    assert name_nodes(lines).triples == name_nodes(turtle).triples
    assert not any("wrong" in str(triple) for triple in name_nodes(lines).triples)
    assert name_nodes(replace(lines, triples=list(lines.triples))).triples == name_nodes(lines).triples
    blank = read_text(LINES.replace("<http://x/e>", "_:e").encode(), "nt", "b")
    assert not isinstance(blank.triples, Triples)
    assert "_:" not in "".join(map(str, name_nodes(blank).triples))
