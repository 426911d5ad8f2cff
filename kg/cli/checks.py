"""The command ``kg check``, and how findings are shown on a terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from kg.checking import check
from kg.cli.options import FOLDER, PATHS, SCHEMA, plain_errors, progress_bar, read_with_progress
from kg.cli.remote import running_service
from kg.diagnostics import Diagnostic, with_excerpts
from kg.documents import Document
from kg.graph import builtin_reference
from kg.keeping import opened
from kg.model import load_model
from kg.reference import load_reference

COLOURS = {"error": "red", "warning": "yellow"}


@click.command("check")
@PATHS
@SCHEMA
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    envvar="KG_REFERENCE",
    help="Identifier tables; by default the small built-in ones.",
)
@click.option("--against", type=FOLDER, help="Data folder whose graph the files may refer to.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Count warnings as problems.")
@click.option("--pedantic", is_flag=True, help="Advise too: claims on one weak source, counts without a total.")
def check_(
    paths: Sequence[Path],
    schema: Path | None,
    reference: Path | None,
    against: Path | None,
    format_: str,
    strict: bool,
    pedantic: bool,
) -> None:
    """Check files: syntax, fields, evidence, kinds, identifiers, labels, duplicates, contradictions.

    Exit code 0: nothing wrong, or only warnings; 1: problems, all listed with file, line and column;
    2: could not check.
    """
    with plain_errors():
        model = load_model(schema)
        tables = load_reference(reference) if reference else builtin_reference()
        quiet = format_ != "text"
        documents = read_with_progress(paths, model, quiet=quiet)
        context = _context(against, documents)
        with progress_bar(quiet=quiet) as progress:
            found = check(documents, model, tables, context, pedantic=pedantic, progress=progress)
    show(found, documents, format_)
    raise SystemExit(1 if any(strict or d.severity == "error" for d in found) else 0)


def _context(folder: Path | None, documents: Sequence[Document]) -> list[Any]:
    if folder is None:
        return []
    names = {document.name for document in documents}
    remote = running_service(folder)
    if remote:
        return remote.triples_except(names)
    with opened(folder) as store:
        return store.triples_except(names)


def show(diagnostics: Sequence[Diagnostic], documents: Sequence[Document], format_: str = "text") -> None:
    """Print findings in one of the formats of ``kg check``."""
    if format_ == "json":
        click.echo(json.dumps([d.as_dict() for d in diagnostics], indent=2, ensure_ascii=False))
    elif format_ == "github":
        for d in diagnostics:
            click.echo(d.as_github())
    else:
        show_text(diagnostics, documents, Console(highlight=False, soft_wrap=True))


def show_text(diagnostics: Sequence[Diagnostic], documents: Sequence[Document], console: Console) -> None:
    """Print findings like a compiler: the place, the line with a caret, what to do."""
    for d, excerpt in with_excerpts(diagnostics, documents):
        head = Text.assemble((d.place, "bold"), ": ", (d.severity, COLOURS[d.severity]), f": {d.message} ")
        console.print(head.append(f"[{d.code}]", "dim"))
        if excerpt:
            console.print(Text.assemble((f"{d.line:>7} | ", "dim"), excerpt.line))
            console.print(Text.assemble(("        | ", "dim"), (excerpt.caret, COLOURS[d.severity])))
        if d.hint:
            console.print(Text.assemble(("        = ", "dim"), d.hint))
    errors = sum(d.severity == "error" for d in diagnostics)
    triples = sum(len(document.triples) for document in documents)
    parts = (_many(len(documents), "file"), f"{triples:,} triples")
    console.print(f"{', '.join(parts)}: {_many(errors, 'error')}, {_many(len(diagnostics) - errors, 'warning')}")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


COMMANDS = (check_,)
