"""Figures in the formats that other tools read.

``FORMATS`` is the one table: a row is a format's name, file ending, media type, what reads it, and its writer.
Coordinates are those of the picture, so a graph opens elsewhere as it looked here. Attributes of a node are
``label``, ``kind``, ``color``, ``shape``, ``distance``, ``hidden``, ``iri`` and ``url``; of an edge ``relation``,
``label`` (the phrase), ``confidence``, ``disputed``, ``assumed``, ``evidence`` (how many pieces), ``level`` and ``latest``.

networkx is imported where it is used: it takes longer to load than all else here, and most commands never need it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kg.errors import NotFound
from kg.figures import Figure, FigureEdge, FigureNode
from kg.lettering import clean
from kg.pictures import Style, draw, place
from kg.strokes import stroke_width

if TYPE_CHECKING:
    import networkx as nx

PLACED_NODES = 400  # above it, coordinates are left to the tool that opens the file
DOT_SHAPES = {"ellipse", "triangle", "diamond", "hexagon", "pentagon", "octagon", "star"}
CX2_SHAPES = {"ellipse", "triangle", "diamond", "hexagon", "octagon", "rectangle", "round-rectangle", "parallelogram"}

Points = dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Format:
    """One format: ``reads`` names the tools that it is for."""

    name: str
    ending: str
    media: str
    reads: str
    write: Callable[[Figure], str]


def cytoscape_elements(figure: Figure) -> dict[str, list[dict[str, Any]]]:
    """Return what ``cytoscape({elements})`` takes: nodes and edges."""
    points = coordinates(figure)
    nodes = [
        {"data": {"id": node.id, **_node(figure, node)}, **({"position": _xy(points[node.id])} if points else {})}
        for node in figure.nodes
    ]
    edges = [{"data": {"id": e.id, "source": e.source, "target": e.target, **_edge(e)}} for e in figure.edges]
    return {"nodes": nodes, "edges": edges}


def to_cytoscape(figure: Figure) -> str:
    """Return Cytoscape.js elements JSON; Cytoscape Desktop opens it as .cyjs."""
    return _json(
        {
            "format_version": "1.0",
            "generated_by": figure.model.title,
            "data": _about(figure),
            "elements": cytoscape_elements(figure),
        }
    )


def to_graphology(figure: Figure) -> str:
    """Return a serialized graphology graph: ``Graph.from(…)`` reads it, and sigma draws it."""
    points = coordinates(figure)
    nodes = [
        {"key": node.id, "attributes": {**_node(figure, node), **(_xy(points[node.id]) if points else {}), "size": 6}}
        for node in figure.nodes
    ]
    edges = [
        {"key": e.id, "source": e.source, "target": e.target, "attributes": {**_edge(e), "size": stroke_width(e.confidence)}}
        for e in figure.edges
    ]  # fmt: skip
    options = {"type": "directed", "multi": True, "allowSelfLoops": True}
    return _json({"attributes": _about(figure), "options": options, "nodes": nodes, "edges": edges})


def to_node_link(figure: Figure) -> str:
    """Return networkx's node-link data: ``networkx.node_link_graph(json.load(file), edges="edges")``."""
    import networkx as nx

    return _json(nx.node_link_data(to_networkx(figure), edges="edges"))


def to_d3(figure: Figure) -> str:
    """Return node-link data with the edges under ``links``, as D3 and force-graph want them."""
    import networkx as nx

    return _json(nx.node_link_data(to_networkx(figure), edges="links"))


def to_graphml(figure: Figure) -> str:
    """Return GraphML, for Gephi, yEd, igraph and Cytoscape."""
    import networkx as nx

    return "\n".join(nx.generate_graphml(to_networkx(figure), named_key_ids=True, edge_id_from_attribute="id")) + "\n"


def to_cx2(figure: Figure) -> str:
    """Return CX2, for NDEx, Cytoscape Web and Cytoscape Desktop."""
    nodes, edges = _cx2_nodes(figure), _cx2_edges(figure)
    about = {"name": clean(figure.title), **_about(figure)}
    declared = {
        "networkAttributes": _declared([about]),
        "nodes": _declared([node["v"] for node in nodes]),
        "edges": _declared([edge["v"] for edge in edges]),
    }
    aspects: dict[str, list[Any]] = {
        "attributeDeclarations": [declared],
        "networkAttributes": [about],
        "nodes": nodes,
        "edges": edges,
        "visualProperties": [_cx2_style(figure)],
    }
    counts = [{"name": name, "elementCount": len(rows)} for name, rows in aspects.items()]
    written = [{name: rows} for name, rows in aspects.items()]
    start, end = {"CXVersion": "2.0", "hasFragments": False}, {"status": [{"success": True, "error": ""}]}
    return _json([start, {"metaData": counts}, *written, end])


def to_dot(figure: Figure) -> str:
    """Return DOT, for Graphviz."""
    rows = [
        f"digraph {_quoted(figure.title)} {{",
        '  graph [rankdir="LR"];',
        '  node [fontname="Helvetica", style="filled"];',
    ]
    for node in figure.nodes:
        kind = figure.model.kind[node.kind]
        shape = kind.shape.removeprefix("round-")
        given = {
            "label": node.label,
            "kind": node.kind,
            "shape": shape if shape in DOT_SHAPES else "box",
            "color": kind.color,
            "fillcolor": f"{kind.color}22",
            **({"URL": node.page} if node.page else {}),
        }
        rows.append(f"  {_quoted(node.id)} [{_dot(given)}];")
    for edge in figure.edges:
        given = {
            "label": edge.phrase,
            "relation": edge.relation,
            "confidence": f"{edge.confidence:.3f}",
            "penwidth": f"{stroke_width(edge.confidence):.1f}",
            "style": "dashed" if edge.disputed else "dotted" if edge.assumed else "solid",
        }
        rows.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [{_dot(given)}];")
    return "\n".join([*rows, "}"]) + "\n"


def to_networkx(figure: Figure) -> nx.MultiDiGraph[str]:
    """Return a figure as a networkx graph: keys of edges are relations, attributes as in the other formats."""
    import networkx as nx

    points = coordinates(figure)
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(**_about(figure))
    for node in figure.nodes:
        graph.add_node(clean(node.id), **_node(figure, node), **(_xy(points[node.id]) if points else {}))
    for edge in figure.edges:
        graph.add_edge(
            clean(edge.source),
            clean(edge.target),
            key=edge.relation,
            id=clean(edge.id),
            weight=edge.confidence,
            **_edge(edge),
        )
    return graph


FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format("cytoscape", "cyjs", "application/json", "Cytoscape.js, and Cytoscape Desktop as .cyjs", to_cytoscape),
        Format("graphology", "graphology.json", "application/json", "graphology and sigma.js", to_graphology),
        Format("node-link", "json", "application/json", "networkx (node_link_graph)", to_node_link),
        Format("d3", "d3.json", "application/json", "D3 and force-graph", to_d3),
        Format("graphml", "graphml", "application/graphml+xml", "Gephi, yEd, igraph, Cytoscape and networkx", to_graphml),
        Format("cx2", "cx2", "application/json", "NDEx and Cytoscape Web", to_cx2),
        Format("dot", "dot", "text/vnd.graphviz", "Graphviz", to_dot),
        Format("svg", "svg", "image/svg+xml", "papers, README files and browsers", draw),
    )
}  # fmt: skip


def export(figure: Figure, name: str, style: Style | None = None) -> str:
    """Return a figure in a format by its name; ``style`` is for SVG alone. Raises NotFound for an unknown name."""
    if name not in FORMATS:
        raise NotFound("format", name, hint=f"Formats are {', '.join(FORMATS)}.")
    return draw(figure, style) if name == "svg" else FORMATS[name].write(figure)


def coordinates(figure: Figure) -> Points:
    """Return where each node stands, by id; empty for a figure too large to place well."""
    if len(figure.nodes) > PLACED_NODES:
        return {}
    return {id_: (placed.x, placed.y) for id_, placed in place(figure).items()}


def _about(figure: Figure) -> dict[str, Any]:
    about = {
        "title": clean(figure.title),
        "graph": figure.model.title,
        "version": figure.version,
        "totalNodes": figure.total_nodes,
        "totalEdges": figure.total_edges,
        "truncated": figure.truncated_by is not None,
    }
    return {**about, "asOf": figure.known_on.isoformat()} if figure.known_on else about


def _node(figure: Figure, node: FigureNode) -> dict[str, Any]:
    kind = figure.model.kind[node.kind]
    given = {
        "label": clean(node.label),
        "kind": node.kind,
        "color": kind.color,
        "shape": kind.shape,
        "distance": node.distance,
        "hidden": node.hidden,
        "iri": node.iri,
        "url": node.page,
    }
    return {name: value for name, value in given.items() if value is not None}


def _edge(edge: FigureEdge) -> dict[str, Any]:
    given = {
        "relation": edge.relation,
        "label": edge.phrase,
        "confidence": round(edge.confidence, 6),
        "disputed": edge.disputed,
        "assumed": edge.assumed,
        "evidence": edge.evidence,
        "level": edge.level,
        "latest": edge.latest.isoformat() if edge.latest else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _xy(point: tuple[float, float]) -> dict[str, float]:
    return {"x": point[0], "y": point[1]}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _declared(rows: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    names = {bool: "boolean", int: "integer", float: "double", str: "string"}
    return {name: {"d": names[type(value)]} for row in rows for name, value in row.items()}


def _cx2_nodes(figure: Figure) -> list[dict[str, Any]]:
    points = coordinates(figure)
    nodes = []
    for number, node in enumerate(figure.nodes):
        values = {"name": clean(node.label), "represents": clean(node.id), **_node(figure, node)}
        nodes.append({"id": number, **(_xy(points[node.id]) if points else {}), "v": values})
    return nodes


def _cx2_edges(figure: Figure) -> list[dict[str, Any]]:
    number = {node.id: i for i, node in enumerate(figure.nodes)}
    edges = []
    for i, edge in enumerate(figure.edges):
        values = {"interaction": edge.relation, "assertion": clean(edge.id), **_edge(edge)}
        edges.append({"id": i, "s": number[edge.source], "t": number[edge.target], "v": values})
    return edges


def _cx2_style(figure: Figure) -> dict[str, Any]:
    def discrete(values: Iterator[tuple[str, str]]) -> dict[str, Any]:
        pairs = [{"v": name, "vp": value} for name, value in values]
        return {"type": "DISCRETE", "definition": {"attribute": "kind", "map": pairs}}

    shapes = ((k.name, k.shape if k.shape in CX2_SHAPES else k.shape.removeprefix("round-")) for k in figure.kinds)
    return {
        "default": {
            "network": {"NETWORK_BACKGROUND_COLOR": "#FFFFFF"},
            "node": {"NODE_SHAPE": "ellipse", "NODE_LABEL_POSITION": {"HORIZONTAL_ALIGN": "center", "VERTICAL_ALIGN": "center"}},
            "edge": {"EDGE_TARGET_ARROW_SHAPE": "triangle"},
        },
        "nodeMapping": {
            "NODE_LABEL": {"type": "PASSTHROUGH", "definition": {"attribute": "label", "type": "string"}},
            "NODE_BACKGROUND_COLOR": discrete((kind.name, kind.color.upper()) for kind in figure.kinds),
            "NODE_SHAPE": discrete((n, s if s in CX2_SHAPES else "ellipse") for n, s in shapes),
        },
        "edgeMapping": {"EDGE_LABEL": {"type": "PASSTHROUGH", "definition": {"attribute": "label", "type": "string"}}},
    }  # fmt: skip


def _quoted(text: str) -> str:
    inside = clean(text).replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ")
    return f'"{inside}"'


def _dot(given: dict[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in given.items())
