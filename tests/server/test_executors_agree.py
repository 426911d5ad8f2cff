"""The compiled executor and graphql-core answer alike, on the schema that is really served."""

import os
from base64 import urlsafe_b64encode
from random import Random

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg import Snapshot
from server.graphql.examples import Example, load_examples
from server.graphql.execution import Engine
from server.graphql.query import build_schema
from server.settings import Settings
from tests.server.documents import Documents

CASES = int(os.environ.get("COMPILED_FUZZ_EXAMPLES", "1000"))
GENEROUS = Settings(max_cost=10**9, max_depth=100, max_aliases=10**6, max_directives=10**6, request_seconds=3600)
CURSOR = urlsafe_b64encode(b"memory-0|therapy:beta").decode().rstrip("=")
VALUES = {
    "Query.node.id": ["therapy:alpha", "MONDO:0007915", "nothing:1"],
    "Query.nodes.ids": ["therapy:alpha", "HGNC:1633"],
    "Query.entity.curie": ["therapy:alpha", "MONDO:0007915", "HGNC:1633", "DOID:9074"],
    "Query.search.text": ["lupus", "CD19", "sytemic lupus", "x"],
    "Query.graphView.around": ["therapy:alpha", "MONDO:0007915"],
    "first": [0, 1, 2, 50],
    "last": [0, 1, 2],
    "Query.therapies.after": [CURSOR],
    "Query.therapies.before": [CURSOR],
    "after": [CURSOR],
    "before": [CURSOR],
    "depth": [0, 1, 2],
    "maxNodes": [1, 3, 100],
    "relations": ["targets", "drivenBy"],
    "relation": ["targets", "treats"],
    "Date": ["2021-12-31", "2024-12-31"],
    "PartialDate": ["2020", "2023-01-15"],
    "minConfidence": [0.0, 0.5, 1.0],
}


class Loaded:
    """A snapshot in the place of a service."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.model = snapshot.model
        self.store = self

    def history(self) -> tuple[()]:
        return ()


def compare(engine: Engine, query: str, variables: dict[str, object], name: str | None) -> str:
    """Return how the case went; fail where the two executors differ in a byte."""
    prepared = engine.prepare(query, name, variables)
    assert not prepared.errors, prepared.errors
    if prepared.plan is None:
        return "refused"
    fast, again = (engine.execute(prepared, variables) for _ in range(2))  # the second has parts of the first
    assert (fast.how, fast.body) == (again.how, again.body)
    plan, body = prepared.plan, None
    object.__setattr__(prepared, "plan", None)
    slow = engine.execute(prepared, variables)
    object.__setattr__(prepared, "plan", plan)
    body = orjson.loads(slow.body)
    assert (fast.how == "compiled") is ("errors" not in body), (
        "bailed without need" if "errors" not in body else "missed an error"
    )
    if fast.how == "compiled":
        assert fast.body == slow.body
    return fast.how


@pytest.fixture(scope="module")
def engine(tiny_graph: Snapshot) -> Engine:
    return Engine(build_schema(tiny_graph.model, GENEROUS), Loaded(tiny_graph), GENEROUS)  # type: ignore[arg-type]


def test_random_documents_get_the_same_bytes(engine: Engine) -> None:
    documents = Documents(engine.schema, VALUES)
    outcomes: dict[str, int] = {}

    @settings(
        max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    @given(st.integers(0, 2**64))
    def case(seed: int) -> None:
        drawn = documents.case(Random(seed))
        how = compare(engine, drawn.query, dict(drawn.variables), "Q")
        outcomes[how] = outcomes.get(how, 0) + 1

    case()
    assert outcomes.get("compiled", 0) > CASES * 0.2, f"the fuzzing proves little when most cases bail: {outcomes}"


@pytest.mark.parametrize("example", load_examples(), ids=lambda e: e.name)
def test_every_example_is_compiled_and_answered_alike(seed_graph: Snapshot, example: Example) -> None:
    engine = Engine(build_schema(seed_graph.model, GENEROUS), Loaded(seed_graph), GENEROUS)  # type: ignore[arg-type]
    assert compare(engine, example.query, {}, None) == "compiled"


@pytest.mark.parametrize("example", load_examples(), ids=lambda e: e.name)
def test_every_example_passes_the_default_limits(seed_graph: Snapshot, example: Example) -> None:
    engine = Engine(build_schema(seed_graph.model), Loaded(seed_graph), Settings())  # type: ignore[arg-type]
    assert engine.prepare(example.query, None, {}).errors == ()
