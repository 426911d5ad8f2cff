"""What strawberry says about a field, and whether compiled code can resolve it."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from functools import partial
from typing import Any

import strawberry
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLString,
    ObjectValueNode,
    Undefined,
    get_named_type,
    get_nullable_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import ListValueNode, ValueNode, VariableNode
from strawberry.types.arguments import convert_arguments
from strawberry.types.base import StrawberryOptional
from strawberry.types.field import StrawberryField

from server.graphql.compiled.errors import NotCompilable

DEFINITION = "strawberry-definition"
FOLLOWS = "follows"  # attribute of a resolver that only reads attributes one after the other: their names
NO_VARIABLES = VariableValues({}, {})

Arguments = Callable[[VariableValues], dict[str, Any]]


class FieldReader:
    """Reads strawberry's definitions behind the fields of a schema."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self.schema = schema
        self._converter = schema.schema_converter

    def read(self, type_: GraphQLObjectType, name: str) -> tuple[GraphQLField, StrawberryField]:
        """Return graphql-core's and strawberry's definition of a field; NotCompilable if code cannot resolve it."""
        graphql_field = type_.fields.get(name)
        field = graphql_field.extensions.get(DEFINITION) if graphql_field else None
        if graphql_field is None or not isinstance(field, StrawberryField):
            raise NotCompilable(f"{type_.name}.{name} is not defined by strawberry")
        reason = self._objection(graphql_field, field)
        if reason:
            raise NotCompilable(f"{type_.name}.{name} {reason}")
        return graphql_field, field

    def _objection(self, graphql_field: GraphQLField, field: StrawberryField) -> str | None:
        resolver = field.base_resolver
        if not hasattr(graphql_field.resolve, "_is_default"):  # strawberry marks all resolvers it makes
            return "has a foreign resolver"
        if field.is_subscription or field.is_async:
            return "is asynchronous"
        if field.extensions or field.permission_classes:
            return "has extensions or permissions"
        if self._converter._get_field_exception_handlers(field):
            return "has exception handlers"
        if resolver and (resolver.info_parameter or not callable(resolver.wrapped_func)):
            return "takes info"
        if any(_builds_itself(get_named_type(a.type), set()) for a in graphql_field.args.values()):
            return "takes an input that builds itself"
        return None

    def arguments(self, graphql_field: GraphQLField, field: StrawberryField, node: FieldNode) -> Arguments:
        """Return a function from the request's variables to the resolver's keyword arguments."""
        convert = partial(self._convert, graphql_field, field, node)
        strings = self._string_variables(graphql_field, field, node)
        return convert if strings is None else partial(_strings_or_else, strings, convert)

    def _string_variables(
        self, graphql_field: GraphQLField, field: StrawberryField, node: FieldNode
    ) -> dict[str, str | None] | None:
        """Return the variables that a resolver's parameters take, where these are strings; of an omitted null, None.

        Returns None where anything else is given, or has another default.
        """
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        definitions = {self.schema.config.name_converter.from_argument(a): a for a in field.arguments}
        found: dict[str, str | None] = {}
        for name, argument in graphql_field.args.items():
            value, definition = given.get(name), definitions.get(name)
            if definition is None or not definition.python_name:
                return None
            is_string = get_nullable_type(argument.type) is GraphQLString and _of(definition.type) is str
            if isinstance(value, VariableNode) and is_string:
                found[definition.python_name] = value.name.value
            elif value is not None or argument.default is not None:
                return None
            elif argument.default_value is None and type(definition.type) is StrawberryOptional:
                found[definition.python_name] = None
            elif argument.default_value is not Undefined:
                return None
        return found

    def _convert(
        self, graphql_field: GraphQLField, field: StrawberryField, node: FieldNode, variables: VariableValues
    ) -> dict[str, Any]:
        return convert_arguments(
            get_argument_values(graphql_field, node, variables),
            field.arguments,
            scalar_registry=self._converter.scalar_registry,
            config=self.schema.config,
        )


def _strings_or_else(strings: dict[str, str | None], convert: Arguments, variables: VariableValues) -> dict[str, Any]:
    """Return string variables as they are; convert with care where one is missing or null."""
    values: dict[str, Any] = {}
    for name, variable in strings.items():
        value = None if variable is None else variables.coerced.get(variable)
        if variable is not None and value.__class__ is not str:
            return convert(variables)
        values[name] = value
    return values


def _of(type_: object) -> object:
    return type_.of_type if type(type_) is StrawberryOptional else type_


def has_variables(node: FieldNode) -> bool:
    """Return whether an argument of this field mentions a variable."""
    return any(_mentions_variable(argument.value) for argument in node.arguments or ())


def _mentions_variable(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(_mentions_variable(item) for item in value.values)
    if isinstance(value, ObjectValueNode):
        return any(_mentions_variable(member.value) for member in value.fields)
    return isinstance(value, VariableNode)


def _builds_itself(type_: object, seen: set[str]) -> bool:
    if not isinstance(type_, GraphQLInputObjectType) or type_.name in seen:
        return False
    seen.add(type_.name)
    definition = type_.extensions.get(DEFINITION)
    if getattr(definition, "from_input", None) is not None:
        return True
    return any(_builds_itself(get_named_type(member.type), seen) for member in type_.fields.values())


def source_parameters(field: StrawberryField, source: str) -> list[str]:
    """Return the parameters, as source text, through which a resolver gets its parent object."""
    resolver = field.base_resolver
    if resolver is None:
        return []
    named = {p.name for p in (resolver.parent_parameter, resolver.root_parameter) if p}
    return [source] * bool(resolver.self_parameter) + [f"{identifier(name)}={source}" for name in sorted(named)]


def identifier(name: str) -> str:
    """Return a name that is safe as a Python identifier; NotCompilable if it is not one."""
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name):
        raise NotCompilable(f"{name!r} is not a plain identifier")
    return name


def is_plain_getattr(field: StrawberryField) -> bool:
    """Return whether an attribute field is read with Python's own getattr."""
    return field.default_resolver is getattr
