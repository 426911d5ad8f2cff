"""Identifier tables to check CURIEs against: which exist, what they are called, what replaced them.

A table is tab-separated text, one row an identifier (``id label status replaced_by``), led by comment
lines that say for each prefix its version, its licence and whether the table holds all of it. A small
one, with the identifiers of ``seeds/`` and their neighbours, comes with the package; a curator builds
a full one with ``kg reference build``.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Collection, Iterator
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


# ---------------------------------------------------------------- building
@dataclass(frozen=True, slots=True)
class Recipe:
    """How one source table becomes rows: file, version, licence, columns."""

    prefix: str
    file: str
    version: str
    licence: str
    label: str = "label"
    obsolete: Callable[[dict[str, str]], bool] = lambda row: row.get("obsolete") == "true"


RECIPES = (
    Recipe("MONDO", "mondo.tsv.gz", "v2026-05-05", "CC BY 4.0, Mondo Disease Ontology"),
    Recipe("CL", "cl.tsv.gz", "v2026-03-26", "CC BY 4.0, Cell Ontology"),
    Recipe("HP", "hp.tsv.gz", "2025-11-24", "HPO licence (free use, unaltered), Human Phenotype Ontology"),
    Recipe("DOID", "doid.tsv.gz", "2026-08-19", "CC0, Human Disease Ontology"),
    Recipe(
        "HGNC",
        "hgnc.tsv.gz",
        "2024-07",
        "CC0, HUGO Gene Nomenclature Committee",
        "symbol",
        lambda row: row["status"] != "Approved",
    ),
    Recipe("ECO", "eco.tsv.gz", "2024-07-19", "CC0, Evidence and Conclusion Ontology"),
)


def build(folder: Path, only: Collection[str] | None = None) -> str:
    """Return the text of a table file made from the tables in a folder.

    ``only`` names CURIEs; where given, just they, their children and what they replaced go in, and the
    tables are marked as partial. Raises BadInput where the folder holds none of the known tables.
    """
    recipes = [recipe for recipe in RECIPES if (folder / recipe.file).exists()]
    if not recipes:
        raise BadInput(f"{folder} holds none of {', '.join(recipe.file for recipe in RECIPES)}.")
    out = io.StringIO()
    out.write("# Identifier tables for `kg check`, made by `kg reference build`; identifiers and labels only.\n")
    bodies: list[str] = []
    wanted = set(only or ())
    for recipe in recipes:
        rows = list(_rows(folder / recipe.file))
        kept = rows if only is None else [row for row in rows if _near(row, wanted)]
        extent = "complete" if only is None else "partial"
        out.write(f"#prefix\t{recipe.prefix}\t{recipe.version}\t{recipe.licence}\t{extent}\n")
        bodies += [_line(recipe, row) for row in kept]
    out.write("id\tlabel\tstatus\treplaced_by\n")
    out.writelines(sorted(bodies))
    return out.getvalue()


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def _near(row: dict[str, str], only: set[str]) -> bool:
    """Whether a row is one of the wanted, a child of one, or what one replaced."""
    return (
        row["id"] in only
        or not only.isdisjoint(row.get("parents", "").split("|"))
        or row.get("replaced_by", "") in only
    )


def _line(recipe: Recipe, row: dict[str, str]) -> str:
    status = "obsolete" if recipe.obsolete(row) else "current"
    return f"{row['id']}\t{row[recipe.label]}\t{status}\t{row.get('replaced_by', '')}\n"
