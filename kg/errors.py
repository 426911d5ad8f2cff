"""Every error this service raises on purpose.

KGError
├── BadInput              what was asked cannot be read or understood
│   ├── NotFound          a name that resolves to nothing; carries near matches
│   ├── InvalidCursor     a cursor of another version or another list
│   ├── SyntaxProblem     text that is not the format it claims to be; carries the place
│   └── CheckFailed       data that parsed but is not right; carries every diagnostic
├── AccessDenied          who asks may not do this
│   ├── Unauthenticated   no token, or one that is not valid
│   ├── Forbidden         a valid token whose role does not reach
│   └── ReadOnly          nobody may: what is served is a copy without its history
├── LimitExceeded         a setting's bound was passed; carries its name, the bound and the value
│   ├── TooManyAttempts   failed tokens from one address; carries when to try again
│   └── Busy              more work is waiting than may; carries when to try again
├── SchemaError           the schema folder itself is wrong
└── StoreError            the data folder cannot be used
    ├── StoreLocked       another process has it open
    ├── StoreDamaged      it is not what it was when last written
    ├── StoreFull         the disk has too little room
    ├── WriterGone        the process that writes is not there now; others still read
    └── Conflict          the graph moved on since the client looked
        └── RevertConflict    later change sets touched what is to be undone; names them

Each class has a GraphQL ``code`` and an HTTP ``status``; each error keeps the data that its message
is rendered from, and ``extensions`` gives the part of it that clients may see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from kg.checking import Diagnostic


def abridged(text: str, most: int = 400) -> str:
    """Return a text as a message may hold it: of a long one the beginning and the end, and how much is left out."""
    if len(text) <= most:
        return text
    head, tail = most * 3 // 4, most // 4
    return f"{text[:head]} … ({len(text) - head - tail:,} characters) … {text[-tail:]}"


class KGError(Exception):
    """Root of all errors raised on purpose; its text is safe to show to a client."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500

    @property
    def extensions(self) -> dict[str, Any]:
        """Return the data a client may see beside the message."""
        return {"code": self.code}


class BadInput(KGError):
    """What was asked cannot be read or understood."""

    code = "BAD_USER_INPUT"
    status = 400


@dataclass(frozen=True)
class NearMatch:
    """A name close to one that was not found."""

    curie: str
    label: str

    def __str__(self) -> str:
        return f"{self.curie} {self.label}".strip()


class NotFound(BadInput):
    """A name that resolves to nothing, with the names it may have been meant to be."""

    code = "NOT_FOUND"
    status = 404

    def __init__(self, what: str, name: str, near: Sequence[NearMatch] = (), hint: str = "") -> None:
        self.what, self.name, self.near = what, abridged(name, 200), tuple(near)
        meant = f" Did you mean {' or '.join(map(str, self.near))}?" if self.near else ""
        super().__init__(f"No {what} is called {self.name!r}.{meant}{' ' + hint if hint else ''}")

    @property
    def extensions(self) -> dict[str, Any]:
        """Return the code, the name and the near matches."""
        near = [{"curie": n.curie, "label": n.label} for n in self.near]
        return {**super().extensions, "name": self.name, "nearMatches": near}


class InvalidCursor(BadInput):
    """A cursor that was not issued for this version of this list."""


class SyntaxProblem(BadInput):
    """Text that is not the format it claims to be."""

    def __init__(self, source: str, message: str, line: int | None = None, column: int | None = None) -> None:
        self.source, self.line, self.column, self.reason = source, line, column, message
        place = ":".join(str(part) for part in (source, line, column) if part is not None)
        super().__init__(f"{place}: {message}")


class CheckFailed(BadInput):
    """Data that parsed but breaks the schema's rules."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        errors = [d for d in self.diagnostics if d.severity == "error"]
        first = "\n".join(str(d) for d in errors[:5])
        more = f"\n… and {len(errors) - 5} more; run `kg check` to see all" if len(errors) > 5 else ""
        super().__init__(
            f"{len(errors)} problem{'s' * (len(errors) != 1)} in the data, nothing was loaded:\n{first}{more}"
        )


class LimitExceeded(KGError):
    """A request went past one of the service's limits."""

    code = "LIMIT_EXCEEDED"
    status = 400

    def __init__(self, limit: str, maximum: float, value: float | None, advice: str) -> None:
        self.limit, self.maximum, self.value = limit, maximum, value
        reached = f" and this one has {value:g}" if value is not None else ""
        super().__init__(f"The limit {limit} is {maximum:g}{reached}. {advice}")

    @property
    def extensions(self) -> dict[str, Any]:
        """Return the limit's name, its bound and the value that passed it."""
        return {**super().extensions, "limit": self.limit, "maximum": self.maximum, "value": self.value}


class TooManyAttempts(LimitExceeded):
    """Too many failed tokens came from one address."""

    status = 429
    retry_after: int = 60


class Busy(LimitExceeded):
    """More work is waiting than may wait."""

    status = 503
    retry_after: int = 5


class AccessDenied(KGError):
    """Who asks may not do this."""

    code = "FORBIDDEN"
    status = 403


class Unauthenticated(AccessDenied):
    """There is no token, or it is not valid."""

    code = "UNAUTHENTICATED"
    status = 401


class Forbidden(AccessDenied):
    """The token is valid and its role does not reach."""


class ReadOnly(AccessDenied):
    """What is served is a copy of a snapshot: there is no store to write to or to read versions from."""

    code = "READ_ONLY"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            "This service only reads: it serves a copy of one version, without history and without anything to "
            "write to. Ask the service that the copy was made from."
        )


class SchemaError(KGError):
    """The schema folder does not describe a graph."""


class StoreError(KGError):
    """The data folder cannot be used."""

    code = "STORE_UNAVAILABLE"
    status = 503


class StoreLocked(StoreError):
    """Another process has the data folder open."""


class StoreDamaged(StoreError):
    """The data folder is not what it was when last written."""


class StoreFull(StoreError):
    """The disk has too little room for a write."""

    status = 507


class WriterGone(StoreError):
    """The process that writes is not there now; others still read."""

    code = "WRITER_GONE"
    retry_after = 3  # seconds


class Conflict(StoreError):
    """The graph moved on since the client looked."""

    code = "CONFLICT"
    status = 409

    def __init__(self, expected: int, actual: int) -> None:
        self.expected, self.actual = expected, actual
        super().__init__(
            f"The change was made for version {expected}, but the graph is at version {actual}. Read it again and retry."
        )

    @property
    def extensions(self) -> dict[str, Any]:
        """Return both versions."""
        return {**super().extensions, "expectedVersion": self.expected, "version": self.actual}


class RevertConflict(Conflict):
    """A change set cannot be undone by itself, because later ones touched the same statements."""

    def __init__(self, reverted: int, later: Sequence[int], statements: int) -> None:
        self.expected, self.actual = reverted, max(later, default=reverted)
        self.later = tuple(later)
        touched = ", ".join(map(str, later)) or "none: it was never in the graph"
        StoreError.__init__(
            self,
            f"Version {reverted} cannot be undone by itself: {statements} of its statements were changed again later, "
            f"by version {touched}. Revert those first, or load a corrected file.",
        )

    @property
    def extensions(self) -> dict[str, Any]:
        """Return the version to be undone and the later ones in its way."""
        return {"code": self.code, "changeSet": self.expected, "laterChangeSets": list(getattr(self, "later", ()))}
