"""``/view.svg`` and its siblings: a piece of the graph as a picture or in a format that other tools read.

``PARAMETERS`` is the contract with everyone who put such an address into a page: names are added to it, never
taken away (tests/server/test_embed.py holds a copy).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kg.errors import BadInput, KGError
from kg.figures import Figure, FigureNode, view_figure
from kg.formats import FORMATS, export
from kg.pictures import AUTO, Style, automatic_style, message
from kg.records import Entity
from kg.views import Constraints, View, neighbourhood
from server.answers import Answer, Visit, entity_path, told
from server.graphql.errors import request_error
from server.graphql.ids import curie_of
from server.graphql.request import bounded, relation_names

PARAMETERS = {
    "around": "CURIEs, IRIs or other identifiers of the entities in the middle, separated by commas.",
    "depth": "Hops to go; 1 if not given.",
    "relations": "Only edges of these relations.",
    "kinds": "Only entities of these kinds, the ones in the middle aside.",
    "levels": "Only edges with some evidence of one of these levels.",
    "avoid": "None of these entities.",
    "direction": "out, in or both: which way edges are walked from the middle.",
    "min-confidence": "Only edges of at least this confidence, 0 to 1.",
    "as-of": "The graph as it was known on a day, such as 2021-12-31.",
    "max-nodes": "Most entities; the nearest and most trusted are kept.",
    "max-edges": "Most relations; those that join the entities and the most trusted are kept.",
    "highlight": "Entities or assertions that stand out; all else is dimmed.",
}
DRAWING = {
    "theme": "light, dark, or auto, which follows the reader's.",
    "legend": "1 or 0.",
    "width": "Width in pixels; the height follows.",
    "background": "1 or 0.",
}
THEMES = ("light", "dark", AUTO)
ENDINGS = {row.ending: row.name for row in FORMATS.values()}
# The address may say just what it is: /view.svg, /view.graphml; /view.json takes ?format=, for Cytoscape.js if not given.
PATHS = tuple(f"view.{ending}" for ending in sorted({*ENDINGS, "json"}))
PICTURE_POLICY = "default-src 'none'; style-src {styles}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A view that was asked for: where to look and how far."""

    figure: Figure
    view: View
    middle: tuple[str, ...]


def asked_view(visit: Visit) -> Asked:
    """Return the view that a request's parameters describe."""
    given, settings = visit.parameters, visit.settings
    graph = visit.graph
    names = bounded(given.items("around"), settings, "around")
    if not names:
        raise BadInput(
            f"The parameter around is missing: name an entity, as in {visit.path}?around={_example(visit)}. Search by name at {visit.address}search."
        )
    starts = [graph.entity(curie_of(name)) for name in names]
    depth = given.whole("depth", 1, most=settings.max_view_depth, limit="max_view_depth")
    nodes = given.whole("max-nodes", settings.view_nodes, least=1, most=settings.max_view_nodes, limit="max_view_nodes")
    most = settings.max_view_edges
    edges = given.whole("max-edges", most, most=most, limit="max_view_edges")
    view = neighbourhood(starts, depth, nodes, _constraints(visit), max_edges=edges)
    lit = {entity.curie if (entity := graph.find(name)) else name for name in given.items("highlight")}
    return Asked(view_figure(graph, view, highlight=lit), view, tuple(entity.curie for entity in starts))


def asked_style(visit: Visit, *, theme: str = "light") -> Style:
    """Return how a request's parameters want it drawn; links lead to this service."""
    given = visit.parameters
    width = given.whole("width", 0, most=10_000, limit="width")
    return Style(
        theme=given.choice("theme", THEMES, theme),
        legend=given.flag("legend", True),
        background=given.flag("background", True),
        width=float(width) or None,
        link=page_link(visit.address),
    )


def view_answer(visit: Visit) -> Answer:
    """Return a view in the format that the address ends in, or that ``format`` names."""
    return exported(visit, "view", PARAMETERS, lambda: asked_view(visit).figure)


def exported(visit: Visit, name: str, parameters: Iterable[str], make: Callable[[], Figure]) -> Answer:
    """Return a figure in the format that an address such as ``name.svg`` asks for, once its parameters are known to be good."""
    visit.parameters.only([*parameters, *DRAWING, "format"])
    format_ = _format(visit, name)
    style = asked_style(visit)
    figure = make()
    headers = {"Content-Disposition": f'inline; filename="{name}.{FORMATS[format_].ending}"'}
    if format_ == "svg":
        headers["Content-Security-Policy"] = picture_policy(figure, style)
    return Answer(export(figure, format_, style), FORMATS[format_].media, headers=headers)


def view_problem(visit: Visit, error: KGError) -> Answer:
    """Return what went wrong, as a picture to who asked for a picture and as JSON to others."""
    if visit.path.endswith(".svg") and "json" not in visit.request.headers.get("accept", ""):
        theme = visit.parameters.text("theme")
        return Answer(
            message(told(visit, error), theme),
            "image/svg+xml",
            error.status,
            {"Content-Security-Policy": PICTURE_POLICY.format(styles="'none'")},
        )
    shown = {key: value for key, value in error.extensions.items() if key != "code"}
    return Answer(json.dumps(request_error(told(visit, error), error.code, **shown)), "application/json", error.status)


def page_link(address: str) -> Callable[[FigureNode], str | None]:
    """Return what gives each node the address of its page; a node that is no entity has none."""

    def link(node: FigureNode) -> str | None:
        return f"{address}{entity_path(node.id)}" if node.iri else None

    return link


def picture_policy(figure: Figure, style: Style) -> str:
    """Return the content security policy of a picture: no script, and no style but its own."""
    if style.theme != AUTO:
        return PICTURE_POLICY.format(styles="'none'")
    digest = base64.b64encode(hashlib.sha256(automatic_style(figure).encode()).digest()).decode()
    return PICTURE_POLICY.format(styles=f"'sha256-{digest}'")


def check_names(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise BadInput, saying which there are, for a name that the schema does not have."""
    for name in names:
        if name not in known:
            raise BadInput(f"There is no {what} {name!r}; there are {', '.join(known)}.")


def listed_names(entities: Iterable[Entity]) -> str:
    """Return the labels of some entities, for a title."""
    return ", ".join(entity.label for entity in entities)


def _constraints(visit: Visit) -> Constraints:
    given, graph = visit.parameters, visit.whole_graph
    kinds, levels, relations = (given.items(name) for name in ("kinds", "levels", "relations"))
    check_names("kind", kinds, graph.model.kind)
    check_names("level", levels, graph.model.level)
    return Constraints(
        relations=relation_names(graph, relations) if relations else None,
        kinds=frozenset(kinds) or None,
        levels=frozenset(levels) or None,
        avoid=frozenset(graph.entity(curie_of(name)).curie for name in bounded(given.items("avoid"), visit.settings, "avoid")),
        min_confidence=given.number("min-confidence", 0.0, 0.0, 1.0),
        direction=given.choice("direction", ("both", "out", "in"), "both"),
    )  # fmt: skip


def _format(visit: Visit, name: str) -> str:
    ending = visit.path.rpartition(f"/{name}.")[2]
    named = visit.parameters.text("format")
    if ending == "json":
        return visit.parameters.choice("format", tuple(FORMATS), "cytoscape") if named else "cytoscape"
    if named and named != ENDINGS[ending]:
        raise BadInput(
            f"The address asks for {ENDINGS[ending]} and the parameter format for {named[:40]!r}; leave one out."
        )
    return ENDINGS[ending]


def _example(visit: Visit) -> str:
    return next(iter(visit.whole_graph.entities), "CURIE")
