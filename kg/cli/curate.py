"""Commands that change the graph or say how it stands: load, status."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from kg.changes import sources_of
from kg.cli.checks import show_text
from kg.cli.options import DATA, FOLDER, PATHS, SCHEMA, plain_errors, progress_bar, read_with_progress
from kg.cli.outcomes import ALL, CHANGE_FORMAT, DRY_RUN, EXPECT, IMPACT_SECONDS, carried_out, tell
from kg.cli.remote import named_files, running_service
from kg.errors import CheckFailed
from kg.graph import OTHER_SCHEMA, GraphService, seed_changes, seeds_of
from kg.impact import Limits
from kg.keeping import opened
from kg.memory import no_collection
from kg.model import load_model
from kg.store import Store, default_author


@click.command()
@PATHS
@DATA
@SCHEMA
@click.option("--message", "-m", default="", help="Why; kept in the history.")
@click.option("--author", default=default_author, show_default="user name", help="Who; kept in the history.")
@click.option("--remove", multiple=True, metavar="NAME", help="Take out what this file said.")
@EXPECT
@DRY_RUN
@IMPACT_SECONDS
@ALL
@CHANGE_FORMAT
def load(
    paths: Sequence[Path],
    data: Path,
    schema: Path | None,
    message: str,
    author: str,
    remove: Sequence[str],
    expected_version: int | None,
    dry_run: bool,
    impact_seconds: float,
    every: bool,
    format_: str,
) -> None:
    """Check files, print what they change, and load them as one change set.

    A file replaces what it said before and leaves what others said. Loading the same files twice changes
    nothing. A dry run also says which confidences, hypotheses and ranks would move. While a service runs on
    the data folder, the change is made through it.
    """
    remote = running_service(data)
    if remote:
        with plain_errors():
            files = [(name, path) for path, name in named_files(paths)]
            why = message or _why([name for name, _ in files], remove)
            made = remote.load(
                files, message=why, author=author, remove=remove, expected_version=expected_version, dry_run=dry_run
            )
        tell(made, dry_run=dry_run, every=every, format_=format_, through=remote.url)
        return
    with plain_errors(), Store(data) as store, no_collection():
        model = load_model(schema)
        service = GraphService.reading(store, model, data)
        store.expect(expected_version)
        documents = read_with_progress(paths, model, quiet=format_ != "text")
        try:
            with progress_bar(quiet=format_ != "text") as progress:
                plan = service.plan(documents, remove, progress)
        except CheckFailed as error:
            show_text(error.diagnostics, documents, Console(stderr=True, highlight=False, soft_wrap=True))
            click.echo("kg: nothing was loaded.", err=True)
            raise SystemExit(1) from None
        why = message or _why([document.name for document in documents], remove)
        del documents  # what is to be written is in the plan; a large file is in memory once less
        started = time.monotonic()
        made = carried_out(service, plan, why, author, Limits(seconds=impact_seconds), dry_run=dry_run)
    tell(made, dry_run=dry_run, every=every, format_=format_, seconds=time.monotonic() - started)


def _why(names: Sequence[str], removed: Sequence[str]) -> str:
    """Return a message for a change that was given none."""
    said = [
        f"{verb} {', '.join(some[:3])}{' …' * (len(some) > 3)}"
        for verb, some in (("load", names), ("remove", removed))
        if some
    ]
    return " and ".join(said)


@click.command()
@DATA
@SCHEMA
@click.option(
    "--seeds",
    type=FOLDER,
    envvar="KG_SEEDS",
    help="Seed folder; by default the one that came with the installation, for its schema.",
)
def status(data: Path, schema: Path | None, seeds: Path | None) -> None:
    """Say what the store holds, and which seed files differ from what was loaded."""
    remote = running_service(data)
    with plain_errors():
        model = load_model(schema)
        folder = seeds_of(model, seeds)
        if remote:
            loaded, (held, kinds) = sources_of(remote.history()[::-1]), remote.held()
            astray = kinds.keys() != {kind.label for kind in model.kinds}
        else:
            with opened(data) as store:
                loaded, graph = store.sources(), GraphService.reading(store, model, data).snapshot
            held, kinds = repr(graph), {graph.model.kind[k].label: len(found) for k, found in graph.by_kind.items()}
            astray = graph.version.number > 0 and not graph.edge_count
        changes = seed_changes(loaded, folder) if folder and (seeds or not astray) else []
    click.echo(held)
    for kind, count in kinds.items():
        click.echo(f"  {kind:<16} {count:>8,}")
    if astray:
        click.echo(OTHER_SCHEMA)
    for change in changes:
        click.echo(f"  seed file {change.name} is {change.state}")
    if changes:
        click.echo(f"Load them with: kg load {folder} --data {data}")


COMMANDS = (load, status)
