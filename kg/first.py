"""What a first load means: all is new, so it can be said from the columns, and assertion by assertion when asked for."""

from __future__ import annotations

import numpy as np

from kg.columns import Columns, EvidenceReader
from kg.diff import AssertionChange, EntityRef, GraphDiff
from kg.sequences import OnDemand


def first_diff(columns: Columns) -> GraphDiff:
    """Return how a graph differs from an empty one; what ``graph_diff`` returns, with assertions that are made on demand."""
    names = [EntityRef(s.values["curie"], s.values["label"], s.kind) for s in columns.entities]
    entities = tuple(sorted(names, key=lambda name: name.curie))
    assertions = _Added(columns, names)
    counts = dict.fromkeys((name for name in GraphDiff.__dataclass_fields__ if name != "counts"), 0)
    counts |= {"entities_added": len(entities), "assertions_added": len(assertions)}
    counts |= {"sources_added": len(columns.sources), "evidence_added": 0, "evidence_removed": 0}
    return GraphDiff(entities_added=entities, assertions_added=assertions, sources_added=columns.sources, counts=counts)


class _Added(OnDemand[AssertionChange]):
    """The assertions by relation, then by the CURIEs of their ends."""

    def __init__(self, columns: Columns, names: list[EntityRef]) -> None:
        self._columns, self._names = columns, names
        self._relations = [relation.name for relation in columns.model.relations]
        self._evidence = EvidenceReader(columns)
        curie, relation = _ranks(list(columns.curies)), _ranks(self._relations)
        self._order = np.lexsort((curie[columns.objects], curie[columns.subjects], relation[columns.relations]))

    def __len__(self) -> int:
        return len(self._order)

    def at(self, index: int) -> AssertionChange:
        """Return an assertion as a change; raises IndexError where there is none."""
        columns, position = self._columns, int(self._order[index])
        return AssertionChange(
            columns.id(position),
            self._names[columns.subjects[position]],
            self._relations[columns.relations[position]],
            self._names[columns.objects[position]],
            self._evidence.of(position),
            (),
            None,
            float(columns.confidences[position]),
        )


def _ranks(texts: list[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    ranks = np.empty(len(texts), np.int64)
    ranks[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    return ranks
