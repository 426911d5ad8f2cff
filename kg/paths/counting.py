"""How many paths there are, exactly where that is cheap.

Walks through the layers are counted by adding up over arcs. A walk between two ends that lie nowhere else
on it, of up to three steps, meets no node twice, so it is a path; of four steps it is one unless its second
and fourth nodes are the same, and those are counted in one pass over the arcs of that node. Longer or
otherwise entangled questions are counted by listing all walks at once, where there are few enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from kg.budget import Budget
from kg.columns import Bools, Ints, run_members
from kg.paths.ground import ARCS_A_STEP, Ground, Spent
from kg.paths.layers import Core, Plan

MOST_LISTED = 200_000  # walks that may be listed to count the paths among them
MOST_PAIRS = 25  # pairs of ends that are counted one by one
EXACT = 2.0**53  # above it, sums of whole numbers in floating point are not exact


def count_paths(core: Core, budget: Budget) -> int | None:
    """Return the number of paths that answer a core's question, or None where counting would cost too much."""
    ground = core.ground
    ground.budget = budget
    asked = ground.question
    pairs = [(s, t) for s in asked.sources for t in asked.targets]
    try:
        if asked.signs is None and asked.longest <= 4 and len(pairs) <= MOST_PAIRS:
            cores = [core] if len(pairs) == 1 else [_between(ground, s, t) for s, t in pairs]
            return _sum(_simple(plan) for one in cores for plan in _plans(one))
        plans = _plans(core)
        if sum(walk_count(plan) for plan in plans) > MOST_LISTED:
            return None
        return sum(_listed(plan) for plan in plans)
    except Spent:
        return None


def count_walks(core: Core) -> float:
    """Return the number of walks, paths among them: an upper bound of the number of paths. Raises Spent."""
    return sum(walk_count(plan) for plan in _plans(core))


def walk_count(plan: Plan) -> float:
    """Return the number of walks of a plan; exact below 2^53. Raises Spent."""
    return float(plan.walks()[0][plan.starts].sum())


def _plans(core: Core) -> list[Plan]:
    return [plan for length in core.ground.question.lengths for plan in core.plans(length)]


def _between(ground: Ground, source: int, target: int) -> Core:
    question = ground.question._replace(sources=(source,), targets=(target,))
    return Core(Ground(ground.scenario, question, ground.budget, ground.damping))


def _sum(counts: Iterable[float]) -> int | None:
    total = sum(counts)
    return int(total) if total < EXACT else None


def _simple(plan: Plan) -> float:
    """Return the number of paths of up to four steps between one pair of ends."""
    return walk_count(plan) - (_repeated(plan) if plan.length == 4 else 0.0)


def _repeated(plan: Plan) -> float:
    """Return the number of walks of four steps whose second and fourth nodes are the same."""
    ground = plan.ground
    there = np.bincount(plan.places[0].heads, minlength=ground.size)
    back = np.bincount(plan.places[3].tails, minlength=ground.size)
    twice = np.flatnonzero((there > 0) & (back > 0))
    if not len(twice):
        return 0.0
    onward = plan.steps(twice, 1)
    homeward = ground.backward(twice, ground.codes_at(2))
    pairs, counts = np.unique(onward.tails * ground.size + onward.heads, return_counts=True)
    returns, return_counts = np.unique(homeward.heads * ground.size + homeward.tails, return_counts=True)
    _, i, j = np.intersect1d(pairs, returns, assume_unique=True, return_indices=True)
    node = pairs[i] // ground.size
    return float((counts[i] * return_counts[j] * there[node] * back[node]).astype(np.float64).sum())


def _listed(plan: Plan) -> int:
    """Return the number of paths among the walks of a plan, by listing all walks at once; raises Spent."""
    ground = plan.ground
    states = plan.starts
    columns = [ground.nodes(states)]
    for i in range(plan.length):
        arcs = plan.places[i]
        order = np.argsort(arcs.tails, kind="stable")
        rows, picked = join(states, arcs.tails[order])
        if not ground.budget.spend(len(rows) // ARCS_A_STEP + 1):
            raise Spent
        heads = arcs.heads[order][picked]
        keep = unmet(columns, rows, ground.nodes(heads))
        states = heads[keep]
        columns = [*(column[rows[keep]] for column in columns), ground.nodes(states)]
    return len(states)


def join(states: Ints, tails: Ints) -> tuple[Ints, Ints]:
    """Return, for every arc that leaves a state, which of the states it is and which of the sorted tails."""
    first = np.searchsorted(tails, states, "left")
    counts = np.searchsorted(tails, states, "right") - first
    rows = np.repeat(np.arange(len(states)), counts)
    return rows, run_members(first, counts)


def unmet(columns: Sequence[Ints], rows: Ints, nodes: Ints) -> Bools:
    """Return which of the nodes stand nowhere else on their rows."""
    keep = np.ones(len(rows), np.bool_)
    for column in columns:
        keep &= column[rows] != nodes
    return keep
