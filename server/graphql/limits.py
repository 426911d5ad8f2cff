"""What an operation would cost, found in one pass over its syntax before it is validated or run.

Fragments are measured once and remembered, so a document of n spreads of spreads takes linear time;
strawberry's own depth and alias limiters take exponential time on it (research/graphql.md §2).

The cost of a field is 1, and what is inside a list counts as often as the list is long: for a
connection ``first`` or ``last`` (or the default page), for other lists of objects ``LIST_SIZE``. A field
that searches costs ``SEARCH_COST`` besides.

A view of the graph (``maxNodes``) is the exception: its entities and edges are records of one kind that are read
out in a row, so each costs 1 for every object in it and nothing for its plain fields. The query of the explorer and
of ``<kg-graph>`` costs 5 for each entity, 25,000 for the 5,000 that ``max_view_nodes`` allows, half of ``max_cost``.
Lists inside a view, such as the evidence of its edges, cost what they cost anywhere. A view of more than one hop is
heavy, because it looks at all that it could show before it keeps ``maxNodes`` of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
    is_list_type,
)
from graphql.type import GraphQLInterfaceType, GraphQLObjectType, get_nullable_type

from kg.errors import LimitExceeded
from server.settings import Settings

LIST_SIZE = 4
SEARCH_COST = 1_000  # of a field that takes assumptions: it searches the graph before it lists anything
HEAVY = {
    "diff": 1_000,
    "replay": 1_000,
}  # root fields that cost more than their answer shows: both versions are worked out
VIEW_SIZE = "maxNodes"  # the argument by which a field is known to return a view
DEPTH = "depth"
ROWS = frozenset({"edges", "nodes"})  # lists that are as long as the field around them says
MOST_KNOWN = 100  # measures of one operation that are kept, by its variables
SIZE_ARGUMENTS = ("first", "last", VIEW_SIZE, "ids")


@dataclass(frozen=True, slots=True)
class Measures:
    """Depth of nesting, cost, and how many aliases and directives there are, fragments expanded.

    ``heavy`` tells that some field works before it lists anything, so that the cost says little of the time.
    """

    depth: int = 0
    cost: int = 0
    aliases: int = 0
    directives: int = 0
    heavy: bool = False

    def beside(self, other: Measures) -> Measures:
        """Return the measures of two selections next to each other."""
        return Measures(
            max(self.depth, other.depth),
            self.cost + other.cost,
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.heavy or other.heavy,
        )


class Meter:
    """Measures operations against a schema."""

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self.schema = schema
        self.settings = settings

    def measure(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> Measures:
        """Return the measures of one operation of a document."""
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        root = self.schema.get_root_type(operation.operation)
        defaults = {
            v.variable.name.value: v.default_value.value
            for v in operation.variable_definitions or ()
            if isinstance(v.default_value, IntValueNode)
        }
        return _Pass(self, fragments, {**defaults, **variables}).selections(operation.selection_set, root)

    def check(self, measures: Measures) -> None:
        """Raise LimitExceeded where measures pass a limit."""
        settings = self.settings
        for name, value, most, advice in (
            ("max_depth", measures.depth, settings.max_depth, "Nest fields less deeply."),
            ("max_aliases", measures.aliases, settings.max_aliases, "Use fewer aliases, or filters with `in`."),
            ("max_directives", measures.directives, settings.max_directives, "Use fewer directives."),
            (
                "max_cost",
                measures.cost,
                settings.max_cost,
                "Ask for shorter lists with first, or for fewer fields inside them.",
            ),
        ):
            if value > most:
                raise LimitExceeded(name, most, value, advice)


class _Pass:
    """One measurement; remembers each fragment's measures, which differ inside and outside of a view's records."""

    def __init__(
        self, meter: Meter, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self.meter = meter
        self.fragments = fragments
        self.variables = variables
        self.known: dict[tuple[str, bool], Measures] = {}
        self.open: set[str] = set()

    def selections(
        self, selection_set: SelectionSetNode | None, parent: GraphQLNamedType | None, *, in_view: bool = False
    ) -> Measures:
        total = Measures()
        for selection in selection_set.selections if selection_set else ():
            if isinstance(selection, FieldNode):
                total = total.beside(self.field(selection, parent, in_view))
            elif isinstance(selection, FragmentSpreadNode):
                total = total.beside(self.spread(selection, in_view))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self.meter.schema.get_type(condition.name.value) if condition else parent
                total = total.beside(self.selections(selection.selection_set, inner, in_view=in_view))
            total = (
                replace(total, directives=total.directives + len(selection.directives))
                if selection.directives
                else total
            )
        return total

    def spread(self, spread: FragmentSpreadNode, in_view: bool) -> Measures:
        name = spread.name.value
        fragment = self.fragments.get(name)
        if fragment is None or name in self.open:
            return Measures()  # validation will say so
        if (name, in_view) not in self.known:
            self.open.add(name)
            type_ = self.meter.schema.get_type(fragment.type_condition.name.value)
            self.known[name, in_view] = self.selections(fragment.selection_set, type_, in_view=in_view)
            self.open.discard(name)
        return self.known[name, in_view]

    def field(self, node: FieldNode, parent: GraphQLNamedType | None, in_view: bool) -> Measures:
        aliases = 1 if node.alias else 0
        name = node.name.value
        if name.startswith("__"):
            return Measures(aliases=aliases)  # introspection has a depth rule of its own in graphql-core
        definition = parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        type_ = definition.type if definition else None
        size = self.size(node, definition, type_)
        view = VIEW_SIZE in definition.args if definition else False
        records = view or (in_view and (size == 1 or name in ROWS))
        inner = self.selections(node.selection_set, get_named_type(type_) if type_ else None, in_view=records)
        own = HEAVY.get(name, 1) if parent is self.meter.schema.query_type else 1
        own = 0 if in_view and not node.selection_set else own
        own = SEARCH_COST if definition and "assuming" in definition.args else own
        cost = own + size * inner.cost
        far = view and (self.argument(node, DEPTH) or 1) > 1
        heavy = own > 1 or far or inner.heavy
        return Measures(inner.depth + 1, cost, aliases + inner.aliases, inner.directives, heavy)

    def size(self, node: FieldNode, definition: Any, type_: Any) -> int:
        if definition is None:
            return 1
        asked = [self.argument(node, name) for name in SIZE_ARGUMENTS if name in definition.args]
        if any(value is not None for value in asked):
            return max(1, min(value for value in asked if value is not None))
        named = get_named_type(type_)
        if "first" in definition.args and named.name.endswith("Connection"):
            return self.meter.settings.page_size
        listed = is_list_type(get_nullable_type(type_)) and not is_leaf_type(named)
        return LIST_SIZE if listed and node.name.value not in ROWS else 1

    def argument(self, node: FieldNode, name: str) -> int | None:
        for argument in node.arguments or ():
            if argument.name.value == name:
                value = argument.value
                if isinstance(value, VariableNode):
                    return _length(self.variables.get(value.name.value))
                if isinstance(value, IntValueNode):
                    return _length(value.value)
                return _length(getattr(value, "values", None))
        return None


def _length(value: Any) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return max(0, value)
    if isinstance(value, str):
        return int(value) if value.isdigit() else None
    return len(list(value)) if isinstance(value, Iterable) else None


class Measured:
    """What an operation costs, by the variables that say how long a list is or how far a view goes."""

    __slots__ = ("_document", "_known", "_meter", "_names", "_operation")

    def __init__(self, meter: Meter, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._meter, self._document, self._operation = meter, document, operation
        self._names = sorted({name for d in document.definitions for name in _sizes(getattr(d, "selection_set", None))})
        self._known: dict[tuple[int | None, ...], Measures] = {}

    def of(self, variables: Mapping[str, Any]) -> Measures:
        """Return the measures with some variables; raises LimitExceeded where they pass a limit."""
        key = tuple([_length(variables.get(name)) for name in self._names]) if self._names else ()
        found = self._known.get(key)
        if found is None:
            found = self._meter.measure(self._document, self._operation, variables)
            self._meter.check(found)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = found
        return found


def _sizes(selection_set: SelectionSetNode | None) -> Iterator[str]:
    """Yield the names of the variables that the cost of selections depends on."""
    for selection in selection_set.selections if selection_set else ():
        for argument in getattr(selection, "arguments", None) or ():
            if argument.name.value in {*SIZE_ARGUMENTS, DEPTH} and isinstance(argument.value, VariableNode):
                yield argument.value.name.value
        yield from _sizes(getattr(selection, "selection_set", None))
