"""Our HTTP protocol says what uvicorn's own says, byte for byte; only the head of an answer waits for its body."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.protocol import Joining, Protocol

Scope = dict[str, Any]


def start(status: int, **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": named}


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


ANSWERS: dict[str, list[dict[str, Any] | None]] = {
    "/whole": [start(200, content_length="5"), part(b"whole")],
    "/parts": [start(200, content_length="10"), part(b"first", more=True), part(b"", more=True), part(b"later")],
    "/chunks": [start(200), part(b"first", more=True), part(b"later", more=True), part(b"")],
    "/nothing": [start(204), part(b"")],
    "/same": [start(304, etag="x"), part(b"")],
    "/empty": [start(200, content_length="0"), part(b"")],
    "/closing": [start(200, content_length="5", connection="close"), part(b"whole")],
    "/broken": [start(200, content_length="5"), None],
    "/fault": [None],
}


async def app(scope: Scope, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    for message in ANSWERS[scope["path"]]:
        if message is None:
            raise RuntimeError("broken")
        await send(message)


async def said(protocol: type[asyncio.Protocol], request: bytes) -> bytes:
    """Return all that a server says to what one client sends."""
    config = uvicorn.Config(app, http=protocol, lifespan="off", port=0, date_header=False, log_config=None, log_level="critical")  # fmt: skip
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname()[:2])
    writer.write(request)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await server.shutdown()
    return answer


@pytest.mark.parametrize("path", ANSWERS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_it_says_what_uvicorn_says(path: str, method: str) -> None:
    last = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    requests = f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n{last}abc".encode()  # the second one in the same packet
    answers = asyncio.run(said(Protocol, requests))
    assert answers.startswith(b"HTTP/1.1 ")
    assert answers == asyncio.run(said(HttpToolsProtocol, requests))


class Written(asyncio.Transport):
    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def writelines(self, parts: Any) -> None:
        self.writes.append(b"".join(parts))

    def close(self) -> None:
        self.writes.append(b"closed")


class Cycle:
    chunked_encoding: bool | None = False
    expected_content_length = 4
    scope = {"method": "GET"}  # noqa: RUF012

    def __init__(self) -> None:
        self.transport = Written()


def test_head_and_body_are_one_write() -> None:
    cycle: Any = Cycle()
    joining = Joining(cycle)
    for data in (b"head", b"body", b"more"):
        joining.write(data)
    assert cycle.transport.writes == [b"headbody", b"more"]


def test_a_head_without_a_body_is_written_before_the_end() -> None:
    cycle: Any = Cycle()
    joining = Joining(cycle)
    joining.write(b"head")
    joining.close()
    assert cycle.transport.writes == [b"head", b"closed"]
