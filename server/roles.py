"""What a process of the service is: the one that holds the store and writes, or one that reads what is published."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette

from kg.errors import StoreError
from kg.graph import OTHER_SCHEMA, GraphService, open_service, seed_changes, seeds_of
from kg.model import data_folder, load_model
from kg.presence import Presence, announced
from kg.published import Follower, Publish, Watch
from kg.tokens import TokenFile
from server.app import create_app
from server.forwarding import Forwarder
from server.graphql.changes import Changes
from server.protocol import Protocol
from server.settings import Settings

log = structlog.get_logger("cartograph")

YOUNG = 5_000  # objects made before the collector looks; at 700 it took 6 % of an answer of 900 objects, in which none is garbage
SWITCH_SECONDS = 0.0002  # Python's 5 ms, several times over, is what readers wait while a change is worked out


class PortInUse(StoreError):
    """The address to listen on is taken."""

    code = "PORT_IN_USE"


def open_store(settings: Settings, publish: Publish = "some") -> GraphService:
    """Return the service of the store, opened; raises KGError where that is not possible."""
    service = open_service(settings.data, settings.schema, settings.seeds, publish, settings.tally_bytes)
    if service.store.version and not service.snapshot.edge_count:
        log.warning("no_edges", schema=str(settings.schema or data_folder("schema")), hint=OTHER_SCHEMA)
        if settings.seeds is None:
            return service  # nothing is known of seeds that it came from
    seeds = seeds_of(service.model, settings.seeds)
    for change in seed_changes(service.store.sources(), seeds) if seeds else ():
        log.warning(
            "seed_file_differs", file=change.name, state=change.state, load=f"kg load {seeds} --data {settings.data}"
        )
    return service


def open_follower(settings: Settings) -> Follower:
    """Return what follows the published snapshots; raises KGError where there are none that can be used."""
    tally_bytes = 0 if settings.read_only else settings.tally_bytes
    return Follower(settings.data, load_model(settings.schema), tally_bytes)


def writing(
    settings: Settings,
    listener: socket.socket,
    service: GraphService,
    started: float,
    beside: socket.socket | None = None,
) -> Starlette:
    """Return the application of the process that holds the store; commands and readers find it at ``beside``, if given."""
    with ExitStack() as stack:
        stack.callback(service.close)
        warn_of_open_door(listener.getsockname()[0], settings, service.folder)
        presence: Presence = stack.enter_context(announced(service.folder, f"{_address(beside or listener)}graphql"))
        held = stack.pop_all()

    @asynccontextmanager
    async def around(app: Starlette) -> AsyncIterator[None]:
        # uvicorn ends by sending itself the signal that stopped it, so all must be let go before it returns
        with held:
            app.state.engine.writer.readers.warm()
            async with _listening(app, settings, beside):
                _say(listener, service.snapshot, started)
                if service.publishing_failed:
                    log.warning("snapshot_not_published", reason=str(service.publishing_failed))
                yield

    return create_app(service, settings, _until_signalled(around), presence.key)


def reading(
    settings: Settings,
    listener: socket.socket,
    follower: Follower,
    started: float,
    elsewhere: Forwarder | None = None,
) -> Starlette:
    """Return the application of a process that answers from published snapshots, and asks the writer, if any, for the rest."""

    @asynccontextmanager
    async def around(app: Starlette) -> AsyncIterator[None]:
        watch = Watch(follower, settings.follow_seconds, _changes(app).tell, _not_followed)
        _say(listener, follower.snapshot, started)
        try:
            yield
        finally:
            watch.close()

    return create_app(follower, settings, _until_signalled(around), elsewhere=elsewhere)


def _not_followed(error: Exception) -> None:
    log.error("snapshot_not_followed", reason=str(error))


def _changes(app: Starlette) -> Changes:
    found: Changes = app.state.runner.engine.changes
    return found


def _say(listener: socket.socket, graph: object, started: float) -> None:
    log.info(
        "serving",
        url=_address(listener, shown=True),
        graph=repr(graph),
        seconds=round(time.perf_counter() - started, 2),
        process=os.getpid(),
    )


def config_of(app: Starlette | Callable[[], Starlette], settings: Settings, **more: Any) -> uvicorn.Config:
    """Return how uvicorn serves an application."""
    return uvicorn.Config(
        app,
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        ws_max_size=settings.max_body_bytes,
        **more,
    )


# ---------------------------------------------------------------- signals and listeners
Around = Callable[[Starlette], AbstractAsyncContextManager[None]]


def _until_signalled(around: Around) -> Around:
    """Return ``around`` with the streams of events ended by the signal to stop; uvicorn would wait for them in vain."""

    @asynccontextmanager
    async def watched(app: Starlette) -> AsyncIterator[None]:
        sys.setswitchinterval(SWITCH_SECONDS)
        with _streams_ended(_changes(app)):
            async with around(app):
                gc.collect()
                gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
                gc.freeze()  # what is there now stays: looking it through took the collector 70 to 180 ms each time
                yield

    return watched


@contextmanager
def _streams_ended(changes: Changes) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ended(number: int, frame: FrameType | None) -> None:
        changes.close()
        then = before[signal.Signals(number)]
        if callable(then):
            then(number, frame)

    for number in before:
        signal.signal(number, ended)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Beside(uvicorn.Server):
    """A second listener on the event loop of another server, which is the one that hears signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@asynccontextmanager
async def _listening(app: Starlette, settings: Settings, beside: socket.socket | None) -> AsyncIterator[None]:
    if beside is None:
        yield
        return
    server = _Beside(config_of(app, settings, lifespan="off"))
    serving = asyncio.create_task(server.serve([beside]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def warn_of_open_door(host: str, settings: Settings, folder: Path) -> None:
    """Log what a service that is reached from elsewhere leaves open: reading, and writing that nobody can do yet."""
    if ipaddress.ip_address(host).is_loopback:
        return
    if not settings.reads_need_token:
        log.warning("reading_is_open", host=host, close="KG_READS_NEED_TOKEN=true")
    if not TokenFile(folder).all() and not settings.oidc_issuer:
        log.warning("no_tokens", host=host, create="kg token create --role curator --name …")


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises PortInUse where the address is taken or is no address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except socket.gaierror as error:
        listener.close()
        raise PortInUse(
            f"Cannot listen on {host} ({error.strerror}). Name an address of this machine with --host."
        ) from error
    except OSError as error:
        listener.close()
        raise PortInUse(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another port with --port, or stop what uses this one."
        ) from error
    return listener


def _address(listener: socket.socket, *, shown: bool = False) -> str:
    """Return where a listener is reached: as it is shown, or by commands on this machine."""
    host, port = listener.getsockname()[:2]
    if not shown:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
