"""Mechanisms side by side: why a therapy works in one disease, and how far that holds in another.

A mechanism is a path of a supporting metapath that uses no predicted relation, no attempt at one and no study,
passes no harm and does not reach its end by definition only: what is left are links of biology. Kinds and relations
come from the model, so "therapy" and "disease" stand here for whatever kinds its hypotheses are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kg.arguments import arguments
from kg.budget import Budget
from kg.casework import Case
from kg.errors import BadInput
from kg.findings import (
    ASSERTED,
    CONTRADICTED,
    IN_TRIAL,
    HypothesisConstraints,
    MechanismPath,
    statement,
)
from kg.frames import frame
from kg.metapaths import ASSOCIATION, SUPPORTS, Metagraph, Metapath, Step
from kg.overlay import Scenario
from kg.paths.records import Step as Walked
from kg.reading import assertion_iri
from kg.records import Assertion, Entity
from kg.scoring import ScoreTable, chosen_metapaths, metagraph, pair_knowledge, score_table, wider_of

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
    """One link of two aligned paths; their ends differ where the paths reach their own disease, or pass related nodes.

    ``relation`` is its name in the model, ``reversed`` says that it is walked back; ``source`` is where the known path starts.
    """

    source: Entity
    candidate_source: Entity
    relation: str
    reversed: bool
    phrase: str
    known_target: Entity
    candidate_target: Entity
    known: LinkState
    candidate: LinkState

    @property
    def text(self) -> str:
        """The link as the candidate would have it, in words."""
        ends = (self.candidate_target, self.candidate_source) if self.reversed else (self.candidate_source, self.candidate_target)  # fmt: skip
        return statement(ends[0], self.relation, ends[1])


@dataclass(frozen=True, slots=True)
class AlignedPath:
    """A mechanism of either disease, link by link for both; ``weight`` is its part in the score of the one it is of.

    ``related`` says that the two pass different nodes which are kinds of the same, or one of the other.
    """

    metapath: Metapath
    links: tuple[AlignedLink, ...]
    weight: float
    related: bool = False

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

    ``shared`` hold for both, through the same nodes or related ones, ``only_known`` break for the candidate,
    ``only_candidate`` are new there; each is sorted by weight. ``carried_over`` is the part of the known mechanisms' weight that is shared,
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
        text = f"{pair} share {len(self.shared)} of {total} mechanisms ({self.carried_over:.0%} by weight"
        related = sum(path.related for path in self.shared)
        text += f"; {related} of them through related nodes, {self._relatives()})." if related else ")."
        if self.only_known:
            text += f" {self._first_break()}"
        if self.only_candidate:
            text += f" {len(self.only_candidate)} more hold{'s' * (len(self.only_candidate) == 1)} only for {self.candidate.label}."
        return text

    def _relatives(self) -> str:
        """The two nodes in which the heaviest mechanism through related ones differs."""
        links = next(path.links for path in self.shared if path.related)
        link = next(link for link in links if link.source is not link.candidate_source)
        return f"such as {link.source.label} there and {link.candidate_source.label} here"

    def _first_break(self) -> str:
        link = self.only_known[0].breaks_at
        if link is None:
            return ""
        return f"The heaviest that does not carry over breaks at “{link.text}”: {WORDS[link.candidate.state]} here."

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

    Neither do harms make one, nor does a last step that holds by definition, which only says that another disease has
    it. Where the model gives no signs, associating ones count as well.
    """
    model = graph.model
    wanted = {SUPPORTS} if graph.wanted_sign else {SUPPORTS, ASSOCIATION}
    return tuple(
        m
        for m in metapaths
        if m.stance in wanted
        and not any(step.relation in graph.claims for step in m.steps)
        and not graph.passes_harm(m)
        and not model.relation[m.steps[-1].relation].definitional
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
    kin = _Kin(scenario)
    alone = [{route: path for route, path in side.items() if route not in other} for side, other in zip(sides, sides[::-1], strict=True)]  # fmt: skip
    partners = _partners(kin, *alone)
    taken = set(partners.values())
    found = []
    for route in {**sides[0], **sides[1]}:
        if route not in taken:
            path = sides[0].get(route) or sides[1][route]
            partner = sides[1][partners[route]] if route in partners else None
            found.append(_aligned_path(scenario, table, ends, path, partner))
    return sorted(found, key=lambda a: (-a.weight, a.metapath.order, [link.source.curie for link in a.links]))


def _partners(
    kin: _Kin, known: dict[Route, MechanismPath], candidate: dict[Route, MechanismPath]
) -> dict[Route, Route]:
    """Match paths that differ in related nodes, heaviest first, each once."""
    partners: dict[Route, Route] = {}
    free = sorted(candidate, key=lambda route: (-candidate[route].contribution, route[0].order, route[1]))
    for route in sorted(known, key=lambda route: (-known[route].contribution, route[0].order, route[1])):
        partner = next((other for other in free if route[0] == other[0] and kin.alike(route[1], other[1])), None)
        if partner:
            free.remove(partner)
            partners[route] = partner
    return partners


class _Kin:
    """Which nodes are related by definition: one is a kind of the other, or both are of the same (one step each)."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.ends = metagraph(scenario).ends
        self.wider: dict[str, dict[str, int]] = {}

    def alike(self, nodes: Sequence[str], others: Sequence[str]) -> bool:
        """Whether two paths pass the same nodes but for one, which is related; other therapies or diseases never are."""
        apart = [pair for pair in zip(nodes, others, strict=True) if pair[0] != pair[1]]
        return len(apart) == 1 and self.related(*apart[0])

    def related(self, one: str, other: str) -> bool:
        """Whether two nodes are related."""
        if self.scenario.graph.entities[one].kind in self.ends:
            return False
        wider, also = self._wider(one), self._wider(other)
        return one in also or other in wider or any(wider[c] == also[c] == 1 for c in wider.keys() & also.keys())

    def _wider(self, curie: str) -> dict[str, int]:
        if curie not in self.wider:
            self.wider[curie] = wider_of(self.scenario, curie, lineage=True)
        return self.wider[curie]


def _aligned_path(
    scenario: Scenario,
    table: ScoreTable,
    ends: tuple[Entity, Entity],
    path: MechanismPath,
    partner: MechanismPath | None,
) -> AlignedPath:
    nodes = [[*walked.nodes[:-1], end] for walked, end in zip((path, partner or path), ends, strict=True)]
    links = tuple(
        _aligned_link(scenario, table, step, walked, [side[n : n + 2] for side in nodes])
        for n, (step, walked) in enumerate(zip(path.metapath.steps, path.steps, strict=True))
    )
    return AlignedPath(path.metapath, links, path.contribution, partner is not None)


def _aligned_link(
    scenario: Scenario, table: ScoreTable, step: Step, walked: Walked, ends: Sequence[Sequence[Entity]]
) -> AlignedLink:
    (source, target), (candidate_source, candidate_target) = ends
    states = [link_state(scenario, table, step, *pair) for pair in ends]
    return AlignedLink(
        source, candidate_source, step.relation, walked.reversed, walked.phrase, target, candidate_target, *states
    )


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
