"""Finding entities by what people call them.

Three tiers, each tried only while better ones leave room: the exact name, synonym or identifier;
full text with prefixes (SQLite FTS5, bm25); and, where those give nothing, spelling distance
(rapidfuzz). Full text alone answers "B-ALL" and "T cell" with nonsense and typos with nothing, and
spelling distance alone turns CD19 into CD59, which is why the order matters (research/modelling.md §4.2).
"""

from __future__ import annotations

import copy
import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz, process

from kg.errors import NearMatch
from kg.records import Entity

SHORT, SHORT_CUTOFF, LONG_CUTOFF, PARTIAL_CUTOFF = (
    6,
    88.0,
    78.0,
    85.0,
)  # short symbols one letter apart are different things

GREEK = str.maketrans({"α": "alpha", "β": "beta", "γ": "gamma", "κ": "kappa", "ζ": "zeta", "δ": "delta"})
SIGNS = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """One match: ``score`` in (0, 1], which text matched, which field that is, and how it matched.

    ``tier`` is exact, fulltext or fuzzy; scores of a better tier are always higher.
    """

    entity: Entity
    score: float
    matched: str
    field: str
    tier: str


@dataclass(frozen=True, slots=True)
class Name:
    """One searchable text of an entity, by its number."""

    text: str
    field: str
    number: int


def normalise(text: str) -> str:
    """Return a text in the form names are compared in: lower case, Greek letters spelt, runs of other signs as one blank."""
    text = text.casefold()
    if not text.isascii():
        text = text.translate(GREEK)
    return SIGNS.sub(" ", text).strip()


class SearchIndex:
    """An index over the names of entities; safe to use from several threads."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self.entities = entities
        self.names: list[Name] = [
            name for number, entity in enumerate(self.entities) for name in _names(number, entity)
        ]
        self._lock = threading.Lock()

    def over(self, entities: Sequence[Entity]) -> SearchIndex:
        """Return the same index for entities of the same names in the same order, such as those of the next version."""
        index = copy.copy(self)
        index.entities = entities
        return index

    @cached_property
    def _exact(self) -> dict[str, list[Name]]:
        exact: dict[str, list[Name]] = {}
        for name, spelling in zip(self.names, self._spellings, strict=True):
            if name.field != "description":
                exact.setdefault(spelling, []).append(name)
        return exact

    @cached_property
    def _table(self) -> sqlite3.Connection:
        table = sqlite3.connect(":memory:", check_same_thread=False)
        table.execute(
            "CREATE VIRTUAL TABLE names USING fts5(text, tokenize=\"unicode61 remove_diacritics 2\", prefix='2 3')"
        )
        table.executemany(
            "INSERT INTO names(rowid, text) VALUES (?, ?)",
            ((i, known or normalise(self.names[i].text)) for i, known in enumerate(self._spellings)),
        )
        return table

    @cached_property
    def _spellings(self) -> list[str]:
        return [normalise(name.text) if name.field != "description" else "" for name in self.names]

    def search(self, text: str, kinds: Iterable[str] | None = None, limit: int = 10) -> list[Hit]:
        """Return up to ``limit`` hits, one an entity, best first; ties are broken by CURIE."""
        wanted = normalise(text)
        if not wanted or limit < 1:
            return []
        allowed = None if kinds is None else set(kinds)
        hits: dict[str, Hit] = {}
        for tier in (self._by_name, self._by_words, self._by_spelling):
            if tier == self._by_spelling and hits:
                break
            for hit in tier(wanted):
                if (allowed is None or hit.entity.kind in allowed) and hits.get(
                    hit.entity.curie, hit
                ).score <= hit.score:
                    hits[hit.entity.curie] = hit
        return sorted(hits.values(), key=lambda hit: (-hit.score, hit.entity.label.lower(), hit.entity.curie))[:limit]

    def near(self, text: str, limit: int = 3) -> list[NearMatch]:
        """Return entities whose names look like a text, for error messages."""
        wanted = normalise(text)
        found = (
            process.extract(wanted, self._spellings, scorer=fuzz.ratio, limit=limit * 4, score_cutoff=60)
            if wanted
            else []
        )
        entities = (self.entities[self.names[i].number] for _, _, i in found)
        near = {entity.curie: entity.label for entity in entities}
        return [NearMatch(curie, label) for curie, label in list(near.items())[:limit]]

    def _by_name(self, wanted: str) -> Iterable[Hit]:
        bonus = {"label": 1.0, "curie": 1.0, "synonym": 0.99, "identifier": 0.98}
        for name in self._exact.get(wanted, ()):
            yield Hit(self.entities[name.number], bonus[name.field], name.text, name.field, "exact")

    def _by_words(self, wanted: str) -> Iterable[Hit]:
        words = [f'"{word}"*' if len(word) > 2 else f'"{word}"' for word in wanted.split()]
        query = "SELECT rowid, bm25(names) FROM names WHERE names MATCH ? ORDER BY 2 LIMIT 1000"
        with self._lock:
            rows = self._table.execute(query, (" ".join(words),)).fetchall()
        worst = min((rank for _, rank in rows), default=0.0) or -1.0
        weight = {"label": 1.0, "curie": 1.0, "synonym": 0.97, "identifier": 0.95, "description": 0.5}
        for row, rank in rows:
            name = self.names[row]
            closeness = fuzz.ratio(wanted, self._spellings[row]) / 100 if name.field != "description" else 0.0
            score = 0.5 + 0.45 * weight[name.field] * (0.3 * rank / worst + 0.7 * closeness)
            yield Hit(self.entities[name.number], round(score, 4), name.text, name.field, "fulltext")

    def _by_spelling(self, wanted: str) -> Iterable[Hit]:
        short = len(wanted) <= SHORT
        tries = [(fuzz.ratio, SHORT_CUTOFF if short else LONG_CUTOFF, 0.49)]
        if not short:
            tries.append((fuzz.partial_ratio, PARTIAL_CUTOFF, 0.44))
        for scorer, cutoff, weight in tries:
            for _, ratio, i in process.extract(wanted, self._spellings, scorer=scorer, limit=200, score_cutoff=cutoff):
                name = self.names[i]
                if len(self._spellings[i]) >= len(wanted) - 2:  # a short name inside a long query is no match for it
                    yield Hit(
                        self.entities[name.number], round(weight * ratio / 100, 4), name.text, name.field, "fuzzy"
                    )


def _names(number: int, entity: Entity) -> Iterable[Name]:
    yield Name(entity.label, "label", number)
    yield Name(entity.curie, "curie", number)
    for synonym in entity.synonyms:
        yield Name(synonym, "synonym", number)
    for xref in entity.xrefs:
        yield Name(xref, "identifier", number)
    for name in ("symbol", "acronym", "nct"):
        value = getattr(entity, name, None)
        if isinstance(value, str) and value:
            yield Name(value, "synonym", number)
    if entity.description:
        yield Name(entity.description, "description", number)
