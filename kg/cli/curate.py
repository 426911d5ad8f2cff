"""Commands of a curator: check, load, history and status."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kg.checking import Diagnostic, check, with_excerpts
from kg.cli.options import DATA, FOLDER, PATHS, SCHEMA, plain_errors, read_with_progress
from kg.errors import CheckFailed
from kg.graph import GraphService, builtin_reference, open_service, seed_changes
from kg.model import data_folder, load_model
from kg.reading import Document
from kg.reference import load_reference
from kg.store import Store, default_author


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
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
def check_(
    paths: Sequence[Path], schema: Path | None, reference: Path | None, against: Path | None, format_: str, strict: bool
) -> None:
    """Check files: syntax, fields, evidence, kinds, identifiers, labels.

    Exit code 0: nothing wrong; 1: problems, all listed with file, line and column; 2: could not check.
    """
    with plain_errors():
        model = load_model(schema)
        tables = load_reference(reference) if reference else builtin_reference()
        documents = read_with_progress(paths, quiet=format_ != "text")
        context = _context(against, documents)
        diagnostics = check(documents, model, tables, context)
    _print_diagnostics(diagnostics, documents, format_)
    raise SystemExit(1 if any(strict or d.severity == "error" for d in diagnostics) else 0)


def _context(folder: Path | None, documents: Sequence[Document]) -> list[Any]:
    if folder is None:
        return []
    with Store(folder) as store:
        return store.triples_except({document.name for document in documents})


def _print_diagnostics(diagnostics: Sequence[Diagnostic], documents: Sequence[Document], format_: str) -> None:
    if format_ == "json":
        click.echo(json.dumps([d.as_dict() for d in diagnostics], indent=2))
    elif format_ == "github":
        for d in diagnostics:
            click.echo(
                f"::{d.severity} file={d.source},line={d.line or 1},col={d.column or 1},title={d.code}::{d.message} {d.hint}".rstrip()
            )
    else:
        _print_text(diagnostics, documents)


def _print_text(diagnostics: Sequence[Diagnostic], documents: Sequence[Document]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for d, excerpt in with_excerpts(diagnostics, documents):
        colour = "red" if d.severity == "error" else "yellow"
        place = ":".join(str(part) for part in (d.source, d.line, d.column) if part is not None)
        console.print(f"[bold]{escape(place)}[/]: [{colour}]{d.severity}[/]: {escape(d.message)} [dim]\\[{d.code}][/]")
        if excerpt:
            console.print(f"    [dim]{d.line:>5} |[/] {escape(excerpt[:160])}")
        if d.hint:
            console.print(f"          [dim]=[/] {escape(d.hint)}")
    errors = sum(d.severity == "error" for d in diagnostics)
    warnings = len(diagnostics) - errors
    triples = sum(len(document.triples) for document in documents)
    console.print(f"{len(documents)} files, {triples:,} triples: {errors} errors, {warnings} warnings")


@click.command()
@PATHS
@DATA
@SCHEMA
@click.option("--message", "-m", default="", help="Why; kept in the history.")
@click.option("--author", default=default_author, show_default="user name", help="Who; kept in the history.")
@click.option("--remove", multiple=True, metavar="NAME", help="Take out what this file said.")
@click.option("--dry-run", is_flag=True, help="Say what would change and change nothing.")
def load(
    paths: Sequence[Path],
    data: Path,
    schema: Path | None,
    message: str,
    author: str,
    remove: Sequence[str],
    dry_run: bool,
) -> None:
    """Check files and load them as one change set; a file replaces what it said before.

    Loading the same files twice changes nothing. Stop a running service first: it holds the store.
    """
    with plain_errors(), Store(data) as store:
        service = GraphService(store, load_model(schema))
        documents = read_with_progress(paths)
        if dry_run:
            problems = [d for d in service.check(documents, remove) if d.severity == "error"]
            if problems:
                raise CheckFailed(problems)
            delta = service.preview(documents, remove)
            click.echo(f"Would add {len(delta.added):,} and remove {len(delta.removed):,} quads; nothing was changed.")
            return
        names = ", ".join(document.name for document in documents[:3]) + (" …" if len(documents) > 3 else "")
        change = service.load(documents, message=message or f"load {names}", author=author, remove=remove)
        if change is None:
            click.echo(f"Nothing changed: the store at version {store.version} already says all that.")
        else:
            click.echo(
                f"Version {change.version}: {change.added:,} quads added, {change.removed:,} removed. {service.snapshot!r}"
            )


@click.command()
@DATA
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def history(data: Path, format_: str) -> None:
    """List the change sets, newest first."""
    with plain_errors(), Store(data) as store:
        entries = store.history()[::-1]
    if format_ == "json":
        rows = [
            {
                "version": e.version,
                "time": e.time.isoformat(),
                "author": e.author,
                "message": e.message,
                "added": e.added,
                "removed": e.removed,
                "sources": dict(e.sources),
            }
            for e in entries
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table("Version", "Time", "Author", "Added", "Removed", "Message", box=None)
    for e in entries:
        table.add_row(str(e.version), e.time.isoformat(sep=" "), e.author, f"{e.added:,}", f"{e.removed:,}", e.message)
    Console().print(table)


@click.command()
@DATA
@SCHEMA
@click.option(
    "--seeds", type=FOLDER, envvar="KG_SEEDS", help="Seed folder; by default the one that came with the installation."
)
def status(data: Path, schema: Path | None, seeds: Path | None) -> None:
    """Say what the store holds, and which seed files differ from what was loaded."""
    with plain_errors():
        service = open_service(data, schema, seeds)
        counts = {kind: len(entities) for kind, entities in service.snapshot.by_kind.items()}
        changes = seed_changes(service.store, seeds or data_folder("seeds"))
        service.store.close()
    click.echo(repr(service.snapshot))
    for kind, count in counts.items():
        click.echo(f"  {kind:<16} {count:>8,}")
    for change in changes:
        click.echo(f"  seed file {change.name} is {change.state}")
    if changes:
        click.echo(f"Load them with: kg load {seeds or data_folder('seeds')} --data {data}")


COMMANDS = (check_, load, history, status)
