"""What is held out, and what with it: the pairs a relation may hold between, and ways to split them.

A pair whose edge is held out must not be given away by anything else that says the same: other predicted
relations between the same ends, whatever rests on the same trial or cohort, and the trial itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kg.errors import BadInput
from kg.metapaths import Metagraph
from kg.metrics import Floats
from kg.overlay import Scenario, scenario
from kg.records import Assertion, Entity
from kg.snapshot import Snapshot

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]


# ---------------------------------------------------------------- pairs
class Pairs:
    """All pairs that the relations may hold between, as a matrix of subjects by objects."""

    def __init__(self, graph: Snapshot, relations: tuple[str, ...] = ()) -> None:
        self.graph = graph
        self.relations = relations or graph.model.predicts
        self.predicted = tuple(dict.fromkeys((*self.relations, *graph.model.predicts)))
        metagraph = Metagraph(graph.model, graph.relation_counts, self.predicted)
        subjects, objects = metagraph.ends
        self.same_kind = subjects == objects
        self.subjects: Sequence[Entity] = graph.by_kind[subjects]
        self.objects: Sequence[Entity] = graph.by_kind[objects]
        self.row = {entity.curie: number for number, entity in enumerate(self.subjects)}
        self.column = {entity.curie: number for number, entity in enumerate(self.objects)}
        self.shape = (len(self.subjects), len(self.objects))

    def counts(self, edges: Iterable[Assertion], relations: Collection[str]) -> Counts:
        """Return how many edges of the relations each pair has."""
        found = np.zeros(self.shape, np.int64)
        for edge in edges:
            if edge.relation in relations:
                found[self.place(edge)] += 1
        return found

    def place(self, edge: Assertion) -> tuple[int, int]:
        """Return the row and column of an edge."""
        return self.row[edge.subject.curie], self.column[edge.object.curie]

    @cached_property
    def possible(self) -> Mask:
        """Every pair but a thing with itself."""
        mask = np.ones(self.shape, bool)
        if self.same_kind:
            np.fill_diagonal(mask, False)
        return mask

    # -------------------------------------------------------------- what goes with a pair
    @cached_property
    def edges_of(self) -> dict[tuple[int, int], list[Assertion]]:
        """The predicted edges of each pair."""
        found: dict[tuple[int, int], list[Assertion]] = defaultdict(list)
        for edge in self.graph.of_relations(self.predicted):
            if edge.supported:
                found[self.place(edge)].append(edge)
        return found

    @cached_property
    def _resting_on(self) -> dict[str, list[Assertion]]:
        found: dict[str, list[Assertion]] = defaultdict(list)
        for edge in self.graph.assertions:
            for study in _studies(edge):
                found[study].append(edge)
        return found

    def withheld(self, pairs: Iterable[tuple[int, int]]) -> list[str]:
        """Return the ids of assertions to remove so that nothing states these pairs any more.

        Their predicted edges; every edge that rests wholly on studies of theirs; every edge of the trials
        that are those studies, or that their sources are the record of.
        """
        edges = [edge for pair in pairs for edge in self.edges_of.get(pair, ())]
        studies = {study for edge in edges for study in _studies(edge)}
        gone = {edge.id for edge in edges}
        gone |= {e.id for s in studies for e in self._resting_on[s] if _studies(e, whole=True) <= studies}
        for entity in (found for edge in edges for found in self.trials(edge)):
            gone |= {edge.assertion.id for links in entity.links.values() for edge in links}
        return sorted(gone)

    def trials(self, edge: Assertion) -> set[Entity]:
        """Return the entities that are a study or the subject of a source behind an edge, its ends excepted."""
        names = {e.study.id for e in edge.evidence if e.study} | {e.source.id for e in edge.evidence}
        found = {self.graph.entities[name] for name in names if name in self.graph.entities}
        return found - {edge.subject, edge.object}


def _studies(edge: Assertion, *, whole: bool = False) -> set[str]:
    """Return the studies behind an edge; with ``whole``, evidence of no study counts as one of its own."""
    named = {item.study.id if item.study else "" for item in edge.evidence}
    return named if whole else named - {""}


# ---------------------------------------------------------------- splits
@dataclass(frozen=True, eq=False)
class Round:
    """One graph to learn from: what is held out of it, and what it still knows."""

    pairs: Pairs
    graph: Snapshot
    without: tuple[str, ...]
    seed: int

    @cached_property
    def scenario(self) -> Scenario:
        """The graph without what is held out."""
        return scenario(self.graph, without=self.without)

    @cached_property
    def known(self) -> Counts:
        """How many predicted edges each pair still has."""
        return self.pairs.counts(self.scenario.edges(), self.pairs.predicted)

    def narrowed(self, pairs: Iterable[tuple[int, int]]) -> Round:
        """Return the round with more pairs held out."""
        more = (*self.without, *self.pairs.withheld(pairs))
        known = self.graph.assertion_by_id
        return Round(self.pairs, self.graph, tuple(sorted({id for id in more if id in known})), self.seed)


@dataclass(frozen=True, eq=False)
class Split:
    """Rounds, and which of them scores which pair (``turn``; -1 where the pair is no candidate)."""

    name: str
    text: str
    pairs: Pairs
    truth: Mask
    turn: Counts
    rounds: tuple[Round, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def candidates(self) -> Mask:
        """Pairs that are ranked."""
        return self.turn >= 0

    def scored(self, rank: Callable[[Round], Floats]) -> Floats:
        """Return each pair's score by the round whose turn it is."""
        scores = np.zeros(self.pairs.shape)
        for number, round_ in enumerate(self.rounds):
            mask = self.turn == number
            scores[mask] = rank(round_)[mask]
        return scores


def by_folds(pairs: Pairs, folds: int, seed: int) -> Split:
    """Hold out the known pairs in folds of equal size, and deal all other pairs out to the same folds."""
    predicted = pairs.counts((a for a in pairs.graph.assertions if a.supported), pairs.predicted) > 0
    known = pairs.counts((a for a in pairs.graph.assertions if a.supported), pairs.relations) > 0
    if folds < 2 or known.sum() < folds:
        raise BadInput(f"{known.sum()} known pairs cannot be split into {folds} folds; there must be 2 folds or more, each with a pair.")  # fmt: skip
    rng = np.random.default_rng(seed)
    turn = np.full(pairs.shape, -1)
    for mask in (known, pairs.possible & ~predicted):
        turn[mask] = rng.permutation(np.arange(int(mask.sum())) % folds)
    rounds = tuple(
        Round(pairs, pairs.graph, tuple(pairs.withheld(places(known & (turn == number)))), seed + number)
        for number in range(folds)
    )
    removed = {id for round_ in rounds for id in round_.without}
    text = (
        f"{known.sum():,} known pairs ({', '.join(pairs.relations)}) in {folds} folds of {known.sum() // folds} or one more. "
        f"For each fold its pairs' edges ({len(removed):,} assertions over all folds, with what rests on the same studies) "
        "were removed before any feature was computed; every other pair of these kinds was dealt to one fold and scored by its graph."
    )
    return Split(f"{folds}-fold", text, pairs, known, turn, rounds)


def by_time(pairs: Pairs, day: date, seed: int = 0, *, background: bool = False) -> Split:
    """Rank by what was known at the end of a day; the positives are the pairs that entered later.

    With ``background`` only the later pairs' own edges and trials are hidden, and all else counts as known:
    kinder, because what to record about cells and targets was chosen with hindsight, but fairer to a graph
    that cites a recent review for what has been known for long.
    """
    before = pairs.graph.as_of(day)
    known = pairs.counts((a for a in before.assertions if a.supported), pairs.predicted) > 0
    later = (pairs.counts((a for a in pairs.graph.assertions if a.supported), pairs.relations) > 0) & ~known
    if background:
        round_ = Round(pairs, pairs.graph, tuple(pairs.withheld(places(later))), seed)
    else:
        round_ = Round(pairs, before, (), seed)
    past = list(round_.scenario.edges())
    met = _met(pairs, past)
    under_way = _under_way(pairs, past, later & met)
    candidates = pairs.possible & met & ~known & ~under_way
    truth = later & candidates
    if not truth.any():
        raise BadInput(f"No pair that entered after {day} had both ends in the graph by then; choose an earlier day.")
    left_out = {
        "an end had no edge by then": int((later & ~met).sum()),
        "their trial was in the graph by then": int((later & under_way).sum()),
    }
    text = _said(pairs, day, background, int(known.sum()), int(later.sum()), int(truth.sum()))
    name = f"as of {day}{', background kept' if background else ''}"
    return Split(name, text, pairs, truth, np.where(candidates, 0, -1), (round_,), left_out)


def _said(pairs: Pairs, day: date, background: bool, known: int, later: int, asked: int) -> str:
    hidden = (
        f"The edges of pairs that entered after {day}, and all that rests on their trials, were removed; other evidence was kept whatever its date"
        if background
        else f"All evidence dated after {day} was hidden"
    )
    return (
        f"{hidden}. {known:,} pairs ({', '.join(pairs.predicted)}) were known by then, {later:,} entered later, and {asked:,} "
        "of these can be asked for. Candidates are all pairs not known by then whose ends both have an edge in what is left."
    )


def _met(pairs: Pairs, past: Iterable[Assertion]) -> Mask:
    """Return the pairs of which both ends have an edge."""
    met = {entity.curie for a in past for entity in (a.subject, a.object)}
    rows = np.array([entity.curie in met for entity in pairs.subjects], bool)
    columns = np.array([entity.curie in met for entity in pairs.objects], bool)
    both: Mask = rows[:, None] & columns[None, :]
    return both


def _under_way(pairs: Pairs, past: Iterable[Assertion], later: Mask) -> Mask:
    """Return the later pairs whose own trial already joins both ends: naming them is no prediction."""
    around: dict[str, set[str]] = defaultdict(set)
    for a in past:
        around[a.subject.curie].add(a.object.curie)
        around[a.object.curie].add(a.subject.curie)
    found = np.zeros(pairs.shape, bool)
    for place in places(later):
        ends = {pairs.subjects[place[0]].curie, pairs.objects[place[1]].curie}
        trials = {t.curie for edge in pairs.edges_of[place] for t in pairs.trials(edge)}
        found[place] = any(ends <= around[trial] for trial in trials)
    return found


def places(mask: Mask) -> list[tuple[int, int]]:
    """Return the rows and columns that a mask marks."""
    return [(int(row), int(column)) for row, column in np.argwhere(mask)]
