"""Answers that can be cited: what was asked of which version, and which edges the answer rests on.

An answer's id is a hash of the graph's version, the operation, its variables and the engine's version, so
the same question of the same graph has the same id everywhere. Answers of searches are kept in a small
SQLite file beside the store, so that ``kg replay ID`` can ask again and say what became of them.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson
import structlog

from kg.errors import NotFound

log = structlog.get_logger("cartograph")

PRUNE_EVERY = 100  # citations kept between looks at how many there are
TABLE = """CREATE TABLE IF NOT EXISTS citations (
  id TEXT PRIMARY KEY, version INTEGER, made REAL, query TEXT, operation TEXT, variables TEXT, digest TEXT, edges TEXT
)"""


def engine_version() -> str:
    """Return the version of the installed package."""
    try:
        return version("cartograph-kg")
    except PackageNotFoundError:
        return "unknown"


ENGINE = engine_version()


def asked(query: str, operation: str | None) -> bytes:
    """Return a document and the name of an operation as ``answer_id`` wants them."""
    return orjson.dumps([ENGINE, query, operation], default=str)[1:-1]


def answer_id(tag: str, asked: bytes, variables: Mapping[str, Any]) -> str:
    """Return the id of the answer to an operation on the version of the graph that ``tag`` names."""
    given = orjson.dumps(variables, default=str, option=orjson.OPT_SORT_KEYS)
    question = b'["%s",%s,%s]' % (tag.encode(), asked, given)
    return f"answer:{hashlib.blake2b(question, digest_size=10).hexdigest()}"


def digest(data: Any) -> str:
    """Return a hash of an answer's data."""
    return hashlib.blake2b(orjson.dumps(data, default=str, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Citation:
    """A kept answer; ``edges`` maps the assertions it rests on to the confidence they had, ``made`` is in seconds of Unix time."""

    id: str
    version: int
    made: float
    query: str
    operation: str | None
    variables: dict[str, Any]
    digest: str
    edges: dict[str, float]


class Citations:
    """The kept answers, newest ``most`` of them; without a folder, or one that can be written, they are kept in memory."""

    def __init__(self, folder: Path | None, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._kept = 0
        try:
            self._database = _opened(":memory:" if folder is None else str(folder / "citations.sqlite"))
        except sqlite3.Error as error:
            log.warning("answers_kept_in_memory", reason=str(error), folder=str(folder))
            self._database = _opened(":memory:")

    def keep(self, citation: Citation) -> None:
        """Keep an answer, letting go of the oldest past the limit; one that finds no room on the disk is given all the same."""
        if self.most <= 0:
            return
        try:
            self._keep(citation)
        except sqlite3.Error as error:
            log.warning("answer_not_kept", answer=citation.id, reason=str(error))

    def _keep(self, citation: Citation) -> None:
        row = (
            citation.id, citation.version, citation.made, citation.query, citation.operation,
            json.dumps(citation.variables, default=str), citation.digest, json.dumps(citation.edges),
        )  # fmt: skip
        with self._lock:
            self._database.execute("INSERT OR IGNORE INTO citations VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._kept += 1
            if self._kept % PRUNE_EVERY == 0:
                self._database.execute(
                    "DELETE FROM citations WHERE id NOT IN (SELECT id FROM citations ORDER BY made DESC LIMIT ?)",
                    (self.most,),
                )

    def find(self, id_: str) -> Citation:
        """Return a kept answer; raises NotFound that says which are kept."""
        with self._lock:
            row = self._database.execute("SELECT * FROM citations WHERE id = ?", (id_,)).fetchone()
        if row is None:
            raise NotFound(
                "kept answer", id_, hint=f"The newest {self.most:,} answers of searches are kept in the data folder."
            )
        id_, number, made, query, operation, variables, digest_, edges = row
        return Citation(id_, number, made, query, operation, json.loads(variables), digest_, json.loads(edges))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()


def _opened(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=OFF")  # a lost citation can be had again by asking again
    database.execute(TABLE)
    return database


def now() -> float:
    """Return the time, in seconds of Unix time."""
    return time.time()


# ---------------------------------------------------------------- asking again
SAME, CHANGED, UNSUPPORTED = "SAME", "CHANGED", "UNSUPPORTED"


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """An edge that an answer rested on or rests on now; confidences in [0, 1], None where it is no edge."""

    assertion: str
    text: str
    before: float | None
    after: float | None

    @property
    def sentence(self) -> str:
        """The change in words."""
        if self.after is None:
            return f"“{self.text}” is no edge any more (confidence was {self.before:.2f})"
        if self.before is None:
            return f"“{self.text}” is new (confidence {self.after:.2f})"
        return f"“{self.text}” went from confidence {self.before:.2f} to {self.after:.2f}"


@dataclass(frozen=True)
class Replay:
    """What became of an answer: SAME, CHANGED, or UNSUPPORTED where an edge it rested on is gone."""

    citation: Citation
    version: int
    verdict: str
    edges: tuple[EdgeChange, ...]

    @property
    def text(self) -> str:
        """The verdict in sentences."""
        then = (
            f"{self.citation.id} was made at version {self.citation.version}; the graph is at version {self.version}."
        )
        if self.verdict == SAME:
            return f"{then} The answer is the same."
        said = "is no longer supported" if self.verdict == UNSUPPORTED else "has changed"
        reasons = "; ".join(edge.sentence for edge in self.edges) or "no edge that it rested on changed, but others did"
        return f"{then} The answer {said}: {reasons}."
