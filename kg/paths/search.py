"""Searching for paths: a page of the best, all of the shortest, or the piece of the graph that they make up."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from kg.budget import Budget
from kg.errors import BadInput, InvalidCursor
from kg.frames import frame
from kg.overlay import Scenario
from kg.paths.constraints import (
    ANYTHING,
    CONFIDENCE,
    DAMPING,
    LENGTH,
    ORDERS,
    Ends,
    PathConstraints,
    Question,
    understand,
)
from kg.paths.counting import count_paths
from kg.paths.diversity import Diverse
from kg.paths.ground import Ground, Spent
from kg.paths.layers import Core
from kg.paths.listing import Listed
from kg.paths.nearest import any_nearest, nearest
from kg.paths.ranking import Found, Key, Ranking
from kg.paths.records import Path, Steps
from kg.records import Assertion
from kg.views import View, ViewNode

FRAME = ["id", "score", "length", "sign", "metapath", "nodes", "weakest_confidence", "newest", "assumed", "text"]
COUNT_SHARE = 0.5  # of what a search left of its budget


@dataclass(frozen=True)
class PathPage:
    """Some paths, in order, and what is known of the rest.

    ``position`` is the number of paths before these. ``total`` counts all paths that answer, or is None where
    counting would cost too much. ``has_next`` says that more are known or, if ``truncated_by`` names the limit
    that ended the search ("steps" or "seconds"), that there may be more. ``exhaustive`` is true where these,
    with the pages before, are all there are.
    """

    paths: tuple[Path, ...]
    position: int
    total: int | None
    has_next: bool
    truncated_by: str | None
    order_by: str
    make_cursors: Callable[[], tuple[str, ...]] = field(default=tuple, repr=False)

    @cached_property
    def cursors(self) -> tuple[str, ...]:
        """The places of the paths, for ``after``."""
        return self.make_cursors()

    def to_frame(self) -> Any:
        """Return a pandas frame, a row a path; raises BadInput that says what to install where pandas is missing."""
        rows = [
            {
                "id": path.id,
                "score": path.score.value,
                "length": path.length,
                "sign": path.sign,
                "metapath": " ".join(path.metapath),
                "nodes": " ".join(node.curie for node in path.nodes),
                "weakest_confidence": path.weakest_step.confidence,
                "newest": path.newest,
                "assumed": path.assumed,
                "text": path.text,
            }
            for path in self.paths
        ]
        return frame(rows, FRAME)

    @property
    def exhaustive(self) -> bool:
        """Whether this page and those before it hold every path."""
        return not self.has_next and self.truncated_by is None

    @property
    def remaining(self) -> int | None:
        """Number of paths after this page, or None where that is not known."""
        return None if self.total is None else max(0, self.total - self.position - len(self.paths))

    @property
    def end_cursor(self) -> str | None:
        """The cursor to go on from, if there are paths here."""
        return self.cursors[-1] if self.cursors else None

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def find_paths(
    scenario: Scenario,
    sources: Ends,
    targets: Ends,
    constraints: PathConstraints | None = None,
    order_by: str = CONFIDENCE,
    *,
    first: int = 10,
    after: str | None = None,
    budget: Budget | None = None,
    diverse: bool = False,
    damping: float = DAMPING,
    count: bool = True,
) -> PathPage:
    """Return the ``first`` paths from any of the sources to any of the targets, after the cursor ``after``.

    Paths meet no node twice, walk edges either way, and differ if any edge does. The answer is exact and the
    order total: by ``order_by``, ties by the steps. CONFIDENCE puts the best ``Path.score`` first; LENGTH the
    fewest steps, then the best score; NOVELTY the newest evidence, then the best score. ``diverse`` picks, at
    each place, the path that adds most to those before it (see ``kg.paths.diversity``). A search that its
    budget ends returns what it has, with ``truncated_by``. ``count`` false spares the count of all paths.

    Raises NotFound for unknown names, BadInput for contradictory constraints, InvalidCursor for a cursor of
    another list or version.
    """
    if order_by not in ORDERS:
        raise BadInput(f"Paths are ordered by {', '.join(ORDERS)}, not {order_by!r}.")
    question = understand(scenario, sources, targets, constraints or ANYTHING)
    return Search(scenario, question, damping, budget).page(
        order_by, first=first, after=after, diverse=diverse, count=count
    )


def shortest_paths(
    scenario: Scenario,
    sources: Ends,
    targets: Ends,
    constraints: PathConstraints | None = None,
    *,
    first: int = 100,
    after: str | None = None,
    budget: Budget | None = None,
    damping: float = DAMPING,
    count: bool = True,
) -> PathPage:
    """Return the paths of the least length at which there are any, best score first.

    Without a ``max_length`` they are looked for up to the distance of the ends, or four steps if that is
    less. Paging, limits and errors are those of ``find_paths``.
    """
    asked = constraints or ANYTHING
    search = Search(scenario, understand(scenario, sources, targets, asked), damping, budget)
    return search.shortest_page(limited=asked.max_length is not None, first=first, after=after, count=count)


def connecting_subgraph(
    scenario: Scenario,
    sources: Ends,
    targets: Ends,
    constraints: PathConstraints | None = None,
    order_by: str = CONFIDENCE,
    *,
    paths: int = 10,
    budget: Budget | None = None,
    diverse: bool = False,
) -> View:
    """Return the union of the best paths as a view; a node's distance is its least number of steps from a start.

    ``truncated_by`` is "paths" where more paths were left out, or the limit that ended the search.
    """
    page = find_paths(
        scenario, sources, targets, constraints, order_by, first=paths, budget=budget, diverse=diverse, count=False
    )
    edges = {step.assertion.id: step.assertion for path in page for step in path.steps}
    distances: dict[str, tuple[int, int]] = {}
    for rank, path in enumerate(page):
        for i, node in enumerate(path.nodes):
            distances[node.curie] = min(distances.get(node.curie, (i, rank)), (i, rank))
    shown = sorted(distances, key=lambda curie: (*distances[curie], curie))
    nodes = tuple(_view_node(scenario, curie, distances[curie][0], edges) for curie in shown)
    return View(
        nodes, tuple(edges.values()), len(nodes), len(edges), page.truncated_by or ("paths" if page.has_next else None)
    )


def _view_node(scenario: Scenario, curie: str, distance: int, edges: dict[str, Assertion]) -> ViewNode:
    entity = scenario.graph.entities[curie]
    own = {edge.assertion.id for links in entity.links.values() for edge in links} - scenario.removed
    return ViewNode(entity, distance, len(own - edges.keys()))


# ------------------------------------------------------------------ one search
class Search:
    """A question about a scenario, and the work on it."""

    def __init__(self, scenario: Scenario, question: Question, damping: float, budget: Budget | None) -> None:
        self.scenario = scenario
        self.question = question
        self.damping = damping
        self.budget = budget or Budget()
        self.ground = Ground(scenario, question, self.budget, damping)
        self.core = Core(self.ground)
        self.begun: Stream | None = None  # the paths by length, where the search was begun already

    def page(
        self, order_by: str, *, first: int, after: str | None = None, diverse: bool = False, count: bool = True
    ) -> PathPage:
        """Return a page of the paths in an order; the arguments are those of ``find_paths``."""
        if first < 0:
            raise BadInput(f"`first` is {first}; ask for 0 or more paths.")
        bookmarks = Bookmarks(self.scenario, self.question, (order_by, diverse, self.damping))
        stream = bookmarks.take(after) if after else None
        if stream is None:
            stream = self.begun or Stream(self.core, order_by, diverse=diverse)
            if after:
                before, key = bookmarks.place(after)
                stream.expect(before + first + 1)
                stream.skip(before, key, self.budget)
        before = bookmarks.place(after)[0] if after else 0
        stream.expect(first + 1)
        found = stream.take(first, self.budget)
        has_next = stream.has_next(self.budget)
        total = before + len(found) if stream.complete else None
        if total is None and count:
            total = stream.total(self.budget)
        if found and has_next and stream.weight:
            bookmarks.keep(before + len(found), found[-1].key, stream)
        paths = paths_of(stream.core.ground, found)
        return PathPage(
            paths,
            before,
            total,
            has_next,
            stream.truncated_by,
            order_by,
            lambda: tuple(bookmarks.cursor(before + i, one) for i, one in enumerate(found, 1)),
        )

    def shortest_page(self, *, limited: bool, first: int, after: str | None = None, count: bool = True) -> PathPage:
        """Return a page of the shortest paths; those of ``max_length`` steps at most, if ``limited``."""
        shortest, stopped = self._shortest(limited=limited)
        if shortest is None:
            return PathPage((), 0, None if stopped else 0, stopped is not None, stopped, LENGTH)
        return shortest.page(LENGTH, first=first, after=after, count=count)

    def _shortest(self, *, limited: bool) -> tuple[Search | None, str | None]:
        """Return the search at the least length that a path has, or None, and the limit that ended it, if one did."""
        asked = self.question
        try:
            if asked.is_simple:
                plan = nearest(self.ground, asked.longest if limited else None)
                if plan is None:
                    return None, None
                self.core.hold(plan)
                return self._of_length(plan.length), None
            least = asked.shortest
            if not (asked.steps or asked.via):
                plain = asked._replace(signs=None)
                distant = any_nearest(Ground(self.scenario, plain, self.budget) if asked.signs else self.ground)
                if distant is None:
                    return None, None
                least = max(least, distant.length)
            longest = asked.longest if limited or asked.steps else max(asked.longest, least)
            for length in range(least, longest + 1):
                search = Search(self.scenario, self.question, self.damping, self.budget)._of_length(length)
                stream = Stream(search.core, LENGTH, diverse=False)
                if stream.peek(self.budget):
                    search.begun = stream
                    return search, None
                if stream.truncated_by:
                    return None, stream.truncated_by
        except Spent:
            return None, self.budget.exhausted_by
        return None, None

    def _of_length(self, length: int) -> Search:
        """Ask for paths of one length from now on."""
        self.question = self.ground.question = self.question.of_length(length)
        return self


class Stream:
    """Paths one after another, with a look at whether there is one more."""

    def __init__(self, core: Core, order_by: str, *, diverse: bool) -> None:
        self.core = core
        self._ranking = Ranking(core, order_by) if diverse else Listed(core, order_by)
        self._source = Diverse(self._ranking) if isinstance(self._ranking, Ranking) else self._ranking
        self._peeked: Found | None = None
        self._total: int | None = None

    @property
    def truncated_by(self) -> str | None:
        """The limit that ended the search, or for which long paths were left out."""
        return self._ranking.truncated_by

    @property
    def complete(self) -> bool:
        """Whether all paths there are have been taken."""
        return self._source.complete and self._peeked is None

    @property
    def weight(self) -> int:
        """How much memory keeping it takes, in prefixes and steps."""
        return self._ranking.queued

    def next(self, budget: Budget) -> Found | None:
        """Return the next path, if there is one within the budget."""
        found, self._peeked = self._peeked, None
        return found or self._source.next(budget)

    def expect(self, count: int) -> None:
        """Say how many of the next paths will be asked for, which finds many at a lower price."""
        if isinstance(self._ranking, Listed):
            self._ranking.expected = self._ranking.position + count

    def take(self, count: int, budget: Budget) -> list[Found]:
        """Return up to so many of the next paths."""
        found: list[Found] = []
        while len(found) < count and (one := self.next(budget)) is not None:
            found.append(one)
            if isinstance(self._ranking, Listed):
                found += self._ranking.ahead(count - len(found), budget)
        return found

    def peek(self, budget: Budget) -> Found | None:
        """Return the next path, which stays the next one."""
        self._peeked = self.next(budget)
        return self._peeked

    def has_next(self, budget: Budget) -> bool:
        """Return whether there is one more path, or there may be as the budget does not allow to say."""
        if self.complete:
            return False
        if self._peeked is None and isinstance(self._ranking, Listed) and self._ranking.more:
            return True
        return self.peek(budget) is not None or not self._source.complete

    def skip(self, position: int, key: Key, budget: Budget) -> None:
        """Go on to behind a place: by its key in a plain order, by its number in a diverse one."""
        while (one := self.next(budget)) is not None:
            position -= 1
            if position <= 0 if self._source is not self._ranking else one.key >= key:
                self._peeked = one if self._source is self._ranking and one.key > key else None
                return

    def total(self, budget: Budget) -> int | None:
        """Return the number of all paths, or None where counting would cost too much."""
        if self._total is None and self.truncated_by is None:
            share = budget.share(COUNT_SHARE)
            self._total = count_paths(self.core, share)
            budget.spend(share.spent)
        return self._total


# ------------------------------------------------------------------ cursors
class Bookmarks:
    """The cursors of one list: where paths stand in it, and the searches that were stopped there.

    A cursor says all that is needed to go on, at the price of finding the earlier paths again; the latest few
    stopped searches are kept beside the graph, and going on from one of them costs nothing.
    """

    def __init__(self, scenario: Scenario, question: Question, settings: tuple[object, ...]) -> None:
        self._list = scenario.key, question, settings
        self._open = scenario.graph.adjacency.open_searches

    @cached_property
    def _tag(self) -> str:
        """Names the list; few pages need it."""
        scenario, question, settings = self._list
        text = repr((scenario, question.key, settings))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def cursor(self, position: int, found: Found) -> str:
        """Return the cursor of the path that so many paths end with."""
        text = json.dumps([self._tag, position, found.key], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def place(self, cursor: str) -> tuple[int, Key]:
        """Return the number and the key of a cursor's path; raises InvalidCursor for those of other lists."""
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            tag, position, (one, two, three, steps) = json.loads(text)
            place = int(position), (int(one), int(two), int(three), tuple(int(step) for step in steps))
        except (binascii.Error, ValueError, TypeError) as error:
            raise InvalidCursor(f"{cursor!r} is no cursor of a path; use one that a page of paths gave.") from error
        if tag != self._tag:
            raise InvalidCursor(
                "The cursor belongs to another list of paths or another version of the graph; start again without `after`."
            )
        return place

    def take(self, cursor: str) -> Stream | None:
        """Return the search that stopped at a cursor, if it is still open; it is then no longer kept."""
        found = self._open.pop((self._list, *self.place(cursor)))
        return found if isinstance(found, Stream) else None

    def keep(self, position: int, key: Key, stream: Stream) -> None:
        """Keep a search that stopped at a place for a while."""
        self._open.put((self._list, position, key), stream, stream.weight)


# ------------------------------------------------------------------ records
def paths_of(ground: Ground, several: Sequence[Found]) -> tuple[Path, ...]:
    """Return the records of paths that were found by numbers; steps that they share are one record."""
    entities, steps = ground.adjacency.entities, Steps(ground)
    made = {number: entities[number] for number in set(chain.from_iterable([found.nodes for found in several]))}
    return tuple([Path(tuple([made[node] for node in found.nodes]), found, steps) for found in several])
