"""What the service adds to the ``kg`` command: serve, settings, replay and schema graphql.

Every ``kg`` command reads this module, so what the service is made of is imported where a command needs it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from kg.cli.options import DATA, FOLDER, SCHEMA, plain_errors
from kg.cli.remote import running_service
from kg.errors import BadInput
from kg.graph import open_service
from kg.model import load_model

REPLAY = """query Replay($answer: ID!) {
  replay(answer: $answer) { answer verdict text made madeAtVersion version edges { assertion text before after } }
}"""


def register(main: click.Group) -> None:
    """Add the service's commands to the ``kg`` command."""
    main.add_command(serve)
    main.add_command(settings)
    main.add_command(replay)
    group = main.commands["schema"]
    if isinstance(group, click.Group):
        group.add_command(graphql)


@click.command()
@click.option("--host", envvar="KG_HOST", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    envvar="KG_PORT",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port; 0 takes any free one.",
)
@DATA
@SCHEMA
@click.option(
    "--seeds",
    type=FOLDER,
    envvar="KG_SEEDS",
    help="Folder that fills an empty store; by default the seeds that came with the installation, for their schema.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    envvar="KG_WORKERS",
    default=1,
    show_default=True,
    help="Processes that answer; one of them writes, the others map its snapshots.",
)
@click.option(
    "--read-only",
    is_flag=True,
    envvar="KG_READ_ONLY",
    help="Serve published snapshots, such as a copy made by kg publish, without a store.",
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
    from server.run import serve as run_service

    with plain_errors():
        raise SystemExit(run_service(os.environ, **options))


@click.command()
@click.argument("answer")
@DATA
@SCHEMA
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def replay(answer: str, data: Path, schema: Path | None, format_: str) -> None:
    """Say what became of an answer: the same, changed (and by which edges), or no longer supported.

    ANSWER is the id in extensions.graph.answer of a search for paths or hypotheses. A running service is asked;
    else the store in the data folder is read. Exit code 0: the same; 1: not; 2: could not say.
    """
    with plain_errors():
        found = replayed(answer, data, schema)
    if format_ == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        click.echo(found["text"])
    raise SystemExit(0 if found["verdict"] == "SAME" else 1)


def replayed(answer: str, data: Path, schema: Path | None) -> dict[str, Any]:
    """Return what ``replay`` says of an answer; raises KGError where it cannot be asked."""
    running = running_service(data)
    if running is not None:
        asked: dict[str, Any] = running.ask(REPLAY, {"answer": answer})["replay"]
        return asked
    from server.graphql.execution import Engine
    from server.graphql.query import build_schema
    from server.settings import Settings

    service = open_service(data, schema)
    try:
        engine = Engine(build_schema(service.model), service, Settings())
        prepared = engine.prepare(REPLAY, None, {"answer": answer})
        body = json.loads(engine.execute(prepared, {"answer": answer}).body)
        engine.citations.close()
    finally:
        service.store.close()
    if body.get("errors"):
        raise BadInput(body["errors"][0]["message"])
    found: dict[str, Any] = body["data"]["replay"]
    return found


@click.command()
def settings() -> None:
    """List every setting of the service with its default."""
    from server.settings import rows

    table = Table("Variable", "Default", "What it is for", box=None)
    for name, default, said in rows():
        table.add_row(name, default, said)
    Console().print(table)


@click.command()
@SCHEMA
def graphql(schema: Path | None) -> None:
    """Print the GraphQL schema (schema/schema.graphql is this)."""
    from server.graphql.query import build_schema

    with plain_errors():
        click.echo(build_schema(load_model(schema)).as_str())
