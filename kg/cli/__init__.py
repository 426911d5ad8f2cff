"""The ``kg`` command."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from importlib.metadata import entry_points

import click

COMMANDS = {  # module -> the commands in it
    "checks": ("check",),
    "curate": ("load", "status"),
    "history": ("history", "show", "diff", "revert", "export"),
    "files": ("new", "fmt", "convert"),
    "keeping": ("doctor", "backup", "restore", "publish", "permute"),
    "tokens": ("token",),
    "explore": ("paths",),
    "suggest": ("hypotheses", "plan", "compare"),
    "evaluate": ("evaluate",),
    "schema": ("schema", "reference"),
}


class Commands(MutableMapping[str, click.Command]):
    """Commands by name. A module is imported when one of its commands is asked for: most need little of the library."""

    def __init__(self) -> None:
        self._modules = {name: module for module, names in COMMANDS.items() for name in names}
        self._known: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        module = self._modules.get(name)
        if name not in self._known and module:
            self._known |= {command.name: command for command in import_module(f"kg.cli.{module}").COMMANDS}
        return self._known[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._known[name] = command

    def __delitem__(self, name: str) -> None:
        self._modules.pop(name, None)
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._modules, **self._known})

    def __len__(self) -> int:
        return len({**self._modules, **self._known})


@click.group(commands=Commands(), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="cartograph-kg", prog_name="kg")
def main() -> None:
    """CARTograph: a knowledge graph of CAR-T therapy, with evidence on every edge, served as GraphQL.

    \b
    kg serve                  start the service on http://127.0.0.1:8000
    kg check seeds/           check files before loading them
    kg load my-trials.ttl     load them as one change set

    Every option can also be set by an environment variable: KG_DATA, KG_PORT and so on; `kg settings` lists them.
    """


def run() -> None:
    """Run the command with what installed packages add to it: the service adds ``kg serve``."""
    for entry in entry_points(group="cartograph.commands"):
        entry.load()(main)
    main(prog_name="kg")
