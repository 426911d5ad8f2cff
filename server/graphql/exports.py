"""A view of the graph as a file for other tools."""

from __future__ import annotations

from typing import Any

from kg.figures import view_figure
from kg.formats import FORMATS, export
from kg.views import View
from server.graphql.members import make_enum, member, plain
from server.graphql.paging import check_clock


def export_field() -> Any:
    """Return the ``export`` field of views."""
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
