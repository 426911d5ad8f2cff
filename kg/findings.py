"""What hypothesis searches return: frozen records, and tables of them for pandas."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kg.errors import BadInput
from kg.frames import frame
from kg.metapaths import MAX_LENGTH, Metapath
from kg.paths.records import Step, sentence
from kg.permutation import PermutationReport
from kg.records import Assertion, Entity, Evidence

UNTESTED, IN_TRIAL, CONTRADICTED = "UNTESTED", "IN_TRIAL", "CONTRADICTED"
ASSERTED = "ASSERTED"


@dataclass(frozen=True, slots=True)
class HypothesisConstraints:
    """How hypotheses are scored and which are shown.

    ``metapaths`` chooses the metapaths by relation names (None: all up to ``max_length`` steps that say
    something of a pair, so none that supports by way of a harm or of others' failures); ``relations`` restricts
    the relations they may use, and keeps those as well. ``weighting`` is CONFIDENCE or UNIFORM,
    ``damping`` the exponent w of the node degrees. ``permutations`` None means 200 on small graphs
    and none on large ones (20,000 edges or more), where they take minutes, once for all lists of a version
    (``kg permute`` makes them ahead). ``include_tested`` also lists
    pairs that are being tried. ``paths``, ``arguments`` and ``gaps`` bound what is shown of each.
    """

    metapaths: tuple[tuple[str, ...], ...] | None = None
    max_length: int = 3
    relations: frozenset[str] | None = None
    weighting: str = "CONFIDENCE"
    damping: float = 0.4
    permutations: int | None = None
    seed: int = 0
    include_tested: bool = False
    min_score: float = 0.0
    paths: int = 5
    arguments: int = 5
    gaps: int = 3

    def __post_init__(self) -> None:
        checks = {
            f"maxLength must be 1 to {MAX_LENGTH}, not {self.max_length}": 1 <= self.max_length <= MAX_LENGTH,
            f"permutations must be 0 to 10000, not {self.permutations}": 0 <= (self.permutations or 0) <= 10_000,
            f"seed must be 0 or more, not {self.seed}": self.seed >= 0,
            "paths, arguments and gaps must be 0 or more": min(self.paths, self.arguments, self.gaps) >= 0,
            "the list of metapaths is empty; leave it out to use all": self.metapaths != (),
        }
        for problem, fine in checks.items():
            if not fine:
                raise BadInput(f"{problem[0].upper()}{problem[1:]}.")


def statement(subject: Entity, relation: str, object_: Entity) -> str:
    """Return a claim in words: “plasma cells drive myasthenia gravis”."""
    claim = Assertion("", "", subject, relation, object_, (), 0.0)
    return sentence((Step(subject, object_, claim, subject.graph.model.relation[relation], False),))


def stated(assertion: Assertion) -> str:
    """Return an assertion in words."""
    return statement(assertion.subject, assertion.relation, assertion.object)


@dataclass(frozen=True)
class MechanismPath:
    """A path along a metapath.

    ``value`` is its path degree product (times confidences where those count), ``share`` its part of the
    metapath's DWPC, ``contribution`` that part of the hypothesis' score (0 for a path that speaks against).
    """

    metapath: Metapath
    steps: tuple[Step, ...]
    value: float
    share: float
    contribution: float

    @property
    def stance(self) -> str:
        """SUPPORTS, AGAINST or ASSOCIATION."""
        return self.metapath.stance

    @property
    def nodes(self) -> tuple[Entity, ...]:
        """The entities it passes, ends included."""
        return (self.steps[0].start, *(step.end for step in self.steps))

    @property
    def weakest_step(self) -> Step:
        """The least trusted edge, the first of several."""
        return min(self.steps, key=lambda step: step.confidence)

    @cached_property
    def text(self) -> str:
        """The path as a sentence without its full stop."""
        return sentence(self.steps)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one metapath adds to a score.

    ``score`` is arcsinh(dwpc / mean), ``share`` its part of the whole score. Contributions of
    supporting and associating metapaths add up to the score; those against are listed with share 0.
    """

    metapath: Metapath
    dwpc: float
    path_count: int
    score: float
    share: float
    p_value: float | None
    p_value_note: str | None


@dataclass(frozen=True, slots=True)
class Argument:
    """Something that speaks against a hypothesis.

    ``kind`` is, weightiest first, RESULT (the pair itself was contradicted or tested without effect), TRIAL (a
    halted study of the pair), EVIDENCE (a source contradicts an edge that the hypothesis rests on), PATH (a path
    whose sign says that the object gets worse) or RISK. ``count`` of ``total`` is an incidence.
    """

    kind: str
    text: str
    entity: Entity | None = None
    assertion: Assertion | None = None
    evidence: Evidence | None = None
    path: MechanismPath | None = None
    count: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A single edge that is not known and would raise the score by ``gain`` if it were certain.

    ``contradicted`` says that the graph holds the claim, but with no supporting evidence.
    """

    subject: Entity
    relation: str
    object: Entity
    gain: float
    metapaths: tuple[Metapath, ...]
    contradicted: bool
    text: str


@dataclass(frozen=True, slots=True)
class Loss:
    """What the score would be without one edge or one line of evidence (a study, or a source that names none)."""

    kind: str
    id: str
    label: str
    score: float
    rank: int
    removes: bool


@dataclass(frozen=True, slots=True)
class Robustness:
    """How much a hypothesis hangs on single things.

    ``edge`` and ``line`` are the single edge and the single line of evidence whose loss lowers the score
    most; degrees are left as they are. ``low`` and ``high`` are the lowest and highest score as any one
    line of evidence is left out (a jackknife range; losing a contradicting line raises the score).
    ``disjoint_paths`` is how many supporting paths share no edge (max flow on their union; None where
    there are too many). ``exact`` is False where not all paths could be walked.
    """

    edge: Loss | None
    line: Loss | None
    low: float
    high: float
    disjoint_paths: int | None
    exact: bool


@dataclass(frozen=True, slots=True)
class NarrowerPair:
    """A pair of a special case of the subject, the object or both, that is tested: through it the wider pair is.

    ``assertions`` are what the graph holds of it, ``studies`` those of both its ends.
    """

    subject: Entity
    object: Entity
    status: str
    assertions: tuple[Assertion, ...]
    studies: tuple[Entity, ...]

    @property
    def text(self) -> str:
        """What is known of it, in words."""
        if self.assertions:
            return stated(self.assertions[0])
        return f"{self.studies[0].label} ({self.studies[0].curie}) studies {self.subject.label} in {self.object.label}"


@dataclass(frozen=True, slots=True)
class Became:
    """What a later graph says of a pair: its status there, the day since which it was tried or held, and how.

    ``assertions`` and ``trials`` are what tests or states the pair itself, ``through`` narrower pairs that are tested.
    """

    status: str
    since: datetime.date | None
    assertions: tuple[Assertion, ...] = ()
    trials: tuple[Entity, ...] = ()
    through: tuple[NarrowerPair, ...] = ()


@dataclass(frozen=True)
class Hypothesis:
    """A pair that the graph does not assert but its paths suggest.

    ``trials`` are studies of both ends; ``through`` are narrower pairs that are tested, nearest first, at most
    as many as paths are shown, of ``through_total``; ``related`` is what the graph asserts of other wider and
    narrower pairs.
    ``first_suggested`` is the day on which the first path was complete; ``cursor`` continues a list behind
    this entry.
    """

    subject: Entity
    object: Entity
    rank: int
    score: float
    status: str
    p_value: float | None
    q_value: float | None
    p_value_note: str | None
    contributions: tuple[Contribution, ...]
    supporting_paths: tuple[MechanismPath, ...]
    paths_total: int
    against: tuple[Argument, ...]
    against_total: int
    gaps: tuple[Gap, ...]
    trials: tuple[Entity, ...]
    through: tuple[NarrowerPair, ...]
    through_total: int
    related: tuple[Assertion, ...]
    first_suggested: datetime.date | None
    robustness: Robustness
    baseline_rank: int | None
    baseline_score: float | None
    later: Became | None
    text: str
    cursor: str

    @property
    def id(self) -> str:
        """Both CURIEs."""
        return f"{self.subject.curie}|{self.object.curie}"

    @property
    def score_change(self) -> float | None:
        """Score minus the baseline's; None without a baseline."""
        return None if self.baseline_score is None else self.score - self.baseline_score

    @property
    def paths_not_shown(self) -> int:
        """How many supporting paths ``supporting_paths`` leaves out."""
        return self.paths_total - len(self.supporting_paths)


@dataclass(frozen=True, slots=True)
class MetapathUse:
    """A metapath and its part in a list: ``pairs`` of the listed hypotheses that have a path of it."""

    metapath: Metapath
    pairs: int
    mean: float


@dataclass(frozen=True)
class HypothesisPage:
    """A page of a list of hypotheses, best first.

    ``total`` counts the list; ``exhaustive`` says whether every metapath was counted and nothing is
    left behind this page; else ``truncated_by`` names what cut it (``first``, ``steps`` or
    ``seconds``), ``remaining`` what is left and ``end_cursor`` where to go on. ``known`` and ``tested`` count pairs
    left out because the graph asserts them, or because they or narrower pairs are being tried.
    """

    items: tuple[Hypothesis, ...]
    total: int
    remaining: int
    truncated_by: str | None
    end_cursor: str | None
    known: int
    tested: int
    metapaths: tuple[MetapathUse, ...]
    permutations: PermutationReport | None
    note: str | None

    @property
    def exhaustive(self) -> bool:
        """Whether the answer is complete."""
        return self.truncated_by is None

    def to_frame(self) -> Any:
        """Return a pandas frame, a row per hypothesis."""
        return frame(map(_hypothesis_row, self.items), list(_HYPOTHESIS_COLUMNS))


_HYPOTHESIS_COLUMNS = (
    "rank", "subject", "subject_label", "object", "object_label", "score", "low", "high", "p_value", "q_value",
    "status", "first_suggested", "paths", "against", "baseline_rank", "score_change", "text",
)  # fmt: skip


def _hypothesis_row(h: Hypothesis) -> dict[str, Any]:
    values = (
        h.rank, h.subject.curie, h.subject.label, h.object.curie, h.object.label, h.score, h.robustness.low,
        h.robustness.high, h.p_value, h.q_value, h.status, h.first_suggested, h.paths_total, h.against_total,
        h.baseline_rank, h.score_change, h.text,
    )  # fmt: skip
    return dict(zip(_HYPOTHESIS_COLUMNS, values, strict=True))


@dataclass(frozen=True, slots=True)
class PlannedEdge:
    """A single unknown edge and what it would do for all hypotheses if it were certain.

    ``completes`` counts pairs that no path suggested before, ``raises`` all pairs whose score grows,
    ``gain`` is the sum of the growth; ``best`` are the pairs that gain most, as (subject, object, gain).
    """

    subject: Entity
    relation: str
    object: Entity
    completes: int
    raises: int
    gain: float
    best: tuple[tuple[Entity, Entity, float], ...]
    contradicted: bool
    text: str


@dataclass(frozen=True)
class Plan:
    """Missing edges, most useful first; ``total`` counts the candidates they were chosen from."""

    items: tuple[PlannedEdge, ...]
    total: int
    truncated_by: str | None

    @property
    def exhaustive(self) -> bool:
        """Whether all candidates are shown."""
        return self.truncated_by is None

    def to_frame(self) -> Any:
        """Return a pandas frame, a row per edge."""
        columns = ["subject", "relation", "object", "completes", "raises", "gain", "text"]
        rows = (
            dict(zip(columns, (e.subject.curie, e.relation, e.object.curie, e.completes, e.raises, e.gain, e.text), strict=True))
            for e in self.items
        )  # fmt: skip
        return frame(rows, columns)
