"""What was said of an entity is part of later answers, and never of one that it does not belong to."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from kg.graph import GraphService
from kg.snapshot import Snapshot
from server.graphql.compiled import Said
from server.graphql.execution import Engine
from server.graphql.query import build_schema
from server.settings import Settings
from tests.kg.test_advance import load_one_more

LIST = "query($n: Int) { therapies(first: $n) { nodes { curie label targets(first: 1) { nodes { label } } } } }"
VARIED = "query($n: Int) { therapies { nodes { curie targets(first: $n) { nodes { curie label } } } } }"


def engine_of(service: Any, **settings: Any) -> Engine:
    given = Settings(citations=0, **settings)
    return Engine(build_schema(service.model, given), service, given)


def ask(engine: Engine, query: str, **variables: Any) -> dict[str, Any]:
    answer = engine.execute(engine.prepare(query, None, variables), variables)
    assert answer.how == "compiled", answer.body
    data: dict[str, Any] = orjson.loads(answer.body)["data"]
    return data


def said(graph: Snapshot) -> Said:
    found: Said = graph.derived["said"]
    return found


def test_a_longer_list_says_again_what_a_shorter_one_said(service: GraphService) -> None:
    engine = engine_of(service)
    one = ask(engine, LIST, n=1)
    used = said(service.snapshot).used
    assert ask(engine, LIST, n=1) == one
    assert said(service.snapshot).used == used
    two = ask(engine, LIST, n=2)
    assert two["therapies"]["nodes"][0] == one["therapies"]["nodes"][0]
    assert said(service.snapshot).used > used
    assert two == ask(engine_of(service, kept_answer_bytes=0), LIST, n=2)


def test_what_depends_on_variables_is_not_said_again(service: GraphService) -> None:
    engine = engine_of(service)
    found = [ask(engine, VARIED, n=n)["therapies"]["nodes"] for n in (0, 1, 0)]
    assert [any(node["targets"]["nodes"] for node in nodes) for nodes in found] == [False, True, False]


def test_the_next_version_says_its_own(service: GraphService) -> None:
    engine = engine_of(service)
    query = '{ entity(curie: "therapy:beta") { label ... on Therapy { depletes { nodes { curie } } } } }'
    assert ask(engine, query)["entity"]["depletes"]["nodes"] == []
    load_one_more(service)
    assert ask(engine, query)["entity"]["depletes"]["nodes"] == [{"curie": "CL:0000786"}]


@pytest.mark.parametrize("size", [1, 500, 2_000])
def test_no_more_is_kept_than_there_is_room_for(service: GraphService, size: int) -> None:
    engine, plain = engine_of(service, kept_answer_bytes=size), engine_of(service, kept_answer_bytes=0)
    for query in (LIST, LIST.replace("label", "description"), VARIED.replace("$n) {", "$n) { totalCount", 1)):
        for n in (1, 2, 3):
            assert ask(engine, query, n=n) == ask(plain, query, n=n)
            assert said(service.snapshot).used <= size


def test_text_that_is_no_unicode_is_answered_and_not_kept() -> None:
    room = Said(10_000)
    texts = room.of("plan", 1)
    answer = {"label": "\ud800"}
    assert texts.keep(0, "thing", answer) is answer
    assert not texts.by_function[0]
