"""Commands that change the graph or say how it stands: load, status."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from kg.cli.checks import show_text
from kg.cli.diffs import show_diff
from kg.cli.options import DATA, FOLDER, PATHS, SCHEMA, plain_errors, progress_bar, read_with_progress
from kg.cli.remote import load_through, running_service
from kg.errors import CheckFailed
from kg.graph import GraphService, Plan, open_service, seed_changes
from kg.model import data_folder, load_model
from kg.store import Store, default_author


@click.command()
@PATHS
@DATA
@SCHEMA
@click.option("--message", "-m", default="", help="Why; kept in the history.")
@click.option("--author", default=default_author, show_default="user name", help="Who; kept in the history.")
@click.option("--remove", multiple=True, metavar="NAME", help="Take out what this file said.")
@click.option("--dry-run", is_flag=True, help="Say what would change and change nothing.")
@click.option("--all", "every", is_flag=True, help="Show every line of the diff, not the first of each group.")
def load(
    paths: Sequence[Path],
    data: Path,
    schema: Path | None,
    message: str,
    author: str,
    remove: Sequence[str],
    dry_run: bool,
    every: bool,
) -> None:
    """Check files, print what they change, and load them as one change set.

    A file replaces what it said before and leaves what others said. Loading the same files twice changes
    nothing. While a service runs on the data folder, the change is made through it.
    """
    remote = running_service(data)
    if remote:
        with plain_errors():
            load_through(remote, paths, message=message, author=author, remove=remove, dry_run=dry_run, every=every)
        return
    with plain_errors(), Store(data) as store:
        model = load_model(schema)
        service = GraphService(store, model)
        documents = read_with_progress(paths, model)
        try:
            with progress_bar() as progress:
                plan = service.plan(documents, remove, progress)
        except CheckFailed as error:
            show_text(error.diagnostics, documents, Console(stderr=True, highlight=False, soft_wrap=True))
            click.echo("kg: nothing was loaded.", err=True)
            raise SystemExit(1) from None
        names = ", ".join(document.name for document in documents[:3]) + (" …" if len(documents) > 3 else "")
        del documents  # what is to be written is in the plan; a large file is in memory once less
        _load(service, plan, message or f"load {names}", author, dry_run, every)


def _load(
    service: GraphService,
    plan: Plan,
    message: str,
    author: str,
    dry_run: bool,
    every: bool,
) -> None:
    for warning in plan.warnings:
        click.echo(str(warning), err=True)
    if not plan:
        click.echo(f"Nothing changed: the store at version {service.store.version} already says all that.")
        return
    show_diff(plan.diff, every=every)
    delta = plan.prepared.delta
    if dry_run:
        click.echo(f"Would add {len(delta.added):,} and remove {len(delta.removed):,} quads; nothing was changed.")
        return
    started = time.monotonic()
    change = service.apply(plan, message=message, author=author)
    if change:
        rate = (change.added + change.removed) / max(time.monotonic() - started, 0.001)
        counts = f"{change.added:,} quads added, {change.removed:,} removed ({rate:,.0f}/s)"
        click.echo(f"Version {change.version}: {counts}. {service.snapshot!r}")


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


COMMANDS = (load, status)
