"""What leaves the library: frozen records of entities, assertions, edges, evidence and sources.

Each kind of the schema gets its own subclass of ``Entity`` with its fields as attributes, so that
``graph.entity("CLINICALTRIALS:NCT04146051").start_date`` works and is checked for spelling.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from kg.dates import last_day
from kg.model import EvidenceLevel, Model, snake_case

if TYPE_CHECKING:
    from kg.snapshot import Snapshot


_last_day = lru_cache(maxsize=1 << 16)(last_day)  # 0.1 µs instead of 2: evidence comes by the million, days do not


class Frozen:
    """Base of records that are filled once, by ``make``, and never written again."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} records are frozen; a graph changes through the store.")

    @classmethod
    def make(cls, values: Mapping[str, object]) -> Any:
        """Return a record with these attributes."""
        record = cls.__new__(cls)
        for name, value in values.items():
            object.__setattr__(record, name, value)
        return record


class Entity(Frozen):
    """Anything the graph makes assertions about.

    ``links`` maps the name of a relation, as seen from here (``targets``, ``drivenBy``), to its edges,
    most trusted first; it is assembled when first looked at. ``graph`` is the snapshot that the entity belongs to.
    """

    __slots__ = (
        "_links",
        "broad_matches",
        "curie",
        "description",
        "graph",
        "iri",
        "label",
        "sources",
        "synonyms",
        "url",
        "xrefs",
    )
    kind: ClassVar[str]

    curie: str
    iri: str
    label: str
    synonyms: tuple[str, ...]
    description: str | None
    xrefs: tuple[str, ...]
    broad_matches: tuple[str, ...]
    url: str | None
    sources: tuple[Source, ...]
    graph: Snapshot
    _links: Mapping[str, tuple[Edge, ...]]

    @property
    def id(self) -> str:
        """The CURIE, as in all records of the library."""
        return self.curie

    @property
    def links(self) -> Mapping[str, tuple[Edge, ...]]:
        """The edges, most trusted first, by the name of their relation as seen from here."""
        try:
            return self._links
        except AttributeError:  # of 1.5 M ends of Hetionet's edges, a query looks at a few hundred
            return self.graph.link(self)

    def edges(self, relation: str) -> tuple[Edge, ...]:
        """Return the edges under a relation's name as seen from here; none is an empty tuple."""
        return self.links.get(relation, ())

    @property
    def degree(self) -> int:
        """Number of edges, both directions."""
        return self.graph.degree(self)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.curie} {self.label!r}>"


class Structure(Frozen):
    """A structured value of a field, such as a CAR construct."""

    __slots__ = ("id",)
    id: str


@dataclass(frozen=True, slots=True)
class Source:
    """A document or record that evidence rests on."""

    id: str
    iri: str
    kind: str
    citation: str
    url: str
    doi: str | None = None
    pmid: str | None = None
    nct: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """A trial or cohort that several sources may report on; ``entity`` is the CURIE of the trial, if it is one here."""

    id: str
    iri: str
    label: str
    description: str | None = None
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one source says for or against an assertion."""

    id: str
    source: Source
    level: EvidenceLevel
    direction: str
    date: str
    study: Study | None = None
    sample_size: int | None = None
    count: int | None = None
    total: int | None = None
    grade: str | None = None
    comment: str | None = None
    verification: str | None = None

    @property
    def known_on(self) -> datetime.date:
        """The first day on which the evidence was surely known: the last day that its date may mean."""
        return _last_day(self.date)


@dataclass(frozen=True, eq=False, slots=True)
class Assertion:
    """A claim that a relation holds, with all evidence for and against it; ``confidence`` in [0, 1].

    What follows from the evidence is worked out when asked for (under 1 µs): room to keep it took 140 bytes
    an assertion.
    """

    id: str
    iri: str
    subject: Entity
    relation: str
    object: Entity
    evidence: tuple[Evidence, ...]
    confidence: float

    @property
    def supported(self) -> bool:
        """Whether any evidence supports it; an assertion without support is no edge."""
        for item in self.evidence:  # noqa: SIM110 - `any` and a generator take twice as long
            if item.direction == "SUPPORTS":
                return True
        return False

    @property
    def disputed(self) -> bool:
        """Whether evidence both supports and contradicts it."""
        return self.supported and any(item.direction == "CONTRADICTS" for item in self.evidence)

    @property
    def latest(self) -> datetime.date:
        """The day of the newest evidence."""
        return max(item.known_on for item in self.evidence)

    @property
    def best_level(self) -> EvidenceLevel:
        """The strongest level among the evidence."""
        return min((item.level for item in self.evidence), key=lambda level: level.order)


class Edge(Frozen):
    """An assertion seen from one of its ends: ``node`` is the other end."""

    __slots__ = ("assertion", "node", "reversed")

    assertion: Assertion
    node: Entity
    reversed: bool

    def __init__(self, assertion: Assertion, node: Entity, reversed_: bool) -> None:
        put = object.__setattr__
        put(self, "assertion", assertion)
        put(self, "node", node)
        put(self, "reversed", reversed_)

    @property
    def confidence(self) -> float:
        """Confidence of the assertion, in [0, 1]."""
        return self.assertion.confidence

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Evidence of the assertion, newest first."""
        return self.assertion.evidence

    def __repr__(self) -> str:
        arrow = "<-" if self.reversed else "->"
        return f"<Edge {self.assertion.relation} {arrow} {self.node.curie} {self.confidence:.2f}>"


class KindClasses:
    """The Python classes of a model's kinds and records, made once per model."""

    def __init__(self, model: Model) -> None:
        self.entities: dict[str, type[Entity]] = {
            kind.name: type(
                kind.name, (Entity,), _body(kind.description, [f.name for f in kind.fields], kind=kind.name)
            )
            for kind in model.kinds
        }
        self.structures: dict[str, type[Structure]] = {
            record.name: type(record.name, (Structure,), _body(record.description, [f.name for f in record.fields]))
            for record in model.records
        }


def _body(doc: str, fields: list[str], **extra: object) -> dict[str, object]:
    own = [snake_case(name) for name in fields if name != "sources" or "kind" not in extra]
    return {"__slots__": tuple(own), "__doc__": doc, **extra}
