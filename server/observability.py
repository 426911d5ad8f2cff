"""What the service says of itself: one log line a request, an id to find it by, and Prometheus metrics."""

from __future__ import annotations

import logging
import random
import re
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from itertools import accumulate
from json.encoder import encode_basestring_ascii as quoted
from typing import BinaryIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("cartograph.http")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
STARTED = "cartograph.started"  # in the scope of a request that came some time before it is passed on: when
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


class Counts(Collector):
    """A counter with labels, for the event loop alone: the client's own takes a lock, and four times as long."""

    def __init__(self, name: str, said: str, labels: Sequence[str]) -> None:
        self.name, self.said, self.labels = name, said, labels
        self._of: dict[tuple[str, ...], list[float]] = {}  # how many, and since when

    def add(self, *of: str) -> None:
        """Count one more."""
        counted = self._of.get(of)
        if counted is None:
            counted = self._of[of] = [0.0, time.time()]
        counted[0] += 1.0

    def collect(self) -> Iterator[Metric]:
        """Yield what was counted."""
        family = CounterMetricFamily(self.name, self.said, labels=self.labels)
        for of, (number, since) in self._of.items():
            family.add_metric(of, number, since)
        yield family


class Times(Collector):
    """A histogram of seconds by one label, for the event loop alone, as ``Counts`` is."""

    bounds = Histogram.DEFAULT_BUCKETS

    def __init__(self, name: str, said: str, label: str) -> None:
        self.name, self.said, self.label = name, said, label
        self._of: dict[str, tuple[list[int], list[float]]] = {}  # how many in each bucket; their sum, and since when

    def add(self, of: str, seconds: float) -> None:
        """Count one more."""
        counted = self._of.get(of)
        if counted is None:
            counted = self._of[of] = [0] * len(self.bounds), [0.0, time.time()]
        counted[0][bisect_left(self.bounds, seconds)] += 1
        counted[1][0] += seconds

    def collect(self) -> Iterator[Metric]:
        """Yield what was counted."""
        family = HistogramMetricFamily(self.name, self.said, labels=[self.label])
        for of, (buckets, (total, since)) in self._of.items():
            below = zip(map(floatToGoString, self.bounds), map(float, accumulate(buckets)), strict=True)
            family.add_metric([of], list(below), total)
            family.add_sample(f"{self.name}_created", {self.label: of}, since)
        yield family


class Metrics:
    """The service's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counts("http_requests", "HTTP requests.", ["method", "route", "status"])
        self.seconds = Times("http_request_seconds", "Time to answer, in seconds.", "route")
        self.operations = Counts(
            "graphql_operations",
            "GraphQL operations, by how they were answered: compiled, interpreted, cached or refused.",
            ["how"],
        )
        for often in (self.requests, self.seconds, self.operations):
            self.registry.register(often)
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

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self.requests.add(method, route, str(status))
        self.seconds.add(route, seconds)

    def operation(self, how: str) -> None:
        """Count a GraphQL operation by how it was answered."""
        self.operations.add(how)

    def gauge(self, name: str, description: str, read: Callable[[], float]) -> None:
        """Publish a number that is read when the metrics are asked for."""
        self._gauges[name] = Gauge(name, description, registry=self.registry)
        self._gauges[name].set_function(read)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


def request_id_of(given: bytes | None) -> str:
    """Return the id that a client gave its request, if it can be one, else one that no other request has."""
    said = str(given, "latin-1") if given else ""
    return said if said and REQUEST_ID.fullmatch(said) else f"{random.getrandbits(128):032x}"


def tell_request_id(request_id: str) -> None:
    """Have what the current context logs name a request."""
    _request_id.set(request_id)


class Requests:
    """Reports requests: a log line and metrics for each."""

    def __init__(self, metrics: Metrics, routes: frozenset[str]) -> None:
        self.metrics = metrics
        self.routes = routes

    def report(self, method: str, path: str, status: int, seconds: float, request_id: str) -> None:
        """Report a request that was answered."""
        ms = round(seconds * 1000, 2)
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


class Observed:
    """ASGI middleware: request id, log line and metrics for each request."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self.app = app
        self.requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and report it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = scope.get(STARTED) or time.perf_counter()
        request_id = request_id_of(dict(scope["headers"]).get(b"x-request-id"))
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
            self.requests.report(scope["method"], scope["path"], status, time.perf_counter() - started, request_id)
            _request_id.set("")
