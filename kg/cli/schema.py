"""Commands about the schema folder and the identifier tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from kg.cli.options import FOLDER, SCHEMA, plain_errors
from kg.context import jsonld_context
from kg.graph import read_files
from kg.model import load_model
from kg.reference import BUILT_IN, build


@click.group()
def schema() -> None:
    """Export what is derived from the schema folder."""


@schema.command("context")
@SCHEMA
def schema_context(schema: Path | None) -> None:
    """Print the JSON-LD context (schema/context.jsonld is this)."""
    with plain_errors():
        click.echo(json.dumps(jsonld_context(load_model(schema)), indent=2, ensure_ascii=False))


@click.group()
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


COMMANDS = (schema, reference)
