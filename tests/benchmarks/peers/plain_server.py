"""The plain server: strawberry, DataLoader and uvicorn, as a usual tutorial has them.

``python plain_server.py PORT cart rdflib SEEDS ONTOLOGY`` asks an rdflib graph in memory for everything;
``python plain_server.py PORT cart objects DATA.json`` has plain dictionaries instead, its best case;
``python plain_server.py PORT cart cached DATA.json`` also keeps parsed and validated documents, as strawberry's extensions can.
With ``hetionet`` in the place of ``cart`` it has that domain's schema.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import strawberry
import uvicorn
from plain_types import Domain
from pyoxigraph import BlankNode, NamedNode, parse
from rdflib import RDF, RDFS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, SKOS
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

KG = Namespace("https://cartograph.example/vocab/")


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

    def __init__(self, domain: Domain, seeds: Path, ontology: Path) -> None:
        self.domain = domain
        self.prefixes = {space: prefix for prefix, space in domain.prefixes.items()}
        self.graph = Graph()
        self.graph.parse(ontology)
        for file in sorted(seeds.iterdir()):
            for quad in parse(path=str(file)):  # several times as fast as rdflib's own parser; it does not matter here
                self.graph.add((term(quad.subject), term(quad.predicate), term(quad.object)))
        self.notation = {iri: str(text) for iri, text in self.graph.subject_objects(SKOS.notation)}
        self.notation |= {KG.Supports: "SUPPORTS", KG.Contradicts: "CONTRADICTS", KG.Inconclusive: "INCONCLUSIVE"}
        self.strength = {iri: float(value) for iri, value in self.graph.subject_objects(KG.strength)}
        self.lists = {
            kind: sorted(map(self.curie, self.graph.subjects(RDF.type, iri)), key=self.by_label)
            for kind, iri in domain.listed.items()
        }

    def iri(self, curie: str) -> URIRef:
        """Return the IRI of a CURIE."""
        prefix, _, name = curie.partition(":")
        return URIRef(self.domain.prefixes[prefix] + name)

    def curie(self, iri: Any) -> str:
        """Return the CURIE of an IRI, or nothing where it is not an entity's."""
        end = max(iri.rfind("/"), iri.rfind("_")) + 1
        prefix = self.prefixes.get(iri[:end])
        return f"{prefix}:{iri[end:]}" if prefix else ""

    def by_label(self, curie: str) -> tuple[str, str]:
        """Return what entities are sorted by."""
        return str(self.graph.value(self.iri(curie), RDFS.label)).lower(), curie

    def entity(self, curie: str) -> dict[str, Any] | None:
        """Return one entity."""
        iri = self.iri(curie)
        about = dict(self.graph.predicate_objects(iri))
        if not about:
            return None
        return {
            "curie": curie,
            "kind": str(about[RDF.type])[len(str(KG)) :],
            "label": str(about[RDFS.label]),
            "description": str(about[DCTERMS.description]) if DCTERMS.description in about else None,
            **self.domain.own(iri, about, self.notation),
        }

    def listed(self, kind: str, first: int) -> list[str]:
        """Return the CURIEs of the first entities of a kind."""
        return self.lists[kind][:first]

    def edges(self, curie: str, relation: str) -> list[dict[str, Any]]:
        """Return the edges of an entity, most trusted first."""
        found = []
        for assertion in self.graph.subjects(RDF.object, self.iri(curie)):
            if (assertion, RDF.predicate, self.domain.edges[relation]) in self.graph:
                confidence = self.confidence(assertion)
                node = self.curie(self.graph.value(assertion, RDF.subject))
                found.append({"id": assertion, "confidence": confidence, "node": node})
        return sorted(found, key=lambda edge: (-edge["confidence"], *self.by_label(edge["node"])))

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
            if all(any(word.startswith(one) for word in words) for one in wanted) and (curie := self.curie(iri)):
                found.append((str(label), curie))
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


def term(node: Any) -> Any:
    """Return Oxigraph's term as rdflib's."""
    if isinstance(node, NamedNode):
        return URIRef(node.value)
    if isinstance(node, BlankNode):
        return BNode(node.value)
    return Literal(node.value, lang=node.language, datatype=None if node.language else URIRef(node.datatype.value))


# ---------------------------------------------------------------- the service
class App(GraphQL[Any, Any]):
    """The endpoint, with data loaders for each request."""

    def __init__(self, domain: Domain, data: Data, *, cached: bool) -> None:
        parser, validation = ParserCache(maxsize=100), ValidationCache(maxsize=100)
        extensions: list[Any] = (
            [lambda: parser, lambda: validation] if cached else []
        )  # one for each request never hits
        super().__init__(strawberry.Schema(query=domain.query, types=domain.types.values(), extensions=extensions))
        self.domain, self.data = domain, data

    async def get_context(self, request: Any, response: Any) -> Any:
        """Return fresh loaders."""
        data = self.data

        async def entities(curies: list[str]) -> list[Any]:
            return [data.entity(curie) for curie in curies]

        async def evidence(assertions: list[Any]) -> list[Any]:
            return [data.evidence(assertion) for assertion in assertions]

        async def edges(relation: str, curies: list[str]) -> list[Any]:
            return [data.edges(curie, relation) for curie in curies]

        return {
            "data": data,
            "types": self.domain.types,
            "entities": DataLoader(load_fn=entities),
            "evidence": DataLoader(load_fn=evidence),
        } | {name: DataLoader(load_fn=partial(edges, name)) for name in self.domain.edges}


def main(port: str, name: str, backing: str, *paths: str) -> None:
    """Serve until stopped."""
    domain: Domain = import_module(f"plain_{name}").DOMAIN
    data: Data = Rdf(domain, Path(paths[0]), Path(paths[1])) if backing == "rdflib" else Objects(Path(paths[0]))
    app = App(domain, data, cached=backing == "cached")
    uvicorn.run(app, port=int(port), loop="uvloop", http="httptools", log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
