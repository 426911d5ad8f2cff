"""GraphQL over HTTP: one endpoint, to the letter of the specification's audits.

https://graphql.github.io/graphql-over-http/draft/ as ``graphql-http`` audits it: status 400 for what was
never executed when the client accepts ``application/graphql-response+json``, 200 otherwise; GET for
queries only. Beyond it: 406, 413, 414 and 415 as HTTP has them, and an ETag that names the graph's version.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import anyio
import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kg.errors import Busy, KGError, LimitExceeded, TooManyAttempts, WriterGone
from server.auth import Authenticator, Identity
from server.graphql.caches import LRU
from server.graphql.errors import problem, request_error
from server.graphql.events import EVENTS, EventStream
from server.graphql.execution import Answer, Prepared
from server.graphql.paging import ClientGone
from server.graphql.running import Caller, Parameters, Runner, not_here
from server.settings import Settings

RESPONSE_JSON = "application/graphql-response+json"
JSON = "application/json"
MAX_JSON_DEPTH = 100
INLINE_BYTES = 100_000  # longer bodies are read on a thread
AUTHOR = b"x-kg-author"  # who writes, as said by the local user's own command
CONTENT_TYPES = {media: (b"content-type", f"{media}; charset=utf-8".encode()) for media in (JSON, RESPONSE_JSON)}
NO_STREAM = "A subscription is a stream: ask for it with Accept: text/event-stream, or by WebSocket with the sub-protocol graphql-transport-ws."

Headers = Mapping[bytes, bytes]
RawHeaders = Sequence[tuple[bytes, bytes]]


class HTTPProblem(Exception):
    """A request that cannot become an operation; answered with a status and a GraphQL error."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})


class GraphQLEndpoint:
    """The ASGI application behind /graphql, browsers' pages and WebSockets aside."""

    def __init__(self, runner: Runner, settings: Settings, authenticator: Authenticator) -> None:
        self.runner = runner
        self.engine = runner.engine
        self.settings = settings
        self.authenticator = authenticator
        self.responses: LRU[Answer] = LRU(settings.response_cache_bytes)
        private = authenticator.reads_need_token  # behind a token no shared cache may keep an answer
        self.shared_headers = {
            "Vary": "Accept, Authorization" if private else "Accept",
            "Cache-Control": "private, no-cache" if private else "no-cache",
        }
        self.raw_headers = [(name.lower().encode(), value.encode()) for name, value in self.shared_headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self.answer(scope, receive)
        if response is not None:
            await response(scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive) -> ASGIApp | None:
        """Return the response to a request, or None where nobody waits for it any more."""
        headers = first_of_each(scope)
        accept = _text(headers, b"accept")
        media = RESPONSE_JSON if EVENTS in accept else JSON
        try:
            media = negotiate(accept)
            return await self.respond(scope, receive, headers, media)
        except HTTPProblem as problem:
            return _json(request_error(problem.message, problem.code), problem.status, media, problem.headers)
        except KGError as error:
            return refused(error, media)
        except (ClientDisconnect, ClientGone):
            return None

    async def respond(self, scope: Scope, receive: Receive, headers: Headers, media: str) -> ASGIApp:
        """Return the response to a request; raises HTTPProblem or KGError for one that cannot be run."""
        method = scope["method"]
        if method not in {"GET", "HEAD", "POST"}:
            raise HTTPProblem(
                405,
                "METHOD_NOT_ALLOWED",
                f"{method} is not possible here; use GET or POST.",
                {"Allow": "GET, HEAD, POST"},
            )
        caller = _caller(scope, headers, self.authenticator)
        identity = await caller.reader()
        reading = method != "POST"
        raw = self.query_string(scope) if reading else await self.body(headers, receive, identity)
        if media == EVENTS:
            return await self.stream(reading, raw, caller)
        tag = self.engine.service.snapshot.version.tag
        etag = f'W/"{tag}-{hashlib.blake2b(raw + media.encode(), digest_size=12).hexdigest()}"' if reading else ""
        if reading and etag in _text(headers, b"if-none-match"):
            return Response(status_code=304, headers={**self.shared_headers, "ETag": etag})
        answer = self.known(tag, reading, raw)
        if answer is None:
            prepared, parameters = await self.prepare(reading, raw)
            if prepared.is_subscription and not prepared.errors:
                if not accepts_events(_text(headers, b"accept")):
                    raise HTTPProblem(406, "NOT_ACCEPTABLE", NO_STREAM)
                return self.events(prepared, parameters, caller)
            answer = await self.runner.answer(prepared, parameters.variables, caller, identity, receive)
            self.remember(answer, tag, reading, raw)
        return self.ready(answer, etag if reading and answer.cacheable else "", media)

    @property
    def longest_at_once(self) -> int:
        """Bytes that a body may have for ``at_once``; 0 where nothing is for anyone to read."""
        closed = self.authenticator.reads_need_token
        return 0 if closed else min(INLINE_BYTES, self.settings.max_body_bytes)

    def at_once(self, raw: bytes, media: str) -> Ready | None:
        """Return the response to what anyone asks by POST, or None where that has to wait for something.

        Raises HTTPProblem or KGError for what cannot be run.
        """
        tag = self.engine.service.snapshot.version.tag
        answer = self.known(tag, False, raw)
        if answer is None:
            parameters = read_body(raw)
            answer = self.runner.at_once(self.runner.prepare(parameters), parameters.variables)
            if answer is None:
                return None
            self.remember(answer, tag, False, raw)
        return self.ready(answer, "", media)

    def known(self, tag: str, reading: bool, raw: bytes) -> Answer | None:
        """Return the answer that is kept of a request to one version of the graph, if any."""
        if not self.responses.size or len(raw) > self.settings.max_body_bytes:
            return None
        answer = self.responses.get((tag, reading, raw))
        if answer is not None:
            self.runner.metrics.operation("cached")
        return answer

    def remember(self, answer: Answer, tag: str, reading: bool, raw: bytes) -> None:
        """Keep an answer for the next one who asks the same, if it is that version's and stays true."""
        small = answer.cacheable and len(raw) <= self.settings.max_body_bytes
        if small and self.engine.service.snapshot.version.tag == tag:
            self.responses.put((tag, reading, raw), answer, len(answer.body) + len(raw) + 200)

    def ready(self, answer: Answer, etag: str, media: str) -> Ready:
        """Return the response that an answer goes out as."""
        status = answer.status or (200 if answer.executed or media == JSON else 400)
        return Ready(answer.body, status, self.raw_headers, etag, media)

    async def prepare(self, reading: bool, raw: bytes) -> tuple[Prepared, Parameters]:
        """Return the operation a request asks for, ready to run, and its parameters."""
        if len(raw) > INLINE_BYTES:
            parameters = await anyio.to_thread.run_sync(read_body, raw)
        else:
            parameters = read_query(raw) if reading else read_body(raw)
        prepared = self.runner.prepare(parameters)
        if reading and prepared.is_mutation and not prepared.errors:
            raise HTTPProblem(
                405, "METHOD_NOT_ALLOWED", "A mutation cannot be run with GET; use POST.", {"Allow": "POST"}
            )
        return prepared, parameters

    async def stream(self, reading: bool, raw: bytes, caller: Caller) -> ASGIApp:
        """Return the event stream that a client asked for outright."""
        prepared, parameters = await self.prepare(reading, raw)
        not_here(prepared)
        return self.events(prepared, parameters, caller)

    def events(self, prepared: Prepared, parameters: Parameters, caller: Caller) -> ASGIApp:
        """Return the event stream of an operation; raises Busy where too many are open."""
        self.runner.streams.check()
        answers = self.runner.events(prepared, parameters.variables, caller)
        return EventStream(answers, self.settings.keep_alive_seconds, self.runner.streams)

    def query_string(self, scope: Scope) -> bytes:
        """Return what says what to run with GET; raises HTTPProblem where it is too long."""
        query: bytes = scope["query_string"]
        if len(query) > self.settings.max_url_bytes:
            raise HTTPProblem(
                414,
                "LIMIT_EXCEEDED",
                f"The query string has {len(query)} bytes; the limit max_url_bytes is {self.settings.max_url_bytes}. Use POST.",
            )
        return query

    async def body(self, headers: Headers, receive: Receive, identity: Identity) -> bytes:
        """Return what says what to run with POST; raises HTTPProblem where it is too long or no JSON."""
        check_content_type(_text(headers, b"content-type"))
        limit = "max_upload_bytes" if identity.may("curator") else "max_body_bytes"
        return await read_bounded(_text(headers, b"content-length"), receive, limit, getattr(self.settings, limit))


class Ready:
    """A response whose bytes are there, for the way that most requests take: without Starlette's general one."""

    __slots__ = ("body", "headers", "media", "status")

    def __init__(self, body: bytes, status: int, headers: RawHeaders, etag: str, media: str) -> None:
        self.body, self.status, self.media = body, status, media
        own = (b"content-length", b"%d" % len(body)), CONTENT_TYPES[media]
        self.headers = [*headers, (b"etag", etag.encode("latin-1")), *own] if etag else [*headers, *own]

    def vary(self, on: bytes) -> None:
        """Say that answers differ by one more header of requests."""
        self.headers = [(name, b"%s, %s" % (value, on) if name == b"vary" else value) for name, value in self.headers]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def first_of_each(scope: Scope) -> Headers:
    """Return a request's headers by name; the first of a name counts."""
    return dict(reversed(scope["headers"]))


def media_of(headers: Headers) -> str | None:
    """Return the media type of the answer to a POST with these headers; None where it is a stream, or there is none."""
    try:
        check_content_type(_text(headers, b"content-type"))
        media = negotiate(_text(headers, b"accept"))
    except HTTPProblem:
        return None
    return None if media == EVENTS else media


def _text(headers: Headers, name: bytes) -> str:
    """Return the value of a header, whose name is in lower case; empty where there is none."""
    value = headers.get(name)
    return "" if value is None else str(value, "latin-1")


async def read_bounded(declared: str, receive: Receive, limit: str, most: int) -> bytes:
    """Return a request's body, of a declared length; raises HTTPProblem 413 naming the limit as soon as it is past it.

    Raises ClientDisconnect where the client leaves before the end.
    """
    if declared.isdigit() and int(declared) > most:
        raise _too_large(limit, most)
    body = b""
    chunks = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body, more = message.get("body", b""), message.get("more_body", False)
        if len(chunks) + len(body) > most:
            raise _too_large(limit, most)
        if more or chunks:
            chunks += body
    return bytes(chunks) if chunks else body


def _too_large(limit: str, most: int) -> HTTPProblem:
    said = f"The body is larger than {limit}, {most} bytes."
    return HTTPProblem(413, "LIMIT_EXCEEDED", said, {"Connection": "close"})


def caller_of(request: Request, authenticator: Authenticator) -> Caller:
    """Return what a request says of who sent it."""
    return _caller(request.scope, first_of_each(request.scope), authenticator)


def _caller(scope: Scope, headers: Headers, authenticator: Authenticator) -> Caller:
    client = scope.get("client")
    return Caller(authenticator, _text(headers, b"authorization"), client[0] if client else "", _text(headers, AUTHOR))


# ---------------------------------------------------------------- reading requests
@lru_cache(maxsize=256)  # clients say the same thing with every request
def negotiate(accept: str) -> str:
    """Return the media type to answer in; raises HTTPProblem 406 where the client takes neither."""
    if not accept:
        return JSON
    ranked = sorted(_accepted(accept), key=lambda item: -item[1])
    for type_, quality in ranked:
        if quality > 0 and type_ in {RESPONSE_JSON, EVENTS}:
            return type_
        if quality > 0 and type_ in {JSON, "application/*", "*/*"}:
            return JSON
    raise HTTPProblem(
        406, "NOT_ACCEPTABLE", f"Accept is {accept[:200]!r}; answers are {RESPONSE_JSON}, {JSON} or {EVENTS}."
    )


def accepts_events(accept: str | None) -> bool:
    """Whether a client names event streams among what it takes."""
    return any(type_ == EVENTS and quality > 0 for type_, quality in _accepted(accept or ""))


@lru_cache(maxsize=256)
def _accepted(accept: str) -> tuple[tuple[str, float], ...]:
    items = []
    for part in accept.split(","):
        type_, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            items.append((type_, float(quality)))
        except ValueError:
            items.append((type_, 0.0))
    return tuple(items)


def prefers_html(accept: str) -> bool:
    """Whether a client would rather have a page than JSON, as browsers do."""
    ranked = dict(_accepted(accept))
    html = ranked.get("text/html", 0.0)
    return html > 0 and html >= max(ranked.get(JSON, 0.0), ranked.get(RESPONSE_JSON, 0.0))


@lru_cache(maxsize=256)
def check_content_type(header: str) -> None:
    """Raise HTTPProblem 415 unless a body is declared as JSON in UTF-8."""
    type_, *parameters = (piece.strip().lower() for piece in header.split(";"))
    charset = next((p.removeprefix("charset=").strip('"') for p in parameters if p.startswith("charset=")), "utf-8")
    if type_ != JSON or charset not in {"utf-8", "utf8"}:
        found = f"is {header[:200]!r}" if header else "is missing"
        raise HTTPProblem(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type {found}; send {JSON} in UTF-8.")


def read_body(raw: bytes) -> Parameters:
    """Return the parameters in a POST's body; raises HTTPProblem 400 where it is not what it should be."""
    try:
        body = loads(raw)
    except orjson.JSONDecodeError as error:
        raise HTTPProblem(400, "BAD_USER_INPUT", f"The body is not JSON: {error}.") from error
    if isinstance(body, list):
        raise HTTPProblem(400, "BAD_USER_INPUT", "Batches are not supported; send one operation in each request.")
    if not isinstance(body, dict):
        raise HTTPProblem(400, "BAD_USER_INPUT", "The body must be a JSON object with the key query.")
    return parameters_of(body)


def loads(raw: bytes) -> Any:
    """Return what a JSON text holds; raises HTTPProblem 400 for one nested too deeply, JSONDecodeError for no JSON."""
    if _depth(raw) > MAX_JSON_DEPTH:
        raise HTTPProblem(400, "BAD_USER_INPUT", f"The body is nested more than {MAX_JSON_DEPTH} levels deep.")
    return orjson.loads(raw)


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
    return parameters_of(given)


WANTED = (
    ("query", str, "a string with a GraphQL document"),
    ("variables", dict, "an object"),
    ("operationName", str, "a string"),
    ("extensions", dict, "an object"),
)


def parameters_of(given: Mapping[str, Any]) -> Parameters:
    """Return the parameters in a request's object; raises HTTPProblem 400 where they are of the wrong types."""
    for key, type_, said in WANTED:
        value = given.get(key)
        if value is not None and not isinstance(value, type_):
            raise HTTPProblem(400, "BAD_USER_INPUT", f"The parameter {key} must be {said}.")
    query = given.get("query")
    if not query:
        raise HTTPProblem(
            400, "BAD_USER_INPUT", "The parameter query is missing: it holds the GraphQL document to run."
        )
    return Parameters(query, given.get("variables") or {}, given.get("operationName") or None)


_STRING = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|$)', re.DOTALL)


def _depth(raw: bytes) -> int:
    """Return an upper bound of the nesting of a JSON text: openings minus closings, strings left out."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_JSON_DEPTH:
        return 0
    depth = deepest = 0
    for bracket in re.finditer(rb"[\[{\]}]", _STRING.sub(b"", raw)):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


# ---------------------------------------------------------------- writing responses
def _json(body: dict[str, Any], status: int, media: str, headers: Mapping[str, str] | None = None) -> Response:
    media = RESPONSE_JSON if media == EVENTS else media
    shown = {"Vary": "Accept", "Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(body), status, shown, media_type=f"{media}; charset=utf-8")


def refused(error: KGError, media: str) -> Response:
    """Return the response for a request that was refused as a whole."""
    status = 200 if media == JSON and error.status == 400 else error.status
    return _json({"errors": [problem(error)]}, status, media, refusal_headers(error))


def refusal_headers(error: KGError) -> dict[str, str]:
    """Return the headers of a refusal: when to try again, or what to send."""
    headers = {}
    if isinstance(error, TooManyAttempts | Busy | WriterGone):
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return headers


__all__ = ["GraphQLEndpoint", "HTTPProblem", "LimitExceeded", "negotiate", "prefers_html"]
