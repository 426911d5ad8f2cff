"""Words and their beginnings are found, and ranked, as SQLite's FTS5 does it."""

from __future__ import annotations

import random
import sqlite3

import pytest

from kg.search import normalise
from kg.words import WHOLE, Words, without_accents

LETTERS = ["a", "b", "ab", "é", "ñ", "ø", "й", "中", "1", "İ", "ﬁ"]
CHARACTERS = [chr(i) for i in range(1, 0x1980) if chr(i) not in "Ǡǡ"]


def fts5(texts: list[str]) -> sqlite3.Connection:
    table = sqlite3.connect(":memory:")
    table.execute('CREATE VIRTUAL TABLE texts USING fts5(text, tokenize="unicode61 remove_diacritics 2")')
    table.executemany("INSERT INTO texts(rowid, text) VALUES (?, ?)", enumerate(texts))
    return table


def ranked(table: sqlite3.Connection, words: list[str]) -> list[tuple[int, float]]:
    query = " ".join(f'"{word}"*' if len(word) > WHOLE else f'"{word}"' for word in words)
    found = table.execute(
        "SELECT rowid, -bm25(texts) FROM texts WHERE texts MATCH ? ORDER BY 2 DESC LIMIT 20", (query,)
    )
    return found.fetchall()


@pytest.mark.parametrize("seed", range(20))
def test_ranks_are_those_of_fts5(seed: int) -> None:
    dice = random.Random(seed)
    texts = [" ".join("".join(dice.choices(LETTERS, k=dice.randint(1, 4))) for _ in range(dice.randint(0, 9))) for _ in range(300)]  # fmt: skip
    texts = [normalise(text) for text in texts]
    table, index = fts5(texts), Words(texts)
    for _ in range(100):
        words = dice.choice(texts).split()[: dice.randint(1, 3)] or ["nothing"]
        words = [word[: dice.randint(1, len(word))] for word in words]
        found = index.find([without_accents(word) for word in words], 20)
        assert found == [(row, pytest.approx(rank, rel=1e-12)) for row, rank in ranked(table, words)]


def test_letters_are_taken_apart_as_by_fts5() -> None:
    """All but two letters with two accents each; scripts that Unicode changed since 6.1 come after these."""
    texts = [normalise(f"x{character}y") for character in CHARACTERS]
    table = fts5(texts)
    table.execute("CREATE VIRTUAL TABLE words USING fts5vocab(texts, instance)")
    found: dict[int, list[str]] = {row: [] for row in range(len(texts))}
    for row, word in table.execute("SELECT doc, term FROM words ORDER BY doc, offset"):
        found[row].append(word)
    assert [without_accents(text).split() for text in texts] == list(found.values())


def test_an_index_of_nothing_finds_nothing() -> None:
    assert Words([]).find(["word"], 10) == []
    assert Words(["", ""]).find(["word"], 10) == []
