"""Small graphs of the routes schema, written down or drawn at random, and the plain way to list their paths."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any

import networkx as nx
import numpy as np
from hypothesis import strategies as st

from kg import Model, Snapshot, load_model
from kg.adjacency import Adjacency, costs_of
from kg.overlay import Assumption, Scenario
from kg.paths import LENGTH, NOVELTY, Path, PathConstraints
from kg.projection import Claim, EntitySpec, Projection
from kg.reading import assertion_iri
from kg.records import Assertion, Entity, Evidence, Source, Study
from kg.snapshot import Version
from tests.conftest import ROOT

KINDS = ("Alpha", "Beta", "Gamma")
FIRST_DAY = date(2020, 1, 1)


@cache
def model() -> Model:
    return load_model(ROOT / "tests" / "data" / "routes")


SOURCES = {
    f"source:s{i}": Source(f"source:s{i}", f"https://s.example/{i}", "DATABASE", f"S{i}", f"https://s.example/{i}")
    for i in range(4)
}
STUDIES = {f"study:t{i}": Study(f"study:t{i}", f"https://t.example/{i}", f"T{i}") for i in range(2)}


def evidence(
    number: int, level: int = 0, direction: str = "SUPPORTS", source: int = 0, study: int | None = None, day: int = 0
) -> Evidence:
    return Evidence(
        f"evidence:{number}",
        SOURCES[f"source:s{source}"],
        model().levels[level],
        direction,
        (FIRST_DAY + timedelta(days=day)).isoformat(),
        None if study is None else STUDIES[f"study:t{study}"],
    )


def snapshot(kinds: dict[str, str], claims: Iterable[tuple[str, str, str, tuple[Evidence, ...]]]) -> Snapshot:
    """A graph of nodes (name -> kind) and claims (subject, relation, object, evidence)."""
    nodes = sorted(kinds, key=lambda name: (kinds[name], name))
    entities = tuple(EntitySpec(kinds[name], _values(name)) for name in nodes)
    found = []
    for subject, relation, object_, items in claims:
        iri = assertion_iri(_iri(subject), model().relation[relation].iri, _iri(object_))
        curie = model().prefixes.curie(iri)
        found.append(Claim(curie, iri, f"n:{subject}", relation, f"n:{object_}", items))
    found.sort(key=lambda claim: (claim.subject, claim.relation, claim.object))
    return Snapshot(model(), Projection(entities, tuple(found), SOURCES, STUDIES), Version(0, "routes"))


def graph(kinds: dict[str, str], *edges: str) -> Snapshot:
    """A graph of edges such as ``"a pushes b"``, each with one piece of strong evidence."""
    return snapshot(kinds, [(*edge.split(), (evidence(i),)) for i, edge in enumerate(edges)])  # type: ignore[misc]


def _iri(name: str) -> str:
    return f"https://routes.example/node/{name}"


def _values(name: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"synonyms": (), "description": None, "xrefs": (), "broad_matches": (), "sources": ()}
    return {
        "iri": _iri(name),
        "curie": f"n:{name}",
        "label": name,
        "url": f"https://routes.example/page/{name}",
        **empty,
    }


# ------------------------------------------------------------------ drawn at random
@st.composite
def graphs(draw: st.DrawFn, most_nodes: int = 8, most_edges: int = 18) -> Snapshot:
    """A random typed multigraph, with edges that nothing supports among them."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=2, max_size=most_nodes))
    named = {f"x{i}": kind for i, kind in enumerate(kinds)}
    possible = [
        (s, r.name, o)
        for r in model().relations
        for s in named
        for o in named
        if s != o and (named[s], named[o]) in set(r.pairs())
    ]
    if not possible:
        return snapshot(named, [])
    chosen = draw(st.lists(st.sampled_from(possible), unique=True, min_size=min(6, len(possible)), max_size=most_edges))
    return snapshot(named, [(*claim, tuple(draw(_items(i)))) for i, claim in enumerate(chosen)])


def _items(claim: int) -> st.SearchStrategy[list[Evidence]]:
    item = st.tuples(
        st.integers(0, 2),
        st.sampled_from(["SUPPORTS", "SUPPORTS", "SUPPORTS", "CONTRADICTS", "INCONCLUSIVE"]),
        st.integers(0, 3),
        st.sampled_from([None, None, 0, 1]),
        st.integers(0, 5),
    )
    items = st.lists(item, min_size=1, max_size=2)
    return items.map(lambda rows: [evidence(10 * claim + i, *row) for i, row in enumerate(rows)])


@st.composite
def ends(draw: st.DrawFn, graph: Snapshot) -> tuple[list[str], list[str]]:
    """One or two sources, and one or two other targets."""
    names = draw(st.permutations(sorted(graph.entities)))
    sources = draw(st.integers(1, min(2, len(names) - 1)))
    targets = draw(st.integers(1, min(2, len(names) - sources)))
    return names[:sources], names[sources : sources + targets]


@st.composite
def walks(draw: st.DrawFn, graph: Snapshot) -> tuple[list[str], str, str]:
    """Relations along which the graph's own edges lead, and from where to where; where none does, some that lead nowhere."""
    start = here = draw(st.sampled_from(sorted(graph.entities)))
    names = []
    for _ in range(draw(st.integers(1, 4))):
        links = sorted((name, edge.node.curie) for name, edges in graph.entities[here].links.items() for edge in edges)
        anything = [("touches", here), ("touchedBy", here)]
        name, here = draw(st.sampled_from(links or anything))
        names.append(name)
    return names, start, here


def metapaths(graph: Snapshot) -> st.SearchStrategy[list[str]]:
    """The relations of walks."""
    return walks(graph).map(lambda walk: walk[0])


@st.composite
def constraints(draw: st.DrawFn, graph: Snapshot) -> PathConstraints:
    """Constraints on everything, each of them rarely."""

    def rarely(strategy: st.SearchStrategy[Any], default: Any) -> Any:
        return draw(strategy) if draw(st.integers(0, 4)) == 0 else default

    names = st.sampled_from(sorted(graph.entities))
    relations = [name for r in model().relations for name in (r.name, r.inverse)]
    metapath = rarely(metapaths(graph), None)
    longest = None if metapath else rarely(st.integers(1, 6), None)
    return PathConstraints(
        max_length=longest,
        min_length=1 if metapath else rarely(st.integers(1, longest or 4), 1),
        relations=None if metapath else rarely(st.lists(st.sampled_from(relations), min_size=1), None),
        kinds=rarely(st.lists(st.sampled_from(KINDS)), None),
        via=rarely(st.lists(names, max_size=2, unique=True), []),
        avoid=rarely(st.lists(names, max_size=2), []),
        metapath=metapath,
        levels=rarely(st.lists(st.sampled_from(["STRONG", "MIDDLING", "WEAK"]), min_size=1), None),
        min_confidence=rarely(st.sampled_from([0.3, 0.5, 0.9]), 0.0),
        direction=rarely(st.sampled_from(["out", "in"]), "both"),
        disputed=rarely(st.just(False), True),
        signs=rarely(st.lists(st.sampled_from([-1, 0, 1]), min_size=1, unique=True), None),
    )


@st.composite
def overlays(draw: st.DrawFn, graph: Snapshot) -> tuple[list[Assumption], list[str]]:
    """Up to two assumptions and two things taken away; they may clash."""
    pairs = [(a, b) for a in graph.entities for b in graph.entities if a != b]
    assume = st.builds(
        lambda ab, c: Assumption(ab[0], "touches", ab[1], c), st.sampled_from(pairs), st.sampled_from([0.2, 0.7, 1.0])
    )
    away = st.sampled_from([*graph.entities, *SOURCES, *STUDIES, *graph.assertion_by_id])
    return draw(st.lists(assume, max_size=2)), draw(st.lists(away, max_size=2))


# ------------------------------------------------------------------ the plain way
Plain = tuple[tuple[str, ...], tuple[str, ...]]
"""A path: CURIEs of its nodes, and ids of its assertions."""


def plain(path: Path) -> Plain:
    return tuple(node.curie for node in path.nodes), tuple(step.assertion.id for step in path.steps)


def listed(
    what_if: Scenario, sources: list[str], targets: list[str], asked: PathConstraints, order_by: str, damping: float
) -> list[Plain]:
    """All paths in order, the slow and simple way: networkx lists them all, then they are filtered and sorted."""
    edges = {a.id: a for a in what_if.edges()}
    multigraph: nx.MultiGraph[str] = nx.MultiGraph()
    multigraph.add_nodes_from(what_if.graph.entities)
    multigraph.add_edges_from((a.subject.curie, a.object.curie, a.id) for a in edges.values())
    found = []
    for source in sources:
        for target in targets:
            for walk in nx.all_simple_edge_paths(multigraph, source, target, cutoff=asked.longest):
                nodes = (source, *(v for _, v, _ in walk))
                path = [edges[key] for _, _, key in walk]
                if allowed(what_if, nodes, path, asked):
                    found.append(
                        (place(what_if, multigraph, nodes, path, order_by, damping), nodes, tuple(a.id for a in path))
                    )
    return [(nodes, ids) for _, nodes, ids in sorted(found)]


def names_read(assertion: Assertion, start: str) -> set[str]:
    relation = model().relation[assertion.relation]
    if relation.symmetric:
        return {relation.name, relation.inverse}
    return {relation.inverse if assertion.subject.curie != start else relation.name}


def allowed(what_if: Scenario, nodes: tuple[str, ...], path: list[Assertion], asked: PathConstraints) -> bool:
    entities: list[Entity] = [what_if.graph.entities[n] for n in nodes]
    between = entities[1:-1]
    sign = math.prod(model().relation[a.relation].effect_sign for a in path)
    read = [names_read(a, n) for a, n in zip(path, nodes, strict=False)]
    backwards = [a.subject.curie != n for a, n in zip(path, nodes, strict=False)]
    symmetric = [model().relation[a.relation].symmetric for a in path]
    assumed = [what_if.is_assumed(a.id) for a in path]
    supports = [{e.level.name for e in a.evidence if e.direction == "SUPPORTS"} for a in path]
    own = [{model().relation[a.relation].name, model().relation[a.relation].inverse} for a in path]
    return (
        asked.min_length <= len(path) <= asked.longest
        and (asked.relations is None or all(set(asked.relations) & names for names in own))
        and (asked.kinds is None or all(e.kind in asked.kinds for e in between))
        and set(asked.via) <= set(nodes)
        and not set(asked.avoid) & set(nodes)
        and (
            asked.metapath is None
            or (len(path) == len(asked.metapath) and all(m in r for m, r in zip(asked.metapath, read, strict=True)))
        )
        and all(a.confidence >= asked.min_confidence for a in path)
        and (
            asked.levels is None
            or all(x or levels & set(asked.levels) for x, levels in zip(assumed, supports, strict=True))
        )
        and (asked.disputed or all(x or not a.disputed for x, a in zip(assumed, path, strict=True)))
        and (
            asked.direction == "both"
            or all(s or b == (asked.direction == "in") for s, b in zip(symmetric, backwards, strict=True))
        )
        and (asked.signs is None or sign in asked.signs)
    )


def place(
    what_if: Scenario,
    multigraph: nx.MultiGraph[str],
    nodes: tuple[str, ...],
    path: list[Assertion],
    order_by: str,
    damping: float,
) -> tuple[Any, ...]:
    """Where a path belongs in the order: what the documentation says, in other words."""
    number = {curie: i for i, curie in enumerate(what_if.graph.entities)}
    relation = {r.name: i for i, r in enumerate(model().relations)}
    steps = tuple(
        (number[end], relation[a.relation], a.subject.curie != start)
        for start, end, a in zip(nodes, nodes[1:], path, strict=False)
    )
    degrees = np.array([multigraph.degree(n) for n in nodes[1:-1]], np.float64)
    cost = int(
        costs_of(np.array([a.confidence for a in path])).sum() + Adjacency.cost_of_degrees(degrees, damping).sum()
    )
    newest = max((a.latest.toordinal() for a in path if a.evidence), default=0)
    key = {LENGTH: (len(path), cost), NOVELTY: (-newest, cost, len(path))}.get(order_by, (cost, len(path)))
    return (*key, number[nodes[0]], steps)


def everything(pages: Iterator[Iterable[Path]]) -> list[Plain]:
    return [plain(path) for page in pages for path in page]
