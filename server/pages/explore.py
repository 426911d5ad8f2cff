"""How entities connect, and what the graph suggests: complete without scripts; the explorer takes their place where it runs."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any

from markupsafe import Markup
from starlette.datastructures import QueryParams

from kg.budget import Budget
from kg.errors import BadInput, KGError, NotFound
from kg.findings import Hypothesis, HypothesisConstraints, HypothesisPage
from kg.hypotheses import hypotheses
from kg.metapaths import Metagraph
from kg.paths import Path, WhyNot, why_not
from kg.pictures import Style, draw
from kg.records import Assertion, Entity, Evidence
from kg.search import Hit
from server.answers import Answer, Visit, told
from server.graphql.ids import curie_of
from server.pages.rendering import Site, claim
from server.parameters import Parameters
from server.pathviews import PATH_PARAMETERS, AskedPaths, asked_paths, asked_scenario, budget_of, explorer_parameters
from server.viewing import page_link

ORDERS = {"confidence": "most trusted first", "length": "shortest first", "novelty": "newest evidence first"}
LENGTHS = range(1, 7)
LISTED = 25  # hypotheses on a page
NEAR = 5
EVIDENCE = 6  # pieces shown of each step; the edge's own page has all


@dataclass(frozen=True, slots=True)
class Unclear:
    """A name that nothing has, the parameter it stood in, and what may have been meant."""

    parameter: str
    name: str
    near: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """One edge of a path: what it claims, and its newest evidence, each piece with the name that a link reaches it by."""

    assertion: Assertion
    text: str
    assumed: bool
    evidence: tuple[tuple[str, Evidence], ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Connection:
    """One path on the page."""

    number: int
    path: Path
    proofs: tuple[Proof, ...]


# ---------------------------------------------------------------- paths
def paths_page(site: Site, visit: Visit) -> Answer:
    """Return the paths between two ends, as a picture and as sentences with their evidence, or the form that asks for them."""
    asking = copy.copy(visit)
    asking.parameters = Parameters(QueryParams(explorer_parameters(visit.parameters.given.multi_items())))
    names = {end: asking.parameters.items(end) for end in ("from", "to")}
    unclear = [bad for end, given in names.items() if (bad := _unclear(visit, end, given))]
    asked = asked_paths(asking) if all(names.values()) and not unclear else None
    known = {end: [visit.graph.find(curie_of(name)) for name in given] for end, given in names.items()}
    page = site.page(
        visit,
        "paths.html",
        asking=asking,
        names={end: ", ".join(given) for end, given in names.items()},
        known={end: [entity for entity in found if entity] for end, found in known.items()},
        unclear=unclear,
        asked=asked,
        why=_why(asking, asked) if asked else None,
        connections=_connections(asked) if asked else (),
        figure=_figure(visit, asked) if asked and asked.page else None,
        picture_query=[pair for pair in asking.parameters.given.multi_items() if pair[0] in PATH_PARAMETERS],
        query=paths_query(asked) if asked else None,
        orders=ORDERS,
        lengths=LENGTHS,
    )
    return _status(page, unclear, asked.page.truncated_by if asked else None)


def paths_query(asked: AskedPaths) -> dict[str, Any]:
    """Return the GraphQL query that asks for what the page shows."""
    constraints = asked.constraints
    where: dict[str, Any] = {"maxLength": constraints.longest}
    if constraints.min_confidence:
        where["minConfidence"] = constraints.min_confidence
    for name in ("relations", "kinds", "via", "avoid", "metapath"):
        if value := getattr(constraints, name):
            where[name] = list(value)
    graph = asked.scenario.graph
    query = (
        "query Paths($from: [ID!]!, $to: [ID!]!, $where: PathConstraints, $first: Int!, $asOf: Date) {\n"
        "  paths(from: $from, to: $to, where: $where, first: $first, asOf: $asOf) {\n    totalCount\n"
        "    nodes { text score { value } steps { phrase confidence evidence { level date source { citation url } } } }\n  }\n}"
    )
    variables = {
        "from": [entity.curie for entity in asked.sources],
        "to": [entity.curie for entity in asked.targets],
        "where": where,
        "first": max(1, len(asked.page)),
        "asOf": graph.known_on.isoformat() if graph.known_on else None,
    }
    return {"title": asked.figure.title, "query": query, "variables": variables}


def _why(visit: Visit, asked: AskedPaths) -> WhyNot | None:
    if asked.page or asked.page.truncated_by:
        return None
    return why_not(asked.scenario, asked.sources, asked.targets, asked.constraints, budget=budget_of(visit))


def _figure(visit: Visit, asked: AskedPaths) -> Markup:
    return Markup(draw(asked.figure, Style(link=page_link(visit.up), styled=True, background=False)))


def _connections(asked: AskedPaths) -> tuple[Connection, ...]:
    return tuple(
        Connection(number, path, tuple(_proof(number, i, step.assertion, step.assumed) for i, step in enumerate(path.steps, 1)))
        for number, path in enumerate(asked.page, 1)
    )  # fmt: skip


def _proof(path: int, step: int, assertion: Assertion, assumed: bool) -> Proof:
    shown = tuple((f"p{path}-s{step}-e{i}", item) for i, item in enumerate(assertion.evidence[:EVIDENCE], 1))
    return Proof(assertion, claim(assertion), assumed, shown, len(assertion.evidence) - len(shown))


# ---------------------------------------------------------------- hypotheses
def hypotheses_page(site: Site, visit: Visit) -> Answer:
    """Return what the graph suggests about one end, for and against, or the form that asks for it."""
    given, graph = visit.parameters, visit.graph
    metagraph = Metagraph(graph.model, ())
    kinds, ends = metagraph.ends, dict(zip(metagraph.end_names, ("subject", "object"), strict=True))
    chosen = {end: given.text(end) for end in ends if given.text(end)}
    unclear = [bad for end, name in chosen.items() if (bad := _unclear(visit, end, [name]))]
    about = {end: graph.entity(curie_of(name)) for end, name in chosen.items()} if not unclear else {}
    where = HypothesisConstraints(
        permutations=None if given.flag("q", False) else 0, include_tested=given.flag("tested", False)
    )
    found: HypothesisPage | None = None
    if about:
        scenario = asked_scenario(visit, graph)
        budget: Budget = budget_of(visit)
        wanted = {ends[end]: entity.curie for end, entity in about.items()}
        found = hypotheses(scenario, where=where, first=LISTED, budget=budget, **wanted)  # type: ignore[arg-type]
    page = site.page(
        visit,
        "hypotheses.html",
        ends=ends,
        kinds=dict(zip(ends, kinds, strict=True)),
        chosen=chosen,
        about=about,
        unclear=unclear,
        found=found,
        tested=where.include_tested,
        chance=where.permutations is None,
        suggested=_suggested(about, found, ends),
        best={end: _best(visit, kind) for end, kind in zip(ends, kinds, strict=True)} if not about else {},
        query=_hypotheses_query(about) if about else None,
    )
    return _status(page, unclear, found.truncated_by if found else None)


def _suggested(
    about: dict[str, Entity], found: HypothesisPage | None, ends: dict[str, str]
) -> list[tuple[Hypothesis, Entity]]:
    """Return each hypothesis with the end that was not asked about."""
    known = {ends[end] for end in about}
    other = "subject" if known == {"object"} else "object"
    return [(item, getattr(item, other)) for item in (found.items if found else ())]


def _best(visit: Visit, kind: str) -> list[Entity]:
    """Return the entities of a kind that most is known of, to begin with."""
    return sorted(visit.graph.by_kind[kind], key=lambda entity: (-entity.degree, entity.curie))[:NEAR]


def _hypotheses_query(about: dict[str, Entity]) -> dict[str, Any]:
    end, entity = next(iter(about.items()))
    query = (
        f"query Hypotheses(${end}: ID!) {{\n  hypotheses({end}: ${end}, first: {LISTED}) {{\n    totalCount\n"
        "    nodes { rank score qValue status text supportingPaths { text share } against { kind text } }\n  }\n}"
    )
    return {"title": f"Hypotheses about {entity.label}", "query": query, "variables": {end: entity.curie}}


# ---------------------------------------------------------------- both
def explore_problem(site: Site, visit: Visit, error: KGError) -> Answer:
    """Return what went wrong, with the words that the API has for it."""
    title = "Not found" if isinstance(error, NotFound) else "That does not work"
    return site.render("problem.html", up=visit.up, title=title, message=told(visit, error), near=(), as_of=None)


def _unclear(visit: Visit, parameter: str, names: Collection[str]) -> Unclear | None:
    """Return the first name that nothing has."""
    for name in names:
        try:
            known = visit.graph.find(curie_of(name))
        except BadInput:
            known = None
        if known is None:
            return Unclear(parameter, name[:200], tuple(islice(visit.graph.search(name), NEAR)))
    return None


def _status(page: Answer, unclear: Collection[Unclear], truncated_by: str | None) -> Answer:
    if unclear:
        return Answer(page.body, page.media, 404, page.headers)
    return page.unkept if truncated_by == "seconds" else page
