"""The ``assertions`` query: every claim, filtered and ordered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from operator import attrgetter
from typing import Any

import strawberry

from kg.selection import Getter, all_of
from kg.snapshot import Snapshot
from server.graphql.ids import curie_of, cursor
from server.graphql.members import fill, given, itself, listed, make_enum, member, nullable, plain
from server.graphql.paging import Page, PageArguments, paginate
from server.graphql.request import AS_OF, Request, relation_names
from server.graphql.types import EVIDENCE_FACETS, PAGING, Types

FACETS: dict[str, Getter] = {
    "relation": attrgetter("relation"),
    "subjectKind": attrgetter("subject.kind"),
    "objectKind": attrgetter("object.kind"),
    **EVIDENCE_FACETS,
}


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
        "AssertionConnection", edge, types.assertion, "A page of assertions.", types.facets(FACETS, tuple(FACETS))
    )
    inputs, keys = types.inputs, _assertion_keys()

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
        conditions = [
            c for c in (inputs.edge_condition("Entity", filter), *_assertion_conditions(graph, filter)) if c is not None
        ]
        items: Any = graph.assertions
        if conditions:
            items = [item for item in items if all_of(conditions)(item)]
        items = inputs.sort(items, keys, order_by)
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
        [(name, said) for name, (said, _) in _assertion_keys().items()],
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


def _assertion_conditions(graph: Snapshot, where: Any) -> Iterable[Any]:
    for end in ("subject", "object"):
        ids = given(where, end)
        if ids is not None:
            curies = {graph.entity(curie_of(str(id_))).curie for id_ in ids}
            yield lambda a, end=end, curies=curies: getattr(a, end).curie in curies
        kinds = given(where, f"{end}_kind")
        if kinds is not None:
            names = {plain(kind) for kind in kinds}
            yield lambda a, end=end, names=names: getattr(a, end).kind in names
    relations = relation_names(graph, given(where, "relation"))
    if relations is not None:
        yield lambda a: a.relation in relations
    sources, studies, supported = (given(where, name) for name in ("source", "study", "supported"))
    if sources is not None:
        wanted = {str(s) for s in sources}
        yield lambda a: any({e.source.id, e.source.iri, e.source.doi, e.source.pmid} & wanted for e in a.evidence)
    if studies is not None:
        named = {curie_of(str(s)) for s in studies}
        yield lambda a: any(e.study is not None and e.study.id in named for e in a.evidence)
    if supported is not None:
        yield lambda a: a.supported is supported


def _assertion_keys() -> dict[str, tuple[str, Any]]:
    return {
        "CONFIDENCE": ("Confidence of the assertion.", attrgetter("confidence")),
        "LATEST_EVIDENCE": ("Day of the newest evidence.", attrgetter("latest")),
        "EVIDENCE_COUNT": ("Number of pieces of evidence.", lambda a: len(a.evidence)),
        "SUBJECT": ("Name of the subject.", attrgetter("subject.label")),
        "RELATION": ("Name of the relation.", attrgetter("relation")),
        "OBJECT": ("Name of the object.", attrgetter("object.label")),
    }
