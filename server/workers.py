"""Several processes behind one address, under uvicorn's process manager.

All are started alike. The one that gets the store's lock writes, and publishes every version; the others map what it
publishes, follow it, and send it what only it can do. A process that dies is replaced; if it was the writer, its
replacement finds the lock free. A reader that finds no writer for a while, though the store could be opened, makes way
for one.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import NoReturn

import structlog
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from kg.disk import make_folder, read_head, take_lock
from kg.errors import BadInput, KGError, StoreError, StoreLocked
from kg.graph import GraphService
from kg.model import load_model
from kg.presence import find
from kg.published import FOLDER, published_version
from kg.store import Store
from server.forwarding import Forwarder
from server.observability import configure_logging
from server.roles import config_of, listen, open_follower, open_store, reading, writing
from server.settings import Settings

log = structlog.get_logger("cartograph")

HEALTH_SECONDS = 30  # a process that answers no ping for so long is replaced; a large graph is built meanwhile
PAUSE = 0.1  # seconds between looks at who writes
PATIENCE = 10.0  # seconds without a writer after which a reader looks whether it should make way


def supervise(settings: Settings, listener: socket.socket) -> int:
    """Serve with several processes until stopped; returns the exit code. Raises StoreLocked where another service runs."""
    if not settings.read_only:
        make_folder(settings.data)
        take_lock(settings.data).close()
        if not _is_ready(settings) and (code := _made_ready(settings)):
            listener.close()
            return code
    config = config_of(
        partial(application, settings, listener),
        settings,
        factory=True,
        workers=settings.workers,
        timeout_worker_healthcheck=HEALTH_SECONDS,
    )
    logging.getLogger("uvicorn.error").setLevel(settings.log_level.upper())  # of processes that end and are replaced
    manager = Multiprocess(config, sockets=[listener])
    manager.run()
    listener.close()
    return 1 if any(process.exitcode == STARTUP_FAILURE for process in manager.processes) else 0


def _is_ready(settings: Settings) -> bool:
    """Whether what is published can be served: then every process starts within the time that the manager waits."""
    with suppress(StoreError):
        head = read_head(settings.data)
        published = published_version(settings.data / FOLDER, load_model(settings.schema))
        return head is not None and head.version == published
    return True  # its processes say what is wrong


def _made_ready(settings: Settings) -> int:
    """Fill the store, if it is empty, and publish its snapshot, in a process of its own; return its exit code.

    With Hetionet that takes minutes, in which nobody answers the manager: it killed the process again and again.
    """
    log.info("making_snapshot", data=str(settings.data))
    process = multiprocessing.get_context("spawn").Process(target=_make_ready, args=(settings,))
    process.start()
    process.join()
    return process.exitcode or 0


def _make_ready(settings: Settings) -> None:
    _begin(settings)
    try:
        open_store(settings, publish="all").close()
    except KGError as error:
        _end(error)


def application(settings: Settings, listener: socket.socket) -> Starlette:
    """Return the application of one process, in the role that falls to it; ends the process where it cannot start."""
    _begin(settings)
    try:
        return _application(settings, listener)
    except KGError as error:
        _end(error)


def _begin(settings: Settings) -> None:
    configure_logging(settings.log_level, settings.log_format)
    threading.Thread(target=_end_with_parent, name="orphan", daemon=True).start()


def _end(error: KGError) -> NoReturn:
    """End this process, at once: one that winds down answers no ping, and the manager waits HEALTH_SECONDS for that."""
    log.error("worker_cannot_start", reason=str(error))
    sys.stderr.flush()
    os._exit(STARTUP_FAILURE)


def _application(settings: Settings, listener: socket.socket) -> Starlette:
    started = time.perf_counter()
    service = None if settings.read_only else _store_or_writer(settings)
    if service is not None:
        return writing(settings, listener, service, started, listen("127.0.0.1", 0))
    follower = open_follower(settings)
    if settings.read_only:
        return reading(settings, listener, follower, started)
    threading.Thread(target=_make_way, args=(settings,), name="understudy", daemon=True).start()
    return reading(settings, listener, follower, started, Forwarder(settings.data))


def _store_or_writer(settings: Settings) -> GraphService | None:
    """Return the store where it falls to this process, or None as soon as there is another that serves what it holds.

    Raises StoreError where the store cannot be opened and nothing is published either.
    """
    folder, schema = settings.data / FOLDER, cache(partial(load_model, settings.schema))  # the writer has no need of it
    while True:
        try:
            return open_store(settings, publish="all")
        except StoreLocked:
            version = published_version(folder, schema())
            if version is not None and (find(settings.data) or _is_newest(version, settings.data)):
                return None
            time.sleep(PAUSE)
        except StoreError as error:
            version = published_version(folder, schema())
            if version is None:
                raise
            log.error("store_not_opened", reason=str(error), served=f"version {version}, read only")
            return None


def _is_newest(version: int, data: Path) -> bool:
    with suppress(StoreError):
        head = read_head(data)
        return head is not None and head.version == version
    return False


def _end_with_parent() -> None:
    """End this process when its parent is gone, however that ended: nobody else would, and it holds the address."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        log.error("parent_is_gone", parent=parent.pid)
        os.kill(os.getpid(), signal.SIGTERM)


def _make_way(settings: Settings) -> None:
    """End this process where nobody has written for a while though the store can be opened: its replacement will."""
    alone_since = time.monotonic()
    while True:
        time.sleep(1.0)
        if find(settings.data) is not None:
            alone_since = time.monotonic()
        elif time.monotonic() - alone_since > PATIENCE:
            alone_since = time.monotonic()
            with suppress(StoreError, BadInput):
                Store(settings.data).close()
                log.warning("reader_makes_way", reason="no process writes")
                os.kill(os.getpid(), signal.SIGTERM)
                return
