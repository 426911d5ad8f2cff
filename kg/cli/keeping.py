"""Commands that keep the store safe, or copy what is in it: doctor, backup, restore, publish, permute."""

from __future__ import annotations

from pathlib import Path

import click

from kg import keeping
from kg.cli.options import DATA, FOLDER, SCHEMA, plain_errors, progress_bar
from kg.disk import disk_named, read_head
from kg.errors import BadInput, StoreError, StoreLocked
from kg.exploration import Graph
from kg.findings import HypothesisConstraints
from kg.graph import GraphService
from kg.model import Model, load_model
from kg.overlay import scenario
from kg.permutation import GAMMA, PERMUTATIONS
from kg.published import FOLDER as SNAPSHOTS
from kg.published import Follower, Published, published_in, published_version
from kg.significance import tallying


@click.command()
@DATA
def doctor(data: Path) -> None:
    """Read the whole store and compare it with its history; exit 2 where anything is damaged.

    While a service runs on the data folder, a copy of its files is read.
    """
    with plain_errors(), keeping.opened(data) as store:
        store.verify()
        quads = len(store.quads())
        click.echo(f"{data} is sound: version {store.version}, {quads:,} quads, as its history says.")


@click.command()
@click.argument("folder", type=FOLDER)
@DATA
def backup(folder: Path, data: Path) -> None:
    """Copy the store into a new folder, which is itself a store, after reading all of it.

    A service that runs on the data folder may go on. Tokens are not part of a backup, or it would bring
    back those revoked since.
    """
    with plain_errors():
        version = keeping.backup(data, folder)
        click.echo(f"Version {version} is in {folder}.")


@click.command()
@click.argument("folder", type=FOLDER)
@DATA
def restore(folder: Path, data: Path) -> None:
    """Put a backup in the place of an empty or missing data folder, after reading all of it."""
    with plain_errors():
        version = keeping.restore(folder, data)
        click.echo(f"Version {version} of {folder} is in {data}.")


@click.command()
@click.argument("folder", type=FOLDER)
@DATA
@SCHEMA
def publish(folder: Path, data: Path, schema: Path | None) -> None:
    """Write the graph into a folder that `kg serve --read-only --data FOLDER` serves, here or on another machine.

    Done again, the new snapshot takes the place of the old one in one step, and services that read the folder change
    over by themselves. A service that runs on the data folder may go on.
    """
    with plain_errors():
        if folder.resolve() in {data.resolve(), (data / SNAPSHOTS).resolve()}:
            raise BadInput(f"{folder} belongs to the store itself, which publishes there. Name another folder.")
        model = load_model(schema)
        graph = _newest(data, model)
        with disk_named(f"{folder} cannot be written", folder):
            Published(folder, model).publish(graph)
        click.echo(f"Version {graph.version.number} is in {folder}. `kg serve --read-only --data {folder}` serves it.")


@click.command()
@DATA
@SCHEMA
@click.option("--permutations", type=click.IntRange(1, 10_000), default=PERMUTATIONS, show_default=True, help="Permuted graphs.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the permutations.")
@click.option("--max-length", type=click.IntRange(1, 4), default=3, show_default=True, help="Longest metapath.")
@click.option("--uniform", is_flag=True, help="Let every edge count the same: the published definition.")
def permute(data: Path, schema: Path | None, permutations: int, seed: int, max_length: int, uniform: bool) -> None:
    """Make what p-values of a large graph take, so that nobody who asks for them has to wait for it.

    It lies with the published snapshot, in a data folder or in one that `kg publish` wrote, and is for questions with the
    same options. Services that run there find it by themselves. Stopped, the command goes on where it was.
    """
    where = HypothesisConstraints(
        permutations=permutations, seed=seed, max_length=max_length, weighting="UNIFORM" if uniform else "CONFIDENCE"
    )
    with plain_errors():
        model = load_model(schema)
        _publish_newest(data, model)
        graph = Follower(data, model).snapshot
        with progress_bar() as progress:
            for null in tallying(scenario(graph), where):
                progress("permuting", null.count, permutations)
        if not null.kept:
            raise StoreError(f"{published_in(data)} cannot be written, or is full.")
        click.echo(f"{null.report(GAMMA, seed).text} of version {graph.version.number} are in {published_in(data)}.")


def _publish_newest(data: Path, model: Model) -> None:
    """Publish the newest version of a store, if it is one; raises StoreError where only its service can."""
    head = read_head(data)
    if head and published_version(data / SNAPSHOTS, model) != head.version:
        try:
            store = keeping.existing(data)
        except StoreLocked as error:
            raise StoreError(
                f"The service on {data} has not published version {head.version} yet; it does when it stops. Or let "
                f"`kg publish FOLDER --data {data}` write it into another folder, and name that one with --data."
            ) from error
        service = GraphService.reading(store, model, data)
        try:
            _ = service.snapshot
        finally:
            service.close()


def _newest(data: Path, model: Model) -> Graph:
    """Return the graph in a data folder: what is published of it where that is the newest version, else from the store."""
    head, graph = read_head(data), Published(data / SNAPSHOTS, model).newest()
    if head and graph and (graph.version.number, graph.version.store) == (head.version, head.store):
        return graph
    with keeping.opened(data) as store:
        return GraphService.reading(store, model, data).snapshot


COMMANDS = (doctor, backup, restore, publish, permute)
