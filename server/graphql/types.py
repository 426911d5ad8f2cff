"""GraphQL object types made from the model: one for each kind and record, with their connections.

Resolvers are a few lines over ``kg`` records and use neither ``info`` nor I/O, so that a whole
selection can be compiled (``server.graphql.compiled``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cached_property
from operator import attrgetter
from typing import Any

import strawberry

from kg.evidence import Confidence, explain
from kg.model import EnumValue, Field, Kind, Link, Model, Record, snake_case
from kg.records import Assertion, Edge, Entity
from kg.selection import Facet, Getter, facet_fields, facet_getters, facets
from kg.snapshot import Snapshot
from server.graphql.exports import export_field
from server.graphql.ids import cursor, global_id
from server.graphql.inputs import Inputs
from server.graphql.members import fill, following, itself, listed, make_enum, member, nullable, pascal
from server.graphql.paging import Page, PageArguments, first_page, paginate
from server.graphql.scalars import PartialDate
from server.settings import Settings

FIRST = "Return at most this many, from the start."
AFTER = "Return what comes after this cursor."
LAST = "Return at most this many, from the end."
BEFORE = "Return what comes before this cursor."
PAGING: dict[str, Any] = {
    "first": (int | None, FIRST),
    "after": (str | None, AFTER),
    "last": (int | None, LAST),
    "before": (str | None, BEFORE),
}
EVIDENCE_FACETS: dict[str, Getter] = {  # each value once an edge, however much of its evidence has it
    "evidenceLevel": lambda edge: tuple({item.level.name for item in edge.evidence}),
    "evidenceDirection": lambda edge: tuple({item.direction for item in edge.evidence}),
}
SCALARS = {"string": str, "integer": int, "decimal": float, "boolean": bool, "date": date, "partialDate": PartialDate}


def type_name(thing: Any) -> str:
    """Return the name of the GraphQL type of a record behind an interface."""
    return "Assertion" if isinstance(thing, Assertion) else str(thing.kind)


class Types:
    """All GraphQL types of a model."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.model = model
        self.settings = settings
        self.enums: dict[str, Any] = {}
        self._make_enums()
        self.inputs = Inputs(model, settings, self.enums)
        self.orders = {k.name: self.inputs.order(k, edges=False) for k in model.kinds}
        self.edge_orders = {k.name: self.inputs.order(k, edges=True) for k in model.kinds}
        self.kinds = {k.name: type(k.name, (self.entity,), {}) for k in model.kinds}
        self.records = {r.name: type(r.name, (), {}) for r in model.records}
        for record in model.records:
            self._fill_record(record)
        self.edge_connections = {name: self._edge_connection(name) for name in (*self.kinds, "Entity")}
        self.connections = {name: self._connection(name) for name in self.kinds}
        for kind in model.kinds:
            self._fill_kind(kind)

    # -------------------------------------------------------------- enums
    def _make_enums(self) -> None:
        def add(name: str, values: tuple[EnumValue, ...], description: str) -> None:
            self.enums[name] = make_enum(name, [(v.name, v.description) for v in values], description)

        kinds = [(k.name, k.description) for k in self.model.kinds]
        self.enums["Kind"] = make_enum("Kind", kinds, "Kinds of entities in the graph.")
        add("EvidenceDirection", self.model.directions, "Whether evidence speaks for or against an assertion.")
        add("EvidenceVerification", self.model.verifications, "How a curator knows what a source says.")
        add("SourceKind", self.model.source_kinds, "Sorts of sources.")
        levels = [(level.name, level.description) for level in self.model.levels]
        self.enums["EvidenceLevel"] = make_enum(
            "EvidenceLevel", levels, "How strong a kind of source is, strongest first."
        )
        for owner in self.model.owners:
            for field in owner.fields:
                if field.datatype == "enum":
                    add(owner.name + pascal(field.name), field.values, field.description)

    # -------------------------------------------------------------- interfaces
    @cached_property
    def node(self) -> Any:
        """Relay's Node interface."""

        def id_(self: Any) -> Any:
            return global_id(type_name(self), self.id)

        members = {
            "id": member(
                strawberry.ID, "Relay global id; opaque. Arguments of type ID take it, or a CURIE.", id_, name="id"
            )
        }
        return strawberry.interface(
            fill(type("Node", (), {}), members),
            name="Node",
            description="Anything that can be fetched again by its id.",
        )

    @cached_property
    def entity(self) -> Any:
        """The interface of all kinds."""

        def kind(self: Entity) -> Any:
            return self.kind

        def assertions(self: Entity) -> Any:
            return [edge.assertion for edges in self.links.values() for edge in edges]

        members = {
            "iri": member(str, "IRI in the RDF graph."),
            "curie": member(str, "Compact identifier: a prefix, a colon and a name."),
            "kind": member(self.enums["Kind"], "Kind of the entity.", kind),
            "label": member(str, "Preferred name."),
            "synonyms": member(list[str], "Other names, codes and abbreviations."),
            "description": member(str | None, "What it is, in a sentence or two."),
            "xrefs": member(list[str], "CURIEs of the same thing elsewhere."),
            "broad_matches": member(list[str], "CURIEs of the nearest wider concepts elsewhere.", name="broadMatches"),
            "url": member(str | None, "Web page about it, where its identifier has one."),
            "sources": member(listed(self.source), "Where the entity's own fields were read."),
            "degree": member(int, "Number of edges, both directions."),
            "assertions": member(
                listed(self.assertion), "All assertions that make edges here, in either direction.", assertions
            ),
        }
        class_ = fill(type("Entity", (self.node,), {}), members)
        return strawberry.interface(class_, name="Entity", description="Anything the graph makes assertions about.")

    # -------------------------------------------------------------- evidence
    @cached_property
    def source(self) -> Any:
        """A document or record."""
        members = {
            "id": member(strawberry.ID, "CURIE or IRI of the source."),
            "kind": member(self.enums["SourceKind"], "What sort of source it is."),
            "citation": member(str, "How to cite it."),
            "url": member(str, "Where to read it."),
            "doi": member(str | None, "DOI, without the resolver's address."),
            "pmid": member(str | None, "PubMed identifier."),
            "nct": member(str | None, "ClinicalTrials.gov number, for registry records."),
            "date": member(PartialDate | None, "When it was published."),
        }
        return strawberry.type(
            fill(type("Source", (), {}), members),
            name="Source",
            description="A document or record that evidence rests on.",
        )

    @cached_property
    def study(self) -> Any:
        """A trial or cohort."""
        members = {
            "id": member(strawberry.ID, "CURIE of the study; a trial's is also the id of its entity."),
            "label": member(str, "Name of the study."),
            "description": member(str | None, "What the study is."),
        }
        said = "A trial or cohort; all evidence from one study counts as one line of evidence."
        return strawberry.type(fill(type("Study", (), {}), members), name="Study", description=said)

    @cached_property
    def evidence(self) -> Any:
        """One source's word on an assertion."""

        members = {
            "id": member(strawberry.ID, "CURIE of the evidence."),
            "level": member(
                self.enums["EvidenceLevel"], "How strong this kind of source is.", following("level", "name")
            ),
            "strength": member(float, "Strength of the level, in (0, 1].", following("level", "strength")),
            "direction": member(self.enums["EvidenceDirection"], "Whether it speaks for or against the assertion."),
            "date": member(
                PartialDate, "When the world could know: publication of the source, or registration of a trial."
            ),
            "source": member(self.source, "What the evidence rests on."),
            "study": member(nullable(self.study), "Trial or cohort it comes from."),
            "sample_size": member(int | None, "Number of participants.", name="sampleSize"),
            "count": member(int | None, "Number of participants with the event."),
            "total": member(int | None, "Number of participants the events were counted in."),
            "grade": member(str | None, "Severity grades the count covers, such as any or >=3."),
            "comment": member(str | None, "What the source says, in the curators' words."),
            "verification": member(
                nullable(self.enums["EvidenceVerification"]), "How the curator knows what the source says."
            ),
        }
        return strawberry.type(
            fill(type("Evidence", (), {}), members),
            name="Evidence",
            description="What one source says for or against an assertion.",
        )

    @cached_property
    def confidence(self) -> Any:
        """How a confidence came about."""
        line = {
            "key": member(strawberry.ID, "CURIE of the study or source."),
            "label": member(str, "Name of the study, or citation of the source."),
            "direction": member(self.enums["EvidenceDirection"], "Whether the line supports or contradicts."),
            "strength": member(float, "Strength of its strongest evidence, in (0, 1]."),
            "share": member(float, "Its part of all support, or of all contradiction, in [0, 1]."),
            "evidence": member(listed(self.evidence), "The evidence that makes up the line."),
        }
        said = "One independent line of evidence: a study, or a source that names none."
        line_type = strawberry.type(fill(type("EvidenceLine", (), {}), line), name="EvidenceLine", description=said)
        members = {
            "value": member(float, "The confidence, in [0, 1]: support × (1 − contradiction)."),
            "support": member(float, "Noisy-OR of the supporting lines: 1 − ∏(1 − strength)."),
            "contradiction": member(float, "Noisy-OR of the contradicting lines."),
            "text": member(str, "The formula with its numbers."),
            "lines": member(listed(line_type), "Independent lines of evidence, strongest support first."),
        }
        return strawberry.type(
            fill(type("Confidence", (), {}), members),
            name="Confidence",
            description="A confidence with all it was computed from.",
        )

    @cached_property
    def assertion(self) -> Any:
        """A claim with its evidence; filled once the entity interface exists."""
        return type(
            "Assertion", (self.node,), {"is_type_of": classmethod(lambda _cls, obj, _info: isinstance(obj, Assertion))}
        )

    def fill_assertion(self) -> None:
        """Give the assertion type its fields."""

        def explained(self: Assertion) -> Confidence:
            return explain(self.evidence)

        def latest(self: Assertion) -> Any:
            return self.latest if self.evidence else None

        members = {
            "curie": member(
                str, "Compact identifier, derived from subject, relation and object.", lambda self: self.id
            ),
            "subject": member(self.entity, "What the assertion is about."),
            "relation": member(str, "Name of the relation, as the fields of the kinds are named."),
            "object": member(self.entity, "What the subject is related to."),
            "confidence": member(float, "How much the evidence supports it, in [0, 1]."),
            "explanation": member(self.confidence, "How the confidence came about.", explained),
            "disputed": member(bool, "Whether evidence both supports and contradicts it."),
            "supported": member(bool, "Whether any evidence supports it; without support it makes no edge."),
            "latest": member(
                date | None,
                "Day of the newest evidence; a month or year counts as its last day. Null for an assumed edge.",
                latest,
            ),
            "evidence": member(listed(self.evidence), "All evidence for and against it, newest first."),
        }
        strawberry.type(
            fill(self.assertion, members),
            name="Assertion",
            description="A claim that a relation holds between two entities, with its evidence.",
        )

    # -------------------------------------------------------------- pieces of the graph
    @cached_property
    def walk_direction(self) -> Any:
        """Which way edges are walked."""
        ways = [
            ("OUT", "From subject to object."),
            ("IN", "From object to subject."),
            ("BOTH", "Either way."),
        ]
        return make_enum("WalkDirection", ways, "Which way edges are walked.")

    @cached_property
    def graph_view(self) -> Any:
        """A bounded piece of the graph."""
        node = {
            "entity": member(self.entity, "The entity."),
            "distance": member(int, "Hops from the nearest start."),
            "hidden": member(int, "Number of its edges that the view does not show."),
        }
        node_type = strawberry.type(
            fill(type("GraphViewNode", (), {}), node), name="GraphViewNode", description="An entity in a view."
        )
        view = {
            "nodes": member(listed(node_type), "Entities, nearest and most trusted first."),
            "edges": member(
                listed(self.assertion), "The allowed assertions between them, as many as the limit lets in."
            ),
            "total_nodes": member(int, "Number of entities that depth and constraints allow.", name="totalNodes"),
            "total_edges": member(
                int, "Number of allowed assertions between the entities in `nodes`.", name="totalEdges"
            ),
            "truncated": member(bool, "Whether some of it is left out.", lambda self: self.truncated_by is not None),
            "truncated_by": member(
                str | None, "The limit that left it out: maxNodes, maxEdges, or that of a search.", name="truncatedBy"
            ),
            "export": export_field(),
        }
        return strawberry.type(
            fill(type("GraphView", (), {}), view), name="GraphView", description="A bounded piece of the graph to draw."
        )

    # -------------------------------------------------------------- kinds and records
    def _value_type(self, owner: str, field: Field) -> Any:
        inner: Any = SCALARS.get(field.datatype)
        if field.datatype == "enum":
            inner = self.enums[owner + pascal(field.name)]
        elif field.datatype == "record":
            inner = self.records[field.target or ""]
        elif field.datatype == "entity":
            inner = self.kinds[field.target or ""]
        elif field.datatype == "source":
            inner = self.source
        if field.many:
            return listed(inner)
        return inner if field.required else nullable(inner)

    def _fields(self, owner: Kind | Record) -> dict[str, tuple[Any, Any]]:
        return {f.attribute: member(self._value_type(owner.name, f), f.description, name=f.name) for f in owner.fields}

    def _fill_record(self, record: Record) -> None:
        strawberry.type(
            fill(self.records[record.name], self._fields(record)), name=record.name, description=record.description
        )

    def _fill_kind(self, kind: Kind) -> None:
        members = self._fields(kind)
        for link in self.model.links(kind.name):
            members[snake_case(link.name)] = self._link_member(link)
        class_ = self.kinds[kind.name]
        class_.is_type_of = classmethod(lambda _cls, obj, _info: getattr(obj, "kind", None) == kind.name)  # type: ignore[attr-defined]
        strawberry.type(fill(class_, members), name=kind.name, description=kind.description)

    def _link_member(self, link: Link) -> tuple[Any, Any]:
        target = link.kinds[0] if len(link.kinds) == 1 else "Entity"
        inputs, settings = self.inputs, self.settings
        keys = inputs.order_keys(self.model.kind[target], edges=True) if target in self.kinds else {}

        def resolver(
            self: Entity,
            filter: Any = None,
            order_by: Any = None,
            first: int | None = None,
            after: str | None = None,
            last: int | None = None,
            before: str | None = None,
        ) -> Page:
            edges: Any = self.edges(link.name)
            if filter:
                condition = inputs.edge_condition(target, filter)
                if condition is not None:
                    edges = [edge for edge in edges if condition(edge)]
            if order_by:
                edges = inputs.sort(edges, keys, order_by)
            if after is None and last is None and before is None:
                return first_page(self.graph, edges, first, settings, key=_edge_key, node=_edge_node)
            return paginate(
                self.graph, edges, PageArguments(first, after, last, before), settings, key=_edge_key, node=_edge_node
            )

        arguments: dict[str, Any] = {"filter": (nullable(inputs.edge_filter(target)), "Only edges that fulfil this.")}
        if target in self.kinds:
            arguments["order_by"] = (
                nullable(listed(self.edge_orders[target])),
                "Sort keys, first key first; by default the most trusted edges come first.",
            )
        else:
            resolver = _without_order(resolver)
        return member(self.edge_connections[target], link.description, resolver, name=link.name, **arguments, **PAGING)

    # -------------------------------------------------------------- connections
    @cached_property
    def page_info(self) -> Any:
        """Relay's PageInfo."""
        members = {
            "has_next_page": member(bool, "Whether more follows.", name="hasNextPage"),
            "has_previous_page": member(bool, "Whether something comes before.", name="hasPreviousPage"),
            "start_cursor": member(str | None, "Cursor of the first edge.", name="startCursor"),
            "end_cursor": member(str | None, "Cursor of the last edge.", name="endCursor"),
        }
        return strawberry.type(
            fill(type("PageInfo", (), {}), members), name="PageInfo", description="Where a page stands in its list."
        )

    @cached_property
    def facet(self) -> Any:
        """Counts of the values of a field."""
        value = {"value": member(str, "A value of the field."), "count": member(int, "How many items have it.")}
        value_type = strawberry.type(
            fill(type("FacetValue", (), {}), value), name="FacetValue", description="A value and how often it occurs."
        )
        members = {
            "field": member(str, "Name of the field."),
            "values": member(listed(value_type), "Its values, most frequent first."),
        }
        return strawberry.type(
            fill(type("Facet", (), {}), members),
            name="Facet",
            description="The values of one field among all items of a connection.",
        )

    def _connection(self, name: str) -> Any:
        edge = self._edge_type(f"{name}Edge", self.kinds[name], "An entity on a page.", _entity_key, lambda self: self)
        return self.connection(
            f"{name}Connection",
            edge,
            self.kinds[name],
            f"A page of {self.model.kind[name].plural}.",
            self.facets(*self.entity_getters(name, itself)),
        )

    def _edge_connection(self, name: str) -> Any:
        node = self.kinds.get(name, self.entity)
        extra = {
            "assertion": member(self.assertion, "The assertion that the edge stands for."),
            "confidence": member(
                float, "How much the evidence supports it, in [0, 1].", following("assertion", "confidence")
            ),
            "disputed": member(
                bool, "Whether evidence both supports and contradicts it.", following("assertion", "disputed")
            ),
            "evidence": member(
                listed(self.evidence),
                "All evidence for and against it, newest first.",
                following("assertion", "evidence"),
            ),
        }
        edge = self._edge_type(
            f"{name}AssertionEdge",
            node,
            "An entity at the other end of an assertion, with the evidence.",
            _edge_key,
            None,
            extra,
        )
        getters, defaults = self.entity_getters(name, _edge_node)
        counted = self.facets({**getters, **EVIDENCE_FACETS}, (*defaults, *EVIDENCE_FACETS))
        return self.connection(
            f"{name}AssertionConnection", edge, node, "A page of edges with their evidence.", counted
        )

    def _edge_type(
        self,
        name: str,
        node: Any,
        said: str,
        key: Callable[[Any], str],
        node_resolver: Any,
        extra: dict[str, Any] | None = None,
    ) -> Any:
        def cursor_(self: Any) -> Any:
            return cursor(_graph_of(self), key(self))

        members = {
            "cursor": member(str, "Position of the edge, for after and before.", cursor_),
            "node": member(node, "The entity.", node_resolver),
            **(extra or {}),
        }
        return strawberry.type(fill(type(name, (), {}), members), name=name, description=said)

    def connection(self, name: str, edge: Any, node: Any, said: str, extra: dict[str, Any] | None = None) -> Any:
        """Return a Relay connection type over pages."""
        members = {
            "edges": member(listed(edge), "The page's edges."),
            "nodes": member(listed(node), "The page's nodes, for when the edges do not matter."),
            "page_info": member(self.page_info, "Where the page stands.", name="pageInfo"),
            "total_count": member(int, "Number of items on all pages.", name="totalCount"),
            **(extra or {}),
        }
        return strawberry.type(fill(type(name, (), {}), members), name=name, description=said)

    def facets(self, getters: Mapping[str, Getter], defaults: Sequence[str]) -> dict[str, Any]:
        """Return the ``facets`` field of a connection: ``getters`` read the countable values off its items."""
        return self.counted(
            tuple(getters), defaults, lambda page, names, limit: facets(page.items, getters, names, limit)
        )

    def counted(
        self, known: Sequence[str], defaults: Sequence[str], count: Callable[[Page, Sequence[str], int], list[Facet]]
    ) -> dict[str, Any]:
        """Return the ``facets`` field of a connection: ``count`` is called with a page, names of fields and a limit."""

        def resolver(self: Page, fields: list[str] | None = None, first: int = 20) -> list[Facet]:
            return count(self, defaults if fields is None else fields, first)

        arguments: dict[str, Any] = {
            "fields": (
                list[str] | None,
                f"Names of the fields to count, of {', '.join(known)}; by default {', '.join(defaults)}.",
            ),
            "first": (int, "Most values of each field."),
        }
        said = "Counts of the values of each field over all pages."
        return {"facets": member(listed(self.facet), said, resolver, **arguments)}

    def entity_getters(self, name: str, node: Callable[[Any], Entity]) -> tuple[dict[str, Getter], tuple[str, ...]]:
        """Return what can be counted among items with an entity of a kind (or of any), and what is by default."""
        if name not in self.kinds:
            return {"kind": lambda item: node(item).kind}, ("kind",)
        kind = self.model.kind[name]
        getters = {field: _through(node, get) for field, get in facet_getters(kind).items()}
        return getters, facet_fields(kind)


def _through(node: Callable[[Any], Entity], get: Getter) -> Getter:
    return lambda item: get(node(item))


def _without_order(resolver: Callable[..., Any]) -> Callable[..., Any]:
    def unordered(
        self: Entity,
        filter: Any = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Any:
        return resolver(self, filter, None, first, after, last, before)

    return unordered


def _graph_of(item: Any) -> Snapshot:
    graph: Snapshot = (
        item.graph if isinstance(item, Entity) else (item.node if isinstance(item, Edge) else item.subject).graph
    )
    return graph


def _edge_key(edge: Edge) -> str:
    return f"{edge.assertion.id}{'<' if edge.reversed else '>'}"


_edge_node = attrgetter("node")
_entity_key = attrgetter("curie")
