"""Server-sent events: the "distinct connections" mode of the GraphQL over SSE protocol.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md: each result is an event ``next``, the
end is an event ``complete``; comments keep an idle connection open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from server.graphql.errors import problem
from server.graphql.execution import Answer
from server.graphql.running import Streams

EVENTS = "text/event-stream"
COMPLETE = b"event: complete\ndata: \n\n"
ALIVE = b":\n\n"


@dataclass(frozen=True, slots=True)
class EventStream:
    """The response that carries a stream of answers; an ASGI application."""

    answers: AsyncGenerator[Answer, None]
    keep_alive: float
    streams: Streams

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send answers until they end or the client is gone."""
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # nginx would hold events back
        ]
        gone = asyncio.ensure_future(_disconnected(receive))
        sending = asyncio.ensure_future(self._send(headers, send))
        try:
            with self.streams.place():
                await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await stopped(gone, sending)

    async def _send(self, headers: list[tuple[bytes, bytes]], send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": ALIVE, "more_body": True})  # so that the client sees it open
        async with aclosing(frames(self.answers, self.keep_alive)) as events:
            async for frame in events:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def frames(answers: AsyncGenerator[Answer, None], keep_alive: float) -> AsyncGenerator[bytes, None]:
    """Yield the events of some answers, with a comment whenever nothing happened for a while."""
    nxt: asyncio.Future[Answer] | None = None
    try:
        while True:
            nxt = nxt or asyncio.ensure_future(_next(answers))
            done, _ = await asyncio.wait({nxt}, timeout=keep_alive)
            if not done:
                yield ALIVE
                continue
            answer, nxt = nxt.result(), None
            yield b"event: next\ndata: " + answer.body + b"\n\n"  # JSON from orjson has no line breaks
    except StopAsyncIteration:
        yield COMPLETE
    except Exception as error:  # noqa: BLE001 - told to the client, masked unless it is a KGError such as a revoked token
        yield b"event: next\ndata: " + orjson.dumps({"errors": [problem(error)]}) + b"\n\n" + COMPLETE
    finally:
        if nxt is not None:
            await stopped(nxt)
        await answers.aclose()


async def stopped(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks and wait until they have let go of what they hold, whatever they end with.

    All are cancelled before the first wait, for that may itself be cancelled.
    """
    for task in tasks:
        task.cancel()
        task.add_done_callback(_looked_at)
    if tasks:
        await asyncio.wait(tasks)


def _looked_at(task: asyncio.Future[Any]) -> None:
    """Look at how a task ended, so that asyncio does not report it as forgotten."""
    if not task.cancelled():
        task.exception()


async def _next(answers: AsyncGenerator[Answer, None]) -> Answer:
    return await anext(answers)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
