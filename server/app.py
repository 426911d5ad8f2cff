"""The ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import anyio
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette_compress import CompressMiddleware

from kg.errors import KGError
from kg.graph import GraphService
from kg.published import Serving
from server import oidc
from server.answers import Answerer
from server.auth import Authenticator
from server.exports import Exports
from server.forwarding import Forwarder
from server.graphql.caches import LRU
from server.graphql.examples import load_examples
from server.graphql.execution import Engine
from server.graphql.http import JSON, GraphQLEndpoint, caller_of, prefers_html, refused
from server.graphql.query import build_schema
from server.graphql.running import Runner
from server.graphql.websocket import SocketEndpoint
from server.observability import Metrics, Observed, Requests
from server.pages import Site
from server.pages.graphiql import graphiql_page
from server.problems import Problems
from server.protocol import AT_ONCE
from server.routes import Assets, page_routes
from server.settings import Settings
from server.straight import WORTH_COMPRESSING, AtOnce, Straight
from server.web.assets import WebAssets

log = structlog.get_logger("cartograph")


def create_app(
    service: Serving,
    settings: Settings | None = None,
    around: Callable[[Starlette], AbstractAsyncContextManager[None]] | None = None,
    local_key: str | None = None,
    elsewhere: Forwarder | None = None,
) -> Starlette:
    """Return the application that serves a graph.

    ``around`` is entered before it answers and left when nothing runs any more; ``local_key`` is a secret that lets
    this machine's own user write; ``elsewhere`` asks the process that holds the store, where this one does not.
    """
    settings = settings or Settings()
    metrics, assets = Metrics(), WebAssets()
    site, examples = Site(service.model, assets), load_examples(settings.schema)
    problems = Problems(site)
    schema = build_schema(service.model, settings)
    engine = Engine(schema, service, settings, metrics)
    runner = Runner(engine, settings, metrics, elsewhere)
    authenticator = Authenticator(
        service.folder, settings, metrics, local_key=local_key, provider=oidc.provider(settings)
    )
    endpoint = GraphQLEndpoint(runner, settings, authenticator)
    answerer = Answerer(service, settings, authenticator, site.stamp)
    _publish(metrics, service, runner, endpoint)
    _publish_cache(metrics, "page", answerer.cache)
    pages = _Pages(service, schema.as_str(), metrics, assets, authenticator)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        if not assets.built:
            log.warning("browser_assets_missing", reason=assets.missing_reason)
        async with around(app) if around else nullcontext():
            yield {AT_ONCE: at_once}
            await anyio.to_thread.run_sync(runner.close)
            engine.citations.close()
            if elsewhere:
                await elsewhere.close()

    async def graphql(scope: Scope, receive: Receive, send: Send) -> None:
        if settings.graphiql and scope["method"] in {"GET", "HEAD"} and _asks_for_page(Request(scope)):
            await graphiql_page(site, examples)(scope, receive, send)
        else:
            await endpoint(scope, receive, send)

    routes = [
        Route("/graphql", _Any(graphql)),  # first, for it is asked most, and routes are tried in turn
        *page_routes(site, answerer),
        WebSocketRoute("/graphql", _Any(SocketEndpoint(runner, settings, authenticator))),
        Route("/schema.graphql", pages.sdl),
        Route("/export", Exports(service, authenticator, elsewhere.relay if elsewhere else None).answer),
        Route("/health", pages.health),
        Route("/ready", pages.ready),
        Route("/metrics", pages.metrics),
        Mount("/static", Assets(assets)),
    ]
    paths = frozenset(route.path.partition("{")[0] for route in routes if isinstance(route, Route | Mount))
    requests = Requests(metrics, paths)
    at_once = AtOnce(endpoint, requests)
    middleware = [
        Middleware(Observed, requests=requests),
        *([_cors(settings)] if settings.cors_origins else []),
        Middleware(Straight, endpoint=endpoint),
        Middleware(CompressMiddleware, minimum_size=WORTH_COMPRESSING),
    ]
    app = Starlette(
        routes=routes,
        middleware=middleware,
        lifespan=lifespan,
        exception_handlers={HTTPException: problems.http, KGError: _refused, 500: problems.fault},
    )
    app.state.engine, app.state.endpoint, app.state.service, app.state.runner = engine, endpoint, service, runner
    app.state.at_once = at_once
    return app


def _asks_for_page(request: Request) -> bool:
    return "query" not in request.query_params and prefers_html(request.headers.get("accept", ""))


class _Any:
    """An ASGI application as a route for every method."""

    def __init__(self, app: Callable[[Scope, Receive, Send], object]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)  # type: ignore[misc]


class _Pages:
    """The small endpoints beside /graphql."""

    def __init__(
        self, service: Serving, sdl: str, metrics: Metrics, assets: WebAssets, authenticator: Authenticator
    ) -> None:
        self.service, self.text, self.numbers, self.assets = service, sdl, metrics, assets
        self.authenticator = authenticator

    async def sdl(self, request: Request) -> Response:
        await caller_of(request, self.authenticator).reader()
        return PlainTextResponse(self.text + "\n")

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(self, _: Request) -> Response:
        version = self.service.snapshot.version
        return JSONResponse(
            {
                "status": "ready",
                "version": version.number,
                "writes": isinstance(self.service, GraphService),
                "browserAssets": self.assets.built,
            }
        )

    async def metrics(self, request: Request) -> Response:
        await caller_of(request, self.authenticator).reader()
        return Response(self.numbers.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _cors(settings: Settings) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "x-request-id", "if-none-match"],
        expose_headers=["etag", "retry-after", "x-request-id"],
        max_age=3600,
    )


def _publish(metrics: Metrics, service: Serving, runner: Runner, endpoint: GraphQLEndpoint) -> None:
    metrics.gauge("graph_version", "Version of the graph being served.", lambda: service.snapshot.version.number)
    metrics.gauge("graph_entities", "Entities in the graph.", lambda: len(service.snapshot.entities))
    metrics.gauge("graph_edges", "Edges in the graph.", lambda: service.snapshot.edge_count)
    metrics.gauge("graphql_streams", "WebSockets and event streams that are open.", lambda: runner.streams.open)
    metrics.gauge("graphql_listeners", "Subscriptions to changes of the graph.", lambda: len(runner.engine.changes))
    metrics.gauge("graph_writes_waiting", "Writes that run or wait.", lambda: runner.lane.waiting)
    _publish_cache(metrics, "document", runner.engine.documents)
    _publish_cache(metrics, "response", endpoint.responses)
    metrics.gauge(
        "kept_answer_bytes", "Bytes of answers about entities that are kept.", lambda: runner.engine.kept_bytes
    )
    metrics.gauge("response_cache_bytes", "Bytes used by the response cache.", lambda: endpoint.responses.used)


def _publish_cache(metrics: Metrics, name: str, cache: LRU[Any]) -> None:
    metrics.gauge(f"{name}_cache_hits", f"Hits of the {name} cache.", lambda: cache.hits)
    metrics.gauge(f"{name}_cache_misses", f"Misses of the {name} cache.", lambda: cache.misses)
    metrics.gauge(f"{name}_cache_entries", f"Entries in the {name} cache.", lambda: len(cache))


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, KGError):
        raise error
    return refused(error, JSON)
