"""A parsed file: its triples, where in the text each subject stands, and what could not be read."""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from pyoxigraph import Literal, Triple

from kg.errors import SyntaxProblem

Subject: TypeAlias = Any  # NamedNode or BlankNode; pyoxigraph's stubs also allow RDF 1.2 triples, which reading refuses
Term: TypeAlias = Any  # the same, or Literal


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something stands; lines and columns count from 1."""

    line: int
    column: int


class Lines:
    """The line breaks of a text, for turning an offset into a place."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)

    def place(self, offset: int) -> Place:
        """Return the line and column of an offset."""
        line = bisect.bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)


@dataclass
class Document:
    """One parsed file: its name, the SHA-256 of its bytes, its triples, and where each subject stands.

    ``syntax`` holds what could not be read, where the reader was asked to go on past errors.
    """

    name: str
    sha256: str
    text: str
    triples: Sequence[Triple]
    places: MutableMapping[Subject, Place] = field(default_factory=dict)
    prefixes: Mapping[str, str] = field(default_factory=dict)
    syntax: list[SyntaxProblem] = field(default_factory=list)

    def place(self, subject: Term) -> Place | None:
        """Return where a subject stands, or None where that is not known."""
        return self.places.get(subject) if not isinstance(subject, Literal) else None

    def line(self, number: int) -> str:
        """Return one line of the text, without its line break; an empty text for a line that is not there."""
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return [line.rstrip("\r") for line in self.text.split("\n")]


def new_document(name: str, data: bytes, text: str) -> Document:
    """Return a document without triples."""
    return Document(name, hashlib.sha256(data).hexdigest(), text, [])
