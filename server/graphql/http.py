"""GraphQL over HTTP: one endpoint, to the letter of the specification's audits.

https://graphql.github.io/graphql-over-http/draft/ as ``graphql-http`` audits it: status 400 for what was
never executed when the client accepts ``application/graphql-response+json``, 200 otherwise; GET for
queries only. Beyond it: 406, 413, 414 and 415 as HTTP has them, and an ETag that names the graph's version.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import anyio
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kg.errors import KGError, LimitExceeded
from server.graphql.caches import LRU
from server.graphql.errors import request_error
from server.graphql.execution import Answer, Engine, Prepared
from server.graphql.paging import ClientGone
from server.observability import Metrics
from server.settings import Settings

RESPONSE_JSON = "application/graphql-response+json"
JSON = "application/json"
MAX_JSON_DEPTH = 100


class HTTPProblem(Exception):
    """A request that cannot become an operation; answered with a status and a GraphQL error."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a request asks to run."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None


class GraphQLEndpoint:
    """The ASGI application behind /graphql, browsers' pages aside."""

    def __init__(self, engine: Engine, settings: Settings, metrics: Metrics) -> None:
        self.engine = engine
        self.settings = settings
        self.metrics = metrics
        self.responses: LRU[Answer] = LRU(settings.response_cache_bytes)
        self.limiter: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        media = JSON
        try:
            media = negotiate(request.headers.get("accept"))
            response = await self.respond(request, media)
        except HTTPProblem as problem:
            response = _json(request_error(problem.message, problem.code), problem.status, media, problem.headers)
        except KGError as error:
            status = 400 if media == RESPONSE_JSON or error.status != 400 else 200
            response = _json({"errors": [{"message": str(error), "extensions": error.extensions}]}, status, media)
        except (ClientDisconnect, ClientGone):
            return
        await response(scope, receive, send)

    async def respond(self, request: Request, media: str) -> Response:
        """Return the response to a request; raises HTTPProblem or KGError for one that cannot be run."""
        if request.method not in {"GET", "HEAD", "POST"}:
            raise HTTPProblem(
                405,
                "METHOD_NOT_ALLOWED",
                f"{request.method} is not possible here; use GET or POST.",
                {"Allow": "GET, HEAD, POST"},
            )
        raw = await self.raw(request)
        tag = self.engine.service.snapshot.version.tag
        etag = f'W/"{tag}-{hashlib.blake2b(raw + media.encode(), digest_size=12).hexdigest()}"'
        reading = request.method != "POST"
        if reading and etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=_headers(etag))
        answer = self.responses.get((tag, reading, raw))
        if answer is None:
            parameters = read_query(raw) if reading else read_body(raw)
            answer = await self.run(parameters, request.receive, reading=reading)
            if answer.executed and not answer.has_errors and self.engine.service.snapshot.version.tag == tag:
                self.responses.put((tag, reading, raw), answer, len(answer.body) + len(raw) + 200)
        else:
            self.metrics.operations.labels("cached").inc()
        status = 200 if answer.executed or media == JSON else 400
        headers = _headers(etag if reading and answer.executed and not answer.has_errors else None)
        return Response(answer.body, status, headers, media_type=f"{media}; charset=utf-8")

    async def raw(self, request: Request) -> bytes:
        """Return the bytes that say what to run: the query string of a GET, the body of a POST."""
        if request.method != "POST":
            query: bytes = request.scope["query_string"]
            if len(query) > self.settings.max_url_bytes:
                raise HTTPProblem(
                    414,
                    "LIMIT_EXCEEDED",
                    f"The query string has {len(query)} bytes; the limit max_url_bytes is {self.settings.max_url_bytes}. Use POST.",
                )
            return query
        check_content_type(request.headers.get("content-type", ""))
        most = self.settings.max_body_bytes
        too_large = HTTPProblem(
            413, "LIMIT_EXCEEDED", f"The body is larger than max_body_bytes, {most} bytes.", {"Connection": "close"}
        )
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:
            raise too_large
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise too_large
        return bytes(body)

    async def run(self, parameters: Parameters, receive: Receive, *, reading: bool) -> Answer:
        """Return the answer to an operation, run here or on a thread by its cost."""
        engine = self.engine
        prepared = engine.prepare(parameters.query, parameters.operation_name, parameters.variables)
        if reading and prepared.operation is not None and not prepared.errors and not prepared.is_query:
            raise HTTPProblem(
                405,
                "METHOD_NOT_ALLOWED",
                f"A {prepared.operation.operation.value} cannot be run with GET; use POST.",
                {"Allow": "POST"},
            )
        answer = await self.execute(prepared, parameters.variables, receive)
        self.metrics.operations.labels(answer.how).inc()
        return answer

    async def execute(self, prepared: Prepared, variables: dict[str, Any], receive: Receive) -> Answer:
        """Run a prepared operation without holding up the event loop for long; raises ClientGone for a client that left."""
        if self.engine.cost(prepared, variables) <= self.settings.inline_cost:
            return self.engine.execute(prepared, variables)
        if self.limiter is None:
            self.limiter = anyio.CapacityLimiter(self.settings.threads)
        gone = threading.Event()
        run = partial(self.engine.execute, prepared, variables, gone.is_set)
        async with _watching(receive, gone):
            return await anyio.to_thread.run_sync(run, limiter=self.limiter)


@asynccontextmanager
async def _watching(receive: Receive, gone: threading.Event) -> AsyncIterator[None]:
    """Set ``gone`` as soon as the client disconnects."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    task = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        task.cancel()


# ---------------------------------------------------------------- reading requests
def negotiate(accept: str | None) -> str:
    """Return the media type to answer in; raises HTTPProblem 406 where the client takes neither."""
    if not accept:
        return JSON
    ranked = sorted(_accepted(accept), key=lambda item: -item[1])
    for type_, quality in ranked:
        if quality > 0 and type_ == RESPONSE_JSON:
            return RESPONSE_JSON
        if quality > 0 and type_ in {JSON, "application/*", "*/*"}:
            return JSON
    raise HTTPProblem(406, "NOT_ACCEPTABLE", f"Accept is {accept[:200]!r}; answers are {RESPONSE_JSON} or {JSON}.")


def _accepted(accept: str) -> list[tuple[str, float]]:
    items = []
    for part in accept.split(","):
        type_, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            items.append((type_, float(quality)))
        except ValueError:
            items.append((type_, 0.0))
    return items


def prefers_html(accept: str) -> bool:
    """Whether a client would rather have a page than JSON, as browsers do."""
    ranked = dict(_accepted(accept))
    html = ranked.get("text/html", 0.0)
    return html > 0 and html >= max(ranked.get(JSON, 0.0), ranked.get(RESPONSE_JSON, 0.0))


def check_content_type(header: str) -> None:
    """Raise HTTPProblem 415 unless a body is declared as JSON in UTF-8."""
    type_, *parameters = (piece.strip().lower() for piece in header.split(";"))
    charset = next((p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")), "utf-8")
    if type_ != JSON or charset not in {"utf-8", "utf8"}:
        found = f"is {header[:200]!r}" if header else "is missing"
        raise HTTPProblem(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type {found}; send {JSON} in UTF-8.")


def read_body(raw: bytes) -> Parameters:
    """Return the parameters in a POST's body; raises HTTPProblem 400 where it is not what it should be."""
    if _depth(raw) > MAX_JSON_DEPTH:
        raise HTTPProblem(400, "BAD_USER_INPUT", f"The body is nested more than {MAX_JSON_DEPTH} levels deep.")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise HTTPProblem(400, "BAD_USER_INPUT", f"The body is not JSON: {error}.") from error
    if isinstance(body, list):
        raise HTTPProblem(400, "BAD_USER_INPUT", "Batches are not supported; send one operation in each request.")
    if not isinstance(body, dict):
        raise HTTPProblem(400, "BAD_USER_INPUT", "The body must be a JSON object with the key query.")
    return _parameters(body)


def read_query(raw: bytes) -> Parameters:
    """Return the parameters in a GET's query string; raises HTTPProblem 400 where they are not what they should be."""
    try:
        given: dict[str, Any] = dict(
            parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
        )
        for name in ("variables", "extensions"):
            if given.get(name):
                given[name] = orjson.loads(given[name])
            else:
                given.pop(name, None)
    except orjson.JSONDecodeError as error:
        raise HTTPProblem(
            400, "BAD_USER_INPUT", f"The parameters variables and extensions must be JSON: {error}."
        ) from error
    except ValueError as error:
        raise HTTPProblem(400, "BAD_USER_INPUT", f"The query string cannot be read: {error}.") from error
    return _parameters(given)


def _parameters(given: Mapping[str, Any]) -> Parameters:
    query, variables, name = given.get("query"), given.get("variables"), given.get("operationName")
    wanted = (
        ("query", query, str, "a string with a GraphQL document"),
        ("variables", variables, dict, "an object"),
        ("operationName", name, str, "a string"),
        ("extensions", given.get("extensions"), dict, "an object"),
    )
    for key, value, type_, said in wanted:
        if value is not None and not isinstance(value, type_):
            raise HTTPProblem(400, "BAD_USER_INPUT", f"The parameter {key} must be {said}.")
    if not query:
        raise HTTPProblem(
            400, "BAD_USER_INPUT", "The parameter query is missing: it holds the GraphQL document to run."
        )
    return Parameters(query, variables or {}, name or None)


def _depth(raw: bytes) -> int:
    """Return an upper bound of the nesting of a JSON text: openings minus closings, strings not looked into."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_JSON_DEPTH:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for byte in raw:
        if in_string:
            escaped, in_string = (byte == 0x5C and not escaped), (byte != 0x22 or escaped)
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


# ---------------------------------------------------------------- writing responses
def _headers(etag: str | None) -> dict[str, str]:
    headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    return {**headers, "ETag": etag} if etag else headers


def _json(body: dict[str, Any], status: int, media: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(body), status, {**_headers(None), **(headers or {})}, media_type=f"{media}; charset=utf-8"
    )


__all__ = ["GraphQLEndpoint", "HTTPProblem", "LimitExceeded", "negotiate", "prefers_html"]
