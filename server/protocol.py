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
    """What answers requests at once, where it can tell from their heads that it may; ``heads`` are those it knows."""

    heads: dict[bytes, Any]

    def learn(self, head: bytes, length: int, scope: Any) -> Any:
        """Return what to answer to a head by, from the length of the body and what the parser made of it; or None."""

    def answer(self, head: Any, body: bytes) -> bytes | dict[str, Any]:
        """Return the answer less its status and default headers, or what the scope is to hold for the application."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # whoever bounds how many may be answered has uvicorn count them
        self.at_once: Answering | None = self.app_state.get(AT_ONCE) if self.limit_concurrency is None else None
        self.begun = self.ended = 0  # requests, as the parser sees them
        self.answered = 0.0  # when one was last answered at once
        self._holding = False  # whether a request is held back when its head is parsed, until all of it is
        self._held: tuple[RequestResponseCycle, Any] | None = None

    def data_received(self, data: bytes) -> None:
        """Answer a request at once, or have it parsed first."""
        if self.at_once is None or not self._idle() or not data.startswith(b"POST "):
            super().data_received(data)
            return
        head, _, body = data.partition(END)
        known = self.at_once.heads.get(head)
        answer = self.at_once.answer(known, body) if known is not None and known.length == len(body) else None
        if isinstance(answer, bytes):
            self._say(answer)
            return
        alone = self._parsed(data)
        if self._held is None:
            return
        (cycle, app), self._held = self._held, None
        if answer is None and alone and cycle.keep_alive:
            known = self.at_once.learn(head, len(body), cycle.scope)
            answer = None if known is None else self.at_once.answer(known, body)
        if isinstance(answer, bytes):
            cycle.response_complete = True
            self.flow.resume_reading()
            self._say(answer)
            return
        cycle.scope.update(answer or {})  # type: ignore[typeddict-item]
        super()._start_asgi_task(cycle, app)

    def _parsed(self, data: bytes) -> bool:
        """Have the parser see data, and hold back the request that it begins with; return whether that is all there is."""
        before = self.begun
        self._holding = True
        try:
            super().data_received(data)
        finally:
            self._holding = False
        return self.begun == self.ended == before + 1

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._holding and self._held is None:
            self._held = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

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
