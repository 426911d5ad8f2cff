"""A graph as JSON, for servers that do not read Turtle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from kg import Snapshot
from kg.records import Edge, Entity
from tests.benchmarks.queries import Domain

COMMON = ("curie", "kind", "label", "description")


def export(graph: Snapshot, domain: Domain, target: Path) -> None:
    """Write entities, lists by kind and edges with evidence to a JSON file."""
    whole = {
        "entities": {entity.curie: _entity(entity, domain) for entity in graph.entities.values()},
        "lists": {kind: [entity.curie for entity in members] for kind, members in graph.by_kind.items()},
        "edges": {entity.curie: _links(entity, domain) for entity in graph.entities.values()},
    }
    target.write_bytes(orjson.dumps(whole))


def _entity(entity: Entity, domain: Domain) -> dict[str, Any]:
    return {name: getattr(entity, name) for name in (*COMMON, *domain.own.get(entity.kind, ()))}


def _links(entity: Entity, domain: Domain) -> dict[str, list[dict[str, Any]]]:
    name = domain.links.get(entity.kind)
    return {name: [_edge(edge) for edge in entity.edges(name)]} if name else {}


def _edge(edge: Edge) -> dict[str, Any]:
    evidence = [{"level": e.level.name, "direction": e.direction, "date": e.date} for e in edge.evidence]
    return {"id": edge.assertion.id, "confidence": edge.confidence, "node": edge.node.curie, "evidence": evidence}
