"""From documents to plans."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import strawberry
from graphql import (
    DocumentNode,
    GraphQLAbstractType,
    GraphQLObjectType,
    OperationType,
    default_type_resolver,
    get_operation_ast,
)
from graphql.pyutils import is_awaitable

from server.graphql.compiled.errors import NotCompilable
from server.graphql.compiled.fields import FieldReader
from server.graphql.compiled.plan import Flags, Plan, Specialisation
from server.graphql.compiled.selections import Collector, flags_of, fragments_of
from server.graphql.compiled.writer import Setting, Writer

MAX_FLAGS = 4  # variables in @skip and @include; each doubles the specialisations there can be


class Compiler:
    """Compiles validated operations of a strawberry schema.

    ``type_name`` tells the GraphQL type of an object behind an interface or union; it is trusted in
    place of the schema's own type resolution. ``classes_decide`` promises that objects of one class are of
    one type. ``checkpoint`` is called once for every list that has lists inside its items, and may raise to stop the
    operation. ``unchanging`` names types of which no field, given the same arguments, ever says anything else of the
    same object; what is said of those may be kept (``Said``). Arguments are kept, literal ones with the plan and those
    of variables for the next request with the same values, so resolvers must not change what they are passed.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        type_name: Callable[[Any], str] | None = None,
        checkpoint: Callable[[], object] | None = None,
        *,
        classes_decide: bool = False,
        unchanging: Iterable[str] = (),
    ) -> None:
        self.schema = schema._schema
        self._setting = Setting(
            reader=FieldReader(schema),
            type_resolver=self._type_resolver if type_name is None else lambda _: type_name,
            trusts_types=type_name is not None,
            trusts_classes=classes_decide,
            checkpoint=checkpoint,
            kept=frozenset(unchanging),
        )

    def compile(self, document: DocumentNode, operation_name: str | None = None) -> Plan | None:
        """Return a plan for an operation of a valid document, or None if graphql-core must run it."""
        try:
            return self._compile(document, operation_name)
        except NotCompilable:
            return None

    def explain(self, document: DocumentNode, operation_name: str | None = None) -> str | None:
        """Return why an operation cannot be compiled, or None if it can."""
        try:
            self._compile(document, operation_name)
        except NotCompilable as reason:
            return str(reason)
        return None

    def _compile(self, document: DocumentNode, operation_name: str | None) -> Plan:
        try:
            return self._plan(document, operation_name)
        except NotCompilable:
            raise
        except Exception as error:
            raise NotCompilable(f"{type(error).__name__} while compiling") from error

    def _plan(self, document: DocumentNode, operation_name: str | None) -> Plan:
        operation = get_operation_ast(document, operation_name)
        if operation is None or operation.operation != OperationType.QUERY:
            raise NotCompilable("not a query")
        fragments = fragments_of(document)
        flags = flags_of(operation, fragments)
        if len(flags) > MAX_FLAGS:
            raise NotCompilable(f"more than {MAX_FLAGS} variables in @skip and @include")

        def specialise(values: Flags | None) -> Specialisation:
            named = None if values is None else dict(zip(flags, values, strict=True))
            writer = Writer(self._setting, Collector(self.schema, fragments, named))
            root = writer.root(cast(GraphQLObjectType, self.schema.query_type), operation.selection_set)
            return _built(writer, root)

        everything = specialise(None)  # what compiles with all fields in compiles without some
        return Plan(self.schema, operation, flags, specialise, everything)

    def _type_resolver(self, type_: GraphQLAbstractType) -> Callable[[Any], str]:
        resolve = type_.resolve_type or default_type_resolver
        info: Any = _Info(self.schema, type_.name)

        def type_of(value: Any) -> str:
            return resolve(value, info, type_)  # type: ignore[return-value]

        return type_of


def _built(writer: Writer, root: str) -> Specialisation:
    code = compile(writer.source, "<compiled GraphQL>", "exec")
    exec(code, writer.namespace)  # noqa: S102 - our own source, in which only GraphQL names come from outside
    return Specialisation(writer.namespace[root], tuple(writer.arguments), writer.source, writer.keeping)


class _Info:
    """As much of graphql-core's info as type resolution needs."""

    is_awaitable = staticmethod(is_awaitable)

    def __init__(self, schema: Any, field_name: str) -> None:
        self.schema = schema
        self.field_name = field_name
