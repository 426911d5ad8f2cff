"""P-values of a list of hypotheses, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kg.budget import Budget
from kg.findings import HypothesisConstraints
from kg.matrices import Floats, Ints
from kg.metapaths import Metaedge
from kg.permutation import (
    EXACT,
    GAMMA,
    LARGE,
    MIN_DISTINCT,
    PERMUTATIONS,
    NullScores,
    PermutationReport,
    exact_p,
    gamma_hurdle_p,
    null_scores,
    pooled,
)
from kg.scoring import ScoreTable, keep


@dataclass(frozen=True)
class Significance:
    """P-values of a list: per pair, and per metapath and pair; or why there are none."""

    report: PermutationReport | None
    pairs: Floats | None
    metapaths: Floats | None
    reason: str | None
    too_small: Callable[[frozenset[Metaedge]], str | None]


def significance(table: ScoreTable, where: HypothesisConstraints, budget: Budget) -> Significance:
    """Return the p-values of all cells of a table; the permuted scores are kept while the version stands."""
    counted = np.flatnonzero(table.counted & (table.scale > 0)).tolist()
    large = sum(map(len, table.graph.edges.values())) >= LARGE
    count = where.permutations if where.permutations is not None else (0 if large else PERMUTATIONS)
    if not count or not counted:
        return no_significance(_no_p(count, large, bool(counted)))
    null = _null(table, counted, count, where.seed, budget)
    if not null.count:
        return no_significance("no p-values: the work budget was spent before permuting")
    found = _significance(table, null, counted, large, where.seed)
    if null.count < count:
        return replace(found, reason=f"the work budget allowed {null.count} of {count} permutations")
    return found


def no_significance(reason: str | None) -> Significance:
    """Return a list without p-values, for this reason."""
    return Significance(None, None, None, reason, lambda _: None)


def _null(table: ScoreTable, counted: Sequence[int], count: int, seed: int, budget: Budget) -> NullScores:
    key = ("null", table.metapaths, table.sources.tobytes(), table.targets.tobytes(), count, seed, table.damping, table.weighting)  # fmt: skip
    null: NullScores | None = table.graph.results.get(key)
    if null is None:
        null = null_scores(
            table.graph,
            [table.metapaths[m] for m in counted],
            table.sources,
            table.targets,
            table.transformed[counted],
            table.scale[counted],
            damping=table.damping,
            weighting=table.weighting,
            permutations=count,
            seed=seed,
            budget=budget,
        )
        if null.count == count:
            keep(table.graph, key, null)
    return null


def _significance(table: ScoreTable, null: NullScores, counted: Sequence[int], large: bool, seed: int) -> Significance:
    every = np.ones(table.dwpc.shape)
    if large:
        pairs, some = _pooled_p(table, null)
    else:
        pairs = exact_p(np.concatenate(null.sums), table.scores)
        some = (null.tallies[0] + 1) / (null.count + 1)
    every[counted] = some
    report = null.report(GAMMA if large else EXACT, seed)
    return Significance(report, pairs, every, None, _remembered(null, large, table))


def _remembered(null: NullScores, large: bool, table: ScoreTable) -> Callable[[frozenset[Metaedge]], str | None]:
    """Ask once per set of relations whether they are too small for a p-value."""
    answers: dict[frozenset[Metaedge], str | None] = {}

    def too_small(metaedges: frozenset[Metaedge]) -> str | None:
        if metaedges not in answers:
            answers[metaedges] = null.too_small(metaedges) or _too_few(null, large, table)
        return answers[metaedges]

    return too_small


def _too_few(null: NullScores, large: bool, table: ScoreTable) -> str | None:
    """Pooling needs null values enough to fit a distribution to."""
    values = null.count * table.scores.size
    if not large or values >= MIN_DISTINCT:
        return None
    return f"too few null values for a p-value: {values}, and {MIN_DISTINCT} are needed; ask for more permutations"


def _no_p(count: int, large: bool, counted: bool) -> str | None:
    if not counted:
        return "no p-values: no metapath with a path is counted"
    if count:
        return None
    if large:
        return f"no p-values: on graphs of {LARGE:,} edges or more they take minutes; ask for them with `permutations`"
    return "no p-values: none were asked for"


def _pooled_p(table: ScoreTable, null: NullScores) -> tuple[Floats, Floats]:
    """Gamma-hurdle p-values of summed scores and of each metapath, null values pooled over nodes of equal degree.

    A metapath's values are pooled over sources with its first relation's degree and targets with its last's;
    sums over sources and targets that agree in all of them. Only nodes of the list are pooled.
    """
    firsts = np.stack([table.graph.step(m.steps[0]).row_degree[table.sources] for m in null.metapaths])
    lasts = np.stack([table.graph.step(m.steps[-1]).column_degree[table.targets] for m in null.metapaths])
    sums = np.concatenate(null.sums)
    tallies = np.stack([(sums > 0).sum(axis=0), sums.sum(axis=0), (sums**2).sum(axis=0)]).astype(float)
    pairs = _gamma(tallies, null.count, table.scores, _groups(firsts), _groups(lasts))
    parts = [
        _gamma(null.tallies[1:, m], null.count, null.observed[m], _groups(firsts[[m]]), _groups(lasts[[m]]))
        for m in range(len(null.metapaths))
    ]
    return pairs, np.stack(parts)


def _groups(profiles: Ints) -> Ints:
    """Number nodes (columns) by their profile of degrees."""
    _, groups = np.unique(profiles, axis=1, return_inverse=True)
    found: Ints = groups.ravel()
    return found


def _gamma(tallies: Floats, count: int, observed: Floats, sources: Ints, targets: Ints) -> Floats:
    flat = (sources[:, None] * (int(targets.max()) + 1) + targets[None, :]).ravel()
    nonzero, total, square = (pooled(tally.ravel(), flat) for tally in tallies)
    size = pooled(np.full(flat.shape, float(count)), flat)
    return gamma_hurdle_p(size, nonzero, total, square, observed.ravel()).reshape(observed.shape)
