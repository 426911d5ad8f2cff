"""The example queries: tabs of the query editor, and the questions of the README.

Each ``*.graphql`` file here is one question; its first comment line is the question in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Example:
    """One question: its name, the question in words, and the query."""

    name: str
    title: str
    query: str

    def as_dict(self) -> dict[str, str]:
        """Return the title and the query, for the query editor's tabs."""
        return {"title": self.title, "query": self.query}


def load_examples(folder: Path = Path(__file__).parent) -> tuple[Example, ...]:
    """Return the examples in a folder, by file name."""
    examples = []
    for file in sorted(folder.glob("*.graphql")):
        query = file.read_text(encoding="utf-8").strip()
        title = query.splitlines()[0].lstrip("# ").strip()
        examples.append(Example(file.stem, title, query))
    return tuple(examples)


EXAMPLES = load_examples()
