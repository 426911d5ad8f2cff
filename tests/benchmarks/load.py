"""The load: keep-alive connections that post one body again and again, in a process of their own.

``python load.py PORT PATH BODY_FILE SECONDS CONNECTIONS [new]`` prints JSON: requests, seconds, and latencies in ms.
With ``new``, each request has an id of its own in its head; without, all heads are the same.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

HEAD = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: {}\r\n"
MARK = b"content-length:"


class Connection(asyncio.Protocol):
    """One connection, with one request under way at a time."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.requests, self.until = requests, until
        self.times: list[float] = []
        self.buffer = bytearray()
        self.expected = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start."""
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._send()

    def _send(self) -> None:
        request = next(self.requests)
        self.started = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect an answer; send the next request once it is whole."""
        self.buffer += data
        if not self.expected and (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            self.expected = end + 4 + _length(bytes(self.buffer[:end]))
        if self.expected and len(self.buffer) >= self.expected:
            now = time.perf_counter()
            self.times.append(now - self.started)
            self.buffer.clear()
            self.expected = 0
            if now < self.until:
                self._send()
            else:
                self.done.set_result(None)
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail where the server hangs up early."""
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))


def _length(head: bytes) -> int:
    if not head.startswith(b"HTTP/1.1 200"):
        raise ValueError(head[:200])
    start = head.lower().index(MARK) + len(MARK)
    return int(head[start:].split(b"\r\n", 1)[0])


def requests_of(path: str, body: bytes, *, new: bool) -> Iterator[bytes]:
    """Yield requests without end."""
    head = HEAD.format(path, len(body)).encode()
    if not new:
        yield from itertools.repeat(head + b"\r\n" + body)
    for number in itertools.count():
        yield b"%sX-Request-Id: request-%d\r\n\r\n%s" % (head, number, body)


async def run(port: int, path: str, body: bytes, seconds: float, connections: int, *, new: bool) -> dict[str, float]:
    """Return what a load of this many connections measured."""
    requests = requests_of(path, body, new=new)
    started, loop = time.perf_counter(), asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda: Connection(requests, started + seconds), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for connection in made))
    elapsed = time.perf_counter() - started
    times = sorted(one for connection in made for one in connection.times)
    return {
        "requests": len(times),
        "seconds": elapsed,
        "p50": 1000 * times[len(times) // 2],
        "p95": 1000 * times[int(len(times) * 0.95)],
    }


if __name__ == "__main__":
    port_, path_, file, seconds_, connections_, *new_ = sys.argv[1:]
    body_ = Path(file).read_bytes()
    print(json.dumps(uvloop.run(run(int(port_), path_, body_, float(seconds_), int(connections_), new=bool(new_)))))
