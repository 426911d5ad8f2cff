"""Random valid GraphQL documents over any schema, to compare two executors of it.

``Documents(schema, values).case(Random(seed))`` draws one query with its variables; draw the seed
with Hypothesis (``st.randoms()`` shrinks, but is a hundred times slower). What is drawn is valid by
construction: within a document a response key always means the same field, arguments and type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

BUILT_IN: dict[str, Sequence[Any]] = {
    "Int": (0, 1, 2, 3, 7),
    "Float": (0.0, 0.5, 1, 2.25),
    "String": ("", "a", 'quo"te\\ \u00e9 \n'),
    "Boolean": (True, False),
    "ID": ("1", "x:1", 7),
}


@dataclass(frozen=True)
class Case:
    """A query and the variables to send with it."""

    query: str
    variables: dict[str, Any]


@dataclass(frozen=True)
class Documents:
    """Draws documents over a schema.

    ``values`` lists JSON values to draw from, by ``Type.field.argument`` or ``Input.field``, by the
    argument's or input field's own name if it is a scalar, or by the name of a scalar, the most specific first. ``skip`` names ``Type.field``s never to select.
    """

    schema: GraphQLSchema
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    max_depth: int = 5
    max_fields: int = 30
    skip: frozenset[str] = frozenset()

    def case(self, random: Random) -> Case:
        """Draw a query."""
        return _Draft(self, random).case()


class _Draft:
    """One document in the making."""

    def __init__(self, documents: Documents, random: Random) -> None:
        self.documents = documents
        self.schema = documents.schema
        self.random = random
        self.budget = documents.max_fields
        self.keys: dict[str, tuple[str, ...]] = {"__typename": ("__typename", "", "String!")}
        self.definitions: dict[str, str] = {}  # variable -> its definition
        self.variables: dict[str, Any] = {}
        self.fragments: dict[str, tuple[GraphQLNamedType, str]] = {}
        self.flags: list[str] = []

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def case(self) -> Case:
        assert self.schema.query_type
        body = self.selections(self.schema.query_type, 0)
        definitions = f"({', '.join(self.definitions.values())})" if self.definitions else ""
        fragments = "".join(f"\nfragment {n} on {t.name} {body}" for n, (t, body) in self.fragments.items())
        return Case(f"query Q{definitions} {body}{fragments}", self.variables)

    # ------------------------------------------------------------ selections
    def selections(self, type_: GraphQLNamedType, depth: int) -> str:
        count = self.random.randint(1, 4)
        drawn = [self.selection(type_, depth) for _ in range(count)]
        return "{ " + " ".join(drawn) + " }"

    def selection(self, type_: GraphQLNamedType, depth: int) -> str:
        if depth < self.documents.max_depth and self.budget > 0:
            if self.chance(0.12):
                return self.inline(type_, depth)
            if self.chance(0.12):
                return self.spread(type_, depth)
        return self.field(type_, depth)

    def inline(self, type_: GraphQLNamedType, depth: int) -> str:
        if self.chance(0.2):
            return f"...{self.condition()} {self.selections(type_, depth + 1)}"
        target = self.random.choice(self.overlapping(type_))
        return f"... on {target.name}{self.condition()} {self.selections(target, depth + 1)}"

    def spread(self, type_: GraphQLNamedType, depth: int) -> str:
        targets = self.overlapping(type_)
        known = [name for name, (target, _) in self.fragments.items() if target in targets]
        if known and self.chance(0.5):
            return f"...{self.random.choice(known)}{self.condition()}"
        target = self.random.choice(targets)
        body = self.selections(target, depth + 1)
        name = f"F{len(self.fragments)}"
        self.fragments[name] = (target, body)
        return f"...{name}{self.condition()}"

    def possible(self, type_: GraphQLNamedType) -> set[str]:
        if is_abstract_type(type_):
            return {t.name for t in self.schema.get_possible_types(type_)}
        return {type_.name}

    def overlapping(self, type_: GraphQLNamedType) -> list[GraphQLNamedType]:
        mine = self.possible(type_)
        named = sorted(self.schema.type_map.items())
        return [t for _, t in named if is_composite_type(t) and mine & self.possible(t)]

    def condition(self) -> str:
        if not self.chance(0.15):
            return ""
        name = self.random.choice(("skip", "include"))
        if self.chance(0.4):
            return f" @{name}(if: {self.random.choice(('true', 'false'))})"
        return f" @{name}(if: ${self.flag()})"

    def flag(self) -> str:
        if self.flags and self.chance(0.6):
            return self.random.choice(self.flags)
        name = f"b{len(self.flags)}"
        self.flags.append(name)
        value = self.chance(0.5)
        if self.chance(0.2):
            self.definitions[name] = f"${name}: Boolean = {json.dumps(value)}"
        else:
            self.definitions[name] = f"${name}: Boolean!"
            self.variables[name] = value
        return name

    # ------------------------------------------------------------ fields
    def field(self, type_: GraphQLNamedType, depth: int) -> str:
        self.budget -= 1
        names = self.selectable(type_, leaves_only=depth >= self.documents.max_depth or self.budget <= 0)
        name = self.random.choice(names) if names and not self.chance(0.06) else "__typename"
        if name == "__typename":
            return f"{self.key(name, '', 'String!')}{self.condition()}"
        definition: GraphQLField = type_.fields[name]  # type: ignore[attr-defined]
        arguments = self.arguments(f"{type_.name}.{name}", definition)
        text = f"{self.key(name, arguments, str(definition.type))}{arguments}{self.condition()}"
        named = get_named_type(definition.type)
        return f"{text} {self.selections(named, depth + 1)}" if is_composite_type(named) else text

    def selectable(self, type_: GraphQLNamedType, *, leaves_only: bool) -> list[str]:
        fields: dict[str, GraphQLField] = getattr(type_, "fields", {})
        return [
            name
            for name, definition in fields.items()
            if f"{type_.name}.{name}" not in self.documents.skip
            and not (leaves_only and not is_leaf_type(get_named_type(definition.type)))
        ]

    def key(self, name: str, arguments: str, type_text: str) -> str:
        """Return the field's name, with an alias where its response key is taken for another meaning."""
        meaning = (name, arguments, type_text)
        key = f"k{self.random.randint(0, 4)}" if self.chance(0.1) else name
        while self.keys.setdefault(key, meaning) != meaning:
            key = f"a{len(self.keys)}"
        return name if key == name else f"{key}: {name}"

    # ------------------------------------------------------------ arguments
    def arguments(self, owner: str, definition: GraphQLField) -> str:
        given = [
            f"{name}: {self.argument(f'{owner}.{name}', argument)}"
            for name, argument in definition.args.items()
            if is_required_argument(argument) or self.chance(0.4)
        ]
        return f"({', '.join(given)})" if given else ""

    def argument(self, owner: str, argument: GraphQLArgument) -> str:
        if self.chance(0.4):
            return f"${self.variable(owner, argument)}"
        return self.literal(argument.type, self.value(owner, argument.type))

    def variable(self, owner: str, argument: GraphQLArgument) -> str:
        name = f"v{len(self.definitions)}"
        type_ = argument.type
        if not is_non_null_type(type_) and self.chance(0.3):
            type_ = GraphQLNonNull(type_)
        default = ""
        if self.chance(0.25):
            default = f" = {self.literal(type_, self.value(owner, type_))}"
        if (not default and is_non_null_type(type_)) or self.chance(0.6):
            self.variables[name] = self.value(owner, type_)
        self.definitions[name] = f"${name}: {type_}{default}"
        return name

    def value(self, owner: str, type_: Any) -> Any:
        """Draw a JSON value of an input type."""
        if is_non_null_type(type_):
            return self.present(owner, type_.of_type)
        return None if self.chance(0.1) else self.present(owner, type_)

    def present(self, owner: str, type_: Any) -> Any:
        keys = [owner, owner.rpartition(".")[2]] if is_leaf_type(type_) else [owner]
        for key in keys:
            if key in self.documents.values:
                return self.pick(self.documents.values[key])
        if is_list_type(type_):
            return [self.value(f"{owner}[]", type_.of_type) for _ in range(self.random.randint(0, 3))]
        if isinstance(type_, GraphQLEnumType):
            return self.random.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            return self.input_object(type_)
        return self.pick(self.documents.values.get(type_.name) or BUILT_IN[type_.name])

    def pick(self, candidates: Sequence[Any]) -> Any:
        return self.random.choice([value for value in candidates if value is not None])

    def input_object(self, type_: GraphQLInputObjectType) -> dict[str, Any]:
        self.budget -= 1
        if type_.is_one_of:
            name = self.random.choice(list(type_.fields))
            return {name: self.present(f"{type_.name}.{name}", type_.fields[name].type)}
        share = 0.4 if self.budget > 0 else 0
        return {
            name: self.value(f"{type_.name}.{name}", member.type)
            for name, member in type_.fields.items()
            if is_required_input_field(member) or self.chance(share)
        }

    def literal(self, type_: Any, value: Any) -> str:
        """Return a JSON value as a literal of an input type."""
        if is_non_null_type(type_):
            return self.literal(type_.of_type, value)
        if value is None or value is Undefined:
            return "null"
        if is_list_type(type_) and isinstance(value, list):
            return f"[{', '.join(self.literal(type_.of_type, item) for item in value)}]"
        if is_list_type(type_):
            return self.literal(type_.of_type, value)
        if isinstance(type_, GraphQLEnumType):
            return str(value)
        if isinstance(type_, GraphQLInputObjectType):
            members = (f"{name}: {self.literal(type_.fields[name].type, item)}" for name, item in value.items())
            return "{" + ", ".join(members) + "}"
        return free_literal(value)


def free_literal(value: Any) -> str:
    """Return any JSON value as a literal, as a scalar such as JSON takes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {free_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(free_literal, value))}]"
    return json.dumps(value)
