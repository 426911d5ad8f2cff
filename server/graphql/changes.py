"""Telling who listens that the graph has a new version."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress

from kg.published import Serving
from kg.snapshot import Snapshot


class Changes:
    """New versions of a service's graph, for any number of listeners on any event loop.

    A listener that is slower than the changes gets the newest version next, so nothing piles up for it.
    """

    def __init__(self, service: Serving) -> None:
        self.service = service
        self.closed = False
        self._listeners: set[_Listener] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._listeners)

    def tell(self) -> None:
        """Wake every listener; may be called from any thread."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.wake()

    def close(self) -> None:
        """End every listener's stream, as when the service stops."""
        self.closed = True
        self.tell()

    async def after(self, version: int) -> AsyncGenerator[Snapshot, None]:
        """Yield the current graph whenever its version is past the last one yielded, or past ``version`` at first."""
        with self._listening() as listener:
            while not self.closed:
                graph = self.service.snapshot
                if graph.version.number > version:
                    version = graph.version.number
                    yield graph
                else:
                    await listener.called()

    @contextmanager
    def _listening(self) -> Iterator[_Listener]:
        listener = _Listener()
        with self._lock:
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)


class _Listener:
    """One listener and the event loop it waits on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def wake(self) -> None:
        with suppress(RuntimeError):  # its loop is closed, so nobody waits any more
            self._loop.call_soon_threadsafe(self._event.set)

    async def called(self) -> None:
        await self._event.wait()
        self._event.clear()
