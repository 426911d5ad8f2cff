"""The root of every query: look-ups, lists, search, views and what can be asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import strawberry

from kg.errors import BadInput, LimitExceeded, NotFound
from kg.graph import GraphService
from kg.model import Kind, Model
from kg.records import Assertion, Entity
from kg.search import Hit
from kg.selection import all_of
from kg.snapshot import Snapshot
from kg.views import Constraints, View, neighbourhood
from server.graphql.ids import curie_of, cursor
from server.graphql.inputs import ENTITY_ORDER, _plain
from server.graphql.members import fill, make_enum, member
from server.graphql.paging import Page, PageArguments, check_clock, paginate
from server.graphql.scalars import CONFIG
from server.graphql.types import PAGING, Types, _nullable
from server.settings import Settings

AS_OF = "Show the graph as it was known at the end of this day: evidence published later is left out."
SEARCH_DEPTH = 1_000


class Request:
    """What one request reads: a pinned snapshot, and the days it asked about."""

    def __init__(self, service: GraphService, settings: Settings) -> None:
        self.service = service
        self.graph = service.snapshot
        self.settings = settings
        self.days: set[date | None] = set()

    def at(self, day: date | None) -> Snapshot:
        """Return the graph as known on a day."""
        self.days.add(day)
        return self.graph.as_of(day)

    @property
    def extensions(self) -> dict[str, Any]:
        """What ``extensions.graph`` says of the answer."""
        days = sorted(day.isoformat() for day in self.days if day)
        as_of: Any = days[0] if len(days) == 1 else days or None
        return {"version": self.graph.version.number, "asOf": as_of}


class QueryBuilder:
    """Makes the Query type of a model."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.model = model
        self.settings = settings
        self.types = Types(model, settings)
        self.types.fill_assertion()

    def schema(self) -> strawberry.Schema:
        """Return the executable schema."""
        members = {
            "node": self._node(),
            "nodes": self._nodes(),
            "entity": self._entity(),
            "search": self._search(),
            **{kind.plural: self._list(kind) for kind in self.model.kinds},
            "assertions": self._assertions(),
            "graph_view": self._graph_view(),
            "metagraph": self._metagraph(),
            "version": self._version(),
            "history": self._history(),
        }
        query = strawberry.type(fill(type("Query", (), {}), members), name="Query", description=f"{self.model.title}: {self.model.description}")
        return strawberry.Schema(query=query, types=[*self.types.kinds.values(), self.types.assertion], config=CONFIG)

    # -------------------------------------------------------------- look-ups
    def _node(self) -> Any:
        def node(self: Request, id: strawberry.ID, as_of: date | None = None) -> Any:  # noqa: A002
            return _find(self.at(as_of), str(id))

        return member(
            _nullable(self.types.node), "An entity or assertion by its id; null where there is none.", node, id=(strawberry.ID, "Global id or CURIE."), as_of=(date | None, AS_OF)
        )

    def _nodes(self) -> Any:
        def nodes(self: Request, ids: list[strawberry.ID], as_of: date | None = None) -> Any:
            graph = self.at(as_of)
            return [_find(graph, str(id_)) for id_ in _bounded(ids, self.settings, "ids")]

        returns = list[_nullable(self.types.node)]  # type: ignore[misc]
        return member(returns, "Entities and assertions by their ids, in order, null where there is none.", nodes, ids=(list[strawberry.ID], "Global ids or CURIEs."), as_of=(date | None, AS_OF))

    def _entity(self) -> Any:
        def entity(self: Request, curie: str, as_of: date | None = None) -> Any:
            return self.at(as_of).entity(curie_of(curie))

        said = "An entity by CURIE, IRI, cross-reference (DOID:9074, UniProtKB:P15391) or NCT number; an error with near matches where there is none."
        return member(_nullable(self.types.entity), said, entity, curie=(str, "Identifier of the entity."), as_of=(date | None, AS_OF))

    # -------------------------------------------------------------- search
    def _search(self) -> Any:
        def cursor_(self: Hit) -> Any:
            return cursor(self.entity.graph, self.entity.curie)

        tier = make_enum(
            "SearchTier",
            [("EXACT", "The whole name or identifier."), ("FULLTEXT", "All words, or beginnings of words."), ("FUZZY", "Similar spelling.")],
            "How a text was found.",
        )
        edge_members = {
            "cursor": member(str, "Position of the hit, for after and before.", cursor_),
            "node": member(self.types.entity, "The entity found.", lambda self: self.entity),
            "score": member(float, "How well it matches, in (0, 1]; a better tier always scores higher."),
            "matched": member(str, "The name, identifier or description that matched."),
            "field": member(str, "Which field that is: label, curie, synonym, identifier or description."),
            "tier": member(tier, "How it was found.", lambda self: self.tier.upper()),
        }
        edge = strawberry.type(fill(type("SearchEdge", (), {}), edge_members), name="SearchEdge", description="An entity found by its name.")
        connection = self.types.connection("SearchConnection", edge, self.types.entity, "A page of entities found by name, best first.")

        def search(
            self: Request,
            text: str,
            kinds: Any = None,
            first: int | None = 10,
            after: str | None = None,
            last: int | None = None,
            before: str | None = None,
            as_of: date | None = None,
        ) -> Page:
            graph = self.at(as_of)
            hits = graph.search(text, None if kinds is None else [_plain(kind) for kind in kinds], SEARCH_DEPTH)
            arguments = PageArguments(first, after, last, before)
            return paginate(graph, hits, arguments, self.settings, key=attrgetter("entity.curie"), node=attrgetter("entity"))

        return member(
            connection,
            "Entities by name: exact names first, then words and beginnings of words, then similar spellings. At most 1,000 are found.",
            search,
            text=(str, "Name, code, abbreviation, identifier or words of the description."),
            kinds=(_nullable(list[self.types.enums["Kind"]]), "Only these kinds."),
            **PAGING,
            as_of=(date | None, AS_OF),
        )

    # -------------------------------------------------------------- lists
    def _list(self, kind: Kind) -> Any:
        inputs = self.types.inputs
        keys = inputs.order_keys(kind, edges=False)

        def resolver(
            self: Request,
            filter: Any = None,  # noqa: A002
            order_by: Any = None,
            first: int | None = None,
            after: str | None = None,
            last: int | None = None,
            before: str | None = None,
            as_of: date | None = None,
        ) -> Page:
            graph = self.at(as_of)
            items: Any = graph.by_kind[kind.name]
            condition = inputs.condition(kind.name, filter)
            if condition is not None:
                items = [item for item in items if condition(item)]
            items = inputs.sort(items, keys, order_by)
            return paginate(graph, items, PageArguments(first, after, last, before), self.settings, key=attrgetter("curie"), node=_itself)

        return member(
            self.types.connections[kind.name],
            f"All {kind.plural}: {kind.description}",
            resolver,
            name=kind.plural,
            filter=(_nullable(inputs.filter(kind.name)), "Only those that fulfil this."),
            order_by=(_nullable(list[self.types.orders[kind.name]]), "Sort keys, first key first; by default by label."),
            **PAGING,
            as_of=(date | None, AS_OF),
        )

    def _assertions(self) -> Any:
        filter_, order = self._assertion_inputs()
        edge_members = {
            "cursor": member(str, "Position of the assertion, for after and before.", lambda self: cursor(self.subject.graph, self.id)),
            "node": member(self.types.assertion, "The assertion.", lambda self: self),
        }
        edge = strawberry.type(fill(type("AssertionEdge", (), {}), edge_members), name="AssertionEdge", description="An assertion on a page.")
        connection = self.types.connection("AssertionConnection", edge, self.types.assertion, "A page of assertions.")
        inputs, keys = self.types.inputs, _assertion_keys()

        def assertions(
            self: Request,
            filter: Any = None,  # noqa: A002
            order_by: Any = None,
            first: int | None = None,
            after: str | None = None,
            last: int | None = None,
            before: str | None = None,
            as_of: date | None = None,
        ) -> Page:
            graph = self.at(as_of)
            conditions = [c for c in (inputs.edge_condition("Entity", filter), *_assertion_conditions(graph, filter)) if c is not None]
            items: Any = graph.assertions
            if conditions:
                items = [item for item in items if all_of(conditions)(item)]
            items = inputs.sort(items, keys, order_by)
            return paginate(graph, items, PageArguments(first, after, last, before), self.settings, key=attrgetter("id"), node=_itself)

        return member(
            connection,
            "All assertions, those that only evidence against them speaks of included.",
            assertions,
            filter=(_nullable(filter_), "Only those that fulfil this."),
            order_by=(_nullable(list[order]), "Sort keys, first key first; by default by subject, relation and object."),
            **PAGING,
            as_of=(date | None, AS_OF),
        )

    def _assertion_inputs(self) -> tuple[Any, Any]:
        enums, unset = self.types.enums, strawberry.UNSET
        ids = list[strawberry.ID]
        fields: dict[str, tuple[Any, str, str]] = {
            "subject": (ids, "subject", "The subject is one of these (global ids or CURIEs)."),
            "relation": (list[str], "relation", "The relation is one of these names."),
            "object": (ids, "object", "The object is one of these (global ids or CURIEs)."),
            "subject_kind": (list[enums["Kind"]], "subjectKind", "The subject is of one of these kinds."),
            "object_kind": (list[enums["Kind"]], "objectKind", "The object is of one of these kinds."),
            "source": (ids, "source", "Some evidence rests on one of these sources (CURIE, IRI or DOI)."),
            "study": (ids, "study", "Some evidence comes from one of these studies."),
            "supported": (bool, "supported", "Some evidence supports it (true), or none does (false)."),
            "min_confidence": (float, "minConfidence", "Confidence is at least this."),
            "level": (list[enums["EvidenceLevel"]], "level", "Some evidence is of one of these levels."),
            "direction": (list[enums["EvidenceDirection"]], "direction", "Some evidence points one of these ways."),
            "disputed": (bool, "disputed", "Evidence both supports and contradicts it (true), or not (false)."),
        }
        members = {
            attribute: (_nullable(type_), strawberry.field(default=unset, name=name, description=said)) for attribute, (type_, name, said) in fields.items()
        }
        filter_ = strawberry.input(fill(type("AssertionFilter", (), {}), members), name="AssertionFilter", description="Conditions on an assertion; all that are given must hold.")
        keys = make_enum("AssertionOrderField", [(name, said) for name, (said, _) in _assertion_keys().items()], "What assertions can be sorted by.")
        direction = self.types.inputs.direction
        order_members = {
            "field": (keys, strawberry.field(description="What to sort by.")),
            "direction": (direction, strawberry.field(default=direction["ASC"], description="Which way to sort.")),
        }
        order = strawberry.input(fill(type("AssertionOrder", (), {}), order_members), name="AssertionOrder", description="A sort key for assertions.")
        return filter_, order

    # -------------------------------------------------------------- views
    def _graph_view(self) -> Any:
        node = {
            "entity": member(self.types.entity, "The entity."),
            "distance": member(int, "Hops from the nearest start."),
            "hidden": member(int, "Number of its edges that the view does not show."),
        }
        node_type = strawberry.type(fill(type("GraphViewNode", (), {}), node), name="GraphViewNode", description="An entity in a view.")
        view = {
            "nodes": member(list[node_type], "Entities, nearest and most trusted first."),
            "edges": member(list[self.types.assertion], "All allowed assertions between them."),
            "total_nodes": member(int, "Number of entities that depth and constraints allow.", name="totalNodes"),
            "truncated": member(bool, "Whether some of them are left out.", lambda self: self.truncated_by is not None),
            "truncated_by": member(str | None, "The limit that left them out.", name="truncatedBy"),
        }
        view_type = strawberry.type(fill(type("GraphView", (), {}), view), name="GraphView", description="A bounded piece of the graph to draw.")

        def graph_view(
            self: Request, around: list[strawberry.ID], depth: int = 1, where: Any = None, max_nodes: int = 200, as_of: date | None = None
        ) -> View:
            check_clock()
            graph, settings = self.at(as_of), self.settings
            for name, value, most in (("max_view_depth", depth, settings.max_view_depth), ("max_view_nodes", max_nodes, settings.max_view_nodes)):
                if value > most:
                    raise LimitExceeded(name, most, value, "Ask for a smaller view and expand it step by step.")
            starts = [graph.entity(curie_of(str(id_))) for id_ in _bounded(around, settings, "around")]
            if not starts:
                raise BadInput("The argument around is empty; name at least one entity.")
            return neighbourhood(starts, depth, max_nodes, _constraints(graph, where))

        return member(
            view_type,
            "What lies around some entities, bounded; the nearest and most trusted first.",
            graph_view,
            around=(list[strawberry.ID], "Global ids or CURIEs of the entities in the middle."),
            depth=(int, "Hops to go."),
            where=(_nullable(self._constraints_input()), "What the view may contain."),
            max_nodes=(int, "Most entities to return."),
            as_of=(date | None, AS_OF),
        )

    def _constraints_input(self) -> Any:
        enums = self.types.enums
        direction = make_enum(
            "WalkDirection", [("OUT", "From subject to object."), ("IN", "From object to subject."), ("BOTH", "Either way.")], "Which way edges are walked."
        )
        fields: dict[str, tuple[Any, str, Any, str]] = {
            "relations": (list[str], "relations", strawberry.UNSET, "Only edges of these relations."),
            "kinds": (list[enums["Kind"]], "kinds", strawberry.UNSET, "Only entities of these kinds, the ones in the middle aside."),
            "levels": (list[enums["EvidenceLevel"]], "levels", strawberry.UNSET, "Only edges with some evidence of one of these levels."),
            "avoid": (list[strawberry.ID], "avoid", strawberry.UNSET, "None of these entities."),
            "min_confidence": (float, "minConfidence", strawberry.UNSET, "Only edges of at least this confidence."),
            "direction": (direction, "direction", strawberry.UNSET, "Only edges walked this way, outward from the middle."),
        }
        members = {a: (_nullable(t), strawberry.field(default=d, name=n, description=said)) for a, (t, n, d, said) in fields.items()}
        return strawberry.input(fill(type("GraphConstraints", (), {}), members), name="GraphConstraints", description="What a view of the graph may contain.")

    # -------------------------------------------------------------- what can be asked
    def _metagraph(self) -> Any:
        types, model = self.types, self.model
        kind_enum = types.enums["Kind"]

        def made(name: str, said: str, members: dict[str, Any]) -> Any:
            return strawberry.type(fill(type(name, (), {}), members), name=name, description=said)

        value = made("FieldValue", "An allowed value of a field.", {"name": member(str, "Name in the API."), "description": member(str, "What it means.")})
        field = made(
            "KindField",
            "A field of a kind.",
            {
                "name": member(str, "Name in the API."),
                "datatype": member(str, "string, integer, decimal, boolean, date, partialDate, enum, entity, source or record."),
                "many": member(bool, "Whether it may have several values."),
                "required": member(bool, "Whether it always has a value."),
                "description": member(str, "What it holds."),
                "values": member(list[value], "Allowed values, where they are fixed."),
            },
        )
        kind = made(
            "MetagraphKind",
            "A kind and how many entities it has.",
            {
                "name": member(kind_enum, "Name of the kind."),
                "label": member(str, "The kind's name in words."),
                "plural": member(str, "Name of its list query."),
                "description": member(str, "What it stands for."),
                "count": member(int, "Number of entities."),
                "color": member(str, "Colour in graph views."),
                "shape": member(str, "Shape in graph views."),
                "id_prefixes": member(list[str], "Prefixes its identifiers have.", name="idPrefixes"),
                "biolink_class": member(str | None, "Biolink Model class.", name="biolinkClass"),
                "fields": member(list[field], "Its own fields."),
            },
        )
        relation = made(
            "MetagraphRelation",
            "A relation and how many edges it has.",
            {
                "name": member(str, "Name from subject to object."),
                "inverse": member(str, "Name from object to subject."),
                "description": member(str, "What it says."),
                "phrase": member(str, "Verb phrase from subject to object."),
                "inverse_phrase": member(str, "Verb phrase from object to subject.", name="inversePhrase"),
                "effect_sign": member(int, "+1 where the subject furthers the object, -1 where it hinders it, else 0.", name="effectSign"),
                "subjects": member(list[kind_enum], "Kinds its subject may be of."),
                "objects": member(list[kind_enum], "Kinds its object may be of."),
                "count": member(int, "Number of edges."),
                "biolink_predicate": member(str | None, "Biolink Model predicate or slot.", name="biolinkPredicate"),
                "biolink_association": member(str | None, "Biolink Model association class.", name="biolinkAssociation"),
                "mapping_note": member(str | None, "What the mapping does not say by itself.", name="mappingNote"),
            },
        )
        edge = made(
            "Metaedge",
            "How many edges of a relation lead from one kind to another.",
            {
                "subject": member(kind_enum, "Kind of the subjects."),
                "relation": member(str, "Name of the relation."),
                "object": member(kind_enum, "Kind of the objects."),
                "count": member(int, "Number of edges."),
            },
        )
        level = made(
            "EvidenceLevelInfo",
            "An evidence level, its strength and its mappings.",
            {
                "name": member(types.enums["EvidenceLevel"], "Name of the level."),
                "order": member(int, "Rank; 1 is the strongest."),
                "strength": member(float, "Probability that a claim resting on one such line alone is right, in (0, 1]; a stated judgement."),
                "description": member(str, "What belongs to it."),
                "eco": member(str | None, "Term of the Evidence and Conclusion Ontology."),
                "knowledge_level": member(str | None, "Biolink knowledge_level.", name="knowledgeLevel"),
                "agent_type": member(str | None, "Biolink agent_type.", name="agentType"),
                "count": member(int, "Number of pieces of evidence at this level."),
            },
        )
        metagraph = made(
            "Metagraph",
            "What there is in the graph and what can be asked of it.",
            {
                "kinds": member(list[kind], "Kinds of entities."),
                "relations": member(list[relation], "Relations."),
                "edges": member(list[edge], "Which relations lead from which kinds to which, with counts; empty combinations are left out."),
                "levels": member(list[level], "Evidence levels, strongest first."),
            },
        )

        def resolve(self: Request, as_of: date | None = None) -> Any:
            return MetagraphView(model, self.at(as_of))

        return member(metagraph, "What there is in the graph and what can be asked of it.", resolve, as_of=(date | None, AS_OF))

    # -------------------------------------------------------------- versions
    def _version(self) -> Any:
        members = {
            "number": member(int, "Number of the last change set; each adds one."),
            "tag": member(str, "Short name of this version of this store; part of the ETag."),
            "time": member(datetime | None, "When it came about."),
            "author": member(str | None, "Who made the last change."),
            "message": member(str | None, "Why."),
            "entities": member(int, "Number of entities."),
            "assertions": member(int, "Number of assertions."),
            "edges": member(int, "Number of assertions that some evidence supports."),
            "evidence": member(int, "Number of pieces of evidence."),
            "sources": member(int, "Number of sources."),
        }
        type_ = strawberry.type(fill(type("GraphVersion", (), {}), members), name="GraphVersion", description="Which graph this is, and how large.")

        def version(self: Request, as_of: date | None = None) -> Any:
            return VersionView(self.at(as_of))

        return member(type_, "Which version of the graph answers, and how large it is.", version, as_of=(date | None, AS_OF))

    def _history(self) -> Any:
        file = {"name": member(str, "Name of the file."), "sha256": member(str, "SHA-256 of its bytes; empty where the file was taken out.")}
        file_type = strawberry.type(fill(type("ChangedFile", (), {}), file), name="ChangedFile", description="A file that a change set loaded or took out.")
        members = {
            "version": member(int, "Version that the change made."),
            "time": member(datetime, "When it was made."),
            "author": member(str, "Who made it."),
            "message": member(str, "Why it was made."),
            "added": member(int, "Number of quads it added."),
            "removed": member(int, "Number of quads it removed."),
            "files": member(list[file_type], "Files it loaded or took out.", lambda self: [{"name": n, "sha256": d} for n, d in sorted(self.sources.items())]),
        }
        del members["files"]
        type_ = strawberry.type(fill(type("ChangeSet", (), {}), members), name="ChangeSet", description="One atomic change of the graph.")
        del file_type

        def history(self: Request, first: int = 20) -> Any:
            return _newest(self, first)

        return member(list[type_], "Change sets, newest first.", history, first=(int, "Return at most this many."))


class MetagraphView:
    """What ``metagraph`` reads."""

    def __init__(self, model: Model, graph: Snapshot) -> None:
        self.model = model
        self.graph = graph

    @property
    def kinds(self) -> list[_Counted]:
        """Kinds with their counts."""
        return [_Counted(kind, len(self.graph.by_kind[kind.name])) for kind in self.model.kinds]

    @property
    def relations(self) -> list[_Counted]:
        """Relations with their counts."""
        counts = self.graph.relation_counts
        return [_Counted(r, sum(n for (_, name, _), n in counts.items() if name == r.name)) for r in self.model.relations]

    @property
    def edges(self) -> list[dict[str, Any] | Any]:
        """Counts by kinds and relation."""
        return [_Metaedge(s, r, o, n) for (s, r, o), n in sorted(self.graph.relation_counts.items())]

    @property
    def levels(self) -> list[_Counted]:
        """Evidence levels with their counts."""
        counts: dict[str, int] = {}
        for assertion in self.graph.assertions:
            for item in assertion.evidence:
                counts[item.level.name] = counts.get(item.level.name, 0) + 1
        return [_Counted(level, counts.get(level.name, 0)) for level in self.model.levels]


class _Counted:
    """A record of the model with a count beside its own attributes."""

    __slots__ = ("count", "thing")

    def __init__(self, thing: Any, count: int) -> None:
        self.thing = thing
        self.count = count

    def __getattr__(self, name: str) -> Any:
        return getattr(self.thing, name)


class _Metaedge:
    __slots__ = ("count", "object", "relation", "subject")

    def __init__(self, subject: str, relation: str, object_: str, count: int) -> None:
        self.subject, self.relation, self.object, self.count = subject, relation, object_, count


class VersionView:
    """What ``version`` reads."""

    def __init__(self, graph: Snapshot) -> None:
        version = graph.version
        self.number, self.tag, self.time, self.author, self.message = version.number, version.tag, version.time, version.author, version.message
        self.entities, self.assertions, self.edges = len(graph.entities), len(graph.assertions), graph.edge_count
        self.evidence, self.sources = graph.evidence_count, len(graph.sources)


def _itself(item: Any) -> Any:
    return item


def _newest(request: Request, first: int) -> list[Any]:
    if first < 0:
        raise BadInput(f"The argument first is {first}; it must be 0 or more.")
    entries = [entry for entry in request.service.store.history() if entry.version <= request.graph.version.number]
    return entries[::-1][:first]


def _find(graph: Snapshot, id_: str) -> Entity | Assertion | None:
    curie = curie_of(id_)
    return graph.find(curie) or graph.assertion_by_id.get(curie)


def _bounded(ids: list[Any], settings: Settings, name: str) -> list[Any]:
    if len(ids) > settings.max_ids:
        raise LimitExceeded("max_ids", settings.max_ids, len(ids), f"Give fewer identifiers in {name}, in several requests.")
    return ids


def _given(input_: Any, name: str) -> Any:
    value = getattr(input_, name, None) if input_ else None
    return None if value is strawberry.UNSET else value


def _relations(graph: Snapshot, names: Iterable[str] | None) -> frozenset[str] | None:
    """Return relation names, inverse names turned round; raises NotFound for a name that is none."""
    if names is None:
        return None
    known = {r.name: r.name for r in graph.model.relations} | {r.inverse: r.name for r in graph.model.relations}
    for name in names:
        if name not in known:
            raise NotFound("relation", name, hint=f"Relations are {', '.join(r.name for r in graph.model.relations)}.")
    return frozenset(known[name] for name in names)


def _constraints(graph: Snapshot, where: Any) -> Constraints:
    kinds, levels, avoid, direction = (_given(where, name) for name in ("kinds", "levels", "avoid", "direction"))
    minimum = _given(where, "min_confidence") or 0.0
    if not 0 <= minimum <= 1:
        raise BadInput(f"minConfidence is {minimum:g}; a confidence lies between 0 and 1.")
    return Constraints(
        relations=_relations(graph, _given(where, "relations")),
        kinds=None if kinds is None else frozenset(_plain(kind) for kind in kinds),
        levels=None if levels is None else frozenset(_plain(level) for level in levels),
        avoid=frozenset(graph.entity(curie_of(str(id_))).curie for id_ in avoid or ()),
        min_confidence=minimum,
        direction=_plain(direction).lower() if direction else "both",
    )


def _assertion_conditions(graph: Snapshot, given: Any) -> Iterable[Any]:
    for end in ("subject", "object"):
        ids = _given(given, end)
        if ids is not None:
            curies = {graph.entity(curie_of(str(id_))).curie for id_ in ids}
            yield lambda a, end=end, curies=curies: getattr(a, end).curie in curies
        kinds = _given(given, f"{end}_kind")
        if kinds is not None:
            names = {_plain(kind) for kind in kinds}
            yield lambda a, end=end, names=names: getattr(a, end).kind in names
    relations = _relations(graph, _given(given, "relation"))
    if relations is not None:
        yield lambda a: a.relation in relations
    sources, studies, supported = (_given(given, name) for name in ("source", "study", "supported"))
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


def build_schema(model: Model, settings: Settings | None = None) -> strawberry.Schema:
    """Return the GraphQL schema of a model."""
    return QueryBuilder(model, settings or Settings()).schema()


__all__ = ["ENTITY_ORDER", "Request", "build_schema"]
