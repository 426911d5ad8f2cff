"""The synthetic graph as JSON, for servers that do not read Turtle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from kg import Snapshot, open_graph
from kg.records import Edge, Entity

FIELDS = ("curie", "kind", "label", "description", "modality", "platform", "symbol")
LINKS = ("drivenBy", "expresses")


def export(seeds: Path, target: Path) -> Snapshot:
    """Write entities, lists by kind and edges with evidence to a JSON file; return the graph they come from."""
    graph = open_graph(seeds=seeds)
    whole = {
        "entities": {entity.curie: _entity(entity) for entity in graph.entities.values()},
        "lists": {kind: [entity.curie for entity in members] for kind, members in graph.by_kind.items()},
        "edges": {entity.curie: _links(entity) for entity in graph.entities.values()},
    }
    target.write_bytes(orjson.dumps(whole))
    return graph


def _entity(entity: Entity) -> dict[str, Any]:
    return {name: getattr(entity, name) for name in FIELDS if hasattr(entity, name)}


def _links(entity: Entity) -> dict[str, list[dict[str, Any]]]:
    return {name: [_edge(edge) for edge in entity.edges(name)] for name in LINKS if entity.edges(name)}


def _edge(edge: Edge) -> dict[str, Any]:
    evidence = [{"level": e.level.name, "direction": e.direction, "date": e.date} for e in edge.evidence]
    return {"id": edge.assertion.id, "confidence": edge.confidence, "node": edge.node.curie, "evidence": evidence}
