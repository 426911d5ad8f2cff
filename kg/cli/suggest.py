"""``kg hypotheses``, ``kg plan`` and ``kg compare``: what the graph suggests, what is missing, and what carries over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from kg.cli.options import DATA, FOLDER, SCHEMA, plain_errors
from kg.errors import BadInput
from kg.findings import Hypothesis, HypothesisConstraints, HypothesisPage
from kg.graph import open_graph
from kg.hypotheses import hypotheses, planner
from kg.mechanisms import AlignedPath, compare_mechanisms
from kg.overlay import Assumption, Scenario, scenario

SEEDS = click.option("--seeds", type=FOLDER, help="Read these files instead of the data folder; nothing is written.")
AS_OF = click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The graph as it was known at the end of this day."
)
ASSUMING = click.option("--assuming", nargs=3, multiple=True, metavar="SUBJECT RELATION OBJECT", help="Take an edge as true; repeatable.")  # fmt: skip
WITHOUT = click.option("--without", multiple=True, help="Take away an entity, an assertion, a source or a study; repeatable.")  # fmt: skip
FIRST = click.option("--first", type=click.IntRange(1), default=10, show_default=True, help="How many to show.")
FORMAT = click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)


@click.command("hypotheses")
@click.argument("names", nargs=-1, required=True)
@DATA
@SCHEMA
@SEEDS
@AS_OF
@ASSUMING
@WITHOUT
@click.option("--metapath", "metapaths", multiple=True, help="Count only this metapath, such as 'depletes > drives'; repeatable.")  # fmt: skip
@click.option("--uniform", is_flag=True, help="Let every edge count the same: the published definition.")
@click.option("--include-tested", is_flag=True, help="Also list pairs that are being tried.")
@click.option("--permutations", type=int, default=None, help="Permuted graphs for p-values; 0 for none.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the permutations.")
@FIRST
@FORMAT
def hypotheses_(
    names: Sequence[str],
    data: Path,
    schema: Path | None,
    seeds: Path | None,
    as_of: datetime | None,
    assuming: Sequence[tuple[str, str, str]],
    without: Sequence[str],
    metapaths: Sequence[str],
    uniform: bool,
    include_tested: bool,
    permutations: int | None,
    seed: int,
    first: int,
    format_: str,
) -> None:
    """Rank what the graph suggests for one or both ends, and say what speaks against each.

    \b
    kg hypotheses MONDO:0005100                              therapies for systemic sclerosis
    kg hypotheses therapy:cd19-car-t --as-of 2021-12-31      the list as it was, and what became of it

    """
    with plain_errors():
        world = _world(data, schema, seeds, as_of, assuming, without)
        where = HypothesisConstraints(
            metapaths=tuple(tuple(part.strip() for part in m.replace(">", ",").split(",")) for m in metapaths) or None,
            weighting="UNIFORM" if uniform else "CONFIDENCE",
            include_tested=include_tested,
            permutations=permutations,
            seed=seed,
        )
        later = scenario(_open(data, schema, seeds)) if as_of else None
        subject, object_ = _ends(world, names)
        page = hypotheses(world, subject=subject, object=object_, where=where, later=later, first=first)
    click.echo(json.dumps(_page(page), ensure_ascii=False)) if format_ == "json" else show(page)


@click.command("plan")
@click.argument("names", nargs=-1)
@DATA
@SCHEMA
@SEEDS
@AS_OF
@FIRST
@FORMAT
def plan_(
    names: Sequence[str],
    data: Path,
    schema: Path | None,
    seeds: Path | None,
    as_of: datetime | None,
    first: int,
    format_: str,
) -> None:
    """Rank the single unknown edges whose confirmation would help most hypotheses: what to look for next."""
    with plain_errors():
        world = _world(data, schema, seeds, as_of, (), ())
        subject, object_ = _ends(world, names)
        plan = planner(world, subject=subject, object=object_, first=first)
    rows = [(e.text, e.completes, e.raises, round(e.gain, 3)) for e in plan.items]
    if format_ == "json":
        click.echo(json.dumps([dict(zip(("edge", "completes", "raises", "gain"), row, strict=True)) for row in rows]))
        return
    table = Table("edge", "completes", "raises", "gain", box=None)
    for row in rows:
        table.add_row(*map(str, row))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{len(rows)} of {plan.total:,} candidates.")


@click.command("compare")
@click.argument("therapy")
@click.argument("known")
@click.argument("candidate")
@DATA
@SCHEMA
@SEEDS
@AS_OF
def compare_(
    therapy: str,
    known: str,
    candidate: str,
    data: Path,
    schema: Path | None,
    seeds: Path | None,
    as_of: datetime | None,
) -> None:
    """Align why a therapy works where it is known to with a candidate, link by link."""
    with plain_errors():
        found = compare_mechanisms(_world(data, schema, seeds, as_of, (), ()), therapy, known, candidate)
    console = Console(highlight=False)
    console.print(found.text)
    groups = (("both", found.shared), ("known only", found.only_known), ("candidate only", found.only_candidate))
    for title, paths in groups:
        for path in paths:
            console.print(f"{title:15}{path.weight:7.3f}  {_aligned(path)}")


def _aligned(path: AlignedPath) -> str:
    words = [path.links[0].source.label]
    for link in path.links:
        both = link.known_target is link.candidate_target
        ends = link.known_target.label if both else f"{link.known_target.label} [{link.known.state.lower()}] / {link.candidate_target.label} [{link.candidate.state.lower()}]"  # fmt: skip
        words.append(f"{link.phrase} {ends}")
    return " · ".join(words).replace("[", "\\[")


def _open(data: Path, schema: Path | None, seeds: Path | None) -> Any:
    return open_graph(None if seeds or not data.is_dir() else data, schema=schema, seeds=seeds)


def _world(
    data: Path,
    schema: Path | None,
    seeds: Path | None,
    as_of: datetime | None,
    assuming: Sequence[tuple[str, str, str]],
    without: Sequence[str],
) -> Scenario:
    day: date | None = as_of.date() if as_of else None
    return scenario(_open(data, schema, seeds).as_of(day), [Assumption(*claim) for claim in assuming], without)


def _ends(world: Scenario, names: Sequence[str]) -> tuple[str | None, str | None]:
    """Which name is the subject and which the object, by their kinds."""
    if len(names) > 2:
        raise BadInput(f"Name one or both ends of a hypothesis, not {len(names)}.")
    ends: dict[str, str] = {}
    kinds = world.graph.model.relation[world.graph.model.predicts[0]] if world.graph.model.predicts else None
    for name in names:
        entity = world.graph.entity(name)
        side = "object" if kinds and entity.kind in kinds.objects else "subject"
        if side in ends:
            raise BadInput(f"{name} and {ends[side]} are both a {entity.kind}; name one of each kind.")
        ends[side] = entity.curie
    return ends.get("subject"), ends.get("object")


def show(page: HypothesisPage) -> None:
    """Print a page, one paragraph a hypothesis."""
    console = Console(highlight=False)
    for h in page.items:
        change = (
            "" if h.score_change is None else f"  was {h.baseline_rank or 'not listed'}, score {h.score_change:+.2f}"
        )
        console.print(
            f"[bold]{h.rank}. {h.subject.label} → {h.object.label}[/bold]  {h.score:.2f}{change}", markup=True
        )
        console.print(f"   {h.text}", markup=False)
    if page.permutations:
        console.print(page.permutations.text + ".")
    if page.note:
        console.print(page.note, markup=False)
    left = f", {page.remaining} more" if page.remaining else ""
    console.print(
        f"{len(page.items)} of {page.total}{left}; {page.known} asserted and {page.tested} being tried are left out."
    )


def _page(page: HypothesisPage) -> dict[str, Any]:
    return {
        "total": page.total,
        "truncatedBy": page.truncated_by,
        "note": page.note,
        "hypotheses": [_hypothesis(h) for h in page.items],
    }


def _hypothesis(h: Hypothesis) -> dict[str, Any]:
    return {
        "rank": h.rank,
        "subject": h.subject.curie,
        "object": h.object.curie,
        "score": h.score,
        "pValue": h.p_value,
        "qValue": h.q_value,
        "status": h.status,
        "firstSuggested": h.first_suggested.isoformat() if h.first_suggested else None,
        "contributions": {c.metapath.id: c.score for c in h.contributions if c.share},
        "supportingPaths": [
            {"text": p.text, "share": p.share, "contribution": p.contribution} for p in h.supporting_paths
        ],
        "against": [{"kind": a.kind, "text": a.text} for a in h.against],
        "gaps": [{"text": g.text, "gain": g.gain} for g in h.gaps],
        "baselineRank": h.baseline_rank,
        "scoreChange": h.score_change,
        "text": h.text,
    }


COMMANDS = (hypotheses_, plan_, compare_)
