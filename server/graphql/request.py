"""What every root resolver works with: the request's pinned snapshot, and arguments made safe."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from kg.errors import LimitExceeded, NotFound
from kg.graph import GraphService
from kg.snapshot import Snapshot
from server.auth import ANYONE, Identity
from server.settings import Settings

if TYPE_CHECKING:
    from server.graphql.changes import Changes
    from server.graphql.writing import Writer

AS_OF = "Show the graph as it was known at the end of this day: evidence published later is left out."


class Request:
    """What one request works with: a pinned snapshot, who asks, and the days it asked about.

    A change moves ``graph`` on to the version it made, and so does each event of a subscription.
    """

    def __init__(
        self,
        service: GraphService,
        settings: Settings,
        identity: Identity = ANYONE,
        writer: Writer | None = None,
        changes: Changes | None = None,
    ) -> None:
        self.service = service
        self.graph = service.snapshot
        self.settings = settings
        self.identity = identity
        self.writer = writer
        self.changes = changes
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


def bounded(ids: list[Any], settings: Settings, name: str) -> list[Any]:
    """Return the identifiers; raises LimitExceeded for too many of them."""
    if len(ids) > settings.max_ids:
        raise LimitExceeded(
            "max_ids", settings.max_ids, len(ids), f"Give fewer identifiers in {name}, in several requests."
        )
    return ids


def relation_names(graph: Snapshot, names: Iterable[str] | None) -> frozenset[str] | None:
    """Return relation names, inverse names turned round; raises NotFound for a name that is none."""
    if names is None:
        return None
    known = {r.name: r.name for r in graph.model.relations} | {r.inverse: r.name for r in graph.model.relations}
    for name in names:
        if name not in known:
            raise NotFound("relation", name, hint=f"Relations are {', '.join(r.name for r in graph.model.relations)}.")
    return frozenset(known[name] for name in names)
