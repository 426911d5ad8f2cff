"""The ``graphView`` query: a bounded piece of the graph to draw."""

from __future__ import annotations

from datetime import date
from typing import Any

import strawberry

from kg.errors import BadInput, LimitExceeded
from kg.figures import view_figure
from kg.formats import FORMATS, export
from kg.snapshot import Snapshot
from kg.views import Constraints, View, neighbourhood
from server.graphql.ids import curie_of
from server.graphql.members import fill, given, listed, make_enum, member, nullable, plain
from server.graphql.paging import check_clock
from server.graphql.request import AS_OF, Request, bounded, relation_names
from server.graphql.types import Types


def graph_view_field(types: Types) -> Any:
    """Return the ``graphView`` query."""
    node = {
        "entity": member(types.entity, "The entity."),
        "distance": member(int, "Hops from the nearest start."),
        "hidden": member(int, "Number of its edges that the view does not show."),
    }
    node_type = strawberry.type(
        fill(type("GraphViewNode", (), {}), node), name="GraphViewNode", description="An entity in a view."
    )
    view = {
        "nodes": member(listed(node_type), "Entities, nearest and most trusted first."),
        "edges": member(listed(types.assertion), "All allowed assertions between them."),
        "total_nodes": member(int, "Number of entities that depth and constraints allow.", name="totalNodes"),
        "truncated": member(bool, "Whether some of them are left out.", lambda self: self.truncated_by is not None),
        "truncated_by": member(str | None, "The limit that left them out.", name="truncatedBy"),
        "export": _export_field(),
    }
    view_type = strawberry.type(
        fill(type("GraphView", (), {}), view), name="GraphView", description="A bounded piece of the graph to draw."
    )

    def graph_view(
        self: Request,
        around: list[strawberry.ID],
        depth: int = 1,
        where: Any = None,
        max_nodes: int = 200,
        as_of: date | None = None,
    ) -> View:
        check_clock()
        graph, settings = self.at(as_of), self.settings
        for name, value, most in (
            ("max_view_depth", depth, settings.max_view_depth),
            ("max_view_nodes", max_nodes, settings.max_view_nodes),
        ):
            if value > most:
                raise LimitExceeded(name, most, value, "Ask for a smaller view and expand it step by step.")
        starts = [graph.entity(curie_of(str(id_))) for id_ in bounded(around, settings, "around")]
        if not starts:
            raise BadInput("The argument around is empty; name at least one entity.")
        return neighbourhood(starts, depth, max_nodes, _constraints(graph, where))

    return member(
        view_type,
        "What lies around some entities, bounded; the nearest and most trusted first.",
        graph_view,
        around=(list[strawberry.ID], "Global ids or CURIEs of the entities in the middle."),
        depth=(int, "Hops to go."),
        where=(nullable(_constraints_input(types)), "What the view may contain."),
        max_nodes=(int, "Most entities to return."),
        as_of=(date | None, AS_OF),
    )


def _export_field() -> Any:
    names = {name.upper().replace("-", "_"): name for name in FORMATS}
    format_type = make_enum(
        "GraphFormat",
        [(key, f"For {FORMATS[name].reads}.") for key, name in names.items()],
        "A format that tools read.",
    )

    def export_view(self: View, format: Any) -> str:
        check_clock()
        graph = self.nodes[0].entity.graph
        return export(view_figure(graph, self), names[plain(format)])

    return member(
        str,
        "The view as a file for other tools, with the places that the server's picture gives its entities.",
        export_view,
        name="export",
        format=(format_type, "The format to write."),
    )


def _constraints_input(types: Types) -> Any:
    enums = types.enums
    direction = make_enum(
        "WalkDirection",
        [("OUT", "From subject to object."), ("IN", "From object to subject."), ("BOTH", "Either way.")],
        "Which way edges are walked.",
    )
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
        "direction": (direction, "direction", strawberry.UNSET, "Only edges walked this way, outward from the middle."),
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
