"""Checks of values at run time: the slow, careful side of what generated code tests inline."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import is_iterable

from server.graphql.compiled.errors import Anomaly

MAX_CLASSES = 1024

IS_STRING = "{0}.__class__ is str"

# Tests for values that a built-in scalar serializes to themselves.
QUICK_TESTS: dict[GraphQLScalarType, str] = {
    GraphQLString: IS_STRING,
    GraphQLID: IS_STRING,
    GraphQLBoolean: "{0}.__class__ is bool",
    GraphQLInt: "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647",
    GraphQLFloat: "{0}.__class__ is float and -1.7976931348623157e308 <= {0} <= 1.7976931348623157e308",
}


def reject_oddities(value: object) -> None:
    """Raise Anomaly for what no GraphQL value can be: nothing, an exception, something to await."""
    if isinstance(value, Exception):
        raise Anomaly("a resolver returned an exception") from value
    if value is None or value is Undefined or inspect.isawaitable(value) or isinstance(value, AsyncIterable):
        raise Anomaly(f"{type(value).__name__} where a value belongs")


class Classes:
    """Classes whose instances are fine as objects; generated code looks into ``known`` before it asks ``admit``.

    ``is_type_of`` is asked once for each class, so it must judge by the class alone.
    """

    def __init__(self, known: set[type] | None = None, is_type_of: Callable[[Any, Any], Any] | None = None) -> None:
        self.known: set[type] = set() if known is None else known
        self.is_type_of = is_type_of

    def admit(self, value: object) -> None:
        """Remember the class of an object, or raise Anomaly."""
        reject_oddities(value)
        if self.is_type_of is not None and not self.is_type_of(value, None):
            raise Anomaly(f"{type(value).__name__} is of another type")
        if len(self.known) >= MAX_CLASSES:
            self.known.clear()
        self.known.add(value.__class__)


def serializer(type_: GraphQLLeafType) -> Callable[[Any], Any]:
    """Return the careful serialization of a scalar or enum."""
    coerce = type_.coerce_output_value

    def serialize(value: Any) -> Any:
        reject_oddities(value)
        result = coerce(value)
        if result is None or result is Undefined:
            raise Anomaly(f"{type_.name} serialized to nothing")
        return result

    return serialize


def enum_names(type_: GraphQLEnumType) -> dict[Any, str]:
    """Return the GraphQL name of each Python member and value of an enum."""
    names: dict[Any, str] = {}
    for item in (*getattr(type_, "wrapped_cls", ()), *(value.value for value in type_.values.values())):
        try:
            names[item] = type_.coerce_output_value(item)
        except (TypeError, ValueError, GraphQLError):  # not hashable, or no value: left to the serializer
            continue
    return names


def items(value: Any) -> Iterable[Any]:
    """Return a list value that is neither list nor tuple; raises Anomaly for what cannot be one."""
    reject_oddities(value)
    if not is_iterable(value):
        raise Anomaly(f"{type(value).__name__} where a list belongs")
    return value
