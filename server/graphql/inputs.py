"""Filter and order inputs for every kind, and what they mean in terms of ``kg.selection``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Any

import strawberry
from strawberry import UNSET

from kg.choosing import About, Linked
from kg.errors import BadInput, LimitExceeded
from kg.model import Field, Kind, Link, Model, snake_case
from kg.selection import Condition, Getter, all_of, any_of, compare, is_null, negation, ordered
from server.graphql.ids import curie_of
from server.graphql.members import constant, fill, given, listed, make_enum, nullable, pascal, plain
from server.graphql.scalars import PartialDate
from server.settings import Settings

EQUALITY = {
    "eq": "Is this value.",
    "in_": "Is one of these values.",
    "not_": "Is not this value.",
    "not_in": "Is none of these values.",
}
TEXT = {"contains": "Contains this text, in any case.", "starts_with": "Starts with this text, in any case."}
RANGE = {
    "gt": "Is greater than this.",
    "gte": "Is this or greater.",
    "lt": "Is less than this.",
    "lte": "Is this or less.",
}
NULLNESS = {"is_null": "Is missing (true) or present (false)."}
LISTS = {"in_", "not_in"}
EDGE_ORDER: dict[str, tuple[str, Getter]] = {
    "CONFIDENCE": ("Confidence of the assertion.", attrgetter("confidence")),
    "LATEST_EVIDENCE": ("Day of the newest evidence.", attrgetter("assertion.latest")),
    "EVIDENCE_COUNT": ("Number of pieces of evidence.", lambda edge: len(edge.evidence)),
    "EVIDENCE_LEVEL": (
        "Strongest level of evidence, the weakest level first.",
        lambda edge: -edge.assertion.best_level.order,
    ),
}
ENTITY_ORDER: dict[str, tuple[str, Getter]] = {
    "LABEL": ("Preferred name.", attrgetter("label")),
    "CURIE": ("Identifier.", attrgetter("curie")),
    "DEGREE": ("Number of edges.", attrgetter("degree")),
}


def _input(name: str, description: str, fields: Mapping[str, tuple[Any, str]]) -> Any:
    members = {
        attribute: (nullable(type_), strawberry.field(default=UNSET, description=said, name=_public(attribute)))
        for attribute, (type_, said) in fields.items()
    }
    return strawberry.input(fill(type(name, (), {}), members), name=name, description=description)


def _public(attribute: str) -> str:
    head, *rest = attribute.rstrip("_").split("_")
    return head + "".join(word.title() for word in rest)


def _operators(name: str, type_: Any, description: str, *groups: Mapping[str, str]) -> Any:
    fields = {op: (listed(type_) if op in LISTS else type_, said) for group in groups for op, said in group.items()}
    return _input(name, description, {**fields, "is_null": (bool, NULLNESS["is_null"])})


class Inputs:
    """All filter and order inputs of a model, and their translation into conditions."""

    def __init__(self, model: Model, settings: Settings, enums: Mapping[str, Any]) -> None:
        self.model = model
        self.settings = settings
        self.enums = enums
        self.direction = make_enum(
            "OrderDirection", [("ASC", "Smallest first."), ("DESC", "Largest first.")], "Which way to sort."
        )
        self._enum_filters: dict[str, Any] = {}
        self._filters = {kind.name: type(f"{kind.name}Filter", (), {}) for kind in model.kinds}
        self._edge_filters = {name: type(f"{name}EdgeFilter", (), {}) for name in (*self._filters, "Entity")}
        for kind in model.kinds:
            self._fill_filter(kind)
        for name in self._edge_filters:
            self._fill_edge_filter(name)

    # -------------------------------------------------------------- classes
    @cached_property
    def scalar_filters(self) -> dict[str, Any]:
        """The filter input of each datatype."""
        return {
            "string": _operators(
                "StringFilter", str, "Conditions on a text; all that are given must hold.", EQUALITY, TEXT
            ),
            "id": _operators(
                "IDFilter", strawberry.ID, "Conditions on an identifier, given as CURIE or global id.", EQUALITY
            ),
            "integer": _operators(
                "IntFilter", int, "Conditions on a whole number; all that are given must hold.", EQUALITY, RANGE
            ),
            "decimal": _operators(
                "FloatFilter", float, "Conditions on a number; all that are given must hold.", EQUALITY, RANGE
            ),
            "boolean": _operators("BooleanFilter", bool, "Conditions on a truth value.", {"eq": EQUALITY["eq"]}),
            "partialDate": _operators(
                "PartialDateFilter",
                PartialDate,
                "Conditions on a date; a month or year stands for all its days.",
                {"eq": "Lies within this."},
                RANGE,
            ),
        }

    def filter(self, kind: str) -> Any:
        """The filter input of a kind."""
        return self._filters[kind]

    def edge_filter(self, kind: str) -> Any:
        """The filter input of edges that lead to a kind."""
        return self._edge_filters[kind]

    def field_filter(self, owner: str, field: Field) -> Any | None:
        """The filter input of a field, or None for fields that cannot be filtered on."""
        if field.datatype == "enum":
            enum_name = owner + pascal(field.name)
            if enum_name not in self._enum_filters:
                enum_ = self.enums[enum_name]
                self._enum_filters[enum_name] = _operators(
                    f"{enum_name}Filter", enum_, f"Conditions on {enum_name}.", EQUALITY
                )
            return self._enum_filters[enum_name]
        datatype = {"date": "partialDate"}.get(field.datatype, field.datatype)
        return self.scalar_filters.get(datatype)

    def _fill_filter(self, kind: Kind) -> None:
        name, class_ = kind.name, self._filters[kind.name]
        text = self.scalar_filters["string"]
        fields: dict[str, tuple[Any, str]] = {
            "and_": (listed(class_), "All of these hold."),
            "or_": (listed(class_), "Any of these holds."),
            "not_": (class_, "This does not hold."),
            "id": (self.scalar_filters["id"], "Condition on the identifier."),
            "label": (text, "Condition on the preferred name."),
            "synonyms": (text, "Condition on any other name."),
            "description": (text, "Condition on the description."),
        }
        for field in kind.fields:
            input_ = self.field_filter(name, field)
            if input_ is not None:
                fields[field.attribute] = (input_, f"Condition on {field.name}: {field.description}")
        for link in self.model.links(name):
            said = f"Has an edge {link.name} that fulfils this; an empty filter asks for any such edge."
            fields[snake_case(link.name)] = (self._edge_filters[_edge_kind(link)], said)
        self._decorate(class_, f"Conditions on a {kind.label}; all that are given must hold.", fields)

    def _fill_edge_filter(self, name: str) -> None:
        fields: dict[str, tuple[Any, str]] = {
            "min_confidence": (float, "Confidence is at least this."),
            "level": (listed(self.enums["EvidenceLevel"]), "Some evidence is of one of these levels."),
            "direction": (listed(self.enums["EvidenceDirection"]), "Some evidence points one of these ways."),
            "disputed": (bool, "Evidence both supports and contradicts it (true), or not (false)."),
        }
        if name in self._filters:
            fields = {"node": (self._filters[name], "Condition on the entity at the other end."), **fields}
        self._decorate(self._edge_filters[name], "Conditions on an edge; all that are given must hold.", fields)

    @staticmethod
    def _decorate(class_: type, description: str, fields: Mapping[str, tuple[Any, str]]) -> None:
        members = {
            attribute: (nullable(type_), strawberry.field(default=UNSET, description=said, name=_public(attribute)))
            for attribute, (type_, said) in fields.items()
        }
        strawberry.input(fill(class_, members), name=class_.__name__, description=description)

    def order(self, kind: Kind, *, edges: bool) -> Any:
        """The order input of a kind's list, or of edges that lead to it."""
        base = f"{kind.name}{'Edge' if edges else ''}Order"
        keys = self.order_keys(kind, edges=edges)
        field = make_enum(
            f"{base}Field", [(name, said) for name, (said, _) in keys.items()], f"What {kind.plural} can be sorted by."
        )
        members = {
            "field": (field, strawberry.field(description="What to sort by.")),
            "direction": (
                self.direction,
                strawberry.field(
                    default=self.direction["ASC"], description="Which way to sort; missing values come last either way."
                ),
            ),
        }
        return strawberry.input(
            fill(type(base, (), {}), members), name=base, description=f"A sort key for {kind.plural}."
        )

    @staticmethod
    def order_keys(kind: Kind, *, edges: bool) -> dict[str, tuple[str, Getter]]:
        """Return what a kind's list can be sorted by: name -> (description, getter)."""
        own: dict[str, tuple[str, Getter]] = {
            constant(f.name): (f.description, attrgetter(f.attribute))
            for f in kind.fields
            if f.datatype not in {"record", "entity", "source"} and constant(f.name) not in ENTITY_ORDER
        }
        entity = {**ENTITY_ORDER, **own}
        if not edges:
            return entity
        return {**EDGE_ORDER, **{name: (said, _of_node(get)) for name, (said, get) in entity.items()}}

    # -------------------------------------------------------------- meaning
    def sort(self, items: Any, keys: Mapping[str, tuple[str, Getter]], order_by: Any) -> Any:
        """Return items in the order an ``orderBy`` argument asks for."""
        if not order_by:
            return items
        return ordered(items, [(keys[plain(key.field)][1], plain(key.direction) == "DESC") for key in order_by])

    def condition(self, kind: str, given: Any, depth: int = 0) -> Condition | None:
        """Return what a filter of a kind means, or None where it asks for nothing."""
        if not given:
            return None
        if depth >= self.settings.max_filter_depth:
            raise LimitExceeded(
                "max_filter_depth", self.settings.max_filter_depth, None, "Nest the filter less deeply."
            )
        conditions = list(self._conditions(self.model.kind[kind], given, depth))
        return all_of(conditions) if conditions else None

    def _conditions(self, kind: Kind, given: Any, depth: int) -> Iterator[Condition]:
        def inner(filter_: Any) -> Condition:
            return self.condition(kind.name, filter_, depth + 1) or (lambda _: True)

        if given.and_:
            yield all_of([inner(part) for part in given.and_])
        if given.or_ is not UNSET and given.or_ is not None:
            yield any_of([inner(part) for part in given.or_])
        if given.not_:
            yield negation(inner(given.not_))
        yield from _tests(attrgetter("curie"), given.id, convert=curie_of)
        for name in ("label", "synonyms", "description"):
            yield from _tests(attrgetter(name), getattr(given, name))
        for field in kind.fields:
            tests = getattr(given, field.attribute, None)
            yield from _tests(
                attrgetter(field.attribute), tests, partial_date=field.datatype in {"partialDate", "date"}
            )
        for link in self.model.links(kind.name):
            wanted = getattr(given, snake_case(link.name))
            if wanted is not UNSET and wanted is not None:
                other = self._at_other_end(_edge_kind(link), wanted, depth + 1)
                yield Linked(link.name, asked_of_edges(wanted), other)

    def edge_condition(self, kind: str, given: Any, depth: int = 0) -> Condition | None:
        """Return what a filter of edges to a kind means, or None where it asks for nothing."""
        if not given:
            return None
        conditions = list(self._edge_conditions(kind, given, depth))
        return all_of(conditions) if conditions else None

    def _at_other_end(self, kind: str, given: Any, depth: int) -> Condition | None:
        return self.condition(kind, given.node, depth) if kind in self._filters and given.node else None

    def _edge_conditions(self, kind: str, given: Any, depth: int) -> Iterator[Condition]:
        node = self._at_other_end(kind, given, depth)
        if node is not None:
            yield lambda edge: node(edge.node)
        asked = asked_of_edges(given)
        levels, directions = asked.levels, asked.directions
        if asked.min_confidence is not None:
            yield lambda edge: edge.confidence >= asked.min_confidence
        if levels is not None:
            yield lambda edge: any(item.level.name in levels for item in edge.evidence)
        if directions is not None:
            yield lambda edge: any(item.direction in directions for item in edge.evidence)
        if asked.disputed is not None:
            yield lambda edge: edge.assertion.disputed is asked.disputed


def _edge_kind(link: Link) -> str:
    return link.kinds[0] if len(link.kinds) == 1 else "Entity"


def _of_node(get: Getter) -> Getter:
    return lambda edge: get(edge.node)


def asked_of_edges(where: Any) -> About:
    """Return what a filter of edges or assertions asks of them and their evidence; raises BadInput for no confidence."""
    least = given(where, "min_confidence")
    if least is not None and not 0 <= least <= 1:
        raise BadInput(f"minConfidence is {least:g}; a confidence lies between 0 and 1.")
    levels, directions = (given(where, name) or () for name in ("level", "direction"))
    return About(
        min_confidence=least,
        levels=frozenset(map(plain, levels)) or None,
        directions=frozenset(map(plain, directions)) or None,
        disputed=given(where, "disputed"),
    )


def _tests(
    get: Getter, given: Any, *, partial_date: bool = False, convert: Callable[[Any], Any] | None = None
) -> Iterator[Condition]:
    """Yield one condition for each operator that a scalar filter names."""
    if not given:
        return
    for operator, wanted in vars(given).items():
        if wanted is UNSET or wanted is None:
            continue
        if operator == "is_null":
            yield is_null(get, wanted)
            continue
        value = [plain(item) for item in wanted] if isinstance(wanted, list) else plain(wanted)
        if convert:
            value = [convert(item) for item in value] if isinstance(value, list) else convert(value)
        yield compare(get, operator, value, partial_date=partial_date)
