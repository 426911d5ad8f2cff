"""Running the service: settings, store, application and uvicorn, and clear words when one cannot start."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette

from kg.errors import StoreError
from kg.graph import open_service, seed_changes
from kg.model import data_folder
from kg.presence import announced
from kg.tokens import TokenFile
from server.app import create_app
from server.graphql.changes import Changes
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
    for change in seed_changes(service.store.sources(), seeds) if seeds.is_dir() else ():
        log.warning(
            "seed_file_differs", file=change.name, state=change.state, load=f"kg load {seeds} --data {settings.data}"
        )
    host, port = listener.getsockname()[:2]
    warn_of_open_door(host, settings, service.store.folder)
    with ExitStack() as stack:
        stack.callback(service.store.close)
        address = f"http://{_shown(_reachable(host))}:{port}/graphql"
        presence = stack.enter_context(announced(service.store.folder, address))
        # uvicorn ends by sending itself the signal that stopped it, so all must be let go before it returns
        app = create_app(service, settings, on_stop=stack.close, local_key=presence.key)
        log.info(
            "serving",
            url=f"http://{_shown(host)}:{port}/",
            graph=repr(service.snapshot),
            seconds=round(time.perf_counter() - started, 2),
        )
        _Server(_config(app, settings), app.state.runner.engine.changes).run(sockets=[listener])
    return 0


def _config(app: Starlette, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        ws_max_size=settings.max_body_bytes,
    )


class _Server(uvicorn.Server):
    """Ends the streams of events when asked to stop; uvicorn would wait for them in vain."""

    def __init__(self, config: uvicorn.Config, changes: Changes) -> None:
        super().__init__(config)
        self.changes = changes

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop when a signal says so."""
        self.changes.close()
        super().handle_exit(sig, frame)


def warn_of_open_door(host: str, settings: Settings, folder: Path) -> None:
    """Log what a service that is reached from elsewhere leaves open: reading, and writing that nobody can do yet."""
    if ipaddress.ip_address(host).is_loopback:
        return
    if not settings.reads_need_token:
        log.warning("reading_is_open", host=host, close="KG_READS_NEED_TOKEN=true")
    if not TokenFile(folder).all() and not settings.oidc_issuer:
        log.warning("no_tokens", host=host, create="kg token create --role curator --name …")


def _reachable(host: str) -> str:
    """Return the address that commands on this machine reach a listener at."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


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
