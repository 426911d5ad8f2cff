"""``kg token``: make, list and revoke the bearer tokens of a data folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from kg.cli.options import DATA, plain_errors
from kg.tokens import ROLES, TokenFile, parse_expiry


@click.group()
def token() -> None:
    """Bearer tokens: who may write to the service, and read from a closed one.

    A running service sees changes at once. Only hashes are kept, in tokens.json in the data folder.
    """


@token.command("create")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What it may do: read, write, or administer.")
@click.option("--name", required=True, help="Who or what holds it; stands in the history as the author.")
@click.option(
    "--expires", metavar="90d|DATE", help="How long it is good for: 12h, 90d, 4w or a date; no end if left out."
)
@DATA
def create(role: str, name: str, expires: str | None, data: Path) -> None:
    """Make a token and print its secret, once."""
    with plain_errors():
        until = parse_expiry(expires) if expires else None
        secret = TokenFile(data).create(name, role, until)
    limit = f"expires {until:%Y-%m-%d %H:%M} UTC" if until else "does not expire"
    click.echo(f"Token {name!r} ({role}, {limit}). This is its only showing; keep it safe:", err=True)
    click.echo(secret)


@token.command("list")
@DATA
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_(data: Path, format_: str) -> None:
    """List tokens, revoked and expired ones too."""
    now = datetime.now(UTC)
    with plain_errors():
        tokens = TokenFile(data).all()
    rows = [
        {
            "name": t.name,
            "role": t.role,
            "state": t.state(now),
            "created": t.created.isoformat(),
            "expires": t.expires.isoformat() if t.expires else None,
            "revoked": t.revoked.isoformat() if t.revoked else None,
        }
        for t in tokens
    ]
    if format_ == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table("Name", "Role", "State", "Created", "Expires", box=None)
    for row in rows:
        table.add_row(*(str(row[key] or "never") for key in ("name", "role", "state", "created", "expires")))
    Console().print(table)


@token.command("revoke")
@click.argument("name")
@DATA
def revoke(name: str, data: Path) -> None:
    """Make a token useless from now on."""
    with plain_errors():
        TokenFile(data).revoke(name)
    click.echo(f"Token {name!r} is revoked.")


COMMANDS = (token,)
