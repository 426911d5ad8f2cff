"""The type ``GraphDiff``: what a change means, counted in whole and listed a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kg.diff import GraphDiff
from kg.errors import BadInput, LimitExceeded
from server.graphql.members import listed, made_type, member
from server.graphql.paging import check_clock
from server.graphql.request import Request
from server.graphql.types import Types

COUNTS = {
    "entities_added": "Entities that are new.",
    "entities_changed": "Entities of which some field changed.",
    "entities_removed": "Entities that are gone.",
    "assertions_added": "Assertions that are new.",
    "assertions_changed": "Assertions that stood before and got or lost evidence.",
    "assertions_removed": "Assertions of which no evidence is left.",
    "evidence_added": "Pieces of evidence that came to assertions that stood before.",
    "evidence_removed": "Pieces of evidence that assertions lost which still stand.",
    "sources_added": "Sources that are new.",
    "sources_changed": "Sources whose description changed.",
    "sources_removed": "Sources that are gone.",
}


@dataclass(frozen=True, slots=True)
class DiffView:
    """What ``GraphDiff`` reads: the versions may be missing where the change was not made."""

    diff: GraphDiff
    request: Request
    from_version: int | None = None
    to_version: int | None = None


class Diffs:
    """Makes the types of a diff."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self.entity = made_type(
            "DiffEntity",
            "An entity as one of the two versions has it.",
            {
                "curie": member(str, "Compact identifier."),
                "label": member(str, "Name; empty where the entity is not declared."),
                "kind": member(str, "Kind; empty where the entity is not declared."),
            },
        )
        self.assertion_change = self._assertion_change()
        self.type = self._diff()

    def _diff(self) -> Any:
        counts = {name: member(int, said, _count(name)) for name, said in COUNTS.items()}
        counts_type = made_type("DiffCounts", "How much changed.", counts)
        entity_change, assertion_change = self._entity_change(), self.assertion_change
        members = {
            "from_version": member(int | None, "The version that was before."),
            "to_version": member(int | None, "The version that is after; null where the change was not made."),
            "empty": member(bool, "Whether nothing changed that a query could see.", lambda self: not self.diff),
            "counts": member(counts_type, "How much changed.", lambda self: self.diff),
        }
        for name, type_ in (
            ("entities_added", self.entity),
            ("entities_changed", entity_change),
            ("entities_removed", self.entity),
            ("assertions_added", assertion_change),
            ("assertions_changed", assertion_change),
            ("assertions_removed", assertion_change),
        ):
            members[name] = self._page(name, type_)
        said = "How one version of the graph differs from another, in the terms of a curator."
        return made_type("GraphDiff", said, members)

    @staticmethod
    def _page(name: str, type_: Any) -> Any:
        def page(self: DiffView, first: int = 25, skip: int = 0) -> Sequence[Any]:
            return cut(getattr(self.diff, name), first, skip, self.request)

        first, skip = (int, "Return at most this many."), (int, "Leave out this many before them.")
        return member(listed(type_), COUNTS[name], page, first=first, skip=skip)

    def _entity_change(self) -> Any:
        field = {
            "name": member(str, "Name of the field in the API."),
            "before": member(list[str], "Its values before, as text.", lambda self: list(self.before)),
            "after": member(list[str], "Its values after, as text.", lambda self: list(self.after)),
        }
        field_type = made_type("FieldChange", "A field before and after.", field)
        members = {
            "entity": member(self.entity, "The entity."),
            "fields": member(listed(field_type), "The fields that changed.", lambda self: list(self.fields)),
        }
        return made_type("EntityChange", "How an entity changed.", members)

    def _assertion_change(self) -> Any:
        evidence = listed(self.types.evidence)
        members = {
            "id": member(str, "CURIE of the assertion."),
            "subject": member(self.entity, "What the assertion is about."),
            "relation": member(str, "Name of the relation."),
            "object": member(self.entity, "What the subject is related to."),
            "text": member(str, "The claim in one line."),
            "evidence_added": member(evidence, "Evidence that came.", lambda self: list(self.evidence_added)),
            "evidence_removed": member(evidence, "Evidence that went.", lambda self: list(self.evidence_removed)),
            "confidence_before": member(float | None, "Confidence before; null where it did not stand."),
            "confidence_after": member(float | None, "Confidence after; null where it does not stand."),
        }
        return made_type("AssertionChange", "How an assertion changed.", members)


def cut(items: Sequence[Any], first: int, skip: int, request: Request) -> Sequence[Any]:
    """Return a page of a list; raises BadInput or LimitExceeded for a page that cannot be had."""
    check_clock()
    for name, value in (("first", first), ("skip", skip)):
        if value < 0:
            raise BadInput(f"The argument {name} is {value}; it must be 0 or more.")
    most = request.settings.max_page_size
    if first > most:
        raise LimitExceeded("max_page_size", most, first, "Ask for fewer with first and go on with skip.")
    return list(items[skip : skip + first])


def _count(name: str) -> Callable[[Any], int]:
    def count(self: GraphDiff) -> int:
        return self.counts.get(name, 0)

    return count
