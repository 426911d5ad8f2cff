"""Commands about files alone: new, fmt, convert."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from kg.cli.options import PATHS, SCHEMA, plain_errors
from kg.errors import BadInput
from kg.exporting import EXPORTS, write
from kg.model import load_model
from kg.reading import files_under, name_nodes, read_file
from kg.skeletons import levels_help, skeleton
from kg.tables import template, write_table
from kg.turtle import format_turtle

TABLE = "assertions"


@click.command()
@click.argument("kind")
@click.option("--id", "curie", help="CURIE of the new entity.")
@click.option("--label", help="Name of the new entity.")
@SCHEMA
def new(kind: str, curie: str | None, label: str | None, schema: Path | None) -> None:
    """Print a file to start from: KIND is a kind of the schema (therapy, trial …), or `assertions` for a table.

    Fill in the CAPITALS, take the # off what you know, and run `kg check` on it.
    """
    with plain_errors():
        model = load_model(schema)
        if kind == TABLE:
            click.echo(template(), nl=False)
            return
        found = next((k for k in model.kinds if kind.lower() in {k.name.lower(), k.plural.lower()}), None)
        if found is None:
            known = ", ".join(k.name.lower() for k in model.kinds)
            raise BadInput(f"There is no kind {kind!r}; known are {known}, and {TABLE} for a table.")
        click.echo(skeleton(model, found, curie, label), nl=False)
        click.echo("\n# Evidence levels, strongest first:\n" + levels_help(model), nl=False)


@click.command()
@PATHS
@SCHEMA
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit 1 where a file is not in order.")
def fmt(paths: Sequence[Path], schema: Path | None, only_check: bool) -> None:
    """Put Turtle files into the one order and layout, keeping every comment, so that git diffs stay small."""
    changed = 0
    with plain_errors():
        model = load_model(schema)
        for file in [f for f in files_under(paths) if f.suffix == ".ttl"]:
            text = file.read_text(encoding="utf-8")
            formatted = format_turtle(text, str(file), model)
            if formatted != text:
                changed += 1
                click.echo(f"{'would format' if only_check else 'formatted'} {file}")
                if not only_check:
                    file.write_text(formatted, encoding="utf-8")
    if not changed:
        click.echo("Everything is in order.")
    raise SystemExit(1 if only_check and changed else 0)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "format_", type=click.Choice(list(EXPORTS)), required=True, help="Format to write.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File; standard output by default."
)
@SCHEMA
def convert(file: Path, format_: str, output: Path | None, schema: Path | None) -> None:
    """Write a file in another format. A table (tsv) holds assertions only; what it leaves out is counted."""
    with plain_errors():
        model = load_model(schema)
        if not files_under([file]):
            raise BadInput(f"{file} holds no file of a known format.")
        document = read_file(file, file.name, model)
        if format_ == "tsv":
            table, left = write_table(document.triples, model)
            data = table.encode()
            if left:
                click.echo(f"{left:,} triples about entities, sources and studies are not in the table.", err=True)
        else:
            nested = document if format_ == "ttl" else name_nodes(document)
            data = write(nested.triples, model, format_)
    if output:
        output.write_bytes(data)
    else:
        sys.stdout.buffer.write(data)


COMMANDS = (new, fmt, convert)
