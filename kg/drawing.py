"""Paths, and pieces of the graph, to look at: Graphviz DOT, Cytoscape.js elements, and SVG.

All three draw the same ``Drawing``. Colours and shapes come from the model. Labels and addresses are data
from anywhere: each format escapes all of them, so that none can become markup or code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from kg.model import Kind, Model
from kg.overlay import AssumedAssertion
from kg.paths import Path
from kg.records import Assertion, Entity
from kg.views import View

SWEEPS = 4
COLUMN, ROW, MARGIN = 330, 84, 28
BOX, LINE, CHARACTERS, LINES = 168, 15, 24, 3
THIN, THICK = 1.0, 4.5
AT = (0.5, 0.36, 0.64)  # where along an edge its label stands, in turn, so that neighbouring labels miss each other
INK, PAPER = "#1c1c1c", "#ffffff"


@dataclass(frozen=True, slots=True)
class Link:
    """An edge to draw: an assertion, and whether it was assumed."""

    assertion: Assertion
    assumed: bool = False

    @property
    def dashed(self) -> bool:
        """Whether the edge is in doubt: assumed, or with evidence against it."""
        return self.assumed or self.assertion.disputed

    @property
    def said(self) -> str:
        """The edge in words, for people who do not see it."""
        a = self.assertion
        doubt = ", assumed" if self.assumed else ", disputed" if a.disputed else ""
        return f"{a.subject.label} {a.relation} {a.object.label}, confidence {a.confidence:.2f}{doubt}"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What to draw: entities, each in a column counted from the left, and the edges among them."""

    title: str
    columns: Mapping[Entity, int]
    links: tuple[Link, ...]

    @property
    def model(self) -> Model | None:
        """The model of the drawn graph; None for an empty drawing."""
        return next((entity.graph.model for entity in self.columns), None)


def drawing_of(drawn: Iterable[Path] | View, title: str | None = None) -> Drawing:
    """Return the drawing of paths, or of a view of the graph.

    A node stands in the column of its greatest distance from the start on any path, so that edges lead
    onwards as far as they can; ends stand at the right. In a view the column is the distance.
    """
    if isinstance(drawn, View):
        columns = {node.entity: node.distance for node in drawn.nodes}
        links = tuple(Link(a, isinstance(a, AssumedAssertion)) for a in drawn.edges)
        return Drawing(title or _counted(len(columns), len(links)), columns, links)
    paths = list(drawn)
    columns = _columns(paths)
    edges = {step.assertion.id: Link(step.assertion, step.assumed) for path in paths for step in path.steps}
    return Drawing(title or _title(paths), columns, tuple(edges.values()))


def _columns(paths: Sequence[Path]) -> dict[Entity, int]:
    columns: dict[Entity, int] = {}
    for path in paths:
        for i, node in enumerate(path.nodes):
            columns[node] = max(columns.get(node, 0), i)
    last = max(columns.values(), default=0)
    starts = {path.nodes[0] for path in paths}
    ends = {path.nodes[-1] for path in paths} - {node for path in paths for node in path.nodes[:-1]}
    return {node: 0 if node in starts else last if node in ends else column for node, column in columns.items()}


def _title(paths: Sequence[Path]) -> str:
    if not paths:
        return "No paths"
    starts = dict.fromkeys(path.nodes[0].label for path in paths)
    ends = dict.fromkeys(path.nodes[-1].label for path in paths)
    count = f"{len(paths)} path{'s' * (len(paths) != 1)}"
    return f"{count} from {', '.join(starts)} to {', '.join(ends)}"


def _counted(nodes: int, edges: int) -> str:
    return f"{nodes} entities and {edges} edges"


def _kind(entity: Entity) -> Kind:
    return entity.graph.model.kind[entity.kind]


def safe_url(url: str | None) -> str | None:
    """Return an address if it leads to a web page, and None if it would do anything else, such as run a script."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.netloc else None


# ------------------------------------------------------------------ DOT
def dot(drawn: Iterable[Path] | View, title: str | None = None) -> str:
    """Return the drawing as a Graphviz digraph, left to right."""
    drawing = drawing_of(drawn, title)
    lines = [
        "digraph paths {",
        f"  graph [rankdir=LR, label={_dot(drawing.title)}, fontname=Helvetica];",
        "  node [shape=box, style=filled, fontname=Helvetica, fontcolor=white];",
        "  edge [fontname=Helvetica, fontsize=10];",
    ]
    for entity in drawing.columns:
        attributes = {
            "label": entity.label,
            "fillcolor": _kind(entity).color,
            "tooltip": f"{entity.kind} {entity.curie}",
        }
        if url := safe_url(entity.url):
            attributes["URL"] = url
        lines.append(f"  {_dot(entity.curie)} [{_attributes(attributes)}];")
    for link in drawing.links:
        a = link.assertion
        attributes = {
            "label": f"{a.relation} {a.confidence:.2f}",
            "penwidth": f"{_width(a.confidence):.1f}",
            "style": "dashed" if link.dashed else "solid",
            "tooltip": link.said,
        }
        lines.append(f"  {_dot(a.subject.curie)} -> {_dot(a.object.curie)} [{_attributes(attributes)}];")
    return "\n".join([*lines, "}", ""])


def _attributes(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={_dot(value)}" for name, value in values.items())


def _dot(text: str) -> str:
    """Return a text as a quoted string of DOT that shows as it is: no escapes, no HTML, no line ends."""
    shown = " ".join(_printable(text).split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}"'


# ------------------------------------------------------------------ Cytoscape.js
def cytoscape(drawn: Iterable[Path] | View) -> list[dict[str, Any]]:
    """Return the drawing as Cytoscape.js elements, nodes first; ``position`` lays them out left to right."""
    drawing = drawing_of(drawn)
    places = _places(drawing)
    nodes = [
        {
            "group": "nodes",
            "data": {
                "id": entity.curie,
                "label": entity.label,
                "kind": entity.kind,
                "color": _kind(entity).color,
                "shape": _kind(entity).shape,
                "url": safe_url(entity.url),
            },
            "position": {"x": x, "y": y},
        }
        for entity, (x, y) in places.items()
    ]
    return nodes + [_cytoscape_edge(link) for link in drawing.links]


def _cytoscape_edge(link: Link) -> dict[str, Any]:
    a = link.assertion
    return {
        "group": "edges",
        "data": {
            "id": a.id,
            "source": a.subject.curie,
            "target": a.object.curie,
            "relation": a.relation,
            "label": a.relation,
            "confidence": a.confidence,
            "width": round(_width(a.confidence), 2),
            "disputed": a.disputed,
            "assumed": link.assumed,
        },
    }


# ------------------------------------------------------------------ layout
def _places(drawing: Drawing) -> dict[Entity, tuple[float, float]]:
    """Return the middle of each node: its column, and its row so that edges cross little.

    Rows are ordered by the mean row of neighbours in the columns beside (barycentre heuristic: Sugiyama,
    Tagawa & Toda 1981), sweeping right and left a few times.
    """
    columns: defaultdict[int, list[Entity]] = defaultdict(list)
    for entity, column in drawing.columns.items():
        columns[column].append(entity)
    near = _neighbours(drawing)
    order = sorted(columns)
    for sweep in range(SWEEPS):
        heights = _heights(columns)
        for column in order if sweep % 2 == 0 else order[::-1]:
            columns[column].sort(key=lambda entity: _mean([heights[n] for n in near[entity]], heights[entity]))
            heights.update(_heights({column: columns[column]}))
    tallest = max(map(len, columns.values()), default=0)
    return {
        entity: (
            MARGIN + BOX / 2 + COLUMN * order.index(column),
            2 * MARGIN + ROW * (row + 0.5 + (tallest - len(columns[column])) / 2),
        )
        for column in order
        for row, entity in enumerate(columns[column])
    }


def _neighbours(drawing: Drawing) -> Mapping[Entity, list[Entity]]:
    near: defaultdict[Entity, list[Entity]] = defaultdict(list)
    for link in drawing.links:
        for one, two in (
            (link.assertion.subject, link.assertion.object),
            (link.assertion.object, link.assertion.subject),
        ):
            if drawing.columns.get(one) != drawing.columns.get(two):
                near[one].append(two)
    return near


def _heights(columns: Mapping[int, Sequence[Entity]]) -> dict[Entity, float]:
    """Return each node's height in its column, from -1/2 to 1/2, so that columns of any size compare."""
    return {
        entity: (row + 0.5) / len(entities) - 0.5
        for entities in columns.values()
        for row, entity in enumerate(entities)
    }


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _width(confidence: float) -> float:
    return THIN + (THICK - THIN) * confidence


# ------------------------------------------------------------------ SVG
def svg(drawn: Iterable[Path] | View, title: str | None = None) -> str:
    """Return the drawing as a self-contained SVG, left to right, readable without seeing it.

    Entities are links to their pages; edges are as wide as their confidence and dashed when assumed or
    disputed. Nothing is loaded from anywhere.
    """
    drawing = drawing_of(drawn, title)
    places = _places(drawing)
    width = max((x for x, _ in places.values()), default=0) + BOX / 2 + MARGIN
    height = max((y for _, y in places.values()), default=0) + ROW / 2 + MARGIN
    description = ". ".join(link.said for link in drawing.links) or "Nothing to show"
    edges = "\n".join(_svg_edge(i, *row, places) for i, row in enumerate(_lanes(drawing.links)))
    nodes = "\n".join(_svg_node(entity, x, y) for entity, (x, y) in places.items())
    return f"""<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title description" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" font-family="system-ui, sans-serif" font-size="12">
<title id="title">{_xml(drawing.title)}</title>
<desc id="description">{_xml(description)}</desc>
<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 10 5 0 10z" fill="{INK}"/></marker></defs>
<rect width="100%" height="100%" fill="{PAPER}"/>
<g fill="none" stroke="{INK}">
{edges}
</g>
<g>
{nodes}
</g>
</svg>
"""


def _lanes(links: Sequence[Link]) -> list[tuple[Link, int]]:
    """Return each edge with its number among those between the same two nodes, so that they are drawn apart."""
    taken: defaultdict[frozenset[str], int] = defaultdict(int)
    lanes = []
    for link in links:
        pair = frozenset({link.assertion.subject.curie, link.assertion.object.curie})
        lanes.append((link, taken[pair]))
        taken[pair] += 1
    return lanes


def _svg_edge(number: int, link: Link, lane: int, places: Mapping[Entity, tuple[float, float]]) -> str:
    a = link.assertion
    (x1, y1), (x2, y2) = places[a.subject], places[a.object]
    shift = (14 * ((lane + 1) // 2)) * (1 if lane % 2 else -1)
    y1, y2 = y1 + shift, y2 + shift
    if abs(x1 - x2) < 1:  # within a column: a bow beside the boxes
        out = x1 + BOX / 2
        curve = ((out, y1), (out + 40, y1), (out + 40, y2), (out, y2))
    else:
        side = BOX / 2 if x1 < x2 else -BOX / 2
        start, end = x1 + side, x2 - side
        curve = ((start, y1), ((start + end) / 2, y1), ((start + end) / 2, y2), (end, y2))
    path = "M{} C{} {} {}".format(*(f"{x:.1f} {y:.1f}" for x, y in curve))
    middle = _point(curve, AT[number % len(AT)])
    dashes = ' stroke-dasharray="6 4"' if link.dashed else ""
    label = f"{a.relation} {a.confidence:.2f}"
    return (
        f'<g role="img" aria-label={_attribute(link.said)}><title>{_xml(link.said)}</title>'
        f'<path d="{path}" stroke-width="{_width(a.confidence):.1f}"{dashes} marker-end="url(#arrow)"/>'
        f'<text x="{middle[0]:.1f}" y="{middle[1] - 5:.1f}" text-anchor="middle" font-size="10" fill="{INK}" '
        f'stroke="{PAPER}" stroke-width="3" paint-order="stroke">{_xml(label)}</text></g>'
    )


def _point(curve: Sequence[tuple[float, float]], t: float) -> tuple[float, float]:
    """Return the point of a cubic Bézier curve at a fraction of its course."""
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    x, y = (sum(w * point[axis] for w, point in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y


def _svg_node(entity: Entity, x: float, y: float) -> str:
    kind = _kind(entity)
    lines = wrap(_printable(entity.label), CHARACTERS) or [entity.curie]
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], lines[LINES - 1][: CHARACTERS - 1] + "…"]
    height = LINE * len(lines) + 16
    texts = "".join(
        f'<text x="{x:.1f}" y="{y + LINE * (i - (len(lines) - 1) / 2) + 4:.1f}" text-anchor="middle" fill="{PAPER}">{_xml(line)}</text>'
        for i, line in enumerate(lines)
    )
    said = f"{kind.label} {entity.label} ({entity.curie})"
    box = (
        f"<title>{_xml(said)}</title>"
        f'<rect x="{x - BOX / 2:.1f}" y="{y - height / 2:.1f}" width="{BOX}" height="{height}" rx="7" fill={_attribute(kind.color)}/>{texts}'
    )
    url = safe_url(entity.url)
    if url is None:
        return f'<g role="img" aria-label={_attribute(said)}>{box}</g>'
    return f'<a href={_attribute(url)} role="link" aria-label={_attribute(said)}>{box}</a>'


def _printable(text: str) -> str:
    """Return a text without the control characters that XML forbids."""
    return "".join(c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _xml(text: str) -> str:
    return escape(_printable(text))


def _attribute(text: str) -> str:
    return quoteattr(_printable(text))
