"""From a query text to an answer: parse, limit, validate, plan once; then execute against one snapshot."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import isawaitable
from typing import Any, NamedTuple

import orjson
import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql import subscribe as graphql_subscribe
from graphql.execution.values import get_variable_values
from graphql.validation import NoSchemaIntrospectionCustomRule, specified_rules

from kg.errors import LimitExceeded
from kg.graph import GraphService
from kg.published import Serving
from server.auth import ANYONE, Identity
from server.citations import (
    CHANGED,
    SAME,
    UNSUPPORTED,
    Citation,
    Citations,
    EdgeChange,
    Replay,
    answer_id,
    asked,
    digest,
    now,
)
from server.graphql.caches import LRU
from server.graphql.changes import Changes
from server.graphql.compiled import Bail, Compiler, Plan, Said
from server.graphql.errors import formatted
from server.graphql.history import asks_store
from server.graphql.limits import Measured, Meter
from server.graphql.paging import glance_at_clock, start_clock, watch
from server.graphql.request import Request
from server.graphql.types import type_name
from server.graphql.writing import Writer
from server.observability import Metrics
from server.settings import Settings

MAX_ERRORS = 5
INTERPRETING = 20  # graphql-core takes about so many times what a compiled plan takes (tests/benchmarks/REPORT.md)
LONGEST_KEPT = 100_000  # characters of a document that is kept in the cache
LONGEST_KEPT_MUTATION = 2_000  # one that holds a whole file is not sent again; preparing takes the event loop 3 to 5 ms


@dataclass(frozen=True)
class Prepared:
    """A document ready to run, or the errors that keep it from running."""

    document: DocumentNode | None
    operation: OperationDefinitionNode | None
    errors: tuple[GraphQLError, ...] = ()
    measured: Measured | None = None
    plan: Plan | None = None
    asks_store: bool = False  # for what no snapshot holds

    @cached_property
    def text(self) -> str:
        """The text of the document that the operation is of."""
        return self.document.loc.source.body if self.document and self.document.loc else ""

    @cached_property
    def name(self) -> str | None:
        """The operation's name."""
        return self.operation.name.value if self.operation and self.operation.name else None

    @cached_property
    def is_query(self) -> bool:
        """Whether the operation only reads."""
        return self._is(OperationType.QUERY)

    @cached_property
    def is_mutation(self) -> bool:
        """Whether the operation writes."""
        return self._is(OperationType.MUTATION)

    @cached_property
    def is_subscription(self) -> bool:
        """Whether the operation is a stream of answers."""
        return self._is(OperationType.SUBSCRIPTION)

    @cached_property
    def asked(self) -> bytes:
        """The document and the operation's name, as ``answer_id`` wants them."""
        return asked(self.text, self.name)

    def _is(self, type_: OperationType) -> bool:
        return self.operation is not None and self.operation.operation == type_


class Answer(NamedTuple):
    """A GraphQL response: ``executed`` is False where the request was refused before execution.

    ``cacheable`` ones stay the same for as long as the graph does: queries that were answered without errors.
    ``status`` is that of HTTP where another process gave one that is neither 200 nor 400.
    """

    body: bytes
    executed: bool
    has_errors: bool
    how: str
    cacheable: bool = False
    status: int | None = None


class Engine:
    """Executes operations against a service's current snapshot; safe to use from several threads."""

    def __init__(
        self, schema: strawberry.Schema, service: Serving, settings: Settings, metrics: Metrics | None = None
    ) -> None:
        self.service = service
        self.changes = Changes(service)
        self.writer = (
            Writer(service, self.changes, metrics or Metrics(), settings) if isinstance(service, GraphService) else None
        )
        self.settings = settings
        folder = None if settings.read_only else getattr(service, "folder", None)  # a graph in memory has none
        self.citations = Citations(folder, settings.citations)
        self.schema = schema._schema
        self.meter = Meter(self.schema, settings)
        self.documents: LRU[Prepared] = LRU(settings.document_cache)
        self.compiler = (
            Compiler(
                schema,
                type_name=type_name,
                checkpoint=glance_at_clock,
                classes_decide=True,
                unchanging=[kind.name for kind in service.model.kinds] if settings.kept_answer_bytes else (),
            )
            if settings.compiled
            else None
        )
        self.rules = [*specified_rules, *([] if settings.introspection else [NoSchemaIntrospectionCustomRule])]

    # -------------------------------------------------------------- preparing
    def prepare(self, query: str, operation_name: str | None, variables: Mapping[str, Any]) -> Prepared:
        """Return the parsed, limited and validated document, from the cache where it can be.

        Raises LimitExceeded for a document past a limit, with these variables.
        """
        key = (query, operation_name)
        prepared = self.documents.get(key)
        if prepared is None:
            prepared = self._prepare(query, operation_name, variables)
            if len(query) <= (LONGEST_KEPT_MUTATION if prepared.is_mutation else LONGEST_KEPT):
                self.documents.put(key, prepared)
        if prepared.measured:
            prepared.measured.of(variables)
        return prepared

    def _prepare(self, query: str, operation_name: str | None, variables: Mapping[str, Any]) -> Prepared:
        try:
            document = parse(query, max_tokens=self.settings.max_tokens)
        except GraphQLError as error:
            if "token" in error.message and str(self.settings.max_tokens) in error.message:
                raise LimitExceeded("max_tokens", self.settings.max_tokens, None, "Send a shorter document.") from error
            return Prepared(None, None, (error,))
        operation = get_operation_ast(document, operation_name)
        if operation is None:
            return Prepared(document, None, (GraphQLError(_no_operation(document, operation_name)),))
        measured = Measured(self.meter, document, operation)
        measured.of(variables)
        errors = validate(self.schema, document, self.rules, max_errors=MAX_ERRORS)
        if errors:
            return Prepared(document, operation, tuple(errors[:MAX_ERRORS]))
        plan = self.compiler.compile(document, operation_name) if self.compiler else None
        return Prepared(document, operation, (), measured, plan, asks_store(document, operation))

    def is_quick(self, prepared: Prepared, variables: Mapping[str, Any]) -> bool:
        """Whether an operation may run on the event loop: nothing heavy in it, and its cost is small for how it runs."""
        if not prepared.measured:
            return True
        measures = prepared.measured.of(variables)
        most = self.settings.inline_cost if prepared.plan else self.settings.inline_cost / INTERPRETING
        return not measures.heavy and measures.cost <= most

    # -------------------------------------------------------------- executing
    def request(self, identity: Identity = ANYONE) -> Request:
        """Return what one operation works with, pinned to the graph as it is now."""
        return Request(self.service, self.settings, identity, self.writer, self.changes)

    def execute(
        self,
        prepared: Prepared,
        variables: Mapping[str, Any],
        identity: Identity = ANYONE,
        gone: Callable[[], bool] | None = None,
    ) -> Answer:
        """Run a prepared query or mutation and return the response as JSON; user errors are part of it.

        ``gone`` says whether the client went away; searches then end at once, by raising ClientGone.
        """
        start_clock(self.settings.request_seconds)
        watch(gone)
        request = self._cited(self.request(identity), prepared, variables)
        if prepared.errors or prepared.document is None or prepared.operation is None:
            return self._refusal(prepared.errors, request)
        if prepared.plan is not None:
            try:
                data = prepared.plan.execute(request, dict(variables), self._said(request, prepared))
            except Bail:
                request = self._cited(self.request(identity), prepared, variables)  # graphql-core says what is wrong
            else:
                self._keep(request, prepared, variables, data)
                body = _encode({"data": data, "extensions": {"graph": request.extensions}})
                return Answer(body, True, False, "compiled", cacheable=True)
        coerced = get_variable_values(self.schema, prepared.operation.variable_definitions or [], dict(variables))
        if isinstance(coerced, list):
            return self._refusal(coerced, request)
        return self._interpret(prepared, variables, request)

    def _said(self, request: Request, prepared: Prepared) -> Said | None:
        """Return what earlier answers said of this version's entities."""
        if prepared.asks_store or not self.settings.kept_answer_bytes:
            return None
        derived = request.graph.derived
        said: Said | None = derived.get("said")
        return said or derived.setdefault("said", Said(self.settings.kept_answer_bytes))

    @property
    def kept_bytes(self) -> int:
        """Bytes that are kept of answers about this version's entities."""
        said: Said | None = self.service.snapshot.derived.get("said")
        return said.used if said else 0

    def _interpret(self, prepared: Prepared, variables: Mapping[str, Any], request: Request) -> Answer:
        result = execute_sync(
            self.schema,
            prepared.document,  # type: ignore[arg-type]
            root_value=request,
            variable_values=dict(variables),
            operation_name=prepared.name,
        )
        if prepared.is_query and not result.errors:
            self._keep(request, prepared, variables, result.data)
        return self._answer(result, request, cacheable=prepared.is_query and not result.errors)

    # -------------------------------------------------------------- citing
    def _cited(self, request: Request, prepared: Prepared, variables: Mapping[str, Any]) -> Request:
        """Give a query's request the id of its answer, and the means to ask an older one again."""
        if prepared.is_query and not prepared.errors:
            request.answer = answer_id(request.graph.version.tag, prepared.asked, variables)
            request.replay = self.replay
        return request

    def _keep(self, request: Request, prepared: Prepared, variables: Mapping[str, Any], data: Any) -> None:
        """Keep the answer of a search, so that it can be asked again."""
        if request.edges is None or request.answer is None:
            return
        edges = {id_: assertion.confidence for id_, assertion in request.edges.items()}
        question = (prepared.text, prepared.name, dict(variables))
        number = request.graph.version.number
        whole = orjson.loads(_encode(data))  # parts of it may be JSON already
        self.citations.keep(Citation(request.answer, number, now(), *question, digest(whole), edges))

    def replay(self, id_: str) -> Replay:
        """Ask a kept answer's question again of the graph as it is now; raises NotFound for an id that is not kept."""
        old = self.citations.find(id_)
        prepared = self.prepare(old.query, old.operation, old.variables)
        request = self.request()
        result = execute_sync(
            self.schema, prepared.document, root_value=request,  # type: ignore[arg-type]
            variable_values=old.variables, operation_name=prepared.name,
        )  # fmt: skip
        edges = tuple(_edge_changes(old, request))
        verdict = SAME if not edges and digest(result.data) == old.digest else CHANGED
        if result.errors or any(edge.after is None for edge in edges):
            verdict = UNSUPPORTED
        return Replay(old, request.graph.version.number, verdict, edges)

    @staticmethod
    def _answer(result: ExecutionResult, request: Request, *, cacheable: bool = False) -> Answer:
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body = {"errors": [formatted(error) for error in result.errors], **body}
        body["extensions"] = {"graph": request.extensions}
        return Answer(_encode(body), True, bool(result.errors), "interpreted", cacheable)

    async def subscribe(
        self, prepared: Prepared, variables: Mapping[str, Any], identity: Identity = ANYONE
    ) -> AsyncGenerator[Answer, None]:
        """Yield the answers of a prepared subscription until it ends."""
        start_clock(self.settings.request_seconds)
        request = self.request(identity)
        if prepared.errors or prepared.document is None:
            yield self._refusal(prepared.errors, request)
            return
        results = graphql_subscribe(
            self.schema,
            prepared.document,
            root_value=request,
            variable_values=dict(variables),
            operation_name=prepared.name,
        )
        stream = await results if isawaitable(results) else results
        if isinstance(stream, ExecutionResult):
            yield self._refusal(stream.errors or (), request)
            return
        try:
            async for result in stream:
                yield self._answer(result, request)
        finally:
            await stream.aclose()  # type: ignore[attr-defined]

    @staticmethod
    def _refusal(errors: Any, request: Request) -> Answer:
        body = {"errors": [formatted(error) for error in errors], "extensions": {"graph": request.extensions}}
        return Answer(_encode(body), False, True, "refused")


def _edge_changes(old: Citation, request: Request) -> Iterator[EdgeChange]:
    """Yield how the edges that an answer rested on, and those it rests on now, differ; gone ones first."""
    graph, now_ = request.graph, request.edges or {}
    found = []
    for id_ in {**old.edges, **now_}:
        assertion = now_.get(id_) or graph.assertion_by_id.get(id_)
        before = old.edges.get(id_)
        after = assertion.confidence if assertion is not None and assertion.supported else None
        if before != after:
            text = f"{assertion.subject.label} {assertion.relation} {assertion.object.label}" if assertion else id_
            found.append(EdgeChange(id_, text, before, after))
    yield from sorted(found, key=lambda change: (change.after is not None, change.before is None, change.assertion))


def _no_operation(document: DocumentNode, name: str | None) -> str:
    names = [d.name.value for d in document.definitions if isinstance(d, OperationDefinitionNode) and d.name]
    listed = f" The document has {', '.join(names)}." if names else ""
    if name:
        return f"The document has no operation called {name!r}.{listed}"
    count = sum(isinstance(d, OperationDefinitionNode) for d in document.definitions)
    return (
        f"The document has {count} operations; say with operationName which one to run.{listed}"
        if count
        else "The document has no operation to run."
    )


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body, default=str)
    except (TypeError, ValueError):  # a lone surrogate in an echoed value is no UTF-8, but JSON can escape it
        import json

        return json.dumps(body, default=_said_or_text).encode()


def _said_or_text(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value)) if isinstance(value, orjson.Fragment) else str(value)


__all__ = ["Answer", "Engine", "ExecutionResult", "Prepared"]
