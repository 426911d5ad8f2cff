"""Running the service: settings, processes and uvicorn, and clear words when one cannot start."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import uvicorn

from server.observability import configure_logging
from server.roles import config_of, listen, open_follower, open_store, reading, writing
from server.settings import Settings
from server.workers import supervise


def serve(environ: Mapping[str, str], **given: Any) -> int:
    """Serve until stopped; returns the exit code. Raises KGError where the service cannot start."""
    started = time.perf_counter()
    settings = Settings.load(environ, **given)
    configure_logging(settings.log_level, settings.log_format)
    listener = listen(settings.host, settings.port)
    try:
        if settings.workers > 1:
            return supervise(settings, listener)
        if settings.read_only:
            app = reading(settings, listener, open_follower(settings), started)
        else:
            app = writing(settings, listener, open_store(settings), started)
    except BaseException:
        listener.close()
        raise
    uvicorn.Server(config_of(app, settings)).run(sockets=[listener])
    return 0
