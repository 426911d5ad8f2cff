"""Why there is no path, what would give some, and how much work a search will be."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

from kg.budget import Budget
from kg.errors import BadInput
from kg.overlay import Scenario, scenario
from kg.paths.constraints import DAMPING, LENGTH, Ends, PathConstraints, resolve, understand
from kg.paths.counting import walk_count
from kg.paths.ground import Ground, Spent
from kg.paths.layers import Core, Layers, Places
from kg.paths.records import Path
from kg.paths.search import PathPage, find_paths, shortest_paths
from kg.records import Entity

LENGTHS_TO_TRY = 4  # steps beyond the asked length before giving up on longer paths
NEAREST = 3  # relaxations whose best path is shown
SHOWN = 5  # entities named where a walk got stuck


@dataclass(frozen=True)
class Asked:
    """A scenario and constraints together: what a relaxation changes."""

    scenario: Scenario
    constraints: PathConstraints


@dataclass(frozen=True)
class Relaxation:
    """A change to a question that gives it an answer: which constraints it touches, what to do, and what that gives.

    ``relaxed`` and ``scenario`` are what to ask instead. ``count`` is the number of paths, or None where
    counting would cost too much; ``best`` is the best of them.
    """

    constraints: tuple[str, ...]
    advice: str
    scenario: Scenario
    relaxed: PathConstraints
    count: int | None
    best: Path

    @property
    def at_least(self) -> int:
        """How many paths were seen or counted."""
        return 1 if self.count is None else self.count

    @property
    def text(self) -> str:
        """The change and what it gives, as a sentence."""
        count = "at least 1 path" if self.count is None else counted(self.count, "path")
        return f"{self.advice[:1].upper()}{self.advice[1:]}: {count}, such as “{self.best.text}”."


@dataclass(frozen=True)
class Stuck:
    """How far a metapath can be walked: the steps taken, how many entities stand there, and some of them."""

    steps: int
    count: int
    entities: tuple[Entity, ...]


@dataclass(frozen=True)
class WhyNot:
    """Why a question has no answer.

    ``blocking`` are the constraints without any one of which there would be an answer; ``relaxations`` the
    changes that give one, smallest first: fewest constraints touched, then fewest paths gained. ``nearest``
    are the paths that come closest: the best of each relaxation, and the best of the shortest with every
    constraint aside. ``stuck`` says where the metapath ends. Of an answer that is not ``empty`` nothing is said.
    """

    empty: bool
    blocking: tuple[str, ...] = ()
    relaxations: tuple[Relaxation, ...] = ()
    nearest: tuple[Path, ...] = ()
    stuck: Stuck | None = None
    truncated_by: str | None = None

    @property
    def text(self) -> str:
        """The explanation in sentences."""
        return " ".join(_sentences(self))


def why_not(
    what_if: Scenario,
    sources: Ends,
    targets: Ends,
    constraints: PathConstraints | None = None,
    *,
    budget: Budget | None = None,
) -> WhyNot:
    """Return why no path from the sources to the targets fulfils the constraints, and what to change.

    Each constraint, and each thing a scenario takes away, is relaxed in turn, as little as gives an answer;
    where none alone suffices, pairs are. Raises what ``find_paths`` raises.
    """
    inquiry = _Inquiry(what_if, sources, targets, constraints or PathConstraints(), budget or Budget())
    if inquiry.page(inquiry.asked):
        return WhyNot(False)
    singles = [found for ease in inquiry.eases() if (found := ease()) is not None]
    relaxations = singles or inquiry.pairs()
    relaxations.sort(key=lambda r: (len(r.constraints), math.inf if r.count is None else r.count, r.advice))
    blocking = tuple(dict.fromkeys(name for r in singles for name in r.constraints))
    return WhyNot(True, blocking, tuple(relaxations), inquiry.nearest(), inquiry.stuck(), inquiry.budget.exhausted_by)


class _Inquiry:
    """Questions close to one that has no answer."""

    def __init__(self, what_if: Scenario, sources: Ends, targets: Ends, asked: PathConstraints, budget: Budget) -> None:
        self.sources, self.targets = resolve(what_if, sources), resolve(what_if, targets)
        self.asked = Asked(what_if, asked)
        self.budget = budget

    def page(self, asked: Asked, *, count: bool = False) -> PathPage:
        """Return the best path of a question, if it has one."""
        return self._find(asked, first=1, count=count)

    def _find(self, asked: Asked, *, first: int, count: bool) -> PathPage:
        names = [entity.curie for entity in self.sources], [entity.curie for entity in self.targets]
        return find_paths(
            asked.scenario, *names, asked.constraints, LENGTH, first=first, budget=self.budget, count=count
        )

    def relaxation(self, asked: Asked, touches: Sequence[str], advice: str) -> Relaxation | None:
        """Return a change if it gives an answer; a change that makes the question contradict itself does not."""
        try:
            page = self.page(asked, count=True)
        except BadInput:
            return None
        if not page:
            return None
        return Relaxation(tuple(touches), advice, asked.scenario, asked.constraints, page.total, page.paths[0])

    # -------------------------------------------------------------- one constraint at a time
    def eases(self) -> Iterator[Callable[[], Relaxation | None]]:
        """Yield, for each constraint that is set, how to relax it as little as gives an answer."""
        asked = self.asked.constraints
        table: tuple[tuple[bool, Callable[[], Relaxation | None]], ...] = (
            (not asked.metapath, self.longer),
            (asked.min_length > 1 and not asked.metapath, self.shorter),
            (asked.min_confidence > 0.0, self.less_certain),
            (asked.relations is not None, self.more_relations),
            (asked.kinds is not None, self.more_kinds),
            (asked.levels is not None, lambda: self.changed("levels", "accept evidence of every level", levels=None)),
            (
                not asked.disputed,
                lambda: self.changed("disputed", "allow edges with contradicting evidence", disputed=True),
            ),
            (asked.direction != "both", lambda: self.changed("direction", "walk edges either way", direction="both")),
            (asked.signs is not None, lambda: self.changed("signs", "allow every sign", signs=None)),
            (bool(asked.metapath), self.any_metapath),
            (self.asked.scenario.graph.known_on is not None, self.any_day),
        )
        yield from (ease for is_set, ease in table if is_set)
        for name in ("via", "avoid"):
            for one in getattr(asked, name):
                yield lambda name=name, one=one: self.without_one(name, one)  # type: ignore[misc]
            if len(getattr(asked, name)) > 1:
                yield lambda name=name: self.changed(name, f"leave out all of {name}", **{name: ()})  # type: ignore[misc]
        for one in self.asked.scenario.without:
            yield lambda one=one: self.keep(one)  # type: ignore[misc]

    def changed(self, name: str, advice: str, **changes: object) -> Relaxation | None:
        """Return the question with one constraint changed, if that gives an answer."""
        return self.relaxation(self._with(**changes), [name], advice)

    def _with(self, **changes: object) -> Asked:
        return replace(self.asked, constraints=replace(self.asked.constraints, **changes))  # type: ignore[arg-type]

    def longer(self) -> Relaxation | None:
        longest = self.asked.constraints.longest
        for length in range(longest + 1, longest + 1 + LENGTHS_TO_TRY):
            found = self.changed("maxLength", f"raise maxLength to {length}", max_length=length)
            if found or self.budget.exhausted_by:
                return found
        return None

    def shorter(self) -> Relaxation | None:
        for length in range(self.asked.constraints.min_length - 1, 0, -1):
            found = self.changed("minLength", f"lower minLength to {length}", min_length=length)
            if found:
                return found
        return None

    def less_certain(self) -> Relaxation | None:
        """Lower the confidence to the most that still gives a path: the best weakest step, found by raising it."""
        least = asked = 0.0
        while asked <= 1.0 and (page := self.page(self._with(min_confidence=asked))):
            least = page.paths[0].weakest_step.confidence
            asked = math.nextafter(least, 2.0)
        shown = math.floor(least * 1000) / 1000
        return self.changed("minConfidence", f"lower minConfidence to {shown:g}", min_confidence=shown)

    def more_relations(self) -> Relaxation | None:
        found = self.changed("relations", "", relations=None)
        if found is None:
            return None
        known = set(self.asked.constraints.relations or ())
        more = [s.relation for s in found.best.steps if not {s.relation, s.name} & known]
        return self._more("relations", known, more) or replace(found, advice="allow every relation")

    def more_kinds(self) -> Relaxation | None:
        found = self.changed("kinds", "", kinds=None)
        if found is None:
            return None
        known = set(self.asked.constraints.kinds or ())
        more = [kind for kind in found.best.kinds[1:-1] if kind not in known]
        return self._more("kinds", known, more) or replace(found, advice="allow every kind")

    def _more(self, name: str, known: set[str], more: Sequence[str]) -> Relaxation | None:
        added = list(dict.fromkeys(more))
        return self.changed(name, f"add {' and '.join(added)} to {name}", **{name: sorted(known | set(added))})

    def any_metapath(self) -> Relaxation | None:
        found = self.changed("metapath", "", metapath=None, max_length=self.asked.constraints.longest)
        return found and replace(
            found, advice=f"drop the metapath; the shortest other one is {', '.join(found.best.metapath)}"
        )

    def without_one(self, name: str, one: str) -> Relaxation | None:
        entity = self.asked.scenario.graph.entity(one)
        kept = tuple(other for other in getattr(self.asked.constraints, name) if other != one)
        return self.changed(name, f"take {entity.label} ({entity.curie}) out of {name}", **{name: kept})

    # -------------------------------------------------------------- the scenario
    def any_day(self) -> Relaxation | None:
        """Look at the graph with all its evidence, under the same overlay."""
        here = self.asked.scenario
        later = replace(self.asked, scenario=scenario(here.graph.as_of(date.max), here.assumptions, here.without))
        found = self.relaxation(later, ["asOf"], "")
        if found is None:
            return None
        days = [
            min(e.known_on for e in s.evidence if e.direction == "SUPPORTS") for s in found.best.steps if not s.assumed
        ]
        return replace(found, advice=f"ask as of a later day; a path was known by {max(days, default=date.max)}")

    def keep(self, name: str) -> Relaxation | None:
        """Take away everything but one thing."""
        here = self.asked.scenario
        names = [other for other in here.without if other != name]
        kept = replace(self.asked, scenario=scenario(here.graph, here.assumptions, names))
        entity = here.graph.find(name)
        return self.relaxation(
            kept, ["without"], f"take {f'{entity.label} ({name})' if entity else name} out of without"
        )

    # -------------------------------------------------------------- several constraints, or all
    def pairs(self) -> list[Relaxation]:
        """Return what relaxing two constraints altogether gives."""
        asked = self.asked.constraints
        free = PathConstraints()
        names = [name for name in FREED if getattr(asked, name) != getattr(free, name) or name == "max_length"]
        found = []
        for pair in combinations(names, 2):
            changes = {name: self._freed(name) for name in pair}
            if "metapath" in pair and "max_length" not in pair:
                changes["max_length"] = asked.longest
            advice = " and ".join(
                f"drop {FREED[name]}" if name != "max_length" else f"raise maxLength to {changes[name]}"
                for name in pair
            )
            relaxed = self.relaxation(self._with(**changes), [FREED[name] for name in pair], advice)
            if relaxed:
                found.append(relaxed)
        return found

    def _freed(self, name: str) -> object:
        if name == "max_length":
            return self.asked.constraints.longest + LENGTHS_TO_TRY
        return getattr(PathConstraints(), name)

    def nearest(self) -> tuple[Path, ...]:
        """Return the best of the shortest paths with every constraint aside."""
        names = [entity.curie for entity in self.sources], [entity.curie for entity in self.targets]
        page = shortest_paths(self.asked.scenario, *names, first=1, budget=self.budget, count=False)
        return page.paths

    def stuck(self) -> Stuck | None:
        """Return where walking the metapath from the start comes to an end."""
        metapath = self.asked.constraints.metapath
        if not metapath:
            return None
        names = [entity.curie for entity in self.sources], [entity.curie for entity in self.targets]
        question = understand(self.asked.scenario, *names, replace(self.asked.constraints, via=()))
        layers = Layers(Ground(self.asked.scenario, question, self.budget), Places(len(metapath), {}))
        try:
            steps = max(i for i in range(len(metapath)) if len(layers.forward(i)))
        except (Spent, ValueError):
            return None
        ground = layers.ground
        nodes = sorted({int(node) for node in ground.nodes(layers.forward(steps))})
        return Stuck(steps, len(nodes), tuple(ground.adjacency.entities[node] for node in nodes[:SHOWN]))


def counted(number: int, thing: str) -> str:
    """Return “1 step”, “2 steps”."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


FREED = {
    "max_length": "maxLength",
    "min_length": "minLength",
    "relations": "relations",
    "kinds": "kinds",
    "via": "via",
    "avoid": "avoid",
    "metapath": "metapath",
    "levels": "levels",
    "min_confidence": "minConfidence",
    "direction": "direction",
    "disputed": "disputed",
    "signs": "signs",
}
"""Constraints that may be dropped, as the API spells them."""


def _sentences(why: WhyNot) -> Iterator[str]:
    if not why.empty:
        yield "There are paths."
        return
    if why.blocking:
        yield f"No path fulfils all constraints; {' or '.join(why.blocking)} leaves none."
    else:
        yield "No path fulfils all constraints."
    yield from (relaxation.text for relaxation in why.relaxations)
    if why.stuck:
        some = ", ".join(entity.label for entity in why.stuck.entities)
        yield (
            f"The metapath can be walked for {counted(why.stuck.steps, 'step')} from the start, "
            f"to {counted(why.stuck.count, 'thing')} ({some})."
        )
    if why.nearest:
        path = why.nearest[-1]
        yield f"With every constraint aside, the nearest connection has {counted(path.length, 'step')}: “{path.text}”."
    elif not why.truncated_by:
        yield "Nothing connects the two, whatever the constraints."
    if why.truncated_by:
        yield f"The search for reasons ended at its limit of {why.truncated_by}; there may be more."


# ------------------------------------------------------------------ before a search
@dataclass(frozen=True)
class Estimate:
    """How much work a search is, found by its first part alone: expanding both ends until they meet.

    ``forward`` and ``backward`` are the numbers of nodes one, two … steps from the starts and from the ends;
    ``by_length`` bounds the number of paths of each length from above, ``walks`` of all; ``steps`` is the work
    that took, in steps of a budget. ``truncated_by`` names the limit that a search of the same budget would meet while planning.
    """

    forward: tuple[int, ...]
    backward: tuple[int, ...]
    by_length: Mapping[int, float]
    steps: int
    truncated_by: str | None

    @property
    def walks(self) -> float:
        """The number of paths is at most this: of walks, which may meet a node twice."""
        return sum(self.by_length.values())

    @property
    def frontiers(self) -> tuple[int, ...]:
        """Numbers of nodes looked at, from the starts to where the sides met, and on to the ends."""
        return (*self.forward, *self.backward[::-1])

    @property
    def text(self) -> str:
        """The estimate in a sentence."""
        lengths = ", ".join(f"{walks:,.0f} of {length}" for length, walks in self.by_length.items())
        ended = f"; planning ended at its limit of {self.truncated_by}" if self.truncated_by else ""
        return f"At most {self.walks:,.0f} paths ({lengths} steps), {self.steps:,} steps of work to plan{ended}."


def estimate(
    what_if: Scenario,
    sources: Ends,
    targets: Ends,
    constraints: PathConstraints | None = None,
    *,
    budget: Budget | None = None,
    damping: float = DAMPING,
) -> Estimate:
    """Return how many paths there may be and what finding them takes, without listing any. Raises what ``find_paths`` raises."""
    budget = budget or Budget()
    question = understand(what_if, sources, targets, constraints or PathConstraints())
    core = Core(Ground(what_if, question, budget, damping))
    walks: dict[int, float] = {}
    try:
        for length in question.lengths:
            walks[length] = sum(walk_count(plan) for plan in core.plans(length))
    except Spent:
        pass
    sizes = [layers.sizes for layers in core.layers]
    return Estimate(
        _widest([forward for forward, _ in sizes]),
        _widest([backward for _, backward in sizes]),
        walks,
        budget.spent,
        budget.exhausted_by,
    )


def _widest(sizes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the greatest size at each distance, the ends themselves aside."""
    depth = max(map(len, sizes), default=1)
    return tuple(max(row[i] for row in sizes if len(row) > i) for i in range(1, depth))
