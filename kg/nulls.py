"""What chance gives every pair of two kinds: one set of permuted graphs, tallied for lists of any of them.

On a large graph all pairs cost little more than those of one list (Hetionet, CPU a permutation: 0.5 s to permute,
0.4 s for all 212,624 pairs and 126 metapaths). So all are tallied, once while the version stands, and a list of any
of them reads its own. Permutations are added as budgets allow, each question's to those of the ones before, and kept
in the folder of the snapshot (kg/tallies.py) for other processes and the next start.

Per metapath, null scores are pooled over nodes of equal degrees in its first and its last relation, as het.io does
(Himmelstein et al. 2023, GigaScience 12:giad047, "Gamma-hurdle distribution"). Summed scores are pooled over nodes
that agree in all of these degrees, which few do: while that leaves fewer than ``MIN_DISTINCT`` values, to which no
Gamma should be fitted, p is the (r + 1) / (n + 1) of the pair itself.
"""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kg.budget import Budget
from kg.matrices import Floats, Ints, Matrices, PathCounter
from kg.metapaths import Metapath
from kg.permutation import EQUAL, MIN_DISTINCT, Permuted, Shuffles, gamma_hurdle_p, permute, stacked

MOST_CELLS = 1_000_000  # pairs on metapaths of which p-values are worked out at once


class PairNulls(Shuffles):
    """Tallies of the scores of all pairs of two kinds on permuted graphs: how many are not 0, their sum, their squares'.

    ``scale`` is what DWPCs are divided by. Safe between threads.
    """

    def __init__(
        self,
        graph: Matrices,
        metapaths: Sequence[Metapath],
        scale: Floats,
        *,
        damping: float,
        weighting: str,
        seed: int,
    ) -> None:
        super().__init__(graph, metapaths)
        self.scale, self.damping, self.weighting, self.seed = scale, damping, weighting, seed
        firsts = {m.steps[0]: graph.step(m.steps[0]).row_degree for m in metapaths}
        lasts = {m.steps[-1]: graph.step(m.steps[-1]).column_degree for m in metapaths}
        self._alike = numbered(np.stack([*firsts.values()])), numbered(np.stack([*lasts.values()]))
        """Which nodes agree in all degrees."""
        starts, ends = ({step: numbered(degrees[None]) for step, degrees in some.items()} for some in (firsts, lasts))
        self._of_degree = [(starts[m.steps[0]], ends[m.steps[-1]]) for m in metapaths]
        self._shapes: list[tuple[int, ...]] = [(3, int(a.max()) + 1, int(b.max()) + 1) for a, b in self._of_degree]
        every = len(self._alike[0]), len(self._alike[1])
        self._shapes += [(3, *every), every]
        self._tallied = np.zeros(sum(map(math.prod, self._shapes)))
        self._observed: Floats | None = None
        self.wanted = 0
        self._adding, self._changing = threading.Lock(), threading.Lock()

    def _parts(self, tallied: Floats) -> list[Floats]:
        """The tallies of each metapath, those of the sums, and how many sums reached the observed one."""
        ends = np.cumsum([math.prod(shape) for shape in self._shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(tallied, ends), self._shapes, strict=True)]

    @property
    def now(self) -> PairNulls:
        """These tallies as they are now, which does not change when there are more."""
        with self._changing:
            same = copy.copy(self)
            same.shuffles = {key: [*parts] for key, parts in self.shuffles.items()}
        return same

    # -------------------------------------------------------------- adding
    def extend(self, count: int, budget: Budget) -> None:
        """Add permutations until there are ``count``, with up to half of the steps and the time that a budget has left.

        Those that are kept in the snapshot's folder are taken from there, and more are put there. Where another thread
        is at it, that is left to it.
        """
        if self.count >= count or not self._adding.acquire(blocking=False):
            return
        try:
            self.wanted = count
            self._take()
            cost = sum(len(self.graph.edges[key]) for key in self.used) // 10 + 1
            share, before = budget.share(0.5), self.count
            while self.count < count and share.left >= cost and share.spend(cost):
                self._add()
            budget.spend(share.spent)
            if self.count > before and not self._take():  # another process may have been faster
                self.keep()
        finally:
            self._adding.release()

    def _add(self) -> None:
        if self._observed is None:
            self._observed = np.zeros(self._shapes[-1])
            for *_, scores in self._scored(self.graph):
                self._observed[scores.row, scores.col] += scores.data
        seed = self.seed + (self.count << 32)
        batch = {key: permute(self.graph.edges[key], 1, seed, " ".join(key)) for key in self.used}
        edges = {key: stacked(self.graph.edges[key], permuted) for key, permuted in batch.items()}
        more = np.zeros(len(self._tallied))
        *pooled, tallies, reached = self._parts(more)
        sums = np.zeros(self._shapes[-1])
        permuted_graph = Matrices(self.graph.model, self.graph.sizes, edges)
        for part, ((sources, targets), scores) in zip(pooled, self._scored(permuted_graph), strict=True):
            part[...] = _tallied(sources[scores.row], targets[scores.col], scores.data, part.shape[1:])
            sums[scores.row, scores.col] += scores.data
        tallies[...] = np.stack([sums > 0, sums, sums**2])
        reached[...] = sums >= self._observed * EQUAL
        more += self._tallied
        with self._changing:
            self._tallied = more
            self.note({key: permuted.without_ends() for key, permuted in batch.items()})

    def _scored(self, graph: Matrices) -> Iterator[tuple[tuple[Ints, Ints], Any]]:
        """Yield, metapath by metapath, the groups of nodes, and the scores of all pairs by cell."""
        counter = PathCounter(graph, damping=self.damping, weighting=self.weighting)
        for groups, metapath, scale in zip(self._of_degree, self.metapaths, self.scale, strict=True):
            dwpc = counter.dwpc(metapath)
            dwpc.data = np.arcsinh(dwpc.data / scale)
            yield groups, dwpc.tocoo()

    # -------------------------------------------------------------- in the snapshot's folder
    def keep(self) -> None:
        """Put what there is, of as many as were wanted, into the folder of the snapshot, where it has one."""
        shuffles = np.array([_numbers(part) for key in self.used for part in self.shuffles[key]])
        numbers = np.concatenate([np.array([float(self.count)]), self._tallied, shuffles.ravel()])
        self.graph.beside.write(self._question(), numbers)

    @property
    def kept(self) -> bool:
        """Whether it is there."""
        return self.graph.beside.read(self._question()) is not None

    def _take(self) -> bool:
        """Take what is kept where that is more than there is here, and return whether it is as much or more."""
        kept = self.graph.beside.read(self._question())
        if kept is None or kept[0] < self.count:
            return False
        tallied, shuffles = np.split(kept[1:], [len(self._tallied)])
        if kept[0] > self.count:
            rows = shuffles.reshape(len(self.used), int(kept[0]), 5)
            with self._changing:
                self._tallied = tallied
                self.shuffles = {key: list(map(_noted, parts)) for key, parts in zip(self.used, rows, strict=True)}
        return True

    def _question(self) -> str:
        steps = [metapath.steps for metapath in self.metapaths]
        return repr((steps, self.damping, self.weighting, self.seed, self.wanted))

    # -------------------------------------------------------------- p-values
    def tallies(self, number: int) -> Floats:
        """Return how many scores on one metapath are not 0, their sum and that of their squares, by degrees at both ends."""
        return self._parts(self._tallied)[number]

    def of_metapaths(self, sources: Ints, targets: Ints, observed: Floats) -> Floats:
        """Return the p-values of some pairs' scores on each of the metapaths."""
        parts, found = self._parts(self._tallied), []
        some = max(1, MOST_CELLS // max(1, len(sources) * len(targets)))
        for first in range(0, len(self.metapaths), some):
            known = zip(parts[first : first + some], self._of_degree[first : first + some], strict=False)
            rows = [self._tallies(tallies, groups, sources, targets) for tallies, groups in known]
            count, nonzero, total, square = (np.stack(column) for column in zip(*rows, strict=True))
            found.append(gamma_hurdle_p(count, nonzero, total, square, observed[first : first + some]))
        return np.concatenate(found)

    def of_pairs(self, sources: Ints, targets: Ints, observed: Floats) -> Floats:
        """Return the p-values of some pairs' summed scores."""
        rows, columns = self._alike
        shape = int(rows.max()) + 1, int(columns.max()) + 1
        *_, sums, reached = self._parts(self._tallied)
        like = np.ix_(
            *(_in_groups_of(groups, some) for groups, some in zip(self._alike, (sources, targets), strict=True))
        )
        flat = (rows[like[0]] * shape[1] + columns[like[1]]).ravel()
        tallies = [np.bincount(flat, tally[like].ravel(), shape[0] * shape[1]).reshape(shape) for tally in sums]
        count, nonzero, total, square = self._tallies(np.array(tallies, np.float64), self._alike, sources, targets)
        pooled = gamma_hurdle_p(count, nonzero, total, square, observed)
        values = self.count * np.outer(_sizes(rows)[sources], _sizes(columns)[targets])
        own = (reached[np.ix_(sources, targets)] + 1) / (self.count + 1)
        p: Floats = np.where(values >= MIN_DISTINCT, pooled, own)
        return p

    def _tallies(
        self, tallies: Floats, groups: tuple[Ints, Ints], sources: Ints, targets: Ints
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Return, for some pairs, how many values chance gave their groups, how many are not 0, their sum, their squares'."""
        rows, columns = groups
        cells = np.ix_(rows[sources], columns[targets])
        size = self.count * np.outer(_sizes(rows)[sources], _sizes(columns)[targets])
        nonzero, total, square = tallies
        return size.astype(float), nonzero[cells], total[cells], square[cells]


def _in_groups_of(groups: Ints, some: Ints) -> Ints:
    """Return the nodes in the groups of some nodes."""
    wanted = np.zeros(int(groups.max()) + 1, np.bool_)
    wanted[groups[some]] = True
    return wanted[groups].nonzero()[0]


def _numbers(permuted: Permuted) -> list[float]:
    """What was noted of one permutation of one relation, as numbers that a file of floats holds exactly."""
    high, low = divmod(int(permuted.digests[0]), 1 << 32)
    return [permuted.attempted, permuted.succeeded, permuted.changed, high, low]


def _noted(numbers: Floats) -> Permuted:
    """The same from its numbers."""
    attempted, succeeded, changed, high, low = numbers.tolist()
    ends, digest = np.zeros((1, 0), np.int64), (int(high) << 32) + int(low)
    return Permuted(ends, ends, int(attempted), int(succeeded), changed, np.array([digest], np.uint64))


def numbered(profiles: Ints) -> Ints:
    """Number nodes (columns) by their profile of degrees."""
    axis, profiles = (1, profiles) if len(profiles) > 1 else (None, profiles[0])
    _, groups = np.unique(profiles, axis=axis, return_inverse=True)
    found: Ints = groups.ravel()
    return found


def _sizes(groups: Ints) -> Ints:
    """How many nodes are in each node's group."""
    sizes: Ints = np.bincount(groups)[groups]
    return sizes


def _tallied(rows: Ints, columns: Ints, scores: Floats, shape: tuple[int, ...]) -> Floats:
    flat, size = rows * shape[1] + columns, shape[0] * shape[1]
    tallies = (np.bincount(flat, weights, size) for weights in (None, scores, scores**2))
    return np.stack([tally.reshape(shape) for tally in tallies])
