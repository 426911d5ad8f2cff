"""Mechanisms side by side: why a therapy works in one disease, and how far that holds in another.

A mechanism is a path of a supporting metapath that uses no predicted relation, no attempt at one and no study: what
is left are links of biology. Kinds and relations come from the model, so "therapy" and "disease" stand
here for whatever kinds its hypotheses are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kg.budget import Budget
from kg.casework import Case, arguments
from kg.errors import BadInput
from kg.findings import (
    ASSERTED,
    CONTRADICTED,
    IN_TRIAL,
    HypothesisConstraints,
    MechanismPath,
    PathStep,
)
from kg.frames import frame
from kg.metapaths import ASSOCIATION, SUPPORTS, Metagraph, Metapath, Step
from kg.overlay import Scenario
from kg.reading import assertion_iri
from kg.records import Assertion, Entity
from kg.scoring import ScoreTable, chosen_metapaths, metagraph, pair_knowledge, score_table

PRESENT, ABSENT, REFUTED, UNKNOWN = "PRESENT", "ABSENT", "CONTRADICTED", "UNTESTED"
MAX_CELLS = 2_500
WORDS = {PRESENT: "present", ABSENT: "absent", REFUTED: "contradicted", UNKNOWN: "untested"}


# ---------------------------------------------------------------- analogy
@dataclass(frozen=True, slots=True)
class LinkState:
    """Whether a link is there.

    PRESENT: an edge. CONTRADICTED: the graph holds the claim without supporting evidence. ABSENT: no such
    edge, though the graph knows others of the relation at that end. UNTESTED: it knows none there, so
    nothing can be concluded.
    """

    state: str
    assertion: Assertion | None


@dataclass(frozen=True, slots=True)
class AlignedLink:
    """One link of two aligned paths; the ends differ only where the paths reach their own disease."""

    source: Entity
    phrase: str
    known_target: Entity
    candidate_target: Entity
    known: LinkState
    candidate: LinkState


@dataclass(frozen=True, slots=True)
class AlignedPath:
    """A mechanism of either disease, link by link for both; ``weight`` is its part in the score of the one it is of."""

    metapath: Metapath
    links: tuple[AlignedLink, ...]
    weight: float

    @property
    def in_known(self) -> bool:
        """Whether all its links are present for the known disease."""
        return all(link.known.state == PRESENT for link in self.links)

    @property
    def in_candidate(self) -> bool:
        """Whether all its links are present for the candidate."""
        return all(link.candidate.state == PRESENT for link in self.links)

    @property
    def breaks_at(self) -> AlignedLink | None:
        """The first link that one of the two lacks."""
        return next((k for k in self.links if {k.known.state, k.candidate.state} != {PRESENT}), None)


@dataclass(frozen=True)
class MechanismComparison:
    """The mechanisms of a therapy in a disease where it is known to work and in a candidate.

    ``shared`` hold for both, ``only_known`` break for the candidate, ``only_candidate`` are new there;
    each is sorted by weight. ``carried_over`` is the part of the known mechanisms' weight that is shared,
    None where the known disease has no mechanism here.
    """

    therapy: Entity
    known: Entity
    candidate: Entity
    shared: tuple[AlignedPath, ...]
    only_known: tuple[AlignedPath, ...]
    only_candidate: tuple[AlignedPath, ...]
    carried_over: float | None
    truncated_by: str | None

    @property
    def text(self) -> str:
        """The comparison in a few sentences."""
        pair = f"{self.therapy.label}: {self.known.label} and {self.candidate.label}"
        if self.carried_over is None:
            return f"{pair} cannot be compared: this graph holds no mechanism for {self.known.label}."
        total = len(self.shared) + len(self.only_known)
        text = f"{pair} share {len(self.shared)} of {total} mechanisms ({self.carried_over:.0%} by weight)."
        if self.only_known:
            text += f" {self._first_break()}"
        if self.only_candidate:
            text += f" {len(self.only_candidate)} more hold{'s' * (len(self.only_candidate) == 1)} only for {self.candidate.label}."
        return text

    def _first_break(self) -> str:
        link = self.only_known[0].breaks_at
        if link is None:
            return ""
        return (
            f"The heaviest that does not carry over breaks at “{link.source.label} {link.phrase} "
            f"{link.candidate_target.label}”: {WORDS[link.candidate.state]} here."
        )

    def to_frame(self) -> Any:
        """Return a pandas frame, a row per link of each aligned path."""
        columns = ["group", "path", "metapath", "weight", "source", "relation", "known_target", "known", "candidate_target", "candidate"]  # fmt: skip
        groups = (("shared", self.shared), ("only_known", self.only_known), ("only_candidate", self.only_candidate))
        rows = (
            dict(
                zip(
                    columns,
                    (name, number, path.metapath.id, path.weight, link.source.curie, link.phrase, link.known_target.curie, link.known.state, link.candidate_target.curie, link.candidate.state),
                    strict=True,
                )
            )
            for name, paths in groups
            for number, path in enumerate(paths)
            for link in path.links
        )  # fmt: skip
        return frame(rows, columns)


def compare_mechanisms(
    scenario: Scenario,
    therapy: str,
    known: str,
    candidate: str,
    *,
    where: HypothesisConstraints | None = None,
    budget: Budget | None = None,
) -> MechanismComparison:
    """Align the mechanisms of a therapy in two diseases, link by link.

    Raises NotFound for unknown names, BadInput for entities of the wrong kind or two equal diseases.
    """
    where, budget = where or HypothesisConstraints(), budget or Budget()
    graph = metagraph(scenario)
    subject, first, second = _three(scenario, graph, (therapy, known, candidate))
    metapaths = mechanistic(graph, chosen_metapaths(scenario, where))
    ends = [first.curie, second.curie]
    table = score_table(
        scenario, subjects=[subject.curie], objects=ends, where=where, metapaths=metapaths, budget=budget
    )
    sides = [_mechanisms(Case(scenario, table, (0, column), budget)) for column in (0, 1)]
    aligned = _aligned(scenario, table, (first, second), sides)
    return _comparison(subject, first, second, aligned, table.cut or budget.exhausted_by)


def mechanistic(graph: Metagraph, metapaths: Iterable[Metapath]) -> tuple[Metapath, ...]:
    """Return the metapaths that may be mechanisms: supporting, without predicted relations, attempts, tests or studies.

    Where the model gives no signs, associating ones count as well.
    """
    model = graph.model
    claims = {*graph.predicts, *graph.opposing} | {
        r.name for r in model.relations if set(r.attempt_of) & set(graph.predicts)
    }
    wanted = {SUPPORTS} if graph.wanted_sign else {SUPPORTS, ASSOCIATION}
    return tuple(
        m
        for m in metapaths
        if m.stance in wanted
        and not any(step.relation in claims for step in m.steps)
        and not any(model.kind[kind].status_field for kind in m.kinds)
    )


def _three(scenario: Scenario, graph: Metagraph, names: Sequence[str]) -> tuple[Entity, Entity, Entity]:
    subject, first, second = (scenario.graph.entity(name) for name in names)
    for entity, kind in ((subject, graph.ends[0]), (first, graph.ends[1]), (second, graph.ends[1])):
        if entity.kind != kind:
            raise BadInput(f"{entity.label} ({entity.curie}) is a {entity.kind}; a {kind} is needed there.")
    if first is second:
        raise BadInput(f"{first.label} is compared with itself; name two different ones.")
    return subject, first, second


Route = tuple[Metapath, tuple[str, ...]]
"""A metapath and the CURIEs of the nodes between its ends: what makes two paths the same mechanism."""


def _mechanisms(case: Case) -> dict[Route, MechanismPath]:
    found = {}
    for m in case.counted:
        for row in range(len(case.tables[m])):
            path = case.path(m, row)
            found[path.metapath, tuple(node.curie for node in path.nodes[1:-1])] = path
    return found


def _aligned(
    scenario: Scenario, table: ScoreTable, ends: tuple[Entity, Entity], sides: Sequence[dict[Route, MechanismPath]]
) -> list[AlignedPath]:
    found = []
    for route in {**sides[0], **sides[1]}:
        path = sides[0].get(route) or sides[1][route]
        links = tuple(
            _aligned_link(scenario, table, ends, step, walked, number + 1 == len(path.steps))
            for number, (step, walked) in enumerate(zip(path.metapath.steps, path.steps, strict=True))
        )
        found.append(AlignedPath(path.metapath, links, path.contribution))
    return sorted(found, key=lambda a: (-a.weight, a.metapath.order, [link.source.curie for link in a.links]))


def _aligned_link(
    scenario: Scenario, table: ScoreTable, ends: tuple[Entity, Entity], step: Step, walked: PathStep, last: bool
) -> AlignedLink:
    targets = ends if last else (walked.target, walked.target)
    states = [link_state(scenario, table, step, walked.source, target) for target in targets]
    return AlignedLink(walked.source, walked.phrase, *targets, *states)


def link_state(scenario: Scenario, table: ScoreTable, step: Step, source: Entity, target: Entity) -> LinkState:
    """Return whether a scenario has a link from one entity to another along a step."""
    found = [_claim(scenario, step, source, target)]
    if scenario.graph.model.relation[step.relation].symmetric:
        found.append(_claim(scenario, step, target, source))
    edge = next((a for a, holds in found if a and holds), None)
    if edge:
        return LinkState(PRESENT, edge)
    claim = next((a for a, _ in found if a and any(e.direction == "CONTRADICTS" for e in a.evidence)), None)
    if claim:
        return LinkState(REFUTED, claim)
    graph = table.graph
    others = graph.step(step).column_degree[graph.index[target.curie]] if step.metaedge in graph.edges else 0
    return LinkState(ABSENT if others else UNKNOWN, None)


def _claim(scenario: Scenario, step: Step, source: Entity, target: Entity) -> tuple[Assertion | None, bool]:
    """The assertion of a link, edge or not, and whether it is an edge in the scenario."""
    subject, object_ = (target, source) if step.reversed else (source, target)
    model = scenario.graph.model
    id_ = model.prefixes.curie(assertion_iri(subject.iri, model.relation[step.relation].iri, object_.iri))
    if not scenario.is_assumed(id_) and id_ not in scenario.graph.assertion_by_id:
        return None, False
    assertion = scenario.assertion(id_)
    return assertion, assertion.supported and id_ not in scenario.removed


def _comparison(
    subject: Entity, first: Entity, second: Entity, aligned: Sequence[AlignedPath], cut: str | None
) -> MechanismComparison:
    shared = tuple(a for a in aligned if a.in_known and a.in_candidate)
    only_known = tuple(a for a in aligned if a.in_known and not a.in_candidate)
    only_candidate = tuple(a for a in aligned if a.in_candidate and not a.in_known)
    weight = sum(a.weight for a in (*shared, *only_known))
    carried = sum(a.weight for a in shared) / weight if weight else None
    return MechanismComparison(subject, first, second, shared, only_known, only_candidate, carried, cut)


# ---------------------------------------------------------------- set to set
@dataclass(frozen=True, slots=True)
class Cell:
    """One pair of a matrix; ``conflicts`` counts what speaks against it, ``status`` is what the graph says of the pair."""

    subject: Entity
    object: Entity
    score: float
    status: str
    conflicts: int
    best_path: MechanismPath | None

    @property
    def tested(self) -> str:
        """TESTED, TESTED_NO_EFFECT or UNTESTED."""
        return {ASSERTED: "TESTED", IN_TRIAL: "TESTED", CONTRADICTED: "TESTED_NO_EFFECT"}.get(self.status, "UNTESTED")


@dataclass(frozen=True)
class HypothesisMatrix:
    """Every subject against every object, rows in the order asked for; cut answers have fewer rows and say why."""

    subjects: tuple[Entity, ...]
    objects: tuple[Entity, ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated_by: str | None

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, row by row."""
        return tuple(cell for row in self.rows for cell in row)

    @property
    def exhaustive(self) -> bool:
        """Whether every cell and metapath was counted."""
        return self.truncated_by is None

    def to_frame(self) -> Any:
        """Return a pandas frame, a row per cell."""
        columns = ["subject", "object", "score", "status", "tested", "conflicts", "best_path"]
        rows = (
            dict(
                zip(
                    columns,
                    (c.subject.curie, c.object.curie, c.score, c.status, c.tested, c.conflicts, c.best_path.text if c.best_path else None),
                    strict=True,
                )
            )
            for c in self.cells
        )  # fmt: skip
        return frame(rows, columns)


def hypothesis_matrix(
    scenario: Scenario,
    subjects: Sequence[str],
    objects: Sequence[str],
    *,
    where: HypothesisConstraints | None = None,
    budget: Budget | None = None,
) -> HypothesisMatrix:
    """Return score, best path, conflicts and what is known for every pair of some subjects and some objects.

    Raises BadInput for empty lists, wrong kinds or more than 2,500 pairs, NotFound for unknown names.
    """
    where, budget = where or HypothesisConstraints(), budget or Budget()
    ends = [
        _members(scenario, names, kind)
        for names, kind in zip((subjects, objects), metagraph(scenario).ends, strict=True)
    ]
    if len(ends[0]) * len(ends[1]) > MAX_CELLS:
        raise BadInput(
            f"A matrix has at most {MAX_CELLS} pairs, not {len(ends[0]) * len(ends[1])}; ask for fewer at once."
        )
    curies = [[entity.curie for entity in members] for members in ends]
    table = score_table(scenario, subjects=curies[0], objects=curies[1], where=where, budget=budget)
    rows = []
    for row in range(len(ends[0])):
        if not budget.spend(len(ends[1])):
            break
        rows.append(tuple(_cell(scenario, table, (row, column), budget) for column in range(len(ends[1]))))
    return HypothesisMatrix(tuple(ends[0]), tuple(ends[1]), tuple(rows), table.cut or budget.exhausted_by)


def _members(scenario: Scenario, names: Sequence[str], kind: str) -> list[Entity]:
    found = list(dict.fromkeys(scenario.graph.entity(name) for name in names))
    if not found:
        raise BadInput(f"Name at least one {kind}.")
    for entity in found:
        if entity.kind != kind:
            raise BadInput(f"{entity.label} ({entity.curie}) is a {entity.kind}; a {kind} is needed there.")
    return found


def _cell(scenario: Scenario, table: ScoreTable, cell: tuple[int, int], budget: Budget) -> Cell:
    case = Case(scenario, table, cell, budget)
    known = pair_knowledge(scenario).known(case.subject.curie, case.object.curie)
    best = case.best_paths(case.counted, 1)
    _, conflicts = arguments(case, known, 0)
    return Cell(case.subject, case.object, case.score, known.status, conflicts, best[0] if best else None)
