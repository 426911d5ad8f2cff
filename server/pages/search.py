"""Search results: what was found, and which of its names matched."""

from __future__ import annotations

from collections import Counter

from kg.errors import BadInput
from server.answers import Answer, Visit
from server.pages.rendering import Site

MOST = 200
SHOWN = 50


def search_page(site: Site, visit: Visit) -> Answer:
    """Return the results for ``q``, of one ``kind`` if given."""
    graph, text, kind = visit.graph, visit.parameters.text("q"), visit.parameters.text("kind")
    if kind and kind not in graph.model.kind:
        raise BadInput(f"There is no kind {kind[:40]!r}; there are {', '.join(graph.model.kind)}.")
    hits = graph.search(text, limit=MOST) if text else []
    counts = Counter(hit.entity.kind for hit in hits)
    shown = [hit for hit in hits if not kind or hit.entity.kind == kind]
    near = (
        [entity for match in graph.index.near(text) if (entity := graph.find(match.curie))] if text and not hits else []
    )
    exact = graph.find(text) if text else None
    return site.page(
        visit,
        "search.html",
        q=text,
        kind=kind,
        hits=shown[:SHOWN],
        found=len(shown),
        total=len(hits),
        most=MOST,
        counts=counts,
        near=near,
        exact=exact if exact and all(hit.entity is not exact for hit in shown[:1]) else None,
    )  # fmt: skip
