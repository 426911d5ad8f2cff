"""``/paths.svg`` and its siblings: how entities connect, as a picture from left to right or in a format that other tools read.

``PATH_PARAMETERS`` is the contract with everyone who put such an address into a page: names are added to it,
never taken away (tests/server/test_embed.py holds a copy).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from kg.budget import Budget
from kg.errors import BadInput
from kg.figures import Figure, path_figure
from kg.overlay import Assumption, Scenario, scenario
from kg.paths import ORDERS, Path, PathConstraints, PathPage, find_paths
from kg.paths.constraints import DIRECTIONS, SIGNS
from kg.records import Entity
from kg.snapshot import Snapshot
from server.answers import Answer, Visit
from server.graphql.ids import curie_of
from server.graphql.request import bounded
from server.viewing import ENDINGS, check_names, exported, listed_names

FIRST = 10
PATH_PARAMETERS = {
    "from": "CURIEs, IRIs or other identifiers of where paths start, separated by commas.",
    "to": "The same of where they end.",
    "metapath": "Relation of every step as read along the way: its name, or its inverse name to walk it backwards.",
    "max-length": "Most steps; 4 if not given, or as many as metapath has.",
    "min-length": "Fewest steps; 1 if not given.",
    "via": "Entities that a path must pass.",
    "avoid": "Entities that a path must not pass.",
    "relations": "Only edges of these relations.",
    "kinds": "Only entities of these kinds between the ends.",
    "levels": "Only edges with supporting evidence of one of these levels.",
    "min-confidence": "Only edges of at least this confidence, 0 to 1.",
    "direction": "out, in or both: which way every step is walked.",
    "disputed": "0 to leave out edges with contradicting evidence.",
    "signs": "Only paths with one of these effects of the start on the end: 1 more of it, -1 less, 0 not said.",
    "order": "confidence, length or novelty: what paths are sorted by.",
    "diverse": "1 to prefer paths that differ in mechanism.",
    "first": "How many paths; 10 if not given.",
    "assume": "An edge to take as true, as in assume=HGNC:1633 expressedOn CL:0000786; repeat it for more.",
    "without": "Edges, entities, sources or studies to leave out.",
    "as-of": "The graph as it was known on a day, such as 2021-12-31.",
    "highlight": "The number of a path (1 is the best), its id, entities or assertions: they stand out, all else is dimmed.",
}
EXPLORER = {"maxLength": "max-length", "min": "min-confidence", "asOf": "as-of"}
PATH_PATHS = tuple(f"paths.{ending}" for ending in sorted({*ENDINGS, "json"}))


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a request takes as true, and what it leaves out."""

    assuming: tuple[Assumption, ...]
    without: tuple[str, ...]

    def of(self, graph: Snapshot) -> Scenario:
        """Return a graph under these assumptions."""
        return scenario(graph, self.assuming, self.without)

    def variables(self, graph: Snapshot) -> dict[str, Any]:
        """Return it, and the day that the graph is as of, as variables of a GraphQL query; what is as usual is left out."""
        assuming = [asdict(each) for each in self.assuming]
        known = graph.known_on.isoformat() if graph.known_on else None
        given = {"assuming": assuming, "without": list(self.without), "asOf": known}
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class AskedPaths:
    """Paths that were asked for, and what they were asked of."""

    sources: tuple[Entity, ...]
    targets: tuple[Entity, ...]
    what_if: WhatIf
    scenario: Scenario
    constraints: PathConstraints
    order: str
    diverse: bool
    first: int
    page: PathPage
    lit: frozenset[str] = frozenset()

    @property
    def figure(self) -> Figure:
        """Their picture."""
        title = None if self.page else f"No paths from {listed_names(self.sources)} to {listed_names(self.targets)}"
        return path_figure(self.scenario.graph, self.page, title=title, highlight=self.lit)

    @property
    def middle(self) -> tuple[str, ...]:
        """The CURIEs of their ends."""
        return tuple(entity.curie for entity in (*self.sources, *self.targets))


def asked_paths(visit: Visit) -> AskedPaths:
    """Return the paths that a request's parameters describe."""
    given, settings, graph = visit.parameters, visit.settings, visit.graph
    names = {end: bounded(given.items(end), settings, end) for end in ("from", "to")}
    for end, found in names.items():
        if not found:
            raise BadInput(
                f"The parameter {end} is missing: say where paths start and end, as in {visit.path}?from=CURIE&to=CURIE. "
                f"Search by name at {visit.address}search."
            )
    sources, targets = (tuple(graph.entity(curie_of(name)) for name in names[end]) for end in ("from", "to"))
    what_if = asked_what_if(visit)
    asked = what_if.of(graph)
    constraints = _constraints(visit, graph)
    order = given.choice("order", tuple(map(str.lower, ORDERS)), "confidence").upper()
    diverse = given.flag("diverse", False)
    first = given.whole("first", FIRST, least=1, most=settings.max_page_size, limit="max_page_size")
    page = find_paths(
        asked, sources, targets, constraints, order, first=first, diverse=diverse, budget=budget_of(visit)
    )
    lit = frozenset(_lit(graph, page.paths, given.items("highlight")))
    return AskedPaths(sources, targets, what_if, asked, constraints, order, diverse, first, page, lit)


def explorer_parameters(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the parameters of the explorer's page about paths under the names that they have here."""
    return [(EXPLORER.get(name, name), value.lower() if name == "order" else value) for name, value in pairs]


def asked_what_if(visit: Visit) -> WhatIf:
    """Return the assumptions that a request's parameters make."""
    given, settings = visit.parameters, visit.settings
    assumptions = [_assumption(text) for text in bounded(given.texts("assume"), settings, "assume")]
    without = [curie_of(name) for name in bounded(given.items("without"), settings, "without")]
    return WhatIf(tuple(assumptions), tuple(without))


def budget_of(visit: Visit) -> Budget:
    """Return what a search for a page or a picture may cost."""
    return Budget(visit.settings.search_steps, visit.settings.request_seconds)


def paths_answer(visit: Visit) -> Answer:
    """Return paths in the format that the address ends in, or that ``format`` names."""
    asked: list[AskedPaths] = []

    def figure() -> Figure:
        asked.append(asked_paths(visit))
        return asked[0].figure

    answer = exported(visit, "paths", PATH_PARAMETERS, figure)
    return answer if asked[0].page.truncated_by != "seconds" else answer.unkept


def _assumption(text: str) -> Assumption:
    parts = text.split()
    try:
        subject, relation, object_, confidence = (*parts, "1")[:4]
        if len(parts) <= 4:
            return Assumption(curie_of(subject), relation, curie_of(object_), float(confidence))
    except ValueError:
        pass
    raise BadInput(
        f"The parameter assume is {text[:80]!r}; write subject, relation and object with blanks between, and a confidence if you like."
    )


def _constraints(visit: Visit, graph: Snapshot) -> PathConstraints:
    given, settings = visit.parameters, visit.settings
    kinds, levels = given.items("kinds"), given.items("levels")
    check_names("kind", kinds, graph.model.kind)
    check_names("level", levels, graph.model.level)
    via, avoid = (
        [graph.entity(curie_of(name)).curie for name in bounded(given.items(what), settings, what)]
        for what in ("via", "avoid")
    )
    return PathConstraints(
        max_length=given.whole("max-length", 0, least=1) or None,
        min_length=given.whole("min-length", 1, least=1),
        relations=given.items("relations") or None,
        kinds=kinds or None,
        via=via,
        avoid=avoid,
        metapath=given.items("metapath") or None,
        levels=levels or None,
        min_confidence=given.number("min-confidence", 0.0, 0.0, 1.0),
        direction=given.choice("direction", DIRECTIONS, "both"),
        disputed=given.flag("disputed", True),
        signs=[_sign(text) for text in given.items("signs")] or None,
    )


def _sign(text: str) -> int:
    if text.removeprefix("+") not in map(str, SIGNS):
        raise BadInput(
            f"The parameter signs holds {text[:20]!r}; the effects are 1 (more), -1 (less) and 0 (not said)."
        )
    return int(text)


def _lit(graph: Snapshot, paths: tuple[Path, ...], names: Iterable[str]) -> Iterable[str]:
    """Return the ids that stand out; a number that no path has lights nothing."""
    for name in names:
        if name.isdecimal():
            yield from (path.id for path in paths[int(name[:6]) - 1 : int(name[:6])])
        else:
            yield entity.curie if (entity := graph.find(name)) else name
