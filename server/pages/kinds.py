"""All entities of one kind: a table to sort, filter and page through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from kg.errors import BadInput, NotFound
from kg.model import Field, Kind
from kg.records import Entity
from kg.selection import Facet, all_of, compare, facet_getters, facets, ordered
from server.answers import Answer, Visit
from server.pages.facts import Value, shown
from server.pages.rendering import Site

PAGE = 50
COLUMNS = 4
COLUMN_TYPES = ("enum", "partialDate", "date", "integer", "boolean")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One entity and the values of its columns."""

    entity: Entity
    cells: tuple[tuple[Value, ...], ...]


def kind_page(site: Site, visit: Visit) -> Answer:
    """Return the table of the kind that the path names by its plural."""
    graph, given = visit.graph, visit.parameters
    kind = _kind(site, visit.request.path_params["plural"])
    filters = {f.name: f for f in kind.fields if f.datatype in {"enum", "boolean"}}
    columns = _columns(kind)
    everything = graph.by_kind[kind.name]
    chosen = {name: given.text(name) for name in filters if given.text(name)}
    entities = _filtered(everything, filters, chosen)
    sort = given.text("sort") or "label"
    entities = _sorted(entities, sort, columns)
    last = max(1, -(-len(entities) // PAGE))
    number = given.whole("page", 1, least=1, most=last, limit="page")
    page = entities[(number - 1) * PAGE : number * PAGE]
    return site.page(
        visit,
        "kind.html",
        kind=kind,
        columns=columns,
        rows=[TableRow(entity, _cells(site, entity, columns)) for entity in page],
        total=len(everything),
        found=len(entities),
        first=(number - 1) * PAGE + 1,
        number=number,
        last=last,
        sort=sort,
        chosen=chosen,
        facets=[_named(facet, filters) for facet in _facets(kind, filters, everything, chosen)],
    )


def _kind(site: Site, plural: str) -> Kind:
    for kind in site.model.kinds:
        if plural.lower() in {kind.plural.lower(), kind.name.lower()}:
            return kind
    raise NotFound("kind", plural, hint=f"Kinds are {', '.join(kind.plural for kind in site.model.kinds)}.")


def _columns(kind: Kind) -> list[Field]:
    found = [field for field in kind.fields if field.datatype in COLUMN_TYPES]
    return sorted(found[: COLUMNS + 1], key=kind.fields.index)[:COLUMNS]


def _filtered(entities: Sequence[Entity], filters: Mapping[str, Field], chosen: Mapping[str, str]) -> list[Entity]:
    conditions = []
    for name, value in chosen.items():
        field = filters[name]
        names = {"true", "false"} if field.datatype == "boolean" else {value.name for value in field.values}
        if value not in names:
            raise BadInput(f"The parameter {name} is {value[:40]!r}; it must be one of {', '.join(sorted(names))}.")
        wanted = value == "true" if field.datatype == "boolean" else value
        conditions.append(compare(attrgetter(field.attribute), "eq", wanted))
    test = all_of(conditions)
    return [entity for entity in entities if test(entity)]


def _sorted(entities: list[Entity], sort: str, columns: list[Field]) -> list[Entity]:
    getters = {"label": attrgetter("label"), "relations": attrgetter("degree")}
    getters |= {field.name: attrgetter(field.attribute) for field in columns}
    name = sort.removeprefix("-")
    if name not in getters:
        raise BadInput(
            f"The parameter sort is {sort[:40]!r}; it must be one of {', '.join(getters)}, with - before it for the other way round."
        )
    return ordered(entities, [(getters[name], sort.startswith("-"))])


def _cells(site: Site, entity: Entity, columns: list[Field]) -> tuple[tuple[Value, ...], ...]:
    cells = []
    for field in columns:
        value = getattr(entity, field.attribute)
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        cells.append(tuple(shown(site.model, field, item) for item in values))
    return tuple(cells)


def _facets(
    kind: Kind, filters: Mapping[str, Field], entities: Sequence[Entity], chosen: Mapping[str, str]
) -> list[Facet]:
    """Return how many entities each choice would leave, the other choices kept."""
    getters = facet_getters(kind)
    found = []
    for name in filters:
        others = {other: value for other, value in chosen.items() if other != name}
        found += facets(_filtered(entities, filters, others), getters, [name], limit=50)
    return [facet for facet in found if facet.values or facet.field in chosen]


def _named(facet: Facet, filters: Mapping[str, Field]) -> tuple[Field, Facet]:
    return filters[facet.field], facet
