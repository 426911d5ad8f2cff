"""Hypotheses: pairs that the graph does not assert but its paths suggest, ranked, with the case for and against each.

Scores are summed, transformed degree-weighted path counts (kg/scoring.py), p-values come from permuted graphs
(kg/permutation.py), and everything shown of a pair is opened up from its own paths (kg/casework.py, kg/gaps.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from kg.arguments import arguments
from kg.budget import Budget
from kg.casework import Case, related, robustness
from kg.errors import BadInput, InvalidCursor
from kg.findings import (
    ASSERTED,
    CONTRADICTED,
    IN_TRIAL,
    Became,
    Hypothesis,
    HypothesisConstraints,
    HypothesisPage,
    MetapathUse,
)
from kg.gaps import gaps, planner
from kg.matrices import matrices
from kg.metapaths import Metaedge
from kg.overlay import Scenario
from kg.permutation import benjamini_hochberg
from kg.records import Entity
from kg.scoring import Known, ScoreTable, metagraph, pair_knowledge, plain, score_table
from kg.sentences import sentence
from kg.significance import Significance, no_significance, significance

__all__ = ["HypothesisConstraints", "HypothesisPage", "hypotheses", "planner", "score_table"]

PAGE = 10
PAGES_KEPT = 64

Ends = tuple[Entity | None, Entity | None]
Beside = tuple[Scenario | None, Scenario | None]


def hypotheses(
    scenario: Scenario,
    *,
    subject: str | None = None,
    object: str | None = None,
    where: HypothesisConstraints | None = None,
    baseline: Scenario | None = None,
    later: Scenario | None = None,
    budget: Budget | None = None,
    first: int = PAGE,
    after: str | None = None,
) -> HypothesisPage:
    """Return the hypotheses about one subject, one object, or the pair, best first.

    With both, the list is the subject's and only the pair is shown, so that rank and q-value keep their
    meaning. A scenario with assumptions is compared with ``baseline``, by default the graph without
    them. With ``later``, usually the graph as it is now beside a list as of some day, each entry says what
    became of it since. Order is total: score, then CURIEs. Pairs that the graph asserts are left out, and pairs
    being tried, themselves or through narrower ones, too unless ``where.include_tested``; pairs with only
    contradicting results are shown as CONTRADICTED.

    Raises BadInput where neither end is given or one is of the wrong kind, NotFound for unknown names,
    InvalidCursor for a cursor of another list. A spent budget cuts the answer, which then says so.
    """
    where, budget = where or HypothesisConstraints(), budget or Budget()
    if first < 0:
        raise BadInput(f"A page has 0 or more hypotheses, not {first}.")
    ends = _ends(scenario, subject, object)
    question = _question(ends, where, (baseline, later), (first, after))
    pages = _pages(scenario)
    page = pages.get(question)
    if page is None:
        listing = Listing.make(scenario, ends, where, (baseline, later), budget)
        page = listing.page(first, after)
        whole = page.truncated_by in (None, "first") and listing.significance.complete
        if whole:  # what a spent budget cut is no answer for the next who asks
            pages[question] = page
            while len(pages) > PAGES_KEPT:
                pages.pop(next(iter(pages)), None)
    return page


def _question(ends: Ends, where: HypothesisConstraints, beside: Beside, place: tuple[int, str | None]) -> Hashable:
    curies = tuple(end.curie if end else None for end in ends)
    return curies, _sorted(where), tuple(other.key if other else None for other in beside), place


def _pages(scenario: Scenario) -> dict[Hashable, HypothesisPage]:
    """Pages that were answered while the version stands."""
    pages: dict[Hashable, HypothesisPage] = matrices(scenario).once.setdefault("pages", {})
    return pages


def _ends(scenario: Scenario, subject: str | None, object_: str | None) -> Ends:
    kinds = metagraph(scenario).ends
    if subject is None and object_ is None:
        raise BadInput(f"Name a {kinds[0]}, a {kinds[1]}, or both; a hypothesis matrix has all pairs of two sets.")
    found: list[Entity | None] = []
    for name, kind in zip((subject, object_), kinds, strict=True):
        entity = scenario.graph.entity(name) if name is not None else None
        if entity is not None and entity.kind != kind:
            raise BadInput(f"{entity.label} ({entity.curie}) is a {entity.kind}, and hypotheses need a {kind} there.")
        found.append(entity)
    return found[0], found[1]


@dataclass(frozen=True)
class Entry:
    """A row of a list before it is opened up."""

    cell: tuple[int, int]
    subject: str
    object: str
    score: float
    known: Known


@dataclass(frozen=True)
class Listing:
    """All hypotheses of one list in order, from which pages are opened up."""

    scenario: Scenario
    ends: Ends
    where: HypothesisConstraints
    baseline: Scenario | None
    later: Scenario | None
    budget: Budget
    table: ScoreTable
    entries: tuple[Entry, ...]
    known: int
    tested: int

    @classmethod
    def make(
        cls,
        scenario: Scenario,
        ends: Ends,
        where: HypothesisConstraints,
        beside: Beside,
        budget: Budget,
    ) -> Listing:
        """Score the list and put it in order."""
        baseline = beside[0] or (None if scenario.is_plain else plain(scenario))
        subjects, objects = _listed(ends)
        table = score_table(scenario, subjects=subjects, objects=objects, where=where, budget=budget)
        rows, skipped = ranked(scenario, table, where)
        return cls(
            scenario, ends, where, baseline, beside[1], budget, table, rows, skipped[ASSERTED], skipped[IN_TRIAL]
        )

    # -------------------------------------------------------------- the page
    def page(self, first: int, after: str | None) -> HypothesisPage:
        """Return a page of the list."""
        shown = self._shown()
        start = self._start(after, shown)
        chosen = shown[start : start + first]
        items: list[Hypothesis] = []
        for rank, entry in chosen:
            if items and not self.budget.spend():
                break
            items.append(self._opened(rank, entry))
        remaining = len(shown) - start - len(items)
        cut = self.table.cut or self.budget.exhausted_by
        return HypothesisPage(
            items=tuple(items),
            total=len(shown),
            remaining=remaining,
            truncated_by=cut or ("first" if remaining else None),
            end_cursor=items[-1].cursor if items else None,
            known=self.known,
            tested=self.tested,
            metapaths=self._uses(),
            permutations=self.significance.report,
            note=self._note(shown),
        )

    def _shown(self) -> list[tuple[int, Entry]]:
        ranks = list(enumerate(self.entries, 1))
        if self.ends[0] is None or self.ends[1] is None:
            return ranks
        return [(rank, entry) for rank, entry in ranks if entry.object == self.ends[1].curie]

    def _start(self, after: str | None, shown: Sequence[tuple[int, Entry]]) -> int:
        if after is None:
            return 0
        name, _, rank = after.partition(":")
        if name != self.digest or not rank.isdigit():
            raise InvalidCursor(
                f"{after!r} is no cursor of this list. Use the one of the page before, with the same question."
            )
        return sum(1 for number, _ in shown if number <= int(rank))

    @cached_property
    def digest(self) -> str:
        """Names the list: version, assumptions, ends and constraints."""
        ends = tuple(end.curie if end else None for end in self.ends)
        question = repr((self.scenario.key, ends, _sorted(self.where)))
        return hashlib.sha256(question.encode()).hexdigest()[:12]

    def _note(self, shown: Sequence[tuple[int, Entry]]) -> str | None:
        if shown:
            return self.significance.reason
        subject, object_ = self.ends
        if subject and object_:
            known = pair_knowledge(self.scenario).known(subject.curie, object_.curie)
            through = "" if known.tried or known.studies or not known.through else f", in that {known.through[0].text}"
            reason = {
                ASSERTED: "the graph already asserts it, so it is no hypothesis",
                IN_TRIAL: f"it is being tried{through}; ask with include_tested to see it",
            }.get(known.status, "no path of the chosen metapaths leads from one to the other")
            return f"{subject.label} and {object_.label}: {reason}."
        named = subject or object_
        label = named.label if named else "this"
        if not self.table.scores.any():
            return f"Nothing to suggest for {label}: no path of the chosen metapaths leads on from it."
        return f"Nothing to suggest for {label}: {self.known} pairs are asserted and {self.tested} are being tried."

    def _uses(self) -> tuple[MetapathUse, ...]:
        cells = [entry.cell for entry in self.entries]
        rows, columns = (np.array([cell[side] for cell in cells], int) for side in (0, 1))
        return tuple(
            MetapathUse(metapath, int((self.table.dwpc[m][rows, columns] > 0).sum()), float(self.table.scale[m]))
            for m, metapath in enumerate(self.table.metapaths)
        )

    # -------------------------------------------------------------- one hypothesis
    def _opened(self, rank: int, entry: Entry) -> Hypothesis:
        case = Case(self.scenario, self.table, entry.cell, self.budget)
        p_value, note = self._p_value(case)
        against, against_total = arguments(case, entry.known, self.where.arguments)
        draft = Hypothesis(
            subject=case.subject,
            object=case.object,
            rank=rank,
            score=case.score,
            status=entry.known.status,
            p_value=p_value,
            q_value=self.q_values[rank - 1],
            p_value_note=note,
            contributions=case.contributions(self.significance.metapaths, self._metapath_note),
            supporting_paths=case.best_paths(case.counted, self.where.paths),
            paths_total=sum(case.path_counts[m] for m in case.counted),
            against=against,
            against_total=against_total,
            gaps=gaps(self.scenario, self.table, entry.cell, self.where, self.budget) if self.where.gaps else (),
            trials=entry.known.studies,
            through=entry.known.through[: self.where.paths],
            through_total=len(entry.known.through),
            related=related(case, entry.known, pair_knowledge(self.scenario), self.where.paths),
            first_suggested=case.first_suggested,
            robustness=robustness(case, np.array([other.score for other in self.entries if other is not entry])),
            baseline_rank=self.baseline_ranks.get((entry.subject, entry.object)),
            baseline_score=self.baseline_scores.get((entry.subject, entry.object)),
            later=self._became(entry),
            text="",
            cursor=f"{self.digest}:{rank}",
        )
        return replace(draft, text=sentence(draft, self.scenario))

    # -------------------------------------------------------------- before the assumptions
    @cached_property
    def before(self) -> ScoreTable | None:
        """The same pairs and metapaths in the baseline."""
        if self.baseline is None:
            return None
        subjects, objects = _listed(self.ends)
        return score_table(
            self.baseline,
            subjects=subjects,
            objects=objects,
            where=self.where,
            metapaths=self.table.metapaths,
            budget=self.budget,
        )

    @cached_property
    def baseline_ranks(self) -> dict[tuple[str, str], int]:
        """Rank of each pair in the baseline's own list."""
        if self.before is None or self.baseline is None or self.before.cut:
            return {}
        rows, _ = ranked(self.baseline, self.before, self.where)
        return {(entry.subject, entry.object): rank for rank, entry in enumerate(rows, 1)}

    @cached_property
    def baseline_scores(self) -> dict[tuple[str, str], float]:
        """Score of each pair in the baseline, 0 for those it does not suggest."""
        before = self.before
        if before is None or before.cut:
            return {}
        cells = np.ndindex(*before.scores.shape)
        return {_pair(before, (row, column)): float(before.scores[row, column]) for row, column in cells}

    def _became(self, entry: Entry) -> Became | None:
        if self.later is None:
            return None
        return pair_knowledge(self.later).became(entry.subject, entry.object)

    # -------------------------------------------------------------- significance
    @cached_property
    def significance(self) -> Significance:
        """P-values of the whole list."""
        return significance(self.table, self.where, self.budget) if self.entries else no_significance(None)

    def _p_value(self, case: Case) -> tuple[float | None, str | None]:
        found = self.significance
        if found.pairs is None:
            return None, found.reason
        if not case.counted:
            return None, "no path suggests it, so there is nothing to test"
        reason = found.too_small(_metaedges(self.table, case.counted))
        return (None, reason) if reason else (float(found.pairs[case.cell]), None)

    def _metapath_note(self, number: int) -> str | None:
        if self.significance.metapaths is None:
            return self.significance.reason
        if not self.table.counted[number]:
            return "not tested: it argues against"
        return self.significance.too_small(_metaedges(self.table, [number]))

    @cached_property
    def q_values(self) -> list[float | None]:
        """Benjamini-Hochberg over the list, in its order."""
        return benjamini_hochberg(self._p_values())

    def _p_values(self) -> list[float | None]:
        """Return what ``_p_value`` says of each entry: entries whose paths use the same relations are looked up once."""
        found, table = self.significance, self.table
        if found.pairs is None:
            return [None] * len(self.entries)
        rows, columns = np.array([entry.cell for entry in self.entries], int).reshape(-1, 2).T
        used = (table.transformed[:, rows, columns] > 0) & table.counted[:, None]
        metaedges = sorted({step.metaedge for metapath in table.metapaths for step in metapath.steps})
        walks = np.array([[any(s.metaedge == e for s in m.steps) for e in metaedges] for m in table.metapaths], bool)
        sets, which = np.unique(used.T @ walks, axis=0, return_inverse=True)
        small = [
            not any(row)
            or found.too_small(frozenset(e for e, own in zip(metaedges, row, strict=True) if own)) is not None
            for row in sets.tolist()
        ]
        values = found.pairs[rows, columns].tolist()
        return [None if small[own] else value for own, value in zip(which.tolist(), values, strict=True)]


def _listed(ends: Ends) -> tuple[list[str] | None, list[str] | None]:
    """Which subjects and objects the list is over: with both ends named, all of the subject's."""
    subject, object_ = ends
    return [subject.curie] if subject else None, [object_.curie] if object_ and not subject else None


def _pair(table: ScoreTable, cell: tuple[int, int]) -> tuple[str, str]:
    subject, object_ = table.ends(*cell)
    return subject.curie, object_.curie


def _sorted(where: HypothesisConstraints) -> HypothesisConstraints | tuple[object, ...]:
    if where.relations is None:
        return where
    return (replace(where, relations=None), tuple(sorted(where.relations)))


def ranked(
    scenario: Scenario, table: ScoreTable, where: HypothesisConstraints
) -> tuple[tuple[Entry, ...], dict[str, int]]:
    """Return the hypotheses of a table in order, and how many pairs were left out for what they are known to be."""
    knowledge = pair_knowledge(scenario)
    skipped = {ASSERTED: 0, IN_TRIAL: 0}
    found = []
    entities = scenario.graph.columns.entities
    sides = zip(table.kinds, (table.sources, table.targets), strict=True)
    starts = {kind: numbers.start for kind, numbers in entities.of_kind.items()}
    subjects, objects = ([entities.curies[starts[kind] + i] for i in within.tolist()] for kind, within in sides)
    for (row, column), score in zip(np.ndindex(*table.scores.shape), table.scores.ravel().tolist(), strict=True):
        subject, object_ = subjects[row], objects[column]
        known = knowledge.known(subject, object_)
        if known.status == ASSERTED or (known.status == IN_TRIAL and not where.include_tested):
            skipped[known.status] += 1
            continue
        if subject == object_ or (score <= 0 and known.status != CONTRADICTED) or score < where.min_score:
            continue
        found.append(Entry((row, column), subject, object_, score, known))
    found.sort(key=lambda entry: (-entry.score, entry.subject, entry.object))
    return tuple(found), skipped


def _metaedges(table: ScoreTable, numbers: Sequence[int]) -> frozenset[Metaedge]:
    return frozenset(step.metaedge for m in numbers for step in table.metapaths[m].steps)
