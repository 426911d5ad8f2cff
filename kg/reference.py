"""Identifier tables to check CURIEs against: which exist, what they are called, what replaced them.

A table is tab-separated text, one row an identifier (``id label status replaced_by``), led by comment
lines that say for each prefix its version, its licence and whether the table holds all of it. A small
one, with the identifiers of ``seeds/`` and their neighbours, comes with the package; a curator builds
a full one with ``kg reference build``.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from kg.errors import BadInput

BUILT_IN = Path(__file__).parent / "reference.tsv"


@dataclass(frozen=True, slots=True)
class Term:
    """One identifier: its CURIE, its official label, whether it is obsolete and what replaced it."""

    curie: str
    label: str
    obsolete: bool = False
    replaced_by: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of one prefix; ``complete`` says that an identifier not in it does not exist."""

    prefix: str
    version: str
    licence: str
    complete: bool
    terms: dict[str, Term] = field(repr=False)


class Reference:
    """Tables by prefix."""

    def __init__(self, tables: dict[str, Table]) -> None:
        self.tables = tables

    def table(self, curie: str) -> Table | None:
        """Return the table of a CURIE's prefix, if there is one."""
        return self.tables.get(curie.partition(":")[0])

    def term(self, curie: str) -> Term | None:
        """Return what is known of a CURIE, if anything."""
        table = self.table(curie)
        return table.terms.get(curie) if table else None

    def __len__(self) -> int:
        return sum(len(table.terms) for table in self.tables.values())


@lru_cache(maxsize=4)
def load_reference(path: Path | None = None) -> Reference:
    """Read a table file (the built-in one by default), gzipped if its name ends in .gz."""
    path = path or BUILT_IN
    if not path.exists():
        raise BadInput(
            f"The reference table {path} does not exist; build one with `kg reference build DIR --output {path}`."
        )
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return _parse(file.read())


def _parse(text: str) -> Reference:
    tables: dict[str, Table] = {}
    lines = text.splitlines()
    for line in lines:
        if line.startswith("#prefix\t"):
            _, prefix, version, licence, extent = line.split("\t")
            tables[prefix] = Table(prefix, version, licence, extent == "complete", {})
    rows = csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
    for row in rows:
        term = Term(row["id"], row["label"], row["status"] == "obsolete", row["replaced_by"] or None)
        tables[term.curie.partition(":")[0]].terms[term.curie] = term
    return Reference(tables)
