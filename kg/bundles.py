"""What a case rests on: all its paths as rows of edges, and what the evidence of those edges says.

A hub's case rests on thousands of assertions, of which a few are shown. So what evidence says is read from columns, and
records are only made of assertions that are shown, that a scenario brings or that several lines of evidence support:
of 67,347 on Hetionet, for the ten best hypotheses of a hub, 912.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np

from kg.columns import NOTHING, Bools, numbered, run_members
from kg.evidence import confidence_value, line_key
from kg.matrices import Floats, Ints, Matrices, PathTable
from kg.overlay import Scenario
from kg.records import Assertion, Source
from kg.scoring import ScoreTable, supported_since

TITLE = 60  # letters of a title that stands in for an author
AUTHOR = re.compile(r"([A-Z][\w'’-]+(?: [A-Z][\w'’-]+)?) [A-Z]{1,3}(?: et al\b|,| and |\. )")


class Bundle:
    """All paths of several metapaths as rows of edges, to ask what the score would be with some edges changed.

    ``edges`` numbers into ``numbers``, which numbers edges across the graph; rows shorter than the longest are filled up
    with a number that stands for no edge. Degrees stay as they are: a lost edge takes its paths away, no more.
    """

    def __init__(
        self, scenario: Scenario, table: ScoreTable, cell: tuple[int, int], paths: Mapping[int, PathTable]
    ) -> None:
        """Take the paths of each metapath, by its number in the table."""
        metapaths, tables = list(paths), list(paths.values())
        length = max((table.edges.shape[1] for table in tables), default=1)
        padded = [np.pad(t.edges, ((0, 0), (0, length - t.edges.shape[1])), constant_values=-1) for t in tables]
        flat = np.concatenate(padded) if padded else np.empty((0, length), np.int64)
        seen = np.zeros(flat.max(initial=-1) + 2, np.bool_)  # the last stands for no edge
        seen[flat] = True
        self.numbers: Ints = seen[:-1].nonzero()[0]
        self.footing = Footing(scenario, table.graph, self.numbers)
        places = np.empty(len(seen), np.int64)
        places[self.numbers], places[-1] = np.arange(len(self.numbers)), len(self.numbers)
        self.edges: Ints = places[flat]
        self.values: Floats = np.concatenate([t.values for t in tables]) if tables else np.empty(0)
        self.owner: Ints = np.repeat(np.arange(len(tables)), [len(t) for t in tables])
        self.scale: Floats = table.scale[metapaths]
        self.walked: Floats = np.bincount(self.owner, self.values, minlength=len(tables)).astype(float)
        self.dwpc: Floats = table.dwpc[metapaths][:, *cell]

    def rescored(self, factors: Floats) -> float:
        """Return the score if each edge's confidence were multiplied by a factor (one per edge)."""
        changed = self.values * np.append(factors, 1.0)[self.edges].prod(axis=1)
        dwpc = self.dwpc - self.walked + np.bincount(self.owner, changed, minlength=len(self.dwpc))
        return self._score(dwpc)

    def without_each(self) -> Floats:
        """Return the score without each edge, one after another."""
        shape = len(self.dwpc), len(self.numbers) + 1
        cells = (self.owner[:, None] * shape[1] + self.edges).ravel()
        lost = np.bincount(cells, self.values.repeat(self.edges.shape[1]), shape[0] * shape[1]).reshape(shape)
        scores: Floats = np.zeros(len(self.numbers))
        parts = np.arcsinh(self.dwpc / self.scale)
        for m, part in enumerate(parts.tolist()):
            mine = (lost[m, :-1] != 0.0).nonzero()[
                0
            ]  # an edge is on paths of a few metapaths: the others keep what they have
            kept = np.maximum(self.dwpc[m] - lost[m, mine], 0.0)
            kept[kept < 1e-12 * self.dwpc[m]] = 0.0  # rounding of differences
            own = scores[mine] + np.arcsinh(kept / self.scale[m])
            scores += part
            scores[mine] = own
        return scores

    def _score(self, dwpc: Floats) -> float:
        dwpc = np.where(dwpc < 1e-12 * self.dwpc, 0.0, dwpc)
        return float(np.arcsinh(dwpc / self.scale).sum())


class Footing:
    """The assertions that some edges are, by their places among these; records of them are made when asked for."""

    def __init__(self, scenario: Scenario, graph: Matrices, numbers: Ints) -> None:
        self._scenario, self._graph, self._numbers = scenario, graph, numbers
        self._columns = columns = scenario.graph.columns
        positions = graph.positions(numbers)
        own = (positions != NOTHING).nonzero()[0]
        starts = columns.starts[positions[own]]
        counts = columns.starts[positions[own] + 1] - starts
        self._owners: Ints = np.repeat(own, counts)
        self._rows = columns.rows[run_members(starts, counts)]
        self._brought = [(n, self.assertion(n)) for n in (positions == NOTHING).nonzero()[0].tolist()]

    def __len__(self) -> int:
        return len(self._numbers)

    def assertion(self, n: int) -> Assertion:
        """Return one of the assertions."""
        return self._graph.assertion(int(self._numbers[n]))

    def since(self) -> Ints:
        """Return the day since which each is supported, as an ordinal; the last there is where nothing supports it."""
        days = np.full(len(self), date.max.toordinal(), np.int64)
        supporting = self._pointing("SUPPORTS")
        np.minimum.at(days, self._owners[supporting], self._columns.evidence.known[self._rows[supporting]])
        for n, assertion in self._brought:
            days[n] = (supported_since(assertion) or date.max).toordinal()
        return days

    def contradicted(self) -> list[int]:
        """Return which have contradicting evidence, in order."""
        found = set(self._owners[self._pointing("CONTRADICTS")].tolist())
        found |= {n for n, a in self._brought if any(item.direction == "CONTRADICTS" for item in a.evidence)}
        return sorted(found)

    def _pointing(self, direction: str) -> Bools:
        codes = numbered(self._columns.model.directions)
        found: Bools = self._columns.evidence.directions[self._rows] == codes[direction]
        return found

    # -------------------------------------------------------------- lines of evidence
    def lines(self) -> Iterator[Line]:
        """Yield each line of evidence, in the order of their keys; of assumed assertions there is none."""
        items = self._items
        order = np.argsort(items.lines, kind="stable")
        ends = np.searchsorted(items.lines[order], np.arange(len(items.names) + 1))
        support = np.bincount(items.owners[items.supporting], minlength=len(self))
        for number, (key, name) in enumerate(items.names.items()):
            own = order[ends[number] : ends[number + 1]]
            owners = items.owners[own]
            left = support - np.bincount(owners[items.supporting[own]], minlength=len(self))
            touched = np.unique(owners)
            yield Line(key, name, touched[left[touched] == 0], touched[left[touched] > 0])

    def without(self, line: Line, *, confidences: bool) -> Floats:
        """Return what is left of each confidence without a line of evidence, as a factor; 0 where no support is left.

        Where ``confidences`` do not count, what is still supported stays as it is.
        """
        factors = np.ones(len(self))
        factors[line.all_of] = 0.0
        for n in line.part_of.tolist() if confidences else ():
            assertion = self.assertion(n)
            left = [item for item in assertion.evidence if line_key(item) != line.key]
            if assertion.confidence:
                factors[n] = confidence_value(left) / assertion.confidence
        return factors

    @cached_property
    def _items(self) -> _Items:
        columns, evidence = self._columns, self._columns.evidence
        studies = evidence.studies[self._rows]
        bases = np.where(studies != NOTHING, studies, len(columns.studies) + evidence.sources[self._rows])
        used, first, inverse = np.unique(bases, return_index=True, return_inverse=True)
        own = [self._base(base) for base in used.tolist()]
        seen = [
            (
                n,
                line_key(item),
                item.study.label if item.study else short_name(item.source),
                item.direction == "SUPPORTS",
            )
            for n, assertion in self._brought
            if not self._scenario.is_assumed(assertion.id)
            for item in assertion.evidence
        ]
        heads = [(int(self._owners[i]), i, *named) for i, named in zip(first.tolist(), own, strict=True)]
        heads += [(n, 0, key, name) for n, key, name, _ in seen]
        names: dict[str, str] = {}
        for _, _, key, name in sorted(heads):
            names.setdefault(key, name)
        names = dict(sorted(names.items()))
        number = {key: i for i, key in enumerate(names)}
        numbers = np.array([number[key] for key, _ in own], np.int64)
        return _Items(
            names,
            np.concatenate([self._owners, np.array([n for n, *_ in seen], np.int64)]),
            np.concatenate([numbers[inverse], np.array([number[key] for _, key, *_ in seen], np.int64)]),
            np.concatenate([self._pointing("SUPPORTS"), np.array([supports for *_, supports in seen], np.bool_)]),
        )

    def _base(self, base: int) -> tuple[str, str]:
        """Return the key and the name of a study, or of a source, which are numbered after the studies."""
        columns = self._columns
        if base < len(columns.studies):
            return columns.studies[base].id, columns.studies[base].label
        source = columns.sources[base - len(columns.studies)]
        return source.id, short_name(source)


class _Items(NamedTuple):
    """Pieces of evidence: names of their lines by key, in the order of keys, and for each what it is of, its line, and
    whether it supports."""

    names: Mapping[str, str]
    owners: Ints
    lines: Ints
    supporting: Bools


class Line(NamedTuple):
    """One line of evidence: whose only support it is, and which have other support beside it."""

    key: str
    name: str
    all_of: Ints
    part_of: Ints


def short_name(source: Source) -> str:
    """Return the first author of a source, or the start of its title."""
    author = AUTHOR.match(source.citation)
    if author:
        return f"{author[1]} et al."
    title = re.split(r"\. |[,;]? \(", source.citation, maxsplit=1)[0].rstrip(".")
    return title if len(title) <= TITLE else f"{title[:TITLE].rsplit(' ', 1)[0]}…"
