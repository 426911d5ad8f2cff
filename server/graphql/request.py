"""What every root resolver works with: the request's pinned snapshot, and arguments made safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from kg.errors import LimitExceeded, NotFound, ReadOnly
from kg.graph import GraphService
from kg.published import Serving
from kg.records import Assertion
from kg.snapshot import Snapshot
from server.auth import ANYONE, Identity
from server.settings import Settings

if TYPE_CHECKING:
    from server.citations import Replay
    from server.graphql.changes import Changes
    from server.graphql.writing import Writer

AS_OF = "Show the graph as it was known at the end of this day: evidence published later is left out."


class Request:
    """What one request works with: a pinned snapshot, who asks, and the days it asked about.

    A change moves ``graph`` on to the version it made, and so does each event of a subscription.
    """

    def __init__(
        self,
        service: Serving,
        settings: Settings,
        identity: Identity = ANYONE,
        writer: Writer | None = None,
        changes: Changes | None = None,
    ) -> None:
        self.service = service
        self.graph: Snapshot = service.snapshot
        self.settings = settings
        self.identity = identity
        self.writer = writer
        self.changes = changes
        self.days: set[date | None] = set()
        self.edges: dict[str, Assertion] | None = None
        self.answer: str | None = None
        self.replay: Callable[[str], Replay] | None = None

    @property
    def versions(self) -> GraphService:
        """The service that holds the store; raises ReadOnly where a copy of a snapshot is served."""
        if not isinstance(self.service, GraphService):
            raise ReadOnly
        return self.service

    def rests_on(self, assertions: Iterable[Assertion]) -> None:
        """Say which edges the answer of a search rests on, so that it can be cited and asked again."""
        known = self.edges = {} if self.edges is None else self.edges
        known.update((assertion.id, assertion) for assertion in assertions)

    def at(self, day: date | None) -> Snapshot:
        """Return the graph as known on a day."""
        self.days.add(day)
        return self.graph.as_of(day)

    @property
    def extensions(self) -> dict[str, Any]:
        """What ``extensions.graph`` says of the answer."""
        days = sorted([day.isoformat() for day in self.days if day])
        as_of: Any = days[0] if len(days) == 1 else days or None
        answer = {} if self.answer is None else {"answer": self.answer}
        return {"version": self.graph.version.number, "asOf": as_of, **answer}


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
