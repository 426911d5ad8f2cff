"""Names of the model that people write, and what to say when one is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from rapidfuzz import fuzz, process

from kg.errors import NearMatch, NotFound
from kg.model import EvidenceLevel, Kind, Model, Relation

Thing = TypeVar("Thing")


class Reading(NamedTuple):
    """A relation and the way it is read: ``reversed`` under its inverse name, from object to subject."""

    relation: Relation
    reversed: bool


def near_names(name: str, names: Iterable[str], limit: int = 3) -> list[NearMatch]:
    """Return the names that a misspelt one may have been meant to be, nearest first."""
    found = process.extract(name, list(names), scorer=fuzz.WRatio, limit=limit, score_cutoff=60)
    return [NearMatch(match, "") for match, _, _ in found]


def relation_named(model: Model, name: str) -> Reading:
    """Return the relation with this name or inverse name; raises NotFound with near matches."""
    if name in model.relation:
        return Reading(model.relation[name], False)
    for relation in model.relations:
        if relation.inverse == name:
            return Reading(relation, True)
    names = [known for relation in model.relations for known in (relation.name, relation.inverse)]
    raise NotFound("relation", name, near_names(name, names), f"Relations are {', '.join(model.relation)}.")


def kind_named(model: Model, name: str) -> Kind:
    """Return the kind with this name; raises NotFound with near matches."""
    return _named("kind", model.kind, name)


def level_named(model: Model, name: str) -> EvidenceLevel:
    """Return the evidence level with this name; raises NotFound with near matches."""
    return _named("evidence level", model.level, name)


def _named(what: str, things: Mapping[str, Thing], name: str) -> Thing:
    if name not in things:
        raise NotFound(what, name, near_names(name, things), f"There are {', '.join(things)}.")
    return things[name]
