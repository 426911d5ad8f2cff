"""Where pages, pictures, embeds and static files are."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from kg.errors import KGError, NotFound
from server.answers import Answer, Answerer, Explain, Make, Visit
from server.embed import EMBED_PATH, EMBED_PATHS, embed_page, embed_paths_page, embed_problem, oembed, oembed_problem
from server.pages import Site
from server.pages.entity import entity_page, entity_problem
from server.pages.explore import explore_problem, hypotheses_page, paths_page
from server.pages.home import home_page
from server.pages.kinds import kind_page
from server.pages.rendering import STATIC
from server.pages.search import search_page
from server.pathviews import PATH_PATHS, paths_answer
from server.viewing import PATHS, view_answer, view_problem
from server.web.assets import WebAssets

FOR_EVER = "public, max-age=31536000, immutable"


def page_routes(site: Site, answerer: Answerer) -> list[Route]:
    """Return the routes of all pages and pictures."""

    def route(path: str, make: Make, explain: Explain | None = None) -> Route:
        async def endpoint(request: Request) -> Response:
            return await answerer(request, make, explain or explained)

        return Route(path, endpoint)

    def page(path: str, make: Callable[[Site, Visit], Answer]) -> Route:
        return route(path, lambda visit: make(site, visit))

    def explore(name: str, make: Callable[[Site, Visit], Answer]) -> Route:
        return route(
            f"/explore/{name}", lambda visit: make(site, visit), lambda v, error: explore_problem(site, v, error)
        )

    def embed(path: str, make: Callable[[Site, Visit], Answer]) -> Route:
        return route(f"/{path}", lambda visit: make(site, visit), lambda v, error: embed_problem(site, v, error))

    def explained(visit: Visit, error: KGError) -> Answer:
        return problem(site, visit, error)

    return [
        page("/", home_page),
        page("/search", search_page),
        page("/kind/{plural}", kind_page),
        page("/entity/{name:path}", entity_page),
        explore("paths", paths_page),
        explore("hypotheses", hypotheses_page),
        *([page("/explore/history", explore_page)] if "explorer.js" in site.assets.files else []),
        *(route(f"/{path}", view_answer, view_problem) for path in PATHS),
        *(route(f"/{path}", paths_answer, view_problem) for path in PATH_PATHS),
        embed(EMBED_PATH, embed_page),
        embed(EMBED_PATHS, embed_paths_page),
        route("/oembed", oembed, oembed_problem),
        route("/static/kinds.css", lambda _: Answer(site.kinds_css, "text/css")),
    ]


def problem(site: Site, visit: Visit, error: KGError) -> Answer:
    """Return the page that says what is wrong with a request and what to do."""
    if isinstance(error, NotFound) and error.what == "entity":
        return entity_problem(site, visit, error)
    title = "Not found" if isinstance(error, NotFound) else "That does not work"
    return site.render("problem.html", up=visit.up, title=title, message=str(error), near=(), as_of=None)


def explore_page(site: Site, visit: Visit) -> Answer:
    """Return the shell that the explorer fills."""
    return site.page(visit, "explore.html", name=visit.path.rpartition("/")[2])


class Assets(StaticFiles):
    """The files of the pages, and those built for browsers; what is named by its content may be kept for ever."""

    def __init__(self, assets: WebAssets) -> None:
        super().__init__(directory=STATIC)
        self.all_directories = [STATIC, *([assets.dist] if assets.built else [])]

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file; modules are for every origin, because a sandboxed iframe has none of its own."""
        response = await super().get_response(path, scope)
        named = path.startswith(("chunks/", "fonts/")) or b"v=" in scope["query_string"]
        response.headers["Cache-Control"] = FOR_EVER if named else "no-cache"
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
