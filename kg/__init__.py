"""CARTograph's library: a knowledge graph with evidence on every edge, without any HTTP.

>>> from kg import open_graph
>>> graph = open_graph()
>>> graph.entity("MONDO:0007915").label
'systemic lupus erythematosus'
"""

from kg.errors import KGError
from kg.exploration import Graph
from kg.findings import HypothesisConstraints
from kg.graph import GraphService, open_graph, open_service
from kg.model import Model, load_model
from kg.overlay import Assumption
from kg.paths import PathConstraints
from kg.snapshot import Snapshot

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
