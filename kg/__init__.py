"""CARTograph's library: a knowledge graph with evidence on every edge, without any HTTP.

>>> from kg import open_graph
>>> graph = open_graph()
>>> graph.entity("MONDO:0007915").label
'systemic lupus erythematosus'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kg.errors import KGError
    from kg.exploration import Graph
    from kg.findings import HypothesisConstraints
    from kg.graph import GraphService, open_graph, open_service
    from kg.model import Model, load_model
    from kg.overlay import Assumption
    from kg.paths import PathConstraints
    from kg.snapshot import Snapshot

_HOMES = {
    "Assumption": "kg.overlay",
    "Graph": "kg.exploration",
    "GraphService": "kg.graph",
    "HypothesisConstraints": "kg.findings",
    "KGError": "kg.errors",
    "Model": "kg.model",
    "PathConstraints": "kg.paths",
    "Snapshot": "kg.snapshot",
    "load_model": "kg.model",
    "open_graph": "kg.graph",
    "open_service": "kg.graph",
}

__all__ = [
    "Assumption",
    "Graph",
    "GraphService",
    "HypothesisConstraints",
    "KGError",
    "Model",
    "PathConstraints",
    "Snapshot",
    "load_model",
    "open_graph",
    "open_service",
]


def __getattr__(name: str) -> Any:
    """Return a name where it is asked for: commands import from the modules, and not all of them need all modules."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
