"""Compiled execution against graphql-core on random valid documents: the same bytes, or a bail where it has errors."""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import orjson
from graphql import execute_sync, parse, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.graphql.compiled import Bail, Compiler
from tests.server.compiled_schema import VALUES, Root, make_schema
from tests.server.documents import Case, Documents

EXAMPLES = int(os.environ.get("COMPILED_FUZZ_EXAMPLES", "1000"))
SEEDS = st.integers(0, 2**64)
PLENTY = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
)

SCHEMA = make_schema()
COMPILERS = (Compiler(SCHEMA), Compiler(SCHEMA, type_name=lambda thing: thing.kind, checkpoint=lambda: None))
DOCUMENTS = Documents(SCHEMA._schema, VALUES)
# Root fields that often fail are drawn by one test only, or most documents would end in errors.
SOUND = Documents(SCHEMA._schema, VALUES, skip=frozenset({"Query.boom", "Query.nothing"}))
ROOT = Root()


def compare(case: Case, compiler: Compiler) -> str:
    """Return what became of a case; fail where compiled execution and graphql-core differ."""
    document = parse(case.query)
    assert not validate(SCHEMA._schema, document)
    plan = compiler.compile(document, "Q")
    if plan is None:
        assert "variables in @skip" in str(compiler.explain(document, "Q"))
        return "refused"
    expected = execute_sync(SCHEMA._schema, document, ROOT, variable_values=dict(case.variables))
    try:
        data = plan.execute(ROOT, case.variables)
    except Bail:
        if not expected.errors:
            raise  # bailed without need
        return "bailed"
    assert not expected.errors
    assert orjson.dumps(data) == orjson.dumps(expected.data)
    return "same"


@PLENTY
@given(SEEDS)
def test_compiled_data_is_graphql_cores_data(seed):
    """Including key order, with the schema's own type resolution."""
    compare(SOUND.case(Random(seed)), COMPILERS[0])


@PLENTY
@given(SEEDS)
def test_the_type_name_hook_changes_nothing(seed):
    """Trusted type names replace is_type_of behind interfaces."""
    compare(SOUND.case(Random(seed)), COMPILERS[1])


@PLENTY
@given(SEEDS)
def test_errors_are_left_to_graphql_core(seed):
    """Wherever graphql-core answers with errors, compiled code bails, and nowhere else."""
    compare(DOCUMENTS.case(Random(seed)), COMPILERS[0])


def test_most_random_documents_are_compiled_and_answered():
    """Guards the fuzzing itself: it would prove little if most cases bailed."""
    outcomes = Counter(compare(SOUND.case(Random(seed)), COMPILERS[0]) for seed in range(300))
    assert outcomes["same"] >= 150, outcomes
    assert outcomes["refused"] <= 15, outcomes
