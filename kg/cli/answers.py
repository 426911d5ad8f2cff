"""What a service answers in JSON, as the records that the commands show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from kg.changes import ChangeSet
from kg.cli.diffs import SIGNS
from kg.cli.outcomes import Made
from kg.diagnostics import Diagnostic
from kg.diff import AssertionChange, EntityChange, EntityRef, FieldChange, GraphDiff
from kg.impact import HypothesisMove, HypothesisMoves, Impact, Standing

LISTED = 100  # items of each part of a diff or an impact that are asked for
_ENTITY = "{ curie label kind }"
_EVIDENCE = "{ id direction level date source { citation } }"
_ASSERTION = (
    f"id subject {_ENTITY} relation object {_ENTITY} confidenceBefore confidenceAfter "
    f"evidenceAdded {_EVIDENCE} evidenceRemoved {_EVIDENCE}"
)
_PARTS = {
    "entitiesAdded": "curie label kind",
    "entitiesChanged": f"entity {_ENTITY} fields {{ name before after }}",
    "entitiesRemoved": "curie label kind",
    "assertionsAdded": _ASSERTION,
    "assertionsChanged": _ASSERTION,
    "assertionsRemoved": _ASSERTION,
}
_COUNTS = [f"{noun}{verb.capitalize()}" for noun in ("entities", "assertions", "sources") for verb in SIGNS]
_MOVE = f"subject {_ENTITY} object {_ENTITY} rankBefore rankAfter scoreBefore scoreAfter statusBefore statusAfter"
DIAGNOSTICS = "diagnostics { severity code message hint source line column subject }"
CHANGE_SET = "version time author message reverts clientChangeId added removed sources { name sha256 }"


def diff_fields() -> str:
    """Return the GraphQL fields of a diff that are read here, a page of each part."""
    counts = f"counts {{ {' '.join(_COUNTS)} evidenceAdded evidenceRemoved }}"
    return f"{counts} {' '.join(f'{name}(first: {LISTED}) {{ {fields} }}' for name, fields in _PARTS.items())}"


def impact_fields() -> str:
    """Return the GraphQL fields of an impact that are read here, a page of each part."""
    parts = " ".join(f"{name}(first: {LISTED}) {{ {_MOVE} }}" for name in ("moved", "entered", "left"))
    return (
        f"confidences(first: {LISTED}) {{ {_ASSERTION} }} confidencesTotal hypotheses {{ {parts} "
        "movedTotal ranksChanged enteredTotal leftTotal compared pairs leftOut }"
    )


def payload_fields(*, dry_run: bool) -> str:
    """Return the GraphQL fields of the payload of a mutation that are read here."""
    return f"""
  ok version {{ number }} changeSet {{ version added removed }} {DIAGNOSTICS}
  diff {{ {diff_fields()} }} {f"impact {{ {impact_fields()} }}" if dry_run else ""}
"""


def made(payload: Mapping[str, Any]) -> Made:
    """Return what a mutation's payload says."""
    change, diff, impact = payload["changeSet"], payload["diff"], payload.get("impact")
    return Made(
        payload["version"]["number"],
        change and change["version"],
        change and (change["added"], change["removed"]),
        diff_said(diff) if diff else GraphDiff(),
        _impact(impact) if impact else None,
        [diagnostic(row) for row in payload["diagnostics"]],
    )


def change_set(row: Mapping[str, Any]) -> ChangeSet:
    """Return a change set."""
    return ChangeSet(
        row["version"],
        datetime.fromisoformat(row["time"]),
        row["author"],
        row["message"],
        row["added"],
        row["removed"],
        {source["name"]: source["sha256"] or "" for source in row["sources"]},
        row["clientChangeId"],
        row["reverts"],
    )


def diagnostic(row: Mapping[str, Any]) -> Diagnostic:
    """Return a finding."""
    return Diagnostic(
        row["severity"].lower(),
        row["code"],
        row["message"],
        row["source"],
        row["line"],
        row["column"],
        row["hint"] or "",
        row["subject"] or "",
    )


def diff_said(row: Mapping[str, Any]) -> GraphDiff:
    """Return a diff, as much of it as was asked for."""
    readers: dict[str, Any] = {"entitiesAdded": _entity, "entitiesRemoved": _entity, "entitiesChanged": _entity_change}
    parts: dict[str, Any] = {_snake(n): tuple(map(readers.get(n, _assertion), row[n])) for n in _PARTS}
    return GraphDiff(**parts, counts={_snake(name): count for name, count in row["counts"].items()})


def _snake(name: str) -> str:
    return "".join("_" + char.lower() if char.isupper() else char for char in name)


def _entity(row: Mapping[str, Any]) -> EntityRef:
    return EntityRef(row["curie"], row["label"], row["kind"])


def _entity_change(row: Mapping[str, Any]) -> EntityChange:
    fields = tuple(FieldChange(f["name"], tuple(f["before"]), tuple(f["after"])) for f in row["fields"])
    return EntityChange(_entity(row["entity"]), fields)


def _assertion(row: Mapping[str, Any]) -> AssertionChange:
    return AssertionChange(
        row["id"],
        _entity(row["subject"]),
        row["relation"],
        _entity(row["object"]),
        tuple(map(_evidence, row["evidenceAdded"])),
        tuple(map(_evidence, row["evidenceRemoved"])),
        row["confidenceBefore"],
        row["confidenceAfter"],
    )


def _evidence(row: Mapping[str, Any]) -> Any:
    """Return as much of a piece of evidence as a diff shows."""
    source = SimpleNamespace(citation=row["source"]["citation"] or "")
    level = SimpleNamespace(name=row["level"])
    return SimpleNamespace(id=row["id"], direction=row["direction"], level=level, date=row["date"], source=source)


def _impact(row: Mapping[str, Any]) -> Impact:
    moves = row["hypotheses"]
    parts: dict[str, Any] = {name: tuple(map(_move, moves[name])) for name in ("moved", "entered", "left")}
    counts = {name: moves[f"{name}Total"] for name in parts} | {"ranks_changed": moves["ranksChanged"]}
    found = HypothesisMoves(
        **parts, counts=counts, compared=moves["compared"], pairs=moves["pairs"], left_out=moves["leftOut"]
    )
    return Impact(tuple(map(_assertion, row["confidences"])), row["confidencesTotal"], found)


def _move(row: Mapping[str, Any]) -> HypothesisMove:
    before, after = (_standing(row, side) for side in ("Before", "After"))
    return HypothesisMove(_entity(row["subject"]), _entity(row["object"]), before, after)


def _standing(row: Mapping[str, Any], side: str) -> Standing | None:
    status, score = row[f"status{side}"], row[f"score{side}"]
    return None if status is None else Standing(status, score, row[f"rank{side}"])
