"""Finding entities by what people call them.

Three tiers, each tried only while better ones leave room: the exact name, synonym or identifier;
words and their beginnings (BM25); and, where those give nothing, spelling distance
(rapidfuzz). Full text alone answers "B-ALL" and "T cell" with nonsense and typos with nothing, and
spelling distance alone turns CD19 into CD59, which is why the order matters (research/modelling.md §4.2).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz, process

from kg.errors import NearMatch
from kg.model import Field, Model
from kg.records import Entity
from kg.words import Words, without_accents

SHORT, SHORT_CUTOFF, LONG_CUTOFF, PARTIAL_CUTOFF = (
    6,
    88.0,
    78.0,
    85.0,
)  # short symbols one letter apart are different things

GREEK = str.maketrans({"α": "alpha", "β": "beta", "γ": "gamma", "κ": "kappa", "ζ": "zeta", "δ": "delta"})
SIGNS = re.compile(r"[\W_]+")
MOST_BY_WORDS = 1_000
WHOLE_NAME = {"label": 1.0, "curie": 1.0, "synonym": 0.99, "identifier": 0.98}  # scores, by field
WORDS_OF = {"label": 1.0, "curie": 1.0, "synonym": 0.97, "identifier": 0.95, "description": 0.5}

Match = tuple[float, int, str]  # score, row of the name, tier


@dataclass(slots=True)  # not frozen: that takes longer to make
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

    def __init__(self, entities: Sequence[Entity], model: Model) -> None:
        self.entities = entities
        synonyms = {kind.name: [field for field in kind.fields if field.synonym] for kind in model.kinds}
        self.names: list[Name] = [
            name for number, entity in enumerate(entities) for name in _names(number, entity, synonyms[entity.kind])
        ]

    def over(self, entities: Sequence[Entity]) -> SearchIndex:
        """Return the same index for entities of the same names in the same order, such as those of the next version."""
        index = copy.copy(self)
        index.entities = entities
        return index

    @cached_property
    def _exact(self) -> dict[str, list[int]]:
        exact: dict[str, list[int]] = {}
        for row, spelling in enumerate(self._spellings):
            if self.names[row].field != "description":
                exact.setdefault(spelling, []).append(row)
        return exact

    @cached_property
    def _words(self) -> Words:
        return Words(
            normalise(name.text) if name.field == "description" else spelling
            for name, spelling in zip(self.names, self._spellings, strict=True)
        )

    @cached_property
    def _spellings(self) -> list[str]:
        return [normalise(name.text) if name.field != "description" else "" for name in self.names]

    def search(self, text: str, kinds: Iterable[str] | None = None, limit: int = 10) -> list[Hit]:
        """Return up to ``limit`` hits, one an entity, best first; ties are broken by CURIE."""
        wanted = normalise(text)
        if not wanted or limit < 1:
            return []
        allowed = None if kinds is None else set(kinds)
        best: dict[int, Match] = {}
        for tier, look in (("exact", self._by_name), ("fulltext", self._by_words), ("fuzzy", self._by_spelling)):
            if tier == "fuzzy" and best:
                break
            for row, score in look(wanted):
                number = self.names[row].number
                if (number not in best or best[number][0] <= score) and (
                    allowed is None or self.entities[number].kind in allowed
                ):
                    best[number] = score, row, tier
        entities = self.entities
        found = [(entities[number], *match) for number, match in best.items()]
        found.sort(key=_order)
        return [
            Hit(entity, score, self.names[row].text, self.names[row].field, tier)
            for entity, score, row, tier in found[:limit]
        ]

    def near(self, text: str, limit: int = 3) -> list[NearMatch]:
        """Return entities whose names look like a text, for error messages."""
        wanted = normalise(text)
        found = (
            process.extract(wanted, self._spellings, scorer=fuzz.ratio, limit=limit * 4, score_cutoff=60)
            if wanted
            else []
        )
        rows = [*self._without_prefix(wanted), *(row for _, _, row in found)]
        entities = (self.entities[self.names[row].number] for row in rows)
        near = {entity.curie: entity.label for entity in entities}
        return [NearMatch(curie, label) for curie, label in list(near.items())[:limit]]

    def _without_prefix(self, wanted: str) -> Iterator[int]:
        """Yield the rows of identifiers that are a text with some prefix before it."""
        for prefix in self._prefixes:
            yield from self._exact.get(f"{prefix} {wanted}", ())

    @cached_property
    def _prefixes(self) -> Sequence[str]:
        identifiers = (name.text for name in self.names if name.field in {"curie", "identifier"})
        return sorted({normalise(text.partition(":")[0]) for text in identifiers if ":" in text})

    def _by_name(self, wanted: str) -> Iterator[tuple[int, float]]:
        for row in self._exact.get(wanted, ()):
            yield row, WHOLE_NAME[self.names[row].field]

    def _by_words(self, wanted: str) -> Iterator[tuple[int, float]]:
        found = self._words.find(without_accents(wanted).split(), MOST_BY_WORDS)
        best = found[0][1] if found else 1.0
        for row, rank in found:
            field = self.names[row].field
            closeness = fuzz.ratio(wanted, self._spellings[row]) / 100 if field != "description" else 0.0
            yield row, round(0.5 + 0.45 * WORDS_OF[field] * (0.3 * rank / best + 0.7 * closeness), 4)

    def _by_spelling(self, wanted: str) -> Iterator[tuple[int, float]]:
        short = len(wanted) <= SHORT
        tries = [(fuzz.ratio, SHORT_CUTOFF if short else LONG_CUTOFF, 0.49)]
        if not short:
            tries.append((fuzz.partial_ratio, PARTIAL_CUTOFF, 0.44))
        for scorer, cutoff, weight in tries:
            for _, ratio, i in process.extract(wanted, self._spellings, scorer=scorer, limit=200, score_cutoff=cutoff):
                if len(self._spellings[i]) >= len(wanted) - 2:  # a short name inside a long query is no match for it
                    yield i, round(weight * ratio / 100, 4)


def _order(found: tuple[Entity, float, int, str]) -> tuple[float, str, str]:
    entity, score, _, _ = found
    return -score, entity.label.lower(), entity.curie


def _names(number: int, entity: Entity, synonyms: Iterable[Field]) -> Iterator[Name]:
    yield Name(entity.label, "label", number)
    yield Name(entity.curie, "curie", number)
    for synonym in entity.synonyms:
        yield Name(synonym, "synonym", number)
    for xref in entity.xrefs:
        yield Name(xref, "identifier", number)
    for field in synonyms:
        value = getattr(entity, field.attribute)
        for text in (value or ()) if field.many else (value,):
            if text:
                yield Name(text, "synonym", number)
    if entity.description:
        yield Name(entity.description, "description", number)
