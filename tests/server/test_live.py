"""Hearing of changes as they happen: GraphQL over WebSocket and over server-sent events."""

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from kg.tokens import TokenFile
from server.graphql.changes import Changes
from tests.server.live import Live
from tests.server.writing import APPLY, NEW_THERAPY, applied, change, token

Make = Callable[..., TestClient]
PROTOCOL = "graphql-transport-ws"
CHANGED = "subscription { graphChanged { number author entities } }"
VERSION = "{ version { number } }"
EVENTS = {"accept": "text/event-stream"}


@contextmanager
def opened(client: TestClient, payload: dict[str, Any] | None = None, **given: Any) -> Iterator[WebSocketTestSession]:
    """Give a connection that is acknowledged."""
    with client.websocket_connect("/graphql", subprotocols=[PROTOCOL], **given) as socket:
        socket.send_json({"type": "connection_init", **({"payload": payload} if payload else {})})
        assert heard(socket) == {"type": "connection_ack"}
        yield socket


def heard(socket: Any) -> Any:
    """Return the next message that is no sign of life."""
    while (message := socket.receive_json()) == {"type": "ping"}:
        pass
    return message


def subscribe(socket: Any, query: str, id_: str = "1", **variables: Any) -> None:
    socket.send_json({"id": id_, "type": "subscribe", "payload": {"query": query, "variables": variables}})


def closed(socket: Any) -> tuple[int, str]:
    """Return the code and reason the server closed with."""
    with pytest.raises(WebSocketDisconnect) as caught:
        _drain(socket)
    return caught.value.code, caught.value.reason


def _drain(socket: Any) -> None:
    while True:
        socket.receive_json()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ---------------------------------------------------------------- operations over WebSocket
def test_a_subscription_hears_each_new_version(client: TestClient) -> None:
    headers = token(client)
    with client, opened(client) as socket:
        subscribe(socket, CHANGED)
        subscribe(socket, VERSION, "2")  # answered after the first began
        assert heard(socket)["id"] == "2"
        assert heard(socket)["type"] == "complete"
        applied(client, headers, dryRun=True)
        applied(client, headers)
        message = heard(socket)
        assert (message["id"], message["type"]) == ("1", "next")
        assert message["payload"]["data"] == {"graphChanged": {"number": 2, "author": "ward 7 (token)", "entities": 15}}
        assert message["payload"]["extensions"]["graph"]["version"] == 2
        applied(client, headers, NEW_THERAPY.replace("delta", "epsilon"))
        assert heard(socket)["payload"]["data"]["graphChanged"]["number"] == 3


def test_who_says_what_is_known_misses_nothing(client: TestClient) -> None:
    with client, opened(client) as socket:
        applied(client, token(client))
        subscribe(socket, "subscription { graphChanged(since: 1) { number } }")
        assert heard(socket)["payload"]["data"]["graphChanged"]["number"] == 2


def test_queries_run_over_websocket_too_and_errors_are_theirs(client: TestClient) -> None:
    with client, opened(client) as socket:
        subscribe(socket, "query($c: String!) { entity(curie: $c) { label } }", c="MONDO:0007915")
        assert heard(socket)["payload"]["data"] == {"entity": {"label": "systemic lupus erythematosus"}}
        assert heard(socket) == {"id": "1", "type": "complete"}
        for query, code in (
            ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("query($c: String!) { entity(curie: $c) { label } }", "GRAPHQL_VALIDATION_FAILED"),
            (APPLY, "BAD_USER_INPUT"),
            ("", "BAD_USER_INPUT"),
            ("{ diseases(first: 1001) { totalCount } x: __typename }", None),
        ):
            subscribe(socket, query)
            message = heard(socket)
            if code is None:  # an error while executing is part of the answer
                assert message["payload"]["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
                assert heard(socket)["type"] == "complete"
            else:
                assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", code)


def test_a_client_can_end_an_operation_and_use_its_id_again(client: TestClient) -> None:
    with client, opened(client) as socket:
        for _ in range(3):
            subscribe(socket, CHANGED)
            socket.send_json({"id": "1", "type": "complete"})
        socket.send_json({"type": "ping", "payload": {"n": 1}})
        assert heard(socket) == {"type": "pong", "payload": {"n": 1}}
        assert len(client.app.state.engine.changes) == 0  # type: ignore[attr-defined]


def test_nothing_is_left_behind_by_a_client_that_goes_away(client: TestClient) -> None:
    with client:
        with opened(client) as socket:
            subscribe(socket, CHANGED)
            subscribe(socket, VERSION, "2")
            heard(socket)
            eventually(lambda: len(client.app.state.engine.changes) == 1)  # type: ignore[attr-defined]
        eventually(lambda: client.app.state.runner.streams.open == 0)  # type: ignore[attr-defined]
        eventually(lambda: len(client.app.state.engine.changes) == 0)  # type: ignore[attr-defined]
        text = client.get("/metrics").text
    assert "graphql_streams 0.0" in text
    assert "graphql_listeners 0.0" in text


# ---------------------------------------------------------------- the protocol
@pytest.mark.parametrize(
    ("messages", "code", "reason"),
    [
        ([{"id": "1", "type": "subscribe", "payload": {"query": VERSION}}], 4401, "Unauthorized"),
        ([{"type": "connection_init"}] * 2, 4429, "Too many initialisation requests"),
        ([{"type": "connection_init", "payload": 3}], 4400, "payload of connection_init"),
        ([{"type": "hello"}], 4400, "Unknown message type"),
        ([{}], 4400, "Unknown message type"),
        ([{"type": ["ping"]}], 4400, "Unknown message type"),
        ([[]], 4400, "must be a JSON object"),
        ([{"type": "connection_init"}, {"type": "subscribe", "payload": {}}], 4400, "needs an id"),
        ([{"type": "connection_init"}, {"id": "", "type": "subscribe", "payload": {}}], 4400, "needs an id"),
        ([{"type": "connection_init"}, {"id": "1", "type": "subscribe"}], 4400, "needs an id and a payload"),
        (
            [{"type": "connection_init"}, *[{"id": "1", "type": "subscribe", "payload": {"query": CHANGED}}] * 2],
            4409,
            "Subscriber for 1 already exists",
        ),
        ([{"type": "connection_init", "payload": {"Authorization": "Bearer nonsense"}}], 4403, "Forbidden"),
    ],
)
def test_what_breaks_the_protocol_closes_with_its_code(
    client: TestClient, messages: list[Any], code: int, reason: str
) -> None:
    with client, client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as socket:
        for message in messages:
            socket.send_json(message)
        found, said = closed(socket)
    assert found == code
    assert reason in said


@pytest.mark.parametrize(
    "raw", ["", "{", "nonsense", "[" * 5_000, '{"type": "ping", "payload": ' + '{"a":' * 500 + "1" + "}" * 501]
)
def test_text_that_is_no_message_closes_with_4400(client: TestClient, raw: str) -> None:
    with client, client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as socket:
        socket.send_text(raw)
        assert closed(socket)[0] == 4400


def test_bytes_close_with_4400(client: TestClient) -> None:
    with client, client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as socket:
        socket.send_bytes(b'{"type": "connection_init"}')
        assert closed(socket)[0] == 4400


@pytest.mark.parametrize("protocols", [None, ["graphql-ws"], ["x"]])
def test_another_sub_protocol_is_refused(client: TestClient, protocols: list[str] | None) -> None:
    with client, client.websocket_connect("/graphql", subprotocols=protocols) as socket:
        assert closed(socket) == (4406, "Subprotocol not acceptable")


def test_who_does_not_introduce_himself_in_time_is_closed(make_client: Make) -> None:
    with (
        make_client(ws_init_seconds=0.05) as client,
        client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as socket,
    ):
        assert closed(socket) == (4408, "Connection initialisation timeout")


def test_an_idle_connection_shows_signs_of_life(make_client: Make) -> None:
    with make_client(keep_alive_seconds=0.05) as client, opened(client) as socket:
        assert socket.receive_json() == {"type": "ping"}
        socket.send_json({"type": "pong"})
        assert socket.receive_json() == {"type": "ping"}


def test_operations_on_a_connection_and_connections_have_limits(make_client: Make) -> None:
    with make_client(max_subscriptions=2, max_streams=1) as client, opened(client) as socket:
        for id_ in "123":
            subscribe(socket, CHANGED, id_)
        message = heard(socket)
        assert (message["id"], message["type"]) == ("3", "error")
        assert message["payload"][0]["extensions"]["limit"] == "max_subscriptions"
        with client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as second:
            assert closed(second)[0] == 1013
        refused = client.post("/graphql", json={"query": CHANGED}, headers=EVENTS)
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["limit"]) == (503, "max_streams")


@pytest.mark.parametrize(
    ("origin", "allowed", "welcome"),
    [
        (None, (), True),
        ("http://testserver", (), True),
        ("https://evil.example", (), False),
        ("null", (), False),
        ("https://lab.example", ("https://lab.example",), True),
        ("https://evil.example", ("https://lab.example",), False),
        ("https://evil.example", ("*",), True),
    ],
)
def test_pages_of_other_origins_may_not_connect(
    make_client: Make, origin: str | None, allowed: tuple[str, ...], welcome: bool
) -> None:
    """A browser asks no leave before it opens a WebSocket, so CORS alone would protect nothing."""
    with make_client(cors_origins=allowed) as client:
        headers = {"origin": origin} if origin else {}
        if welcome:
            with opened(client, headers=headers):
                return
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/graphql", subprotocols=[PROTOCOL], headers=headers),
        ):
            pass


def test_a_closed_graph_needs_a_token_here_too_and_a_revoked_one_ends_the_stream(make_client: Make) -> None:
    client = make_client(reads_need_token=True)
    writer, reader = token(client), token(client, "reader", "monitor")
    with client:
        with client.websocket_connect("/graphql", subprotocols=[PROTOCOL]) as socket:
            socket.send_json({"type": "connection_init"})
            assert closed(socket)[0] == 4403
        for given in ({"payload": reader}, {"headers": reader}):
            with opened(client, **given) as socket:
                subscribe(socket, CHANGED)
                subscribe(socket, VERSION, "2")
                assert heard(socket)["payload"]["data"]["version"]["number"] == 1
        with opened(client, reader) as socket:
            subscribe(socket, "subscription { graphChanged(since: 0) { number } }")
            assert heard(socket)["payload"]["data"]["graphChanged"]["number"] == 1
            TokenFile(client.app.state.service.store.folder).revoke("monitor")  # type: ignore[attr-defined]
            applied(client, writer)
            message = heard(socket)
            assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


# ---------------------------------------------------------------- server-sent events
def events(text: str) -> list[tuple[str, Any]]:
    """Return (event, data) of a stream's text, signs of life left out."""
    blocks = [block for block in text.split("\n\n") if block.startswith("event:")]
    parts = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    return [(part["event"], json.loads(part["data"]) if part["data"] else None) for part in parts]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_query_may_ask_for_an_event_stream(client: TestClient, method: str) -> None:
    given = {"params": {"query": VERSION}} if method == "GET" else {"json": {"query": VERSION}}
    response = client.request(method, "/graphql", headers=EVENTS, **given)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert response.headers["cache-control"] == "no-store"
    assert [(e, d and d["data"]) for e, d in events(response.text)] == [
        ("next", {"version": {"number": 1}}),
        ("complete", None),
    ]


def test_what_cannot_run_is_told_in_the_stream_or_by_status(client: TestClient) -> None:
    (first, last) = events(client.post("/graphql", json={"query": "{ nothing }"}, headers=EVENTS).text)
    assert first[1]["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert last == ("complete", None)
    assert (
        client.post("/graphql", content=b"{", headers={"content-type": "application/json", **EVENTS}).status_code == 400
    )
    refused = client.post("/graphql", json={"query": CHANGED}, headers={"authorization": "Bearer x", **EVENTS})
    assert (refused.status_code, refused.headers["content-type"].split(";")[0]) == (
        401,
        "application/graphql-response+json",
    )


def test_a_subscription_without_a_stream_to_put_it_in_is_told_how(client: TestClient) -> None:
    for accept in ("application/json", "application/graphql-response+json", "*/*"):
        response = client.post("/graphql", json={"query": CHANGED}, headers={"accept": accept})
        assert response.status_code == 406
        assert "text/event-stream" in response.json()["errors"][0]["message"]


# ---------------------------------------------------------------- a service of its own
def next_event(response: Any) -> tuple[str, Any]:
    name = ""
    for raw in response:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            text = line.removeprefix("data:").strip()
            return name, json.loads(text) if text else None
    raise AssertionError("the stream ended")


def test_both_streams_of_a_real_service_hear_of_a_change_and_end_with_it(live: Live) -> None:
    authorization = f"Bearer {live.token('curator', 'ward 7')}"
    body = json.dumps({"query": CHANGED}).encode()
    request = urllib.request.Request(live.url, body, {"content-type": "application/json", **EVENTS})
    with (
        connect(live.socket_url, subprotocols=[Subprotocol(PROTOCOL)]) as socket,
        urllib.request.urlopen(request, timeout=30) as response,
    ):
        assert socket.subprotocol == PROTOCOL
        socket.send('{"type": "connection_init"}')
        assert json.loads(socket.recv(10)) == {"type": "connection_ack"}
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": CHANGED}}))
        socket.send(json.dumps({"id": "2", "type": "subscribe", "payload": {"query": VERSION}}))
        assert json.loads(socket.recv(10))["id"] == "2"
        assert json.loads(socket.recv(10)) == {"id": "2", "type": "complete"}
        changed = live.post(APPLY, change(), authorization=authorization)["data"]["applyChanges"]
        assert changed["version"]["number"] == 2
        wanted = {"graphChanged": {"number": 2, "author": "ward 7 (token)", "entities": 15}}
        assert json.loads(socket.recv(10))["payload"]["data"] == wanted
        name, data = next_event(response)
        assert (name, data["data"]) == ("next", wanted)
        asked = time.monotonic()
        live.process.terminate()
        assert next_event(response) == ("complete", None)
        assert json.loads(socket.recv(10)) == {"id": "1", "type": "complete"}
        with pytest.raises(ConnectionClosed):
            socket.recv(10)
    assert live.process.wait(30) in (0, -15)
    assert time.monotonic() - asked < 8


def test_gqls_own_websocket_client_understands_the_service(live: Live) -> None:
    from gql import Client, gql
    from gql.transport.websockets import WebsocketsTransport

    authorization = f"Bearer {live.token('curator')}"

    async def first_change() -> Any:
        async with Client(transport=WebsocketsTransport(url=live.socket_url)) as session:
            assert (await session.execute(gql(VERSION)))["version"]["number"] == 1
            threading.Timer(0.5, live.post, (APPLY, change()), {"authorization": authorization}).start()
            async for found in session.subscribe(gql(CHANGED)):
                return found
        return None

    assert asyncio.run(asyncio.wait_for(first_change(), 30))["graphChanged"]["number"] == 2


def test_a_real_browser_origin_is_refused_with_403(live: Live) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(live.socket_url, subprotocols=[Subprotocol(PROTOCOL)], origin="https://evil.example")  # type: ignore[arg-type]
    assert caught.value.response.status_code == 403


def test_a_message_longer_than_a_body_may_be_closes_the_connection(tmp_path: Any) -> None:
    live = Live(tmp_path, KG_MAX_BODY_BYTES="2000")
    with connect(live.socket_url, subprotocols=[Subprotocol(PROTOCOL)]) as socket:
        socket.send('{"type": "connection_init", "payload": {"x": "' + "x" * 3_000 + '"}}')
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(10)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009
    live.stop()


# ---------------------------------------------------------------- telling
class _Service:
    def __init__(self) -> None:
        self.number = 1

    @property
    def snapshot(self) -> Any:
        version = type("Version", (), {"number": self.number})
        return type("Graph", (), {"version": version})


@pytest.fixture
def numbered() -> tuple[_Service, Changes]:
    service = _Service()
    return service, Changes(service)  # type: ignore[arg-type]


def test_a_slow_listener_gets_the_newest_version_and_no_backlog(numbered: tuple[_Service, Changes]) -> None:
    service, changes = numbered

    async def listen() -> list[int]:
        seen = []
        async for graph in changes.after(0):
            seen.append(graph.version.number)
            if len(seen) == 3:
                return seen
            for _ in range(100):  # many changes while this one is looked at
                service.number += 1
                changes.tell()
        return seen

    assert asyncio.run(asyncio.wait_for(listen(), 5)) == [1, 101, 201]


def test_telling_from_other_threads_loses_no_change(numbered: tuple[_Service, Changes]) -> None:
    service, changes = numbered

    def write() -> None:
        for _ in range(500):
            service.number += 1
            changes.tell()

    async def listen() -> int:
        writer = threading.Thread(target=write)
        writer.start()
        async for graph in changes.after(1):
            if graph.version.number == 501:
                break
        writer.join()
        return len(changes)

    assert asyncio.run(asyncio.wait_for(listen(), 10)) <= 1
