"""Running operations for whoever asks, over whichever transport: in place, on a thread, in the write lane, or as a stream."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple, Protocol

import anyio
from starlette.types import Receive

from kg.errors import AccessDenied, BadInput, Busy, LimitExceeded, ReadOnly
from server.auth import Authenticator, Identity
from server.graphql.execution import Answer, Engine, Prepared
from server.observability import Metrics
from server.settings import Settings


class Parameters(NamedTuple):
    """What a request asks to run."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None


class Caller(NamedTuple):
    """What a request says of who sent it; looked at anew each time, for a token may have been revoked."""

    authenticator: Authenticator
    authorization: str | None
    client: str
    author: str = ""

    async def identity(self) -> Identity:
        """Return who asks; raises Unauthenticated or TooManyAttempts."""
        return await self.authenticator.identify(self.authorization, self.client, self.author)

    async def reader(self) -> Identity:
        """Return who asks where they may read; raises AccessDenied where not."""
        identity = await self.identity()
        self.authenticator.check_read(identity)
        return identity


class Elsewhere(Protocol):
    """The process that holds the store, where this one does not."""

    async def answer(self, prepared: Prepared, variables: Mapping[str, Any], caller: Caller) -> Answer:
        """Return its answer to an operation."""


class Runner:
    """Runs prepared operations without holding up the event loop for long."""

    def __init__(
        self, engine: Engine, settings: Settings, metrics: Metrics, elsewhere: Elsewhere | None = None
    ) -> None:
        self.engine = engine
        self.elsewhere = elsewhere
        self.settings = settings
        self.metrics = metrics
        self.lane = WriteLane(settings.max_writes_waiting)
        self.streams = Streams(settings.max_streams)
        self._limiter: anyio.CapacityLimiter | None = None

    def prepare(self, parameters: Parameters) -> Prepared:
        """Return the parsed, limited and validated operation."""
        size = len(parameters.query)
        if size > self.settings.max_body_bytes:
            raise LimitExceeded(
                "max_body_bytes", self.settings.max_body_bytes, size, "Put what is long into the variables."
            )
        return self.engine.prepare(parameters.query, parameters.operation_name, parameters.variables)

    async def answer(
        self,
        prepared: Prepared,
        variables: dict[str, Any],
        caller: Caller,
        identity: Identity,
        receive: Receive | None = None,
    ) -> Answer:
        """Return the answer to a query or mutation; raises ClientGone where ``receive`` says that the client left."""
        if prepared.is_mutation:
            answer = await self._write(prepared, variables, identity, caller)
        elif prepared.asks_store and self.elsewhere is not None:
            answer = await self.elsewhere.answer(prepared, variables, caller)
        elif self.engine.is_quick(prepared, variables):
            answer = self.engine.execute(prepared, variables, identity)
        else:
            if self._limiter is None:
                self._limiter = anyio.CapacityLimiter(self.settings.threads)
            gone = threading.Event()
            async with _watching(receive, gone):
                answer = await anyio.to_thread.run_sync(
                    self.engine.execute, prepared, variables, identity, gone.is_set, limiter=self._limiter
                )
        self.metrics.operation(answer.how)
        return answer

    def at_once(self, prepared: Prepared, variables: dict[str, Any]) -> Answer | None:
        """Return the answer to what anyone may ask and needs no waiting; None for anything else."""
        if prepared.is_mutation or prepared.is_subscription or (prepared.asks_store and self.elsewhere is not None):
            return None
        if not self.engine.is_quick(prepared, variables):
            return None
        answer = self.engine.execute(prepared, variables)
        self.metrics.operation(answer.how)
        return answer

    async def _write(self, prepared: Prepared, variables: dict[str, Any], identity: Identity, caller: Caller) -> Answer:
        if self.elsewhere is not None:
            return await self.elsewhere.answer(prepared, variables, caller)
        if self.engine.writer is None:
            raise ReadOnly
        try:
            identity.require("curator", "Writing")
        except AccessDenied:
            self.engine.writer.audit("mutation", identity, "denied")
            raise
        answer: Answer = await self.lane.run(self.engine.execute, prepared, variables, identity)
        return answer

    async def events(
        self, prepared: Prepared, variables: dict[str, Any], caller: Caller
    ) -> AsyncGenerator[Answer, None]:
        """Yield the answers of a subscription; of any other operation, its one answer."""
        if not prepared.is_subscription:
            yield await self.answer(prepared, variables, caller, await caller.reader())
            return
        events = self.engine.subscribe(prepared, variables, await caller.reader())
        try:
            async for answer in events:
                await caller.reader()
                yield answer
        finally:
            await events.aclose()

    def close(self) -> None:
        """End all streams and wait for the write that runs, if any; later ones are refused."""
        self.engine.changes.close()
        self.lane.close()
        if self.engine.writer is not None:
            self.engine.writer.close()


@asynccontextmanager
async def _watching(receive: Receive | None, gone: threading.Event) -> AsyncIterator[None]:
    """Set ``gone`` as soon as the client disconnects, so that a search for nobody ends."""
    if receive is None:
        yield
        return

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    task = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        task.cancel()


class WriteLane:
    """One thread that writes, and a short queue before it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting = 0
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    async def run(self, function: Any, *arguments: Any) -> Any:
        """Return what a function returns when its turn has come; raises Busy where too many wait."""
        with self._lock:
            if self.waiting > self.most:
                raise Busy("max_writes_waiting", self.most, None, "Other changes are being written; try again soon.")
            self.waiting += 1
        try:
            future = self._thread.submit(contextvars.copy_context().run, function, *arguments)
        except RuntimeError as error:
            self._left(None)
            raise Busy("max_writes_waiting", 0, None, "The service is stopping; nothing was written.") from error
        future.add_done_callback(self._left)
        return await asyncio.wrap_future(future)

    def _left(self, _: Future[Any] | None) -> None:
        with self._lock:
            self.waiting -= 1

    def close(self) -> None:
        """Let the running write finish, drop those that wait."""
        self._thread.shutdown(wait=True, cancel_futures=True)


class Streams:
    """How many WebSockets and event streams are open, and how many may be."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open = 0

    def check(self) -> None:
        """Raise Busy where no place is left."""
        if self.open >= self.most:
            raise Busy("max_streams", self.most, None, "Close one that is not needed, or try again later.")

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take one of the places."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


def not_here(prepared: Prepared) -> None:
    """Raise BadInput for a mutation on a transport that only reads."""
    if prepared.is_mutation:
        raise BadInput("Mutations go by POST, each with its own Authorization header.")
