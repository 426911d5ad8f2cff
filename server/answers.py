"""Pages and pictures as answers: cached by version, revalidated by ETag, made on a thread, errors in their own form."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import anyio
from starlette.requests import Request
from starlette.responses import Response

from kg.errors import KGError, LimitExceeded, NotFound
from kg.published import Serving
from kg.snapshot import Snapshot
from server.auth import Authenticator
from server.graphql.caches import LRU
from server.graphql.http import caller_of
from server.parameters import Parameters
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: only what has status 200 is cached and has an ETag, unless it is not to be kept."""

    body: str
    media: str = "text/html"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    kept: bool = True

    @property
    def unkept(self) -> Answer:
        """The same, for this once: a search that ran out of time may find more the next time."""
        return replace(self, kept=False)


class Visit:
    """One request, with the snapshot that it is answered from."""

    def __init__(self, request: Request, graph: Snapshot, settings: Settings) -> None:
        self.request = request
        self.whole_graph = graph
        self.settings = settings
        self.parameters = Parameters(request.query_params)
        self.path: str = request.url.path
        self.up = "../" * depth(request)

    @property
    def graph(self) -> Snapshot:
        """The graph as known on the day that ``as-of`` (or ``asOf``) names."""
        return self.whole_graph.as_of(self.parameters.day("as-of", "asOf"))

    @property
    def address(self) -> str:
        """Where the service is, with a slash at its end: the setting ``public_url``, else what the client asked for."""
        return f"{(self.settings.public_url or str(self.request.base_url)).rstrip('/')}/"


Make = Callable[[Visit], Answer]
Explain = Callable[[Visit, KGError], Answer]


def entity_path(curie: str) -> str:
    """Return the path of an entity's page, below the service's address."""
    return f"entity/{quote(curie, safe=':')}"


class Answerer:
    """Answers requests for pages and pictures."""

    def __init__(self, service: Serving, settings: Settings, authenticator: Authenticator, build: str) -> None:
        self.service = service
        self.authenticator = authenticator
        self.settings = settings
        self.build = build
        self.cache: LRU[Answer] = LRU(settings.page_cache_bytes)
        self.limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, request: Request, make: Make, explain: Explain) -> Response:
        """Return what ``make`` makes, or ``explain`` says of the error that it raises."""
        graph = self.service.snapshot
        visit = Visit(request, graph, self.settings)
        try:
            await caller_of(request, self.authenticator).reader()
        except KGError as error:
            return self._response(visit, self._explained(visit, explain, error))
        etag = self._etag(visit)
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=self._headers(visit, {"ETag": etag}))
        answer = self.cache.get(etag)
        if answer is None:
            answer = await self._made(visit, make, explain)
            if answer.status == 200 and answer.kept:
                answer = replace(answer, headers={**answer.headers, "ETag": etag})
                self.cache.put(etag, answer, len(answer.body) + 500)
        return self._response(visit, answer)

    def _response(self, visit: Visit, answer: Answer) -> Response:
        headers = self._headers(visit, answer.headers)
        return Response(answer.body, answer.status, headers, f"{answer.media}; charset=utf-8")

    @staticmethod
    def _explained(visit: Visit, explain: Explain, error: KGError) -> Answer:
        said = explain(visit, error)
        own = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
        return replace(said, status=error.status, headers={**said.headers, **own})

    async def _made(self, visit: Visit, make: Make, explain: Explain) -> Answer:
        if self.limiter is None:
            self.limiter = anyio.CapacityLimiter(self.settings.threads)
        try:
            given = len(visit.request.scope["query_string"])
            if given > self.settings.max_url_bytes:
                raise LimitExceeded("max_url_bytes", self.settings.max_url_bytes, given, "Ask for less at a time.")
            return await anyio.to_thread.run_sync(make, visit, limiter=self.limiter)
        except KGError as error:
            return self._explained(visit, explain, error)

    def _headers(self, visit: Visit, own: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of an answer; behind a token no shared cache may keep it."""
        private = self.authenticator.reads_need_token
        shared = {
            "Cache-Control": "private, no-cache" if private else "no-cache",
            "Vary": "Origin, Authorization" if private else "Origin",
            "X-Content-Type-Options": "nosniff",
        }
        embeddable = (
            embedding_headers(visit) if visit.path.rpartition("/")[2].startswith(("view.", "paths.", "oembed")) else {}
        )
        return {**shared, **embeddable, **own}

    def _etag(self, visit: Visit) -> str:
        scope = visit.request.scope
        asked = f"{visit.address}\n{scope.get('raw_path') or visit.path.encode()!r}\n{scope['query_string']!r}\n{self.build}"
        digest = hashlib.blake2b(asked.encode(), digest_size=12).hexdigest()
        return f'W/"{visit.whole_graph.version.tag}-{digest}"'


def told(visit: Visit, error: KGError) -> str:
    """Return an error in words for people with a browser, who search on a page and not with GraphQL."""
    if isinstance(error, NotFound) and error.what == "entity":
        meant = f" Did you mean {' or '.join(map(str, error.near))}?" if error.near else ""
        return f"No entity is called “{error.name[:200]}”.{meant} Search by name at {visit.address}search."
    return str(error)


def embedding_headers(visit: Visit) -> dict[str, str]:
    """Return the headers by which pages that may embed views read them by script too."""
    allowed = visit.settings.embed_ancestors
    origin = visit.request.headers.get("origin", "")
    if "*" in allowed:
        return {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
    if origin in allowed:
        return {"Access-Control-Allow-Origin": origin, "Cross-Origin-Resource-Policy": "cross-origin"}
    return {}


def depth(request: Request) -> int:
    """Return how many folders deep a page is, as a browser sees its address."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    root = str(request.scope.get("root_path", ""))
    return max(0, raw.partition(b"?")[0].count(b"/") - root.count("/") - 1)
