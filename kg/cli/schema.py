"""Commands about the schema folder and the identifier tables."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import click

from kg.cli.options import FOLDER, SCHEMA, plain_errors
from kg.context import jsonld_context
from kg.graph import read_files
from kg.model import Model, load_model
from kg.ontologies import build


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
@SCHEMA
def reference_build(folder: Path, output: Path | None, only_for: Sequence[Path], schema: Path | None) -> None:
    """Build tables from a folder of ontologies: *.obo, *.owl, *.ttl, or tables such as mondo.tsv, gzipped or not.

    The same folder gives the same bytes. Use the result with `kg check --reference FILE`.
    """
    with plain_errors():
        text = build(folder, _curies(only_for, load_model(schema)) if only_for else None)
    if output is None:
        click.echo(text, nl=False)
    else:
        data = text.encode()
        output.write_bytes(gzip.compress(data, mtime=0) if output.suffix == ".gz" else data)
    click.echo(f"{text.count(chr(10)):,} lines", err=True)


def _curies(paths: Sequence[Path], model: Model) -> set[str]:
    """Return every identifier that files mention."""
    mentioned = {
        term.value
        for document in read_files(paths, model=model)
        for triple in document.triples
        for term in (triple.subject, triple.object)
        if hasattr(term, "value")
    }
    return {model.prefixes.curie(iri) for iri in mentioned}


COMMANDS = (schema, reference)
