"""Views inside other people's pages: an address for an iframe, and oEmbed, by which editors find it.

The addresses are versioned: what ``/embed/v1/view`` takes and tells its parent stays as it is.
It says ``{source: "kg-view", v: 1, type: "ready" | "size" | "select", …}`` with ``postMessage``.
"""

from __future__ import annotations

import html
import json
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from markupsafe import Markup
from starlette.datastructures import QueryParams

from kg.errors import BadInput, KGError, NotFound
from kg.pictures import AUTO, Style, draw
from server.answers import Answer, Visit, told
from server.graphql.errors import request_error
from server.pages.rendering import Site
from server.parameters import Parameters
from server.viewing import DRAWING, PARAMETERS, asked_style, asked_view

EMBED_PATH = "embed/v1/view"
EMBED_PARAMETERS = (*PARAMETERS, *DRAWING)
OEMBED_PARAMETERS = ("url", "format", "maxwidth", "maxheight")
WIDTH, HEIGHT = 800, 560
EMBED_NODES = 40


class CannotAnswer(KGError):
    """A format of oEmbed that is not offered."""

    code = "NOT_IMPLEMENTED"
    status = 501


def embed_page(site: Site, visit: Visit) -> Answer:
    """Return a page that holds nothing but a view, for an iframe."""
    visit.parameters.only(EMBED_PARAMETERS)
    asked = asked_view(visit)
    given = asked_style(visit, theme=AUTO)
    style = Style(given.theme, given.legend, given.width, given.link, styled=True, background=False)
    return site.render(
        "embed.html",
        up=visit.up,
        ancestors=visit.settings.embed_ancestors,
        figure=asked.figure,
        svg=Markup(draw(asked.figure, style)),
        theme=given.theme,
        middle=asked.middle,
        address=visit.address,
        problem=None,
    )


def embed_problem(site: Site, visit: Visit, error: KGError) -> Answer:
    """Return what went wrong, small enough for an iframe."""
    return site.render(
        "embed.html",
        up=visit.up,
        ancestors=visit.settings.embed_ancestors,
        figure=None,
        svg="",
        theme=AUTO,
        middle=(),
        address=visit.address,
        problem=told(visit, error),
    )


def oembed(visit: Visit) -> Answer:
    """Return how to embed the view or entity page that ``url`` names (https://oembed.com, type rich)."""
    given = visit.parameters
    given.only(OEMBED_PARAMETERS)
    if given.text("format", "json") not in {"", "json"}:
        raise CannotAnswer("oEmbed is offered as JSON here, not XML; ask with format=json.")
    query = _view_query(visit, given.text("url"))
    wide = min(WIDTH, given.whole("maxwidth", WIDTH, least=1))
    high = min(HEIGHT, given.whole("maxheight", HEIGHT, least=1))
    graph = visit.whole_graph
    title = ", ".join(graph.entity(name).label for name in Parameters(QueryParams(query)).items("around"))
    source = f"{visit.address}{EMBED_PATH}?{query}"
    frame = (
        f'<iframe src="{html.escape(source)}" width="{wide}" height="{high}" title="{html.escape(title)}" '
        'style="border:0" loading="lazy"></iframe>'
    )
    body = {
        "version": "1.0",
        "type": "rich",
        "title": title,
        "provider_name": graph.model.title,
        "provider_url": visit.address,
        "width": wide,
        "height": high,
        "html": frame,
        "thumbnail_url": f"{visit.address}view.svg?{query}",
        "thumbnail_width": wide,
        "thumbnail_height": high,
    }
    return Answer(json.dumps(body), "application/json")


def oembed_problem(visit: Visit, error: KGError) -> Answer:
    """Return what went wrong, as JSON."""
    return Answer(json.dumps(request_error(told(visit, error), error.code)), "application/json", error.status)


def _view_query(visit: Visit, url: str) -> str:
    """Return the parameters of the view that an address of this service shows; raises NotFound for any other address."""
    if not url:
        raise BadInput("The parameter url is missing: the address of an entity's page or of an embedded view here.")
    hint = f"Addresses that can be embedded start with {visit.address}entity/ or {visit.address}{EMBED_PATH}?around=."
    if not url.startswith(visit.address):
        raise NotFound("page of this service", url[:200], hint=hint)
    parts = urlsplit(url)
    path = parts.path[len(urlsplit(visit.address).path) :]
    given = dict(parse_qsl(parts.query))
    if path == EMBED_PATH and given.get("around"):
        return urlencode({name: value for name, value in given.items() if name in EMBED_PARAMETERS})
    if path.startswith("entity/"):
        entity = visit.whole_graph.entity(unquote(path.removeprefix("entity/")))
        day = given.get("as-of") or given.get("asOf")
        return urlencode({"around": entity.curie, "max-nodes": EMBED_NODES, **({"as-of": day} if day else {})})
    raise NotFound("page of this service that can be embedded", url[:200], hint=hint)
