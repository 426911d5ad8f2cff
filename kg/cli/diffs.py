"""How a graph diff is shown on a terminal: counted, grouped, and as many lines as asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from rich.console import Console
from rich.text import Text

from kg.diff import AssertionChange, EntityChange, EntityRef, GraphDiff

SHOWN = 12  # lines of one group that are shown unless all are asked for
SIGNS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}


def show_diff(diff: GraphDiff, *, every: bool = False, console: Console | None = None) -> None:
    """Print a diff: a line of counts, then each group with its lines."""
    console = console or Console(highlight=False, soft_wrap=True)
    console.print(summary(diff))
    for noun, kind_of, lines_of in (("entities", _kind, _entity), ("assertions", _relation, _assertion)):
        for verb, (sign, colour) in SIGNS.items():
            for kind, group in sorted(_groups(getattr(diff, f"{noun}_{verb}"), kind_of, every=every).items()):
                console.print(Text.assemble((f"{sign} {group.count:,} ", colour), (kind, "bold"), f" {noun} {verb}"))
                lines = list(chain.from_iterable(map(lines_of, group.shown)))
                show_lines(console, lines, verb, group.lines, every=every)
    for key, count in diff.counts.items():
        unlisted = count - len(getattr(diff, key, ()))
        if unlisted and key.startswith(("entities", "assertions")):
            console.print(
                f"… and {unlisted:,} more {key.replace('_', ' ')} that the service did not list", markup=False
            )


@dataclass
class _Group:
    """Changes of one kind: how many they are, how many lines tell of them, and those that may be shown."""

    count: int = 0
    lines: int = 0
    shown: list[Any] = field(default_factory=list)


def _groups(items: Iterable[Any], kind_of: Callable[[Any], str], *, every: bool) -> dict[str, _Group]:
    found: dict[str, _Group] = defaultdict(_Group)
    for item in items:  # which may be made while they are gone through: of a bulk load few are kept
        group = found[kind_of(item)]
        group.count += 1
        group.lines += _length(item)
        if every or group.count <= SHOWN + 1:
            group.shown.append(item)
    return found


def show_lines(console: Console, lines: Sequence[str], verb: str, total: int, *, every: bool) -> None:
    """Print as many lines as asked for, with the sign and colour of what was done, and how many more there are."""
    sign, colour = SIGNS[verb]
    shown = lines if every else lines[:SHOWN]
    for line in shown:
        console.print(f"    {sign} {line}", style=colour, markup=False)
    if total > len(shown):
        how = "; --all shows them" if len(lines) > len(shown) else ""
        console.print(f"    … and {total - len(shown):,} more lines{how}", markup=False)


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


def _kind(item: EntityRef | EntityChange) -> str:
    return item.entity.kind if isinstance(item, EntityChange) else item.kind


def _relation(change: AssertionChange) -> str:
    return change.relation


def _length(item: EntityRef | EntityChange | AssertionChange) -> int:
    """Return how many lines tell of an item."""
    if isinstance(item, AssertionChange):
        return 1 + len(item.evidence_added) + len(item.evidence_removed)
    return 1 + len(item.fields) if isinstance(item, EntityChange) else 1


def _entity(item: EntityRef | EntityChange) -> Iterator[str]:
    entity = item.entity if isinstance(item, EntityChange) else item
    yield f"{entity.curie} {entity.label}"
    for change in item.fields if isinstance(item, EntityChange) else ():
        yield f"    {change.name}: {', '.join(change.before) or '(none)'} → {', '.join(change.after) or '(none)'}"


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
