"""P-values of a list of hypotheses, or the reason why there are none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kg.budget import Budget
from kg.errors import BadInput
from kg.findings import HypothesisConstraints
from kg.matrices import PLAIN, Floats, Matrices, matrices
from kg.metapaths import Metaedge
from kg.nulls import PairNulls
from kg.overlay import Scenario
from kg.permutation import (
    EXACT,
    GAMMA,
    LARGE,
    PERMUTATIONS,
    NullScores,
    PermutationReport,
    Shuffles,
    exact_p,
    null_scores,
)
from kg.scoring import ScoreTable, keep, keep_means, metagraph, score_table, walkable
from kg.snapshot import Snapshot

SLICE_SECONDS = 10.0  # of tallying ahead, after which what there is is kept


@dataclass(frozen=True)
class Significance:
    """P-values of a list: per pair, and per metapath and pair; or why there are none.

    ``complete`` is False where a budget ended the permuting.
    """

    report: PermutationReport | None
    pairs: Floats | None
    metapaths: Floats | None
    reason: str | None
    too_small: Callable[[frozenset[Metaedge]], str | None]
    complete: bool = True


def significance(table: ScoreTable, where: HypothesisConstraints, budget: Budget) -> Significance:
    """Return the p-values of all cells of a table; the permuted scores are kept while the version stands."""
    large, counted = _is_large(table), _counted(table)
    count = where.permutations if where.permutations is not None else (0 if large else PERMUTATIONS)
    if not count or not counted:
        return no_significance(_no_p(count, large, bool(counted)))
    null: NullScores | PairNulls
    if large:
        null = _of_all_pairs(table, counted, count, where.seed, budget)
    else:
        null = _of_list(table, counted, count, where.seed, budget)
    if not null.count:
        return replace(no_significance("no p-values: the work budget was spent before permuting"), complete=False)
    found = _significance(table, null, counted, where.seed)
    if null.count < count:
        more = "; ask again, and there will be more" if large else ""
        reason = f"the work budget allowed {null.count} of {count} permutations{more}"
        return replace(found, reason=reason, complete=False)
    return found


def tallying(scenario: Scenario, where: HypothesisConstraints) -> Iterator[PairNulls]:
    """Tally permuted graphs ahead of those who will ask, and yield what there is every few seconds, at last all.

    Each time it is put into the folder of the snapshot. Raises BadInput where lists have permutations of their own.
    """
    ends = matrices(scenario).entities[metagraph(scenario).ends[0]]
    table = score_table(scenario, subjects=[entity.curie for entity in ends[:1]], where=where)
    counted, count = _counted(table), where.permutations or PERMUTATIONS
    if not (_is_large(table) and counted):
        raise BadInput(f"Each list has permutations of its own where a graph has fewer than {LARGE:,} edges.")
    while True:
        null = _of_all_pairs(table, counted, count, where.seed, Budget(sys.maxsize, seconds=2 * SLICE_SECONDS))
        yield null
        if null.count >= count:
            break
    keep_means(table.graph, table.metapaths, where)


def _is_large(table: ScoreTable) -> bool:
    return sum(map(len, table.graph.edges.values())) >= LARGE


def _counted(table: ScoreTable) -> list[int]:
    """The metapaths that the score sums and that have a path."""
    return [
        number
        for number in np.flatnonzero(table.counted & (table.scale > 0)).tolist()
        if walkable(table.graph, table.metapaths[number])
    ]


def no_significance(reason: str | None) -> Significance:
    """Return a list without p-values, for this reason."""
    return Significance(None, None, None, reason, lambda _: None)


def _of_list(table: ScoreTable, counted: Sequence[int], count: int, seed: int, budget: Budget) -> NullScores:
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


def _of_all_pairs(table: ScoreTable, counted: Sequence[int], count: int, seed: int, budget: Budget) -> PairNulls:
    """Return the nulls of all pairs, which every list of the same metapaths and settings reads."""
    key = ("nulls", table.metapaths, count, seed, table.damping, table.weighting)
    null: PairNulls | None = table.graph.results.get(key)
    if null is None:
        null = PairNulls(
            table.graph,
            [table.metapaths[m] for m in counted],
            table.scale[counted],
            damping=table.damping,
            weighting=table.weighting,
            seed=seed,
        )
    keep(table.graph, key, null)
    null.extend(count, budget)
    return null.now


def keep_tallies(graph: Snapshot) -> None:
    """Put what was tallied of a snapshot before it had a folder into that."""
    made: Matrices | None = graph.derived.get("matrices", {}).get(PLAIN)
    for null in [*made.results.values()] if made else ():
        if isinstance(null, PairNulls) and null.count:
            null.now.keep()


def _significance(table: ScoreTable, null: NullScores | PairNulls, counted: Sequence[int], seed: int) -> Significance:
    every = np.ones(table.dwpc.shape)
    if isinstance(null, PairNulls):
        method, ends = GAMMA, (table.sources, table.targets)
        pairs = null.of_pairs(*ends, table.scores)
        every[counted] = null.of_metapaths(*ends, table.transformed[counted])
    else:
        method = EXACT
        pairs = exact_p(np.concatenate(null.sums), table.scores)
        every[counted] = (null.reached + 1) / (null.count + 1)
    return Significance(null.report(method, seed), pairs, every, None, _remembered(null))


def _remembered(null: Shuffles) -> Callable[[frozenset[Metaedge]], str | None]:
    """Ask once per set of relations whether they are too small for a p-value."""
    answers: dict[frozenset[Metaedge], str | None] = {}

    def too_small(metaedges: frozenset[Metaedge]) -> str | None:
        if metaedges not in answers:
            answers[metaedges] = null.too_small(metaedges)
        return answers[metaedges]

    return too_small


def _no_p(count: int, large: bool, counted: bool) -> str | None:
    if not counted:
        return "no p-values: no metapath with a path is counted"
    if count:
        return None
    if large:
        return f"no p-values: on graphs of {LARGE:,} edges or more they take minutes, once for all lists, unless `kg permute` made them ahead; ask for them with `permutations`"
    return "no p-values: none were asked for"
