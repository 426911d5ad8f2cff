"""Commands that keep the store safe: doctor, backup, restore."""

from __future__ import annotations

from pathlib import Path

import click

from kg import keeping
from kg.cli.options import DATA, FOLDER, plain_errors


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


COMMANDS = (doctor, backup, restore)
