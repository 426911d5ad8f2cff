"""Commands that keep the store safe: doctor, backup, restore."""

from __future__ import annotations

from pathlib import Path

import click

from kg.cli.options import DATA, FOLDER, plain_errors
from kg.errors import BadInput
from kg.store import Store


@click.command()
@DATA
def doctor(data: Path) -> None:
    """Read the whole store and compare it with its history; exit 2 where anything is damaged."""
    with plain_errors(), Store(data) as store:
        store.verify()
        quads = len(store.quads())
        click.echo(f"{data} is sound: version {store.version}, {quads:,} quads, as its history says.")


@click.command()
@click.argument("folder", type=FOLDER)
@DATA
def backup(folder: Path, data: Path) -> None:
    """Copy the store into a new folder, which is itself a store. Compare it with `kg doctor --data FOLDER`."""
    with plain_errors(), Store(data) as store:
        store.backup(folder)
        click.echo(f"Version {store.version} is in {folder}.")


@click.command()
@click.argument("folder", type=FOLDER)
@DATA
def restore(folder: Path, data: Path) -> None:
    """Put a backup in the place of an empty or missing data folder, after reading all of it."""
    with plain_errors():
        if not (folder / "head.json").exists():
            raise BadInput(f"{folder} is no backup: it has no head.json.")
        if data.exists() and any(data.iterdir()):
            raise BadInput(f"{data} is not empty. Move it away first, so that nothing is overwritten.")
        with Store(folder) as store:
            store.verify()
            data.mkdir(parents=True, exist_ok=True)
            data.rmdir()
            store.backup(data)
            click.echo(f"Version {store.version} of {folder} is in {data}.")


COMMANDS = (doctor, backup, restore)
