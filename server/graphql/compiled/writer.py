"""Writes the Python source of a query: one function for each object type and set of fields asked of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLAbstractType,
    GraphQLEnumType,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    SelectionSetNode,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from strawberry.types.field import StrawberryField

from server.graphql.compiled.errors import NotCompilable
from server.graphql.compiled.fields import (
    FOLLOWS,
    NO_VARIABLES,
    Arguments,
    FieldReader,
    has_variables,
    identifier,
    is_plain_getattr,
    source_parameters,
)
from server.graphql.compiled.selections import Collector
from server.graphql.compiled.values import IS_STRING, QUICK_TESTS, Classes, enum_names, items, serializer

MAX_FUNCTIONS = 1000  # in one plan; interfaces multiply by their kinds
MAX_VARIANTS = 2000

TypeResolver = Callable[[GraphQLAbstractType], Callable[[Any], str]]


@dataclass(frozen=True)
class Setting:
    """What all plans of one compiler share."""

    reader: FieldReader
    type_resolver: TypeResolver
    trusts_types: bool  # an object behind an interface needs no is_type_of after the type resolver
    trusts_classes: bool  # objects of one class are of one type: is_type_of is asked once for each class
    checkpoint: Callable[[], object] | None
    kept: frozenset[str] = frozenset()  # names of types whose objects never change: what is said of them is kept
    classes: Classes = field(default_factory=Classes)


class Writer:
    """Source, constants and arguments of one query; of the document, only GraphQL names get into the source."""

    def __init__(self, setting: Setting, collector: Collector) -> None:
        self.setting = setting
        self.collector = collector
        self.arguments: list[Arguments] = []
        self.namespace: dict[str, Any] = {
            "items": items,
            "checkpoint": setting.checkpoint,
            "classes": setting.classes.known,
            "admit": setting.classes.admit,
        }
        self._parts: list[str] = []
        self._functions: dict[str, str] = {}  # body -> name
        self._bodies: dict[str, str] = {}  # name -> body
        self._selected: dict[tuple[Any, ...], str] = {}
        self._names: dict[tuple[str, int], str] = {}  # (prefix, id of the constant) -> name
        self._converted: dict[tuple[int, int], str] = {}  # (field node, field) -> its arguments
        self._lists = False  # whether what was written since this was last set has lists in it
        self._with_lists: set[str] = set()  # names of functions
        self._asked = False  # as ``_lists``, whether arguments of the request are in it
        self._with_arguments: set[str] = set()
        self._keeping: dict[str, tuple[int, str]] = {}  # a function that keeps -> its number, and whose it keeps

    @property
    def keeping(self) -> int:
        """Number of functions that keep what they say."""
        return len(self._keeping)

    @property
    def source(self) -> str:
        """The source text."""
        return "\n".join(self._parts)

    # -------------------------------------------------------------- functions
    def root(self, type_: GraphQLObjectType, selections: SelectionSetNode) -> str:
        """Write all functions; return the name of the one for the root value."""
        return self._function(type_, self.collector.collect(type_, [selections]), [])

    def _select(self, type_: GraphQLObjectType, nodes: Sequence[FieldNode], *, checked: bool) -> str:
        """Return the name of the function that completes an object of this type for these field nodes."""
        key = (type_.name, checked, *map(id, nodes))
        if key not in self._selected:
            if len(self._selected) >= MAX_VARIANTS:
                raise NotCompilable(f"more than {MAX_VARIANTS} selections on types")
            sets = [node.selection_set for node in nodes if node.selection_set]
            tests = self._type_tests(type_, checked=checked)
            made = self._function(type_, self.collector.collect(type_, sets), tests)
            self._selected[key] = self._kept(type_, made)
        self._lists |= self._selected[key] in self._with_lists
        self._asked |= self._selected[key] in self._with_arguments
        return self._selected[key]

    def _kept(self, type_: GraphQLObjectType, function: str) -> str:
        """Return a function that keeps what another says, if that depends on nothing but the object."""
        if type_.name not in self.setting.kept or function in self._with_arguments:
            return function
        number = next((n for n, of in self._keeping.values() if of == function), len(self._keeping))
        name = self._define(type_.name, f"    return {_kept_or_made(number, function)}\n")
        self._keeping[name] = number, function
        if function in self._with_lists:
            self._with_lists.add(name)
        return name

    def _type_tests(self, type_: GraphQLObjectType, *, checked: bool) -> list[str]:
        """Return statements that refuse what no object of the type can be."""
        plain = "if v.__class__ not in classes: admit(v)"
        if not checked or type_.is_type_of is None:
            return [plain]
        if inspect.iscoroutinefunction(type_.is_type_of):
            raise NotCompilable(f"{type_.name} has an asynchronous is_type_of")
        if self.setting.trusts_classes:
            known, admit = self._once("known", type_, lambda _: set()), self._once("admit", type_, self._admit)
            return [f"if v.__class__ not in {known}: {admit}(v)"]
        name = self._constant("is_type_of", type_.is_type_of)
        return [plain, f"if not {name}(v, None): raise TypeError({type_.name!r})"]

    def _admit(self, type_: GraphQLObjectType) -> Callable[[object], None]:
        classes = Classes(self.namespace[self._once("known", type_, lambda _: set())], type_.is_type_of)
        return classes.admit

    def _function(self, type_: GraphQLObjectType, fields: dict[str, list[FieldNode]], lines: list[str]) -> str:
        entries: list[str] = []
        around, self._lists, self._asked = (self._lists, self._asked), False, False
        for index, (key, nodes) in enumerate(fields.items()):
            if nodes[0].name.value == "__typename":
                entries.append(f'"{identifier_key(key)}": "{type_.name}"')
            else:
                entries.append(f'"{identifier_key(key)}": f{index}')
                lines += self._field(type_, nodes, f"f{index}")
        lines.append("return {" + ", ".join(entries) + "}")
        name = self._define(type_.name, "".join(f"    {line}\n" for line in lines))
        if self._lists:
            self._with_lists.add(name)
        if self._asked:
            self._with_arguments.add(name)
        self._lists, self._asked = around
        return name

    def _define(self, type_name: str, body: str, parameter: str = "v") -> str:
        if body not in self._functions:
            if len(self._functions) >= MAX_FUNCTIONS:
                raise NotCompilable(f"more than {MAX_FUNCTIONS} functions")
            self._functions[body] = name = f"select_{len(self._functions)}_{type_name}"
            self._bodies[name] = body
            self._parts.append(f"def {name}({parameter}, args):\n{body}")
        return self._functions[body]

    # -------------------------------------------------------------- fields
    def _field(self, type_: GraphQLObjectType, nodes: list[FieldNode], target: str) -> list[str]:
        graphql_field, definition = self.setting.reader.read(type_, nodes[0].name.value)
        completed = self._complete(graphql_field.type, nodes, target)
        return [f"{target} = {self._value(graphql_field, definition, nodes[0])}", f"{target} = {completed}"]

    def _value(self, graphql_field: GraphQLField, definition: StrawberryField, node: FieldNode) -> str:
        if definition.base_resolver is None:
            return self._attribute(definition)
        function = definition.base_resolver.wrapped_func
        if follows := getattr(function, FOLLOWS, None):
            return ".".join(["v", *map(identifier, follows)])
        resolver = self._constant("resolve", function)
        parameters = source_parameters(definition, "v")
        if graphql_field.args:
            parameters.append(self._arguments(graphql_field, definition, node))
        return f"{resolver}({', '.join(parameters)})"

    def _attribute(self, definition: StrawberryField) -> str:
        name = identifier(definition.python_name)
        if is_plain_getattr(definition):
            return f"v.{name}"
        return f'{self._constant("read", definition.default_resolver)}(v, "{name}")'

    def _arguments(self, graphql_field: GraphQLField, definition: StrawberryField, node: FieldNode) -> str:
        """Return what stands for a field's arguments in the call of its resolver."""
        # One node can stand for fields of several types, which may convert their arguments differently.
        key = (id(node), id(definition))
        if key not in self._converted:
            convert = self.setting.reader.arguments(graphql_field, definition, node)
            self._converted[key] = self._per_request(convert) if has_variables(node) else self._literal(convert)
        self._asked |= self._converted[key].startswith("**args[")
        return self._converted[key]

    def _per_request(self, convert: Arguments) -> str:
        self.arguments.append(convert)
        return f"**args[{len(self.arguments) - 1}]"  # the last of all are the texts, see ``Plan``

    def _literal(self, convert: Arguments) -> str:
        # one by one, for to unpack a dictionary takes 5 % of an answer of 58 short lists
        given = convert(NO_VARIABLES)
        return ", ".join(f"{identifier(name)}={self._written(value)}" for name, value in given.items())

    def _written(self, value: Any) -> str:
        return "None" if value is None else self._constant("literal", value)

    # -------------------------------------------------------------- completion
    def _complete(self, type_: GraphQLOutputType, nodes: Sequence[FieldNode], value: str, depth: int = 0) -> str:
        """Return an expression that completes ``value``, a variable, as the spec's CompleteValue does."""
        if is_non_null_type(type_):
            return self._present(type_.of_type, nodes, value, depth)
        if is_leaf_type(type_) and (test := quick_test(type_, value)):
            return f"{value} if {test} or {value} is None else {self._leaf(type_)}({value})"
        return f"None if {value} is None else {self._present(type_, nodes, value, depth)}"

    def _present(self, type_: GraphQLOutputType, nodes: Sequence[FieldNode], value: str, depth: int) -> str:
        if is_list_type(type_):
            return self._list(type_.of_type, nodes, value, depth)
        if is_leaf_type(type_):
            return self._present_leaf(type_, value)
        if is_object_type(type_):
            return f"{self._select(type_, nodes, checked=True)}({value}, args)"
        return self._dispatch(cast(GraphQLAbstractType, type_), nodes, value)

    def _list(self, type_: GraphQLOutputType, nodes: Sequence[FieldNode], value: str, depth: int) -> str:
        item, inner = f"x{depth}", type_.of_type if is_non_null_type(type_) else None
        objects = is_object_type(inner)
        self._lists = False
        if is_object_type(inner):
            completed = self._each(self._select(inner, nodes, checked=True))
        else:
            completed = self._complete(type_, nodes, item, depth + 1)
        called = "checkpoint() and None or " if self._lists and self.setting.checkpoint else ""
        self._lists = True
        plain = f"{value}.__class__ is tuple or {value}.__class__ is list"
        listed = f"{called}({value} if {plain} else items({value}))"
        return f"{completed}({listed}, args)" if objects else f"[{completed} for {item} in ({listed})]"

    def _each(self, function: str) -> str:
        """Return the name of a function that does for all objects of a list what another does for one, without its calls."""
        if function in self._keeping:
            number, made = self._keeping[function]
            return self._define(
                "each",
                f"    get = args[-1].by_function[{number}].get\n    keep = args[-1].keep\n    return [get(v) or keep({number}, v, {made}(v, args)) for v in vs]\n",
                "vs",
            )
        lines, _, result = self._bodies[function].rpartition("    return ")
        loop = "".join(f"    {line}\n" for line in lines.splitlines())
        body = f"    found = []\n    add = found.append\n    for v in vs:\n{loop}        add({result.rstrip()})\n    return found\n"
        return self._define("each", body, "vs")

    def _present_leaf(self, type_: GraphQLLeafType, value: str) -> str:
        careful = f"{self._leaf(type_)}({value})"
        if test := quick_test(type_, value):
            return f"{value} if {test} else {careful}"
        if isinstance(type_, GraphQLEnumType):
            return f"{self._once('names', type_, enum_names)}.get({value}) or {careful}"
        return careful

    def _leaf(self, type_: GraphQLLeafType) -> str:
        return self._once("serialize", type_, serializer)

    def _dispatch(self, type_: GraphQLAbstractType, nodes: Sequence[FieldNode], value: str) -> str:
        """Return a call through a table from type names to functions; an unknown name is a KeyError."""
        checked = not self.setting.trusts_types
        possible = self.collector.schema.get_possible_types(type_)
        table = {t.name: self._select(t, nodes, checked=checked) for t in possible}
        resolve = self._once("type_of", type_, self.setting.type_resolver)
        return f"{self._table(type_.name, table)}[{resolve}({value})]({value}, args)"

    def _table(self, type_name: str, table: dict[str, str]) -> str:
        text = "{" + ", ".join(f'"{name}": {function}' for name, function in table.items()) + "}"
        if text not in self._functions:
            self._functions[text] = name = f"table_{len(self._functions)}_{type_name}"
            self._parts.append(f"{name} = {text}\n")
        return self._functions[text]

    # -------------------------------------------------------------- constants
    def _constant(self, prefix: str, value: Any) -> str:
        return self._once(prefix, value, lambda same: same)

    def _once(self, prefix: str, key: Any, make: Callable[[Any], Any]) -> str:
        name = self._names.get((prefix, id(key)))
        if name is None:
            name = self._names[prefix, id(key)] = f"{prefix}_{len(self._names)}"
            self.namespace[name] = make(key)
            self.namespace[f"key_{name}"] = key  # kept alive, so that its id stays its own
        return name


def _kept_or_made(number: int, function: str) -> str:
    return f"args[-1].by_function[{number}].get(v) or args[-1].keep({number}, v, {function}(v, args))"


def quick_test(type_: GraphQLOutputType, value: str) -> str | None:
    """Return a test that ``value`` is its own serialization, for built-in scalars and those that ``str`` serializes."""
    if not isinstance(type_, GraphQLScalarType):
        return None
    test = QUICK_TESTS.get(type_) or (IS_STRING if type_.coerce_output_value is str else None)
    return test.format(value) if test else None


def identifier_key(key: str) -> str:
    """Return a response key that is safe between quotes; GraphQL names are, by their grammar."""
    if not key.isascii() or not key.isidentifier():
        raise NotCompilable("a response key is not a GraphQL name")
    return key
