"""What a change does to what the graph suggests: which confidences it moves, and which hypotheses and ranks.

The graph before and the graph after are compared as each of them answers, so a list that is asked for after
the change shows what was foretold. The work is bounded, and what was left out is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kg.budget import Budget
from kg.diff import AssertionChange, EntityRef, GraphDiff
from kg.errors import BadInput
from kg.findings import HypothesisConstraints
from kg.hypotheses import ranked
from kg.overlay import scenario
from kg.records import Entity
from kg.scoring import chosen_metapaths, metagraph, pair_knowledge, score_table
from kg.snapshot import Snapshot

STEPS = 2_000_000
SHOWN_DIFFERENCE = 0.005  # lists print two decimals of a score: a smaller difference does not show


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is compared: graphs of up to so many edges, so many pairs, for so long; 0 seconds compares nothing."""

    edges: int = 200_000
    pairs: int = 100_000
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a pair stands in a graph: what is known of it, its score, and its rank among its subject's hypotheses.

    Rank is None where the pair is no hypothesis.
    """

    status: str
    score: float
    rank: int | None


@dataclass(frozen=True, slots=True)
class HypothesisMove:
    """A pair that a change moves; ``before`` or ``after`` is None where an end is not in that graph."""

    subject: EntityRef
    object: EntityRef
    before: Standing | None
    after: Standing | None

    @property
    def rank_before(self) -> int | None:
        """Rank before, None where it was no hypothesis."""
        return self.before.rank if self.before else None

    @property
    def rank_after(self) -> int | None:
        """Rank after, None where it is no hypothesis any more."""
        return self.after.rank if self.after else None

    @property
    def difference(self) -> float:
        """By how much its score changes."""
        return (self.after.score if self.after else 0.0) - (self.before.score if self.before else 0.0)


@dataclass(frozen=True, slots=True)
class HypothesisMoves:
    """The hypotheses that a change moves, in each part the largest changes of score first.

    ``moved`` are hypotheses before and after, with another rank or score; ``entered`` are hypotheses only
    after, ``left`` only before. ``counts`` has the size of each part, and of ``ranks_changed``, those moved
    that have another rank. ``compared`` of ``pairs`` pairs were looked at, and ``left_out`` says why not
    all were.
    """

    moved: tuple[HypothesisMove, ...] = ()
    entered: tuple[HypothesisMove, ...] = ()
    left: tuple[HypothesisMove, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    compared: int = 0
    pairs: int = 0
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change moves: confidences of assertions that stand before and after, largest change first, and hypotheses.

    ``confidences_total`` is their number; a client may hold only some of them.
    """

    confidences: tuple[AssertionChange, ...]
    confidences_total: int
    hypotheses: HypothesisMoves


def impact(before: Snapshot, diff: GraphDiff, after: Callable[[], Snapshot], limits: Limits | None = None) -> Impact:
    """Return what a change moves, from the graph before it, what it means, and what gives the graph after it.

    ``after`` is called only where hypotheses are compared.
    """
    confidences = _confidences(diff)
    return Impact(confidences, len(confidences), _hypotheses(before, diff, after, limits or Limits()))


def _confidences(diff: GraphDiff) -> tuple[AssertionChange, ...]:
    moved = [change for change in diff.assertions_changed if change.confidence_before != change.confidence_after]
    return tuple(sorted(moved, key=lambda change: (-abs(_gain(change)), change.id)))


def _gain(change: AssertionChange) -> float:
    return (change.confidence_after or 0.0) - (change.confidence_before or 0.0)


# ---------------------------------------------------------------- hypotheses
def _hypotheses(before: Snapshot, diff: GraphDiff, after: Callable[[], Snapshot], limits: Limits) -> HypothesisMoves:
    if limits.seconds <= 0:
        return HypothesisMoves(left_out="Comparing hypotheses is turned off.")
    if before.edge_count > limits.edges:
        reason = (
            f"Hypotheses are compared in graphs of up to {limits.edges:,} edges; this one has {before.edge_count:,}."
        )
        return HypothesisMoves(left_out=reason)
    if not _touched(diff):
        return HypothesisMoves()
    try:
        return _Comparison(before, after(), _touched(diff), limits).moves()
    except BadInput as error:  # a schema that predicts nothing
        return HypothesisMoves(left_out=str(error))


def _touched(diff: GraphDiff) -> list[str]:
    """The entities around which edges come, go or change."""
    changes = (*diff.assertions_added, *diff.assertions_changed, *diff.assertions_removed)
    ends = [end.curie for change in changes for end in (change.subject, change.object)]
    return list(dict.fromkeys([*ends, *(entity.curie for entity in (*diff.entities_added, *diff.entities_removed))]))


class _Comparison:
    """Two graphs side by side."""

    def __init__(self, before: Snapshot, after: Snapshot, touched: Sequence[str], limits: Limits) -> None:
        self.graphs = (before, after)
        self.limits = limits
        self.budget = Budget(STEPS, limits.seconds)
        self.subject, self.object = metagraph(scenario(after)).ends
        self.width = max(1, *(len(graph.by_kind[self.object]) for graph in self.graphs))
        self.every = list(dict.fromkeys(e.curie for graph in self.graphs for e in graph.by_kind[self.subject]))
        self.chosen = frozenset(self._chosen(touched))

    def _chosen(self, touched: Sequence[str]) -> list[str]:
        """All subjects, or, where that is too many pairs, those nearest to what changes."""
        most = max(1, self.limits.pairs // self.width)
        if len(self.every) <= most:
            return self.every
        found = dict.fromkeys(curie for graph in self.graphs for curie in self._near(graph, touched, most))
        return list(found)[:most]

    def _near(self, graph: Snapshot, touched: Sequence[str], most: int) -> list[str]:
        steps = max((len(path) for path in chosen_metapaths(scenario(graph), HypothesisConstraints())), default=0)
        seen = {curie: graph.entities[curie] for curie in touched if curie in graph.entities}
        frontier, found = list(seen.values()), [c for c, entity in seen.items() if entity.kind == self.subject]
        for _ in range(steps - 1):
            ahead: list[Entity] = []
            for entity in frontier:
                for node in (edge.node for edges in entity.links.values() for edge in edges):
                    if len(found) >= most or not self.budget.spend():
                        return found
                    if node.curie not in seen:
                        seen[node.curie] = node
                        ahead.append(node)
                        found += [node.curie] if node.kind == self.subject else []
            frontier = ahead
        return found

    def moves(self) -> HypothesisMoves:
        """Return what differs between the two."""
        pairs = len(self.every) * self.width
        old, new = (_Side(graph, self._members(graph), self.budget) for graph in self.graphs)
        if old.table.cut or new.table.cut:
            most = f"{self.limits.seconds:g} s" if self.budget.exhausted_by == "seconds" else f"{STEPS:,} steps"
            return HypothesisMoves(pairs=pairs, left_out=f"Comparing hypotheses takes more than the {most} allowed.")
        moves = [
            HypothesisMove(self._named(pair[0]), self._named(pair[1]), old.standing(pair), new.standing(pair))
            for pair in old.ranks.keys() | new.ranks.keys()
        ]
        moves.sort(key=lambda move: (-abs(move.difference), move.subject.curie, move.object.curie))
        compared = len(self.chosen) * self.width
        why = f"Of {pairs:,} pairs the {compared:,} whose subjects are nearest to what changes were compared."
        parts = {
            "moved": tuple(move for move in moves if move.rank_before and move.rank_after and _shows(move)),
            "entered": tuple(move for move in moves if not move.rank_before),
            "left": tuple(move for move in moves if not move.rank_after),
        }
        counts = {name: len(part) for name, part in parts.items()}
        counts["ranks_changed"] = sum(move.rank_before != move.rank_after for move in parts["moved"])
        return HypothesisMoves(
            **parts, counts=counts, compared=compared, pairs=pairs, left_out=why if compared < pairs else None
        )

    def _members(self, graph: Snapshot) -> list[str]:
        return [entity.curie for entity in graph.by_kind[self.subject] if entity.curie in self.chosen]

    def _named(self, curie: str) -> EntityRef:
        entity = next(graph.entities[curie] for graph in reversed(self.graphs) if curie in graph.entities)
        return EntityRef(entity.curie, entity.label, entity.kind)


def _shows(move: HypothesisMove) -> bool:
    return move.rank_before != move.rank_after or abs(move.difference) >= SHOWN_DIFFERENCE


class _Side:
    """The hypotheses of some subjects in one graph."""

    def __init__(self, graph: Snapshot, subjects: Sequence[str], budget: Budget) -> None:
        here = scenario(graph)
        self.table = score_table(here, subjects=subjects, budget=budget)
        self.knowledge = pair_knowledge(here)
        self.rows = {curie: row for row, curie in enumerate(subjects)}
        self.columns = {entity.curie: column for column, entity in enumerate(graph.by_kind[self.table.kinds[1]])}
        self.ranks: dict[tuple[str, str], int] = {}
        last: Counter[str] = Counter()
        for entry in ranked(here, self.table, HypothesisConstraints())[0]:
            last[entry.subject] += 1
            self.ranks[entry.subject, entry.object] = last[entry.subject]

    def standing(self, pair: tuple[str, str]) -> Standing | None:
        """Return how a pair stands, None where an end is missing."""
        row, column = self.rows.get(pair[0]), self.columns.get(pair[1])
        if row is None or column is None:
            return None
        status = self.knowledge.known(*pair).status
        return Standing(status, float(self.table.scores[row, column]), self.ranks.get(pair))
