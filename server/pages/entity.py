"""The page of one entity: what it is, what it is related to, and on what evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from markupsafe import Markup

from kg.errors import NotFound
from kg.evidence import explain
from kg.figures import view_figure
from kg.formats import FORMATS
from kg.model import Link
from kg.pictures import Style, draw
from kg.records import Assertion, Edge, Entity, Evidence
from kg.snapshot import Snapshot
from kg.timelines import Event, timeline
from kg.views import neighbourhood
from server.answers import Answer, Visit, entity_path
from server.pages.facts import facts, page_of
from server.pages.rendering import Site, claim, words
from server.viewing import page_link

FIGURE_NODES = 22  # what stays readable in the width of a page
GROUP_EDGES = 12  # edges of a relation on the page; the others have a page of their own
PAGE_EDGES = 100
QUERY_EDGES = 10

_unsupported: WeakKeyDictionary[Snapshot, dict[str, list[Assertion]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Row:
    """One edge on the page."""

    edge: Edge
    anchor: str
    formula: str

    @property
    def evidence(self) -> tuple[tuple[str, Evidence], ...]:
        """Pieces of evidence, each with the name that a link reaches it by."""
        return tuple((f"{self.anchor}-{i}", item) for i, item in enumerate(self.edge.evidence, 1))


@dataclass(frozen=True, slots=True)
class Group:
    """The edges under one relation."""

    link: Link
    rows: tuple[Row, ...]
    total: int


def entity_page(site: Site, visit: Visit) -> Answer:
    """Return the page of the entity that the path names; any other name of it is sent to its CURIE."""
    name = visit.request.path_params["name"]
    graph = visit.graph
    entity = graph.entity(name)
    if entity.curie != name:
        query = visit.request.url.query
        place = f"{visit.up}{entity_path(entity.curie)}{f'?{query}' if query else ''}"
        return Answer("", status=308, headers={"Location": place})
    relation = visit.parameters.text("relation")
    if relation:
        return _relation_page(site, visit, entity, relation)
    groups = [group for link in graph.model.links(entity.kind) if (group := _group(entity, link, 0, GROUP_EDGES))]
    return site.page(
        visit,
        "entity.html",
        graph=graph,
        entity=entity,
        facts=facts(graph.model, entity, graph.model.kind[entity.kind].fields),
        links={x: page_of(graph.model, x) for x in (*entity.xrefs, *entity.broad_matches)},
        groups=groups,
        unsupported=unsupported(graph).get(entity.curie, []),
        figure=_figure(visit, graph, entity),
        timeline=Markup(timeline(_events(entity, groups))),
        formats=[row for row in FORMATS.values() if row.name != "svg"],
        query=entity_query(graph, entity),
    )


def entity_problem(site: Site, visit: Visit, error: NotFound) -> Answer:
    """Return the page that says which entities may have been meant."""
    near = [entity for match in error.near if (entity := visit.whole_graph.find(match.curie))]
    hits = [hit.entity for hit in visit.whole_graph.search(error.name, limit=5)]
    meant = list({entity.curie: entity for entity in (*near, *hits)}.values())
    return site.render(
        "problem.html",
        up=visit.up,
        title="Not found",
        message=f"No entity is called “{error.name[:200]}”.",
        near=meant,
        q=error.name,
    )


def unsupported(graph: Snapshot) -> dict[str, list[Assertion]]:
    """Return assertions that no evidence supports, by the CURIE of either end: they are no edges, but people ask."""
    if graph not in _unsupported:
        found: dict[str, list[Assertion]] = {}
        for assertion in graph.unsupported:
            for end in {assertion.subject.curie, assertion.object.curie}:
                found.setdefault(end, []).append(assertion)
        _unsupported[graph] = found
    return _unsupported[graph]


def entity_query(graph: Snapshot, entity: Entity) -> dict[str, Any]:
    """Return the GraphQL query that asks for what the page shows."""
    edge = (
        "totalCount edges { confidence node { curie label } evidence { level direction date source { citation url } } }"
    )
    shown = [link.name for link in graph.model.links(entity.kind) if entity.edges(link.name)]
    fields = "\n".join(f"      {name}(first: {QUERY_EDGES}) {{ {edge} }}" for name in shown)
    own = f"\n    ... on {entity.kind} {{\n{fields}\n    }}" if fields else ""
    query = (
        "query Entity($curie: String!, $asOf: Date) {\n  entity(curie: $curie, asOf: $asOf) {\n"
        f"    curie label synonyms description url{own}\n  }}\n}}"
    )
    as_of = graph.known_on.isoformat() if graph.known_on else None
    return {"title": entity.label, "query": query, "variables": {"curie": entity.curie, "asOf": as_of}}


# ---------------------------------------------------------------- relations
def _group(entity: Entity, link: Link, start: int, most: int) -> Group | None:
    edges = entity.edges(link.name)
    rows = tuple(
        Row(edge, f"{link.name}-{number}", explain(edge.evidence).text)
        for number, edge in enumerate(edges[start : start + most], start + 1)
    )
    return Group(link, rows, len(edges)) if edges else None


def _relation_page(site: Site, visit: Visit, entity: Entity, relation: str) -> Answer:
    links = {link.name: link for link in entity.graph.model.links(entity.kind)}
    if relation not in links:
        raise NotFound("relation", relation, hint=f"A {entity.kind} has {', '.join(links)}.")
    total = len(entity.edges(relation))
    last = max(1, -(-total // PAGE_EDGES))
    number = visit.parameters.whole("page", 1, least=1, most=last, limit="page")
    group = _group(entity, links[relation], (number - 1) * PAGE_EDGES, PAGE_EDGES)
    return site.page(visit, "relation.html", entity=entity, group=group, link=links[relation], number=number, last=last)


def _events(entity: Entity, groups: list[Group]) -> Iterator[Event]:
    for group in groups:
        shown = {row.edge.assertion.id: row for row in group.rows}
        for edge in entity.edges(group.link.name):
            row = shown.get(edge.assertion.id)
            for number, item in enumerate(edge.evidence, 1):
                place = f"#{row.anchor}-{number}" if row else f"#{group.link.name}"
                text = f"{item.date}: {claim(edge.assertion)}, {words(item.level.name)}, {words(item.direction)}"
                yield Event(item.date, item.direction, text, place)


def _figure(visit: Visit, graph: Snapshot, entity: Entity) -> Markup | None:
    if not entity.degree:
        return None
    view = neighbourhood([entity], 1, FIGURE_NODES)
    style = Style(link=page_link(visit.up), styled=True, background=False)
    return Markup(draw(view_figure(graph, view), style))
