"""The columns of the next version out of those of the last and the part that a change has touched.

A change of ten assertions on Hetionet's 765,796 costs what copying the columns does; everything that it did not touch
is shared. What comes out equals the columns of the whole graph read anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from kg.columns import (
    NOTHING,
    Bools,
    Columns,
    EntitySpecs,
    EvidenceWriter,
    Numbers,
    grown,
    inserted,
    moved_by,
    names_of,
    numbered,
    starts_with_more,
)
from kg.evidence import confidence_value
from kg.projection import Claim, EntitySpec, Projection, entity_order
from kg.records import Source, Study

Thing = TypeVar("Thing", Source, Study)
WASTE = 2  # rows of evidence and of names are packed anew once there are more than so many for each that is in use


def advanced(columns: Columns, before: Projection, after: Projection) -> Columns | None:
    """Return the columns after a change, from the projections of what stood around it before and after (``kg.diff.around``).

    Returns None for the rare change that cannot be told from its surroundings: of what is known of a study.
    """
    if _studies_changed(columns, before, after):
        return None
    columns = _with_sources(columns, before, after)
    columns = _with_entities(columns, before, after)
    old, new = ({claim.id: claim for claim in part.claims} for part in (before, after))
    gone = [claim for id_, claim in old.items() if new.get(id_) != claim]
    came = sorted(
        (claim for id_, claim in new.items() if old.get(id_) != claim),
        key=lambda claim: (claim.subject, claim.relation, claim.object),
    )
    return _packed(_with_claims(_without_claims(columns, gone), came))


# ------------------------------------------------------------------ studies and sources
def _studies_changed(columns: Columns, before: Projection, after: Projection) -> bool:
    known = {study.id: study for study in columns.studies}
    old, new = before.by_curie, after.by_curie
    return (
        any(after.studies.get(iri) != study for iri, study in before.studies.items())
        or any(known.get(study.id, study) != study for study in after.studies.values())
        or any(old.get(curie) != new.get(curie) for curie in known.keys() & (old.keys() | new.keys()))
    )


def _with_sources(columns: Columns, before: Projection, after: Projection) -> Columns:
    gone = {source.id for iri, source in before.sources.items() if iri not in after.sources}
    sources = _merged(columns.sources, after.sources, gone)
    studies = _merged(columns.studies, after.studies, set())
    evidence = columns.evidence
    if sources != columns.sources or studies != columns.studies:
        evidence = replace(
            evidence,
            sources=_renumbered(evidence.sources, columns.sources, sources),
            studies=_renumbered(evidence.studies, columns.studies, studies),
        )
    return columns.following(sources=sources, studies=studies, evidence=evidence)


def _merged(known: Sequence[Thing], now: Mapping[str, Thing], gone: set[str]) -> tuple[Thing, ...]:
    things = {thing.id: thing for thing in known if thing.id not in gone}
    things.update((thing.id, thing) for thing in now.values())
    return tuple(sorted(things.values(), key=lambda thing: thing.iri))


def _renumbered(numbers: Numbers, old: Sequence[Source | Study], new: Sequence[Source | Study]) -> Numbers:
    place = {thing.id: i for i, thing in enumerate(new)}
    moved = np.array([*(place.get(thing.id, NOTHING) for thing in old), NOTHING], np.int32)  # the last is for NOTHING
    found: Numbers = moved[numbers]
    return found


# ------------------------------------------------------------------ entities
def _with_entities(columns: Columns, before: Projection, after: Projection) -> Columns:
    old, new = before.by_curie, after.by_curie
    gone = old.keys() - new.keys()
    changed = {curie: spec for curie, spec in new.items() if old.get(curie) != spec}
    if not gone and not changed:
        return columns
    if not gone and all(c in old and entity_order(old[c]) == entity_order(spec) for c, spec in changed.items()):
        stay = list(columns.entities)
        for curie, spec in changed.items():
            stay[columns.number[curie]] = spec
        return columns.following(entities=EntitySpecs(stay))
    return _moved(columns, gone | changed.keys(), changed)


def _moved(columns: Columns, gone: set[str], came: Mapping[str, EntitySpec]) -> Columns:
    """Return the columns with entities taken out and put in; assertions about those that are not put in again go."""
    stay = [spec for spec, curie in zip(columns.entities, columns.curies, strict=True) if curie not in gone]
    entities = EntitySpecs(sorted([*stay, *came.values()], key=entity_order))
    number = entities.number
    moved = np.array([number.get(curie, NOTHING) for curie in columns.curies], np.int32)
    columns = columns.where((moved[columns.subjects] != NOTHING) & (moved[columns.objects] != NOTHING))
    return columns.following(entities=entities, subjects=moved[columns.subjects], objects=moved[columns.objects])


# ------------------------------------------------------------------ assertions
def _without_claims(columns: Columns, gone: Sequence[Claim]) -> Columns:
    if not gone:
        return columns
    keep: Bools = np.ones(len(columns), np.bool_)
    for claim in gone:
        position = columns.place(claim.subject, claim.relation, claim.object)
        if position < len(columns) and columns.id(position) == claim.id:
            keep[position] = False
    return columns.where(keep)


def _with_claims(columns: Columns, came: Sequence[Claim]) -> Columns:
    if not came:
        return columns
    writer = EvidenceWriter(columns.model, columns.sources, columns.studies, len(columns.details))
    fresh = writer.columns(item for claim in came for item in claim.evidence)
    ids = names_of(claim.id for claim in came)
    places = np.array([columns.place(claim.subject, claim.relation, claim.object) for claim in came], np.int64)
    counts = np.array([len(claim.evidence) for claim in came], np.int64)
    number, relation = columns.number, numbered(columns.model.relations)
    fresh_places = places + np.arange(len(came))
    moved = moved_by(places, len(columns))
    first = np.argsort(ids, kind="stable")
    among = np.array([columns.rank(bytes(ids[i])) for i in first], np.int64)
    room, names = grown(columns.room, columns.names, ids)
    supports = np.array([any(item.direction == "SUPPORTS" for item in claim.evidence) for claim in came])
    return columns.following(
        lambda supported: inserted(supported, places, supports),
        details=columns.details.with_more(writer.details),
        evidence=columns.evidence.with_more(fresh),
        names=names,
        room=room,
        named=inserted(columns.named, places, len(columns.names) + np.arange(len(came))),
        subjects=inserted(columns.subjects, places, np.array([number[claim.subject] for claim in came])),
        relations=inserted(columns.relations, places, np.array([relation[claim.relation] for claim in came])),
        objects=inserted(columns.objects, places, np.array([number[claim.object] for claim in came])),
        confidences=inserted(
            columns.confidences, places, np.array([confidence_value(claim.evidence) for claim in came])
        ),
        starts=starts_with_more(columns.starts, places, counts),
        rows=inserted(
            columns.rows, np.repeat(columns.starts[places], counts), len(columns.evidence) + np.arange(len(fresh))
        ),
        by_id=inserted(moved.take(columns.by_id, mode="clip"), among, fresh_places[first]),  # clipped is not checked
    )


def _packed(columns: Columns) -> Columns:
    """Return the columns without the evidence and the names that are no longer in use, once there is much of them."""
    if len(columns.evidence) > WASTE * len(columns.rows):
        columns = columns.following(
            evidence=columns.evidence.at(columns.rows), rows=np.arange(len(columns.rows), dtype=np.int32)
        )
    if len(columns.names) > WASTE * len(columns):
        named = np.arange(len(columns), dtype=np.int32)
        columns = columns.following(names=columns.names[columns.named], named=named, room=None)
    return columns
