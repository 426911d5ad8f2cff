"""``kg evaluate``: how well the hypotheses would have found what is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from kg.cli.options import DATA, FOLDER, SCHEMA, plain_errors
from kg.curves import plot
from kg.errors import BadInput
from kg.evaluation import BASELINES, FOLDS, KS, MAX_LENGTH, Evaluation, evaluate
from kg.graph import open_graph
from kg.metrics import Interval


@click.command("evaluate")
@DATA
@SCHEMA
@click.option("--seeds", type=FOLDER, help="Evaluate these files instead of the data folder; nothing is written.")
@click.option("--relation", "relations", multiple=True, help="Relation to predict, repeatable; by default those the schema predicts.")  # fmt: skip
@click.option("--folds", type=click.IntRange(2), default=FOLDS, show_default=True, help="Parts that known pairs are held out in, one after another.")  # fmt: skip
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Split by time instead: rank by what was known on this day.")  # fmt: skip
@click.option("--background", is_flag=True, help="With --as-of: hide later evidence of what is predicted only, and keep the rest.")  # fmt: skip
@click.option("--baseline", default=",".join(BASELINES), show_default=True, help="Rankings to compare with, separated by commas; empty for none.")  # fmt: skip
@click.option(
    "--max-length", type=click.IntRange(1, 4), default=MAX_LENGTH, show_default=True, help="Longest metapath."
)
@click.option("--regression/--no-regression", default=None, help="Insist on the logistic regression, or leave it out.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of folds, bootstrap and the random baseline.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--plot", "picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw ROC and precision-recall curves into this .svg or .png.")  # fmt: skip
def evaluate_(
    data: Path,
    schema: Path | None,
    seeds: Path | None,
    relations: Sequence[str],
    folds: int,
    as_of: datetime | None,
    background: bool,
    baseline: str,
    max_length: int,
    regression: bool | None,
    seed: int,
    format_: str,
    picture: Path | None,
) -> None:
    """Hold out known edges, rank all pairs by what is left, and say how high the held-out ones come.

    \b
    kg evaluate                                   ten folds of what is known
    kg evaluate --as-of 2021-12-31 --plot a.svg   what was known then against what entered later

    Held-out edges, and all that rests on the same trials, are gone before any feature is computed. Figures come
    with 95 % bootstrap intervals. Without a data folder the seeds that came with the installation are read.
    """
    with plain_errors():
        if background and not as_of:
            raise BadInput("--background goes with --as-of.")
        graph = open_graph(None if seeds or not data.is_dir() else data, schema=schema, seeds=seeds)
        result = evaluate(
            graph,
            relations,
            folds=folds,
            as_of=_day(as_of),
            background=background,
            baselines=[name.strip() for name in baseline.split(",") if name.strip()],
            max_length=max_length,
            regression=regression,
            seed=seed,
        )
        if picture:
            plot(result, picture)
    click.echo(json.dumps(result.as_json(), ensure_ascii=False)) if format_ == "json" else show(result)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def show(result: Evaluation) -> None:
    """Print an evaluation as a table, with what was held out above it."""
    console = Console(highlight=False)
    console.print(result.held_out)
    for reason, count in result.left_out.items():
        if count:
            console.print(f"Left out: {count:,} pairs, because {reason}.")
    table = Table("", *(ranking.name for ranking in result.rankings))
    for name, figures in _rows(result):
        table.add_row(name, *(f"{f.value:.3f}\n[dim]{f.low:.3f}–{f.high:.3f}[/]" for f in figures))
    console.print(table)
    console.print(
        f"{result.positives:,} positives among {result.candidates:,} candidates ({result.subjects:,} × {result.objects:,}); "
        f"{result.metapaths} metapaths; seed {result.seed}; intervals hold 95 % of bootstrap samples."
    )
    for note in result.notes:
        console.print(f"[yellow]{note}[/]")


def _rows(result: Evaluation) -> Iterator[tuple[str, list[Interval]]]:
    yield "AUROC", [ranking.scores.auroc for ranking in result.rankings]
    yield "within objects", [ranking.within for ranking in result.rankings]
    yield "AUPRC", [ranking.scores.auprc for ranking in result.rankings]
    for k in KS:
        yield f"precision@{k}", [ranking.scores.precision[k] for ranking in result.rankings]


COMMANDS = (evaluate_,)
