"""The type ``ChangeImpact``: what a change moves in confidences and hypotheses, counted in whole and listed a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kg.impact import HypothesisMove, Impact
from server.graphql.diffs import Diffs, cut
from server.graphql.members import listed, made_type, member, nullable
from server.graphql.request import Request

PARTS = {
    "moved": "Hypotheses before and after whose rank or score differs.",
    "entered": "Hypotheses that were none before.",
    "left": "Hypotheses that are none any more; statusAfter says what they became.",
}


@dataclass(frozen=True, slots=True)
class ImpactView:
    """What ``ChangeImpact`` reads."""

    impact: Impact
    request: Request


def impact_type(diffs: Diffs, status: Any) -> Any:
    """Return the type ``ChangeImpact``; ``status`` is the type of what the graph says of a pair."""

    def confidences(self: ImpactView, first: int = 10, skip: int = 0) -> Sequence[Any]:
        return cut(self.impact.confidences, first, skip, self.request)

    page: dict[str, Any] = {
        "first": (int, "Return at most this many."),
        "skip": (int, "Leave out this many before them."),
    }
    said = "Assertions that stand before and after with another confidence, the largest change first."
    members = {
        "confidences": member(listed(diffs.assertion_change), said, confidences, **page),
        "confidences_total": member(int, "How many those are.", lambda self: self.impact.confidences_total),
        "hypotheses": member(_moves_type(_move_type(diffs, status), page), "Hypotheses that move.", lambda self: self),
    }
    return made_type("ChangeImpact", "What a change moves in what the graph suggests.", members)


def _moves_type(move: Any, page: dict[str, Any]) -> Any:
    members: dict[str, Any] = {}
    for name, said in PARTS.items():
        members[name] = member(listed(move), f"{said} The largest change of score first.", _part(name), **page)
        members[f"{name}_total"] = member(int, "How many those are.", _count(name))
    members |= {
        "ranks_changed": member(int, "How many of the moved have another rank.", _count("ranks_changed")),
        "compared": member(int, "Pairs that were compared.", lambda self: self.impact.hypotheses.compared),
        "pairs": member(int, "Pairs that there are.", lambda self: self.impact.hypotheses.pairs),
        "left_out": member(
            str | None,
            "Why not all pairs were compared; null where all were.",
            lambda self: self.impact.hypotheses.left_out,
        ),
    }
    return made_type("HypothesisMoves", "The hypotheses that a change moves.", members)


def _part(name: str) -> Any:
    def part(self: ImpactView, first: int = 10, skip: int = 0) -> Sequence[HypothesisMove]:
        return cut(getattr(self.impact.hypotheses, name), first, skip, self.request)

    return part


def _count(name: str) -> Any:
    return lambda self: self.impact.hypotheses.counts.get(name, 0)


def _move_type(diffs: Diffs, status: Any) -> Any:
    members: dict[str, Any] = {
        "subject": member(diffs.entity, "What the hypothesis is about."),
        "object": member(diffs.entity, "What it is about it."),
    }
    for side in ("before", "after"):
        members |= {
            f"rank_{side}": member(
                int | None, f"Rank {side} among the subject's hypotheses; null where it is none.", _of(side, "rank")
            ),
            f"score_{side}": member(
                float | None, f"Score {side}; null where an end is not in the graph.", _of(side, "score")
            ),
            f"status_{side}": member(
                nullable(status),
                f"What the graph says of the pair {side}; null where an end is not in it.",
                _of(side, "status"),
            ),
        }
    return made_type("HypothesisMove", "How a change moves a hypothesis.", members)


def _of(side: str, name: str) -> Any:
    return lambda self: getattr(getattr(self, side), name, None)
