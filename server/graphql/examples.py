"""Example queries of a schema: tabs of the query editor, and for our own the questions of the README.

Each ``*.graphql`` file in the folder ``examples`` of a schema folder is one question; its first comment line is the
question in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kg.model import data_folder

FOLDER = "examples"


@dataclass(frozen=True, slots=True)
class Example:
    """One question: its name, the question in words, and the query."""

    name: str
    title: str
    query: str

    def as_dict(self) -> dict[str, str]:
        """Return the title and the query, for the query editor's tabs."""
        return {"title": self.title, "query": self.query}


def load_examples(schema: Path | None = None) -> tuple[Example, ...]:
    """Return the examples of a schema folder (by default the one that came with the installation), by file name."""
    examples = []
    for file in sorted(((schema or data_folder("schema")) / FOLDER).glob("*.graphql")):
        query = file.read_text(encoding="utf-8").strip()
        title = query.splitlines()[0].lstrip("# ").strip()
        examples.append(Example(file.stem, title, query))
    return tuple(examples)
