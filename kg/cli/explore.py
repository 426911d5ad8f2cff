"""Commands that ask the graph: paths."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path as File
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kg.budget import DEFAULT_STEPS, Budget
from kg.cli.names import assumption_said, entity_named, thing_named
from kg.cli.options import FOLDER, SCHEMA, plain_errors
from kg.figures import path_figure
from kg.formats import export
from kg.graph import open_graph
from kg.overlay import Scenario, scenario
from kg.paths import (
    CONFIDENCE,
    LENGTH,
    NOVELTY,
    Path,
    PathConstraints,
    PathPage,
    Step,
    WhyNot,
    find_paths,
    shortest_paths,
    why_not,
)
from kg.records import Evidence
from kg.snapshot import Snapshot

FORMATS = ("table", "json", "dot", "svg")
ORDERS = {name.lower(): name for name in (CONFIDENCE, LENGTH, NOVELTY)}

READ = click.option("--data", type=FOLDER, envvar="KG_DATA", help="Folder of the store; without it the seeds are read into memory.")  # fmt: skip
SEEDS = click.option("--seeds", type=FOLDER, envvar="KG_SEEDS", help="Seed folder to read; by default the one that came with the installation.")  # fmt: skip
AS_OF = click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Only what was known on this day.")
ASSUME = click.option("--assume", "assuming", multiple=True, metavar="CLAIM", help='Take as true, as in "CD19 expressedOn plasma cell=0.7"; repeatable.')  # fmt: skip
WITHOUT = click.option("--without", multiple=True, metavar="ID", help="Leave out an edge, an entity, a source or a study; repeatable.")  # fmt: skip


def open_scenario(
    data: File | None,
    schema: File | None,
    seeds: File | None,
    as_of: datetime | None,
    assuming: Sequence[str],
    without: Sequence[str],
) -> Scenario:
    """Return the graph that the options name, under the assumptions that they make."""
    graph = open_graph(data, schema=schema, seeds=seeds)
    known = graph.as_of(as_of.date() if as_of else None)
    assumptions = [assumption_said(known, text) for text in assuming]
    return scenario(known, assumptions, [thing_named(known, name) for name in without])


def _listed(
    _context: click.Context, _option: click.Parameter, value: Sequence[str] | str | None
) -> tuple[str, ...] | None:
    """Split what was given by commas; None where nothing was given."""
    texts = [value] if isinstance(value, str) else list(value or ())
    parts = tuple(part.strip() for text in texts for part in text.split(","))
    return parts if texts else None


def _list_option(name: str, said: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(name, metavar="A,B", multiple=True, callback=_listed, help=said)


@dataclass(frozen=True)
class _Question:
    """What the options ask."""

    scenario: Scenario
    sources: list[str]
    targets: list[str]
    constraints: PathConstraints


@click.command("paths")
@click.argument("from_", metavar="FROM")
@click.argument("to", metavar="TO")
@click.option("--from", "more_from", multiple=True, metavar="NAME", help="Another start; repeatable.")
@click.option("--to", "more_to", multiple=True, metavar="NAME", help="Another end; repeatable.")
@click.option("--metapath", callback=_listed, metavar="A,B,C", help="Relation of each step as read along the way: its name, or its inverse name to walk it backwards.")  # fmt: skip
@click.option("--max-length", type=int, help="Most steps; 4 by default, or as many as --metapath has.")
@click.option("--min-length", type=int, default=1, show_default=True, help="Fewest steps.")
@click.option("--via", multiple=True, metavar="NAME", help="Must be passed; repeatable.")
@click.option("--avoid", multiple=True, metavar="NAME", help="Must not be passed; repeatable.")
@_list_option("--relations", "Relations that may be walked.")
@_list_option("--kinds", "Kinds that may stand between the ends.")
@_list_option("--levels", "Levels of evidence of which every edge must have one.")
@click.option("--min-confidence", type=float, default=0.0, show_default=True, help="Least confidence of every edge.")
@click.option("--direction", type=click.Choice(["both", "out", "in"]), default="both", show_default=True, help="Which way edges are walked.")  # fmt: skip
@click.option("--sign", "signs", multiple=True, type=click.Choice(["-1", "0", "1"]), help="Only paths of this effect; repeatable.")  # fmt: skip
@click.option("--undisputed", is_flag=True, help="Leave out edges with evidence against them.")
@click.option("--order", type=click.Choice(list(ORDERS)), default="confidence", show_default=True, help="What to sort by.")  # fmt: skip
@click.option("--diverse", is_flag=True, help="Prefer paths that differ in mechanism.")
@click.option("--shortest", is_flag=True, help="Only the shortest paths.")
@click.option("--first", type=click.IntRange(1), default=10, show_default=True, help="How many paths to show.")
@click.option("--after", metavar="CURSOR", help="Go on behind this place, as the last answer gave it.")
@click.option("--seconds", type=float, help="Stop with what was found after this time.")
@click.option("--steps", type=int, default=DEFAULT_STEPS, show_default=True, help="Stop with what was found after so much work.")  # fmt: skip
@AS_OF
@ASSUME
@WITHOUT
@READ
@SCHEMA
@SEEDS
@click.option("--format", "format_", type=click.Choice(FORMATS), help="By default a table, or what the name of --output ends in.")  # fmt: skip
@click.option("--output", "-o", type=click.Path(path_type=File, dir_okay=False), help="File to write to.")
def paths(format_: str | None, output: File | None, **options: Any) -> None:
    """Show how FROM connects to TO, best evidence first.

    Names are identifiers (MONDO:0009688), labels or synonyms ("myasthenia gravis"). Exit code 1 says that
    there is no path; then the reasons are given, and what to change.

    \b
    kg paths descartes-08 "myasthenia gravis" --metapath targets,expressedOn,drives
    kg paths descartes-08 "myasthenia gravis" --kinds Target,CellPopulation -o how.svg
    """
    format_ = format_ or (output.suffix[1:] if output and output.suffix[1:] in FORMATS else "table")
    with plain_errors():
        question = _question(**options)
        page = _page(question, **options)
        why = None if page or page.truncated_by or options["after"] else _why(question)
        _write(_shown(question, page, why, format_, output), output)
    if not page:
        click.echo(_nothing(page, why), err=True)
    raise SystemExit(0 if page else 1)


def _question(
    *,
    from_: str,
    to: str,
    more_from: Sequence[str],
    more_to: Sequence[str],
    metapath: tuple[str, ...] | None,
    max_length: int | None,
    min_length: int,
    via: Sequence[str],
    avoid: Sequence[str],
    relations: tuple[str, ...] | None,
    kinds: tuple[str, ...] | None,
    levels: tuple[str, ...] | None,
    min_confidence: float,
    direction: str,
    signs: Sequence[str],
    undisputed: bool,
    data: File | None,
    schema: File | None,
    seeds: File | None,
    as_of: datetime | None,
    assuming: Sequence[str],
    without: Sequence[str],
    **_: Any,
) -> _Question:
    what_if = open_scenario(data, schema, seeds, as_of, assuming, without)
    constraints = PathConstraints(
        max_length=max_length,
        min_length=min_length,
        relations=relations,
        kinds=kinds,
        via=_curies(what_if.graph, via),
        avoid=_curies(what_if.graph, avoid),
        metapath=metapath,
        levels=levels,
        min_confidence=min_confidence,
        direction=direction,
        disputed=not undisputed,
        signs=[int(sign) for sign in signs] or None,
    )
    sources, targets = _curies(what_if.graph, [from_, *more_from]), _curies(what_if.graph, [to, *more_to])
    return _Question(what_if, sources, targets, constraints)


def _curies(graph: Snapshot, names: Sequence[str]) -> list[str]:
    return [entity_named(graph, name).curie for name in names]


def _page(
    question: _Question,
    *,
    order: str,
    diverse: bool,
    shortest: bool,
    first: int,
    after: str | None,
    seconds: float | None,
    steps: int,
    **_: Any,
) -> PathPage:
    asked = question.scenario, question.sources, question.targets, question.constraints
    budget = Budget(steps, seconds)
    if shortest:
        return shortest_paths(*asked, first=first, after=after, budget=budget)
    return find_paths(*asked, ORDERS[order], first=first, after=after, budget=budget, diverse=diverse)


def _why(question: _Question) -> WhyNot:
    return why_not(question.scenario, question.sources, question.targets, question.constraints)


def _nothing(page: PathPage, why: WhyNot | None) -> str:
    if why is not None:
        return why.text
    if page.truncated_by:
        return f"The search ended at its limit of {page.truncated_by} before it found a path; raise it or ask for less."
    return "There are no more paths."


# ------------------------------------------------------------------ output
def _shown(question: _Question, page: PathPage, why: WhyNot | None, format_: str, output: File | None) -> str:
    if format_ == "json":
        return json.dumps(_answer(question, page, why), indent=2, ensure_ascii=False) + "\n"
    if format_ in {"dot", "svg"}:
        return export(path_figure(question.scenario.graph, page), format_)
    return _table(page, coloured=output is None) if page else ""


def _write(text: str, output: File | None) -> None:
    if output is not None:
        output.write_text(text, encoding="utf-8")
    else:
        click.echo(text, nl=False)


def _table(page: PathPage, *, coloured: bool) -> str:
    console = Console(highlight=False, no_color=None if coloured else True)
    table = Table("", "Score", "Effect", "Path", "Weakest", "Newest", box=None, pad_edge=False)
    for number, path in enumerate(page, page.position + 1):
        effect = {1: "+", -1: "−"}.get(path.sign, "")
        newest = str(path.newest or "")
        table.add_row(str(number), f"{path.score.value:.3f}", effect, _path_text(path), _weakest(path), newest)
    with console.capture() as captured:
        console.print(table)
        console.print(Text(_footer(page), style="dim"), soft_wrap=True)
    return captured.get()


def _path_text(path: Path) -> Text:
    text = Text()
    for step in path.steps:
        text.append(step.start.label, style=_style(step.start))
        text.append(f" {_arrow(step)} ", style="dim")
    text.append(path.nodes[-1].label, style=_style(path.nodes[-1]))
    return text


def _style(entity: Any) -> str:
    return f"bold {entity.graph.model.kind[entity.kind].color}"


def _arrow(step: Step) -> str:
    doubt = " assumed" if step.assumed else " disputed" if step.assertion.disputed else ""
    said = f"{step.relation} {step.confidence:.2f}{doubt}"
    return f"←{said}—" if step.reversed else f"—{said}→"


def _weakest(path: Path) -> str:
    return f"{path.weakest_step.relation} {path.weakest_step.confidence:.2f}"


def _footer(page: PathPage) -> str:
    last = page.position + len(page)
    of = f" of {page.total:,}" if page.total is not None else ""
    said = f"Paths {page.position + 1} to {last}{of}."
    if page.truncated_by:
        said += f" The search ended at its limit of {page.truncated_by}; there may be more."
    if page.has_next and page.end_cursor:
        said += f" More: --after {page.end_cursor}"
    return said


def _answer(question: _Question, page: PathPage, why: WhyNot | None) -> dict[str, Any]:
    graph = question.scenario.graph
    return {
        "graph": {"version": graph.version.number, "asOf": _day(graph.known_on)},
        "totalCount": page.total,
        "exhaustive": page.exhaustive,
        "truncatedBy": page.truncated_by,
        "endCursor": page.end_cursor,
        "whyNot": why.text if why else None,
        "paths": [_path(path) for path in page],
    }


def _path(path: Path) -> dict[str, Any]:
    return {
        "id": path.id,
        "text": path.text,
        "score": {
            "value": path.score.value,
            "terms": [{"name": term.name, "value": term.value} for term in path.score.terms],
        },
        "sign": path.sign,
        "length": path.length,
        "newest": _day(path.newest),
        "nodes": [{"id": node.curie, "label": node.label, "kind": node.kind} for node in path.nodes],
        "steps": [_step(step) for step in path.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "assertion": step.assertion.id,
        "relation": step.relation,
        "reversed": step.reversed,
        "confidence": step.confidence,
        "assumed": step.assumed,
        "evidence": [_evidence(item) for item in step.evidence],
    }


def _evidence(item: Evidence) -> dict[str, Any]:
    return {
        "source": item.source.id,
        "level": item.level.name,
        "direction": item.direction,
        "date": item.date,
        "comment": item.comment,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


COMMANDS = (paths,)
