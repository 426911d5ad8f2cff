"""What is answered at once is answered as it would be the long way: the same bytes, log lines and metrics."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from kg import GraphService
from server import observability
from server.app import create_app
from server.graphql.request import Request
from server.observability import Lines, Metrics
from server.protocol import AT_ONCE, Protocol
from server.settings import Settings
from server.straight import AtOnce

LIST = "query Many($n: Int) { diseases(first: $n) { nodes { id curie label iri synonyms xrefs } } other: diseases { edges { cursor node { id iri } } } }"
BODIES: dict[str, Any] = {
    "short": {"query": "{ version { number } }"},
    "long": {"query": LIST, "variables": {"n": 20}},
    "entity": {"query": 'query($c: String!) { entity(curie: $c) { label } }', "variables": {"c": "MONDO:0007915"}},
    "not found": {"query": '{ entity(curie: "nothing:1") { label } }'},
    "invalid": {"query": "{ nothing }"},
    "no syntax": {"query": "{"},
    "wrong variable": {"query": LIST, "variables": {"n": "x"}},
    "too much": {"query": "{ diseases(first: 100000) { nodes { label } } }"},
    "search": {"query": '{ graphView(around: ["MONDO:0007915"], depth: 2) { nodes { entity { curie } } } }'},
    "mutation": {"query": 'mutation { revert(changeSet: 1, message: "no") { version { number } } }'},
    "subscription": {"query": "subscription { graphChanged { number } }"},
    "no query": {},
    "batch": [],
}  # fmt: skip
HEADERS: dict[str, dict[str, str]] = {
    "json": {"Accept": "application/json"},
    "nothing": {},
    "response json": {"accept": "application/graphql-response+json"},
    "compressed": {"Accept": "application/json", "Accept-Encoding": "br", "Connection": "keep-alive"},
    "picture": {"Accept": "image/png"},
}
REQUEST_ID = re.compile(rb"x-request-id: [0-9a-f]{32}\r\n")


def request(body: Any, path: str = "/graphql", method: str = "POST", **headers: str) -> bytes:
    content = json.dumps(body).encode()
    named = {"Host": "x", "Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + content


class Wire(asyncio.Transport):
    """What one connection is written to."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5), "sockname": ("127.0.0.1", 6)})
        self.said = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.said += bytes(data)

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """As often as it likes."""

    def resume_reading(self) -> None:
        """As often as it likes."""

    async def answer(self) -> bytes:
        """Return the next whole answer."""
        for _ in range(10_000):
            head, end, rest = self.said.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            if end and length and len(rest) >= int(length[1]):
                size = len(head) + 4 + int(length[1])
                answer, self.said = self.said[:size], self.said[size:]
                return answer
            await asyncio.sleep(0.001)
        raise AssertionError(self.said)


class Connection:
    """One client, and what the service said at once to any."""

    def __init__(self, protocol: Any, wire: Wire, at_once: AtOnce) -> None:
        self.protocol, self.wire, self.at_once = protocol, wire, at_once

    async def ask(self, data: bytes) -> bytes:
        """Return the answer to a request, less what differs from one to the next."""
        self.protocol.data_received(data)
        return REQUEST_ID.sub(b"", await self.wire.answer())

    def told(self) -> bool:
        """Whether something was said already, before the loop came round."""
        return bool(self.wire.said)


Connect = Callable[[], Connection]


@asynccontextmanager
async def served(service: GraphService, protocol: Any = Protocol, **settings: Any) -> AsyncIterator[Connect]:
    app = create_app(service, Settings(response_cache_bytes=0, **settings))
    async with app.router.lifespan_context(app) as state:
        config = uvicorn.Config(app, http=protocol, log_config=None, access_log=False, server_header=False)
        config.load()
        server = ServerState()
        server.default_headers = [(b"date", b"today")]

        def connect() -> Connection:
            wire = Wire()
            made = protocol(config=config, server_state=server, app_state=state)
            made.connection_made(wire)
            return Connection(made, wire, state[AT_ONCE])  # type: ignore[index]

        yield connect


def run(
    service: GraphService, use: Callable[[Connect], Awaitable[Any]], protocol: Any = Protocol, **settings: Any
) -> Any:
    async def main() -> Any:
        async with served(service, protocol, **settings) as connect:
            return await use(connect)

    return asyncio.run(main())


@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("compiled", [True, False])
def test_it_is_answered_as_it_is_the_long_way(service: GraphService, headers: str, compiled: bool) -> None:
    requests = [request(body, **HEADERS[headers]) for body in BODIES.values()]

    async def twice_each(connect: Connect) -> list[bytes]:
        connection = connect()
        return [await connection.ask(data) for data in requests for _ in range(2)]

    answers = run(service, twice_each, compiled=compiled)
    assert answers == run(service, twice_each, HttpToolsProtocol, compiled=compiled)
    assert answers[::2] == answers[1::2]


def at_once(connection: Connection, data: bytes) -> bool:
    connection.protocol.data_received(data)
    return connection.told()


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ("short", "json", True),
        ("short", "compressed", True),
        ("long", "json", True),
        ("long", "response json", True),
        ("long", "compressed", False),  # has to be compressed
        ("entity", "nothing", True),
        ("invalid", "json", True),
        ("invalid", "response json", False),
        ("too much", "json", False),
        ("search", "json", False),  # has to wait for a thread
        ("mutation", "json", False),
        ("subscription", "json", False),
    ],
)
def test_what_needs_no_waiting_is_answered_before_the_loop_comes_round(
    service: GraphService, body: str, headers: str, expected: bool
) -> None:
    data = request(BODIES[body], **HEADERS[headers])

    async def ask(connect: Connect) -> tuple[bool, bool, bool]:
        first, second = connect(), connect()
        new = at_once(first, data)
        await first.wire.answer()
        again = at_once(first, data)
        await first.wire.answer()
        return new, again, at_once(second, data)

    assert run(service, ask) == (expected, expected, expected)


@pytest.mark.parametrize(
    "other",
    [
        {"Authorization": "Bearer nothing"},
        {"Origin": "https://elsewhere.example"},
        {"Connection": "close"},
        {"Accept": "text/event-stream"},
        {"Accept": "image/png"},
        {"Content-Type": "text/plain"},
        {"Transfer-Encoding": "chunked"},
        {"Expect": "100-continue"},
        {"Connection": "upgrade", "Upgrade": "h2c"},
    ],
    ids=str,
)
def test_heads_that_ask_for_more_are_never_known(service: GraphService, other: dict[str, str]) -> None:
    async def heads(connect: Connect) -> int:
        connection = connect()
        connection.protocol.data_received(request(BODIES["short"], **other))
        connection.protocol.data_received(request(BODIES["short"], method="PUT"))
        await asyncio.sleep(0.05)
        return len(connection.at_once.heads)

    assert run(service, heads) == 0


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("no id", False)])
def test_the_id_that_a_client_gives_its_request_is_its_own(
    service: GraphService, lines: io.BytesIO, given: str, kept: bool
) -> None:
    data = request(BODIES["short"], **{"X-Request-Id": given})

    async def ask(connect: Connect) -> tuple[bool, bytes, int]:
        connection = connect()
        told = at_once(connection, data)
        return told, await connection.wire.answer(), len(connection.at_once.heads)

    told, answer, heads = run(service, ask)
    assert (told, heads) == (True, 0)
    (line,) = lines.getvalue().splitlines()
    assert f"x-request-id: {json.loads(line)['request_id']}\r\n".encode() in answer
    assert (json.loads(line)["request_id"] == given) is kept


def test_nothing_is_said_at_once_where_reading_needs_a_token(service: GraphService) -> None:
    async def answers(connect: Connect) -> Sequence[bytes]:
        connection = connect()
        return [await connection.ask(request(BODIES["short"])) for _ in range(2)]

    assert all(answer.startswith(b"HTTP/1.1 401") for answer in run(service, answers, reads_need_token=True))


def test_requests_may_come_in_any_pieces(service: GraphService) -> None:
    data = request(BODIES["short"])

    async def pieces(connect: Connect) -> list[bytes]:
        connection = connect()
        answers = [await connection.ask(data)]
        for cut in (1, 20, data.index(b"\r\n\r\n") + 4, len(data) - 1):
            connection.protocol.data_received(data[:cut])
            answers += [await connection.ask(data[cut:])]
        answers += [await connection.ask(data + data), await connection.ask(b"")]  # one behind the other
        answers += [await connection.ask(data + data[:7]), await connection.ask(data[7:]), await connection.ask(data)]
        return answers

    answers = run(service, pieces)
    assert len(set(answers)) == 1
    assert answers[0].startswith(b"HTTP/1.1 200")


def test_what_could_be_said_at_once_waits_for_what_was_asked_before(service: GraphService) -> None:
    slow, quick = request(BODIES["search"]), request(BODIES["short"])

    async def both(connect: Connect) -> tuple[bool, bytes, bytes]:
        connection = connect()
        await connection.ask(quick)
        connection.protocol.data_received(slow)
        told = at_once(connection, quick)
        return told, await connection.wire.answer(), await connection.wire.answer()

    told, first, second = run(service, both)
    assert not told
    assert (b'"data":{"graphView"' in first, b'"data":{"version"' in second) == (True, True)


def test_a_client_that_does_not_read_has_to_wait(service: GraphService) -> None:
    data = request(BODIES["short"])

    async def ask(connect: Connect) -> tuple[bool, bool]:
        connection = connect()
        await connection.ask(data)
        connection.protocol.pause_writing()
        told = at_once(connection, data)
        await asyncio.sleep(0.05)
        waits = not connection.told()
        connection.protocol.resume_writing()
        await connection.wire.answer()
        return told, waits

    assert run(service, ask) == (False, True)


def test_a_body_of_another_length_is_no_answer_at_once(service: GraphService) -> None:
    data = request(BODIES["short"])

    async def ask(connect: Connect) -> bytes:
        connection = connect()
        await connection.ask(data)
        connection.protocol.data_received(data + b"}")
        answer = await connection.wire.answer()
        await asyncio.sleep(0.01)
        return answer + connection.wire.said

    assert b"HTTP/1.1 400" in run(service, ask)


def test_a_quiet_connection_is_closed_in_the_end(service: GraphService) -> None:
    data = request(BODIES["short"])

    async def open_at(connect: Connect) -> list[bool]:
        connection = connect()
        connection.protocol.timeout_keep_alive = 0.4
        seen = []
        for _ in range(4):
            await connection.ask(data)
            await asyncio.sleep(0.2)
            seen.append(connection.wire.closed)
        await asyncio.sleep(1.0)
        return [*seen, connection.wire.closed]

    assert run(service, open_at) == [False, False, False, False, True]


def test_a_connection_that_was_only_answered_at_once_is_closed_too(service: GraphService) -> None:
    data = request(BODIES["short"])

    async def closed(connect: Connect) -> tuple[bool, bool]:
        await connect().ask(data)
        second = connect()
        second.protocol.timeout_keep_alive = 0.1
        told = at_once(second, data)
        await asyncio.sleep(0.5)
        return told, second.wire.closed

    assert run(service, closed) == (True, True)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    stream = io.BytesIO()
    monkeypatch.setattr(observability, "_lines", Lines(stream))
    return stream


@pytest.mark.parametrize(("body", "headers"), [("short", "json"), ("long", "compressed"), ("search", "json")])
def test_each_request_is_reported_once(service: GraphService, lines: io.BytesIO, body: str, headers: str) -> None:
    data = request(BODIES[body], **HEADERS[headers])

    async def ids(connect: Connect) -> tuple[list[bytes], str]:
        connection, found = connect(), []
        for _ in range(3):
            connection.protocol.data_received(data)
            found += REQUEST_ID.findall(await connection.wire.answer())
        return found, connection.at_once.requests.metrics.text().decode()

    found, metrics = run(service, ids)
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [f"x-request-id: {line['request_id']}\r\n".encode() for line in logged] == found
    assert {(line["method"], line["path"], line["status"]) for line in logged} == {("POST", "/graphql", 200)}
    assert len(set(found)) == 3
    assert 'http_requests_total{method="POST",route="/graphql",status="200"} 3.0' in metrics
    assert 'http_request_seconds_count{route="/graphql"} 3.0' in metrics
    assert 'graphql_operations_total{how="compiled"} 3.0' in metrics


def test_what_goes_wrong_at_once_goes_the_long_way(service: GraphService, monkeypatch: pytest.MonkeyPatch) -> None:
    data = request(BODIES["short"])

    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    async def answers(connect: Connect) -> list[bytes]:
        connection = connect()
        whole = await connection.ask(data)
        monkeypatch.setattr(Request, "extensions", property(broken))
        return [whole, await connection.ask(data)]

    whole, failed = run(service, answers)
    assert whole.startswith(b"HTTP/1.1 200")
    assert failed.startswith(b"HTTP/1.1 500")
    assert b"secret" not in failed


def test_many_heads_do_not_pile_up(service: GraphService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.straight.MOST_HEADS", 5)

    async def known(connect: Connect) -> int:
        connection = connect()
        for number in range(20):
            await connection.ask(request(BODIES["short"], **{"User-Agent": f"client {number}"}))
        await connection.ask(request(BODIES["short"], **{"User-Agent": "x" * 5_000}))
        return len(connection.at_once.heads)

    assert 0 < run(service, known) <= 5


def test_requests_are_counted_as_the_prometheus_client_counts() -> None:
    ours, theirs = Metrics(), CollectorRegistry()
    requests = Counter("http_requests", "HTTP requests.", ["method", "route", "status"], registry=theirs)
    seconds = Histogram("http_request_seconds", "Time to answer, in seconds.", ["route"], registry=theirs)
    for number, took in enumerate([0.0, 0.001, 0.005, 0.0051, 0.3, 2.5, 10.0, 11.0]):
        route, status = ("/a", "/b")[number % 2], (200, 404)[number // 4]
        ours.request("GET", route, status, took)
        requests.labels("GET", route, str(status)).inc()
        seconds.labels(route).observe(took)

    def text(said: bytes) -> str:
        return re.sub(r"(_created\{.*?\}) .*", r"\1", said.decode())

    assert text(ours.text()).startswith(text(generate_latest(theirs)))
