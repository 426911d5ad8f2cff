"""The case of one pair: its paths, what they add to its score, what they rest on, and what is known around it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy  # its parts load where they are first used: most commands never need them

from kg.budget import Budget
from kg.bundles import Bundle
from kg.findings import Contribution, Loss, MechanismPath, Robustness, stated
from kg.matrices import CONFIDENCE, UNIFORM, Floats, Ints, PathCounter, PathTable
from kg.metapaths import Metapath
from kg.overlay import Scenario
from kg.paths.records import Step
from kg.records import Assertion, Entity
from kg.scoring import Known, PairKnowledge, ScoreTable

FLOW_EDGES = 100_000  # edges in a union of paths, above which disjoint paths are not counted
PATHS_HELD = 200_000
REMOVED = 1e-12  # scores below are none


@dataclass(frozen=True)
class Case:
    """One cell of a score table, opened up. ``cell`` is (row, column)."""

    scenario: Scenario
    table: ScoreTable
    cell: tuple[int, int]
    budget: Budget

    @cached_property
    def subject(self) -> Entity:
        """The subject of the pair."""
        return self.table.ends(*self.cell)[0]

    @cached_property
    def object(self) -> Entity:
        """The object of the pair."""
        return self.table.ends(*self.cell)[1]

    @cached_property
    def score(self) -> float:
        """The summed score."""
        return float(self.table.scores[self.cell])

    @cached_property
    def used(self) -> list[int]:
        """Numbers of the metapaths that have a path, of whatever stance, largest score first."""
        scores = self.table.transformed[:, *self.cell]
        return sorted(np.flatnonzero(scores > 0).tolist(), key=lambda m: (-scores[m], self.table.metapaths[m].order))

    @cached_property
    def counted(self) -> list[int]:
        """Those of ``used`` that the score sums."""
        return [m for m in self.used if self.table.counted[m]]

    @cached_property
    def opposed(self) -> list[int]:
        """Those of ``used`` whose sign says that the object gets worse."""
        return [m for m in self.used if not self.table.counted[m]]

    # -------------------------------------------------------------- paths
    @cached_property
    def tables(self) -> dict[int, PathTable]:
        """All paths of each used metapath, as far as the budget goes."""
        found: dict[int, PathTable] = {}
        source, target = self.table.sources[self.cell[0]], self.table.targets[self.cell[1]]
        if int(target) not in self.table.leads_on:  # one list mostly has one end
            self.table.leads_on.clear()
        known = self.table.leads_on.setdefault(int(target), {})
        for m in self.used:
            room = max(1, min(PATHS_HELD, self.budget.left))
            found[m] = self.table.graph.paths(
                self.table.metapaths[m],
                int(source),
                int(target),
                damping=self.table.damping,
                weighting=self.table.weighting,
                limit=room,
                known=known,
            )
            self.budget.spend(1 + len(found[m]))
        return found

    @cached_property
    def exact(self) -> bool:
        """Whether every path was walked."""
        return all(table.complete for table in self.tables.values())

    @cached_property
    def path_counts(self) -> dict[int, int]:
        """How many paths each used metapath has: counted by matrices where they were not all walked."""
        if self.exact:
            return {m: len(table) for m, table in self.tables.items()}
        ends = (self.table.sources[[self.cell[0]]], self.table.targets[[self.cell[1]]])
        counter = PathCounter(self.table.graph, *ends, damping=0.0, weighting=UNIFORM)
        return {m: round(counter.dwpc(self.table.metapaths[m]).sum()) for m in self.used}

    def best_paths(self, metapaths: Sequence[int], limit: int) -> tuple[MechanismPath, ...]:
        """Return the paths with the largest part in the score (or, for those against, in theirs)."""
        ranked = sorted(
            ((self._part(m, row), m, row) for m in metapaths for row in range(min(limit, len(self.tables[m])))),
            key=lambda found: (-found[0], self.table.metapaths[found[1]].order, found[2]),
        )
        return tuple(self.path(m, row) for _, m, row in ranked[:limit])

    def _part(self, m: int, row: int) -> float:
        share = self.tables[m].values[row] / self.table.dwpc[m][self.cell]
        return float(share * self.table.transformed[m][self.cell])

    def path(self, m: int, row: int) -> MechanismPath:
        """Return one path of a table as a record."""
        paths, metapath = self.tables[m], self.table.metapaths[m]
        steps = tuple(self._steps(metapath, paths.nodes[row], paths.edges[row]))
        value, dwpc = float(paths.values[row]), float(self.table.dwpc[m][self.cell])
        contribution = self._part(m, row) if self.table.counted[m] else 0.0
        return MechanismPath(metapath, steps, value, value / dwpc, contribution)

    def _steps(self, metapath: Metapath, nodes: Ints, edges: Ints) -> Iterator[Step]:
        graph = self.table.graph
        for number, step in enumerate(metapath.steps):
            start = graph.entities[step.source][nodes[number]]
            end = graph.entities[step.target][nodes[number + 1]]
            assertion = graph.assertion(int(edges[number]))
            relation, back = graph.model.relation[step.relation], assertion.subject is not start
            yield Step(start, end, assertion, relation, back, self.scenario.is_assumed(assertion.id))

    # -------------------------------------------------------------- contributions
    def contributions(self, p_values: Floats | None, note: Callable[[int], str | None]) -> tuple[Contribution, ...]:
        """Return what each used metapath adds, largest first; those against add nothing.

        ``note`` says, by number, why a metapath has no p-value.
        """
        found = []
        for m in (*self.counted, *self.opposed):
            metapath, score = self.table.metapaths[m], float(self.table.transformed[m][self.cell])
            counts = bool(self.table.counted[m])
            reason = note(m)
            p = None if p_values is None or reason else float(p_values[m][self.cell])
            found.append(
                Contribution(
                    metapath,
                    float(self.table.dwpc[m][self.cell]),
                    self.path_counts[m],
                    score,
                    score / self.score if counts and self.score else 0.0,
                    p,
                    reason,
                )
            )
        return tuple(found)

    # -------------------------------------------------------------- edges of all counted paths together
    @cached_property
    def bundle(self) -> Bundle:
        """All counted paths as one table."""
        metapaths = [m for m in self.counted if len(self.tables[m])]
        return Bundle(self.scenario, self.table, self.cell, {m: self.tables[m] for m in metapaths})

    @cached_property
    def first_suggested(self) -> datetime.date | None:
        """The day on which the first counted path was complete: each edge dated by its earliest support.

        None where no path is free of assumed edges.
        """
        days = np.append(self.bundle.footing.since(), 0)
        latest = days[self.bundle.edges].max(axis=1, initial=0)
        known = latest[latest < datetime.date.max.toordinal()]
        return datetime.date.fromordinal(int(known.min())) if len(known) else None


# ---------------------------------------------------------------- robustness
def robustness(case: Case, others: Floats) -> Robustness:
    """Return how much a case hangs on single edges and single lines of evidence; ``others`` are all scores of its list."""
    bundle = case.bundle
    lines = _line_losses(case)
    scores = [score for _, _, score in lines]
    edge = None
    if len(bundle.footing):
        without = bundle.without_each()
        worst = np.flatnonzero(without == without.min()).tolist()
        assertion = min(map(bundle.footing.assertion, worst), key=lambda a: a.id)
        edge = _loss("EDGE", assertion.id, stated(assertion), float(without[worst[0]]), others)
    line = min(lines, key=lambda found: (found[2], found[0]), default=None)
    return Robustness(
        edge,
        _loss("LINE", *line, others) if line and line[2] < case.score else None,
        min([case.score, *scores]),
        max([case.score, *scores]),
        disjoint_paths(case),
        case.exact,
    )


def _loss(kind: str, id_: str, label: str, score: float, others: Floats) -> Loss:
    rank = 1 + int((others > score * (1 + 1e-12)).sum())
    return Loss(kind, id_, label, max(score, 0.0), rank, score <= REMOVED)


def _line_losses(case: Case) -> list[tuple[str, str, float]]:
    """Each line of evidence under the counted paths, with its name and the score without it."""
    bundle = case.bundle
    found = []
    for line in bundle.footing.lines():
        if not case.budget.spend(1 + len(bundle.values) // 100):
            break
        factors = bundle.footing.without(line, confidences=case.table.weighting == CONFIDENCE)
        found.append((line.key, line.name, bundle.rescored(factors)))
    return found


def disjoint_paths(case: Case) -> int | None:
    """Return how many edge-disjoint paths the union of the counted paths holds (max flow, each edge once)."""
    bundle, table = case.bundle, case.table
    if len(bundle.numbers) > FLOW_EDGES:
        return None
    if not len(bundle.numbers):
        return 0
    nodes, ends = np.unique(table.graph.ends(bundle.numbers), return_inverse=True)
    row, column = case.cell
    own = table.graph.first_node[table.kinds[0]] + table.sources[row]
    other = table.graph.first_node[table.kinds[1]] + table.targets[column]
    rows, columns = np.concatenate([ends.reshape(-1, 2), ends.reshape(-1, 2)[:, ::-1]]).T  # walked either way
    lanes = scipy.sparse.csr_matrix((np.ones(len(rows), np.int32), (rows, columns)), shape=(len(nodes), len(nodes)))
    return int(scipy.sparse.csgraph.maximum_flow(lanes, *np.searchsorted(nodes, [own, other]).tolist()).flow_value)


# ---------------------------------------------------------------- around it
def ancestry(scenario: Scenario, entity: Entity) -> list[Entity]:
    """Return an entity and all that it is a special case of by definitional relations, nearest first."""
    found, definitional = [entity], _definitional(scenario)
    for here in found:
        for assertion in edges_of(scenario, here, definitional):
            if assertion.object not in found:
                found.append(assertion.object)
    return found


def edges_of(scenario: Scenario, subject: Entity, relations: Collection[str]) -> list[Assertion]:
    """Edges of some relations that leave an entity in the scenario, in relation and confidence order."""
    return [a for a in _touching(scenario, subject, relations) if a.subject is subject]


def _touching(scenario: Scenario, entity: Entity, relations: Collection[str]) -> list[Assertion]:
    """Edges of some relations at an entity in the scenario, whichever way they lead."""
    if not relations:  # a hub's links are not worth making records of
        return []
    kept = [edge.assertion for edges in entity.links.values() for edge in edges]
    found = {a.id: scenario.assertion(a.id) for a in kept if a.relation in relations and a.id not in scenario.removed}
    found |= {a.id: a for a in scenario.assumed if a.relation in relations and entity in (a.subject, a.object)}
    return list(found.values())


def _definitional(scenario: Scenario) -> frozenset[str]:
    return frozenset(r.name for r in scenario.graph.model.relations if r.definitional)


def related(case: Case, known: Known, knowledge: PairKnowledge, limit: int) -> tuple[Assertion, ...]:
    """Return what is asserted of wider and narrower pairs, nearest first, but for those that test the pair itself."""
    through = {(pair.subject.curie, pair.object.curie) for pair in known.through}
    through.add((case.subject.curie, case.object.curie))
    subjects, objects = (_kin(case.scenario, end) for end in (case.subject, case.object))
    found = [
        (subjects[subject] + objects[object_], assertion.id, assertion)
        for (subject, object_), claims in knowledge.between.items()
        if subject in subjects and object_ in objects and (subject, object_) not in through
        for assertion in claims
        if assertion.supported
    ]
    return tuple(assertion for *_, assertion in sorted(found, key=lambda row: row[:2])[:limit])


def _kin(scenario: Scenario, entity: Entity) -> dict[str, int]:
    """An entity and all that is wider or narrower by definition, by distance."""
    distance, frontier = {entity.curie: 0}, [(entity, True), (entity, False)]
    definitional = _definitional(scenario)
    for here, upwards in frontier:
        for assertion in _touching(scenario, here, definitional):
            near, far = (assertion.subject, assertion.object) if upwards else (assertion.object, assertion.subject)
            if near is here and far.curie not in distance:
                distance[far.curie] = distance[here.curie] + 1
                frontier.append((far, upwards))
    return distance
