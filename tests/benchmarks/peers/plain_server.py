"""The plain server: strawberry, DataLoader and uvicorn, as a usual tutorial has them.

``python plain_server.py PORT rdflib SEEDS ONTOLOGY`` asks an rdflib graph in memory for everything;
``python plain_server.py PORT objects DATA.json`` has plain dictionaries instead, its best case;
``python plain_server.py PORT cached DATA.json`` also keeps parsed and validated documents, as strawberry's extensions can.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import strawberry
import uvicorn
from rdflib import RDF, RDFS, Graph, Namespace, URIRef
from rdflib.namespace import DCTERMS, SKOS
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

KG = Namespace("https://cartograph.example/vocab/")
BASE = "https://cartograph.example/"
EDGES = {"drivenBy": KG.drives, "expresses": KG.expressedOn}


class Data(Protocol):
    """Where the resolvers get their data from."""

    def entity(self, curie: str) -> dict[str, Any] | None:
        """Return one entity."""

    def listed(self, kind: str, first: int) -> list[str]:
        """Return the CURIEs of the first entities of a kind."""

    def edges(self, curie: str, relation: str) -> list[dict[str, Any]]:
        """Return the edges of an entity, most trusted first."""

    def evidence(self, assertion: Any) -> list[dict[str, Any]]:
        """Return the evidence of an assertion, newest first."""


class Objects:
    """Plain dictionaries, read from JSON."""

    def __init__(self, file: Path) -> None:
        whole = json.loads(file.read_bytes())
        self.entities, self.lists, self.links = whole["entities"], whole["lists"], whole["edges"]
        self.evidences = {
            e["id"]: e["evidence"] for links in self.links.values() for edges in links.values() for e in edges
        }

    def entity(self, curie: str) -> dict[str, Any] | None:
        """Return one entity."""
        return self.entities.get(curie)

    def listed(self, kind: str, first: int) -> list[str]:
        """Return the CURIEs of the first entities of a kind."""
        return self.lists[kind][:first]

    def edges(self, curie: str, relation: str) -> list[dict[str, Any]]:
        """Return the edges of an entity, most trusted first."""
        return self.links[curie].get(relation, [])

    def evidence(self, assertion: str) -> list[dict[str, Any]]:
        """Return the evidence of an assertion, newest first."""
        return self.evidences[assertion]


class Rdf:
    """An rdflib graph in memory."""

    def __init__(self, seeds: Path, ontology: Path) -> None:
        self.graph = Graph()
        for file in [*sorted(seeds.glob("*.ttl")), ontology]:
            self.graph.parse(file)
        self.notation = {iri: str(text) for iri, text in self.graph.subject_objects(SKOS.notation)}
        self.notation |= {KG.Supports: "SUPPORTS", KG.Contradicts: "CONTRADICTS", KG.Inconclusive: "INCONCLUSIVE"}
        self.strength = {iri: float(value) for iri, value in self.graph.subject_objects(KG.strength)}
        kinds = {"Therapy": KG.Therapy, "Disease": KG.Disease}
        self.lists = {kind: sorted(map(self.curie, self.graph.subjects(RDF.type, iri))) for kind, iri in kinds.items()}

    @staticmethod
    def iri(curie: str) -> URIRef:
        """Return the IRI of a CURIE."""
        return URIRef(BASE + curie.replace(":", "/", 1))

    @staticmethod
    def curie(iri: Any) -> str:
        """Return the CURIE of an IRI."""
        return str(iri)[len(BASE) :].replace("/", ":", 1)

    def entity(self, curie: str) -> dict[str, Any] | None:
        """Return one entity."""
        about = dict(self.graph.predicate_objects(self.iri(curie)))
        if not about:
            return None
        return {
            "curie": curie,
            "kind": str(about[RDF.type])[len(str(KG)) :],
            "label": str(about[RDFS.label]),
            "description": str(about[DCTERMS.description]),
            "modality": self.notation.get(about.get(KG.modality)),
            "platform": self.notation.get(about.get(KG.platform)),
            "symbol": str(about.get(KG.symbol)),
        }

    def listed(self, kind: str, first: int) -> list[str]:
        """Return the CURIEs of the first entities of a kind; labels sort as CURIEs do here."""
        return self.lists[kind][:first]

    def edges(self, curie: str, relation: str) -> list[dict[str, Any]]:
        """Return the edges of an entity, most trusted first."""
        found = []
        for assertion in self.graph.subjects(RDF.object, self.iri(curie)):
            if (assertion, RDF.predicate, EDGES[relation]) in self.graph:
                confidence = self.confidence(assertion)
                node = self.curie(self.graph.value(assertion, RDF.subject))
                found.append({"id": assertion, "confidence": confidence, "node": node})
        return sorted(found, key=lambda edge: (-edge["confidence"], edge["node"]))

    def confidence(self, assertion: Any) -> float:
        """Return the confidence of an assertion: support discounted by contradiction, a line for each source."""
        lines: dict[Any, dict[Any, float]] = defaultdict(dict)
        for node in self.graph.objects(assertion, KG.evidence):
            about = dict(self.graph.predicate_objects(node))
            source, strength = about[DCTERMS.source], self.strength[about[KG.level]]
            side = lines[about[KG.direction]]
            side[source] = max(strength, side.get(source, 0.0))
        against = math.prod(1 - strength for strength in lines[KG.Contradicts].values())
        return (1 - math.prod(1 - strength for strength in lines[KG.Supports].values())) * against

    def matching(self, text: str, first: int) -> list[str]:
        """Return the CURIEs of the first entities, by label, whose labels have words that begin as those of a text."""
        wanted = text.lower().split()
        found = []
        for iri, label in self.graph.subject_objects(RDFS.label):
            words = str(label).lower().split()
            if str(iri).startswith(BASE) and all(any(word.startswith(one) for word in words) for one in wanted):
                found.append((str(label), self.curie(iri)))
        return [curie for _, curie in sorted(found)[:first]]

    def around(self, start: str, depth: int, most: int) -> tuple[dict[str, int], list[dict[str, Any]]]:
        """Return how far from an entity others are, up to a depth and a number of them, and the edges between them."""
        distances, waiting = {self.iri(start): 0}, [self.iri(start)]
        links: dict[Any, tuple[Any, Any]] = {}
        for node in waiting:  # it grows
            for end, other in ((RDF.subject, RDF.object), (RDF.object, RDF.subject)):
                for assertion in self.graph.subjects(end, node):
                    there = self.graph.value(assertion, other)
                    links[assertion] = (node, there) if end == RDF.subject else (there, node)
                    if there not in distances and distances[node] < depth and len(distances) < most:
                        distances[there] = distances[node] + 1
                        waiting.append(there)
        edges = [
            {
                "relation": str(self.graph.value(assertion, RDF.predicate))[len(str(KG)) :],
                "subject": self.curie(subject),
                "object": self.curie(object_),
                "confidence": self.confidence(assertion),
            }
            for assertion, (subject, object_) in links.items()
            if subject in distances and object_ in distances
        ]
        return {self.curie(iri): distance for iri, distance in distances.items()}, edges

    def evidence(self, assertion: Any) -> list[dict[str, Any]]:
        """Return the evidence of an assertion, newest first."""
        rows = [dict(self.graph.predicate_objects(node)) for node in self.graph.objects(assertion, KG.evidence)]
        found = [
            {
                "level": self.notation[row[KG.level]],
                "direction": self.notation[row[KG.direction]],
                "date": str(row[DCTERMS.date]),
            }
            for row in rows
        ]
        return sorted(found, key=lambda item: item["date"], reverse=True)


# ---------------------------------------------------------------- schema
@strawberry.interface
class Entity:
    """What every kind has."""

    curie: str
    label: str
    description: str | None


@strawberry.type
class Therapy(Entity):
    """A treatment."""

    modality: str
    platform: str | None


@strawberry.type
class Target(Entity):
    """A molecule."""

    symbol: str | None


@strawberry.type
class Evidence:
    """A source's word."""

    level: str
    direction: str
    date: str


@strawberry.type
class TargetEdge:
    """A target with evidence."""

    confidence: float
    assertion: strawberry.Private[Any]
    target: strawberry.Private[str]

    @strawberry.field
    async def node(self, info: strawberry.Info) -> Target:
        """Load the target."""
        return made(await info.context["entities"].load(self.target))

    @strawberry.field
    async def evidence(self, info: strawberry.Info) -> list[Evidence]:
        """Load the evidence."""
        return [Evidence(**item) for item in await info.context["evidence"].load(self.assertion)]


@strawberry.type
class TargetEdges:
    """Targets with evidence."""

    edges: list[TargetEdge]


@strawberry.type
class CellPopulation(Entity):
    """Cells."""

    @strawberry.field
    async def expresses(self, info: strawberry.Info, first: int = 25) -> TargetEdges:
        """Load the targets on the cells."""
        found = await info.context["expresses"].load(self.curie)
        return TargetEdges(edges=[TargetEdge(**edge_values(edge)) for edge in found[:first]])


@strawberry.type
class CellEdge:
    """Cells with evidence."""

    confidence: float
    assertion: strawberry.Private[Any]
    target: strawberry.Private[str]

    @strawberry.field
    async def node(self, info: strawberry.Info) -> CellPopulation:
        """Load the cells."""
        return made(await info.context["entities"].load(self.target))

    @strawberry.field
    async def evidence(self, info: strawberry.Info) -> list[Evidence]:
        """Load the evidence."""
        return [Evidence(**item) for item in await info.context["evidence"].load(self.assertion)]


@strawberry.type
class CellEdges:
    """Cells with evidence."""

    edges: list[CellEdge]


@strawberry.type
class Disease(Entity):
    """A disease."""

    @strawberry.field
    async def driven_by(self, info: strawberry.Info, first: int = 25) -> CellEdges:
        """Load the cells that drive the disease."""
        found = await info.context["drivenBy"].load(self.curie)
        return CellEdges(edges=[CellEdge(**edge_values(edge)) for edge in found[:first]])


@strawberry.type
class Therapies:
    """A list of therapies."""

    nodes: list[Therapy]


@strawberry.type
class Diseases:
    """A list of diseases."""

    nodes: list[Disease]


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


OWN = {
    "Therapy": (Therapy, ("modality", "platform")),
    "Target": (Target, ("symbol",)),
    "CellPopulation": (CellPopulation, ()),
    "Disease": (Disease, ()),
}


def made(values: dict[str, Any]) -> Any:
    """Return the type of an entity's kind, filled."""
    class_, own = OWN[values["kind"]]
    return class_(**{name: values[name] for name in ("curie", "label", "description", *own)})


def edge_values(edge: dict[str, Any]) -> dict[str, Any]:
    """Return what an edge type is filled with."""
    return {"confidence": edge["confidence"], "assertion": edge["id"], "target": edge["node"]}


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    async def entity(self, info: strawberry.Info, curie: str) -> Entity | None:
        """Load one entity."""
        values = await info.context["entities"].load(curie)
        return made(values) if values else None

    @strawberry.field
    async def therapies(self, info: strawberry.Info, first: int = 25) -> Therapies:
        """Load a list of therapies."""
        loaded = await info.context["entities"].load_many(info.context["data"].listed("Therapy", first))
        return Therapies(nodes=[made(values) for values in loaded])

    @strawberry.field
    async def diseases(self, info: strawberry.Info, first: int = 25) -> Diseases:
        """Load a list of diseases."""
        loaded = await info.context["entities"].load_many(info.context["data"].listed("Disease", first))
        return Diseases(nodes=[made(values) for values in loaded])

    @strawberry.field
    async def search(self, info: strawberry.Info, text: str, first: int = 10) -> Found:
        """Find entities by their labels."""
        loaded = await info.context["entities"].load_many(info.context["data"].matching(text, first))
        return Found(nodes=[made(values) for values in loaded])

    @strawberry.field
    async def graph_view(self, info: strawberry.Info, around: list[str], depth: int = 1, max_nodes: int = 200) -> View:
        """Load what is around an entity."""
        distances, edges = info.context["data"].around(around[0], depth, max_nodes)
        loaded = await info.context["entities"].load_many([*distances])
        entities = {values["curie"]: made(values) for values in loaded}
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


class App(GraphQL[Any, Any]):
    """The endpoint, with data loaders for each request."""

    def __init__(self, data: Data, *, cached: bool) -> None:
        parser, validation = ParserCache(maxsize=100), ValidationCache(maxsize=100)
        extensions: list[Any] = (
            [lambda: parser, lambda: validation] if cached else []
        )  # one for each request never hits
        types = [Therapy, Target, CellPopulation, Disease]
        super().__init__(strawberry.Schema(query=Query, types=types, extensions=extensions))
        self.data = data

    async def get_context(self, request: Any, response: Any) -> Any:
        """Return fresh loaders."""
        data = self.data

        async def entities(curies: list[str]) -> list[Any]:
            return [data.entity(curie) for curie in curies]

        async def evidence(assertions: list[Any]) -> list[Any]:
            return [data.evidence(assertion) for assertion in assertions]

        async def edges(relation: str, curies: list[str]) -> list[Any]:
            return [data.edges(curie, relation) for curie in curies]

        links = {name: DataLoader(load_fn=partial(edges, name)) for name in EDGES}
        return {
            "data": data,
            "entities": DataLoader(load_fn=entities),
            "evidence": DataLoader(load_fn=evidence),
        } | links


def main(port: str, backing: str, *paths: str) -> None:
    """Serve until stopped."""
    data: Data = Rdf(Path(paths[0]), Path(paths[1])) if backing == "rdflib" else Objects(Path(paths[0]))
    app = App(data, cached=backing == "cached")
    uvicorn.run(app, port=int(port), loop="uvloop", http="httptools", log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
