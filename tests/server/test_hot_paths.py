"""Three hot paths stay as short as they are: calls are counted, not timed, so no busy machine fails a build.

A count is of Python's and C's functions called while a warm service answers, caches of responses off. Where a test says
that a path became longer, and it should have: `python -m tests.server.test_hot_paths` prints the counts of now.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from types import FrameType
from typing import Any

import orjson
import pytest
import structlog
from starlette.applications import Starlette

from kg.graph import GraphService, open_service
from server.app import create_app
from server.settings import Settings
from server.straight import AtOnce
from tests.benchmarks.synthetic import write

ASSERTIONS = 3_000
LIST = "query($n: Int!) { therapies(first: $n) { nodes { curie label description modality platform } } }"
NESTED = """query($n: Int!) { diseases(first: $n) { nodes { curie label drivenBy(first: 5) { edges {
  confidence evidence { level direction date } node { curie label expresses(first: 5) { edges {
    confidence evidence { level direction date } node { curie label symbol } } } } } } } } }"""
VIEW = """query($n: Int!) { graphView(around: ["therapy:bench-00042"], depth: 3, maxNodes: $n, maxEdges: $n) {
  nodes { entity { curie label } distance hidden } edges { id confidence } totalNodes } }"""
ENTITY = """query($n: Int!) { entity(curie: "therapy:bench-00042") { curie label description
  ... on Therapy { modality targets(first: $n) { edges { node { curie } } } } } }"""
# calls of Python functions and of C functions, measured with CPython 3.11; others make a few less
MOST = {
    ("entity", 1): (209, 181),
    ("at once", 1): (87, 72),
    ("list", 100): (45, 327),
    ("nested", 15): (1399, 2338),
    ("view", 200): (1670, 1256),
}
QUERIES = {"entity": ENTITY, "at once": ENTITY, "list": LIST, "nested": NESTED, "view": VIEW}
HEADERS = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"accept", b"application/json")]
ROOM = 1.15  # for other versions of Python and of libraries

Asked = Callable[[str, int], tuple[int, int]]


class Counted:
    """The application in this process, asked for an entity as over HTTP and for the rest without; counts the calls.

    Over HTTP is either by way of all layers, or at once.
    """

    def __init__(self, service: GraphService) -> None:
        settings = Settings(response_cache_bytes=0, kept_answer_bytes=0, inline_cost=10**9, citations=0)
        self.app: Starlette = create_app(service, settings)
        self.at_once: AtOnce = self.app.state.at_once
        self.runner = asyncio.Runner()

    def __call__(self, name: str, n: int) -> tuple[int, int]:
        """Return the calls of Python and of C functions while a question is answered for the third time."""
        ask = {"entity": self._over_http, "at once": self._at_once}.get(name, self._directly)
        for _ in range(2):
            ask(QUERIES[name], n)
        counts = {"call": 0, "c_call": 0}

        def watch(_: FrameType, event: str, __: object) -> None:
            if event in counts:
                counts[event] += 1

        sys.setprofile(watch)
        try:
            ask(QUERIES[name], n)
        finally:
            sys.setprofile(None)
        return counts["call"], counts["c_call"]

    def _directly(self, query: str, n: int) -> None:
        engine = self.app.state.engine
        answer = engine.execute(engine.prepare(query, None, {"n": n}), {"n": n})
        assert not answer.has_errors, answer.body

    def _over_http(self, query: str, n: int) -> None:
        self.runner.run(self._answer(orjson.dumps({"query": query, "variables": {"n": n}})))

    def _at_once(self, query: str, n: int) -> None:
        body = orjson.dumps({"query": query, "variables": {"n": n}})
        head = self.at_once.heads.get(b"head")
        if head is None:
            lengthy = [*HEADERS, (b"content-length", b"%d" % len(body))]
            head = self.at_once.learn(b"head", len(body), {"method": "POST", "path": "/graphql", "headers": lengthy})
        assert head is not None
        assert isinstance(self.at_once.answer(head, body), bytes)

    async def _answer(self, body: bytes) -> None:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "root_path": "", "headers": HEADERS,
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        await self.app(scope, receive, send)
        answer = orjson.loads(b"".join(message.get("body", b"") for message in sent))
        assert "errors" not in answer, answer

    def close(self) -> None:
        self.app.state.runner.close()
        self.runner.close()


def service_in(folder: Path) -> GraphService:
    write(folder / "seeds", ASSERTIONS)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR)
    )  # as for other tests but quiet
    return open_service(folder / "data", seeds=folder / "seeds", publish="none")


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    service = service_in(tmp_path_factory.mktemp("hot"))
    found = Counted(service)
    yield found
    found.close()
    service.close()
    structlog.reset_defaults()


@pytest.mark.parametrize(("name", "n"), MOST)
def test_an_answer_takes_no_more_calls_than_it_did(counted: Counted, name: str, n: int) -> None:
    python, c = counted(name, n)
    most_python, most_c = MOST[name, n]
    assert python <= most_python * ROOM, f"{python} calls of Python functions; they were {most_python}"
    assert c <= most_c * ROOM, f"{c} calls of C functions; they were {most_c}"


@pytest.mark.parametrize(("name", "n"), [("list", 50), ("nested", 7), ("view", 100)])
def test_twice_as_much_takes_at_most_twice_the_calls(counted: Counted, name: str, n: int) -> None:
    """A look-up for each pair of things, or of everything for each thing, would show here."""
    once, twice = sum(counted(name, n)), sum(counted(name, 2 * n))
    assert once < twice < 2.1 * once


def main() -> None:
    """Print the counts of now."""
    with tempfile.TemporaryDirectory() as folder:
        service = service_in(Path(folder))
        counted = Counted(service)
        for name, n in MOST:
            print(f'    ("{name}", {n}): {counted(name, n)},')
        for name, n in (("list", 50), ("nested", 7), ("view", 100)):
            print(name, n, counted(name, n), counted(name, 2 * n))
        counted.close()
        service.close()


if __name__ == "__main__":
    main()
