"""uvicorn's HTTP protocol, but the head of an answer leaves with the beginning of its body.

One write in place of two is one packet in place of two, and the client is woken once.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class Protocol(HttpToolsProtocol):
    """One connection."""

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
