"""What the service adds to the ``kg`` command: serve, settings and schema graphql."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from kg.cli.options import DATA, FOLDER, SCHEMA, plain_errors
from kg.model import load_model
from server.graphql.query import build_schema
from server.run import serve as run_service
from server.settings import rows


def register(main: click.Group) -> None:
    """Add the service's commands to the ``kg`` command."""
    main.add_command(serve)
    main.add_command(settings)
    group = main.commands["schema"]
    if isinstance(group, click.Group):
        group.add_command(graphql)


@click.command()
@click.option("--host", envvar="KG_HOST", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", envvar="KG_PORT", type=int, default=8000, show_default=True, help="Port; 0 takes any free one.")
@DATA
@SCHEMA
@click.option(
    "--seeds",
    type=FOLDER,
    envvar="KG_SEEDS",
    help="Folder that fills an empty store; by default the seeds that came with the installation.",
)
@click.option(
    "--log-level",
    envvar="KG_LOG_LEVEL",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
)
def serve(**options: Any) -> None:
    """Serve the graph: GraphQL at /graphql, with an editor for browsers.

    An empty store is filled from the seeds first. A seed file that changed since is reported, not loaded.
    """
    with plain_errors():
        raise SystemExit(run_service(os.environ, **options))


@click.command()
def settings() -> None:
    """List every setting of the service with its default."""
    table = Table("Variable", "Default", "What it is for", box=None)
    for name, default, said in rows():
        table.add_row(name, default, said)
    Console().print(table)


@click.command()
@SCHEMA
def graphql(schema: Path | None) -> None:
    """Print the GraphQL schema (schema/schema.graphql is this)."""
    with plain_errors():
        click.echo(build_schema(load_model(schema)).as_str())
