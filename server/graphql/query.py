"""The root of every query: look-ups, search and lists, and the schema that all operations make up."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any

import strawberry

from kg.model import Kind, Model
from kg.records import Assertion, Entity
from kg.search import Hit
from kg.snapshot import Snapshot
from server.graphql.about import metagraph_field
from server.graphql.assertions import assertions_field
from server.graphql.history import History
from server.graphql.hypotheses import HypothesisFields
from server.graphql.ids import curie_of, cursor
from server.graphql.members import fill, itself, listed, make_enum, member, nullable, plain
from server.graphql.mutations import Mutations
from server.graphql.paging import Page, PageArguments, paginate
from server.graphql.paths import PathFields
from server.graphql.replay import replay_field
from server.graphql.request import AS_OF, Request, bounded
from server.graphql.scalars import CONFIG
from server.graphql.scenarios import assertion_input
from server.graphql.types import PAGING, Types
from server.graphql.views import graph_view_field
from server.settings import Settings

SEARCH_DEPTH = 1_000


class QueryBuilder:
    """Makes the Query type of a model."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self.model = model
        self.settings = settings
        self.types = Types(model, settings)
        self.types.fill_assertion()
        self.history = History(self.types)
        self._status: Any = str  # of a pair; the enum where the schema folder predicts something

    def schema(self) -> strawberry.Schema:
        """Return the executable schema."""
        members = {
            "node": self._node(),
            "nodes": self._nodes(),
            "entity": self._entity(),
            "search": self._search(),
            **{kind.plural: self._list(kind) for kind in self.model.kinds},
            "assertions": assertions_field(self.types),
            "graph_view": graph_view_field(self.types),
            **self._searches(),
            "metagraph": metagraph_field(self.types),
            "replay": replay_field(),
            **self.history.fields(),
        }
        query = strawberry.type(
            fill(type("Query", (), {}), members),
            name="Query",
            description=f"{self.model.title}: {self.model.description}",
        )
        return strawberry.Schema(
            query=query,
            mutation=Mutations(self.history, self._status).type(),
            subscription=self.history.subscription(),
            types=[*self.types.kinds.values(), self.types.assertion],
            config=CONFIG,
        )

    def _searches(self) -> dict[str, Any]:
        """Return the queries about paths and, where the schema folder predicts something, about hypotheses."""
        assumption = assertion_input()
        paths = PathFields(self.types, assumption)
        found = paths.members()
        if self.model.predicts:
            hypotheses = HypothesisFields(self.types, paths.step, assumption)
            self._status = hypotheses.status
            found |= hypotheses.members()
        return found

    # -------------------------------------------------------------- look-ups
    def _node(self) -> Any:
        def node(self: Request, id: strawberry.ID, as_of: date | None = None) -> Any:
            return _find(self.at(as_of), str(id))

        return member(
            nullable(self.types.node),
            "An entity or assertion by its id; null where there is none.",
            node,
            id=(strawberry.ID, "Global id or CURIE."),
            as_of=(date | None, AS_OF),
        )

    def _nodes(self) -> Any:
        def nodes(self: Request, ids: list[strawberry.ID], as_of: date | None = None) -> Any:
            graph = self.at(as_of)
            return [_find(graph, str(id_)) for id_ in bounded(ids, self.settings, "ids")]

        returns = listed(nullable(self.types.node))
        return member(
            returns,
            "Entities and assertions by their ids, in order, null where there is none.",
            nodes,
            ids=(list[strawberry.ID], "Global ids or CURIEs."),
            as_of=(date | None, AS_OF),
        )

    def _entity(self) -> Any:
        def entity(self: Request, curie: str, as_of: date | None = None) -> Any:
            return self.at(as_of).entity(curie_of(curie))

        said = "An entity by CURIE, IRI, cross-reference or another identifier among its fields; an error with near matches where there is none."
        return member(
            nullable(self.types.entity),
            said,
            entity,
            curie=(str, "Identifier of the entity."),
            as_of=(date | None, AS_OF),
        )

    # -------------------------------------------------------------- search
    def _search(self) -> Any:
        def cursor_(self: Hit) -> Any:
            return cursor(self.entity.graph, self.entity.curie)

        tier = make_enum(
            "SearchTier",
            [
                ("EXACT", "The whole name or identifier."),
                ("FULLTEXT", "All words, or beginnings of words."),
                ("FUZZY", "Similar spelling."),
            ],
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
        edge = strawberry.type(
            fill(type("SearchEdge", (), {}), edge_members),
            name="SearchEdge",
            description="An entity found by its name.",
        )
        counted = self.types.facets({"kind": attrgetter("entity.kind"), "tier": attrgetter("tier")}, ("kind",))
        connection = self.types.connection(
            "SearchConnection", edge, self.types.entity, "A page of entities found by name, best first.", counted
        )

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
            hits = graph.search(text, None if kinds is None else [plain(kind) for kind in kinds], SEARCH_DEPTH)
            arguments = PageArguments(first, after, last, before)
            return paginate(
                graph, hits, arguments, self.settings, key=attrgetter("entity.curie"), node=attrgetter("entity")
            )

        return member(
            connection,
            "Entities by name: exact names first, then words and beginnings of words, then similar spellings. At most 1,000 are found.",
            search,
            text=(str, "Name, code, abbreviation, identifier or words of the description."),
            kinds=(nullable(listed(self.types.enums["Kind"])), "Only these kinds."),
            **PAGING,
            as_of=(date | None, AS_OF),
        )

    # -------------------------------------------------------------- lists
    def _list(self, kind: Kind) -> Any:
        inputs = self.types.inputs
        keys = inputs.order_keys(kind, edges=False)

        def resolver(
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
            items: Any = graph.by_kind[kind.name]
            condition = inputs.condition(kind.name, filter)
            if condition is not None:
                items = [item for item in items if condition(item)]
            items = inputs.sort(items, keys, order_by)
            return paginate(
                graph,
                items,
                PageArguments(first, after, last, before),
                self.settings,
                key=attrgetter("curie"),
                node=itself,
            )

        return member(
            self.types.connections[kind.name],
            f"All {kind.plural}: {kind.description}",
            resolver,
            name=kind.plural,
            filter=(nullable(inputs.filter(kind.name)), "Only those that fulfil this."),
            order_by=(
                nullable(listed(self.types.orders[kind.name])),
                "Sort keys, first key first; by default by label.",
            ),
            **PAGING,
            as_of=(date | None, AS_OF),
        )


def _find(graph: Snapshot, id_: str) -> Entity | Assertion | None:
    curie = curie_of(id_)
    return graph.find(curie) or graph.assertion_by_id.get(curie)


@lru_cache(maxsize=8)
def build_schema(model: Model, settings: Settings | None = None) -> strawberry.Schema:
    """Return the GraphQL schema of a model."""
    return QueryBuilder(model, settings or Settings()).schema()
