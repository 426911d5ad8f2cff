"""``GET /export``: what all files of a version state, in one canonical order, in any of the formats of ``kg export``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from kg.errors import KGError, ReadOnly
from kg.exporting import EXPORTS, export
from kg.graph import GraphService
from kg.published import Serving
from server.auth import Authenticator
from server.graphql.errors import problem
from server.graphql.http import caller_of, refusal_headers
from server.parameters import Parameters

CHUNK = 1 << 18
MEDIA = {
    "nq": "application/n-quads",
    "trig": "application/trig",
    "nt": "application/n-triples",
    "ttl": "text/turtle",
    "jsonld": "application/ld+json",
    "rdf": "application/rdf+xml",
    "tsv": "text/tab-separated-values; charset=utf-8",
}

Relay = Callable[[Request], Awaitable[Response]]


class Exports:
    """Answers requests for a version of the graph as a file. One is made at a time: it takes memory for all of it."""

    def __init__(self, service: Serving, authenticator: Authenticator, elsewhere: Relay | None = None) -> None:
        self.service = service
        self.authenticator = authenticator
        self.elsewhere = elsewhere
        self._one: anyio.CapacityLimiter | None = None

    async def answer(self, request: Request) -> Response:
        """Return the file, or what is wrong with the request."""
        try:
            await caller_of(request, self.authenticator).reader()
            return await self._file(request)
        except KGError as error:
            return JSONResponse({"errors": [problem(error)]}, error.status, refusal_headers(error))

    async def _file(self, request: Request) -> Response:
        if self.elsewhere is not None:
            return await self.elsewhere(request)
        if not isinstance(self.service, GraphService):
            raise ReadOnly
        store = self.service.store
        parameters = Parameters(request.query_params)
        parameters.only(("format", "at"))
        format_ = parameters.choice("format", tuple(EXPORTS), "nq")
        version = parameters.whole("at", store.version)
        if version:
            store.change(version)  # raises NotFound for one that there is not
        headers = self._headers(store.store_id, version, format_)
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if request.method == "HEAD":
            return Response(headers=headers, media_type=MEDIA[format_])
        if self._one is None:
            self._one = anyio.CapacityLimiter(1)
        text = await anyio.to_thread.run_sync(export, store, self.service.model, version, format_, limiter=self._one)
        return StreamingResponse(_chunks(text), headers=headers, media_type=MEDIA[format_])

    def _headers(self, store: str, version: int, format_: str) -> dict[str, str]:
        private = self.authenticator.reads_need_token
        return {
            "ETag": f'"{store[:8]}-{version}-{format_}"',
            "Cache-Control": "private, no-cache" if private else "no-cache",
            "Vary": "Origin, Authorization" if private else "Origin",
            "Content-Disposition": f'attachment; filename="graph-{version}.{format_}"',
            "X-Content-Type-Options": "nosniff",
        }


def _chunks(text: bytes) -> Iterator[bytes]:
    for start in range(0, len(text), CHUNK):
        yield text[start : start + CHUNK]
