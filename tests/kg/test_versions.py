"""Versions come and go: what nobody uses is given back at once, and who still uses a version goes on."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kg.graph import GraphService, open_graph, open_service
from kg.matrices import matrices
from kg.overlay import scenario
from kg.reading import name_nodes, read_text
from kg.snapshot import Snapshot
from tests.conftest import TINY
from tests.kg.test_advance import PREFIXES, load_one_more


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def gone(reference: Callable[[], Any]) -> bool:
    end = time.monotonic() + 10
    while reference() is not None and time.monotonic() < end:
        time.sleep(0.01)
    return reference() is None


def look_everywhere(graph: Snapshot) -> None:
    for entity in graph.entities.values():
        for edges in entity.links.values():
            assert all(edge.assertion.evidence for edge in edges)
    earlier = graph.as_of(graph.assertions[0].latest)
    assert len([*earlier.assertions]) == len(earlier.assertions)
    assert graph.search("lupus")
    assert graph.by_kind["Disease"][0].links
    assert matrices(scenario(graph)).edges
    assert graph.nx.number_of_nodes() == len(graph.entities)
    assert graph.adjacency.bases


def test_a_version_is_given_back_without_the_collector(service: GraphService) -> None:
    """Its arrays are large, and the collector stops everybody while it looks for them."""
    look_everywhere(service.snapshot)
    columns = weakref.ref(service.snapshot.columns)
    adjacency = weakref.ref(service.snapshot.adjacency)
    load_one_more(service)
    assert gone(columns)
    assert gone(adjacency)


def test_a_preview_is_given_back_too(service: GraphService) -> None:
    text = PREFIXES + 'therapy:beta skos:altLabel "another" .'
    after = service.after(service.plan([name_nodes(read_text(text.encode(), "ttl", "two.ttl"))]))
    look_everywhere(after)
    columns = weakref.ref(after.columns)
    del after
    assert gone(columns)


def test_who_still_reads_a_version_goes_on_reading_it(service: GraphService) -> None:
    """A record, a list of entities and the assertions each keep what they need of their version."""
    graph = service.snapshot
    curie, shown, kinds, assertions = "therapy:beta", repr(graph), graph.by_kind, graph.assertions
    entity, count = graph.entity(curie), len(graph.assertions)
    handed_out = weakref.ref(graph)
    del graph
    load_one_more(service)
    assert gone(handed_out)
    time.sleep(0.1)  # what it was made of is let go on a thread of its own
    assert not entity.edges("depletes")
    assert repr(entity.graph) == shown
    assert [one.curie for one in kinds["Therapy"] if one.links] == [one.curie for one in kinds["Therapy"]]
    assert len([assertion.subject.links for assertion in assertions]) == count
    assert [edge.node.curie for edge in service.snapshot.entity(curie).edges("depletes")] == ["CL:0000786"]


def test_what_a_user_opened_stays_the_same(tmp_path: Path) -> None:
    """Of a record alone, in one line: what it leads to leads back to it."""
    open_service(tmp_path / "data", seeds=TINY).close()
    lupus = open_graph(tmp_path / "data").entity("MONDO:0007915")
    time.sleep(0.2)
    (edge,) = lupus.edges("drivenBy")
    assert edge.node.edges("drives")[0].node is lupus
