"""The ``assertions`` query: every claim, filtered and ordered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from operator import attrgetter
from typing import Any

import strawberry

from kg.choosing import COUNTED, About, chosen, counts
from kg.selection import Facet, counted
from kg.snapshot import Snapshot
from server.graphql.ids import curie_of, cursor
from server.graphql.inputs import asked_of_edges
from server.graphql.members import fill, given, itself, listed, make_enum, member, nullable, plain
from server.graphql.paging import Page, PageArguments, paginate
from server.graphql.request import AS_OF, Request, relation_names
from server.graphql.types import PAGING, Types


def _facets(page: Page, names: Sequence[str], limit: int) -> list[Facet]:
    items: Any = page.items
    return counted(partial(counts, items), COUNTED, names, limit)


def assertions_field(types: Types) -> Any:
    """Return the ``assertions`` query."""
    filter_, order = _assertion_inputs(types)
    edge_members = {
        "cursor": member(
            str, "Position of the assertion, for after and before.", lambda self: cursor(self.subject.graph, self.id)
        ),
        "node": member(types.assertion, "The assertion.", lambda self: self),
    }
    edge = strawberry.type(
        fill(type("AssertionEdge", (), {}), edge_members), name="AssertionEdge", description="An assertion on a page."
    )
    connection = types.connection(
        "AssertionConnection",
        edge,
        types.assertion,
        "A page of assertions.",
        types.counted(tuple(COUNTED), tuple(COUNTED), _facets),
    )

    def assertions(
        self: Request,
        filter: Any = None,
        order_by: Any = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        as_of: date | None = None,
    ) -> Page:
        graph = self.at(as_of)
        orders = [(plain(key.field), plain(key.direction) == "DESC") for key in order_by or ()]
        items = chosen(graph.assertions, _about(graph, filter), orders)
        return paginate(
            graph, items, PageArguments(first, after, last, before), self.settings, key=attrgetter("id"), node=itself
        )

    return member(
        connection,
        "All assertions, those that only evidence against them speaks of included.",
        assertions,
        filter=(nullable(filter_), "Only those that fulfil this."),
        order_by=(nullable(listed(order)), "Sort keys, first key first; by default by subject, relation and object."),
        **PAGING,
        as_of=(date | None, AS_OF),
    )


def _assertion_inputs(types: Types) -> tuple[Any, Any]:
    enums, unset = types.enums, strawberry.UNSET
    ids = list[strawberry.ID]
    fields: dict[str, tuple[Any, str, str]] = {
        "subject": (ids, "subject", "The subject is one of these (global ids or CURIEs)."),
        "relation": (list[str], "relation", "The relation is one of these names."),
        "object": (ids, "object", "The object is one of these (global ids or CURIEs)."),
        "subject_kind": (listed(enums["Kind"]), "subjectKind", "The subject is of one of these kinds."),
        "object_kind": (listed(enums["Kind"]), "objectKind", "The object is of one of these kinds."),
        "source": (ids, "source", "Some evidence rests on one of these sources (CURIE, IRI or DOI)."),
        "study": (ids, "study", "Some evidence comes from one of these studies."),
        "supported": (bool, "supported", "Some evidence supports it (true), or none does (false)."),
        "min_confidence": (float, "minConfidence", "Confidence is at least this."),
        "level": (listed(enums["EvidenceLevel"]), "level", "Some evidence is of one of these levels."),
        "direction": (listed(enums["EvidenceDirection"]), "direction", "Some evidence points one of these ways."),
        "disputed": (bool, "disputed", "Evidence both supports and contradicts it (true), or not (false)."),
    }
    members = {
        attribute: (nullable(type_), strawberry.field(default=unset, name=name, description=said))
        for attribute, (type_, name, said) in fields.items()
    }
    filter_ = strawberry.input(
        fill(type("AssertionFilter", (), {}), members),
        name="AssertionFilter",
        description="Conditions on an assertion; all that are given must hold.",
    )
    keys = make_enum(
        "AssertionOrderField",
        list(ORDERS.items()),
        "What assertions can be sorted by.",
    )
    direction = types.inputs.direction
    order_members = {
        "field": (keys, strawberry.field(description="What to sort by.")),
        "direction": (direction, strawberry.field(default=direction["ASC"], description="Which way to sort.")),
    }
    order = strawberry.input(
        fill(type("AssertionOrder", (), {}), order_members),
        name="AssertionOrder",
        description="A sort key for assertions.",
    )
    return filter_, order


def _about(graph: Snapshot, where: Any) -> About:
    """Return what a filter asks for; raises NotFound for ends and relations that there are not."""

    def names(field: str, name: Callable[[Any], str]) -> frozenset[str] | None:
        values = given(where, field)
        return None if values is None else frozenset(map(name, values))

    return replace(
        asked_of_edges(where),
        subjects=names("subject", lambda id_: graph.entity(curie_of(str(id_))).curie),
        objects=names("object", lambda id_: graph.entity(curie_of(str(id_))).curie),
        subject_kinds=names("subject_kind", plain),
        object_kinds=names("object_kind", plain),
        relations=relation_names(graph, given(where, "relation")),
        sources=names("source", str),
        studies=names("study", lambda id_: curie_of(str(id_))),
        supported=given(where, "supported"),
    )


ORDERS = {
    "CONFIDENCE": "Confidence of the assertion.",
    "LATEST_EVIDENCE": "Day of the newest evidence.",
    "EVIDENCE_COUNT": "Number of pieces of evidence.",
    "SUBJECT": "Name of the subject.",
    "RELATION": "Name of the relation.",
    "OBJECT": "Name of the object.",
}
