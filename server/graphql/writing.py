"""Changing the graph for a client: read, check, compare, apply; and say who did what.

What is wrong with the data comes back as diagnostics; raised are only a conflict, a limit, and requests
that make no sense. It all runs on the one thread of the write lane.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from kg.changes import ChangeSet
from kg.diagnostics import Diagnostic
from kg.diff import GraphDiff
from kg.errors import BadInput, CheckFailed, Conflict, KGError
from kg.graph import GraphService, Plan
from kg.impact import Impact, Limits, impact
from kg.snapshot import Snapshot
from server.auth import Identity
from server.graphql.changes import Changes
from server.graphql.uploads import Readers, Upload
from server.observability import Metrics
from server.settings import Settings

log = structlog.get_logger("cartograph.audit")
MAX_DIAGNOSTICS = 1_000
NAME_LENGTH = 200
MESSAGE_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Order:
    """A change that a client asks for."""

    uploads: Sequence[Upload]
    remove: Sequence[str]
    message: str
    expected_version: int | None = None
    dry_run: bool = False
    change_id: str | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """A change set that a client wants undone."""

    version: int
    message: str
    expected_version: int | None = None
    dry_run: bool = False
    change_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order: the graph as it is afterwards, the change set if one was made, and every finding.

    ``impact`` works out what the change moves: only who asks for it waits for that.
    """

    graph: Snapshot
    diagnostics: Sequence[Diagnostic] = ()
    change_set: ChangeSet | None = None
    diff: GraphDiff | None = None
    impact: Callable[[], Impact] | None = None
    before: int | None = None
    dry_run: bool = False
    names: Sequence[str] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether the data is right."""
        return not any(d.severity == "error" for d in self.diagnostics)

    @property
    def result(self) -> str:
        """One word for the log and the metrics."""
        if not self.ok:
            return "rejected"
        if self.dry_run:
            return "dry_run"
        return "applied" if self.change_set else "unchanged"


class Writer:
    """Carries out orders on a service's graph.

    ``steady`` is held while the graph is being changed: who reads several of its versions at once takes it.
    """

    def __init__(self, service: GraphService, changes: Changes, metrics: Metrics, settings: Settings) -> None:
        self.service = service
        self.changes = changes
        self.metrics = metrics
        self.readers = Readers(service, settings.upload_seconds, settings.upload_megabytes)
        self.limits = Limits(settings.impact_edges, settings.impact_pairs, settings.impact_seconds)
        self.steady = threading.RLock()

    def close(self) -> None:
        """Let go of what waits for the next order."""
        self.readers.close()

    def apply(self, order: Order, identity: Identity) -> Outcome:
        """Apply files as one change set; raises Conflict, BadInput or StoreError."""
        return self._audited("apply_changes", identity, lambda: self._apply(order, identity), message=order.message)

    def _apply(self, order: Order, identity: Identity) -> Outcome:
        _sensible(order)
        made = self._made(order.change_id)
        if made:
            return made
        self._expect(order.expected_version)
        documents = [self.readers.read(upload) for upload in order.uploads]
        names = [*(upload.name for upload in order.uploads), *order.remove]
        try:
            plan = self.service.plan(documents, order.remove)
        except CheckFailed as error:
            return Outcome(self.service.snapshot, error.diagnostics, dry_run=order.dry_run, names=names)
        return self._carry_out(plan, names, order.dry_run, order.message, identity, order.change_id)

    def revert(self, undo: Undo, identity: Identity) -> Outcome:
        """Undo a change set by a new one; raises NotFound, Conflict, BadInput or StoreError."""
        work = lambda: self._revert(undo, identity)  # noqa: E731
        return self._audited("revert", identity, work, message=undo.message, reverts=undo.version)

    def _revert(self, undo: Undo, identity: Identity) -> Outcome:
        _says_why(undo.message, undo.dry_run)
        made = self._made(undo.change_id, undo.version)
        if made:
            return made
        self._expect(undo.expected_version)
        try:
            plan = self.service.plan_revert(undo.version)
        except CheckFailed as error:
            return Outcome(self.service.snapshot, error.diagnostics, dry_run=undo.dry_run)
        names = list(plan.prepared.sources)
        return self._carry_out(plan, names, undo.dry_run, undo.message, identity, undo.change_id)

    def _made(self, change_id: str | None, reverts: int | None = None) -> Outcome | None:
        """Return what became of a change that was made, for a client that did not hear the first answer."""
        if change_id is not None and not 0 < len(change_id) <= NAME_LENGTH:
            raise BadInput(f"clientChangeId must have 1 to {NAME_LENGTH} characters; use a random UUID.")
        change = self.service.store.made(change_id)
        if change is None:
            return None
        if change.reverts != reverts:
            raise BadInput(
                f"The clientChangeId {change_id!r} belongs to another change, which made version {change.version}. "
                "Use a new one for each change, such as a random UUID."
            )
        diff = self.service.diff(change.version - 1, change.version)
        return Outcome(self.service.snapshot, change_set=change, diff=diff, before=change.version - 1)

    def _carry_out(
        self,
        plan: Plan,
        names: Sequence[str],
        dry_run: bool,
        message: str,
        identity: Identity,
        change_id: str | None = None,
    ) -> Outcome:
        before, change = self.service.snapshot, None
        if not dry_run:
            with self.steady:
                change = self.service.apply(plan, message=message, author=identity.author, change_id=change_id)
        now = self.service.snapshot
        after = (lambda: now) if change else (lambda: self.service.after(plan))
        return Outcome(
            now,
            plan.warnings,
            change,
            plan.diff,
            lambda: impact(before, plan.diff, after, self.limits),
            before.version.number,
            dry_run,
            names,
        )

    def _expect(self, version: int | None) -> None:
        now = self.service.store.version
        if version is not None and version != now:
            raise Conflict(version, now)

    # -------------------------------------------------------------- saying so
    def _audited(self, what: str, identity: Identity, work: Any, **facts: Any) -> Outcome:
        started = time.perf_counter()
        try:
            outcome: Outcome = work()
        except Exception as error:
            result = error.code.lower() if isinstance(error, KGError) else "failed"
            self.audit(what, identity, result, **facts)
            raise
        self.metrics.write_seconds.observe(time.perf_counter() - started)
        version = outcome.change_set.version if outcome.change_set else None
        self.audit(what, identity, outcome.result, version=version, sources=list(outcome.names), **facts)
        if outcome.change_set:
            self.changes.tell()
        return outcome

    def audit(self, what: str, identity: Identity, result: str, **facts: Any) -> None:
        """Log and count one attempt to write."""
        self.metrics.writes.labels(what, result).inc()
        log.info("write", what=what, who=identity.name, role=identity.role, how=identity.how, result=result, **facts)


def _sensible(order: Order) -> None:
    if not order.uploads and not order.remove:
        raise BadInput("There is nothing to apply: give content, files or remove.")
    _says_why(order.message, order.dry_run)
    names = [*(upload.name for upload in order.uploads), *order.remove]
    for name in names:
        if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
            raise BadInput(
                f"{name[:NAME_LENGTH]!r} is no name for a source; use a file name of up to {NAME_LENGTH} characters."
            )
    if len(set(names)) < len(names):
        raise BadInput("A source is named twice; give each once.")


def _says_why(message: str, dry_run: bool) -> None:
    if not message.strip() and not dry_run:
        raise BadInput("The message is empty; say why the change is made. It is kept in the history.")
    if len(message) > MESSAGE_LENGTH:
        raise BadInput(f"The message has {len(message)} characters; {MESSAGE_LENGTH} are kept. Say it shorter.")
