"""uvicorn's HTTP protocol, with shorter ways.

The head of an answer leaves with the beginning of its body: one write in place of two is one packet in place of two,
and the client is woken once. And where the application answers at once, no task is made to hand it the request.
"""

from __future__ import annotations

import asyncio
from typing import Any
from typing import Protocol as Interface

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

AT_ONCE = "cartograph.at_once"  # in the state that the application's lifespan gives: what answers at once
END = b"\r\n\r\n"


class Answering(Interface):
    """What answers requests whose heads it has seen before, and can tell from those alone that it may."""

    heads: dict[bytes, Any]

    def learn(self, head: bytes, length: int, scope: Any) -> None:
        """See the head of a request, the length of its body, and what the parser made of it."""

    def answer(self, head: Any, body: bytes) -> bytes | dict[str, Any]:
        """Return the answer less its status and default headers, or what the scope is to hold for the application."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.at_once: Answering | None = self.app_state.get(AT_ONCE)
        self.begun = self.ended = 0  # requests, as the parser sees them
        self.answered = 0.0  # when one was last answered at once

    def data_received(self, data: bytes) -> None:
        """Answer a request at once, or have it parsed."""
        if self.at_once is None or not self._idle() or not data.startswith(b"POST "):
            super().data_received(data)
            return
        head, _, body = data.partition(END)
        known = self.at_once.heads.get(head)
        scope = None
        if known is not None and known.length == len(body):
            answer = self.at_once.answer(known, body)
            if isinstance(answer, bytes):
                self._say(answer)
                return
            scope = answer
        before = self.begun
        super().data_received(data)
        if scope is not None:
            self.cycle.scope.update(scope)  # type: ignore[typeddict-item]
        elif known is None and self.begun == self.ended == before + 1 and self.cycle.keep_alive:
            self.at_once.learn(head, len(body), self.cycle.scope)  # this one request was all that came

    def _idle(self) -> bool:
        """Whether all requests that came are answered and nothing has come of the next one."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and self.begun == self.ended and not self.flow.write_paused and not self.transport.is_closing()

    def _say(self, answer: bytes) -> None:
        self.server_state.total_requests += 1
        defaults = b"".join([b"%s: %s\r\n" % line for line in self.server_state.default_headers])
        self.transport.write(b"HTTP/1.1 200 OK\r\n%s%s" % (defaults, answer))
        self.answered = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait(self.timeout_keep_alive)

    def _wait(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nothing has come for a while; setting the clock anew for each request takes longer."""
        left = self.answered + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._wait(left)
        else:
            super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.begun += 1
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """End a request."""
        self.ended += 1
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """Start to answer a request."""
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self.cycle.transport = Joining(self.cycle)


class Joining(asyncio.Transport):
    """What one answer is written to: the head waits for the body, if there is to be one whose length it tells."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._transport = cycle.transport
        self._cycle: RequestResponseCycle | None = cycle  # until the first write; they would hold each other for longer
        self._head: bytes | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write the next part of the answer."""
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.writelines((head, data))
            return
        cycle, self._cycle = self._cycle, None
        if (
            cycle
            and cycle.chunked_encoding is False
            and cycle.expected_content_length
            and cycle.scope["method"] != "HEAD"
        ):
            self._head = bytes(data)
        else:
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether the connection is closed or about to be."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Close the connection once all is written."""
        if self._head is not None:
            self._transport.write(self._head)
            self._head = None
        self._transport.close()
