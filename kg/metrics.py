"""How well a ranking finds what was held out: rank statistics, with bootstrap intervals.

Candidates with equal scores form one level and are never ordered by accident: a level counts half in the
AUROC (Hanley & McNeil 1982, Radiology 143:29), whole in a threshold of the precision-recall curve, and by
its expected share in precision at k. So a ranking that gives every candidate one score has an AUROC of 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

REPLICATES = 500
COVERAGE = 0.95
GRID = 101


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the bounds that 95 % of bootstrap samples of the candidates lie within."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve on an even grid over [0, 1], with its bootstrap band."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """Positives and negatives at each distinct score, best first."""

    positives: Floats
    negatives: Floats

    @classmethod
    def of(cls, scores: Floats, truth: NDArray[np.bool_]) -> Levels:
        """Count candidates by score; ``truth`` says which of them are positives.

        Neighbouring levels without a positive are merged: no figure here can tell, and of 200,000 candidates
        with 755 positives at most 1,511 levels are left to resample.
        """
        _, level = np.unique(-scores, return_inverse=True)
        size = int(level.max()) + 1 if level.size else 0
        positives, negatives = np.bincount(level[truth], minlength=size), np.bincount(level[~truth], minlength=size)
        starts = np.flatnonzero((positives > 0) | (np.concatenate([[1], positives[:-1]]) > 0)[:size])
        if not starts.size:
            return cls(positives.astype(np.float64), negatives.astype(np.float64))
        return cls(*(np.add.reduceat(counts, starts).astype(np.float64) for counts in (positives, negatives)))

    def resampled(self, rng: np.random.Generator) -> Levels:
        """Return a bootstrap sample: as many positives and as many negatives, each drawn with replacement."""
        return Levels(_redrawn(self.positives, rng), _redrawn(self.negatives, rng))

    @property
    def auroc(self) -> float:
        """Chance that a positive ranks above a negative, ties counting half; NaN without either."""
        total = self.positives.sum() * self.negatives.sum()
        above = np.cumsum(self.positives) - self.positives / 2
        return float((self.negatives * above).sum() / total) if total else float("nan")

    @property
    def auprc(self) -> float:
        """Average precision: precision at each level, weighted by the recall it adds; NaN without positives."""
        hits, seen = np.cumsum(self.positives), np.cumsum(self.positives + self.negatives)
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        return float((self.positives * precision).sum() / hits[-1]) if hits.size and hits[-1] else float("nan")

    def precision_at(self, k: int) -> float:
        """Expected share of positives among the first ``k``, ties in random order; NaN without candidates."""
        hits, seen = np.cumsum(self.positives), np.cumsum(self.positives + self.negatives)
        k = min(k, int(seen[-1])) if seen.size else 0
        return float(np.interp(k, [0.0, *seen], [0.0, *hits]) / k) if k else float("nan")

    def roc(self, grid: Floats) -> Floats:
        """True-positive rate at false-positive rates."""
        x = np.cumsum(self.negatives) / max(self.negatives.sum(), 1)
        y = np.cumsum(self.positives) / max(self.positives.sum(), 1)
        found: Floats = np.interp(grid, [0.0, *x], [0.0, *y])
        return found

    def precision_recall(self, grid: Floats) -> Floats:
        """Precision at the first threshold that reaches a recall."""
        hits, seen = np.cumsum(self.positives), np.cumsum(self.positives + self.negatives)
        reached = np.searchsorted(hits, np.maximum(grid * hits[-1], 1e-9) * (1 - 1e-12))
        found: Floats = hits[reached] / seen[reached]
        return found


@dataclass(frozen=True, slots=True)
class Scores:
    """All figures of one ranking."""

    auroc: Interval
    auprc: Interval
    precision: dict[int, Interval]
    roc: Curve
    precision_recall: Curve


def measure(
    scores: Floats, truth: NDArray[np.bool_], ks: Sequence[int], *, seed: int = 0, replicates: int = REPLICATES
) -> Scores:
    """Return the figures of a ranking; there must be positives and negatives.

    The bootstrap draws positives and negatives apart, each with replacement, so that every sample has as many
    of both as the list. It treats pairs as independent; pairs that share an end are not, quite, so the
    intervals are a little too narrow.
    """
    rng = np.random.default_rng(seed)
    point = Levels.of(scores, truth)
    return _summed_up(point, [point.resampled(rng) for _ in range(replicates)], ks)


def chance(truth: NDArray[np.bool_], ks: Sequence[int], *, seed: int = 0, replicates: int = REPLICATES) -> Scores:
    """Return what random orders of these candidates score: one tie of all, and bounds over ``replicates`` orders."""
    rng, positives = np.random.default_rng(seed), int(truth.sum())
    orders = []
    for _ in range(replicates):
        places = np.sort(rng.choice(truth.size, positives, replace=False))
        gaps = np.diff(places, prepend=-1, append=truth.size) - 1  # negatives before, between and after them
        orders.append(
            Levels(np.tile([0.0, 1.0], positives + 1)[:-1], np.insert(gaps, range(1, positives + 1), 0) * 1.0)
        )
    return _summed_up(Levels.of(np.zeros(truth.size), truth), orders, ks)


def within(
    scores: Floats, truth: NDArray[np.bool_], groups: NDArray[np.int64], *, seed: int = 0, replicates: int = REPLICATES
) -> Interval:
    """Return the AUROC within each group of candidates, averaged over groups by their positives.

    Groups are such as all pairs of one disease: what is asked is then which therapies come first for it, and
    no credit is given for knowing popular diseases. The bootstrap draws whole groups, so that its interval
    does not take pairs of one group for independent.
    """
    values, weights = [], []
    for group in np.unique(groups[truth]):
        levels = Levels.of(scores[groups == group], truth[groups == group])
        if levels.negatives.sum():
            values.append(levels.auroc)
            weights.append(levels.positives.sum())
    if not values:
        return Interval(float("nan"), float("nan"), float("nan"))
    value, weight = np.array(values), np.array(weights)
    draws = np.random.default_rng(seed).integers(0, len(value), (replicates, len(value)))
    samples = (value[draws] * weight[draws]).sum(axis=1) / weight[draws].sum(axis=1)
    return _interval(float((value * weight).sum() / weight.sum()), samples.tolist())


def _summed_up(point: Levels, samples: Sequence[Levels], ks: Sequence[int]) -> Scores:
    grid = np.linspace(0, 1, GRID)
    return Scores(
        auroc=_interval(point.auroc, [sample.auroc for sample in samples]),
        auprc=_interval(point.auprc, [sample.auprc for sample in samples]),
        precision={k: _interval(point.precision_at(k), [s.precision_at(k) for s in samples]) for k in ks},
        roc=_curve(grid, point.roc(grid), [sample.roc(grid) for sample in samples]),
        precision_recall=_curve(
            grid, point.precision_recall(grid), [sample.precision_recall(grid) for sample in samples]
        ),
    )


def _redrawn(counts: Floats, rng: np.random.Generator) -> Floats:
    total = int(counts.sum())
    return rng.multinomial(total, counts / total).astype(np.float64) if total else counts


def _interval(value: float, samples: Sequence[float]) -> Interval:
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(samples, [tail, 1 - tail]) if samples else (value, value)
    return Interval(value, min(float(low), value), max(float(high), value))


def _curve(grid: Floats, point: Floats, samples: Sequence[Floats]) -> Curve:
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(np.array(samples), [tail, 1 - tail], axis=0) if samples else (point, point)
    return Curve(tuple(grid.tolist()), tuple(point.tolist()), tuple(low.tolist()), tuple(high.tolist()))
