"""GraphQL over WebSocket, sub-protocol graphql-transport-ws.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. Queries and subscriptions run here;
mutations go by POST. Browsers open WebSockets to any origin without asking, so the origin is checked:
that of the service itself, and those that CORS allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from kg.errors import AccessDenied, BadInput, LimitExceeded
from server.auth import Authenticator
from server.graphql.errors import formatted, problem
from server.graphql.events import stopped
from server.graphql.execution import Answer
from server.graphql.http import HTTPProblem, loads, parameters_of
from server.graphql.running import Caller, Parameters, Runner, not_here
from server.settings import Settings

PROTOCOL = "graphql-transport-ws"


class SocketEndpoint:
    """The ASGI application behind ws://…/graphql."""

    def __init__(self, runner: Runner, settings: Settings, authenticator: Authenticator) -> None:
        self.runner = runner
        self.settings = settings
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until it closes."""
        socket = WebSocket(scope, receive, send)
        if not self.allowed(socket):
            await socket.close(1008, "Origin not allowed")  # before accepting: the handshake is answered with 403
            return
        if PROTOCOL not in scope["subprotocols"]:
            await socket.accept()
            await socket.close(4406, "Subprotocol not acceptable")
            return
        await socket.accept(subprotocol=PROTOCOL)
        try:
            self.runner.streams.check()
        except LimitExceeded:
            await socket.close(1013, "Try again later")
            return
        with self.runner.streams.place():
            await Connection(self, socket).serve()

    def allowed(self, socket: WebSocket) -> bool:
        """Whether a page of this origin may connect; whatever is no browser sends no Origin."""
        origin = socket.headers.get("origin")
        origins = self.settings.cors_origins
        if origin is None or "*" in origins or origin in origins:
            return True
        return urlsplit(origin).netloc.lower() == socket.headers.get("host", "").lower()


class ProtocolError(Exception):
    """The client broke the protocol; the connection closes with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Connection:
    """One WebSocket: its caller once it has said so, and the operations that run."""

    def __init__(self, endpoint: SocketEndpoint, socket: WebSocket) -> None:
        self.endpoint = endpoint
        self.runner, self.settings = endpoint.runner, endpoint.settings
        self.socket = socket
        self.caller: Caller | None = None
        self.initialised = False
        self.operations: dict[str, asyncio.Task[None]] = {}

    # -------------------------------------------------------------- the connection
    async def serve(self) -> None:
        """Answer messages until the connection closes; everything it started ends with it."""
        beside = [self._start(self._init_in_time()), self._start(self._stay_alive())]
        try:
            while True:
                await self._take(_message(await self.socket.receive()))
        except WebSocketDisconnect:
            pass
        except ProtocolError as error:
            await self.close(error.code, error.reason)
        finally:
            await stopped(*beside, *self.operations.values())

    @staticmethod
    def _start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(work)

    async def _init_in_time(self) -> None:
        await asyncio.sleep(self.settings.ws_init_seconds)
        if not self.initialised:
            await self.close(4408, "Connection initialisation timeout")

    async def _stay_alive(self) -> None:
        while True:
            await asyncio.sleep(self.settings.keep_alive_seconds)
            if self.caller is not None:
                await self.send({"type": "ping"})

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message, or nothing where the connection is gone."""
        text = orjson.dumps(message).decode()
        with suppress(Exception):  # servers raise what they like for a connection that is gone; receiving notices it
            await self.socket.send_text(text)

    async def close(self, code: int, reason: str) -> None:
        """Close the connection with a code of the protocol."""
        if self.socket.application_state != WebSocketState.DISCONNECTED:
            with suppress(Exception):  # as in send
                await self.socket.close(code, reason)

    # -------------------------------------------------------------- messages
    async def _take(self, message: dict[str, Any]) -> None:
        handlers: dict[str, Callable[[dict[str, Any]], Coroutine[Any, Any, None]]] = {
            "connection_init": self._init,
            "ping": self._ping,
            "pong": _nothing,
            "subscribe": self._subscribe,
            "complete": self._complete,
        }
        type_ = message.get("type")
        handler = handlers.get(type_) if isinstance(type_, str) else None
        if handler is None:
            raise ProtocolError(4400, "Unknown message type")
        await handler(message)

    async def _init(self, message: dict[str, Any]) -> None:
        if self.initialised:
            raise ProtocolError(4429, "Too many initialisation requests")
        self.initialised = True
        payload = message.get("payload") or {}
        if not isinstance(payload, dict):
            raise ProtocolError(4400, "The payload of connection_init must be an object")
        given = {str(name).lower(): value for name, value in payload.items()}.get("authorization")
        header = given if isinstance(given, str) else self.socket.headers.get("authorization")
        client = self.socket.client.host if self.socket.client else ""
        caller = Caller(self.endpoint.authenticator, header, client)
        try:
            await caller.reader()
        except (AccessDenied, LimitExceeded) as error:
            raise ProtocolError(4403, "Forbidden") from error
        self.caller = caller
        await self.send({"type": "connection_ack"})

    async def _ping(self, message: dict[str, Any]) -> None:
        await self.send({"type": "pong", **({"payload": message["payload"]} if "payload" in message else {})})

    async def _subscribe(self, message: dict[str, Any]) -> None:
        if self.caller is None:
            raise ProtocolError(4401, "Unauthorized")
        id_, payload = message.get("id"), message.get("payload")
        if not (isinstance(id_, str) and id_ and isinstance(payload, dict)):
            raise ProtocolError(4400, "A subscribe message needs an id and a payload")
        if id_ in self.operations:
            raise ProtocolError(4409, f"Subscriber for {id_[:40]} already exists")
        if len(self.operations) >= self.settings.max_subscriptions:
            error = LimitExceeded("max_subscriptions", self.settings.max_subscriptions, None, "Complete one first.")
            await self.send({"id": id_, "type": "error", "payload": [problem(error)]})
            return
        self.operations[id_] = self._start(self._run(id_, payload, self.caller))

    async def _complete(self, message: dict[str, Any]) -> None:
        id_ = message.get("id")
        task = self.operations.pop(id_, None) if isinstance(id_, str) else None
        if task is not None:
            await stopped(task)

    # -------------------------------------------------------------- operations
    async def _run(self, id_: str, payload: dict[str, Any], caller: Caller) -> None:
        try:
            ended = await self._answers(id_, parameters_of(payload), caller)
        except HTTPProblem as error:
            ended = {"type": "error", "payload": [problem(BadInput(error.message))]}
        except Exception as error:  # noqa: BLE001 - told to the client, masked unless it is a KGError
            ended = {"type": "error", "payload": [problem(error)]}
        self.operations.pop(id_, None)
        await self.send({"id": id_, **ended})

    async def _answers(self, id_: str, parameters: Parameters, caller: Caller) -> dict[str, Any]:
        """Send an operation's answers and return the message that ends it."""
        prepared = self.runner.prepare(parameters)
        not_here(prepared)
        if prepared.errors:
            return {"type": "error", "payload": [formatted(error) for error in prepared.errors]}
        async with aclosing(self.runner.events(prepared, parameters.variables, caller)) as answers:
            async for answer in answers:
                if not answer.executed:
                    return {"type": "error", "payload": orjson.loads(answer.body)["errors"]}
                await self._next(id_, answer)
        return {"type": "complete"}

    async def _next(self, id_: str, answer: Answer) -> None:
        await self.send({"id": id_, "type": "next", "payload": orjson.Fragment(answer.body)})


async def _nothing(_: dict[str, Any]) -> None:
    """A pong asks for nothing."""


def _message(event: Any) -> dict[str, Any]:
    """Return the message in an ASGI event; raises ProtocolError 4400 for what is none."""
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code", 1005))
    text = event.get("text")
    try:
        message = loads(text.encode("utf-8", "replace")) if text else None
    except (HTTPProblem, orjson.JSONDecodeError) as error:
        raise ProtocolError(4400, "A message must be JSON text") from error
    if not isinstance(message, dict):
        raise ProtocolError(4400, "A message must be a JSON object")
    return message
