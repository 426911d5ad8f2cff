"""Look-ups in a store that are kept while one change is worked out: checking it and comparing ask for much the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pyoxigraph import Quad

from kg.store import Store


class Near:
    """What source files say of nodes and with them, each looked up once. It is of the version that the store was at."""

    def __init__(self, store: Store) -> None:
        self.version = store.version
        self._store = store
        self._about: dict[Any, list[Quad]] = {}
        self._owners: dict[Any, list[Quad]] = {}

    def about(self, node: Any) -> list[Quad]:
        """Return what source files say of a subject."""
        found = self._about.get(node)
        if found is None:
            found = self._about[node] = self._store.about(node)
        return found

    def owners(self, node: Any) -> list[Quad]:
        """Return the links from whatever a node is a part of."""
        found = self._owners.get(node)
        if found is None:
            found = self._owners[node] = self._store.owners(node)
        return found

    def elsewhere(self, node: Any, graphs: Collection[Any]) -> list[Quad]:
        """Return what source files say of a subject, but for those of some graphs (``source_graph``)."""
        return [quad for quad in self.about(node) if quad.graph_name not in graphs]
