"""Which fields an object is asked for: the spec's CollectFields, ahead of execution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)

from server.graphql.compiled.errors import NotCompilable

CONDITIONS = ("skip", "include")
MAX_VISITS = 50_000  # selections looked at for one plan; fragments on many types can multiply

Fragments = Mapping[str, FragmentDefinitionNode]


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments of a document by name."""
    return {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}


def flags_of(operation: OperationDefinitionNode, fragments: Fragments) -> tuple[str, ...]:
    """Return the variables that @skip and @include depend on, sorted.

    Raises NotCompilable where a selection has another directive, or a fragment has variables.
    """
    if operation.directives:
        raise NotCompilable("the operation has a directive")
    names: set[str] = set()
    for selection in _reachable(operation.selection_set, fragments, set()):
        names.update(_flags(selection))
    return tuple(sorted(names))


def _reachable(selections: SelectionSetNode, fragments: Fragments, seen: set[str]) -> Iterator[SelectionNode]:
    for selection in selections.selections:
        yield selection
        if isinstance(selection, FieldNode | InlineFragmentNode):
            if selection.selection_set:
                yield from _reachable(selection.selection_set, fragments, seen)
        elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
            seen.add(selection.name.value)
            yield from _reachable(_fragment(selection, fragments).selection_set, fragments, seen)


def _fragment(spread: FragmentSpreadNode, fragments: Fragments) -> FragmentDefinitionNode:
    fragment = fragments.get(spread.name.value)
    if fragment is None or fragment.variable_definitions or fragment.directives or spread.arguments:
        raise NotCompilable(f"fragment {spread.name.value} is unknown, or has variables or directives")
    return fragment


def _flags(selection: SelectionNode) -> Iterator[str]:
    for directive in selection.directives or ():
        if directive.name.value not in CONDITIONS:
            raise NotCompilable(f"directive @{directive.name.value}")
        condition = directive.arguments[0].value if directive.arguments else None
        if isinstance(condition, VariableNode):
            yield condition.name.value
        elif not isinstance(condition, BooleanValueNode):
            raise NotCompilable(f"directive @{directive.name.value} without a condition")


@dataclass
class Collector:
    """Collects fields under given values of the flags; without values, every flagged field is in."""

    schema: GraphQLSchema
    fragments: Fragments
    flags: Mapping[str, bool] | None
    visits: int = field(default=0, init=False)

    def collect(self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """Return the fields asked of an object of this type by response key, in the response's order."""
        fields: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for selections in sets:
            self._visit(type_, selections, fields, seen)
        return fields

    def _visit(
        self, type_: GraphQLObjectType, selections: SelectionSetNode, fields: dict[str, list[FieldNode]], seen: set[str]
    ) -> None:
        for selection in selections.selections:
            self._count()
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                fields.setdefault(key, []).append(selection)
            elif (inner := self._inner(type_, selection, seen)) is not None:
                self._visit(type_, inner, fields, seen)

    def _inner(self, type_: GraphQLObjectType, selection: SelectionNode, seen: set[str]) -> SelectionSetNode | None:
        if isinstance(selection, InlineFragmentNode):
            return selection.selection_set if self._applies(selection, type_) else None
        spread = cast(FragmentSpreadNode, selection)
        fragment = _fragment(spread, self.fragments)
        if spread.name.value in seen or not self._applies(fragment, type_):
            return None
        seen.add(spread.name.value)
        return fragment.selection_set

    def _applies(self, fragment: InlineFragmentNode | FragmentDefinitionNode, type_: GraphQLObjectType) -> bool:
        if fragment.type_condition is None:
            return True
        condition = self.schema.get_type(fragment.type_condition.name.value)
        return condition is type_ or (is_abstract_type(condition) and self.schema.is_sub_type(condition, type_))

    def _included(self, selection: SelectionNode) -> bool:
        wanted = {"skip": False, "include": True}
        return all(self._condition(d, wanted[d.name.value]) is wanted[d.name.value] for d in selection.directives or ())

    def _condition(self, directive: DirectiveNode, unflagged: bool) -> bool:
        (argument,) = directive.arguments or ()
        condition = argument.value
        if isinstance(condition, VariableNode):
            return unflagged if self.flags is None else self.flags[condition.name.value]
        return cast(BooleanValueNode, condition).value

    def _count(self) -> None:
        self.visits += 1
        if self.visits > MAX_VISITS:
            raise NotCompilable(f"more than {MAX_VISITS} selections to look at")
