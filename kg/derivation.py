"""The plain triples behind assertions: (s, p, o) stands exactly where an assertion of it has support."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import pyoxigraph as ox
from pyoxigraph import NamedNode, Quad
from rdflib.namespace import RDF

from kg.triples import Facts, ended
from kg.vocabulary import GRAPH, KG

DERIVED = NamedNode(GRAPH + "derived")
_TYPE = NamedNode(str(RDF.type))
_ASSERTION, _EVIDENCE = NamedNode(str(KG.Assertion)), NamedNode(str(KG.evidence))
_DIRECTION, _SUPPORTS = NamedNode(str(KG.direction)), NamedNode(str(KG.Supports))
_SPO = tuple(NamedNode(str(term)) for term in (RDF.subject, RDF.predicate, RDF.object))

Node: TypeAlias = Any  # NamedNode or Literal: reading lets nothing else through
Plain: TypeAlias = tuple[Any, Any, Any]  # three NamedNodes
Index = Mapping[Node, Mapping[Node, list[Node]]]  # predicate -> subject -> objects, for the predicates that count


def derive(store: ox.Store, removed: Collection[Quad], added: Collection[Quad]) -> tuple[list[Quad], list[Quad]]:
    """Return the plain triples to remove and to add so that (s, p, o) stands exactly where an assertion has support."""
    gone, come = _index(removed), _index(added)
    objects = _after(store, removed, come)
    stale: list[Quad] = []
    fresh: list[Quad] = []
    for assertion in _touched(store, gone, come):
        for plain in _claims(assertion, gone, come, store):
            stands = _stands(assertion, plain, objects)
            present = plain in store
            if stands and not present:
                fresh.append(plain)
            elif present and not stands:
                stale.append(plain)
    return stale, fresh


def derived(facts: Facts) -> list[Plain]:
    """Return the plain triples that ``derive`` adds where facts are all that is said, in the same order."""
    type_, link, direction, *ends = (term.value for term in (_TYPE, _EVIDENCE, _DIRECTION, *_SPO))
    found = []
    for iri in sorted(
        [i for i, about in facts.items() if link in about or _ASSERTION in about.get(type_, ())], key=ended
    ):
        about = facts[iri]
        plain = tuple([about[end][0] for end in ends if end in about])
        evidence = [facts.get(node.value, {}) for node in about.get(link, ()) if isinstance(node, NamedNode)]
        stands = any(_SUPPORTS in said.get(direction, ()) for said in evidence)
        if stands and len(plain) == len(ends) and all(isinstance(part, NamedNode) for part in plain):
            found.append(plain)
    return found


def _index(quads: Iterable[Quad]) -> Index:
    index: dict[Node, dict[Node, list[Node]]] = {
        predicate: defaultdict(list) for predicate in (_TYPE, _EVIDENCE, _DIRECTION, *_SPO)
    }
    for quad in quads:
        found = index.get(quad.predicate)
        if found is not None:
            found[quad.subject].append(quad.object)
    return index


def _after(store: ox.Store, removed: Collection[Quad], come: Index) -> Callable[[Node, Node], set[Node]]:
    """Return a look-up of (subject, predicate) -> objects in the source graphs as they will be."""
    gone = set(removed)

    def objects(subject: Node, predicate: Node) -> set[Node]:
        kept: set[Node] = set(come[predicate].get(subject, ()))
        for quad in store.quads_for_pattern(subject, predicate, None, None):
            if quad not in gone and quad.graph_name != DERIVED:
                kept.add(quad.object)
        return kept

    return objects


def _touched(store: ox.Store, gone: Index, come: Index) -> Iterator[Node]:
    seen: set[Node] = set()
    for index in (gone, come):
        seen.update(index[_EVIDENCE])
        seen.update(node for node, types in index[_TYPE].items() if _ASSERTION in types)
        for node in index[_DIRECTION]:
            seen |= {quad.subject for quad in store.quads_for_pattern(None, _EVIDENCE, node, None)}
    yield from sorted(seen, key=str)


def _claims(assertion: NamedNode, gone: Index, come: Index, store: ox.Store) -> Iterator[Quad]:
    """Yield the plain triple of an assertion, as a quad of the derived graph."""
    parts: list[Any] = []
    for term in _SPO:
        values: list[Node] = [*come[term].get(assertion, ()), *gone[term].get(assertion, ())]
        if not values:
            values = [quad.object for quad in store.quads_for_pattern(assertion, term, None, None)]
        parts.append(values[0] if values else None)
    if all(isinstance(part, NamedNode) for part in parts):
        yield Quad(parts[0], parts[1], parts[2], DERIVED)


def _stands(assertion: NamedNode, plain: Quad, objects: Callable[[Node, Node], set[Node]]) -> bool:
    if plain.object not in objects(assertion, _SPO[2]):
        return False
    evidence = objects(assertion, _EVIDENCE)
    return any(_SUPPORTS in objects(node, _DIRECTION) for node in evidence if isinstance(node, NamedNode))
