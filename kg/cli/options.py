"""What the commands share: options, errors as one paragraph, and reading with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from kg.documents import Document
from kg.errors import CheckFailed, KGError
from kg.graph import read_files
from kg.model import Model

FOLDER = click.Path(path_type=Path, file_okay=False)
PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
DATA = click.option(
    "--data", type=FOLDER, envvar="KG_DATA", default=Path(".cartograph"), show_default=True, help="Folder of the store."
)
SCHEMA = click.option(
    "--schema",
    type=FOLDER,
    envvar="KG_SCHEMA",
    help="Schema folder; by default the one that came with the installation.",
)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn errors raised on purpose into one paragraph on standard error and exit code 2."""
    try:
        yield
    except CheckFailed as error:
        for diagnostic in error.diagnostics:
            click.echo(str(diagnostic), err=True)
        errors = sum(d.severity == "error" for d in error.diagnostics)
        raise SystemExit(_fail(f"{errors} problem{'s' * (errors != 1)}; nothing was loaded.", 1)) from None
    except KGError as error:
        raise SystemExit(_fail(str(error), 2)) from None


def _fail(message: str, code: int) -> int:
    click.echo(f"kg: {message}", err=True)
    return code


def read_with_progress(paths: Sequence[Path], model: Model | None = None, *, quiet: bool = False) -> list[Document]:
    """Read files with a progress bar, going on past syntax errors, which the documents keep."""
    with progress_bar(quiet=quiet) as progress:
        return read_files(paths, progress, model, recover=True)


@contextmanager
def progress_bar(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Give a function (stage, done, total) that draws a bar with the rate, on a terminal only."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None, rate="")

        def progress(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None, rate=_rate(bar.tasks[task].speed))

        yield progress


def _rate(speed: float | None) -> str:
    return f"{speed:,.0f}/s" if speed else ""
