"""Degree-weighted path counts on sparse matrices.

For one metapath, the path degree product of a path and the degree-weighted path count of a pair are

    PDP(path) = prod over its edges of  d_source^-w · d_target^-w        DWPC(s, t) = sum of PDP(path)

where each d is the node's degree for that relation in that direction and w damps hubs (Himmelstein &
Baranzini 2015, PLOS Comput Biol 11:e1004259, "Feature extraction"). With ``weighting="CONFIDENCE"``
each edge also multiplies its path by its confidence; ``"UNIFORM"`` is the published definition.
Degrees count edges, whatever their confidence.

Paths, not walks: no node may repeat. Walks with repeated nodes are taken out exactly (kg/elimination.py).
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from itertools import accumulate
from typing import Any, cast

import numpy as np
import scipy  # its parts load where they are first used: most commands never need them
from numpy.typing import NDArray

from kg.assertions import Chosen
from kg.columns import NOTHING, Bools, run_members, stable_order, starts_of
from kg.elimination import Elimination, Factor, Matrix, partitions
from kg.errors import BadInput
from kg.metapaths import Metaedge, Metapath, Step
from kg.model import Model
from kg.overlay import Scenario
from kg.records import Assertion, Entity
from kg.snapshot import Snapshot
from kg.tallies import Beside

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
CONFIDENCE, UNIFORM = "CONFIDENCE", "UNIFORM"
DAMPING = 0.4  # best of those tried by Himmelstein & Baranzini 2015, Fig 3
SCENARIOS_KEPT = 8
PLAIN = "plain"
ROUNDING = 1e-11  # a share of walks below this is no path but the rounding of a difference


# ---------------------------------------------------------------- edges of one relation between two kinds
class EdgeList:
    """The edges of one relation between one kind of subjects and one of objects, without loops.

    ``rows`` and ``columns`` number subjects and objects within their kinds. ``records`` are the
    assertions, in the same order; a permuted list has none.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        rows: Ints,
        columns: Ints,
        confidence: Floats,
        *,
        same_kind: bool = False,
        symmetric: bool = False,
        records: Sequence[Assertion] = (),
    ) -> None:
        self.shape, self.rows, self.columns, self.confidence = shape, rows, columns, confidence
        self.same_kind, self.symmetric, self.records = same_kind, symmetric, records
        self.derived: dict[Hashable, Any] = {}  # what others compute of it once, such as permutations

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def forward(self) -> StepTable:
        """Its edges from subjects to objects; of a symmetric relation, both ways."""
        if not self.symmetric:
            return StepTable.make(self.shape, self.rows, self.columns, np.arange(len(self)), self.confidence)
        rows = np.concatenate([self.rows, self.columns])
        columns = np.concatenate([self.columns, self.rows])
        edges = np.tile(np.arange(len(self)), 2)
        return StepTable.make(self.shape, rows, columns, edges, np.tile(self.confidence, 2))

    @cached_property
    def backward(self) -> StepTable:
        """Its edges from objects to subjects."""
        if self.symmetric:
            return self.forward
        return StepTable.make(self.shape[::-1], self.columns, self.rows, np.arange(len(self)), self.confidence)

    def with_edge(self, row: int, column: int, confidence: float) -> EdgeList:
        """Return the list with one edge more, which has no record; cheaper than sorting anew."""
        grown = EdgeList(
            self.shape,
            np.append(self.rows, row),
            np.append(self.columns, column),
            np.append(self.confidence, confidence),
            same_kind=self.same_kind,
            symmetric=self.symmetric,
            records=self.records,
        )
        forward = self.forward.with_cell(row, column, len(self), confidence)
        if self.symmetric:
            forward = forward.with_cell(column, row, len(self), confidence)
        else:
            grown.backward = self.backward.with_cell(column, row, len(self), confidence)
        grown.forward = forward
        return grown


@dataclass(eq=False)
class StepTable:
    """One step's edges in compressed rows; ``edges`` numbers them within their EdgeList."""

    shape: tuple[int, int]
    indptr: Ints
    indices: Ints
    edges: Ints
    confidence: Floats
    _matrices: dict[tuple[float, str], Matrix] = field(default_factory=dict)
    _turned: dict[tuple[float, str], Matrix] = field(default_factory=dict)
    _last_column: tuple[int, Ints] | None = None  # the cells of one column, by row: cases of one list share their end

    @classmethod
    def make(cls, shape: tuple[int, int], rows: Ints, columns: Ints, edges: Ints, confidence: Floats) -> StepTable:
        """Sort edges by row and column; of two between the same nodes the more trusted counts."""
        order = _order(shape, rows, columns)  # which of equal ones comes first is settled below
        if _alike(rows[order], columns[order]).any():  # an undirected edge that is stored both ways
            order = np.lexsort((-confidence, columns, rows))
            order = order[np.append(True, ~_alike(rows[order], columns[order]))]
            rows = rows[order]
        return cls(
            shape, starts_of(np.bincount(rows, minlength=shape[0])), columns[order], edges[order], confidence[order]
        )

    def row(self, number: int) -> Ints:
        """The target nodes of one source node, ascending."""
        return self.indices[self.indptr[number] : self.indptr[number + 1]]

    def holds(self, row: int, column: int) -> bool:
        """Whether there is an edge from a source node to a target node."""
        cells = self.row(row)
        place = int(np.searchsorted(cells, column))
        return place < len(cells) and int(cells[place]) == column

    def with_cell(self, row: int, column: int, edge: int, confidence: float) -> StepTable:
        """Return the table with one edge more."""
        place = int(self.indptr[row] + np.searchsorted(self.row(row), column))
        indptr = self.indptr.copy()
        indptr[row + 1 :] += 1
        return StepTable(
            self.shape,
            indptr,
            np.insert(self.indices, place, column),
            np.insert(self.edges, place, edge),
            np.insert(self.confidence, place, confidence),
        )

    def expanded_to(self, column: int, rows: Ints) -> tuple[Ints, Ints]:
        """Return, for each edge that leads from the given rows to a column, its position in ``rows`` and its cell."""
        last = self._last_column
        if last is None or last[0] != column:
            cells = (self.indices == column).nonzero()[0]
            places = np.full(self.shape[0], NOTHING, np.int64)
            places[self.indptr.searchsorted(cells, "right") - 1] = cells
            last = self._last_column = column, places
        found = last[1][rows]
        origin = (found != NOTHING).nonzero()[0]
        return origin, found[origin]

    @cached_property
    def row_degree(self) -> Ints:
        """Edges of each source node."""
        return np.diff(self.indptr)

    @cached_property
    def column_degree(self) -> Ints:
        """Edges of each target node."""
        return np.bincount(self.indices, minlength=self.shape[1])

    def matrix(self, damping: float, weighting: str) -> Matrix:
        """Return the step's matrix: row degree^-w · column degree^-w (· confidence) at each edge."""
        key = (damping, weighting)
        if key not in self._matrices:
            values = self.confidence if weighting == CONFIDENCE else np.ones(len(self.indices))
            values = values * np.repeat(_damped(self.row_degree, damping), self.row_degree)
            values = values * _damped(self.column_degree, damping)[self.indices]
            self._matrices[key] = scipy.sparse.csr_array((values, self.indices, self.indptr), shape=self.shape)
        matrix: Matrix = self._matrices[key]
        return matrix

    def turned(self, damping: float, weighting: str) -> Matrix:
        """Return the transposed matrix, cell by cell the same numbers: those of the opposite step may be rounded otherwise."""
        key = (damping, weighting)
        if key not in self._turned:
            self._turned[key] = self.matrix(damping, weighting).T.tocsr()
        matrix: Matrix = self._turned[key]
        return matrix


def _order(shape: tuple[int, int], rows: Ints, columns: Ints) -> Ints:
    """Return the order of cells by row and column."""
    if (columns[1:] >= columns[:-1]).all():
        return stable_order(rows, shape[0])
    order = stable_order(columns, shape[1])
    return order[stable_order(rows[order], shape[0])]


def _alike(rows: Ints, columns: Ints) -> Bools:
    """Return which cells are the same as the one before, but for the first."""
    same: Bools = (rows[1:] == rows[:-1]) & (columns[1:] == columns[:-1])
    return same


def _damped(degree: Ints, damping: float) -> Floats:
    factor: Floats = np.maximum(degree, 1) ** -damping
    return factor


# ---------------------------------------------------------------- counting
class PathCounter:
    """Degree-weighted path counts from some nodes to some nodes, all metapaths sharing their products.

    ``sources`` and ``targets`` number nodes within the kinds at the ends; None is all of them.
    """

    def __init__(
        self,
        graph: Matrices,
        sources: Ints | None = None,
        targets: Ints | None = None,
        *,
        damping: float = DAMPING,
        weighting: str = CONFIDENCE,
    ) -> None:
        if weighting not in (CONFIDENCE, UNIFORM):
            raise BadInput(f"The weighting {weighting!r} is neither CONFIDENCE nor UNIFORM.")
        if not 0.0 <= damping <= 1.0:
            raise BadInput(f"The damping exponent is {damping}; it must lie between 0 (no damping) and 1.")
        self.graph, self.damping, self.weighting = graph, damping, weighting
        self.ends = (sources, targets)
        self.memo: dict[Hashable, Factor] = {}

    def dwpc(self, metapath: Metapath) -> Matrix:
        """Return the DWPC of every (source, target) as a CSR array, sources in rows; a node to itself is 0."""
        if self._one_pair:
            return scipy.sparse.csr_array([[self.value(metapath)]])
        walks, *repeats = _terms(metapath.kinds)
        whole = self._summed(metapath, walks[1], (walks[1][0], walks[1][-1]))
        terms = [weight * self._summed(metapath, blocks, (blocks[0], blocks[-1])) for weight, blocks in repeats]
        return self._without_self(metapath, _difference(whole, terms) if terms else whole.copy())  # whole may be shared

    @cached_property
    def _one_pair(self) -> bool:
        return all(nodes is not None and len(nodes) == 1 for nodes in self.ends)

    def value(self, metapath: Metapath) -> float:
        """Return the DWPC of the only pair there is to count: one source and one target."""
        (source,), (target,) = self.ends  # type: ignore[misc]
        if source == target and metapath.kinds[0] == metapath.kinds[-1]:
            return 0.0
        walks, *repeats = _terms(metapath.kinds)
        whole = float(self._eliminated(metapath, walks[1], (walks[1][0], walks[1][-1])).scale)
        if not whole:
            return 0.0
        taken = (weight * self._eliminated(metapath, b, (b[0], b[-1])).scale for weight, b in repeats)
        found = whole + float(sum(taken))
        return found if found >= ROUNDING * whole else 0.0

    def total(self, metapath: Metapath) -> float:
        """Return the sum of the DWPC over all pairs of the kinds at its ends."""
        whole = PathCounter(self.graph, damping=self.damping, weighting=self.weighting)
        whole.memo = self.graph.memo(self.damping, self.weighting)
        walks, *repeats = _terms(metapath.kinds, ends_may_meet=True)
        every = float(whole._summed(metapath, walks[1], ()))
        found = every + sum(weight * float(whole._summed(metapath, blocks, ())) for weight, blocks in repeats)
        return found if found >= ROUNDING * every else 0.0

    def mean(self, metapath: Metapath) -> float:
        """Return the mean of the DWPC over all pairs of the kinds at its ends, zeros included."""
        pairs = self.graph.sizes[metapath.kinds[0]] * self.graph.sizes[metapath.kinds[-1]]
        return self.total(metapath) / pairs if pairs else 0.0

    def _summed(self, metapath: Metapath, blocks: tuple[int, ...], kept: tuple[int, ...]) -> Matrix:
        elimination = self._eliminated(metapath, blocks, kept)
        return self._finished(elimination, kept) if kept else elimination.scale

    def _eliminated(self, metapath: Metapath, blocks: tuple[int, ...], kept: tuple[int, ...]) -> Elimination:
        ends = dict(zip(kept, (0, 1), strict=False))
        fixed = {
            block: int(nodes[0])
            for block, end in ends.items()
            if (nodes := self.ends[end]) is not None and len(nodes) == 1
        }
        elimination = Elimination(self.memo, [block for block in kept if block not in fixed])
        for position, step in enumerate(metapath.steps):
            a, b = blocks[position], blocks[position + 1]
            if a in fixed and b in fixed:
                elimination.scale *= self._cell(step, fixed[a], fixed[b])
            elif a in fixed:
                elimination.weigh(b, self._row(step, fixed[a], ends.get(b), opposite=False))
            elif b in fixed:
                elimination.weigh(a, self._row(step, fixed[b], ends.get(a), opposite=True))
            else:
                elimination.add(a, b, self._sliced(step, ends.get(a), ends.get(b)))
        elimination.run()
        return elimination

    def _finished(self, elimination: Elimination, kept: tuple[int, ...]) -> Matrix:
        a, b = kept
        weights = [elimination.singles.get(block) for block in kept]
        if not elimination.kept:
            return scipy.sparse.csr_array([[elimination.scale]])
        if len(elimination.kept) == 1:
            vector = next(weight.value for weight in weights if weight) * elimination.scale
            return scipy.sparse.csr_array(vector.reshape((-1, 1) if a in elimination.kept else (1, -1)))
        matrix = elimination.pairs[min(a, b), max(a, b)].value
        if a > b:
            matrix = matrix.T.tocsr()
        for weight, shape in zip(weights, ((-1, 1), (1, -1)), strict=True):
            if weight:
                matrix = matrix.multiply(weight.value.reshape(shape)).tocsr()
        return matrix

    def _row(self, step: Step, node: int, end: int | None, *, opposite: bool) -> Factor:
        """A step's weights between one node and all nodes, or those of an end, at its other side."""
        key = ("row", step, self.graph.grown.get(step.metaedge), node, end, opposite)
        if key not in self.memo:
            matrix = self.graph.step(step, opposite=opposite).matrix(self.damping, self.weighting)
            cells = slice(matrix.indptr[node], matrix.indptr[node + 1])
            row = np.zeros(matrix.shape[1])
            row[matrix.indices[cells]] = matrix.data[cells]
            nodes = None if end is None else self.ends[end]
            self.memo[key] = Factor(key, row if nodes is None else row[nodes])
        return self.memo[key]

    def _cell(self, step: Step, source: int, target: int) -> float:
        return float(self._row(step, source, None, opposite=False).value[target])

    def _sliced(self, step: Step, row_end: int | None, column_end: int | None) -> Factor:
        key = (step, self.graph.grown.get(step.metaedge), row_end, column_end)
        if key not in self.memo:
            rows = None if row_end is None else self.ends[row_end]
            columns = None if column_end is None else self.ends[column_end]
            table = self.graph.step(step)
            matrix = table.matrix(self.damping, self.weighting)
            if columns is not None:  # by rows of the opposite step: slicing columns of CSR visits every cell
                back = self.graph.step(step, opposite=True).matrix(self.damping, self.weighting)
                matrix = back[columns].T.tocsr()
            whole = rows is None and columns is None
            turned = partial(table.turned, self.damping, self.weighting) if whole else None
            self.memo[key] = Factor(key, matrix if rows is None else matrix[rows], turned)
        return self.memo[key]

    def _without_self(self, metapath: Metapath, total: Matrix) -> Matrix:
        if metapath.kinds[0] != metapath.kinds[-1]:
            return total
        size = self.graph.sizes[metapath.kinds[0]]
        rows, columns = (np.arange(size) if end is None else end for end in self.ends)
        coo = total.tocoo()
        apart = rows[coo.row] != columns[coo.col]
        kept = (coo.data[apart], (coo.row[apart], coo.col[apart]))
        return scipy.sparse.csr_array(kept, shape=coo.shape)


@cache
def _terms(kinds: tuple[str, ...], ends_may_meet: bool = False) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The partitions of a metapath's positions with their weights: first the one that counts all walks."""
    return tuple(sorted(partitions(kinds, ends_may_meet), key=lambda found: -len(set(found[1]))))


def _difference(walks: Matrix, terms: Sequence[Matrix]) -> Matrix:
    """The walks and the terms that take repeated nodes out of them, added; what rounding leaves where they cancel is 0."""
    total: Matrix = sum(terms, walks)
    total.eliminate_zeros()
    per_walk = walks.copy()
    per_walk.eliminate_zeros()
    per_walk.data = 1.0 / per_walk.data
    share = total.multiply(per_walk).tocsr()  # the walks cover the terms, so this has total's cells
    for matrix in (total, share):
        matrix.sort_indices()
    total.data[share.data < ROUNDING] = 0.0
    total.eliminate_zeros()
    return total


@dataclass(frozen=True, eq=False)
class PathTable:
    """All paths of one metapath between two nodes, largest value first.

    ``nodes`` (paths x length + 1) numbers nodes within their kinds, ``edges`` (paths x length) numbers
    edges across the graph (``Matrices.assertion``), ``values`` are the path degree products, times
    confidences where those count. ``complete`` is False where the limit cut the search.
    """

    metapath: Metapath
    nodes: Ints
    edges: Ints
    values: Floats
    complete: bool = True

    def __len__(self) -> int:
        return len(self.values)


class Matrices:
    """The edges of a graph by relation and kinds, as tables and sparse matrices.

    ``sizes`` counts the nodes of each kind; ``entities`` lists them in the order in which they are
    numbered (empty for permuted graphs). ``beside`` is the folder of the graph, which has none under assumptions.
    """

    def __init__(
        self,
        model: Model,
        sizes: Mapping[str, int],
        edges: Mapping[Metaedge, EdgeList],
        entities: Mapping[str, Sequence[Entity]] | None = None,
        index: Mapping[str, int] | None = None,
        beside: Beside | None = None,
        grown: Mapping[Metaedge, tuple[int, int, float]] | None = None,
    ) -> None:
        self.model, self.sizes, self.edges = model, sizes, edges
        self.beside = beside or Beside()
        self.grown = grown or {}  # the edge that relations were given here, which others with the same edges lack
        self.entities = entities or {}
        self.index = index or {}
        self._keys = sorted(key for key in edges if len(edges[key]))
        self._starts = [0, *accumulate(len(edges[key]) for key in self._keys)][: len(self._keys)]
        self.first_edge = dict(zip(self._keys, self._starts, strict=True))
        self._memos: dict[tuple[float, str], dict[Hashable, Factor]] = defaultdict(dict)
        self.results: OrderedDict[Hashable, Any] = OrderedDict()  # what callers keep while the version stands
        self.means: dict[Hashable, float] = {}
        self.once: dict[Hashable, Any] = {}  # the same for what is small and always wanted

    def let_go(self) -> None:
        """Forget what was computed: some of it holds these matrices."""
        self._memos.clear()
        self.results.clear()
        self.once.clear()
        for edges in self.edges.values():
            edges.derived.clear()

    def step(self, step: Step, *, opposite: bool = False) -> StepTable:
        """Return the table of a step, or of the same step walked back."""
        edges = self.edges[step.metaedge]
        return edges.backward if step.reversed != opposite else edges.forward

    def memo(self, damping: float, weighting: str) -> dict[Hashable, Factor]:
        """Products over the whole graph that are shared by all counters."""
        return self._memos[damping, weighting]

    def dwpc(
        self,
        metapath: Metapath,
        sources: Ints | None = None,
        targets: Ints | None = None,
        *,
        damping: float = DAMPING,
        weighting: str = CONFIDENCE,
    ) -> Matrix:
        """Return the DWPC of one metapath as a CSR array; several metapaths share work in a ``PathCounter``."""
        return PathCounter(self, sources, targets, damping=damping, weighting=weighting).dwpc(metapath)

    def assertion(self, edge: int) -> Assertion:
        """Return the assertion of an edge by its number across the graph."""
        key = self._keys[bisect_right(self._starts, edge) - 1]
        return self.edges[key].records[edge - self.first_edge[key]]

    def positions(self, edges: Ints) -> Ints:
        """Return the positions of edges in the graph's assertions; NOTHING for those that a scenario brings."""
        found = np.full(len(edges), NOTHING, np.int64)
        lists = np.searchsorted(self._starts, edges, "right") - 1
        for number in np.unique(lists).tolist():
            records = self.edges[self._keys[number]].records
            if isinstance(records, Chosen):
                mine = (lists == number).nonzero()[0]
                within = edges[mine] - self._starts[number]
                own = within < len(records.positions)
                found[mine[own]] = records.positions[within[own]]
        return found

    @cached_property
    def first_node(self) -> Mapping[str, int]:
        """The number across the graph of each kind's first node."""
        kinds = sorted(self.sizes)
        return dict(zip(kinds, accumulate((self.sizes[kind] for kind in kinds), initial=0), strict=False))

    def ends(self, edges: Ints) -> Ints:
        """Return the subject and the object of edges, nodes and edges numbered across the graph, a row an edge."""
        found = np.empty((len(edges), 2), np.int64)
        lists = np.searchsorted(self._starts, edges, "right") - 1
        for number in np.unique(lists).tolist():
            key, mine = self._keys[number], lists == number
            within = edges[mine] - self._starts[number]
            found[mine, 0] = self.first_node[key[0]] + self.edges[key].rows[within]
            found[mine, 1] = self.first_node[key[2]] + self.edges[key].columns[within]
        return found

    def with_edge(self, metaedge: Metaedge, row: int, column: int, confidence: float = 1.0) -> Matrices:
        """Return the matrices with one edge more; everything else is shared."""
        edges = {**self.edges, metaedge: self.edges[metaedge].with_edge(row, column, confidence)}
        grown = {**self.grown, metaedge: (row, column, confidence)}
        return Matrices(self.model, self.sizes, edges, self.entities, self.index, grown=grown)

    # -------------------------------------------------------------- explicit paths
    def paths(
        self,
        metapath: Metapath,
        source: int,
        target: int,
        *,
        damping: float = DAMPING,
        weighting: str = CONFIDENCE,
        limit: int = 200_000,
        known: dict[Hashable, Bools] | None = None,
    ) -> PathTable:
        """Return every path of a metapath between two nodes, largest value first, ties by node numbers.

        Cost is linear in what it returns: each node tried is known to lead to the target by a walk.
        ``limit`` bounds the partial paths held at once. ``known`` is shared by calls for metapaths that end alike.
        """
        tables = [self.step(step) for step in metapath.steps]
        leads_on = self._leads_on(metapath, target, {} if known is None else known)
        nodes, values = [np.array([source])], np.ones(1)
        edges: list[Ints] = []
        complete = True
        for position, (step, table) in enumerate(zip(metapath.steps, tables, strict=True)):
            last = position == len(tables) - 1
            row, cell = table.expanded_to(target, nodes[-1]) if last else _expand(table, nodes[-1])
            ahead = table.indices[cell]
            keep = np.ones(len(row), np.bool_) if last else leads_on[position][ahead]
            for earlier, kind in enumerate(metapath.kinds[: position + 1]):
                if kind == metapath.kinds[position + 1]:
                    keep &= nodes[earlier][row] != ahead
            kept = keep.nonzero()[0]
            complete &= len(kept) <= limit
            kept = kept[:limit]
            row, cell = row[kept], cell[kept]
            nodes = [*(column[row] for column in nodes), ahead[kept]]
            edges = [*(column[row] for column in edges), table.edges[cell] + self.first_edge[step.metaedge]]
            values = values[row] * table.matrix(damping, weighting).data[cell]
        order = np.lexsort((*nodes[::-1], -values))
        nodes, edges = ([column[order] for column in columns] for columns in (nodes, edges))
        return PathTable(metapath, np.column_stack(nodes), np.column_stack(edges), values[order], complete)

    def _leads_on(self, metapath: Metapath, target: int, known: dict[Hashable, Bools]) -> list[Bools]:
        """For each position after the first, which nodes have a walk along the rest of the metapath to the target."""
        last = np.zeros(self.sizes[metapath.kinds[-1]], bool)
        last[target] = True
        masks = [last]
        for position in range(len(metapath) - 1, 0, -1):
            rest = metapath.steps[position:]
            if (rest, target) not in known:
                back = self.step(rest[0], opposite=True)
                _, cell = _expand(back, np.flatnonzero(masks[0]))
                mask = np.zeros(self.sizes[rest[0].source], bool)
                mask[back.indices[cell]] = True
                known[rest, target] = mask
            masks.insert(0, known[rest, target])
        return masks


def _expand(table: StepTable, rows: Ints) -> tuple[Ints, Ints]:
    """Return, for each edge that leaves the given rows, its position in ``rows`` and its cell in the table."""
    counts = table.row_degree[rows]
    return np.arange(len(rows)).repeat(counts), run_members(table.indptr[rows], counts)


# ---------------------------------------------------------------- from a scenario
_LOCK = threading.RLock()


def matrices(scenario: Scenario) -> Matrices:
    """Return the matrices of a graph under assumptions, made once per version and scenario.

    Relations that the assumptions do not touch share their tables with the graph's own.
    """
    with _LOCK:
        kept: OrderedDict[Hashable, Matrices] = scenario.graph.derived.setdefault("matrices", OrderedDict())
        if PLAIN not in kept:
            kept[PLAIN] = _base(scenario.graph)
        if scenario.is_plain:
            return kept[PLAIN]
        if scenario.key not in kept:
            kept[scenario.key] = _overlaid(kept[PLAIN], scenario)
        kept.move_to_end(scenario.key)
        while len(kept) > SCENARIOS_KEPT:
            kept.pop(next(key for key in kept if key != PLAIN))
        return kept[scenario.key]


def _base(graph: Snapshot) -> Matrices:
    columns, entities = graph.columns, dict(graph.by_kind)
    within = np.arange(len(columns.entities))
    for numbers in columns.entities.of_kind.values():
        within[numbers.start : numbers.stop] -= numbers.start
    index = dict(zip(columns.curies, within.tolist(), strict=True))
    kinds = graph.adjacency.kinds
    edges = np.flatnonzero(columns.supported & (columns.subjects != columns.objects))
    subjects, objects = columns.subjects[edges], columns.objects[edges]
    shape = len(graph.model.kinds), len(graph.model.relations), len(graph.model.kinds)
    keys = np.ravel_multi_index((kinds[subjects], columns.relations[edges], kinds[objects]), shape)
    sizes = {kind: len(members) for kind, members in entities.items()}
    lists = {}
    counts = np.bincount(keys)
    runs = np.split(np.argsort(keys.astype(np.min_scalar_type(len(counts))), kind="stable"), np.cumsum(counts)[:-1])
    for found in np.flatnonzero(counts).tolist():
        chosen = runs[found]
        subject, relation, object_ = map(int, np.unravel_index(found, shape))
        key = graph.model.kinds[subject].name, graph.model.relations[relation].name, graph.model.kinds[object_].name
        lists[key] = EdgeList(
            (sizes[key[0]], sizes[key[2]]),
            within[subjects[chosen]],
            within[objects[chosen]],
            columns.confidences[edges[chosen]],
            same_kind=subject == object_,
            symmetric=graph.model.relations[relation].symmetric and subject == object_,
            records=Chosen(graph.assertions, edges[chosen]),
        )
    return Matrices(graph.model, sizes, lists, entities, index, graph.beside)


def _overlaid(base: Matrices, scenario: Scenario) -> Matrices:
    """The base with only the relations remade that the scenario touches."""
    touched = {a.id: a for a in _touched(scenario)}
    now = {a.id: a for a in (*scenario.changed.values(), *scenario.assumed) if a.id not in scenario.removed}
    groups: dict[Metaedge, list[Assertion]] = defaultdict(list)
    for a in touched.values():
        groups.setdefault((a.subject.kind, a.relation, a.object.kind), [])
    for a in now.values():
        if a.supported or scenario.is_assumed(a.id):
            groups[a.subject.kind, a.relation, a.object.kind].append(a)
    position = scenario.graph.adjacency.position
    gone = [position[id_] for id_ in touched if id_ in position]
    edges = dict(base.edges)
    for key, added in groups.items():
        edges[key] = _remade(base, key, gone, added)
    return Matrices(base.model, base.sizes, {k: e for k, e in edges.items() if len(e)}, base.entities, base.index)


def _remade(base: Matrices, key: Metaedge, gone: Sequence[int], added: Sequence[Assertion]) -> EdgeList:
    """Return the list of a metaedge without the assertions at some positions, and with others after the rest."""
    rows, columns = ([base.index[getattr(a, end).curie] for a in added] for end in ("subject", "object"))
    more = np.array(rows, np.int64), np.array(columns, np.int64), np.array([a.confidence for a in added], np.float64)
    same_kind = key[0] == key[2]
    symmetric = base.model.relation[key[1]].symmetric and same_kind
    shape = base.sizes[key[0]], base.sizes[key[2]]
    if key not in base.edges:
        return EdgeList(shape, *more, same_kind=same_kind, symmetric=symmetric, records=added)
    known = base.edges[key]
    records = cast(Chosen, known.records)
    keep = ~np.isin(records.positions, gone)
    rest = known.rows[keep], known.columns[keep], known.confidence[keep]
    return EdgeList(
        shape,
        *(np.concatenate(pair) for pair in zip(rest, more, strict=True)),
        same_kind=same_kind,
        symmetric=symmetric,
        records=records.where(keep, added),
    )


def _touched(scenario: Scenario) -> Iterable[Assertion]:
    known = scenario.graph.assertion_by_id
    yield from scenario.assumed
    yield from scenario.changed.values()
    yield from (known[id_] for id_ in scenario.removed if id_ in known)
