"""Choosing, ordering and counting entities and edges.

A condition is a function from a record to bool; these build them. They are plain closures, so that
what a filter costs is one call per record and nesting them stays linear in the records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any, TypeVar

from kg.dates import first_day, last_day
from kg.errors import BadInput, NotFound
from kg.model import Kind

Item = TypeVar("Item")
Condition = Callable[[Any], bool]
Getter = Callable[[Any], Any]

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: bool(value == wanted),
    "in_": lambda value, wanted: value in wanted,
    "not_": lambda value, wanted: bool(value != wanted),
    "not_in": lambda value, wanted: value not in wanted,
    "contains": lambda value, wanted: wanted.casefold() in value.casefold(),
    "starts_with": lambda value, wanted: value.casefold().startswith(wanted.casefold()),
    "gt": lambda value, wanted: bool(value > wanted),
    "gte": lambda value, wanted: bool(value >= wanted),
    "lt": lambda value, wanted: bool(value < wanted),
    "lte": lambda value, wanted: bool(value <= wanted),
}
# A partial date is an interval of days: it is before another when all its days are.
PARTIAL_DATE_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda value, wanted: first_day(wanted) <= first_day(value) and last_day(value) <= last_day(wanted),
    "gt": lambda value, wanted: first_day(value) > last_day(wanted),
    "gte": lambda value, wanted: first_day(value) >= first_day(wanted),
    "lt": lambda value, wanted: last_day(value) < first_day(wanted),
    "lte": lambda value, wanted: last_day(value) <= last_day(wanted),
}
NEGATIVE = {"not_", "not_in"}


def compare(get: Getter, operator: str, wanted: Any, *, partial_date: bool = False) -> Condition:
    """Return a condition on one value; of a tuple, any element will do (for ``not_``, all must).

    A missing value fails every comparison but the negative ones.
    """
    test = (PARTIAL_DATE_OPERATORS if partial_date else OPERATORS)[operator]
    negative = operator in NEGATIVE

    def condition(item: Any) -> bool:
        value = get(item)
        if value is None:
            return negative
        if isinstance(value, tuple):
            return all(test(v, wanted) for v in value) if negative else any(test(v, wanted) for v in value)
        return test(value, wanted)

    return condition


def is_null(get: Getter, wanted: bool) -> Condition:
    """Return a condition that a value is missing (``wanted``) or present."""
    return lambda item: (get(item) in (None, ())) is wanted


def all_of(conditions: Sequence[Condition]) -> Condition:
    """Return the conjunction; of nothing, it is true."""
    if len(conditions) == 1:
        return conditions[0]
    return lambda item: all(condition(item) for condition in conditions)


def any_of(conditions: Sequence[Condition]) -> Condition:
    """Return the disjunction; of nothing, it is false."""
    return lambda item: any(condition(item) for condition in conditions)


def negation(condition: Condition) -> Condition:
    """Return the opposite condition."""
    return lambda item: not condition(item)


def ordered(items: Iterable[Item], keys: Sequence[tuple[Getter, bool]]) -> list[Item]:
    """Return items sorted by (getter, descending) keys, first key first; missing values come last either way.

    The sort is stable, so items that tie keep the order they had.
    """
    result = list(items)
    for get, descending in reversed(keys):
        result.sort(key=lambda item: _comparable(get(item)), reverse=descending)
        result.sort(key=lambda item: get(item) in (None, ()))
    return result


def _comparable(value: Any) -> Any:
    if value is None or value == ():
        return ("", 0)
    if isinstance(value, str):
        return (value.casefold(), 0)
    if isinstance(value, tuple):
        return (str(value[0]).casefold(), 0)
    return ("", value.toordinal() if isinstance(value, date) else value)


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value of a field and how many items have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one field among some items, most frequent first."""

    field: str
    values: tuple[FacetValue, ...]


def facet_getters(kind: Kind) -> dict[str, Getter]:
    """Return what reads each field of a kind that can be counted; records and other entities cannot."""
    return {f.name: attrgetter(f.attribute) for f in kind.fields if f.datatype not in {"record", "entity", "source"}}


def facet_fields(kind: Kind) -> tuple[str, ...]:
    """Return the names of the fields of a kind that are worth counting unasked: those with few distinct values."""
    few = {"enum", "boolean"}
    return tuple(f.name for f in kind.fields if f.datatype in few or (f.datatype == "string" and f.many))


def facets(items: Iterable[Any], getters: Mapping[str, Getter], names: Sequence[str], limit: int = 20) -> list[Facet]:
    """Return how many items have each value of the named fields, in the order of ``getters``.

    ``limit`` bounds the values of each field. Raises NotFound for a name without a getter, BadInput for a
    negative limit.
    """
    every = items if isinstance(items, Sequence) else list(items)
    return counted(
        lambda name: Counter(label for item in every for label in _labels(getters[name](item))), getters, names, limit
    )


def counted(
    counts: Callable[[str], Mapping[str, int]], known: Iterable[str], names: Sequence[str], limit: int = 20
) -> list[Facet]:
    """Return the facets of what ``counts`` says of each field; see ``facets`` for the rest."""
    if limit < 0:
        raise BadInput(f"The argument first is {limit}; it must be 0 or more.")
    known = list(known)
    for name in names:
        if name not in known:
            raise NotFound("facet field", name, hint=f"Fields that can be counted are {', '.join(known)}.")
    return [_facet(name, counts(name), limit) for name in known if name in names]


def _facet(name: str, counts: Mapping[str, int], limit: int) -> Facet:
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:limit]
    return Facet(name, tuple(FacetValue(value, count) for value, count in rows))


def _labels(value: Any) -> list[str]:
    values = value if isinstance(value, tuple) else () if value is None else (value,)
    return [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
