"""Running the service: settings, store, application and uvicorn, and clear words when one cannot start."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Any

import structlog
import uvicorn

from kg.errors import StoreError
from kg.graph import open_service, seed_changes
from kg.model import data_folder
from server.app import create_app
from server.observability import configure_logging
from server.settings import Settings

log = structlog.get_logger("cartograph")


class PortInUse(StoreError):
    """The address to listen on is taken."""

    code = "PORT_IN_USE"


def serve(environ: Mapping[str, str], **given: Any) -> int:
    """Serve until stopped; returns the exit code. Raises KGError where the service cannot start."""
    started = time.perf_counter()
    settings = Settings.load(environ, **given)
    configure_logging(settings.log_level, settings.log_format)
    listener = _listen(settings.host, settings.port)
    try:
        service = open_service(settings.data, settings.schema, settings.seeds)
    except BaseException:
        listener.close()
        raise
    seeds = settings.seeds or data_folder("seeds")
    for change in seed_changes(service.store, seeds) if seeds.is_dir() else ():
        log.warning(
            "seed_file_differs", file=change.name, state=change.state, load=f"kg load {seeds} --data {settings.data}"
        )
    app = create_app(service, settings, on_stop=service.store.close)
    host, port = listener.getsockname()[:2]
    log.info(
        "serving",
        url=f"http://{_shown(host)}:{port}/",
        graph=repr(service.snapshot),
        seconds=round(time.perf_counter() - started, 2),
    )
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=settings.shutdown_seconds
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortInUse(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another port with --port, or stop what uses this one."
        ) from error
    return listener


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
