"""The ``kg`` command."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from kg.checking import Diagnostic, check, with_excerpts
from kg.errors import CheckFailed, KGError
from kg.graph import GraphService, builtin_reference, open_service, read_files, seed_changes
from kg.model import data_folder, load_model
from kg.reading import Document
from kg.reference import BUILT_IN, build, load_reference
from kg.store import Store, default_author

FOLDER = click.Path(path_type=Path, file_okay=False)
PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
DATA = click.option(
    "--data", type=FOLDER, envvar="KG_DATA", default=Path(".cartograph"), show_default=True, help="Folder of the store."
)
SCHEMA = click.option(
    "--schema",
    type=FOLDER,
    envvar="KG_SCHEMA",
    help="Schema folder; by default the one that came with the installation.",
)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn errors raised on purpose into one paragraph on standard error and exit code 2."""
    try:
        yield
    except CheckFailed as error:
        for diagnostic in error.diagnostics:
            click.echo(str(diagnostic), err=True)
        errors = sum(d.severity == "error" for d in error.diagnostics)
        raise SystemExit(_fail(f"{errors} problem{'s' * (errors != 1)}; nothing was loaded.", 1)) from None
    except KGError as error:
        raise SystemExit(_fail(str(error), 2)) from None


def _fail(message: str, code: int) -> int:
    click.echo(f"kg: {message}", err=True)
    return code


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="cartograph-kg", prog_name="kg")
def main() -> None:
    """CARTograph: a knowledge graph of CAR-T therapy, with evidence on every edge, served as GraphQL.

    \b
    kg serve                  start the service on http://127.0.0.1:8000
    kg check seeds/           check files before loading them
    kg load my-trials.ttl     load them as one change set

    Every option can also be set by an environment variable: KG_DATA, KG_PORT and so on; `kg settings` lists them.
    """


# ---------------------------------------------------------------- checking
@main.command("check")
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


def read_with_progress(paths: Sequence[Path], *, quiet: bool = False) -> list[Document]:
    """Read files, with a progress bar on a terminal."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("reading", total=None)
        return read_files(paths, lambda _, done, total: progress.update(task, completed=done, total=total))


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


# ---------------------------------------------------------------- loading
@main.command()
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


@main.command()
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


@main.command()
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


# ---------------------------------------------------------------- schema and reference tables
@main.group()
def schema() -> None:
    """Export what is derived from the schema folder."""


@schema.command("context")
@SCHEMA
def schema_context(schema: Path | None) -> None:
    """Print the JSON-LD context (schema/context.jsonld is this)."""
    from kg.context import jsonld_context

    with plain_errors():
        click.echo(json.dumps(jsonld_context(load_model(schema)), indent=2, ensure_ascii=False))


@main.group()
def reference() -> None:
    """Identifier tables that `kg check` looks CURIEs up in."""


@reference.command("build")
@click.argument("folder", type=FOLDER)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    help="File to write; standard output by default. A name ending in .gz is compressed.",
)
@click.option(
    "--only-for",
    "only_for",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="Only the identifiers used in these files, and their neighbours.",
)
def reference_build(folder: Path, output: Path | None, only_for: Sequence[Path]) -> None:
    """Build tables from a folder of TSV tables (mondo.tsv.gz, cl.tsv.gz, hp.tsv.gz, hgnc.tsv.gz …)."""
    with plain_errors():
        only = None
        if only_for:
            curie = load_model().prefixes.curie
            only = {
                curie(t.value)
                for d in read_files(only_for)
                for triple in d.triples
                for t in (triple.subject, triple.object)
                if hasattr(t, "value")
            }
        text = build(folder, only)
    if output is None:
        click.echo(text, nl=False)
    elif output.suffix == ".gz":
        import gzip

        output.write_bytes(gzip.compress(text.encode(), mtime=0))
    else:
        output.write_text(text, encoding="utf-8")
    click.echo(f"{text.count(chr(10)):,} lines; the built-in table is {BUILT_IN}", err=True)


def run() -> None:
    """Run the command with what installed packages add to it: the service adds ``kg serve``."""
    for entry in entry_points(group="cartograph.commands"):
        entry.load()(main)
    main(prog_name="kg")
