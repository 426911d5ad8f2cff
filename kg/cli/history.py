"""Commands about what was: history, show, diff, revert, export."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kg.changes import ChangeSet
from kg.cli.diffs import as_json, show_diff
from kg.cli.options import DATA, SCHEMA, plain_errors
from kg.cli.outcomes import ALL, CHANGE_FORMAT, DRY_RUN, EXPECT, IMPACT_SECONDS, carried_out, tell
from kg.cli.remote import running_service
from kg.exporting import EXPORTS, export, history_turtle
from kg.graph import GraphService
from kg.impact import Limits
from kg.keeping import existing, opened
from kg.model import load_model
from kg.store import default_author

FORMAT = click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)


@contextmanager
def _reading(data: Path, schema: Path | None) -> Iterator[GraphService]:
    with plain_errors(), opened(data) as store:
        yield GraphService.reading(store, load_model(schema), data)


@click.command()
@DATA
@click.option(
    "--format", "format_", type=click.Choice(["text", "json", "ttl"]), default="text", show_default=True,
    help="ttl is PROV-O.",
)  # fmt: skip
def history(data: Path, format_: str) -> None:
    """List the change sets, newest first."""
    remote = running_service(data)
    with plain_errors():
        if remote and format_ != "ttl":  # which no service tells: it is read from a copy of the files
            entries = remote.history()
        else:
            with opened(data) as store:
                entries = list(store.history()[::-1])
                turtle = history_turtle(store) if format_ == "ttl" else ""
    if format_ == "ttl":
        click.echo(turtle, nl=False)
    elif format_ == "json":
        click.echo(json.dumps([e.as_dict() for e in entries], indent=2, ensure_ascii=False))
    else:
        table = Table("Version", "Time", "Author", "Added", "Removed", "Message", box=None)
        for e in entries:
            row = (str(e.version), e.time.isoformat(sep=" "), e.author, f"{e.added:,}", f"{e.removed:,}", e.message)
            table.add_row(*map(Text, row))
        Console(emoji=False).print(table)


@click.command()
@click.argument("version", type=int)
@DATA
@SCHEMA
@ALL
@FORMAT
@click.option("--quads", is_flag=True, help="Print the exact statements, each led by - or +, instead.")
def show(version: int, data: Path, schema: Path | None, every: bool, format_: str, quads: bool) -> None:
    """Show one change set: who, when, why, from which files, and what it meant."""
    if quads:
        with plain_errors(), opened(data) as store:
            delta = store.delta(version)
        lines = [f"-{quad} ." for quad in delta.removed] + [f"+{quad} ." for quad in delta.added]
        click.echo("\n".join(lines))
        return
    remote = running_service(data)
    if remote:
        with plain_errors():
            change, diff = remote.show(version)
    else:
        with _reading(data, schema) as service:
            change, diff = service.show(version)
    if format_ == "json":
        click.echo(json.dumps({**change.as_dict(), "diff": as_json(diff)}, indent=2, ensure_ascii=False))
    else:
        _describe(change)
        show_diff(diff, every=every)


def _describe(change: ChangeSet) -> None:
    click.echo(f"Version {change.version}, {change.time.isoformat(sep=' ')}, {change.author}: {change.message}")
    if change.reverts:
        click.echo(f"Undoes version {change.reverts}.")
    for name, digest in sorted(change.sources.items()):
        click.echo(f"  {name}  {'sha256 ' + digest[:16] if digest else 'taken out'}")
    click.echo(f"{change.added:,} quads added, {change.removed:,} removed")


@click.command()
@click.argument("first", type=int)
@click.argument("second", type=int)
@DATA
@SCHEMA
@ALL
@FORMAT
def diff(first: int, second: int, data: Path, schema: Path | None, every: bool, format_: str) -> None:
    """Say how version SECOND differs from version FIRST; 0 is the empty graph."""
    remote = running_service(data)
    if remote:
        with plain_errors():
            found = remote.diff(first, second)
    else:
        with _reading(data, schema) as service:
            found = service.diff(first, second)
    if format_ == "json":
        click.echo(json.dumps(as_json(found), indent=2, ensure_ascii=False))
    else:
        show_diff(found, every=every)


@click.command()
@click.argument("version", type=int)
@DATA
@SCHEMA
@click.option("--message", "-m", default="", help="Why; kept in the history.")
@click.option("--author", default=default_author, show_default="user name", help="Who; kept in the history.")
@EXPECT
@DRY_RUN
@IMPACT_SECONDS
@ALL
@CHANGE_FORMAT
def revert(
    version: int,
    data: Path,
    schema: Path | None,
    message: str,
    author: str,
    expected_version: int | None,
    dry_run: bool,
    impact_seconds: float,
    every: bool,
    format_: str,
) -> None:
    """Undo one change set by a new one, leaving what came later.

    Where later change sets touched the same statements, they are named and nothing is changed. While a
    service runs on the data folder, the change is made through it.
    """
    remote = running_service(data)
    with plain_errors():
        if remote:
            made = remote.revert(
                version,
                message=message or f"undo version {version}: {remote.show(version)[0].message}",
                author=author,
                expected_version=expected_version,
                dry_run=dry_run,
            )
        else:
            with existing(data) as store:
                service = GraphService.reading(store, load_model(schema), data)
                store.expect(expected_version)
                plan = service.plan_revert(version)
                why = message or f"undo version {version}: {store.change(version).message}"
                made = carried_out(service, plan, why, author, Limits(seconds=impact_seconds), dry_run=dry_run)
    tell(made, dry_run=dry_run, every=every, format_=format_, through=remote.url if remote else "")


@click.command("export")
@DATA
@SCHEMA
@click.option("--at", type=int, help="Version; the last one by default.")
@click.option("--format", "format_", type=click.Choice(list(EXPORTS)), default="nq", show_default=True)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File; standard output by default."
)
def export_(data: Path, schema: Path | None, at: int | None, format_: str, output: Path | None) -> None:
    """Write what all files state, at any version, in one canonical order: the same version gives the same bytes.

    nq and trig keep which file said what, and load back as those files; the other formats merge them.
    """
    remote = running_service(data)
    with plain_errors():
        if remote:
            text = remote.export(format_, at)
        else:
            with opened(data) as store:
                text = export(store, load_model(schema), store.version if at is None else at, format_)
    if output:
        output.write_bytes(text)
    else:
        sys.stdout.buffer.write(text)


COMMANDS = (history, show, diff, revert, export_)
