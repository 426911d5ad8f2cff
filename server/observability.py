"""What the service says of itself: one log line a request, an id to find it by, and Prometheus metrics."""

from __future__ import annotations

import logging
import random
import re
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from json.encoder import encode_basestring_ascii as quoted
from typing import BinaryIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("cartograph.http")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def configure_logging(level: str, format_: str) -> None:
    """Send structured logs to standard error: readable lines on a terminal, JSON elsewhere.

    Tracebacks come without the values of variables, for tokens are among them.
    """
    global _lines
    console = format_ == "console" or (format_ == "auto" and sys.stderr.isatty())
    tracebacks = structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )
    renderer = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    first: list[structlog.typing.Processor] = [
        _with_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        *([] if console else [tracebacks]),
    ]
    others = logging.StreamHandler(sys.stderr)  # what libraries log: uvicorn, of processes that die
    others.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=first))
    logging.basicConfig(handlers=[others], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[*first, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),  # a line at once: workers write to the same end
        cache_logger_on_first_use=True,
    )
    wanted = logging.getLevelNamesMapping()[level.upper()] <= logging.INFO
    _lines = None if console or not wanted else Lines(sys.stderr.buffer)


def _with_request_id(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if request_id := _request_id.get():
        event.setdefault("request_id", request_id)
    return event


class Lines:
    """Log lines of requests, the same that structlog writes as JSON, which takes it three times as long."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self._second, self._date = 0, ""

    def write(self, method: str, path: str, status: int, ms: float, request_id: str) -> None:
        """Write the line of one request; request ids need no escaping."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second, self._date = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        line = (
            f'{{"method": {quoted(method)}, "path": {quoted(path)}, "status": {status}, "ms": {ms}, '
            f'"event": "request", "request_id": "{request_id}", "level": "info", '
            f'"timestamp": "{self._date}.{int((now - second) * 1_000_000):06d}Z"}}\n'
        )
        self.stream.write(line.encode("ascii"))
        self.stream.flush()


_lines: Lines | None = None  # where the lines of requests go, if not through structlog


class Metrics:
    """The service's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests", "HTTP requests.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "http_request_seconds", "Time to answer, in seconds.", ["route"], registry=self.registry
        )
        self.operations = Counter(
            "graphql_operations",
            "GraphQL operations, by how they were answered: compiled, interpreted, cached or refused.",
            ["how"],
            registry=self.registry,
        )
        self.writes = Counter(
            "graph_writes",
            "Attempts to change the graph, by what was tried and what became of it.",
            ["what", "result"],
            registry=self.registry,
        )
        self.write_seconds = Histogram(
            "graph_write_seconds", "Time to check and apply a change, in seconds.", registry=self.registry
        )
        self.refused_tokens = Counter(
            "tokens_refused", "Requests with a token that is not valid.", registry=self.registry
        )
        self._gauges: dict[str, Gauge] = {}
        self._requests: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._operations: dict[str, Counter] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        key = (method, route, status)
        counted = self._requests.get(key)
        if counted is None:  # the client's own look-up of labels takes longer than the counting
            counted = self.requests.labels(method, route, str(status)), self.seconds.labels(route)
            self._requests[key] = counted
        counted[0].inc()
        counted[1].observe(seconds)

    def operation(self, how: str) -> None:
        """Count a GraphQL operation by how it was answered."""
        counter = self._operations.get(how)
        if counter is None:
            counter = self._operations[how] = self.operations.labels(how)
        counter.inc()

    def gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Publish a number that is read when the metrics are asked for."""
        self._gauges[name] = Gauge(name, description, registry=self.registry)
        self._gauges[name].set_function(read)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class Observed:
    """ASGI middleware: request id, log line and metrics for each request."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: frozenset[str]) -> None:
        self.app = app
        self.metrics = metrics
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and report it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if given and REQUEST_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
        status = 500

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        _request_id.set(request_id)
        try:
            await self.app(scope, receive, tell)
        finally:
            self._report(scope, status, time.perf_counter() - started, request_id)
            _request_id.set("")

    def _report(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        method, path, ms = scope["method"], scope["path"], round(seconds * 1000, 2)
        route = path if path in self.routes else self._folder(path)
        self.metrics.request(method, route, status, seconds)
        if _lines is not None and status < 500:
            _lines.write(method, path, status, ms, request_id)
        else:
            level = log.warning if status >= 500 else log.info
            level("request", method=method, path=path, status=status, ms=ms)

    def _folder(self, path: str) -> str:
        """Return the route that a path is below, so that metrics have few names however many pages there are."""
        folder = f"/{path.split('/')[1]}" if path.count("/") > 1 else path
        return folder if folder in self.routes or f"{folder}/" in self.routes else "other"
