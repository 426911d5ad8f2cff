"""Names as people type them on the command line, turned into what the library takes."""

from __future__ import annotations

import re

from kg.errors import BadInput
from kg.lookup import relation_named
from kg.overlay import Assumption
from kg.records import Entity
from kg.search import normalise
from kg.snapshot import Snapshot

CONFIDENCE = re.compile(r"(?P<claim>.*?)\s*=\s*(?P<confidence>[\d.]+)\s*")


def entity_named(graph: Snapshot, name: str) -> Entity:
    """Return the entity with an identifier, else with exactly this label, else with exactly this synonym.

    Raises NotFound, with near matches, where there is none, and BadInput where there are several.
    """
    found = graph.find(name)
    if found is not None:
        return found
    hits = [hit for hit in graph.search(name, limit=100) if hit.tier == "exact"]
    labelled = [hit for hit in hits if normalise(hit.entity.label) == normalise(name)]
    several = [hit.entity for hit in labelled or hits]
    if len(several) > 1:
        known = ", ".join(f"{entity.curie} ({entity.kind}, {entity.label})" for entity in several)
        raise BadInput(f"{name!r} is the name of several things: {known}. Give the identifier of one.")
    return several[0] if several else graph.entity(name)


def assumption_said(graph: Snapshot, text: str) -> Assumption:
    """Return the assumption that a text such as “CD19 expressedOn plasma cell = 0.7” says; raises BadInput for none."""
    match = CONFIDENCE.fullmatch(text)
    claim = match["claim"] if match else text
    words = claim.split()
    names = {name for relation in graph.model.relations for name in (relation.name, relation.inverse)}
    places = [i for i, word in enumerate(words) if word in names and 0 < i < len(words) - 1]
    if not places and len(words) == 3:
        relation_named(graph.model, words[1])  # says which relations there are
    if len(places) != 1:
        raise BadInput(
            f"{text!r} says no assumption; write SUBJECT RELATION OBJECT or SUBJECT RELATION OBJECT=CONFIDENCE, "
            "as in “CD19 expressedOn plasma cell=0.7”."
        )
    subject, object_ = " ".join(words[: places[0]]), " ".join(words[places[0] + 1 :])
    try:
        confidence = float(match["confidence"]) if match else 1.0
    except ValueError as error:
        raise BadInput(f"The confidence in {text!r} is no number from 0 to 1.") from error
    ends = entity_named(graph, subject).curie, entity_named(graph, object_).curie
    return Assumption(ends[0], words[places[0]], ends[1], confidence)


def thing_named(graph: Snapshot, name: str) -> str:
    """Return a name for ``without``: of an entity by any of its names, else as it is."""
    hits = [hit for hit in graph.search(name, limit=2) if hit.tier == "exact"]
    return hits[0].entity.curie if len(hits) == 1 and graph.find(name) is None else name
