"""Compiled execution: what it answers, what it leaves to graphql-core, and what it never does."""

from __future__ import annotations

import threading
from typing import Any

import orjson
import pytest
import strawberry
from graphql import execute_sync, parse, validate
from strawberry.permission import BasePermission

from server.graphql.compiled import Bail, Compiler
from tests.server.compiled_schema import Root, make_schema

SCHEMA = make_schema()
COMPILER = Compiler(SCHEMA)


def both(query: str, variables: dict[str, Any] | None = None, compiler: Compiler = COMPILER) -> Any:
    """Return the compiled answer, which must be graphql-core's to the byte."""
    document = parse(query)
    assert not validate(compiler.schema, document)
    plan = compiler.compile(document)
    assert plan is not None, compiler.explain(document)
    expected = execute_sync(compiler.schema, document, Root(), variable_values=dict(variables or {}))
    assert not expected.errors
    data = plan.execute(Root(), variables)
    assert orjson.dumps(data) == orjson.dumps(expected.data)
    return data


def bails(query: str, variables: dict[str, Any] | None = None, root: Any = None) -> BaseException | None:
    """Return the cause of a bail that graphql-core answers with errors."""
    document = parse(query)
    plan = COMPILER.compile(document)
    assert plan is not None, COMPILER.explain(document)
    assert execute_sync(SCHEMA._schema, document, root or Root(), variable_values=dict(variables or {})).errors
    with pytest.raises(Bail) as caught:
        plan.execute(root or Root(), variables)
    return caught.value.__cause__


SAME = {
    "attributes": "{ version again: version __typename }",
    "scalars": "{ therapy(number: 3) { curie label number ratio active startDate whenEver phase extra } }",
    "lists of lists with nulls": "{ therapy(number: 3) { grid synonyms } }",
    "a null object": '{ node(id: "none") { id } }',
    "nulls in a list of objects": "{ maybe(number: 3) { id } }",
    "an interface": '{ node(id: "3") { __typename id ... on Disease { label } ... on Therapy { phase } } }',
    "a union": "{ treatments { __typename ... on Entity { label } ... on Trial { number } } }",
    "merged fields": "{ therapy(number: 3) { neighbours { id } neighbours { label id } } therapy(number: 3) { id } }",
    "key order": "{ therapy(number: 3) { ...B a: id ...A } } fragment A on Therapy { b: id a: id } "
    "fragment B on Entity { c: id ...A }",
    "a parent parameter": "{ therapy(number: 3) { shout b: shout(times: 2) } }",
    "input objects": '{ entities(where: {number: {low: 2}, both: [{labelStarts: "T"}]}, since: "2020-01") '
    "{ echo totalCount } }",
    "enum arguments": "{ entities(plain: SECOND) { echo } }",
    "literal conditions": "{ version @skip(if: true) a: version @include(if: true) }",
    "nothing left": "{ therapy(number: 0) @include(if: true) { id @skip(if: true) } }",
    "one list item for a list": '{ therapy(number: 0) { neighbours(kinds: "TRIAL") { id } } }',
}


@pytest.mark.parametrize("query", SAME.values(), ids=SAME)
def test_answers_are_graphql_cores(query):
    both(query)


@pytest.mark.parametrize("variables", [{}, {"n": None}, {"n": 2}, {"n": 2, "w": None}, {"w": {"number": {"high": 4}}}])
def test_variables_are_read_on_every_request(variables):
    """Absent, null and given variables differ, inside input objects too."""
    both(
        "query ($n: Int, $w: Where = {number: {low: 1}}) { entities(where: $w) { echo nodes { id ... on Trial "
        "{ neighbours(first: $n) { id } } } } b: entities(where: {number: {low: 1, high: $n}}) { totalCount echo } }",
        variables,
    )


def test_one_plan_serves_different_variables():
    plan = COMPILER.compile(parse("query ($n: Int!) { therapy(number: $n) { number } }"))
    assert plan is not None
    assert [plan.execute(Root(), {"n": n})["therapy"]["number"] for n in (0, 3, 6)] == [0, 3, 6]


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("include", [{}, {"i": True}, {"i": False}])
def test_conditions_follow_their_variables(skip, include):
    query = "query ($s: Boolean!, $i: Boolean = false) { a: version @skip(if: $s) @include(if: $i) ...F @skip(if: $s) }"
    both(f"{query} fragment F on Query {{ version @include(if: $i) }}", {"s": skip, **include})


def test_each_combination_of_flags_is_specialised_once():
    """The memory of a plan is bounded by its flags."""
    plan = COMPILER.compile(
        parse("query ($a: Boolean!, $b: Boolean!) { x: version @skip(if: $a) version @skip(if: $b) }")
    )
    assert plan is not None
    for count in range(12):
        plan.execute(Root(), {"a": bool(count & 1), "b": bool(count & 2)})
    assert len(plan._specialised) == 4


def test_the_named_operation_is_compiled():
    document = parse("query A { a: version } query B { b: version }")
    plan = COMPILER.compile(document, "B")
    assert plan is not None
    assert plan.execute(Root()) == {"b": "1"}
    assert COMPILER.explain(document) == "not a query"


# ------------------------------------------------------------------ bails


BAD = {
    "a resolver raises": "{ boom }",
    "null where none may be": "{ nothing }",
    "a concrete type is wrong": "{ therapy(number: 1) { __typename } }",
    "an object outside its union": "{ treatments(wrong: true) { __typename } }",
}


@pytest.mark.parametrize("query", BAD.values(), ids=BAD)
def test_what_graphql_core_answers_with_errors_bails(query):
    assert bails(query) is not None


@pytest.mark.parametrize("variables", [{}, {"n": "x"}, {"n": None}, {"n": 2**40}])
def test_variables_that_do_not_fit_bail(variables):
    bails("query ($n: Int!) { therapy(number: $n) { id } }", variables)


@pytest.mark.parametrize("value", [None, RuntimeError("x"), [], 2 + 1j, {"a": 1}])
def test_a_value_that_is_no_string_bails(value):
    root = Root()
    root.version = value
    bails("{ version }", root=root)


@pytest.mark.parametrize("value", [7, 1.5, True, "x"])
def test_a_value_that_serializes_is_serialized(value):
    root = Root()
    root.version = value
    plan = COMPILER.compile(parse("{ version }"))
    assert plan is not None
    assert plan.execute(root) == execute_sync(SCHEMA._schema, parse("{ version }"), root).data


@pytest.mark.parametrize("value", ["text", {"a": 1}, 7, None])
def test_what_is_no_list_bails(value):
    root = Root()
    root.records[0].synonyms = value
    bails("{ therapy(number: 0) { synonyms } }", root=root)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "x"])
def test_a_float_that_json_cannot_say_bails(value):
    root = Root()
    root.records[0].ratio = value
    bails("{ therapy(number: 0) { ratio } }", root=root)


def test_a_checkpoint_stops_an_operation():
    """It is called once for each list with lists in its items, and what it raises is the bail's cause."""
    calls = []

    def checkpoint() -> None:
        calls.append(1)
        if len(calls) > 2:
            raise TimeoutError

    plan = Compiler(SCHEMA, checkpoint=checkpoint).compile(parse("{ entities { nodes { neighbours { synonyms } } } }"))
    assert plan is not None
    with pytest.raises(Bail) as caught:
        plan.execute(Root())
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert len(calls) == 3


def test_classes_that_decide_are_asked_once_each():
    """And an object of another class still bails, for graphql-core to say what is wrong."""
    compiler = Compiler(SCHEMA, classes_decide=True)
    both("{ therapy(number: 3) { id } }", compiler=compiler)
    plan = compiler.compile(parse("{ therapy(number: 3) { id } }"))
    assert plan is not None
    root = Root()
    root.records[3] = object()
    with pytest.raises(Bail):
        plan.execute(root)


def test_a_type_name_hook_replaces_type_resolution():
    compiler = Compiler(SCHEMA, type_name=lambda thing: thing.kind)
    both("{ treatments { __typename ... on Trial { number } } entities { nodes { id } } }", compiler=compiler)


def test_an_unknown_type_name_bails():
    plan = Compiler(SCHEMA, type_name=lambda _: "Page").compile(parse("{ treatments { __typename } }"))
    assert plan is not None
    with pytest.raises(Bail):
        plan.execute(Root())


# ------------------------------------------------------------------ refusals


class Never(BasePermission):
    message = "no"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        return False


@strawberry.type(name="Query")
class Other:
    """What a field may have that compiled code does not do."""

    fine: int = 1

    @strawberry.field
    async def later(self) -> int:
        return 1

    @strawberry.field
    def informed(self, info: strawberry.Info) -> int:
        return 1

    @strawberry.field(permission_classes=[Never])
    def guarded(self) -> int:
        return 1


@strawberry.type
class Change:
    @strawberry.mutation
    def change(self) -> int:
        return 1


FLAGS = ", ".join(f"$b{i}: Boolean!" for i in range(5))
FLAGGED = " ".join(f"a{i}: fine @skip(if: $b{i})" for i in range(5))

REFUSED = {
    "{ later }": "asynchronous",
    "{ informed }": "takes info",
    "{ guarded }": "permissions",
    "{ __schema { types { name } } }": "__schema is not defined by strawberry",
    '{ __type(name: "Query") { name } }': "__type is not defined by strawberry",
    "mutation { change }": "not a query",
    "{ fine @custom }": "@custom",
    "query @custom { fine }": "directive",
    "{ ...F @custom } fragment F on Query { fine }": "@custom",
    "{ ...Missing }": "Missing",
    f"query ({FLAGS}) {{ {FLAGGED} }}": "more than 4 variables",
    "{ fine later @skip(if: true) fine2: later }": "asynchronous",
}


@pytest.mark.parametrize(("query", "reason"), REFUSED.items())
def test_what_is_not_compiled_is_refused_with_a_reason(query, reason):
    schema = strawberry.Schema(Other, mutation=Change)
    compiler = Compiler(schema)
    assert compiler.compile(parse(query)) is None
    assert reason in str(compiler.explain(parse(query)))


def test_an_explosion_of_fragments_is_refused_quickly():
    """Fragments that spread the next one twice would be visited 2^n times by a naive walk."""
    chain = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} a{i}: version }}" for i in range(60))
    both(f"{{ ...F0 }} {chain} fragment F60 on Query {{ version }}")


def test_nesting_multiplies_neither_functions_nor_time():
    """Selections below an interface are shared by its types."""
    query = "id"
    for _ in range(12):
        query = "id " + " ".join(f"... on {t} {{ neighbours {{ {query} }} }}" for t in ("Therapy", "Disease"))
        query = f"id ...on Therapy {{ neighbours {{ {query} }} }}" if len(query) > 2000 else query
    plan = COMPILER.compile(parse(f'{{ node(id: "X:1") {{ {query} }} }}'))
    assert plan is None or plan.source.count("def ") <= 1000


def test_generated_code_holds_no_text_of_the_client():
    """Strings, enum values and numbers come through the namespace; only GraphQL names are written."""
    plan = COMPILER.compile(
        parse('{ node(id: "\\"); import os #") { id } entities(plain: SECOND, first: 987) { echo } }')
    )
    assert plan is not None
    assert not any(text in plan.source for text in ("import os", "SECOND", "987"))


def test_a_plan_runs_in_many_threads():
    plan = COMPILER.compile(parse("query ($n: Int!, $s: Boolean!) { therapy(number: $n) { number id @skip(if: $s) } }"))
    assert plan is not None
    wrong: list[Any] = []

    def work(n: int) -> None:
        for _ in range(200):
            data = plan.execute(Root(), {"n": n, "s": n == 3})["therapy"]
            if data["number"] != n or ("id" in data) is (n == 3):
                wrong.append(data)

    threads = [threading.Thread(target=work, args=(n,)) for n in (0, 3, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
