"""What speaks against a pair, weightiest first: results, halted trials, doubts about what it rests on, paths, harms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np

from kg.bundles import short_name
from kg.casework import Case, ancestry, edges_of
from kg.findings import Argument, MechanismPath, stated
from kg.metapaths import SUPPORTS
from kg.records import Assertion, Entity, Evidence
from kg.scoring import Known, metagraph

Item = TypeVar("Item")


def arguments(case: Case, known: Known, limit: int) -> tuple[tuple[Argument, ...], int]:
    """Return what speaks against a case, at most ``limit`` of each kind, and how much there is in all."""
    groups: list[tuple[list[Argument], int]] = [
        _counted(_results(known)),
        _counted(_halted(known)),
        _counted(_contradictions(case)),
        _paths_against(case, limit),
        _counted(_harms(case)),
    ]
    shown = tuple(argument for group, _ in groups for argument in group[:limit])
    return shown, sum(total for _, total in groups)


def _counted(items: Iterable[Item]) -> tuple[list[Item], int]:
    found = list(items)
    return found, len(found)


# ---------------------------------------------------------------- the pair itself
def _results(known: Known) -> Iterator[Argument]:
    found = [
        (item, assertion)
        for assertion in known.refuting
        for item in assertion.evidence
        if item.direction == ("SUPPORTS" if assertion.supported else "CONTRADICTS")
    ]
    for item, assertion in sorted(found, key=lambda row: (row[0].level.order, row[1].id, row[0].id)):
        said = stated(assertion)
        text = f"{said} ({cited(item)})" if assertion.supported else f"{cited(item)} contradicts that {said}"
        yield Argument("RESULT", _with_comment(text, item), assertion=assertion, evidence=item)


def _halted(known: Known) -> Iterator[Argument]:
    for study in known.studies:
        field = study.graph.model.kind[study.kind].status_field
        value = getattr(study, field.attribute) if field else None
        if field and value in field.halted_values:
            reason = getattr(study, field.halt_reason) if field.halt_reason else None
            why = f": {reason}" if reason else ", no reason given"
            text = f"{study.label} ({study.curie}), which studies both, is {value.lower().replace('_', ' ')}{why}"
            yield Argument("TRIAL", text, entity=study)


# ---------------------------------------------------------------- what it rests on
def _contradictions(case: Case) -> Iterator[Argument]:
    """Contradicting evidence on the edges that counted paths use, strongest first; those of supporting paths before.

    A contradicted harm or a contradicted failure is no argument against.
    """
    graph = metagraph(case.scenario)
    favourable = {r.name for r in graph.model.relations if r.harm} | graph.opposing
    footing = case.bundle.footing
    doubted = [
        (n, assertion, item)
        for n, assertion in ((n, footing.assertion(n)) for n in footing.contradicted())
        if assertion.relation not in favourable
        for item in assertion.evidence
        if item.direction == "CONTRADICTS"
    ]
    supporting = _supporting(case) if doubted else set()
    found = [
        (int(case.bundle.numbers[n]) not in supporting, item.level.order, assertion.id, item.id, assertion, item)
        for n, assertion, item in doubted
    ]
    for *_, assertion, item in sorted(found, key=lambda row: row[:4]):
        text = f"{cited(item)} contradicts that {stated(assertion)}"
        yield Argument("EVIDENCE", _with_comment(text, item), assertion=assertion, evidence=item)


def _supporting(case: Case) -> set[int]:
    """Numbers of the edges of paths whose sign supports."""
    return {
        number
        for m in case.counted
        if case.table.metapaths[m].stance == SUPPORTS
        for number in np.unique(case.tables[m].edges).tolist()
    }


# ---------------------------------------------------------------- paths
def _paths_against(case: Case, limit: int) -> tuple[list[Argument], int]:
    """Paths that argue against; a test of the pair itself is a result and not repeated as a path."""
    opposed = [m for m in case.opposed if len(case.table.metapaths[m]) > 1]
    total = sum(case.path_counts[m] for m in opposed)
    return [_path_against(path) for path in case.best_paths(opposed, limit)], total


def _path_against(path: MechanismPath) -> Argument:
    why = "by its signs this path argues against" if path.metapath.sign else "this path argues against"
    return Argument("PATH", f"{why}: {path.text}", path=path)


# ---------------------------------------------------------------- harms
def _harms(case: Case) -> Iterator[Argument]:
    """Harms of the subject and of what it is a special case of: the gravest first, then the most frequent; each once."""
    found: dict[str, Argument] = {}
    harms = frozenset(r.name for r in case.scenario.graph.model.relations if r.harm)
    for owner in ancestry(case.scenario, case.subject):
        for assertion in edges_of(case.scenario, owner, harms):
            found.setdefault(assertion.object.curie, _harm(assertion))
    yield from sorted(found.values(), key=_gravity)


def _gravity(harm: Argument) -> tuple[float, float, float, str]:
    frequency = (harm.count or 0) / harm.total if harm.total else 0.0
    confidence = harm.assertion.confidence if harm.assertion else 0.0
    return -_grade(harm.entity), -frequency, -confidence, harm.text


def _grade(harm: Entity | None) -> int:
    """How grave a harm is: the place of its grade among those its kind knows, from 1; 0 where it has none."""
    field = harm.graph.model.kind[harm.kind].grade_field if harm else None
    value = getattr(harm, field.attribute) if field else None
    names = [option.name for option in field.values] if field else []
    return names.index(value) + 1 if value in names else 0


def _harm(assertion: Assertion) -> Argument:
    harm = assertion.object
    measured = [
        item for item in assertion.evidence if item.total and item.count is not None and item.direction == "SUPPORTS"
    ]
    best = max(measured, key=lambda item: (item.total or 0, item.id), default=None)
    field = harm.graph.model.kind[harm.kind].grade_field
    value = getattr(harm, field.attribute) if field else None
    notes = [value.lower().replace("_", "-")] if value else []
    if best:
        notes.append(f"{best.count} of {best.total}")
        notes += [f"grade {best.grade}"] if best.grade else []
    text = stated(assertion) + (f" ({', '.join(notes)})" if notes else "")
    return Argument(
        "RISK", text, harm, assertion, best, count=best.count if best else None, total=best.total if best else None
    )


# ---------------------------------------------------------------- words
def cited(item: Evidence) -> str:
    """Return a source in short, for sentences: “Müller et al. 2024”, or the start of its title where no author is named."""
    year = (item.source.date or item.date)[:4]
    name = short_name(item.source)
    return name if year in name else f"{name} {year}"


def _with_comment(text: str, item: Evidence) -> str:
    return f"{text}: {item.comment}" if item.comment else text
