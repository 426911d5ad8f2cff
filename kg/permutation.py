"""Is a score more than the degrees of its nodes explain? Permuted graphs, and p-values from them.

Each relation is permuted on its own by edge swaps that keep every node's degree (XSwap: Hanhijärvi et
al. 2009, SDM, p. 780; Himmelstein et al. 2023, GigaScience 12:giad047, "Degree-preserving network
permutation"): two edges a→b, c→d become a→d, c→b unless that makes a loop or an edge that is there.
Swaps are tried many at a time: a round pairs all edges at random and swaps the pairs whose four edges
(two old, two new) no other pair of the round involves. Those sets are the same after the swaps as
before, so each round is as likely backwards as forwards and the walk still samples uniformly among the
graphs it can reach; a swap is left undone now and then, lest few edges alternate in step. Pairs come from
shuffling all edges every few rounds and turning one half against the other in between, which costs less than
shuffling each time. Confidences stay with the edge that leaves their subject.

Small graphs get exact permutation p-values, p = (r + 1) / (n + 1) (Phipson & Smyth 2010, Stat Appl
Genet Mol Biol 9:39), of the summed score itself, so no independence of metapaths is assumed. Large
ones get the gamma-hurdle of het.io (GigaScience 2023, "Gamma-hurdle distribution"): null values are pooled over
nodes of equal degrees, p = P(nonzero) · P(Gamma >= score), for all pairs at once (kg/nulls.py). Where the graph is too small for
either, there is no p-value but a reason.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy  # its parts load where they are first used: most commands never need them
from numpy.typing import NDArray

from kg.budget import Budget
from kg.matrices import EdgeList, Floats, Ints, Matrices, PathCounter
from kg.metapaths import Metaedge, Metapath

PERMUTATIONS = 200  # as many as het.io
MULTIPLIER = 10  # swaps attempted per edge, as het.io
LAZINESS = 0.75  # chance that a possible swap is made
ROUNDS_PER_SHUFFLE = 4  # in between, the half of the edges that the other half is paired with is turned
BUCKETS = 32  # of a hash table, per key in it
MIN_DISTINCT = 100  # different permuted graphs, below which a p-value would only count repeats
MIN_CHANGED = 0.2  # mean share of edges that a permutation must have moved
LARGE = 20_000  # edges, from which on null values are pooled by degree
STACKED_EDGES = 4_000_000  # edges of stacked permutations held at once
SMALLEST_P = 1e-300
EQUAL = 1 - 1e-9  # of a score: what rounding may take from one that is as large

Numbers = NDArray[np.unsignedinteger[Any]]

EXACT, GAMMA = "EXACT", "GAMMA_HURDLE"


# ---------------------------------------------------------------- swapping edges
@dataclass(frozen=True, eq=False)
class Permuted:
    """Permutations of one relation: ``rows`` and ``columns`` have a row of edge ends per permutation.

    ``attempted`` and ``succeeded`` count swaps; ``changed`` is the mean share of edges that are not in
    the real graph; ``digests`` tell permuted networks apart.
    """

    rows: Ints
    columns: Ints
    attempted: int
    succeeded: int
    changed: float
    digests: NDArray[np.uint64]

    def without_ends(self) -> Permuted:
        """Return the same without the edges themselves, which on large graphs nobody has room for."""
        nothing = np.zeros((len(self.rows), 0), np.int64)  # no slice, which would hold the whole
        return replace(self, rows=nothing, columns=nothing)

    @property
    def distinct(self) -> int:
        """How many different networks there are among them."""
        return len(np.unique(self.digests))


def permute(edges: EdgeList, count: int, seed: int, name: str = "") -> Permuted:
    """Return ``count`` permutations of a relation, each from ``MULTIPLIER`` swap attempts per edge.

    The same seed and name give the same ones; ``name`` keeps relations from sharing random numbers.
    """
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    cells = edges.shape[0] * edges.shape[1]
    number = np.uint32 if count * cells < 1 << 32 else np.uint64  # the half of the memory takes half of the time
    rows, columns = (np.tile(ends.astype(number), (count, 1)) for ends in (edges.rows, edges.columns))
    order = np.tile(np.arange(len(edges)), (count, 1))
    pairs = len(edges) // 2
    second = np.s_[:, pairs : 2 * pairs]
    attempted = succeeded = 0
    while pairs and attempted < MULTIPLIER * len(edges) * count:
        if attempted % (ROUNDS_PER_SHUFFLE * count * pairs) == 0:
            shuffled = random.permuted(np.tile(np.arange(len(edges)), (count, 1)), axis=1)
            order, rows, columns = (np.take_along_axis(each, shuffled, axis=1) for each in (order, rows, columns))
        else:
            turn = int(random.integers(pairs))
            for each in (order, rows, columns):
                each[second] = np.roll(each[second], turn, axis=1)
        succeeded += _round(edges, rows, columns, random)
        attempted += count * pairs
    found = np.empty((2, *order.shape), np.int64)
    for ends, each in zip(found, (rows, columns), strict=True):
        np.put_along_axis(ends, order, each.astype(np.int64), axis=1)
    keys = np.sort(_keys(edges, *found), axis=1)
    real = np.sort(_keys(edges, edges.rows, edges.columns))
    changed = 1.0 - float(np.mean([_held(real, mine) for mine in keys])) if len(edges) and count else 0.0
    return Permuted(found[0], found[1], attempted, succeeded, changed, _digests(keys))


def _held(real: Ints, keys: Ints) -> float:
    """The share of keys that are among the real ones, both sorted."""
    place = np.minimum(np.searchsorted(real, keys), len(real) - 1)
    return float(np.mean(real[place] == keys))


def _round(edges: EdgeList, rows: Numbers, columns: Numbers, random: np.random.Generator) -> int:
    """Pair each edge of the first half with one of the second and swap where no pair gets in another's way.

    Returns how many were swapped.
    """
    half = rows.shape[1] // 2
    first, second, left = np.s_[:, :half], np.s_[:, half : 2 * half], np.s_[:, 2 * half :]
    a, b, c, d = rows[first], columns[first], rows[second], columns[second]
    chance = np.frombuffer(random.bytes(a.size), np.uint8).reshape(a.shape)
    if edges.symmetric:  # an undirected edge may be taken by either end
        flip = (chance & 1).view(np.bool_)
        c, d = np.where(flip, d, c), np.where(flip, c, d)
    pairs = np.stack([_keys(edges, *ends) for ends in ((a, b), (c, d), (a, d), (c, b))])
    odd = _keys(edges, rows[left], columns[left])  # the edge left over, where there is one
    good = _compatible(pairs, odd, edges.shape[0] * edges.shape[1], random)
    good &= chance < 256 * LAZINESS  # else two edges would swap and swap back in step
    if edges.same_kind:
        good &= (a != d) & (c != b)
    rows[second] = c
    columns[first], columns[second] = np.where(good, d, b), np.where(good, b, d)
    return int(np.count_nonzero(good))


def _compatible(pairs: Numbers, left: Numbers, span: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Which pairs involve no edge that another pair, or the edge left over, involves too.

    ``pairs`` (4 x permutations x pairs) holds two old edges and the two that would take their place;
    ``span`` is larger than any key. A few more pairs are left out, by hashes that are the same by chance: that too
    depends only on which edges are involved, and those are the same after the swaps.
    """
    if pairs.shape[1] > 1:
        apart = np.arange(pairs.shape[1], dtype=pairs.dtype)[:, None] * pairs.dtype.type(span)
        pairs, left = pairs + apart, left + apart
    ordered = np.concatenate([pairs.ravel(), left.ravel()])
    ordered.sort()
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    size = 8 * pairs.dtype.itemsize
    bits = max(12, (BUCKETS * len(repeated)).bit_length())
    factor = pairs.dtype.type(random.integers(1 << size, dtype=pairs.dtype) | 1)  # another hash each round

    def bucket(keys: Numbers) -> Numbers:
        return (keys * factor) >> pairs.dtype.type(size - bits)

    free = np.ones(1 << bits, np.bool_)
    free[bucket(repeated)] = False
    one, two, three, four = (free[bucket(keys)] for keys in pairs)
    found: NDArray[np.bool_] = one & two & three & four
    return found


def _keys(edges: EdgeList, rows: Any, columns: Any) -> Any:
    """One number per edge, of the type that the ends have; an undirected edge has the same both ways."""
    if edges.symmetric:
        rows, columns = np.minimum(rows, columns), np.maximum(rows, columns)
    return rows * rows.dtype.type(edges.shape[1]) + columns


def _digests(keys: Ints) -> NDArray[np.uint64]:
    """A 64-bit number per permuted network: the sum of a hash of its edges (splitmix64)."""
    with np.errstate(over="ignore"):
        z = keys.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        digests: NDArray[np.uint64] = (z ^ (z >> np.uint64(31))).sum(axis=1, dtype=np.uint64)
    return digests


# ---------------------------------------------------------------- null scores
@dataclass(frozen=True, slots=True)
class RelationShuffle:
    """How far the permutations of one relation went."""

    subject_kind: str
    relation: str
    object_kind: str
    edges: int
    attempted: int
    succeeded: int
    changed: float
    distinct: int


@dataclass(frozen=True, slots=True)
class PermutationReport:
    """What the p-values of a list rest on: ``changed`` is the mean share of edges moved, over all relations."""

    method: str
    permutations: int
    seed: int
    attempted: int
    succeeded: int
    changed: float
    distinct: int
    relations: tuple[RelationShuffle, ...]

    @property
    def text(self) -> str:
        """One sentence for people."""
        return (
            f"{self.permutations} degree-preserving permutations (XSwap, seed {self.seed}): "
            f"{self.succeeded:,} of {self.attempted:,} swaps succeeded, {self.changed:.0%} of edges changed"
        )


class Shuffles:
    """What permuting the relations that some metapaths use did to them."""

    def __init__(self, graph: Matrices, metapaths: Sequence[Metapath]) -> None:
        self.graph, self.metapaths = graph, tuple(metapaths)
        self.shuffles: dict[Metaedge, list[Permuted]] = {}
        self._known: dict[Metaedge, tuple[int, tuple[NDArray[np.uint64], float]]] = {}
        self.used = sorted({step.metaedge for metapath in metapaths for step in metapath.steps})

    @property
    def count(self) -> int:
        """Number of permutations."""
        return sum(len(permuted.digests) for permuted in self.shuffles.get(self.used[0], ())) if self.used else 0

    def note(self, batch: Mapping[Metaedge, Permuted]) -> None:
        """Note a batch of permutations of all relations."""
        for key, permuted in batch.items():
            self.shuffles.setdefault(key, []).append(permuted)

    # -------------------------------------------------------------- what they show
    def digests(self, metaedges: Iterable[Metaedge]) -> NDArray[np.uint64]:
        """One number per permutation for these relations together."""
        total = np.zeros(self.count, np.uint64)
        with np.errstate(over="ignore"):
            for number, key in enumerate(sorted(metaedges)):
                mine = self._of(key)[0]
                total = total * np.uint64(0x9E3779B97F4A7C15) + mine + np.uint64(number)
        return total

    def changed(self, metaedges: Iterable[Metaedge]) -> float:
        """Mean share of these relations' edges that permutation moved."""
        rows = [(len(self.graph.edges[key]), self._of(key)[1]) for key in metaedges]
        size = sum(edges for edges, _ in rows)
        return sum(edges * share for edges, share in rows) / size if size else 0.0

    def _of(self, key: Metaedge) -> tuple[NDArray[np.uint64], float]:
        """The digests of one relation's permutations, and the mean share of its edges that they moved."""
        parts = self.shuffles[key]
        if key not in self._known or self._known[key][0] != len(parts):
            digests = np.concatenate([part.digests for part in parts])
            self._known[key] = len(parts), (digests, float(np.mean([part.changed for part in parts])))
        return self._known[key][1]

    def too_small(self, metaedges: Iterable[Metaedge]) -> str | None:
        """Why these relations are too small for a p-value, or None where they are not."""
        keys = sorted(set(metaedges))
        needed = min(MIN_DISTINCT, self.count)
        distinct = len(np.unique(self.digests(keys)))
        names = ", ".join(sorted({key[1] for key in keys}))
        if distinct < needed:
            return (
                f"too small for a p-value: {self.count} permutations of {names} gave {distinct} different "
                f"network{'s' * (distinct != 1)} with the same degrees, and {needed} are needed"
            )
        changed = self.changed(keys)
        if changed < MIN_CHANGED:
            return (
                f"too small for a p-value: permutation could move only {changed:.0%} of the edges of {names}, "
                f"and {MIN_CHANGED:.0%} are needed"
            )
        return None

    def report(self, method: str, seed: int) -> PermutationReport:
        """Return what the permutations did, relation by relation."""
        rows = tuple(self._shuffle(key) for key in self.used)
        return PermutationReport(
            method,
            self.count,
            seed,
            sum(row.attempted for row in rows),
            sum(row.succeeded for row in rows),
            self.changed(self.used),
            len(np.unique(self.digests(self.used))),
            rows,
        )

    def _shuffle(self, key: Metaedge) -> RelationShuffle:
        parts = self.shuffles[key]
        return RelationShuffle(
            *key,
            len(self.graph.edges[key]),
            sum(part.attempted for part in parts),
            sum(part.succeeded for part in parts),
            float(np.mean([part.changed for part in parts])),
            len(np.unique(np.concatenate([part.digests for part in parts]))),
        )


class NullScores(Shuffles):
    """Scores of the same pairs on permuted graphs.

    ``sums`` (permutations x sources x targets) are summed scores; ``reached`` counts, per metapath, those that reached
    the observed value.
    """

    def __init__(self, graph: Matrices, metapaths: Sequence[Metapath], observed: Floats, scale: Floats) -> None:
        super().__init__(graph, metapaths)
        self.observed, self.scale = observed, scale
        self.sums: list[Floats] = []
        self.reached = np.zeros(observed.shape)

    def add(self, batch: dict[Metaedge, Permuted], counter: PathCounter, count: int) -> None:
        """Score a batch of permuted graphs, stacked as blocks of one."""
        sums = np.zeros((count, *self.observed.shape[1:]))
        for number, metapath in enumerate(self.metapaths):
            values = _unstacked(counter.dwpc(metapath), count)
            scores = np.arcsinh(values / self.scale[number]) if self.scale[number] else np.zeros_like(values)
            sums += scores
            self.reached[number] += (scores >= self.observed[number] * EQUAL).sum(axis=0)
        self.sums.append(sums)
        self.note(batch)


def null_scores(
    graph: Matrices,
    metapaths: Sequence[Metapath],
    sources: Ints,
    targets: Ints,
    observed: Floats,
    scale: Floats,
    *,
    damping: float,
    weighting: str,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    budget: Budget | None = None,
) -> NullScores:
    """Return the scores of the pairs on permuted graphs.

    ``observed`` (metapaths x sources x targets) are the transformed scores on the real graph and
    ``scale`` the means they were divided by. It takes at most half of what is left of the budget, which may
    end it with fewer permutations.
    """
    null = NullScores(graph, metapaths, observed, scale)
    size = sum(len(graph.edges[key]) for key in null.used)
    reserve = budget.left // 2 if budget is not None else 0
    at_once = max(1, min(permutations, STACKED_EDGES // max(1, size)))
    for batch, start in enumerate(range(0, permutations, at_once)):
        count = min(at_once, permutations - start)
        cost = count * size // 10 + 1
        if budget is not None and (budget.left - cost < reserve or not budget.spend(cost)):
            break
        shuffled = {key: _shuffled(graph.edges[key], count, seed + (batch << 32), key, size) for key in null.used}
        blocks = Matrices(
            graph.model,
            {kind: number * count for kind, number in graph.sizes.items()},
            {key: stacked(graph.edges[key], shuffled[key]) for key in null.used},
        )
        ends = (
            _repeated(sources, graph.sizes[metapaths[0].kinds[0]], count),
            _repeated(targets, graph.sizes[metapaths[0].kinds[-1]], count),
        )
        null.add(shuffled, PathCounter(blocks, *ends, damping=damping, weighting=weighting), count)
    return null


def _shuffled(edges: EdgeList, count: int, seed: int, key: Metaedge, size: int) -> Permuted:
    """The permutations of one relation, kept with it where the graph is small."""
    name = " ".join(key)
    if size >= LARGE:
        return permute(edges, count, seed, name)
    kept = ("permuted", count, seed)
    if kept not in edges.derived:
        edges.derived[kept] = permute(edges, count, seed, name)
    found: Permuted = edges.derived[kept]
    return found


def stacked(edges: EdgeList, permuted: Permuted) -> EdgeList:
    """All permutations as blocks of one large relation, so that one matrix product serves them all."""
    count = len(permuted.rows)
    block = np.arange(count)[:, None]
    return EdgeList(
        (edges.shape[0] * count, edges.shape[1] * count),
        (permuted.rows + block * edges.shape[0]).ravel(),
        (permuted.columns + block * edges.shape[1]).ravel(),
        np.tile(edges.confidence, count),
        same_kind=edges.same_kind,
        symmetric=edges.symmetric,
    )


def _repeated(ends: Ints, size: int, count: int) -> Ints:
    repeated: Ints = (np.arange(count)[:, None] * size + ends).ravel()
    return repeated


def _unstacked(matrix: Any, count: int) -> Floats:
    """The blocks of a stacked result as one array: permutations x sources x targets."""
    sources, targets = matrix.shape[0] // count, matrix.shape[1] // count
    coo = matrix.tocoo()
    values = np.zeros((count, sources, targets))
    values[coo.row // sources, coo.row % sources, coo.col % targets] = coo.data
    return values


# ---------------------------------------------------------------- p and q
def exact_p(null: Floats, observed: Floats) -> Floats:
    """Return (r + 1) / (n + 1) per pair, r the permutations that reach the observed score."""
    reached = (null >= observed * EQUAL).sum(axis=0)
    p: Floats = (reached + 1) / (len(null) + 1)
    return p


def gamma_hurdle_p(count: Floats, nonzero: Floats, total: Floats, square: Floats, observed: Floats) -> Floats:
    """Return P(nonzero) · P(Gamma >= observed), the Gamma fitted to the nonzero null scores by moments.

    Arguments are element-wise tallies of the null: how many, how many nonzero, their sum and sum of
    squares. No path gives 1. Where no Gamma can be fitted (no or equal nonzero scores) the value
    is the empirical (r + 1) / (n + 1). Source: hetmatpy's published pipeline, peers.md §4.2.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / nonzero
        variance = np.maximum(square - nonzero * mean**2, 0.0) / (nonzero - 1)
        rate = mean / variance
        tail = nonzero / count * scipy.special.gammaincc(mean * rate, rate * observed)
        flat = np.where(observed <= mean + 1e-5, nonzero + 1, 1) / (count + 1)
    fitted = (nonzero > 1) & (variance > 1e-18)
    p: Floats = np.where(observed <= 0, 1.0, np.where(fitted, np.clip(tail, SMALLEST_P, 1.0), flat))
    return p


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Return the q-value of each p-value (Benjamini & Hochberg 1995, J R Stat Soc B 57:289); None stays None."""
    known = sorted((p, position) for position, p in enumerate(p_values) if p is not None)
    q_values: list[float | None] = [None] * len(p_values)
    smallest = 1.0
    for rank in range(len(known), 0, -1):
        p, position = known[rank - 1]
        smallest = min(smallest, p * len(known) / rank)
        q_values[position] = smallest
    return q_values
