"""Versions: ``version``, ``history``, ``changeSet`` and ``diff``, and the subscription to new ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date, datetime
from typing import Any

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
)

from kg.changes import ChangeSet
from kg.diff import GraphDiff
from kg.errors import NotFound
from kg.snapshot import Snapshot
from server.graphql.diffs import Diffs, DiffView
from server.graphql.ids import cursor
from server.graphql.members import listed, made_type, member
from server.graphql.paging import Page, PageArguments, paginate, start_clock
from server.graphql.request import AS_OF, Request
from server.graphql.types import PAGING, Types

STORE_FIELDS = frozenset({"history", "changeSet", "diff"})  # root fields that read versions from the store


class History:
    """The types and root fields about versions of the graph."""

    def __init__(self, types: Types) -> None:
        self.types = types
        self.version = self._version_type()
        self.change_set = self._change_set_type()
        self.diffs = Diffs(types)
        self.diff = self.diffs.type

    def fields(self) -> dict[str, Any]:
        """Return the root fields of queries."""
        return {
            "version": self._version(),
            "history": self._history(),
            "change_set": self._change_set(),
            "diff": self._diff(),
        }

    # -------------------------------------------------------------- types
    def _version_type(self) -> Any:
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
        return made_type("GraphVersion", "Which graph this is, and how large.", members)

    def _change_set_type(self) -> Any:
        source = {
            "name": member(str, "Name of the file.", lambda self: self[0]),
            "sha256": member(
                str | None,
                "SHA-256 of its bytes; null where what the file said was taken out.",
                lambda self: self[1] or None,
            ),
        }
        source_type = made_type("ChangedSource", "A file that a change set loaded or took out.", source)
        members = {
            "version": member(int, "Version that the change made."),
            "time": member(datetime, "When it was made."),
            "author": member(str, "Who made it; with a token, the name of the token."),
            "message": member(str, "Why it was made."),
            "reverts": member(int | None, "Version that it undid, if it did nothing but that."),
            "client_change_id": member(
                str | None, "The client's own name for the change.", lambda self: self.change_id
            ),
            "added": member(int, "Number of quads it added."),
            "removed": member(int, "Number of quads it removed."),
            "sources": member(
                listed(source_type), "Files it loaded or took out.", lambda self: sorted(self.sources.items())
            ),
        }
        return made_type("ChangeSet", "One atomic change of the graph.", members)

    # -------------------------------------------------------------- queries
    def _version(self) -> Any:
        def version(self: Request, as_of: date | None = None) -> Any:
            return VersionView(self.at(as_of))

        said = "Which version of the graph answers, and how large it is."
        return member(self.version, said, version, as_of=(date | None, AS_OF))

    def _history(self) -> Any:
        edge_members = {
            "cursor": member(
                str, "Position of the change set, for after and before.", lambda self: cursor(self.graph, self.key)
            ),
            "node": member(self.change_set, "The change set."),
        }
        edge = made_type("ChangeSetEdge", "A change set on a page.", edge_members)
        connection = self.types.connection("ChangeSetConnection", edge, self.change_set, "A page of change sets.")

        def history(
            self: Request,
            first: int | None = None,
            after: str | None = None,
            last: int | None = None,
            before: str | None = None,
        ) -> Page:
            graph = self.graph
            entries = [Entry(graph, change) for change in reversed(changes_until(self))]
            arguments = PageArguments(first, after, last, before)
            return paginate(graph, entries, arguments, self.settings, key=lambda e: e.key, node=lambda e: e.node)

        return member(connection, "Change sets, newest first.", history, **PAGING)

    def _change_set(self) -> Any:
        def change_set(self: Request, version: int) -> ChangeSet:
            return change_set_of(self, version)

        said = "The change set that made a version."
        return member(self.change_set, said, change_set, version=(int, "Number of the version."))

    def _diff(self) -> Any:
        def diff(self: Request, from_: int, to: int) -> DiffView:
            for version in (from_, to):
                if version != 0:
                    change_set_of(self, version)
            return DiffView(compared(self, from_, to), self, from_, to)

        said = "How one version of the graph differs from another."
        first, second = "Number of one version; 0 is the empty graph.", "Number of the other version."
        returns, field = member(self.diff, said, diff, from_=(int, first), to=(int, second))
        field.base_resolver.arguments[0].graphql_name = "from"  # a word of Python, so no argument of a function
        return returns, field

    # -------------------------------------------------------------- the subscription
    def subscription(self) -> Any:
        """Return the root of subscriptions."""

        async def graph_changed(self: Request, since: int | None = None) -> AsyncGenerator[Any, None]:
            if self.changes is None:
                return
            known = self.graph.version.number if since is None else since
            async with aclosing(self.changes.after(known)) as graphs:
                async for graph in graphs:
                    self.graph = graph
                    start_clock(self.settings.request_seconds)
                    yield VersionView(graph)

        said = "Each new version of the graph as it comes about; who is slower than the changes gets the newest."
        since = "The version that is known already: a newer one is sent at once, so that nothing is missed between a query and this."
        returns = AsyncGenerator[self.version, None]  # type: ignore[name-defined]
        members = {
            "graph_changed": member(
                returns, said, graph_changed, maker=strawberry.subscription, since=(int | None, since)
            )
        }
        return made_type("Subscription", "What can be listened to, over WebSocket or server-sent events.", members)


class Entry:
    """A change set in a list of a graph's history."""

    __slots__ = ("graph", "key", "node")

    def __init__(self, graph: Snapshot, node: ChangeSet) -> None:
        self.graph, self.node, self.key = graph, node, str(node.version)


class VersionView:
    """What ``GraphVersion`` reads."""

    def __init__(self, graph: Snapshot) -> None:
        version = graph.version
        self.number, self.tag, self.time, self.author, self.message = (
            version.number,
            version.tag,
            version.time,
            version.author,
            version.message,
        )
        self.entities, self.assertions = len(graph.entities), len(graph.assertions)
        self.evidence, self.sources = graph.evidence_count, len(graph.sources)
        self._graph = graph

    @property
    def edges(self) -> int:
        """Number of edges; counting them takes 10 ms on 765,796 assertions."""
        return self._graph.edge_count


def asks_store(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Whether an operation asks for what the store holds and no snapshot does."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    seen: set[str] = set()
    waiting = [operation.selection_set]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                if node.name.value in STORE_FIELDS:
                    return True
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                waiting.append(fragments[node.name.value].selection_set)
    return False


def changes_until(request: Request) -> list[ChangeSet]:
    """Return the change sets that made the graph a request reads, oldest first."""
    return [change for change in request.versions.store.history() if change.version <= request.graph.version.number]


def change_set_of(request: Request, version: int) -> ChangeSet:
    """Return the change set that made a version; raises NotFound for one there is not."""
    found = next((change for change in changes_until(request) if change.version == version), None)
    if found is None:
        last = request.graph.version.number
        raise NotFound(
            "change set", str(version), hint=f"Versions go from 1 to {last}." if last else "There are none yet."
        )
    return found


def compared(request: Request, first: int, second: int) -> GraphDiff:
    """Return how one version differs from another, with no write in between to mix a third one in."""
    if request.writer is None:
        return request.versions.diff(first, second)
    with request.writer.steady:
        return request.versions.diff(first, second)
