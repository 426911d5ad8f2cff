"""The ``graphView`` query: a bounded piece of the graph to draw."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from kg.errors import BadInput, LimitExceeded
from kg.snapshot import Snapshot
from kg.views import Constraints, View, neighbourhood
from server.graphql.ids import curie_of
from server.graphql.members import fill, given, listed, member, nullable, plain
from server.graphql.paging import check_clock
from server.graphql.request import AS_OF, Request, bounded, relation_names
from server.graphql.types import Types


def graph_view_field(types: Types) -> Any:
    """Return the ``graphView`` query."""

    def graph_view(
        self: Request,
        around: list[strawberry.ID],
        depth: int = 1,
        where: Any = None,
        max_nodes: int = 200,
        max_edges: int | None = None,
        as_of: date | None = None,
    ) -> View:
        check_clock()
        graph, settings = self.at(as_of), self.settings
        for name, value, most in (
            ("max_view_depth", depth, settings.max_view_depth),
            ("max_view_nodes", max_nodes, settings.max_view_nodes),
            ("max_view_edges", max_edges, settings.max_view_edges),
        ):
            if value is not None and value > most:
                raise LimitExceeded(name, most, value, "Ask for a smaller view and expand it step by step.")
        starts = [graph.entity(curie_of(str(id_))) for id_ in bounded(around, settings, "around")]
        if not starts:
            raise BadInput("The argument around is empty; name at least one entity.")
        edges = settings.max_view_edges if max_edges is None else max_edges
        return neighbourhood(starts, depth, max_nodes, _constraints(graph, where), max_edges=edges)

    return member(
        types.graph_view,
        "What lies around some entities, bounded; the nearest and most trusted first.",
        graph_view,
        around=(list[strawberry.ID], "Global ids or CURIEs of the entities in the middle."),
        depth=(int, "Hops to go."),
        where=(nullable(_constraints_input(types)), "What the view may contain."),
        max_nodes=(int, "Most entities to return."),
        max_edges=(
            int | None,
            "Most edges to return; the service's own limit if not given. Those that join the entities come first, then the most trusted.",
        ),
        as_of=(date | None, AS_OF),
    )


def _constraints_input(types: Types) -> Any:
    enums = types.enums
    fields: dict[str, tuple[Any, str, Any, str]] = {
        "relations": (list[str], "relations", strawberry.UNSET, "Only edges of these relations."),
        "kinds": (
            listed(enums["Kind"]),
            "kinds",
            strawberry.UNSET,
            "Only entities of these kinds, the ones in the middle aside.",
        ),
        "levels": (
            listed(enums["EvidenceLevel"]),
            "levels",
            strawberry.UNSET,
            "Only edges with some evidence of one of these levels.",
        ),
        "avoid": (list[strawberry.ID], "avoid", strawberry.UNSET, "None of these entities."),
        "min_confidence": (float, "minConfidence", strawberry.UNSET, "Only edges of at least this confidence."),
        "direction": (
            types.walk_direction,
            "direction",
            strawberry.UNSET,
            "Only edges walked this way, outward from the middle.",
        ),
    }
    members = {
        a: (nullable(t), strawberry.field(default=d, name=n, description=said)) for a, (t, n, d, said) in fields.items()
    }
    return strawberry.input(
        fill(type("GraphConstraints", (), {}), members),
        name="GraphConstraints",
        description="What a view of the graph may contain.",
    )


def _constraints(graph: Snapshot, where: Any) -> Constraints:
    kinds, levels, avoid, direction = (given(where, name) for name in ("kinds", "levels", "avoid", "direction"))
    minimum = given(where, "min_confidence") or 0.0
    if not 0 <= minimum <= 1:
        raise BadInput(f"minConfidence is {minimum:g}; a confidence lies between 0 and 1.")
    return Constraints(
        relations=relation_names(graph, given(where, "relations")),
        kinds=None if kinds is None else frozenset(plain(kind) for kind in kinds),
        levels=None if levels is None else frozenset(plain(level) for level in levels),
        avoid=frozenset(graph.entity(curie_of(str(id_))).curie for id_ in avoid or ()),
        min_confidence=minimum,
        direction=plain(direction).lower() if direction else "both",
    )
