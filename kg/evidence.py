"""How much to believe an assertion, from the evidence for and against it.

Confidence is a noisy-OR (Pearl 1988, Probabilistic Reasoning in Intelligent Systems, §4.3.2) over
independent lines of evidence, discounted by the same of the lines that contradict:

    confidence = (1 - prod(1 - s_i)) * prod(1 - c_j)

where s_i and c_j are the strengths of supporting and contradicting lines. A line is one study: all
evidence that names the same trial or cohort counts once, with its strongest level. Evidence without
a study is a line by its source. Inconclusive evidence is shown and moves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from kg.records import Evidence


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One independent line of evidence: a study, or a source that names none.

    ``share`` is the line's part, in [0, 1], of all support (or all contradiction): its share of the
    sum of -log(1 - strength), the quantity that adds up under a noisy-OR.
    """

    key: str
    label: str
    direction: str
    strength: float
    share: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Confidence:
    """A confidence in [0, 1] with all that it was computed from."""

    value: float
    support: float
    contradiction: float
    lines: tuple[EvidenceLine, ...]

    @property
    def text(self) -> str:
        """The formula with its numbers."""
        return f"{self.support:.3f} support × (1 − {self.contradiction:.3f} contradiction) = {self.value:.3f}"


def line_key(evidence: Evidence) -> str:
    """Return what makes evidence independent of other evidence: its study, else its source."""
    return evidence.study.id if evidence.study else evidence.source.id


def noisy_or(strengths: Iterable[float]) -> float:
    """Return 1 - prod(1 - s)."""
    return 1.0 - math.prod(1.0 - strength for strength in strengths)


def confidence_value(evidence: Iterable[Evidence]) -> float:
    """Return the confidence alone; the same number that ``explain`` explains."""
    evidence = tuple(evidence)
    if len(evidence) == 1:  # as most assertions have: 0.2 µs instead of 2.5
        (only,) = evidence
        return 1.0 - (1.0 - only.level.strength) if only.direction == "SUPPORTS" else 0.0
    best: dict[tuple[str, str], float] = {}
    for item in evidence:
        key = (item.direction, line_key(item))
        best[key] = max(best.get(key, 0.0), item.level.strength)
    support = noisy_or(s for (direction, _), s in best.items() if direction == "SUPPORTS")
    against = noisy_or(s for (direction, _), s in best.items() if direction == "CONTRADICTS")
    return support * (1.0 - against)


def explain(evidence: Iterable[Evidence]) -> Confidence:
    """Return the confidence with each line's strength and share, strongest first."""
    groups: dict[tuple[str, str], list[Evidence]] = {}
    for item in evidence:
        groups.setdefault((item.direction, line_key(item)), []).append(item)
    strengths = {key: max(item.level.strength for item in items) for key, items in groups.items()}
    lines = [
        EvidenceLine(
            key=key,
            label=items[0].study.label if items[0].study else items[0].source.citation,
            direction=direction,
            strength=strengths[direction, key],
            share=_share(direction, key, strengths),
            evidence=tuple(items),
        )
        for (direction, key), items in groups.items()
    ]
    lines.sort(key=lambda line: (line.direction != "SUPPORTS", line.direction, -line.strength, line.key))
    support = noisy_or(line.strength for line in lines if line.direction == "SUPPORTS")
    against = noisy_or(line.strength for line in lines if line.direction == "CONTRADICTS")
    return Confidence(support * (1.0 - against), support, against, tuple(lines))


def _share(direction: str, key: str, strengths: dict[tuple[str, str], float]) -> float:
    if direction == "INCONCLUSIVE":
        return 0.0
    same = {k: s for (d, k), s in strengths.items() if d == direction}
    certain = [k for k, s in same.items() if s >= 1.0]
    if certain:
        return 1.0 / len(certain) if key in certain else 0.0
    weights = {k: -math.log1p(-s) for k, s in same.items()}
    total = sum(weights.values())
    return weights[key] / total if total else 0.0  # a level may have no strength
