"""The ``kg`` command."""

from __future__ import annotations

from importlib.metadata import entry_points

import click

from kg.cli import checks, curate, files, history, keeping, tokens
from kg.cli import schema as schema_commands


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="cartograph-kg", prog_name="kg")
def main() -> None:
    """CARTograph: a knowledge graph of CAR-T therapy, with evidence on every edge, served as GraphQL.

    \b
    kg serve                  start the service on http://127.0.0.1:8000
    kg check seeds/           check files before loading them
    kg load my-trials.ttl     load them as one change set

    Every option can also be set by an environment variable: KG_DATA, KG_PORT and so on; `kg settings` lists them.
    """


for _command in (
    *checks.COMMANDS,
    *curate.COMMANDS,
    *history.COMMANDS,
    *files.COMMANDS,
    *keeping.COMMANDS,
    *tokens.COMMANDS,
    *schema_commands.COMMANDS,
):
    main.add_command(_command)


def run() -> None:
    """Run the command with what installed packages add to it: the service adds ``kg serve``."""
    for entry in entry_points(group="cartograph.commands"):
        entry.load()(main)
    main(prog_name="kg")
