"""Paths between entities, ranked by evidence: exact, in a total order, within a budget.

How the modules build on one another: ``constraints`` reads what is asked; ``ground`` says what may be walked;
``layers`` finds, from both ends, where answers lie; ``ranking`` finds them one by one, best first, ``listing`` many
at once, and ``diversity`` rearranges them; ``nearest`` finds the shortest of all without layers; ``counting`` counts
them; ``reach`` measures distances; ``records`` is what comes out; ``search`` puts these together, ``apart`` is content
with any one of the shortest, and ``why`` explains empty answers and estimates work.
"""

from kg.paths.apart import Distance, distance
from kg.paths.constraints import CONFIDENCE, DAMPING, LENGTH, NOVELTY, ORDERS, PathConstraints
from kg.paths.reach import Reach, Reached, reachable
from kg.paths.records import Path, Score, Step, Term
from kg.paths.search import PathPage, connecting_subgraph, find_paths, shortest_paths
from kg.paths.why import Estimate, Relaxation, Stuck, WhyNot, estimate, why_not

__all__ = [
    "CONFIDENCE",
    "DAMPING",
    "LENGTH",
    "NOVELTY",
    "ORDERS",
    "Distance",
    "Estimate",
    "Path",
    "PathConstraints",
    "PathPage",
    "Reach",
    "Reached",
    "Relaxation",
    "Score",
    "Step",
    "Stuck",
    "Term",
    "WhyNot",
    "connecting_subgraph",
    "distance",
    "estimate",
    "find_paths",
    "reachable",
    "shortest_paths",
    "why_not",
]
