"""Figures: what a picture or an export shows, before anybody decides where things stand or in which format.

``figure`` turns entities, assertions and highlights into one; a neighbourhood, a set of paths or a
hypothesis are all drawn and exported through it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from kg.lettering import web_address
from kg.model import Kind, Model
from kg.overlay import AssumedAssertion
from kg.paths import Path
from kg.records import Assertion, Entity
from kg.snapshot import Snapshot
from kg.views import View
from kg.wording import Verb, chain


@dataclass(frozen=True, slots=True)
class FigureNode:
    """One node: ``distance`` in hops from what was asked for, ``hidden`` edges that are not shown, ``page`` on the web.

    ``column`` counts from the left in a picture that reads from left to right; elsewhere it is None.
    """

    id: str
    label: str
    kind: str
    iri: str | None = None
    page: str | None = None
    distance: int = 0
    hidden: int = 0
    column: int | None = None


@dataclass(frozen=True, slots=True)
class FigureEdge:
    """One edge: ``phrase`` reads from source to target, ``inverse_phrase`` back, ``latest`` is the day of its newest evidence."""

    id: str
    source: str
    target: str
    relation: str
    phrase: str
    confidence: float
    disputed: bool = False
    assumed: bool = False
    evidence: int = 0
    level: str | None = None
    latest: date | None = None
    inverse_phrase: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """What to show. Ids in ``highlighted`` (nodes and edges) stand out and all else is dimmed; none is no difference."""

    title: str
    description: str
    model: Model
    nodes: tuple[FigureNode, ...]
    edges: tuple[FigureEdge, ...]
    highlighted: frozenset[str] = frozenset()
    total_nodes: int = 0
    total_edges: int = 0
    truncated_by: str | None = None
    version: int = 0
    known_on: date | None = None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of its nodes, in the model's order."""
        shown = {node.kind for node in self.nodes}
        return tuple(kind for kind in self.model.kinds if kind.name in shown)

    @property
    def caption(self) -> str:
        """Which graph it is of, and what was left out."""
        known = f", as known on {self.known_on}" if self.known_on else ""
        cut = f" · {self.cut}" if self.cut else ""
        return f"{self.model.title}, version {self.version}{known}{cut}"

    @property
    def cut(self) -> str:
        """What a limit left out, in words: “300 of 2,341 entities and 2,000 of 9,120 relations shown”; empty if nothing."""
        if not self.truncated_by:
            return ""
        edges = f"{len(self.edges):,} of {self.total_edges:,} relations" if len(self.edges) < self.total_edges else ""
        nodes = f"{len(self.nodes):,} of {self.total_nodes:,} entities"
        return f"{' and '.join(filter(None, [nodes if len(self.nodes) < self.total_nodes or not edges else '', edges]))} shown"


def edge_sentence(edge: FigureEdge, names: Mapping[str, str]) -> str:
    """Return an edge in words; ``names`` gives the labels of its ends by id."""
    notes = [f"confidence {edge.confidence:.2f}"] if edge.evidence or edge.assumed else []
    notes += [f"{edge.evidence} piece{'s' * (edge.evidence != 1)} of evidence"] if edge.evidence else []
    notes += ["disputed"] * edge.disputed + ["assumed"] * edge.assumed
    said = chain([names[edge.source], names[edge.target]], [Verb(edge.phrase, edge.inverse_phrase)])
    return f"{said} ({', '.join(notes)})" if notes else said


def figure(
    graph: Snapshot,
    nodes: Iterable[Entity],
    edges: Iterable[Assertion],
    *,
    title: str,
    highlight: Collection[str] = (),
    assumed: Collection[str] = (),
    distances: Mapping[str, int] | None = None,
    hidden: Mapping[str, int] | None = None,
    columns: Mapping[str, int] | None = None,
) -> Figure:
    """Return the figure of some entities and the assertions between them.

    ``highlight`` holds CURIEs of entities and ids of assertions, ``assumed`` ids of assertions that nobody
    published; entities highlighted alone take the edges between them along. ``distances``, ``hidden`` and
    ``columns`` are by CURIE; with ``columns`` the picture reads from left to right.
    """
    distances, hidden, columns = distances or {}, hidden or {}, columns or {}
    drawn = tuple(
        FigureNode(
            e.curie, e.label, e.kind, e.iri, web_address(e.url),
            distances.get(e.curie, 0), hidden.get(e.curie, 0), columns.get(e.curie),
        )
        for e in nodes
    )  # fmt: skip
    arrows = tuple(figure_edge(graph.model, a, assumed=a.id in assumed) for a in edges)
    lit = frozenset(highlight)
    if not any(edge.id in lit for edge in arrows):
        lit |= {edge.id for edge in arrows if edge.source in lit and edge.target in lit}
    return Figure(
        title,
        _described(drawn, arrows),
        graph.model,
        drawn,
        arrows,
        lit,
        total_nodes=len(drawn),
        total_edges=len(arrows),
        version=graph.version.number,
        known_on=graph.known_on,
    )


def figure_edge(model: Model, assertion: Assertion, *, assumed: bool = False) -> FigureEdge:
    """Return an assertion as an edge of a figure."""
    known = bool(assertion.evidence)
    return FigureEdge(
        assertion.id,
        assertion.subject.curie,
        assertion.object.curie,
        assertion.relation,
        model.relation[assertion.relation].phrase,
        assertion.confidence,
        assertion.disputed,
        assumed or isinstance(assertion, AssumedAssertion),
        len(assertion.evidence),
        assertion.best_level.name if known else None,
        assertion.latest if known else None,
        model.relation[assertion.relation].inverse_phrase,
    )


def view_figure(graph: Snapshot, view: View, *, highlight: Collection[str] = ()) -> Figure:
    """Return the figure of a neighbourhood."""
    middle = [node.entity.label for node in view.nodes if node.distance == 0]
    drawn = figure(
        graph,
        (node.entity for node in view.nodes),
        view.edges,
        title=f"What lies around {_listed(middle)}",
        highlight=highlight,
        distances={node.entity.curie: node.distance for node in view.nodes},
        hidden={node.entity.curie: node.hidden for node in view.nodes},
    )
    return replace(drawn, total_nodes=view.total_nodes, total_edges=view.total_edges, truncated_by=view.truncated_by)


def path_figure(
    graph: Snapshot, paths: Iterable[Path], *, title: str | None = None, highlight: Collection[str] = ()
) -> Figure:
    """Return the figure of some paths, which reads from left to right.

    ``highlight`` holds ids of paths, of assertions, and CURIEs. A node stands in the column of its greatest distance from the
    start on any path, so that edges lead onwards as far as they can; ends stand at the right.
    """
    found = list(paths)
    chosen = [path for path in found if path.id in highlight]
    lit = {*highlight, *(part for path in chosen for part in path_parts(path))} - {path.id for path in chosen}
    near: dict[str, int] = {}
    for path in found:
        for i, node in enumerate(path.nodes):
            near[node.curie] = min(near.get(node.curie, path.length), i, path.length - i)
    columns = _columns(found)
    edges = {step.assertion.id: step for path in found for step in path.steps}
    return figure(
        graph,
        dict.fromkeys(node for path in found for node in path.nodes),
        (step.assertion for step in edges.values()),
        title=title or _paths_title(found),
        highlight=lit,
        assumed={id_ for id_, step in edges.items() if step.assumed},
        distances=near,
        columns=columns,
    )


def path_parts(path: Path) -> set[str]:
    """Return the CURIEs of a path's nodes and the ids of its assertions."""
    return {*(node.curie for node in path.nodes), *(step.assertion.id for step in path.steps)}


def _columns(paths: Sequence[Path]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for path in paths:
        for i, node in enumerate(path.nodes):
            columns[node.curie] = max(columns.get(node.curie, 0), i)
    last = max(columns.values(), default=0)
    starts = {path.nodes[0].curie for path in paths}
    ends = {path.nodes[-1].curie for path in paths} - {node.curie for path in paths for node in path.nodes[:-1]}
    return {curie: 0 if curie in starts else last if curie in ends else n for curie, n in columns.items()}


def _paths_title(paths: Sequence[Path]) -> str:
    if not paths:
        return "No paths"
    starts = list(dict.fromkeys(path.nodes[0].label for path in paths))
    ends = list(dict.fromkeys(path.nodes[-1].label for path in paths))
    return f"{len(paths)} path{'s' * (len(paths) != 1)} from {_listed(starts)} to {_listed(ends)}"


def metagraph_figure(graph: Snapshot) -> Figure:
    """Return the figure of what there is: a node for each kind, an edge for each relation between kinds, or within one."""
    nodes = tuple(
        FigureNode(kind.name, f"{len(graph.by_kind[kind.name]):,} {spaced(kind.plural)}", kind.name)
        for kind in graph.model.kinds
    )
    most = max(graph.relation_counts.values(), default=1)
    edges = tuple(
        FigureEdge(
            f"{subject} {name} {object_}", subject, object_, name, graph.model.relation[name].phrase, count / most
        )
        for (subject, name, object_), count in sorted(graph.relation_counts.items())
    )
    return Figure(
        "Kinds and how they are related",
        _described(nodes, edges),
        graph.model,
        nodes,
        edges,
        total_nodes=len(nodes),
        total_edges=len(edges),
        version=graph.version.number,
        known_on=graph.known_on,
    )


def spaced(name: str) -> str:
    """Return ``cellPopulations`` as ``cell populations``."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


def _described(nodes: Collection[FigureNode], edges: Collection[FigureEdge]) -> str:
    plural = "" if len(edges) == 1 else "s"
    return f"{len(nodes):,} entit{'y' if len(nodes) == 1 else 'ies'} and {len(edges):,} relation{plural} between them."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1][:3])} and {names[-1]}" if names else "nothing"
