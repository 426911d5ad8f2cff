"""A snapshot as a networkx graph, whose edges read their attributes from the records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from kg.assertions import Assertions

if TYPE_CHECKING:
    import networkx as nx

    from kg.snapshot import Snapshot

ATTRIBUTES: Mapping[str, Callable[[Assertions, int], Any]] = {
    "relation": lambda assertions, i: assertions[i].relation,
    "confidence": lambda assertions, i: float(assertions.columns.confidences[i]),
    "weight": lambda assertions, i: 1.0 - float(assertions.columns.confidences[i]),
    "evidence": lambda assertions, i: assertions[i].evidence,
    "assertion": lambda assertions, i: assertions[i].id,
}


class EdgeAttributes(Mapping[str, Any]):
    """The attributes of an edge, as a mapping that cannot be written.

    It takes 48 bytes where a dictionary takes 270, and makes no record of an assertion that nobody looks at.
    """

    __slots__ = ("_assertions", "_position")

    def __init__(self, assertions: Assertions, position: int) -> None:
        self._assertions, self._position = assertions, position

    def __getitem__(self, name: str) -> Any:
        return ATTRIBUTES[name](self._assertions, self._position)

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute; written out because shortest paths ask for ``weight`` at every edge."""
        read = ATTRIBUTES.get(name)
        return default if read is None else read(self._assertions, self._position)

    def __contains__(self, name: object) -> bool:
        return name in ATTRIBUTES

    def __iter__(self) -> Iterator[str]:
        return iter(ATTRIBUTES)

    def __len__(self) -> int:
        return len(ATTRIBUTES)

    def copy(self) -> dict[str, Any]:
        """Return the attributes as a dictionary, as networkx does where it copies a graph to change it."""
        return dict(self)

    def __repr__(self) -> str:
        return repr(self.copy())


def network(snapshot: Snapshot) -> nx.MultiDiGraph[str]:
    """Return the frozen graph that ``Snapshot.nx`` describes."""
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(version=snapshot.version.number, as_of=snapshot.known_on)
    for entity in snapshot.entities.values():
        graph.add_node(entity.curie, kind=entity.kind, label=entity.label, iri=entity.iri, entity=entity)
    out: Any = graph._succ  # type: ignore[attr-defined]  # its own methods would copy the attributes
    into: Any = graph._pred  # type: ignore[attr-defined]
    assertions, columns = snapshot.assertions, snapshot.columns
    curies, relations = columns.curies, [relation.name for relation in columns.model.relations]
    for position in np.flatnonzero(columns.supported).tolist():
        subject, object_ = curies[columns.subjects[position]], curies[columns.objects[position]]
        by_relation = out[subject].setdefault(object_, {})
        by_relation[relations[columns.relations[position]]] = EdgeAttributes(assertions, position)
        into[object_][subject] = by_relation
    frozen: nx.MultiDiGraph[str] = nx.freeze(graph)
    return frozen
