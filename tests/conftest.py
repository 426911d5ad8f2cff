"""What every test may ask for: the tiny graph, a store of it, and a client of the real application."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from kg import GraphService, Model, Snapshot, load_model, open_graph
from kg.graph import read_files
from kg.model import data_folder
from kg.reading import Document
from kg.store import Store
from server.app import create_app
from server.settings import Settings

ROOT = Path(__file__).parent.parent
TINY = ROOT / "tests" / "data" / "tiny"
HOSTILE = ROOT / "tests" / "data" / "hostile"
SHARED_REFERENCE = ROOT.parent / "shared" / "reference"
COMPILED = os.environ.get("TESTED_EXECUTOR") != "interpreted"  # which executor answers, where a test does not say


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="session")
def tiny_graph() -> Snapshot:
    return open_graph(seeds=TINY)


@pytest.fixture(scope="session")
def seed_graph() -> Snapshot:
    return open_graph()


@pytest.fixture(scope="session")
def hostile_graph() -> Snapshot:
    """A graph whose names try to become script, markup or syntax."""
    return open_graph(seeds=HOSTILE)


@pytest.fixture(scope="session")
def tiny_documents() -> list[Document]:
    return read_files([TINY])


@pytest.fixture
def service(tmp_path: Path, model: Model, tiny_documents: list[Document]) -> Iterator[GraphService]:
    with Store(tmp_path / "data") as store:
        service = GraphService(store, model)
        service.load(tiny_documents, message="tiny", author="kg")
        yield service


@pytest.fixture
def make_client(service: GraphService) -> Iterator[Callable[..., TestClient]]:
    """A client of the whole application, with settings of the test's choice."""
    made: list[TestClient] = []

    def make(**settings: Any) -> TestClient:
        given = Settings(**{"compiled": COMPILED, **settings})
        made.append(TestClient(create_app(service, given), raise_server_exceptions=False))
        return made[-1]

    yield make
    for client in made:
        client.app.state.runner.close()  # type: ignore[attr-defined]


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()


@pytest.fixture
def ask(client: TestClient) -> Callable[..., dict[str, Any]]:
    """Run a query and return the whole response body."""

    def ask(query: str, **variables: Any) -> dict[str, Any]:
        response = client.post("/graphql", json={"query": query, "variables": variables})
        body: dict[str, Any] = response.json()
        return body

    return ask


@pytest.fixture
def schema_copy(tmp_path: Path) -> Path:
    """A copy of the schema folder to add to."""
    folder = tmp_path / "schema"
    shutil.copytree(data_folder("schema"), folder)
    return folder
