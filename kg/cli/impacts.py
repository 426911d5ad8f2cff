"""How the impact of a change is shown: which confidences, hypotheses and ranks it moves."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from kg.cli.diffs import assertion_json, show_lines
from kg.findings import ASSERTED, IN_TRIAL
from kg.impact import HypothesisMove, Impact, Standing

VERBS = {"moved": "changed", "entered": "added", "left": "removed"}


def show_impact(impact: Impact, *, every: bool = False, console: Console | None = None) -> None:
    """Print what a change moves, and why not all was compared where it was not."""
    console = console or Console(highlight=False, soft_wrap=True)
    moves = impact.hypotheses
    if impact.confidences_total:
        console.print(f"Confidences it moves: {impact.confidences_total:,}")
        lines = [
            f"{c.text}: {c.confidence_before or 0:.2f} → {c.confidence_after or 0:.2f}" for c in impact.confidences
        ]
        show_lines(console, lines, "changed", impact.confidences_total, every=every)
    if any(moves.counts.values()):
        ranks, came, went = (moves.counts.get(name, 0) for name in ("ranks_changed", "entered", "left"))
        console.print(f"Hypotheses it moves: {ranks:,} change rank, {came:,} come, {went:,} go")
        for part, verb in VERBS.items():
            show_lines(console, list(map(_line, getattr(moves, part))), verb, moves.counts.get(part, 0), every=every)
    elif moves.compared:
        console.print(f"Hypotheses it moves: none of {moves.compared:,} pairs")
    if moves.left_out:
        console.print(moves.left_out, markup=False)


def _line(move: HypothesisMove) -> str:
    pair = f"{move.subject.label} → {move.object.label}"
    before, after = move.before, move.after
    if before and after and before.rank and after.rank:
        return f"{pair}: rank {before.rank} → {after.rank}, score {before.score:.2f} → {after.score:.2f}"
    if after and after.rank:
        return f"{pair}: comes at rank {after.rank}, score {after.score:.2f}; before: {_unranked(before)}"
    rank, score = (before.rank, before.score) if before else (None, 0.0)
    return f"{pair}: goes from rank {rank}, score {score:.2f}; after: {_unranked(after)}"


def _unranked(standing: Standing | None) -> str:
    """Why a pair is no hypothesis."""
    if standing is None:
        return "not in the graph"
    return {ASSERTED: "asserted", IN_TRIAL: "in trial"}.get(standing.status, "no path leads there")


def impact_json(impact: Impact) -> dict[str, Any]:
    """Return an impact for JSON."""
    moves = impact.hypotheses
    return {
        "confidencesTotal": impact.confidences_total,
        "confidences": list(map(assertion_json, impact.confidences)),
        "hypotheses": {
            "counts": dict(moves.counts),
            **{part: list(map(_move_json, getattr(moves, part))) for part in VERBS},
            "compared": moves.compared,
            "pairs": moves.pairs,
            "leftOut": moves.left_out,
        },
    }


def _move_json(move: HypothesisMove) -> dict[str, Any]:
    found: dict[str, Any] = {"subject": move.subject.curie, "object": move.object.curie}
    for side in ("before", "after"):
        standing: Standing | None = getattr(move, side)
        found[side] = standing and {"status": standing.status, "score": standing.score, "rank": standing.rank}
    return found
