"""How a graph diff is shown on a terminal: counted, grouped, and as many lines as asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from kg.diff import AssertionChange, EntityChange, EntityRef, GraphDiff, grouped

SHOWN = 12  # lines of one group that are shown unless all are asked for
SIGNS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}


def show_diff(diff: GraphDiff, *, every: bool = False, console: Console | None = None) -> None:
    """Print a diff: a line of counts, then each group with its lines."""
    console = console or Console(highlight=False, soft_wrap=True)
    console.print(summary(diff))
    for what, kind, count in grouped(diff):
        noun, _, verb = what.partition(" ")
        sign, colour = SIGNS[verb]
        console.print(Text.assemble((f"{sign} {count:,} ", colour), (kind, "bold"), f" {noun} {verb}"))
        lines = list(_lines(diff, noun, verb, kind))
        show_lines(console, lines, verb, len(lines), every=every)
    for key, count in diff.counts.items():
        unlisted = count - len(getattr(diff, key, ()))
        if unlisted and key.startswith(("entities", "assertions")):
            console.print(
                f"… and {unlisted:,} more {key.replace('_', ' ')} that the service did not list", markup=False
            )


def show_lines(console: Console, lines: Sequence[str], verb: str, total: int, *, every: bool) -> None:
    """Print as many lines as asked for, with the sign and colour of what was done, and how many more there are."""
    sign, colour = SIGNS[verb]
    shown = lines if every else lines[:SHOWN]
    for line in shown:
        console.print(f"    {sign} {line}", style=colour, markup=False)
    if total > len(shown):
        how = "; --all shows them" if len(lines) > len(shown) else ""
        console.print(f"    … and {total - len(shown):,} more{how}", markup=False)


def summary(diff: GraphDiff) -> str:
    """Return the counts of a diff in one sentence."""
    counts = diff.counts
    parts = []
    for noun in ("entities", "assertions", "sources"):
        told = [f"{counts[key]:,} {verb}" for verb in SIGNS if (key := f"{noun}_{verb}") and counts.get(key)]
        parts += [f"{noun}: {', '.join(told)}"] if told else []
    came, went = counts.get("evidence_added", 0), counts.get("evidence_removed", 0)
    if came or went:
        told = [f"{came:,} added"] * bool(came) + [f"{went:,} removed"] * bool(went)
        parts.append(f"evidence of existing assertions: {', '.join(told)}")
    return "; ".join(parts) or "nothing that a query could see"


def _lines(diff: GraphDiff, noun: str, verb: str, kind: str) -> Iterator[str]:
    items: Iterable[Any] = getattr(diff, f"{noun}_{verb}")
    for item in items:
        if noun == "assertions":
            if item.relation == kind:
                yield from _assertion(item)
        elif getattr(item, "entity", item).kind == kind:
            yield _entity(getattr(item, "entity", item))
            for change in getattr(item, "fields", ()):
                yield f"    {change.name}: {', '.join(change.before) or '(none)'} → {', '.join(change.after) or '(none)'}"


def _entity(entity: EntityRef) -> str:
    return f"{entity.curie} {entity.label}"


def _assertion(change: AssertionChange) -> Iterator[str]:
    numbers = [f"{n:.2f}" for n in (change.confidence_before, change.confidence_after) if n is not None]
    yield f"{change.text} (confidence {' → '.join(numbers)})"
    for sign, items in (("+", change.evidence_added), ("-", change.evidence_removed)):
        for e in items:
            yield f"    {sign} {e.direction.lower()} {e.level.name} {e.date} {e.source.citation[:70]}"


def as_json(diff: GraphDiff) -> dict[str, Any]:
    """Return a diff for JSON: counts, and each item by its identifiers."""
    return {
        "counts": dict(diff.counts),
        **{f"entities_{v}": list(map(_entity_json, getattr(diff, f"entities_{v}"))) for v in SIGNS},
        **{f"assertions_{v}": list(map(assertion_json, getattr(diff, f"assertions_{v}"))) for v in SIGNS},
    }


def assertion_json(change: AssertionChange) -> dict[str, Any]:
    """Return how an assertion changed, for JSON."""
    return {
        "id": change.id,
        "subject": change.subject.curie,
        "relation": change.relation,
        "object": change.object.curie,
        "confidence": [change.confidence_before, change.confidence_after],
        "evidenceAdded": [e.id for e in change.evidence_added],
        "evidenceRemoved": [e.id for e in change.evidence_removed],
    }


def _entity_json(item: EntityRef | EntityChange) -> dict[str, Any]:
    if isinstance(item, EntityRef):
        return {"curie": item.curie, "label": item.label, "kind": item.kind}
    return {**_entity_json(item.entity), "fields": {f.name: [list(f.before), list(f.after)] for f in item.fields}}
