"""The queries about paths: ``paths``, ``shortestPaths``, ``distance``, ``connectingSubgraph`` and ``reachable``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import strawberry
from strawberry.scalars import JSON
from strawberry.utils.str_converters import to_camel_case

from kg.figures import path_figure
from kg.formats import cytoscape_elements
from kg.overlay import Scenario
from kg.paths import (
    ORDERS,
    Distance,
    Estimate,
    Path,
    PathConstraints,
    PathPage,
    Reach,
    WhyNot,
    connecting_subgraph,
    distance,
    estimate,
    find_paths,
    reachable,
    shortest_paths,
    why_not,
)
from kg.views import View
from server.graphql.members import fill, given, listed, made_type, make_enum, member, nullable, plain
from server.graphql.paging import PageInfo, Placed, check_page_size
from server.graphql.request import Request
from server.graphql.scenarios import budget_of, completeness, names_of, scenario_arguments, scenario_of
from server.graphql.types import AFTER, FIRST, Types

ORDER_MEANINGS = {
    "CONFIDENCE": "Best score first: the product of the edges' confidences, less for every hub on the way.",
    "LENGTH": "Fewest steps first, then the best score.",
    "NOVELTY": "Newest evidence first, then the best score.",
}
ASKED = "What a path may be; everything up to four steps by default."


class PathAnswer:
    """A page of paths with what else may be asked about it."""

    def __init__(self, page: PathPage, question: _Question) -> None:
        self.page = page
        self.question = question
        question.request.rests_on(step.assertion for path in page.paths for step in path.steps)
        self.exhaustive = page.exhaustive
        self.truncated_by = page.truncated_by
        self.remaining = page.remaining
        self.total_count = page.total
        self.nodes = page.paths

    @property
    def edges(self) -> list[Placed[Path]]:
        """The paths with their cursors."""
        return [Placed(path, cursor) for path, cursor in zip(self.page.paths, self.page.cursors, strict=True)]

    @property
    def page_info(self) -> PageInfo:
        """Where the page stands."""
        cursors = self.page.cursors
        ends = (cursors[0], cursors[-1]) if cursors else (None, None)
        return PageInfo(self.page.has_next, self.page.position > 0, *ends)

    @property
    def why_not(self) -> WhyNot | None:
        """Why there is nothing, where there is nothing."""
        if self.page.paths or self.page.position or self.page.truncated_by:
            return None
        q = self.question
        return why_not(q.scenario, q.sources, q.targets, q.constraints, budget=budget_of(q.request))


@dataclass(frozen=True)
class _Question:
    """What was asked: ends, constraints, and the graph they are about."""

    request: Request
    scenario: Scenario
    sources: Sequence[str]
    targets: Sequence[str]
    constraints: PathConstraints


class PathFields:
    """The types and queries about paths."""

    def __init__(self, types: Types, assumption: Any) -> None:
        self.types = types
        self.assumption = assumption
        self.where = _constraints_input(types)
        self.order = make_enum("PathOrder", [(o, ORDER_MEANINGS[o]) for o in ORDERS], "What paths are sorted by.")
        self.step = _step_type(types)
        self.path = self._path_type()
        self.connection = self._connection_type()

    def members(self) -> dict[str, Any]:
        """Return the fields of Query."""
        return {
            "paths": self._paths(),
            "shortest_paths": self._shortest(),
            "distance": self._distance(),
            "connecting_subgraph": self._connecting(),
            "reachable": self._reachable(),
            "explain_paths": self._explain(),
        }

    # -------------------------------------------------------------- types
    def _path_type(self) -> Any:
        term = {"name": member(str, "What the factor is."), "value": member(float, "Its value.")}
        term_type = made_type("ScoreTerm", "One factor of a score.", term)
        score = {
            "value": member(float, "The score, in [0, 1]: the product of the terms."),
            "terms": member(listed(term_type), "The factors: confidences of the edges, and the damping of hubs."),
        }
        score_type = made_type("PathScore", "How much a path explains, with its factors.", score)
        step = self.step
        members = {
            "id": member(strawberry.ID, "The same for the same path in every version."),
            "nodes": member(listed(self.types.entity), "The entities on the path, ends included."),
            "steps": member(listed(step), "The edges as walked."),
            "length": member(int, "Number of steps."),
            "score": member(score_type, "How much the path explains."),
            "sign": member(
                int, "What more of the start does to the end by this path: +1 more of it, -1 less, 0 not said."
            ),
            "weakest_step": member(step, "The step that is least trusted.", name="weakestStep"),
            "newest": member(date | None, "Day of the newest evidence on the path; null where all of it is assumed."),
            "metapath": member(list[str], "Names of the relations as walked."),
            "assumed": member(bool, "Whether any step was assumed."),
            "text": member(str, "The path as a sentence."),
            "cytoscape": member(JSON, "The path as Cytoscape.js elements.", _elements),
        }
        return made_type("Path", "A way from one entity to another over edges with evidence; no entity twice.", members)

    def _connection_type(self) -> Any:
        edge = {"node": member(self.path, "The path."), "cursor": member(str, "Its place, for after.")}
        edge_type = made_type("PathEdge", "A path on a page.", edge)
        members = {
            "edges": member(listed(edge_type), "The page's paths with their cursors."),
            "nodes": member(listed(self.path), "The page's paths."),
            "page_info": member(self.types.page_info, "Where the page stands.", name="pageInfo"),
            "total_count": member(
                int | None, "Number of all paths; null where counting them would take too much.", name="totalCount"
            ),
            **completeness(),
            "why_not": member(
                nullable(_why_not_type(self.types, self.path)),
                "Which constraint emptied the answer, and what would give one; null where there are paths.",
                name="whyNot",
            ),
        }
        return made_type("PathConnection", "A page of paths, and what is known of the rest.", members)

    # -------------------------------------------------------------- queries
    def _arguments(self) -> dict[str, Any]:
        ids = list[strawberry.ID]
        return {
            "from_": (ids, "Where paths start (global ids or CURIEs)."),
            "to": (ids, "Where paths end (global ids or CURIEs)."),
            "where": (nullable(self.where), ASKED),
        }

    def _paging(self) -> dict[str, Any]:
        return {"first": (int, FIRST), "after": (str | None, AFTER), **scenario_arguments(self.assumption)}

    def _paths(self) -> Any:
        order = self.order

        def paths(
            self: Request,
            from_: list[Any],
            to: list[Any],
            where: Any = None,
            order_by: Any = None,
            diverse: bool = False,
            first: int = 10,
            after: str | None = None,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> PathAnswer:
            check_page_size(first, self.settings)
            q = _question(self, from_, to, where, assuming, without, as_of)
            wanted = plain(order_by) or "CONFIDENCE"
            page = find_paths(
                q.scenario, q.sources, q.targets, q.constraints, wanted,
                first=first, after=after, budget=budget_of(self), diverse=diverse,
            )  # fmt: skip
            return PathAnswer(page, q)

        return member(
            self.connection,
            "How entities connect: all paths between two sets of ends, best first, exact within the limits.",
            paths,
            **self._arguments(),
            order_by=(nullable(order), "What to sort by; CONFIDENCE by default."),
            diverse=(bool, "Whether to prefer, at each place, a path that differs in mechanism from those before it."),
            **self._paging(),
        )

    def _shortest(self) -> Any:
        def shortest_paths_(
            self: Request,
            from_: list[Any],
            to: list[Any],
            where: Any = None,
            first: int = 10,
            after: str | None = None,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> PathAnswer:
            check_page_size(first, self.settings)
            q = _question(self, from_, to, where, assuming, without, as_of)
            budget = budget_of(self)
            page = shortest_paths(
                q.scenario, q.sources, q.targets, q.constraints, first=first, after=after, budget=budget
            )
            return PathAnswer(page, q)

        said = "All paths of the least length at which there are any, best score first."
        return member(
            self.connection, said, shortest_paths_, name="shortestPaths", **self._arguments(), **self._paging()
        )

    def _distance(self) -> Any:
        def distance_(
            self: Request,
            from_: list[Any],
            to: list[Any],
            where: Any = None,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> Distance:
            q = _question(self, from_, to, where, assuming, without, as_of)
            found = distance(q.scenario, q.sources, q.targets, q.constraints, budget=budget_of(self))
            if found.path is not None:
                self.rests_on(step.assertion for step in found.path.steps)
            return found

        members = {
            "length": member(
                int | None, "Least number of steps; null where there is no path, or none was found within the limits."
            ),
            "nodes": member(listed(self.types.entity), "The entities on one of the shortest paths, ends included."),
            "path": member(
                nullable(self.path), "That path, with its evidence. `shortestPaths` finds the best of them."
            ),
            "truncated_by": member(
                str | None, "The limit that ended the search before a path was found.", name="truncatedBy"
            ),
        }
        said = "How far apart things are, and whether they are connected at all: by any one of the shortest paths."
        return member(
            made_type("Distance", "How many steps things are apart, by one of the shortest paths.", members),
            said,
            distance_,
            name="distance",
            **self._arguments(),
            **scenario_arguments(self.assumption),
        )

    def _connecting(self) -> Any:
        def connecting(
            self: Request,
            from_: list[Any],
            to: list[Any],
            where: Any = None,
            paths: int = 10,
            diverse: bool = False,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> View:
            check_page_size(paths, self.settings)
            q = _question(self, from_, to, where, assuming, without, as_of)
            budget = budget_of(self)
            view = connecting_subgraph(
                q.scenario, q.sources, q.targets, q.constraints, paths=paths, budget=budget, diverse=diverse
            )
            self.rests_on(view.edges)
            return view

        return member(
            self.types.graph_view,
            "The piece of the graph that the best paths make up, to draw.",
            connecting,
            name="connectingSubgraph",
            **self._arguments(),
            paths=(int, "How many paths to unite."),
            diverse=(bool, "Whether to unite paths that differ in mechanism."),
            **scenario_arguments(self.assumption),
        )

    def _explain(self) -> Any:
        def explain_paths(
            self: Request,
            from_: list[Any],
            to: list[Any],
            where: Any = None,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> Estimate:
            q = _question(self, from_, to, where, assuming, without, as_of)
            return estimate(q.scenario, q.sources, q.targets, q.constraints, budget=budget_of(self))

        return member(
            _estimate_type(),
            "How much work `paths` would be with these arguments, without searching.",
            explain_paths,
            name="explainPaths",
            **self._arguments(),
            **scenario_arguments(self.assumption),
        )

    def _reachable(self) -> Any:
        def reach(
            self: Request,
            from_: list[Any],
            where: Any = None,
            first: int = 25,
            assuming: Any = None,
            without: Any = None,
            as_of: date | None = None,
        ) -> ReachAnswer:
            check_page_size(first, self.settings)
            scenario = scenario_of(self, assuming, without, as_of)
            sources = names_of(self, from_, "from")
            return ReachAnswer(reachable(scenario, sources, _constraints(where), budget=budget_of(self)), first)

        arguments = self._arguments()
        del arguments["to"]
        return member(
            _reach_type(self.types),
            "What can be reached from some entities, nearest first, with counts.",
            reach,
            name="reachable",
            **arguments,
            first=(int, "Most entities to list; the counts are of all."),
            **scenario_arguments(self.assumption),
        )


@dataclass(frozen=True)
class Count:
    """A value and how many have it."""

    value: str
    count: int


class ReachAnswer:
    """What was reached, cut to a page."""

    def __init__(self, reach: Reach, first: int) -> None:
        self.nodes = reach.nodes[:first]
        self.total_count = len(reach.nodes)
        self.remaining = len(reach.nodes) - len(self.nodes)
        self.truncated_by = reach.truncated_by or ("first" if self.remaining else None)
        self.exhaustive = self.truncated_by is None
        self.by_kind = [Count(kind, count) for kind, count in reach.by_kind.items()]
        self.by_distance = [Count(str(distance), count) for distance, count in reach.by_distance.items()]


def _question(
    request: Request, from_: list[Any], to: list[Any], where: Any, assuming: Any, without: Any, as_of: date | None
) -> _Question:
    scenario = scenario_of(request, assuming, without, as_of)
    ends = names_of(request, from_, "from"), names_of(request, to, "to")
    return _Question(request, scenario, *ends, _constraints(where))


def _elements(self: Path) -> list[dict[str, Any]]:
    drawn = cytoscape_elements(path_figure(self.nodes[0].graph, [self]))
    return [{"group": group, **element} for group, elements in drawn.items() for element in elements]


# ---------------------------------------------------------------- types


def _step_type(types: Types) -> Any:
    members = {
        "from_": member(types.entity, "Where the step starts.", lambda self: self.start, name="from"),
        "to": member(types.entity, "Where the step ends.", lambda self: self.end),
        "relation": member(str, "Name of the relation, whichever way it is walked."),
        "name": member(str, "Name of the relation as walked: of its inverse, if reversed."),
        "phrase": member(str, "The relation as walked, in words."),
        "reversed": member(bool, "Whether it is walked from object to subject."),
        "sign": member(int, "The relation's effect sign: +1 furthers, -1 hinders, 0 says nothing."),
        "assumed": member(bool, "Whether the edge was assumed for this request."),
        "confidence": member(float, "How much the evidence supports the edge, in [0, 1]."),
        "evidence": member(listed(types.evidence), "All evidence for and against the edge, newest first."),
        "assertion": member(types.assertion, "The assertion that the edge stands for."),
    }
    return made_type("PathStep", "An edge as a path walks it.", members)


def _why_not_type(types: Types, path: Any) -> Any:
    relaxation = {
        "constraints": member(list[str], "The constraints it touches, by their names here."),
        "advice": member(str, "What to change."),
        "count": member(int | None, "How many paths that gives; null where counting would take too much."),
        "at_least": member(int, "How many were counted or seen.", name="atLeast"),
        "best": member(path, "The best of them."),
        "text": member(str, "All this in a sentence."),
    }
    relaxation_type = made_type("Relaxation", "A change to the question that gives it an answer.", relaxation)
    stuck = {
        "steps": member(int, "How many steps of the metapath can be walked from the start."),
        "count": member(int, "How many entities stand there."),
        "entities": member(listed(types.entity), "Some of them."),
    }
    stuck_type = made_type("MetapathStuck", "How far a metapath can be walked.", stuck)
    members = {
        "text": member(str, "Why there is no path, and what would give one, in words."),
        "blocking": member(list[str], "The constraints without any one of which there would be an answer."),
        "relaxations": member(listed(relaxation_type), "What would give paths, the smallest change first."),
        "nearest": member(listed(path), "The shortest connection with every constraint aside, if there is any."),
        "stuck": member(nullable(stuck_type), "Where the metapath ends; null without one."),
        "truncated_by": member(str | None, "The limit that ended the search for reasons.", name="truncatedBy"),
    }
    return made_type("WhyNot", "Why an answer is empty, and what would fill it.", members)


def _estimate_type() -> Any:
    members = {
        "frontiers": member(list[int], "Numbers of entities looked at, from the starts on to the ends."),
        "walks": member(float, "There are at most this many paths: walks, which may pass an entity twice."),
        "steps": member(int, "Work that planning took, in steps; search_steps is the limit."),
        "truncated_by": member(str | None, "The limit that a search would meet while planning.", name="truncatedBy"),
        "text": member(str, "The estimate in a sentence."),
    }
    return made_type("SearchEstimate", "How much work a search is, found without listing any path.", members)


def _reach_type(types: Types) -> Any:
    node = {
        "entity": member(types.entity, "The entity."),
        "distance": member(int, "Least number of steps to it."),
    }
    node_type = made_type("ReachedEntity", "An entity that can be reached.", node)
    count = {"value": member(str, "A kind or a distance."), "count": member(int, "Number of entities.")}
    count_type = made_type("ReachCount", "A kind or a distance and how many entities are of it.", count)
    members = {
        "nodes": member(listed(node_type), "The nearest entities."),
        "total_count": member(int, "How many can be reached.", name="totalCount"),
        "by_kind": member(listed(count_type), "How many of each kind.", name="byKind"),
        "by_distance": member(listed(count_type), "How many at each distance.", name="byDistance"),
        **completeness(),
    }
    return made_type("Reach", "What can be reached from some entities.", members)


def _constraints_input(types: Types) -> Any:
    enums, unset = types.enums, strawberry.UNSET
    ids = list[strawberry.ID]
    fields: dict[str, tuple[Any, str]] = {
        "max_length": (int, "Most steps; 4 by default, or as many as metapath has."),
        "min_length": (int, "Fewest steps; 1 by default."),
        "relations": (list[str], "Relations that may be walked, either way."),
        "kinds": (listed(enums["Kind"]), "Kinds that may stand between the ends."),
        "via": (ids, "Entities that a path must pass."),
        "avoid": (ids, "Entities that a path must not pass."),
        "metapath": (
            list[str],
            "Relation of every step as read along the way: its name walks it forwards, its inverse name backwards.",
        ),
        "levels": (listed(enums["EvidenceLevel"]), "Every edge has supporting evidence of one of these levels."),
        "min_confidence": (float, "Every edge has at least this confidence."),
        "direction": (types.walk_direction, "Which way every step is walked."),
        "disputed": (bool, "Whether edges with contradicting evidence may be walked; true by default."),
        "signs": (list[int], "Only paths whose product of effect signs is one of these: -1, 0, 1."),
    }
    members = {
        name: (nullable(type_), strawberry.field(default=unset, description=said, name=to_camel_case(name)))
        for name, (type_, said) in fields.items()
    }
    return strawberry.input(
        fill(type("PathConstraints", (), {}), members), name="PathConstraints", description="What a path may be."
    )


def _constraints(where: Any) -> PathConstraints:
    """Return what a client's constraints mean; names are checked by the search itself."""
    read: dict[str, Callable[[Any], Any]] = {
        "kinds": _plain_all,
        "levels": _plain_all,
        "via": _curies,
        "avoid": _curies,
        "direction": lambda value: plain(value).lower(),
    }
    wanted = {}
    for name in PathConstraints.__dataclass_fields__:
        value = given(where, name)
        if value is not None:
            wanted[name] = read.get(name, lambda same: same)(value)
    return PathConstraints(**wanted)


def _plain_all(values: Sequence[Any]) -> list[Any]:
    return [plain(value) for value in values]


def _curies(values: Sequence[Any]) -> list[str]:
    from server.graphql.ids import curie_of

    return [curie_of(str(value)) for value in values]
