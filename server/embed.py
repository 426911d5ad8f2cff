"""Views inside other people's pages: an address for an iframe, and oEmbed, by which editors find it.

The addresses are versioned: what ``/embed/v1/view`` and ``/embed/v1/paths`` take and tell their parent stays as it is.
It says ``{source: "kg-view", v: 1, type: "ready" | "size" | "select", …}`` with ``postMessage``.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from markupsafe import Markup
from starlette.datastructures import QueryParams

from kg.errors import BadInput, KGError, NotFound
from kg.pictures import AUTO, Style, draw
from server.answers import Answer, Visit, entity_path, told
from server.graphql.errors import request_error
from server.pages.rendering import Site
from server.parameters import Parameters
from server.pathviews import PATH_PARAMETERS, AskedPaths, asked_paths, explorer_parameters
from server.viewing import DRAWING, PARAMETERS, Asked, asked_style, asked_view, listed_names

EMBED_PATH, EMBED_PATHS = "embed/v1/view", "embed/v1/paths"
EMBED_PARAMETERS = (*PARAMETERS, *DRAWING)
EMBED_PATH_PARAMETERS = (*PATH_PARAMETERS, *DRAWING)
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
    return _page(site, visit, asked, entity_path(asked.middle[0]))


def embed_paths_page(site: Site, visit: Visit) -> Answer:
    """Return a page that holds nothing but paths, for an iframe."""
    visit.parameters.only(EMBED_PATH_PARAMETERS)
    asked = asked_paths(visit)
    pairs = [(name, value) for name, value in visit.parameters.given.multi_items() if name in PATH_PARAMETERS]
    page = _page(site, visit, asked, f"explore/paths?{urlencode(pairs)}")
    return page if asked.page.truncated_by != "seconds" else page.unkept


def _page(site: Site, visit: Visit, asked: Asked | AskedPaths, place: str) -> Answer:
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
        place=place,
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
        place="",
        address=visit.address,
        problem=told(visit, error),
    )


def oembed(visit: Visit) -> Answer:
    """Return how to embed the view or entity page that ``url`` names (https://oembed.com, type rich)."""
    given = visit.parameters
    given.only(OEMBED_PARAMETERS)
    if given.text("format", "json") not in {"", "json"}:
        raise CannotAnswer("oEmbed is offered as JSON here, not XML; ask with format=json.")
    shown = _shown(visit, given.text("url"))
    wide = min(WIDTH, given.whole("maxwidth", WIDTH, least=1))
    high = min(HEIGHT, given.whole("maxheight", HEIGHT, least=1))
    graph, title, query = visit.whole_graph, shown.title, shown.query
    source = f"{visit.address}{shown.frame}?{query}"
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
        "thumbnail_url": f"{visit.address}{shown.picture}?{query}",
        "thumbnail_width": wide,
        "thumbnail_height": high,
    }
    return Answer(json.dumps(body), "application/json")


def oembed_problem(visit: Visit, error: KGError) -> Answer:
    """Return what went wrong, as JSON."""
    return Answer(json.dumps(request_error(told(visit, error), error.code)), "application/json", error.status)


@dataclass(frozen=True, slots=True)
class Embeddable:
    """What an address of this service shows: the page for an iframe, the picture, their parameters, and a title."""

    frame: str
    picture: str
    query: str
    title: str


def _shown(visit: Visit, url: str) -> Embeddable:
    """Return what an address of this service shows; raises NotFound for one that cannot be embedded."""
    if not url:
        raise BadInput("The parameter url is missing: the address of an entity's page or of an embedded view here.")
    starts = ("entity/", f"{EMBED_PATH}?around=", f"{EMBED_PATHS}?from=", "explore/paths?from=")
    hint = f"Addresses that can be embedded start with {' or '.join(visit.address + start for start in starts)}."
    if not url.startswith(visit.address):
        raise NotFound("page of this service", url[:200], hint=hint)
    parts = urlsplit(url)
    path = parts.path[len(urlsplit(visit.address).path) :]
    given = parse_qsl(parts.query)
    names = {name for name, _ in given}
    if path == EMBED_PATH and "around" in names:
        return _embedded_view(visit, [pair for pair in given if pair[0] in EMBED_PARAMETERS])
    if path in {EMBED_PATHS, "explore/paths"} and names >= {"from", "to"}:
        return _embedded_paths(visit, explorer_parameters(given))
    if path.startswith("entity/"):
        entity = visit.whole_graph.entity(unquote(path.removeprefix("entity/")))
        day = next((value for name, value in given if name in {"as-of", "asOf"}), "")
        days = [("as-of", day)] if day else []
        return _embedded_view(visit, [("around", entity.curie), ("max-nodes", str(EMBED_NODES)), *days])
    raise NotFound("page of this service that can be embedded", url[:200], hint=hint)


def _embedded_view(visit: Visit, pairs: list[tuple[str, str]]) -> Embeddable:
    around = [visit.whole_graph.entity(name) for name in _items(pairs, "around")]
    return Embeddable(EMBED_PATH, "view.svg", urlencode(pairs), listed_names(around))


def _embedded_paths(visit: Visit, pairs: list[tuple[str, str]]) -> Embeddable:
    pairs = [pair for pair in pairs if pair[0] in EMBED_PATH_PARAMETERS]
    ends = ([visit.whole_graph.entity(name) for name in _items(pairs, end)] for end in ("from", "to"))
    title = "Paths from {} to {}".format(*map(listed_names, ends))
    return Embeddable(EMBED_PATHS, "paths.svg", urlencode(pairs), title)


def _items(pairs: list[tuple[str, str]], name: str) -> list[str]:
    return Parameters(QueryParams(pairs)).items(name)
