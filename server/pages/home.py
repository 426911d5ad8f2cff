"""The front page: what this is, what is in it, and where to begin."""

from __future__ import annotations

import heapq

from markupsafe import Markup

from kg.evidence import line_key
from kg.figures import metagraph_figure
from kg.pictures import Style, draw
from kg.records import Assertion, Evidence
from kg.snapshot import Snapshot
from server.answers import Answer, Visit
from server.pages.rendering import Site

NEWEST = 8
BEGIN = 6


def home_page(site: Site, visit: Visit) -> Answer:
    """Return the front page."""
    graph = visit.graph
    style = Style(
        link=lambda node: f"kind/{graph.model.kind[node.kind].plural}", legend=False, styled=True, background=False
    )
    largest = heapq.nlargest(BEGIN, graph.entities.values(), key=lambda entity: (entity.degree, entity.curie))
    return site.page(
        visit,
        "home.html",
        graph=graph,
        metagraph=Markup(draw(metagraph_figure(graph), style)),
        newest=newest_evidence(graph),
        largest=largest,
    )


def newest_evidence(graph: Snapshot) -> list[tuple[Assertion, Evidence]]:
    """Return the newest pieces of evidence, one a study, each with one assertion that it is about.

    Evidence from sources without a date of their own, dated by when they were seen, is not news.
    """
    dated = (
        (item.known_on, assertion.id, assertion, item)
        for assertion in graph.assertions
        for item in assertion.evidence[:1]
        if item.source.date
    )
    newest: dict[str, tuple[Assertion, Evidence]] = {}
    for _, _, assertion, item in heapq.nlargest(20 * NEWEST, dated, key=lambda row: row[:2]):
        newest.setdefault(line_key(item), (assertion, item))
    return list(newest.values())[:NEWEST]
