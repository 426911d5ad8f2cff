"""The shortest ways from an operation to its answer: past the layers that would only hand it on, or past all of them."""

from __future__ import annotations

import contextvars
import time
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette_compress import CompressMiddleware

from server.graphql.http import CONTENT_TYPES, JSON, GraphQLEndpoint, Ready, first_of_each, media_of
from server.observability import STARTED, Requests, request_id_of, tell_request_id

WORTH_COMPRESSING = 1_000  # bytes
PATH = "/graphql"
MADE = "cartograph.response"  # in the scope of a request: the response, where there is one already
LONGEST_HEAD, MOST_HEADS = 2_000, 1_000
ANSWERED_AT_LENGTH = frozenset(
    (b"authorization", b"origin", b"transfer-encoding", b"expect", b"upgrade")
)  # headers by which an answer differs from that to anyone


class Straight:
    """ASGI middleware: operations by POST go straight to their endpoint.

    Answers are compressed, and say so, as those of every other address.
    """

    def __init__(self, app: ASGIApp, endpoint: GraphQLEndpoint) -> None:
        self.app = app
        self.endpoint = endpoint
        self.compressed = CompressMiddleware(_made, minimum_size=WORTH_COMPRESSING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an operation, or pass the request on."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        response = scope.get(MADE) or await self.endpoint.answer(scope, receive)
        if response is None:
            return
        if isinstance(response, Ready):
            if response.media != JSON or len(response.body) < WORTH_COMPRESSING:
                await response(scope, receive, send)
                return
            if all(name != b"accept-encoding" for name, _ in scope["headers"]):
                response.vary(b"Accept-Encoding")
                await response(scope, receive, send)
                return
        scope[MADE] = response
        await self.compressed(scope, receive, send)


async def _made(scope: Scope, receive: Receive, send: Send) -> None:
    await scope[MADE](scope, receive, send)


class Head(NamedTuple):
    """What the head of a request comes to: the length of its body, the heads of answers to it, and its id if it has one."""

    length: int
    media: str
    short: bytes
    long: bytes | None  # None where a long answer may have to be compressed
    request_id: bytes | None


class AtOnce:
    """Answers operations that need no waiting while the bytes of the request are still at hand: no task, no messages.

    This is for what anyone may ask. A head that has come before, byte by byte, is known by what was made of it then.
    All else goes the long way, and so does what goes wrong here.
    """

    def __init__(self, endpoint: GraphQLEndpoint, requests: Requests) -> None:
        self.endpoint = endpoint
        self.requests = requests
        self.heads: dict[bytes, Head] = {}
        self.longest = endpoint.longest_at_once
        self._heads = {
            m: (self._answers_head(m, vary=False), self._answers_head(m, vary=m == JSON)) for m in CONTENT_TYPES
        }

    def learn(self, head: bytes, length: int, scope: Scope) -> Head | None:
        """Return what the head of a request with a body of this length comes to, or None where that cannot be answered at once.

        It is kept, unless it has an id that no other request will have.
        """
        if scope["method"] != "POST" or scope["path"] != PATH:
            return None
        headers = first_of_each(scope)
        told = headers.get(b"content-length") == b"%d" % length
        if not told or length > self.longest or not headers.keys().isdisjoint(ANSWERED_AT_LENGTH):
            return None
        media = media_of(headers)
        if media is None:
            return None
        plain = media != JSON or b"accept-encoding" not in headers
        short, long = self._heads[media]
        request_id = dict(scope["headers"])[b"x-request-id"] if b"x-request-id" in headers else None
        known = Head(length, media, short, long if plain else None, request_id)
        if request_id is None and len(head) <= LONGEST_HEAD:
            if len(self.heads) >= MOST_HEADS:
                self.heads.clear()
            self.heads[head] = known
        return known

    def _answers_head(self, media: str, *, vary: bool) -> bytes:
        """Return the head of answers, with places for their length and the id of the request."""
        ready = Ready(b"", 200, self.endpoint.raw_headers, "", media)
        if vary:
            ready.vary(b"Accept-Encoding")
        lines = [(n, b"%d" if n == b"content-length" else v.replace(b"%", b"%%")) for n, v in ready.headers]
        return b"".join(b"%s: %s\r\n" % line for line in [*lines, (b"x-request-id", b"%s")]) + b"\r\n"

    def answer(self, head: Head, body: bytes) -> bytes | dict[str, Any]:
        """Return the answer from its own headers on; or what the request's scope is to hold, where it has to go the long way."""
        return contextvars.copy_context().run(self._answer, head, body)

    def _answer(self, head: Head, body: bytes) -> bytes | dict[str, Any]:
        started = time.perf_counter()
        request_id = request_id_of(head.request_id)
        tell_request_id(request_id)
        try:
            ready = self.endpoint.at_once(body, head.media)
        except Exception:  # noqa: BLE001 - the long way meets it again, and says what is wrong
            ready = None
        if ready is None:
            return {STARTED: started}
        said = ready.body
        line = head.short if len(said) < WORTH_COMPRESSING else head.long
        if line is None or ready.status != 200:
            return {STARTED: started, MADE: ready}
        self.requests.report("POST", PATH, 200, time.perf_counter() - started, request_id)
        return line % (len(said), request_id.encode()) + said
