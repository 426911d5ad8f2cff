"""Scores of many pairs at once, and what the graph already says about each pair.

The score of a pair is the sum over metapaths of arcsinh(DWPC / mean), the mean being that of all pairs
of the two kinds: the transform of Rephetio (Himmelstein et al. 2017, eLife 6:e26726, "Features") without
its regression. Metapaths whose sign says that the subject makes the object worse are left out of the sum.
Under assumptions the means stay those of the graph itself, so that scores before and after compare.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg import overlay
from kg.budget import Budget
from kg.columns import Bools
from kg.findings import (
    ASSERTED,
    CONTRADICTED,
    IN_TRIAL,
    UNTESTED,
    Became,
    HypothesisConstraints,
    NarrowerPair,
)
from kg.matrices import Floats, Ints, Matrices, PathCounter, matrices
from kg.metapaths import AGAINST, Metaedge, Metagraph, Metapath
from kg.overlay import Scenario
from kg.records import Assertion, Entity

RESULTS_KEPT = 32
STEPS_PER_METAPATH = 1024  # so that the deadline is looked at once a metapath


def metagraph(scenario: Scenario) -> Metagraph:
    """Return the metagraph of a scenario: relations with an edge in the graph or by assumption."""
    graph = matrices(scenario)
    if "metagraph" not in graph.once:
        edges = {*matrices(plain(scenario)).edges, *graph.edges}
        graph.once["metagraph"] = Metagraph(scenario.graph.model, edges)
    found: Metagraph = graph.once["metagraph"]
    return found


def plain(scenario: Scenario) -> Scenario:
    """Return the graph of a scenario without its assumptions."""
    return scenario if scenario.is_plain else overlay.scenario(scenario.graph)


def chosen_metapaths(scenario: Scenario, where: HypothesisConstraints) -> tuple[Metapath, ...]:
    """Return the metapaths that constraints choose, shortest first."""
    once, key = matrices(scenario).once, ("metapaths", where.metapaths, where.max_length, where.relations)
    if key not in once:
        once[key] = _chosen(metagraph(scenario), where)
    found: tuple[Metapath, ...] = once[key]
    return found


def _chosen(graph: Metagraph, where: HypothesisConstraints) -> tuple[Metapath, ...]:
    if where.metapaths is None:
        return graph.enumerate(where.max_length, where.relations)
    found = {metapath for names in where.metapaths for metapath in graph.parse(names)}
    return tuple(sorted(found, key=lambda m: m.order))


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """DWPCs and scores of all pairs of some sources and some targets.

    ``dwpc`` is metapaths x sources x targets, ``scale`` the mean DWPC of each metapath over all pairs of
    ``kinds``; ``sources`` and ``targets`` number nodes within those kinds. ``cut`` names the limit
    that left metapaths uncounted, or is None.
    """

    graph: Matrices
    kinds: tuple[str, str]
    metapaths: tuple[Metapath, ...]
    sources: Ints
    targets: Ints
    dwpc: Floats
    scale: Floats
    damping: float
    weighting: str
    cut: str | None

    @cached_property
    def transformed(self) -> Floats:
        """arcsinh(dwpc / mean), 0 where no pair has a path; same shape as ``dwpc``."""
        scale = np.where(self.scale > 0, self.scale, np.inf)[:, None, None]
        values: Floats = np.arcsinh(self.dwpc / scale)
        return values

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """Which metapaths the score sums: all but those that argue against."""
        return np.array([metapath.stance != AGAINST for metapath in self.metapaths], bool)

    @cached_property
    def scores(self) -> Floats:
        """Summed scores, sources x targets."""
        total: Floats = self.transformed[self.counted].sum(axis=0)
        return total

    @cached_property
    def leads_on(self) -> dict[int, dict[Hashable, Bools]]:
        """Which nodes lead to a target along the ends of metapaths, of the target that was asked about last."""
        return {}

    @cached_property
    def along(self) -> Mapping[Metaedge, Sequence[int]]:
        """Numbers of the metapaths that the score sums, by the relations that they walk."""
        found: dict[Metaedge, list[int]] = defaultdict(list)
        for m in np.flatnonzero(self.counted).tolist():
            for metaedge in dict.fromkeys(step.metaedge for step in self.metapaths[m].steps):
                found[metaedge].append(m)
        return found

    def ends(self, row: int, column: int) -> tuple[Entity, Entity]:
        """The subject and object of a cell."""
        subjects, objects = (self.graph.entities[kind] for kind in self.kinds)
        return subjects[self.sources[row]], objects[self.targets[column]]


def score_table(
    scenario: Scenario,
    *,
    subjects: Sequence[str] | None = None,
    objects: Sequence[str] | None = None,
    where: HypothesisConstraints | None = None,
    metapaths: Sequence[Metapath] | None = None,
    budget: Budget | None = None,
) -> ScoreTable:
    """Return the DWPCs and scores of all pairs of some subjects and objects (CURIEs; None is all of the kind).

    A complete table is kept while the version stands. ``metapaths`` overrides the ones that ``where``
    chooses. A spent budget leaves metapaths out, and ``cut`` says so.
    """
    where = where or HypothesisConstraints()
    chosen = tuple(metapaths) if metapaths is not None else chosen_metapaths(scenario, where)
    graph = matrices(scenario)
    kinds = metagraph(scenario).ends
    ends = (_numbers(graph, kinds[0], subjects), _numbers(graph, kinds[1], objects))
    key = ("scores", chosen, where.damping, where.weighting, ends[0].tobytes(), ends[1].tobytes())
    table: ScoreTable | None = graph.results.get(key)
    if table is None:
        table = _score_table(scenario, kinds, chosen, ends, where, budget or Budget())
        if table.cut is None:
            keep(graph, key, table)
    return table


def _numbers(graph: Matrices, kind: str, curies: Sequence[str] | None) -> Ints:
    if curies is None:
        return np.arange(graph.sizes[kind])
    return np.array([graph.index[curie] for curie in curies], np.int64)


def _score_table(
    scenario: Scenario,
    kinds: tuple[str, str],
    chosen: Sequence[Metapath],
    ends: tuple[Ints, Ints],
    where: HypothesisConstraints,
    budget: Budget,
) -> ScoreTable:
    graph = matrices(scenario)
    recall_means(matrices(plain(scenario)), chosen, where)
    counter = PathCounter(graph, *ends, damping=where.damping, weighting=where.weighting)
    done: list[Metapath] = []
    layers, scale = [], []
    for metapath in chosen:
        if not budget.spend(STEPS_PER_METAPATH):
            break
        done.append(metapath)
        layers.append(counter.dwpc(metapath).toarray() if walkable(graph, metapath) else _zeros(ends))
        scale.append(mean_dwpc(scenario, metapath, where))
    stacked = np.stack(layers) if layers else np.zeros((0, len(ends[0]), len(ends[1])))
    cut = budget.exhausted_by if len(done) < len(chosen) else None
    return ScoreTable(graph, kinds, tuple(done), *ends, stacked, np.array(scale), where.damping, where.weighting, cut)


def walkable(graph: Matrices, metapath: Metapath) -> bool:
    """Whether every relation of a metapath has an edge here."""
    return all(step.metaedge in graph.edges for step in metapath.steps)


def _zeros(ends: tuple[Ints, Ints]) -> Floats:
    return np.zeros((len(ends[0]), len(ends[1])))


def mean_dwpc(scenario: Scenario, metapath: Metapath, where: HypothesisConstraints) -> float:
    """Return the mean DWPC of the graph itself; of the scenario, for a metapath that only assumptions make."""
    return _mean(matrices(plain(scenario)), metapath, where) or _mean(matrices(scenario), metapath, where)


def _mean(graph: Matrices, metapath: Metapath, where: HypothesisConstraints) -> float:
    key = (metapath, where.damping, where.weighting)
    if key not in graph.means:
        counter = PathCounter(graph, damping=where.damping, weighting=where.weighting)
        graph.means[key] = counter.mean(metapath) if walkable(graph, metapath) else 0.0
    return graph.means[key]


def recall_means(graph: Matrices, metapaths: Sequence[Metapath], where: HypothesisConstraints) -> None:
    """Take the means of some metapaths from the folder of the snapshot, where they are kept there."""
    if not metapaths or (metapaths[0], where.damping, where.weighting) in graph.means:
        return
    kept = graph.beside.read(_means_of(metapaths, where))
    if kept is not None and len(kept) == len(metapaths):
        keys = ((metapath, where.damping, where.weighting) for metapath in metapaths)
        graph.means.update(zip(keys, kept.tolist(), strict=True))


def keep_means(graph: Matrices, metapaths: Sequence[Metapath], where: HypothesisConstraints) -> None:
    """Put the means of some metapaths into the folder of the snapshot: they take a part of the time of a first list."""
    question = _means_of(metapaths, where)
    if graph.beside.read(question) is None:
        graph.beside.write(question, np.array([_mean(graph, metapath, where) for metapath in metapaths]))


def _means_of(metapaths: Sequence[Metapath], where: HypothesisConstraints) -> str:
    return repr(("means", [metapath.steps for metapath in metapaths], where.damping, where.weighting))


def keep(graph: Matrices, key: Hashable, value: Any) -> None:
    """Keep a result with the matrices it was computed from; those kept longest ago make room."""
    graph.results[key] = value
    graph.results.move_to_end(key)
    while len(graph.results) > RESULTS_KEPT:
        graph.results.popitem(last=False)


# ---------------------------------------------------------------- what is known of a pair
@dataclass(frozen=True, slots=True)
class Known:
    """What the graph says about a pair.

    ``asserted``, ``tried`` and ``refuting`` are assertions: that the predicted relation holds, that it was
    tried, and against it (contradicted claims, or tests without effect). ``studies`` are studies
    of both ends; ``through`` are narrower pairs that are tested, nearest first.
    """

    asserted: tuple[Assertion, ...] = ()
    tried: tuple[Assertion, ...] = ()
    refuting: tuple[Assertion, ...] = ()
    studies: tuple[Entity, ...] = ()
    through: tuple[NarrowerPair, ...] = ()

    @property
    def status(self) -> str:
        """ASSERTED, CONTRADICTED, IN_TRIAL (itself, or through narrower pairs) or UNTESTED, the first that applies."""
        if self.asserted:
            return ASSERTED
        if self.refuting:
            return CONTRADICTED
        return IN_TRIAL if self.tried or self.studies or self.through else UNTESTED


UNKNOWN = Known()
Pair = tuple[str, str]


class PairKnowledge:
    """What a scenario says about pairs: assertions between them, studies of both, and the same of narrower pairs.

    A therapy that is a kind of another is tested where it is tested, and so, there, is the wider one: by what
    holds by definition, being tested is handed on to wider pairs, and nothing is handed on to narrower ones.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.metagraph = metagraph(scenario)
        model = scenario.graph.model
        self.attempts = {r.name for r in model.relations if set(r.attempt_of) & set(self.metagraph.predicts)}
        self.between = self._between()
        self.studied = self._studied()
        self.inherited = self._inherited()

    def known(self, subject: str, object_: str) -> Known:
        """Return what is known of a pair of CURIEs."""
        pair = subject, object_
        if pair not in self.between and pair not in self.studied and pair not in self.inherited:
            return UNKNOWN
        known = self._itself(subject, object_)
        narrower = self.inherited.get((subject, object_))
        return replace(known, through=tuple(map(self._narrower, narrower))) if narrower else known

    def _itself(self, subject: str, object_: str) -> Known:
        claims = self.between.get((subject, object_), ())
        edges = [a for a in claims if self._is_edge(a)]
        opposing = self.metagraph.opposing
        return Known(
            asserted=tuple(a for a in edges if a.relation not in self.attempts | opposing),
            tried=tuple(a for a in edges if a.relation in self.attempts),
            refuting=tuple(a for a in claims if (self._is_edge(a) if a.relation in opposing else self._refuted(a))),
            studies=self.studied.get((subject, object_), ()),
        )

    def became(self, subject: str, object_: str) -> Became:
        """Return the status of a pair, and how and since when the graph knew it as tried or holding."""
        known = self.known(subject, object_)
        held = (*known.asserted, *known.tried)
        days = [supported_since(a) for a in (*held, *(a for pair in known.through for a in pair.assertions))]
        days += [_studied_since(study, {subject, object_}) for study in known.studies]
        days += [_studied_since(s, {pair.subject.curie, pair.object.curie}) for pair in known.through for s in pair.studies]  # fmt: skip
        since = min((day for day in days if day), default=None)
        return Became(known.status, since, (*held, *known.refuting), known.studies, known.through)

    # -------------------------------------------------------------- narrower pairs
    def _inherited(self) -> dict[Pair, tuple[Pair, ...]]:
        """The tested pairs that are special cases of each pair, nearest first."""
        found: dict[Pair, list[tuple[int, Pair]]] = defaultdict(list)
        for pair in {*self.between, *self.studied}:
            subjects, objects = (wider_of(self.scenario, end) for end in pair)
            wider = [(s, o, i + j) for s, i in subjects.items() for o, j in objects.items() if i + j]
            if wider and self._is_tested(self._itself(*pair)):
                for subject, object_, distance in wider:
                    found[subject, object_].append((distance, pair))
        return {pair: tuple(narrower for _, narrower in sorted(rows)) for pair, rows in found.items()}

    def _is_tested(self, known: Known) -> bool:
        return bool(known.asserted or known.tried or known.studies or any(map(self._is_edge, known.refuting)))

    def _narrower(self, pair: Pair) -> NarrowerPair:
        known, entities = self._itself(*pair), self.scenario.graph.entities
        edges = (*known.asserted, *known.tried, *filter(self._is_edge, known.refuting))
        return NarrowerPair(entities[pair[0]], entities[pair[1]], known.status, edges, known.studies)

    def _is_edge(self, assertion: Assertion) -> bool:
        return assertion.supported and assertion.id not in self.scenario.removed

    def _refuted(self, assertion: Assertion) -> bool:
        return not self._is_edge(assertion) and any(e.direction == "CONTRADICTS" for e in assertion.evidence)

    # -------------------------------------------------------------- the pair itself
    def _between(self) -> dict[Pair, list[Assertion]]:
        """Assertions, edges or not, of predicted and opposing relations by pair, as they are in the scenario."""
        relations = {*self.metagraph.predicts, *self.metagraph.opposing}
        found: dict[Pair, list[Assertion]] = defaultdict(list)
        known = self.scenario.graph.assertion_by_id
        extra = [a for a in self.scenario.assumed if a.id not in known]
        for a in (*self.scenario.graph.of_relations(relations), *extra):
            if a.relation in relations and a.id not in self.scenario.removed:
                found[a.subject.curie, a.object.curie].append(self.scenario.assertion(a.id))
        return found

    def _studied(self) -> dict[Pair, tuple[Entity, ...]]:
        """Studies that have an edge to both ends, by pair."""
        ends = self.metagraph.ends
        found: dict[Pair, set[str]] = defaultdict(set)
        for kind in self.scenario.graph.model.kinds:
            if kind.status_field and kind.name not in ends:
                sides = [self._neighbours(kind.name, end) for end in ends]
                for study in sides[0].keys() & sides[1].keys():
                    for subject in sides[0][study]:
                        for object_ in sides[1][study]:
                            found[subject, object_].add(study)
        entities = self.scenario.graph.entities
        return {pair: tuple(entities[s] for s in sorted(studies)) for pair, studies in found.items()}

    def _neighbours(self, kind: str, other: str) -> dict[str, set[str]]:
        graph = matrices(self.scenario)
        found: dict[str, set[str]] = defaultdict(set)
        for step in self.metagraph.steps_from.get(kind, ()):
            if step.target == other and step.metaedge in graph.edges:
                table = graph.step(step)
                for row in np.flatnonzero(table.row_degree):
                    names = {graph.entities[other][column].curie for column in table.row(int(row)).tolist()}
                    found[graph.entities[kind][int(row)].curie] |= names
        return found


class _Wider:
    """What each entity of a kind is a special case of by definition, itself included, with the number of steps.

    With ``lineage``, also what it comes from or turns into by definition.
    """

    def __init__(self, graph: Matrices, kind: str, *, lineage: bool) -> None:
        self.parents: dict[str, list[str]] = defaultdict(list)
        self.found: dict[str, dict[str, int]] = {}
        members = graph.entities[kind]
        for (source, name, target), edges in graph.edges.items():
            relation = graph.model.relation[name]
            if source == target == kind and relation.definitional and (lineage or relation.same_kind):
                for row, column in zip(edges.rows, edges.columns, strict=True):
                    self.parents[members[row].curie].append(members[column].curie)

    def __getitem__(self, curie: str) -> dict[str, int]:
        if curie not in self.found:
            distance, frontier = {curie: 0}, [curie]
            for here in frontier:
                for parent in self.parents.get(here, ()):
                    if parent not in distance:
                        distance[parent] = distance[here] + 1
                        frontier.append(parent)
            self.found[curie] = distance
        return self.found[curie]


def wider_of(scenario: Scenario, curie: str, *, lineage: bool = False) -> dict[str, int]:
    """Return what an entity is a special case of by definition, itself included, with the number of steps.

    ``lineage`` follows all definitional relations, not only those that any kind of entity may have to its own.
    """
    graph = matrices(scenario)
    kind = scenario.graph.entities[curie].kind
    key = ("wider", kind, lineage)
    if key not in graph.once:
        graph.once[key] = _Wider(graph, kind, lineage=lineage)
    found: dict[str, int] = graph.once[key][curie]
    return found


def supported_since(assertion: Assertion) -> date | None:
    """Return the day of the earliest evidence that supports an assertion, None without any."""
    return min((e.known_on for e in assertion.evidence if e.direction == "SUPPORTS"), default=None)


def _studied_since(study: Entity, ends: set[str]) -> date | None:
    """The day on which a study was known to have both ends."""
    days: dict[str, date] = {}
    for edge in (edge for edges in study.links.values() for edge in edges if edge.node.curie in ends):
        day = supported_since(edge.assertion)
        if day:
            days[edge.node.curie] = min(day, days.get(edge.node.curie, day))
    return max(days.values()) if days.keys() == ends else None


def pair_knowledge(scenario: Scenario) -> PairKnowledge:
    """Return what a scenario says directly about pairs, made once while the version stands."""
    graph = matrices(scenario)
    if "pairs" not in graph.once:
        graph.once["pairs"] = PairKnowledge(scenario)
    found: PairKnowledge = graph.once["pairs"]
    return found
