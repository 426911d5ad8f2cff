"""A small schema made like the real one: strawberry classes at run time over records of no strawberry class."""

# ruff: noqa: F821, UP045 - annotations are values made at run time here

from __future__ import annotations

import enum
from datetime import date
from typing import Annotated, Any, NewType, Optional

import strawberry
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

PartialDate = NewType("PartialDate", str)


def _partial(value: object) -> str:
    if not isinstance(value, str) or len(value) not in (4, 7, 10):
        raise ValueError(f"no date: {value!r}")
    return value


PARTIAL_DATE = strawberry.scalar(name="PartialDate", serialize=str, parse_value=_partial)


class Record:
    """Stands for kg's entities: one class for all kinds, and a few values that are wrong on purpose."""

    def __init__(self, number: int, kind: str) -> None:
        self.number, self.kind = number, kind
        self.curie = f"X:{number}"
        self.label = f'{kind} "{number}" \u00e9'
        self.description = None if number % 3 else "text"
        self.synonyms = tuple(f"s{i}" for i in range(number % 3))
        self.phase = Phase.TWO if number % 2 else None
        self.start_date = date(2020, 1, 1 + number) if number % 2 else None
        self.when = "2020-05"
        self.ratio = number / 3
        self.extra = {"n": [number, None, {"deep": True}]}
        self.grid = [[number, None], None, []]
        self.active = number % 2 == 0
        self.neighbours: list[Record] = []


class Phase(enum.Enum):
    ONE = "one"
    TWO = 2


class Plain(enum.Enum):
    FIRST = "FIRST"
    SECOND = "SECOND"


class Root:
    """Stands for the per-request object."""

    def __init__(self) -> None:
        kinds = ["Therapy", "Disease", "Trial"]
        self.records = [Record(i, kinds[i % 3]) for i in range(9)]
        for i, record in enumerate(self.records):
            record.neighbours = [self.records[(i + k) % 9] for k in (1, 2, 4)]
        self.version = "1"


strawberry.enum(Phase, name="Phase")
strawberry.enum(Plain, name="Plain")


def fill(name: str, members: dict[str, Any], bases: tuple[type, ...] = (), **attributes: Any) -> type:
    """Make a class from (annotation, field) pairs."""
    class_ = type(name, bases, attributes)
    class_.__annotations__ = {key: annotation for key, (annotation, _) in members.items()}
    for key, (_, item) in members.items():
        setattr(class_, key, item)
    return class_


def attribute(annotation: Any, name: str | None = None) -> tuple[Any, Any]:
    return annotation, strawberry.field(name=name)


def resolved(annotation: Any, resolver: Any, name: str | None = None, **arguments: Any) -> tuple[Any, Any]:
    resolver.__annotations__ = {**resolver.__annotations__, **arguments, "return": annotation}
    return annotation, strawberry.field(resolver=resolver, name=name)


@strawberry.input
class Range:
    low: int = 0
    high: int | None = strawberry.UNSET


Where = strawberry.input(
    fill(
        "Where",
        {
            "kinds": (Optional[list[Plain]], strawberry.field(default=strawberry.UNSET)),
            "number": (Optional[Range], strawberry.field(default=strawberry.UNSET)),
            "label_starts": (Optional[str], strawberry.field(default=strawberry.UNSET, name="labelStarts")),
            "since": (Optional[PartialDate], strawberry.field(default=None)),
            "both": (Optional[list[Annotated["Where", strawberry.lazy(__name__)]]], strawberry.field(default=None)),
        },
    )
)


def accepts(where: Any, record: Record) -> bool:
    if where is None:
        return True
    number = where.number
    if number not in (None, strawberry.UNSET):
        high = 99 if number.high in (None, strawberry.UNSET) else number.high
        if not number.low <= record.number <= high:
            return False
    starts = where.label_starts
    if starts not in (None, strawberry.UNSET) and not record.label.startswith(starts):
        return False
    return all(accepts(inner, record) for inner in where.both or [] if inner)


def named(kind: str) -> Any:
    return classmethod(lambda cls, obj, info: getattr(obj, "kind", None) == kind)


class Page:
    """Stands for a connection: a small object, made for each request."""

    def __init__(self, nodes: list[Record], echo: Any) -> None:
        self.nodes = nodes
        self.total_count = len(nodes)
        self.echo = echo


def make_schema() -> strawberry.Schema:
    """Return the schema; each call makes new classes."""
    node = strawberry.interface(fill("Node", {"id": resolved(strawberry.ID, lambda self: f"{self.kind}:{self.curie}")}))
    entity = strawberry.interface(
        fill("Entity", {
            "curie": attribute(strawberry.ID),
            "label": attribute(str),
            "description": attribute(Optional[str]),
            "synonyms": attribute(list[str]),
        }, (node,)),
    )  # fmt: skip

    def neighbours(self, first=None, kinds=None):  # type: ignore[no-untyped-def]
        found = [r for r in self.neighbours if kinds is None or r.kind.upper() in kinds]
        return found[:first]

    def shout(root, times=1):  # type: ignore[no-untyped-def]
        return root.label.upper() * times

    def near(self):  # type: ignore[no-untyped-def]
        return self.neighbours

    shout.__annotations__ = {"root": strawberry.Parent[Any], "times": int}
    common = {
        "start_date": attribute(Optional[date]),
        "when": attribute(Optional[PartialDate], name="whenEver"),
        "phase": attribute(Optional[Phase]),
        "ratio": attribute(float),
        "active": attribute(bool),
        "extra": attribute(JSON),
        "grid": attribute(list[list[int | None] | None]),
        "number": attribute(Optional[int]),
        "shout": (str, strawberry.field(resolver=shout)),
        "neighbours": resolved(list[entity], neighbours, first=Optional[int], kinds=Optional[list[str]]),
    }
    shout.__annotations__["return"] = str
    types = {}
    for kind in ("Therapy", "Disease", "Trial"):
        members = {key: (annotation, strawberry.field(name=item.graphql_name, resolver=item.base_resolver))
                   if item.base_resolver else attribute(annotation, item.graphql_name)
                   for key, (annotation, item) in common.items()}  # fmt: skip
        types[kind] = strawberry.type(fill(kind, members, (entity,), is_type_of=named(kind)))
    treatment = Annotated[types["Therapy"] | types["Trial"], strawberry.union("Treatment")]
    page = strawberry.type(fill("Page", {
        "nodes": attribute(list[entity]),
        "total_count": attribute(int),
        "echo": attribute(Optional[JSON]),
    }))  # fmt: skip
    return strawberry.Schema(
        strawberry.type(fill("Query", _query(types, node, entity, treatment, page, near))),
        types=list(types.values()),
        config=StrawberryConfig(scalar_map={PartialDate: PARTIAL_DATE}),
    )


def _query(types: Any, node: Any, entity: Any, treatment: Any, page: Any, near: Any) -> dict[str, Any]:
    def by_id(self, id):  # type: ignore[no-untyped-def]
        return next((r for r in self.records if id in (r.curie, str(r.number))), None)

    def entities(self, where=None, first=20, since=None, plain=Plain.FIRST):  # type: ignore[no-untyped-def]
        return Page([r for r in self.records if accepts(where, r)][:first], [str(since), plain.value, repr(where)])

    def treatments(self, wrong=False):  # type: ignore[no-untyped-def]
        return [r for r in self.records if wrong or r.kind != "Disease"]

    def therapy(self, number):  # type: ignore[no-untyped-def]
        return self.records[number]

    def maybe(self, number=0):  # type: ignore[no-untyped-def]
        return [r if r.number > number else None for r in self.records if r.kind == "Therapy"]

    def boom(self, message="no"):  # type: ignore[no-untyped-def]
        raise RuntimeError(message)

    def nothing(self):  # type: ignore[no-untyped-def]
        return None

    def echo(self, value=None, day=None):  # type: ignore[no-untyped-def]
        return [value, str(day)]

    return {
        "version": attribute(str),
        "node": resolved(Optional[node], by_id, id=strawberry.ID),
        "entities": resolved(page, entities, where=Optional[Where], first=int,
                             since=Optional[PartialDate], plain=Plain),
        "treatments": resolved(list[treatment], treatments, wrong=bool),
        "therapy": resolved(Optional[types["Therapy"]], therapy, number=int),
        "maybe": resolved(list[types["Therapy"] | None], maybe, number=int),
        "boom": resolved(Optional[str], boom, message=str),
        "nothing": resolved(str, nothing),
        "echo": resolved(Optional[JSON], echo, value=Optional[JSON], day=Optional[date]),
    }  # fmt: skip


VALUES: dict[str, list[Any]] = {
    "Query.node.id": ["X:1", "3", 4, "none"],
    "Query.therapy.number": [0, 3, 6, 1],
    "Date": ["2020-01-02"],
    "PartialDate": ["2020", "2020-02", "2020-02-03"],
    "JSON": [1, "a", None, [1, {"b": True}], {"c": 1.5}],
    "Where.labelStarts": ["T", "Dis", ""],
}
