"""Graphs in notebooks: a picture that needs nothing, and a widget where anywidget is installed.

>>> from kg import open_graph
>>> from kg.notebook import show
>>> shown = show(open_graph(), "HGNC:1633", max_nodes=12)

>>> from kg.notebook import show_paths
>>> connected = show_paths(open_graph().paths("HGNC:1633", "MONDO:0007915", first=5))

As the last line of a cell, ``shown`` is drawn as SVG, which survives on nbviewer, GitHub and in PDF. ``.widget()`` gives
the same graph to pan, filter and select in (``pip install 'cartograph-kg[notebook]'``).
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from kg.errors import BadInput
from kg.figures import Figure, figure, path_figure, view_figure
from kg.formats import FORMATS, coordinates, export, to_networkx
from kg.paths import Path
from kg.pictures import Style, check_theme, draw
from kg.snapshot import Snapshot
from kg.views import Constraints, neighbourhood

if TYPE_CHECKING:
    import networkx as nx

BUNDLE = "notebook.js"


@dataclass(frozen=True)
class Shown:
    """A piece of the graph, as a notebook shows it."""

    figure: Figure
    theme: str = "light"
    width: float | None = None

    def svg(self) -> str:
        """Return the picture."""
        return draw(self.figure, Style(theme=self.theme, width=self.width))

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Return it as a networkx graph."""
        return to_networkx(self.figure)

    def save(self, path: str | File, format: str | None = None) -> File:
        """Write it to a file, in the format that its name ends in (kg.formats.FORMATS) or that ``format`` names."""
        file = File(path)
        named = {row.ending: name for name, row in FORMATS.items()}
        ending = next((e for e in sorted(named, key=len, reverse=True) if file.name.endswith(f".{e}")), None)
        if format is None and ending is None:
            raise BadInput(
                f"{file.name} ends in no known format; end it in {', '.join(sorted(named))}, or give format=."
            )
        name = format or named[ending or ""]
        file.write_text(self.svg() if name == "svg" else export(self.figure, name), encoding="utf-8")
        return file

    def widget(self) -> Any:
        """Return an anywidget of it; ``selected`` is what a person chose in it.

        Raises BadInput, saying what to do, where anywidget or the built browser files are missing.
        """
        return _widget_class()(data=widget_data(self.figure), theme=self.theme)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        # JupyterLab cuts image/svg+xml off at its own width; inside HTML it scrolls.
        return f'<div style="overflow-x:auto">{self.svg()}</div>'

    def __repr__(self) -> str:
        return f"<Shown {self.figure.title!r}: {len(self.figure.nodes)} entities, {len(self.figure.edges)} relations>"


def show(
    graph: Snapshot,
    *around: str,
    depth: int = 1,
    max_nodes: int = 40,
    as_of: date | None = None,
    constraints: Constraints | None = None,
    highlight: Collection[str] = (),
    theme: str = "light",
    width: float | None = None,
) -> Shown:
    """Return what lies around some entities, to look at; the names are CURIEs or anything else that resolves."""
    if not around:
        raise BadInput("Name at least one entity to show, such as show(graph, 'MONDO:0007915').")
    graph = graph.as_of(as_of)
    view = neighbourhood([graph.entity(name) for name in around], depth, max_nodes, constraints)
    return Shown(view_figure(graph, view, highlight=highlight), check_theme(theme), width)


def show_paths(
    paths: Iterable[Path], *, highlight: Collection[str | Path] = (), theme: str = "light", width: float | None = None
) -> Shown:
    """Return paths, such as a page of ``graph.paths(…)``, to look at from left to right.

    ``highlight`` holds what stands out: paths or their ids, CURIEs, ids of assertions.
    """
    found = list(paths)
    if not found:
        raise BadInput("There is no path to show; ask for longer ones or with fewer constraints.")
    lit = [item.id if isinstance(item, Path) else item for item in highlight]
    graph = found[0].nodes[0].graph
    return Shown(path_figure(graph, found, highlight=lit), check_theme(theme), width)


def show_answer(graph: Snapshot, answer: Mapping[str, Any], *, theme: str = "light") -> Shown:
    """Return the entities and assertions that a GraphQL answer mentions, to look at.

    Entities are found by ``curie`` anywhere in the answer; the assertions between them come from ``graph``.
    """
    named = dict.fromkeys(_curies(answer))
    entities = [entity for curie in named if (entity := graph.find(curie))]
    if not entities:
        raise BadInput("The answer mentions no entity of this graph; ask for `curie` wherever there are entities.")
    shown = {entity.curie for entity in entities}
    edges = {
        edge.assertion.id: edge.assertion
        for entity in entities
        for links in entity.links.values()
        for edge in links
        if edge.node.curie in shown
    }
    return Shown(figure(graph, entities, edges.values(), title="What the answer mentions"), check_theme(theme))


def widget_data(figure: Figure) -> dict[str, Any]:
    """Return a figure as the ``data`` of ``<kg-graph>``."""
    model, points = figure.model, coordinates(figure)
    return {
        "layout": "paths" if any(node.column is not None for node in figure.nodes) else "around",
        "roots": [node.id for node in figure.nodes if node.distance == 0],
        "nodes": [
            {"id": n.id, "label": n.label, "kind": n.kind, "url": n.page, "hidden": n.hidden,
             "distance": n.distance if n.column is None else n.column, "position": points.get(n.id)}
            for n in figure.nodes
        ],
        "edges": [
            {
                "id": e.id,
                "source": e.source,
                "target": e.target,
                "relation": e.relation,
                "confidence": e.confidence,
                "disputed": e.disputed,
                "assumed": e.assumed,
            }
            for e in figure.edges
        ],
        "kinds": [{"name": k.name, "label": k.label, "color": k.color, "shape": k.shape} for k in model.kinds],
        "relations": [{"name": r.name, "phrase": r.phrase, "inverse": r.inverse} for r in model.relations],
    }  # fmt: skip


def _curies(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("curie"), str):
            yield value["curie"]
        for item in value.values():
            yield from _curies(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _curies(item)


def _bundle() -> File:
    """Return the built module of the widget; the service's package brings it, and this library runs without."""
    spec = importlib.util.find_spec("server")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = [file for folder in folders if (file := File(folder, "web", "dist", BUNDLE)).is_file()]
    if not files:
        raise BadInput(
            f"The widget's {BUNDLE} is not built; run `python -m server.web.build`. The picture works without it."
        )
    return files[0]


def _widget_class() -> Any:
    try:
        anywidget, traitlets = importlib.import_module("anywidget"), importlib.import_module("traitlets")
    except ImportError as error:
        raise BadInput("Widgets need anywidget: pip install 'cartograph-kg[notebook]'.") from error
    members = {
        "_esm": _bundle(),
        "data": traitlets.Dict().tag(sync=True),
        "theme": traitlets.Unicode("light").tag(sync=True),
        "height": traitlets.Unicode("480px").tag(sync=True),
        "selected": traitlets.Dict(allow_none=True, default_value=None).tag(sync=True),
    }
    return type("GraphWidget", (anywidget.AnyWidget,), members)
