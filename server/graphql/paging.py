"""Relay connections over lists that are already chosen and ordered (Relay Cursor Connections Specification)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kg.errors import BadInput, InvalidCursor, LimitExceeded
from kg.sequences import Findable
from kg.snapshot import Snapshot
from server.graphql.ids import cursor, key_of
from server.graphql.members import itself
from server.settings import Settings

Found = TypeVar("Found")

_glances = itertools.count()
_deadline: ContextVar[tuple[float, float] | None] = ContextVar("deadline", default=None)
_gone: ContextVar[Callable[[], bool] | None] = ContextVar("gone", default=None)


def start_clock(seconds: float) -> None:
    """Give the current context this long from now."""
    _deadline.set((time.monotonic() + seconds, seconds))


def time_left() -> float | None:
    """Return the seconds that the current context has left, never below 0; None where no clock runs."""
    limit = _deadline.get()
    return None if limit is None else max(0.0, limit[0] - time.monotonic())


class ClientGone(BaseException):
    """Nobody waits for the answer any more.

    No ``Exception``: GraphQL would make an error of it, and the compiled executor would have it run again.
    """


def watch(gone: Callable[[], bool] | None) -> None:
    """Let the current context's work end as soon as nobody waits for it."""
    _gone.set(gone)


def look_at_clock() -> None:
    """Raise ClientGone where nobody waits for the current context's work; searches call it as they go."""
    gone = _gone.get()
    if gone is not None and gone():
        raise ClientGone


def check_clock(*_: object) -> None:
    """Raise LimitExceeded once the current context's time is up."""
    limit = _deadline.get()
    if limit is not None and time.monotonic() > limit[0]:
        raise LimitExceeded("request_seconds", limit[1], None, "Ask for fewer or smaller lists, or page through them.")


def glance_at_clock() -> None:
    """Do as ``check_clock`` every 64th time; for the thousands of short lists of one answer."""
    if not next(_glances) & 63:
        check_clock()


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Placed(Generic[Found]):
    """Something found by a search, with the cursor of its place: an edge, as Relay calls it."""

    node: Found
    cursor: str


@dataclass(slots=True)  # not frozen: that takes longer to make, and answers are made of hundreds
class Page:
    """One page of a list: ``items`` is the whole list, ``edges`` the part on the page."""

    graph: Snapshot
    items: Sequence[Any]
    edges: Sequence[Any]
    start: int
    key: Callable[[Any], str]
    node: Callable[[Any], Any]

    @property
    def nodes(self) -> Sequence[Any]:
        """The nodes of the page's edges."""
        return self.edges if self.node is itself else [self.node(edge) for edge in self.edges]

    @property
    def total_count(self) -> int:
        """Length of the whole list."""
        return len(self.items)

    @property
    def page_info(self) -> PageInfo:
        """What there is before and after the page."""
        ends = (cursor(self.graph, self.key(self.edges[i])) for i in (0, -1)) if self.edges else (None, None)
        first, last = ends
        return PageInfo(self.start + len(self.edges) < len(self.items), self.start > 0, first, last)


@dataclass(slots=True)  # not frozen, as Page
class PageArguments:
    """first, after, last and before, as a client gave them."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None


def paginate(
    graph: Snapshot,
    items: Sequence[Any],
    arguments: PageArguments,
    settings: Settings,
    *,
    key: Callable[[Any], str],
    node: Callable[[Any], Any],
) -> Page:
    """Return the page that the arguments ask for; raises BadInput, InvalidCursor or LimitExceeded for bad ones."""
    check_clock()
    first, last = arguments.first, arguments.last
    if first is not None:
        check_page_size(first, settings, "first")
    elif last is None:
        first = settings.page_size
    if last is not None:
        check_page_size(last, settings, "last")
    start, stop = 0, len(items)
    if arguments.after is not None:
        start = _position(graph, items, arguments.after, "after", key) + 1
    if arguments.before is not None:
        stop = max(start, _position(graph, items, arguments.before, "before", key))
    if first is not None and first < stop - start:
        stop = start + first
    if last is not None:
        start = max(start, stop - last)
    return Page(graph, items, items[start:stop], start, key, node)


def first_page(
    graph: Snapshot,
    items: Sequence[Any],
    first: int | None,
    settings: Settings,
    *,
    key: Callable[[Any], str],
    node: Callable[[Any], Any],
) -> Page:
    """Return the page that a list begins with, as ``paginate`` does where only ``first`` is asked for."""
    check_clock()
    check_page_size(first, settings)
    return Page(graph, items, items[: settings.page_size if first is None else first], 0, key, node)


def check_page_size(size: int | None, settings: Settings, name: str = "first") -> None:
    """Raise BadInput for a negative size of a page, LimitExceeded for one that is too large."""
    if size is None:
        return
    if size < 0:
        raise BadInput(f"The argument {name} is {size}; it must be 0 or more.")
    if size > settings.max_page_size:
        advice = f"Ask for fewer with {name} and page on with the cursors."
        raise LimitExceeded("max_page_size", settings.max_page_size, size, advice)


def _position(graph: Snapshot, items: Sequence[Any], text: str, argument: str, key: Callable[[Any], str]) -> int:
    wanted = key_of(graph, text, argument)
    if isinstance(items, Findable):
        place = items.place_of(wanted)
    else:
        place = next((place for place, item in enumerate(items) if key(item) == wanted), None)
    if place is not None:
        return place
    raise InvalidCursor(
        f"The cursor in {argument} names an item that is not in this list. Use cursors with the filter they were made with."
    )
