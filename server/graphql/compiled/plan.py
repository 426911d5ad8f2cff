"""A compiled operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLSchema, GraphQLString, OperationDefinitionNode, is_non_null_type
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values

from server.graphql.compiled.errors import Anomaly, Bail
from server.graphql.compiled.fields import NO_VARIABLES, Arguments
from server.graphql.compiled.said import Said, Texts

Flags = tuple[bool, ...]
MOST_READY, LONGEST_KEY = 100, 1_000  # variables of which the arguments are kept, and their length in bytes


@dataclass(frozen=True, slots=True, eq=False)
class Specialisation:
    """The code of an operation under fixed values of its @skip and @include variables."""

    run: Callable[[Any, list[Any]], dict[str, Any]]
    arguments: tuple[Arguments, ...]
    source: str
    keeping: int  # number of functions that keep what they say


class Plan:
    """Runs one operation, with any variables, from any thread.

    There is at most one specialisation for each combination of flags, made when first needed.
    """

    __slots__ = ("_flags", "_operation", "_ready", "_schema", "_specialise", "_specialised", "_strings", "source")

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        flags: tuple[str, ...],
        specialise: Callable[[Flags], Specialisation],
        everything: Specialisation,
    ) -> None:
        self.source = everything.source
        """The generated code with every flagged field in, for reading."""
        self._schema = schema
        self._operation = operation
        self._strings = _required_strings(schema, operation)
        self._flags = flags
        self._specialise = specialise
        self._specialised: dict[Flags, Specialisation] = {} if flags else {(): everything}
        self._ready: dict[bytes, tuple[Specialisation, list[Any]]] = {}

    def execute(
        self, root_value: Any, variable_values: Mapping[str, Any] | None = None, said: Said | None = None
    ) -> dict[str, Any]:
        """Return the ``data`` of the response, from variables as the client sent them.

        Given ``said``, parts of it are kept there and are JSON already, for ``orjson.dumps``.
        Raises Bail, with its cause, whenever graphql-core might answer anything but this data alone.
        """
        try:
            chosen, arguments = self._prepared(variable_values or {})
            if chosen.keeping:
                texts = said.of(chosen, chosen.keeping) if said else Texts([{} for _ in range(chosen.keeping)])
                arguments = [*arguments, texts]
            return chosen.run(root_value, arguments)
        except Exception as error:
            raise Bail("the compiled operation gave up") from error

    def _prepared(self, raw: Mapping[str, Any]) -> tuple[Specialisation, list[Any]]:
        """Return the code for some variables and its arguments, kept for the next request with the same ones.

        Coercing and converting takes about a third of a small answer's time.
        """
        key = orjson.dumps(raw)  # tells 1 from true, which are equal and hash alike
        found = self._ready.get(key)
        if found is None:
            variables = self._variables(raw)
            chosen = self._choose(variables)
            found = chosen, [convert(variables) for convert in chosen.arguments]
            if len(key) <= LONGEST_KEY:
                if len(self._ready) >= MOST_READY:
                    self._ready.clear()
                self._ready[key] = found
        return found

    def _variables(self, raw: Mapping[str, Any]) -> VariableValues:
        definitions = self._operation.variable_definitions
        if not definitions:
            return NO_VARIABLES
        if self._strings is not None and all(raw.get(name).__class__ is str for name in self._strings):
            coerced = {name: raw[name] for name in self._strings}
            return VariableValues(
                {name: VariableValueSource(of, raw[name]) for name, of in self._strings.items()}, coerced
            )
        values = get_variable_values(self._schema, definitions, dict(raw))
        if isinstance(values, list):
            raise Anomaly("the variables do not fit")
        return values

    def _choose(self, variables: VariableValues) -> Specialisation:
        flags = tuple(variables.coerced[name] for name in self._flags)
        if not all(flag is True or flag is False for flag in flags):
            raise Anomaly("a condition is neither true nor false")
        chosen = self._specialised.get(flags)
        if chosen is None:
            chosen = self._specialised[flags] = self._specialise(flags)
        return chosen


def _required_strings(
    schema: GraphQLSchema, operation: OperationDefinitionNode
) -> dict[str, GraphQLVariableSignature] | None:
    """Return the variables by name if all are of type String!, without a default; graphql-core passes strings on as they are."""
    found = {}
    for definition in operation.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError) or signature.default is not None:
            return None
        if not is_non_null_type(signature.type) or signature.type.of_type is not GraphQLString:
            return None
        found[signature.name] = signature
    return found
