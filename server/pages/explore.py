"""How entities connect, and what the graph suggests: complete without scripts; the explorer takes their place where it runs."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any

from markupsafe import Markup
from starlette.datastructures import QueryParams
from strawberry.utils.str_converters import to_camel_case

from kg.budget import Budget
from kg.errors import BadInput, KGError, NotFound
from kg.findings import Hypothesis, HypothesisConstraints, HypothesisPage
from kg.hypotheses import hypotheses
from kg.metapaths import Metagraph
from kg.paths import ORDERS, Path, PathConstraints, WhyNot, why_not
from kg.pictures import Style, draw
from kg.records import Assertion, Entity, Evidence
from kg.search import Hit
from server.answers import Answer, Visit, told
from server.graphql.ids import curie_of
from server.pages.rendering import Site, claim, words
from server.parameters import Parameters
from server.pathviews import PATH_PARAMETERS, AskedPaths, asked_paths, asked_what_if, budget_of, explorer_parameters
from server.viewing import page_link

ORDER_WORDS = {"confidence": "most trusted first", "length": "shortest first", "novelty": "newest evidence first"}
DIRECTION_WORDS = {"both": "either way", "out": "forwards", "in": "backwards"}
SIGN_WORDS = {"-1": "less of the end", "1": "more of the end", "0": "not said"}
LENGTHS = range(1, 7)
LISTED = 25  # hypotheses on a page
LIMITS = frozenset(
    [
        "via",
        "avoid",
        "metapath",
        "min-length",
        "relations",
        "kinds",
        "levels",
        "min-confidence",
        "direction",
        "disputed",
        "signs",
        "diverse",
    ]
)
CONFIDENCES = (0.3, 0.5, 0.7, 0.9)
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
        limited=any(asking.parameters.items(name) for name in LIMITS),
        known={end: [entity for entity in found if entity] for end, found in known.items()},
        unclear=unclear,
        asked=asked,
        why=_why(asking, asked) if asked else None,
        connections=_connections(asked) if asked else (),
        figure=_figure(visit, asked) if asked and asked.page else None,
        picture_query=[pair for pair in asking.parameters.given.multi_items() if pair[0] in PATH_PARAMETERS],
        query=paths_query(asked) if asked else None,
        orders=ORDER_WORDS,
        lengths=LENGTHS,
        confidences=CONFIDENCES,
        directions=DIRECTION_WORDS,
        signs=SIGN_WORDS,
        kind_choices={kind.name: kind.label for kind in site.model.kinds},
        relation_choices={relation.name: relation.phrase for relation in site.model.relations},
        level_choices={level.name: words(level.name) for level in site.model.levels},
    )
    return _status(page, unclear, asked.page.truncated_by if asked else None)


PATHS_QUERY = """query Paths($from: [ID!]!, $to: [ID!]!, $where: PathConstraints, $orderBy: PathOrder, $diverse: Boolean! = false, $first: Int!, $assuming: [AssertionInput!], $without: [ID!], $asOf: Date) {
  paths(from: $from, to: $to, where: $where, orderBy: $orderBy, diverse: $diverse, first: $first, assuming: $assuming, without: $without, asOf: $asOf) {
    totalCount
    nodes { text score { value } steps { phrase confidence evidence { level date source { citation url } } } }
  }
}"""


def paths_query(asked: AskedPaths) -> dict[str, Any]:
    """Return the GraphQL query that asks for what the page shows; what is as usual is left out."""
    usual, constraints = PathConstraints(), asked.constraints
    where: dict[str, Any] = {
        to_camel_case(field.name): list(value)
        if isinstance(value, Collection) and not isinstance(value, str)
        else value
        for field in fields(PathConstraints)
        if (value := getattr(constraints, field.name)) != getattr(usual, field.name) and value != []
    }
    if "direction" in where:
        where["direction"] = where["direction"].upper()
    variables = {
        "from": [entity.curie for entity in asked.sources],
        "to": [entity.curie for entity in asked.targets],
        **({"where": where} if where else {}),
        **({"orderBy": asked.order} if asked.order != ORDERS[0] else {}),
        **({"diverse": True} if asked.diverse else {}),
        "first": asked.first,
        **asked.what_if.variables(asked.scenario.graph),
    }
    return {"title": asked.figure.title, "query": PATHS_QUERY, "variables": variables}


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
    what_if = asked_what_if(visit)
    found: HypothesisPage | None = None
    if about:
        scenario = what_if.of(graph)
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
        query=_hypotheses_query(about, where, what_if.variables(graph)) if about else None,
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


def _hypotheses_query(
    about: dict[str, Entity], where: HypothesisConstraints, scenario: dict[str, Any]
) -> dict[str, Any]:
    names = "".join(f"${end}: ID!, " for end in about)
    given = "".join(f"{end}: ${end}, " for end in about)
    query = (
        f"query Hypotheses({names}$where: HypothesisConstraints, $first: Int!, $assuming: [AssertionInput!], $without: [ID!], $asOf: Date) {{\n"
        f"  hypotheses({given}where: $where, first: $first, assuming: $assuming, without: $without, asOf: $asOf) {{\n    totalCount\n"
        "    nodes { rank score qValue status text supportingPaths { text share } against { kind text } }\n  }\n}"
    )
    chosen: dict[str, Any] = {"includeTested": True} if where.include_tested else {}
    if where.permutations is not None:
        chosen["permutations"] = where.permutations
    variables = {
        **{end: entity.curie for end, entity in about.items()},
        **({"where": chosen} if chosen else {}),
        "first": LISTED,
        **scenario,
    }
    title = f"Hypotheses about {' and '.join(entity.label for entity in about.values())}"
    return {"title": title, "query": query, "variables": variables}


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
