"""Whatever was asked of a version, it is given back when the next one comes, and the collector is not needed for that."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.graph import open_service
from kg.reading import name_nodes, read_text
from server.graphql.examples import load_examples
from server.graphql.execution import Engine
from server.graphql.query import build_schema
from server.settings import Settings
from tests.conftest import ROOT

PATIENCE = 2.0  # seconds


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_every_example_lets_go_of_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.snapshot.MOST_HELD", 10**6)  # nor is it called for
    service = open_service(tmp_path / "data", seeds=ROOT / "seeds", publish="none")
    engine = Engine(build_schema(service.model, Settings()), service, Settings())
    held = []
    for number, example in enumerate(load_examples()):
        for _ in range(2):
            assert b'"errors"' not in engine.execute(engine.prepare(example.query, None, {}), {}).body[:10]
        columns = weakref.ref(service.snapshot.columns)
        text = f'@prefix skos: <http://www.w3.org/2004/02/skos/core#> . <http://purl.obolibrary.org/obo/MONDO_0007915> skos:altLabel "name {number}" .'
        plan = service.plan([name_nodes(read_text(text.encode(), "ttl", "names.ttl"))])
        service.apply(plan, message="m", author="a")
        del plan
        end = time.monotonic() + PATIENCE
        while columns() is not None and time.monotonic() < end:
            time.sleep(0.005)
        if columns() is not None:
            held.append(example.name)
    engine.citations.close()
    service.close()
    assert not held
