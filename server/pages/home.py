"""The front page: what this is, what is in it, and where to begin."""

from __future__ import annotations

import heapq
from itertools import islice

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
    dated = ((assertion, assertion.evidence[0]) for assertion in graph.newest())
    newest: dict[str, tuple[Assertion, Evidence]] = {}
    for assertion, item in islice((row for row in dated if row[1].source.date), 20 * NEWEST):
        newest.setdefault(line_key(item), (assertion, item))
    return list(newest.values())[:NEWEST]
