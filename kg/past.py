"""Look-ups in an earlier version of a store, from the present one and what changed since."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pyoxigraph import Quad

from kg.store import Store, is_part


class Past:
    """What source files said at a version; the cost is that of the changes since, not of the graph."""

    def __init__(self, store: Store, version: int) -> None:
        """Raises NotFound for a version that there is not."""
        self._store = store
        since = store.between(version, store.version).of_sources()
        self._later = set(since.added)
        self._about: dict[Any, list[Quad]] = defaultdict(list)
        self._owners: dict[Any, list[Quad]] = defaultdict(list)
        for quad in since.removed:
            self._about[quad.subject].append(quad)
            if is_part(quad):
                self._owners[quad.object].append(quad)

    def about(self, node: Any) -> list[Quad]:
        """Return what was said of a subject."""
        return [q for q in self._store.about(node) if q not in self._later] + self._about.get(node, [])

    def owners(self, node: Any) -> list[Quad]:
        """Return the links from whatever a node was a part of."""
        return [q for q in self._store.owners(node) if q not in self._later] + self._owners.get(node, [])
