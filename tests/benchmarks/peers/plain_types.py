"""What the plain server's schemas share: entities, edges with evidence, views, and the queries for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import strawberry
from rdflib import URIRef

Node = TypeVar("Node")


@dataclass(frozen=True)
class Domain:
    """A schema, and how its graph is written in RDF."""

    query: type
    types: Mapping[str, type]
    """The strawberry types of entities by kind."""
    prefixes: Mapping[str, str]
    """Namespaces of entities' IRIs by the prefix of their CURIEs."""
    edges: Mapping[str, URIRef]
    """Relations by the name of the field that shows them from their object."""
    listed: Mapping[str, URIRef]
    """Classes of the kinds that are listed."""
    own: Callable[[Any, Mapping[Any, Any], Mapping[Any, str]], dict[str, Any]]
    """Returns the fields of an entity that not every kind has, of its IRI, what is said of it, and notations."""


@strawberry.interface
class Entity:
    """What every kind has."""

    curie: str
    label: str
    description: str | None


@strawberry.type
class Evidence:
    """A source's word."""

    level: str
    direction: str
    date: str


@strawberry.type
class Edge(Generic[Node]):
    """An entity with evidence."""

    confidence: float
    assertion: strawberry.Private[Any]
    target: strawberry.Private[str]

    @strawberry.field
    async def node(self, info: strawberry.Info) -> Node:
        """Load the entity."""
        return made(info, await info.context["entities"].load(self.target))

    @strawberry.field
    async def evidence(self, info: strawberry.Info) -> list[Evidence]:
        """Load the evidence."""
        return [Evidence(**item) for item in await info.context["evidence"].load(self.assertion)]


@strawberry.type
class Edges(Generic[Node]):
    """Entities with evidence."""

    edges: list[Edge[Node]]


async def linked(info: strawberry.Info, relation: str, curie: str, first: int) -> Any:
    """Load the edges of an entity."""
    found = await info.context[relation].load(curie)
    return Edges(
        edges=[Edge(confidence=edge["confidence"], assertion=edge["id"], target=edge["node"]) for edge in found[:first]]
    )


@strawberry.type
class Listed(Generic[Node]):
    """A list of entities."""

    nodes: list[Node]


async def listed(info: strawberry.Info, kind: str, first: int) -> Any:
    """Load a list of entities of a kind."""
    loaded = await info.context["entities"].load_many(info.context["data"].listed(kind, first))
    return Listed(nodes=[made(info, values) for values in loaded])


@strawberry.type
class Found:
    """What a search found."""

    nodes: list[Entity]


@strawberry.type
class ViewNode:
    """An entity of a view."""

    entity: Entity
    distance: int


@strawberry.type
class ViewEdge:
    """An edge of a view."""

    relation: str
    subject: Entity
    object: Entity
    confidence: float


@strawberry.type
class View:
    """What is around an entity."""

    nodes: list[ViewNode]
    edges: list[ViewEdge]


def made(info: strawberry.Info, values: dict[str, Any]) -> Any:
    """Return the type of an entity's kind, filled."""
    return info.context["types"][values["kind"]](**{name: value for name, value in values.items() if name != "kind"})


@strawberry.type
class Common:
    """The queries of any domain."""

    @strawberry.field
    async def entity(self, info: strawberry.Info, curie: str) -> Entity | None:
        """Load one entity."""
        values = await info.context["entities"].load(curie)
        return made(info, values) if values else None

    @strawberry.field
    async def search(self, info: strawberry.Info, text: str, first: int = 10) -> Found:
        """Find entities by their labels."""
        loaded = await info.context["entities"].load_many(info.context["data"].matching(text, first))
        return Found(nodes=[made(info, values) for values in loaded])

    @strawberry.field
    async def graph_view(self, info: strawberry.Info, around: list[str], depth: int = 1, max_nodes: int = 200) -> View:
        """Load what is around an entity."""
        distances, edges = info.context["data"].around(around[0], depth, max_nodes)
        loaded = await info.context["entities"].load_many([*distances])
        entities = {values["curie"]: made(info, values) for values in loaded}
        return View(
            nodes=[ViewNode(entity=entities[curie], distance=distance) for curie, distance in distances.items()],
            edges=[
                ViewEdge(
                    relation=edge["relation"],
                    subject=entities[edge["subject"]],
                    object=entities[edge["object"]],
                    confidence=edge["confidence"],
                )
                for edge in edges
            ],
        )
