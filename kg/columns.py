"""Assertions and evidence as columns of numbers: room for millions, shared between versions and processes.

Column arrays may be mapped from files (``kg.snapshotfile``). Records are made of them where somebody looks
(``kg.assertions``). Rows of evidence are shared between versions of the graph and its views on earlier days:
which of them belong to an assertion is said by ``rows``, of which ``starts`` gives each assertion's part.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import accumulate, chain
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from kg.evidence import confidence_value
from kg.model import Model
from kg.packed import Packed
from kg.projection import EntitySpec, Projection
from kg.records import Evidence, Source, Study

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Names = NDArray[np.bytes_]
Numbers = NDArray[np.int32]
Column = NDArray[Any]

NOTHING = -1  # the number of a study that is none


class Room:
    """Space for a column and for rows to come behind it: each version of the graph sees the rows that there were in its time.

    The last version can be followed by several, as one that is only tried: the first to ask gets the space.
    """

    def __init__(self, column: Column, more: Column) -> None:
        """Copy a column into space for it and an eighth more, wide enough for texts of ``more``."""
        kind = np.promote_types(column.dtype, more.dtype) if column.dtype.kind == "S" else column.dtype
        self._space = np.empty((len(column) + len(more)) * 9 // 8, kind)
        self._used = len(column)
        self._lock = threading.Lock()
        _plain(self._space)[: len(column)] = _plain(column.astype(kind, copy=False))

    def rows(self, count: int) -> Column:
        """Return the first so many rows."""
        return self._space[:count]

    def with_more(self, column: Column, more: Column) -> Column | None:
        """Return a column of this space with more rows after it, or None where it is not of here or there is no space."""
        start, end = len(column), len(column) + len(more)
        with self._lock:
            if (
                (start, column.ctypes.data) != (self._used, self._space.ctypes.data)
                or end > len(self._space)
                or (more.dtype.kind == "S" and more.itemsize > self._space.itemsize)
            ):
                return None
            self._used = end
        self._space[start:end] = more
        return self.rows(end)


def grown(room: Room | None, column: Column, more: Column) -> tuple[Room, Column]:
    """Return a column with rows after it, written behind it where there is room, and the room that it is in then."""
    found = room.with_more(column, more) if room else None
    if room is None or found is None:
        room = Room(column, more)
        found = room.with_more(room.rows(len(column)), more)
    return room, cast("Column", found)


@dataclass(frozen=True, eq=False)
class EvidenceColumns:
    """One row for each piece of evidence; ``details`` numbers what it says besides: its date, then what ``Evidence`` has
    after the study. Many may say the same.

    ``known`` is the day since which it was surely known, as a proleptic Gregorian ordinal.
    """

    ids: Names
    sources: Numbers
    levels: NDArray[np.int16]
    directions: NDArray[np.int8]
    studies: Numbers
    known: Numbers
    details: Numbers
    rooms: Mapping[str, Room] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, rows: Numbers) -> EvidenceColumns:
        """Return some of these rows."""
        return EvidenceColumns(**{name: getattr(self, name)[rows] for name in EVIDENCE})

    def with_more(self, more: EvidenceColumns) -> EvidenceColumns:
        """Return these rows and some after them, written behind them where there is room."""
        columns: dict[str, Any] = {}
        rooms = dict(self.rooms)
        for name in EVIDENCE:
            rooms[name], columns[name] = grown(rooms.get(name), getattr(self, name), getattr(more, name))
        return EvidenceColumns(**columns, rooms=rooms)


EVIDENCE = tuple(name for name in EvidenceColumns.__dataclass_fields__ if name != "rooms")


class EntitySpecs(tuple[EntitySpec, ...]):
    """The entities of a graph as values, and what follows from them; versions that have the same ones share it."""

    @cached_property
    def curies(self) -> Sequence[str]:
        """CURIEs of the entities."""
        return [spec.values["curie"] for spec in self]

    @cached_property
    def number(self) -> Mapping[str, int]:
        """Numbers of the entities by CURIE."""
        return {curie: i for i, curie in enumerate(self.curies)}

    @cached_property
    def by_label(self) -> Numbers:
        """The place of each entity among those of all kinds, by label and CURIE, as edges are sorted that are as trusted."""
        order = sorted(range(len(self)), key=lambda i: (self[i].values["label"].lower(), self.curies[i]))
        places = np.empty(len(self), np.int32)
        places[order] = np.arange(len(self), dtype=np.int32)
        return places

    @cached_property
    def of_kind(self) -> Mapping[str, range]:
        """Numbers of the entities of each kind that there are any of: they are sorted by kind."""
        counts = Counter(spec.kind for spec in self)
        ends = accumulate(counts.values())
        return {kind: range(end - counts[kind], end) for kind, end in zip(counts, ends, strict=True)}


@dataclass(frozen=True, eq=False)
class Columns:
    """A graph, by numbers: of entities, sources and studies in their tuples, of relations, levels and directions in the model.

    Assertions are sorted by the CURIE of their subject, their relation's name and the CURIE of their object.
    ``named`` are the rows of ``names`` that hold their ids, ``by_id`` their positions in the order of those. Names and
    evidence only grow from version to version (``Room``), so that they are neither copied nor published anew: half of
    what Hetionet takes.
    """

    model: Model
    entities: EntitySpecs
    sources: tuple[Source, ...]
    studies: tuple[Study, ...]
    details: Packed
    evidence: EvidenceColumns
    names: Names
    named: Numbers
    subjects: Numbers
    relations: NDArray[np.int16]
    objects: Numbers
    confidences: NDArray[np.float64]
    starts: Ints
    rows: Numbers
    by_id: Numbers
    room: Room | None = None
    """Where ``names`` can grow."""

    def __len__(self) -> int:
        return len(self.named)

    @classmethod
    def of(cls, projection: Projection, model: Model) -> Columns:
        """Return the columns of a projection, in time linear in it."""
        claims = projection.claims
        entities = EntitySpecs(projection.entities)
        number = entities.number
        relation = numbered(model.relations)
        writer = EvidenceWriter(model, projection.sources.values(), projection.studies.values())
        evidence = writer.columns(chain.from_iterable(claim.evidence for claim in claims))
        ids = names_of(claim.id for claim in claims)
        counts = np.fromiter((len(claim.evidence) for claim in claims), np.int64, len(claims))
        return cls(
            model,
            entities,
            tuple(writer.sources),
            tuple(writer.studies),
            Packed.of(writer.details),
            evidence,
            ids,
            np.arange(len(ids), dtype=np.int32),
            np.fromiter((number[claim.subject] for claim in claims), np.int32, len(claims)),
            np.fromiter((relation[claim.relation] for claim in claims), np.int16, len(claims)),
            np.fromiter((number[claim.object] for claim in claims), np.int32, len(claims)),
            np.fromiter((confidence_value(claim.evidence) for claim in claims), np.float64, len(claims)),
            starts_of(counts),
            np.arange(len(evidence), dtype=np.int32),
            np.argsort(ids, kind="stable").astype(np.int32),
        )

    # -------------------------------------------------------------- what follows from the columns
    @property
    def curies(self) -> Sequence[str]:
        """CURIEs of the entities."""
        return self.entities.curies

    @property
    def number(self) -> Mapping[str, int]:
        """Numbers of the entities by CURIE."""
        return self.entities.number

    @cached_property
    def owners(self) -> Numbers:
        """The assertion of each of ``rows``."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    @cached_property
    def supported(self) -> Bools:
        """Whether any evidence supports each assertion."""
        return self.pointing("SUPPORTS")

    def pointing(self, direction: str) -> Bools:
        """Return whether any evidence of each assertion points one way."""
        return self.having(self.directed(direction))

    def having(self, rows: Bools) -> Bools:
        """Return whether each assertion has evidence among some of ``rows``."""
        found: Bools = np.diff(starts_of(rows)[self.starts]) > 0
        return found

    @cached_property
    def latest(self) -> Ints:
        """Day of the newest evidence of each assertion, as a proleptic Gregorian ordinal."""
        newest = np.zeros(len(self), np.int64)
        np.maximum.at(newest, self.owners, self.evidence.known[self.rows])
        return newest

    def directed(self, direction: str) -> Bools:
        """Return whether the evidence in each of ``rows`` points one way."""
        found: Bools = self.evidence.directions[self.rows] == numbered(self.model.directions)[direction]
        return found

    def id(self, position: int) -> str:
        """Return the id of an assertion."""
        return self._name(position).decode()

    def position(self, id: str) -> int | None:
        """Return the position of the assertion with an id, or None."""
        wanted = id.encode()
        place = self.rank(wanted)
        if place == len(self) or self._name(self.by_id[place]) != wanted:
            return None
        return int(self.by_id[place])

    def rank(self, id: bytes) -> int:
        """Return how many assertions have ids before one."""
        return bisect_left(self.by_id, id, key=self._name)  # numpy's would copy all of by_id

    def _name(self, position: int) -> bytes:
        return bytes(self.names[self.named[position]])

    def place(self, subject: str, relation: str, object_: str) -> int:
        """Return where an assertion of these ends stands, or would: the first position that is not before it."""
        wanted, low, high = (subject, relation, object_), 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.claim_at(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def claim_at(self, position: int) -> tuple[str, str, str]:
        """Return the subject's CURIE, the relation's name and the object's CURIE of an assertion."""
        curies = self.curies
        relation = self.model.relations[self.relations[position]].name
        return curies[self.subjects[position]], relation, curies[self.objects[position]]

    # -------------------------------------------------------------- others
    def following(self, supported: Callable[[Bools], Bools] = lambda same: same, **columns: Any) -> Columns:
        """Return these columns with others in the place of some, of which it is known what is supported if it is of these.

        ``supported`` makes of that what it is then. To work it out anew takes 15 ms on Hetionet.
        """
        found = replace(self, **columns)
        if "supported" in self.__dict__:
            found.__dict__["supported"] = supported(self.supported)
        return found

    def as_of(self, day: date) -> Columns:
        """Return what was known at the end of a day: without later evidence, and what then has none."""
        known = self.evidence.known[self.rows] <= day.toordinal()
        if known.all():
            return self
        counts = np.bincount(self.owners[known], minlength=len(self))
        left = counts > 0
        fewer = np.flatnonzero(left & (counts < np.diff(self.starts)))
        then = replace(self.where(left), rows=self.rows[known], starts=starts_of(counts[left]))
        confidences = then.confidences.copy()
        places = np.cumsum(left) - 1
        reader = EvidenceReader(then)
        for position in places[fewer].tolist():
            confidences[position] = confidence_value(reader.of(position))
        return replace(then, confidences=confidences)

    def where(self, keep: Bools) -> Columns:
        """Return the assertions that are to be kept, with their evidence."""
        if keep.all():
            return self
        moved = (np.cumsum(keep) - 1).astype(np.int32)
        return self.following(
            lambda supported: supported[keep],
            named=self.named[keep],
            subjects=self.subjects[keep],
            relations=self.relations[keep],
            objects=self.objects[keep],
            confidences=self.confidences[keep],
            rows=self.rows[np.repeat(keep, np.diff(self.starts))],
            starts=starts_of(np.diff(self.starts)[keep]),
            by_id=moved[self.by_id[keep[self.by_id]]],
        )


class EvidenceWriter:
    """Turns evidence into rows, numbering sources, studies and details as they come."""

    def __init__(self, model: Model, sources: Iterable[Source], studies: Iterable[Study], details: int = 0) -> None:
        """Begin with known sources and studies, and the number of details that there are."""
        self.sources, self.studies = list(sources), list(studies)
        self.details: list[tuple[Any, ...]] = []
        self._first = details
        self._source = {source.id: i for i, source in enumerate(self.sources)}
        self._study = {study.id: i for i, study in enumerate(self.studies)}
        self._detail: dict[tuple[Any, ...], int] = {}
        self._level = numbered(model.levels)
        self._direction = numbered(model.directions)

    def columns(self, evidence: Iterable[Evidence]) -> EvidenceColumns:
        """Return rows for pieces of evidence."""
        ids: list[bytes] = []
        numbers: list[tuple[int, int, int, int, int, int]] = []
        for item in evidence:
            ids.append(item.id.encode())
            numbers.append(
                (
                    self._number(self._source, self.sources, item.source),
                    self._level[item.level.name],
                    self._direction[item.direction],
                    NOTHING if item.study is None else self._number(self._study, self.studies, item.study),
                    item.known_on.toordinal(),
                    self._details(item),
                )
            )
        columns = np.array(numbers, np.int32).reshape(-1, 6)
        source, level, direction, study, known, details = (columns[:, i] for i in range(6))
        return EvidenceColumns(
            np.array(ids, np.bytes_) if ids else np.zeros(0, "S1"),
            np.ascontiguousarray(source),
            level.astype(np.int16),
            direction.astype(np.int8),
            np.ascontiguousarray(study),
            np.ascontiguousarray(known),
            np.ascontiguousarray(details),
        )

    def _number(self, numbers: dict[str, int], things: list[Any], thing: Source | Study) -> int:
        number = numbers.get(thing.id)
        if number is None:
            number = numbers[thing.id] = len(things)
            things.append(thing)
        return number

    def _details(self, item: Evidence) -> int:
        said = (
            *(item.date, item.sample_size, item.count, item.total),
            *(item.grade, item.comment, item.verification),
        )
        number = self._detail.get(said)
        if number is None:
            number = self._detail[said] = self._first + len(self.details)
            self.details.append(said)
        return number


class EvidenceReader:
    """Makes records of the rows of evidence."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._levels = columns.model.levels
        self._directions = [direction.name for direction in columns.model.directions]
        self._said: tuple[int, Any] = NOTHING, None  # of the last row: loaded in bulk, many say the same

    def of(self, position: int) -> tuple[Evidence, ...]:
        """Return the evidence of an assertion, newest first."""
        columns = self._columns
        start, stop = columns.starts[position], columns.starts[position + 1]
        return tuple([self.at(row) for row in columns.rows[start:stop].tolist()])

    def at(self, row: int) -> Evidence:
        """Return the evidence in a row."""
        columns, evidence = self._columns, self._columns.evidence
        study = evidence.studies[row]
        number, said = self._said
        if number != evidence.details[row]:
            number = int(evidence.details[row])
            said = columns.details[number]
            self._said = number, said
        return Evidence(
            evidence.ids[row].decode(),
            columns.sources[evidence.sources[row]],
            self._levels[evidence.levels[row]],
            self._directions[evidence.directions[row]],
            said[0],
            None if study == NOTHING else columns.studies[study],
            *said[1:],
        )


class Named(Protocol):
    """Anything of the model that has a name."""

    @property
    def name(self) -> str:
        """The name, unique among its like."""


def numbered(things: Iterable[Named]) -> dict[str, int]:
    """Return the number of each thing, in the order given, by its name."""
    return {thing.name: i for i, thing in enumerate(things)}


def names_of(names: Iterable[str]) -> Names:
    """Return identifiers in UTF-8, all in the room of the longest."""
    encoded = [name.encode() for name in names]
    return np.array(encoded, np.bytes_) if encoded else np.zeros(0, "S1")


def inserted(column: Column, places: Ints, values: Column) -> Column:
    """Return ``np.insert`` of values before ascending places of a column of numbers."""
    whole = np.empty(len(column) + len(values), column.dtype)
    ends = [*places.tolist(), len(column)]
    start = 0
    for number, end in enumerate(ends):
        whole[start + number : end + number] = column[start:end]
        start = end
    whole[places + np.arange(len(values))] = values
    return whole


def _plain(column: Column) -> Column:
    """Return texts as rows of bytes: while numpy copies texts, no other thread runs, for 40 ms on Hetionet's identifiers."""
    return column.view(np.uint8).reshape(len(column), column.itemsize) if column.dtype.kind == "S" else column


def starts_of(counts: NDArray[Any]) -> Ints:
    """Return where each of some runs of these lengths begins, and where the last ends."""
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def run_members(starts: NDArray[Any], counts: NDArray[Any]) -> Ints:
    """Return the places of all members of some runs, run by run, of which it is known where they begin and how long they are."""
    places: Ints = (starts - counts.cumsum() + counts).repeat(counts)
    places += np.arange(len(places))
    return places


def stable_order(numbers: NDArray[Any], count: int) -> Ints:
    """Return the stable order of numbers under a count: numpy sorts by 16 bits in a fifth of the time that 32 take."""
    low = np.argsort(numbers.astype(np.uint16), kind="stable")
    if count <= 1 << 16:
        return low
    order: Ints = low[np.argsort((numbers >> 16).astype(np.uint16)[low], kind="stable")]
    return order


def starts_with_more(starts: Ints, places: Ints, counts: Ints) -> Ints:
    """Return where runs begin, and the last ends, once runs of some lengths are put in before ascending places."""
    whole = np.empty(len(starts) + len(places), starts.dtype)
    start = longer = 0
    for number, (place, count) in enumerate(zip(places.tolist(), counts.tolist(), strict=True)):
        np.add(starts[start:place], longer, out=whole[start + number : place + number])
        whole[place + number] = starts[place] + longer
        start, longer = place, longer + count
    np.add(starts[start:], longer, out=whole[start + len(places) :])
    return whole


def moved_by(places: Ints, count: int) -> Numbers:
    """Return where each of so many rows is once others are put in before ascending places."""
    moved = np.empty(count, np.int32)
    start = 0
    for number, end in enumerate([*places.tolist(), count]):
        moved[start:end] = np.arange(start + number, end + number, dtype=np.int32)
        start = end
    return moved
