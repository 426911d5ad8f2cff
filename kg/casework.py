"""The case of one pair: its paths, what they add to its score, what they rest on, and what is known around it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy  # its parts load where they are first used: most commands never need them

from kg.budget import Budget
from kg.evidence import confidence_value, line_key
from kg.findings import Contribution, Loss, MechanismPath, Robustness, stated
from kg.matrices import CONFIDENCE, UNIFORM, Floats, Ints, PathCounter, PathTable
from kg.metapaths import Metapath
from kg.overlay import Scenario
from kg.paths.records import Step
from kg.records import Assertion, Entity, Source
from kg.scoring import Known, PairKnowledge, ScoreTable, supported_since

TITLE = 60  # letters of a title that stands in for an author
AUTHOR = re.compile(r"([A-Z][\w'’-]+(?: [A-Z][\w'’-]+)?) [A-Z]{1,3}(?: et al\b|,| and |\. )")
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
        found = {}
        source, target = self.table.sources[self.cell[0]], self.table.targets[self.cell[1]]
        for m in self.used:
            room = max(1, min(PATHS_HELD, self.budget.left))
            found[m] = self.table.graph.paths(
                self.table.metapaths[m],
                int(source),
                int(target),
                damping=self.table.damping,
                weighting=self.table.weighting,
                limit=room,
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
    def contributions(
        self, p_values: Floats | None, note: Callable[[Metapath], str | None]
    ) -> tuple[Contribution, ...]:
        """Return what each used metapath adds, largest first; those against add nothing."""
        found = []
        for m in (*self.counted, *self.opposed):
            metapath, score = self.table.metapaths[m], float(self.table.transformed[m][self.cell])
            counts = bool(self.table.counted[m])
            reason = note(metapath)
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
        return Bundle(self, [m for m in self.counted if len(self.tables[m])])

    @cached_property
    def first_suggested(self) -> datetime.date | None:
        """The day on which the first counted path was complete: each edge dated by its earliest support.

        None where no path is free of assumed edges.
        """
        days = np.array([self._supported_since(a) for a in self.bundle.assertions] + [0])
        latest = days[self.bundle.edges].max(axis=1, initial=0)
        known = latest[latest < datetime.date.max.toordinal()]
        return datetime.date.fromordinal(int(known.min())) if len(known) else None

    def _supported_since(self, assertion: Assertion) -> int:
        return (supported_since(assertion) or datetime.date.max).toordinal()


class Bundle:
    """All paths of several metapaths as rows of edges, to ask what the score would be with some edges changed.

    ``edges`` numbers into ``assertions``, which ``numbers`` numbers across the graph; rows shorter than the longest are filled up with a number
    that stands for no edge. Degrees stay as they are: a lost edge takes its paths away, no more.
    """

    def __init__(self, case: Case, metapaths: Sequence[int]) -> None:
        tables = [case.tables[m] for m in metapaths]
        length = max((table.edges.shape[1] for table in tables), default=1)
        padded = [np.pad(t.edges, ((0, 0), (0, length - t.edges.shape[1])), constant_values=-1) for t in tables]
        flat = np.concatenate(padded) if padded else np.empty((0, length), np.int64)
        numbers, local = np.unique(flat, return_inverse=True)
        real = numbers >= 0
        shift = int((~real).sum())
        self.numbers = numbers[real]
        self.assertions = [case.table.graph.assertion(number) for number in self.numbers.tolist()]
        self.edges: Ints = np.where(flat < 0, len(self.assertions), local.reshape(flat.shape) - shift)
        self.values: Floats = np.concatenate([t.values for t in tables]) if tables else np.empty(0)
        self.owner: Ints = np.repeat(np.arange(len(tables)), [len(t) for t in tables])
        self.scale: Floats = case.table.scale[metapaths]
        self.walked: Floats = np.bincount(self.owner, self.values, minlength=len(tables)).astype(float)
        self.dwpc: Floats = case.table.dwpc[metapaths][:, *case.cell]
        self.score = case.score

    def rescored(self, factors: Floats) -> float:
        """Return the score if each edge's confidence were multiplied by a factor (one per assertion)."""
        changed = self.values * np.append(factors, 1.0)[self.edges].prod(axis=1)
        dwpc = self.dwpc - self.walked + np.bincount(self.owner, changed, minlength=len(self.dwpc))
        return self._score(dwpc)

    def without_each(self) -> Floats:
        """Return the score without each edge, one after another."""
        lost = np.zeros((len(self.dwpc), len(self.assertions) + 1))
        np.add.at(lost, (self.owner[:, None], self.edges), self.values[:, None])
        kept = np.maximum(self.dwpc[:, None] - lost[:, :-1], 0.0)
        kept[kept < 1e-12 * self.dwpc[:, None]] = 0.0  # rounding of differences
        scores: Floats = np.arcsinh(kept / self.scale[:, None]).sum(axis=0)
        return scores

    def _score(self, dwpc: Floats) -> float:
        dwpc = np.where(dwpc < 1e-12 * self.dwpc, 0.0, dwpc)
        return float(np.arcsinh(dwpc / self.scale).sum())


# ---------------------------------------------------------------- robustness
def robustness(case: Case, others: Floats) -> Robustness:
    """Return how much a case hangs on single edges and single lines of evidence; ``others`` are all scores of its list."""
    bundle = case.bundle
    lines = _line_losses(case)
    scores = [score for _, _, score in lines]
    edge = None
    if bundle.assertions:
        without = bundle.without_each()
        worst = min(range(len(without)), key=lambda n: (without[n], bundle.assertions[n].id))
        assertion = bundle.assertions[worst]
        edge = _loss("EDGE", assertion.id, stated(assertion), float(without[worst]), others)
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
    touched: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for number, assertion in enumerate(bundle.assertions):
        if not case.scenario.is_assumed(assertion.id):
            for item in assertion.evidence:
                key = line_key(item)
                if key not in touched:
                    touched[key], names[key] = [], item.study.label if item.study else short_name(item.source)
                touched[key].append(number)
    found = []
    for key in sorted(touched):
        if not case.budget.spend(1 + len(bundle.values) // 100):
            break
        factors = np.ones(len(bundle.assertions))
        for number in set(touched[key]):
            factors[number] = _without_line(bundle.assertions[number], key, case.table.weighting)
        found.append((key, names[key], bundle.rescored(factors)))
    return found


def _without_line(assertion: Assertion, key: str, weighting: str) -> float:
    """Confidence without a line of evidence as a part of the confidence with it; 0 where no support is left."""
    left = [item for item in assertion.evidence if line_key(item) != key]
    if not any(item.direction == "SUPPORTS" for item in left):
        return 0.0
    if weighting != CONFIDENCE or not assertion.confidence:
        return 1.0
    return confidence_value(left) / assertion.confidence


def disjoint_paths(case: Case) -> int | None:
    """Return how many edge-disjoint paths the union of the counted paths holds (max flow, each edge once)."""
    bundle, table = case.bundle, case.table
    if len(bundle.assertions) > FLOW_EDGES:
        return None
    if not bundle.assertions:
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


def short_name(source: Source) -> str:
    """Return the first author of a source, or the start of its title."""
    author = AUTHOR.match(source.citation)
    if author:
        return f"{author[1]} et al."
    title = re.split(r"\. |[,;]? \(", source.citation, maxsplit=1)[0].rstrip(".")
    return title if len(title) <= TITLE else f"{title[:TITLE].rsplit(' ', 1)[0]}…"
