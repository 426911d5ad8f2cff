"""Missing edges: which single unknown edge would raise a hypothesis, or many of them, most.

A gap closes a metapath of which everything but one edge is there. Candidates are found from walks to
and from both sides of the missing step; what is shown of the best is exact: the score is computed
again with the edge in place at confidence 1, so it is what ``assuming`` that edge gives.
Never gaps: predicted relations, definitions such as subtypes, edges of studies (records, not
findings) and of harms, and what is known of a special case. Where relations have signs, only edges of supporting metapaths are looked for, unless
there is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kg.budget import Budget
from kg.elimination import Factor
from kg.errors import BadInput
from kg.findings import ASSERTED, IN_TRIAL, Gap, HypothesisConstraints, Plan, PlannedEdge, statement
from kg.matrices import Floats, Ints, Matrices, PathCounter
from kg.metapaths import SUPPORTS, Metaedge, Metagraph, Metapath, Step
from kg.overlay import Scenario
from kg.reading import assertion_iri
from kg.records import Entity
from kg.scoring import ScoreTable, metagraph, pair_knowledge, score_table, walkable, wider_of

WIDTH = 24  # nodes considered at each side of a missing step
PER_STEP = 12  # candidates taken from one step of one metapath
BEST = 3  # pairs named for a planned edge


@dataclass(frozen=True, slots=True, order=True)
class MissingEdge:
    """An edge that could be: its kinds and relation, and its ends by number within their kinds."""

    metaedge: Metaedge
    row: int
    column: int


@dataclass
class _Tally:
    """What a missing edge would add to the DWPC of each metapath that it completes."""

    added: dict[int, float] = field(default_factory=lambda: defaultdict(float))


def discoverable(graph: Metagraph, metaedge: Metaedge) -> bool:
    """Whether an edge of this relation is worth looking for: none of what is predicted, definitions, studies or harms."""
    subject, name, object_ = metaedge
    studies = any(graph.model.kind[kind].status_field for kind in (subject, object_))
    harms = not graph.harms.isdisjoint((subject, object_))
    return not (studies or harms or name in graph.claims or graph.model.relation[name].definitional)


# ---------------------------------------------------------------- gaps of one pair
def gaps(
    scenario: Scenario,
    table: ScoreTable,
    cell: tuple[int, int],
    where: HypothesisConstraints,
    budget: Budget,
) -> tuple[Gap, ...]:
    """Return the missing edges that would raise a pair's score most, best first; ties by relation and ends."""
    pair = (int(table.sources[cell[0]]), int(table.targets[cell[1]]))
    guessed = _guesses(scenario, table, cell, pair)
    ranked = sorted(guessed, key=lambda edge: (-guessed[edge], edge))[: where.gaps + 2]
    found = []
    memo: dict[Hashable, Factor] = {}
    for edge in ranked:
        if not budget.spend(4096):
            break
        gain, metapaths = _gain(table, cell, pair, edge, where, memo)
        if gain > 0:
            found.append((gain, edge, metapaths))
    found.sort(key=lambda row: (-row[0], row[1]))
    return tuple(_gap(scenario, table.graph, *row) for row in found[: where.gaps])


def _guesses(
    scenario: Scenario, table: ScoreTable, cell: tuple[int, int], pair: tuple[int, int]
) -> dict[MissingEdge, float]:
    """Estimated gain of each candidate: repeated nodes are not yet excluded, and other degrees are left as they are."""
    return _guessed(scenario, table, cell, pair, _supporting(scenario, table)) or _guessed(
        scenario, table, cell, pair, _walked(table)
    )


def _walked(table: ScoreTable) -> Ints:
    """Numbers of the metapaths that count and have a path somewhere."""
    found: Ints = np.flatnonzero(table.counted & (table.scale > 0))
    return found


def _supporting(scenario: Scenario, table: ScoreTable) -> Ints:
    """Those of them that support by their signs, without what is predicted: findings about mechanisms complete them."""
    claims = metagraph(scenario).claims
    return np.array(
        [
            m
            for m in _walked(table)
            if table.metapaths[m].stance == SUPPORTS
            and claims.isdisjoint(step.relation for step in table.metapaths[m].steps)
        ],
        np.int64,
    )


def _guessed(
    scenario: Scenario, table: ScoreTable, cell: tuple[int, int], pair: tuple[int, int], metapaths: Ints
) -> dict[MissingEdge, float]:
    tallies: dict[MissingEdge, _Tally] = defaultdict(_Tally)
    ends = _Ends(scenario, table, np.array([pair[0]]), np.array([pair[1]]))
    for m in metapaths:
        metapath = table.metapaths[m]
        for position, step in enumerate(metapath.steps):
            if _open(scenario, step) and walkable(table.graph, metapath):
                for edge, added in _closing(table, ends, metapath, position, pair):
                    tallies[edge].added[int(m)] += added
    return {
        edge: sum(
            float(np.arcsinh((table.dwpc[m][cell] + added) / table.scale[m]) - table.transformed[m][cell])
            for m, added in tally.added.items()
        )
        for edge, tally in tallies.items()
    }


def _open(scenario: Scenario, step: Step) -> bool:
    return discoverable(metagraph(scenario), step.metaedge)


class _Ends:
    """Walk sums from sources and to targets along the starts and ends of metapaths, each made once."""

    def __init__(self, scenario: Scenario, table: ScoreTable, sources: Ints, targets: Ints) -> None:
        self.scenario = scenario
        self.table, self.sources, self.targets = table, sources, targets
        self.made: dict[tuple[bool, tuple[Step, ...]], Floats] = {}

    def walks(self, metapath: Metapath, position: int, *, forward: bool) -> Floats:
        """Weights of the walks from the sources up to a position, or from a position on to the targets."""
        steps = metapath.steps[:position] if forward else metapath.steps[position:]
        key = (forward, steps)
        if key not in self.made:
            if not steps:
                kind, at = (metapath.kinds[0], self.sources) if forward else (metapath.kinds[-1], self.targets)
                here = np.zeros(self.table.graph.sizes[kind])
                here[at] = 1.0
            else:
                nearer = self.walks(metapath, position - 1 if forward else position + 1, forward=forward)
                last = steps[-1] if forward else steps[0]
                opposite = self.table.graph.step(last, opposite=forward)
                here = opposite.matrix(self.table.damping, self.table.weighting) @ nearer
            self.made[key] = here
        return self.made[key]


def _closing(
    table: ScoreTable, ends: _Ends, metapath: Metapath, position: int, pair: tuple[int, int] | None = None
) -> Iterator[tuple[MissingEdge, float]]:
    """Edges that would complete a metapath at one position, with what they would add to its DWPC."""
    step = metapath.steps[position]
    if len(metapath) == 1:
        return  # an edge between the ends themselves is no mechanism to look for
    tabled = table.graph.step(step)
    starts, stops = ends.walks(metapath, position, forward=True), ends.walks(metapath, position + 1, forward=False)
    if not (starts.any() and stops.any()):
        return
    before = starts * _after_one_more(tabled.row_degree, table.damping)
    after = stops * _after_one_more(tabled.column_degree, table.damping)
    left, right = _largest(before), _largest(after)
    implied = _implied(ends.scenario, table.graph, step.metaedge)
    added = np.outer(before[left], after[right])
    found = 0
    for cell in np.argsort(-added, axis=None, kind="stable"):
        row, column = divmod(int(cell), len(right))
        u, v = int(left[row]), int(right[column])
        loop = step.source == step.target and u == v
        edge = _edge(table.graph, step, u, v)
        known = tabled.holds(u, v) or (edge.row, edge.column) in implied
        if not (loop or known or (pair and _returns(metapath, position, u, v, pair))):
            yield edge, float(added[row, column])
            found += 1
            if found == PER_STEP:
                return


def _returns(metapath: Metapath, position: int, u: int, v: int, pair: tuple[int, int]) -> bool:
    """Whether an edge u-v at a position would lead the path back to one of its own ends."""
    kinds, here, there = metapath.kinds, position, position + 1
    source, target = pair
    back_to_source = (here > 0 and kinds[here] == kinds[0] and u == source) or (
        kinds[there] == kinds[0] and v == source
    )
    early_at_target = (kinds[here] == kinds[-1] and u == target) or (
        there < len(metapath) and kinds[there] == kinds[-1] and v == target
    )
    return back_to_source or early_at_target


def _implied(scenario: Scenario, graph: Matrices, metaedge: Metaedge) -> frozenset[tuple[int, int]]:
    """Pairs of which a special case has the edge: what is known of B cells is known, in part, of lymphocytes."""
    key, kinds = ("implied", metaedge), {metaedge[0], metaedge[2]}
    if not any(s == o and s in kinds and graph.model.relation[name].definitional for s, name, o in graph.edges):
        return frozenset()
    if key not in graph.once:
        subjects, objects = (graph.entities[kind] for kind in (metaedge[0], metaedge[2]))
        edges = graph.edges[metaedge]
        graph.once[key] = frozenset(
            (graph.index[s], graph.index[o])
            for row, column in zip(edges.rows, edges.columns, strict=True)
            for s in wider_of(scenario, subjects[row].curie)
            for o in wider_of(scenario, objects[column].curie)
        )
    found: frozenset[tuple[int, int]] = graph.once[key]
    return found


def _edge(graph: Matrices, step: Step, u: int, v: int) -> MissingEdge:
    if graph.edges[step.metaedge].symmetric:
        u, v = min(u, v), max(u, v)
    return MissingEdge(step.metaedge, *((v, u) if step.reversed else (u, v)))


def _after_one_more(degree: Ints, damping: float) -> Floats:
    factor: Floats = np.asarray((degree + 1.0) ** -damping, np.float64)
    return factor


def _largest(weights: Floats) -> Ints:
    """Numbers of the largest positive weights, largest first: the largest products of two sides are among them."""
    positive = np.flatnonzero(weights)
    if len(positive) > WIDTH:
        least = np.partition(weights[positive], -WIDTH)[-WIDTH]
        positive = positive[weights[positive] >= least]
    found: Ints = positive[np.argsort(-weights[positive], kind="stable")][:WIDTH]
    return found


def _gain(
    table: ScoreTable,
    cell: tuple[int, int],
    pair: tuple[int, int],
    edge: MissingEdge,
    where: HypothesisConstraints,
    memo: dict[Hashable, Factor],
) -> tuple[float, tuple[Metapath, ...]]:
    """The score with the edge minus the score, and the metapaths that gain, most first.

    ``memo`` is shared by the candidates of one pair, most of whose relations are the same.
    """
    grown = table.graph.with_edge(edge.metaedge, edge.row, edge.column)
    counter = PathCounter(
        grown, np.array([pair[0]]), np.array([pair[1]]), damping=table.damping, weighting=table.weighting
    )
    counter.memo = memo
    gained = []
    for m in table.along.get(edge.metaedge, ()):
        metapath = table.metapaths[m]
        if walkable(grown, metapath):
            dwpc = counter.value(metapath)
            after = float(np.arcsinh(dwpc / (table.scale[m] or _new_scale(grown, metapath, where)))) if dwpc else 0.0
            gained.append((after - float(table.transformed[m][cell]), metapath))
    rising = sorted((row for row in gained if row[0] > 1e-12), key=lambda row: (-row[0], row[1].order))
    return sum(change for change, _ in gained), tuple(metapath for _, metapath in rising)


def _new_scale(grown: Matrices, metapath: Metapath, where: HypothesisConstraints) -> float:
    """The mean that a metapath without any path would get from the edge, as it would under ``assuming``."""
    return PathCounter(grown, damping=where.damping, weighting=where.weighting).mean(metapath)


def _gap(scenario: Scenario, graph: Matrices, gain: float, edge: MissingEdge, metapaths: tuple[Metapath, ...]) -> Gap:
    subject = graph.entities[edge.metaedge[0]][edge.row]
    object_ = graph.entities[edge.metaedge[2]][edge.column]
    contradicted = _claimed(scenario, subject, edge.metaedge[1], object_)
    return Gap(
        subject,
        edge.metaedge[1],
        object_,
        gain,
        metapaths,
        contradicted,
        _said(subject, edge, object_, contradicted),
    )


def _claimed(scenario: Scenario, subject: Entity, relation: str, object_: Entity) -> bool:
    """Whether the graph holds the claim at all: not being an edge, it then has no supporting evidence."""
    model = scenario.graph.model
    iri = assertion_iri(subject.iri, model.relation[relation].iri, object_.iri)
    return model.prefixes.curie(iri) in scenario.graph.assertion_by_id


def _said(subject: Entity, edge: MissingEdge, object_: Entity, claimed: bool) -> str:
    words = statement(subject, edge.metaedge[1], object_)
    return f"claimed here, but without supporting evidence: {words}" if claimed else f"not known here: {words}"


# ---------------------------------------------------------------- the next experiment
def planner(
    scenario: Scenario,
    *,
    subject: str | None = None,
    object: str | None = None,
    where: HypothesisConstraints | None = None,
    first: int = 20,
    budget: Budget | None = None,
) -> Plan:
    """Return the single missing edges whose confirmation would help hypotheses most, best first.

    All pairs that are neither asserted nor being tried count, or only those of one subject or object.
    Twice as many candidates as asked for are scored exactly; they are chosen by an estimate, so an edge
    outside them might rank higher: ``total`` says how many there were. Raises NotFound for unknown ends.
    """
    if first < 1:
        raise BadInput(f"The number of edges to plan must be 1 or more, not {first}.")
    where, budget = where or HypothesisConstraints(), budget or Budget()
    ends = [[scenario.graph.entity(name).curie] if name else None for name in (subject, object)]
    table = score_table(scenario, subjects=ends[0], objects=ends[1], where=where, budget=budget)
    open_pairs = _open_pairs(scenario, table)
    guessed = _planned_guesses(scenario, table)
    ranked = sorted(guessed, key=lambda edge: (-guessed[edge], edge))
    found = []
    for edge in ranked[: 2 * first]:
        if not budget.spend(16_384):
            break
        found.append(_planned(scenario, table, edge, where, open_pairs))
    found.sort(key=lambda e: (-e.gain, e.relation, e.subject.curie, e.object.curie))
    useful = tuple(edge for edge in found if edge.gain > 0)[:first]
    cut = table.cut or budget.exhausted_by or ("first" if len(ranked) > len(useful) else None)
    return Plan(useful, len(ranked), cut)


def _open_pairs(scenario: Scenario, table: ScoreTable) -> NDArray[np.bool_]:
    """Which cells are hypotheses: neither asserted nor being tried."""
    knowledge, mask = pair_knowledge(scenario), np.ones((len(table.sources), len(table.targets)), bool)
    rows = {table.ends(row, 0)[0].curie: row for row in range(len(table.sources))}
    columns = {table.ends(0, column)[1].curie: column for column in range(len(table.targets))}
    for subject, object_ in {*knowledge.between, *knowledge.studied, *knowledge.inherited}:
        if subject in rows and object_ in columns:
            settled = knowledge.known(subject, object_).status in (ASSERTED, IN_TRIAL)
            mask[rows[subject], columns[object_]] = not settled
    return mask


def _planned_guesses(scenario: Scenario, table: ScoreTable) -> dict[MissingEdge, float]:
    """Estimated sum of gains over all cells, to first order in what an edge adds."""
    return _planned_over(scenario, table, _supporting(scenario, table)) or _planned_over(
        scenario, table, _walked(table)
    )


def _planned_over(scenario: Scenario, table: ScoreTable, metapaths: Ints) -> dict[MissingEdge, float]:
    guessed: dict[MissingEdge, float] = defaultdict(float)
    ends = _Ends(scenario, table, table.sources, table.targets)
    for m in metapaths:
        metapath = table.metapaths[m]
        for position, step in enumerate(metapath.steps):
            if _open(scenario, step) and walkable(table.graph, metapath) and len(metapath) > 1:
                for edge, added in _closing(table, ends, metapath, position):
                    guessed[edge] += added / float(table.scale[m])
    return guessed


def _planned(
    scenario: Scenario,
    table: ScoreTable,
    edge: MissingEdge,
    where: HypothesisConstraints,
    open_pairs: NDArray[np.bool_],
) -> PlannedEdge:
    """What one edge does for every open pair, exactly."""
    change = _change(table, edge, where)
    change[~open_pairs] = 0.0
    new = (table.scores <= 1e-12) & (change > 1e-12)
    order = np.lexsort((np.arange(change.size), -change.ravel()))[:BEST]
    cells = [divmod(int(n), change.shape[1]) for n in order if change.ravel()[n] > 1e-12]
    graph = table.graph
    subject = graph.entities[edge.metaedge[0]][edge.row]
    object_ = graph.entities[edge.metaedge[2]][edge.column]
    claimed = _claimed(scenario, subject, edge.metaedge[1], object_)
    return PlannedEdge(
        subject,
        edge.metaedge[1],
        object_,
        completes=int(new.sum()),
        raises=int((change > 1e-12).sum()),
        gain=float(change.sum()),
        best=tuple((*table.ends(*cell), float(change[cell])) for cell in cells),
        contradicted=claimed,
        text=_said(subject, edge, object_, claimed),
    )


def _change(table: ScoreTable, edge: MissingEdge, where: HypothesisConstraints) -> Floats:
    """Scores with the edge minus scores, sources x targets."""
    grown = table.graph.with_edge(edge.metaedge, edge.row, edge.column)
    counter = PathCounter(grown, table.sources, table.targets, damping=table.damping, weighting=table.weighting)
    change = np.zeros(table.scores.shape)
    for m in table.along.get(edge.metaedge, ()):
        metapath = table.metapaths[m]
        if walkable(grown, metapath):
            dwpc = counter.dwpc(metapath).toarray()
            scale = table.scale[m] or (_new_scale(grown, metapath, where) if dwpc.any() else 1.0)
            change += np.arcsinh(dwpc / scale) - table.transformed[m]
    return change
