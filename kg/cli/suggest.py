"""``kg hypotheses``, ``kg plan`` and ``kg compare``: what the graph suggests, what is missing, and what carries over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kg.cli.explore import AS_OF, ASSUME, READ, SEEDS, WITHOUT
from kg.cli.names import assumption_said, entity_named, thing_named
from kg.cli.options import SCHEMA, plain_errors
from kg.errors import BadInput
from kg.findings import Became, Hypothesis, HypothesisConstraints, HypothesisPage, NarrowerPair
from kg.graph import open_graph
from kg.hypotheses import hypotheses, planner
from kg.mechanisms import AlignedLink, AlignedPath, MechanismComparison, compare_mechanisms
from kg.overlay import Scenario, scenario
from kg.records import Entity
from kg.snapshot import Snapshot
from kg.wording import numbered

COLOURS = {
    "UNTESTED": "yellow", "IN_TRIAL": "cyan", "CONTRADICTED": "red", "ASSERTED": "green",
    "PRESENT": "green", "ABSENT": "red",
}  # fmt: skip
FIRST = click.option("--first", type=click.IntRange(1), default=10, show_default=True, help="How many to show.")
FORMAT = click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)


@click.command("hypotheses")
@click.argument("names", nargs=-1, required=True)
@READ
@SCHEMA
@SEEDS
@AS_OF
@ASSUME
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
    data: Path | None,
    schema: Path | None,
    seeds: Path | None,
    as_of: datetime | None,
    assuming: Sequence[str],
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

    Names are identifiers, labels or synonyms.

    \b
    kg hypotheses "systemic sclerosis"                       therapies for it
    kg hypotheses therapy:cd19-car-t --as-of 2021-12-31      the list as it was, and what became of it
    """
    with plain_errors():
        graph = open_graph(data, schema=schema, seeds=seeds)
        world = _world(graph, as_of, assuming, without)
        where = HypothesisConstraints(
            metapaths=tuple(tuple(part.strip() for part in m.replace(">", ",").split(",")) for m in metapaths) or None,
            weighting="UNIFORM" if uniform else "CONFIDENCE",
            include_tested=include_tested,
            permutations=permutations,
            seed=seed,
        )
        later = scenario(graph) if as_of else None
        subject, object_ = _ends(world, names)
        page = hypotheses(world, subject=subject, object=object_, where=where, later=later, first=first)
    _echo(_page(page)) if format_ == "json" else show(page)


@click.command("plan")
@click.argument("names", nargs=-1)
@READ
@SCHEMA
@SEEDS
@AS_OF
@FIRST
@FORMAT
def plan_(
    names: Sequence[str],
    data: Path | None,
    schema: Path | None,
    seeds: Path | None,
    as_of: datetime | None,
    first: int,
    format_: str,
) -> None:
    """Rank the single unknown edges whose confirmation would help most hypotheses: what to look for next."""
    with plain_errors():
        world = _world(open_graph(data, schema=schema, seeds=seeds), as_of)
        subject, object_ = _ends(world, names)
        plan = planner(world, subject=subject, object=object_, first=first)
    if format_ == "json":
        _echo(
            [
                {
                    "subject": edge.subject.curie,
                    "relation": edge.relation,
                    "object": edge.object.curie,
                    "text": edge.text,
                    "completes": edge.completes,
                    "raises": edge.raises,
                    "gain": edge.gain,
                    "best": [{"subject": s.curie, "object": o.curie, "gain": gain} for s, o, gain in edge.best],
                }
                for edge in plan.items
            ]
        )
        return
    table = Table("edge", "completes", "raises", "gain", box=None, pad_edge=False)
    for edge in plan.items:
        table.add_row(escape(edge.text), str(edge.completes), str(edge.raises), f"[bold]{edge.gain:.2f}[/]")
    console = Console(highlight=False)
    console.print(table)
    console.print(f"[dim]{len(plan.items)} of {plan.total:,} candidates.[/]")


@click.command("compare")
@click.argument("therapy")
@click.argument("known")
@click.argument("candidate")
@READ
@SCHEMA
@SEEDS
@AS_OF
@ASSUME
@WITHOUT
@FORMAT
def compare_(
    therapy: str,
    known: str,
    candidate: str,
    data: Path | None,
    schema: Path | None,
    seeds: Path | None,
    as_of: datetime | None,
    assuming: Sequence[str],
    without: Sequence[str],
    format_: str,
) -> None:
    """Align why a therapy works where it is known to with a candidate, link by link.

    \b
    kg compare therapy:cd19-car-t "diffuse large B-cell lymphoma" "systemic lupus erythematosus"
    """
    with plain_errors():
        world = _world(open_graph(data, schema=schema, seeds=seeds), as_of, assuming, without)
        names = (entity_named(world.graph, name).curie for name in (therapy, known, candidate))
        found = compare_mechanisms(world, *names)
    if format_ == "json":
        _echo(
            {
                "text": found.text,
                "carriedOver": found.carried_over,
                **{name: [_aligned_json(path) for path in paths] for name, paths in _groups(found).items()},
            }
        )
        return
    console = Console(highlight=False)
    console.print(found.text, markup=False)
    table = Table("", "weight", "mechanism", box=None, pad_edge=False)
    titles = {"shared": "both", "onlyKnown": found.known.label, "onlyCandidate": found.candidate.label}
    for name, paths in _groups(found).items():
        for path in paths:
            table.add_row(escape(titles[name]), f"{path.weight:.3f}", _aligned(path))
    console.print(table)


def _groups(found: MechanismComparison) -> dict[str, tuple[AlignedPath, ...]]:
    return {"shared": found.shared, "onlyKnown": found.only_known, "onlyCandidate": found.only_candidate}


def _aligned(path: AlignedPath) -> str:
    verbs = [*(link.phrase for link in path.links), ""]
    links = (
        f"[dim]{escape(link.phrase)}[/] {_targets(link, verb)}"
        for link, verb in zip(path.links, verbs[1:], strict=True)
    )
    return " · ".join((_label(path.links[0].source, verbs[0]), *links))


def _targets(link: AlignedLink, verb: str) -> str:
    """Where a link leads: to one node for both, or to two, each with the state of its link; ``verb`` comes next."""
    if link.known_target is link.candidate_target:
        return _label(link.known_target, verb)
    ends = ((link.known_target, link.known.state), (link.candidate_target, link.candidate.state))
    return " / ".join(f"{_label(end, verb)} ({_state(state)})" for end, state in ends)


def _aligned_json(path: AlignedPath) -> dict[str, Any]:
    return {
        "metapath": path.metapath.id,
        "weight": path.weight,
        "related": path.related,
        "links": [
            {
                "relation": link.relation,
                "reversed": link.reversed,
                "source": link.source.curie,
                "candidateSource": link.candidate_source.curie,
                "knownTarget": link.known_target.curie,
                "known": link.known.state,
                "candidateTarget": link.candidate_target.curie,
                "candidate": link.candidate.state,
            }
            for link in path.links
        ],
    }


# ------------------------------------------------------------------ names
def _world(
    graph: Snapshot, as_of: datetime | None, assuming: Sequence[str] = (), without: Sequence[str] = ()
) -> Scenario:
    known = graph.as_of(as_of.date() if as_of else None)
    assumptions = [assumption_said(known, text) for text in assuming]
    return scenario(known, assumptions, [thing_named(known, name) for name in without])


def _ends(world: Scenario, names: Sequence[str]) -> tuple[str | None, str | None]:
    """Which name is the subject and which the object, by their kinds."""
    if len(names) > 2:
        raise BadInput(f"Name one or both ends of a hypothesis, not {len(names)}.")
    ends: dict[str, str] = {}
    kinds = world.graph.model.relation[world.graph.model.predicts[0]] if world.graph.model.predicts else None
    for name in names:
        entity = entity_named(world.graph, name)
        side = "object" if kinds and entity.kind in kinds.objects else "subject"
        if side in ends:
            raise BadInput(f"{name} and {ends[side]} are both a {entity.kind}; name one of each kind.")
        ends[side] = entity.curie
    return ends.get("subject"), ends.get("object")


# ------------------------------------------------------------------ output
def _echo(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _label(entity: Entity, verb: str = "") -> str:
    """An entity's label in its kind's colour, in the number of the verb that follows it."""
    return f"[{entity.graph.model.kind[entity.kind].color}]{escape(numbered(entity.label, verb))}[/]"


def _state(state: str) -> str:
    return f"[{COLOURS.get(state, 'default')}]{state.lower().replace('_', ' ')}[/]"


def show(page: HypothesisPage) -> None:
    """Print a page: a table of the figures, then a paragraph for each hypothesis."""
    console = Console(highlight=False)
    if page.items:
        console.print(_table(page.items))
    for h in page.items:
        change = (
            "" if h.score_change is None else f"  was {h.baseline_rank or 'not listed'}, score {h.score_change:+.2f}"
        )
        console.print(f"\n[bold]{h.rank}.[/] {_label(h.subject)} → {_label(h.object)}{change}")
        console.print(h.text, markup=False)
    if page.items:
        console.print()
    for said in (page.permutations.text + "." if page.permutations else None, page.note):
        if said:
            console.print(said, markup=False, style="dim")
    left = f", {page.remaining} more" if page.remaining else ""
    console.print(
        f"{len(page.items)} of {page.total}{left}; {page.known} asserted and {page.tested} being tried are left out.",
        style="dim",
    )


def _table(items: Sequence[Hypothesis]) -> Table:
    table = Table("", "hypothesis", "score", "range", "p", "status", "paths", "against", box=None, pad_edge=False)
    for h in items:
        table.add_row(
            str(h.rank),
            f"{_label(h.subject)} → {_label(h.object)}",
            f"[bold]{h.score:.2f}[/]",
            f"{h.robustness.low:.1f}–{h.robustness.high:.1f}",
            "" if h.p_value is None else f"{h.p_value:.2g}",
            _state(h.status),
            f"{h.paths_total:,}",
            f"{h.against_total:,}",
        )
    return table


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
        "through": [_narrower(pair) for pair in h.through],
        "later": _became(h.later) if h.later else None,
        "baselineRank": h.baseline_rank,
        "scoreChange": h.score_change,
        "text": h.text,
    }


def _narrower(pair: NarrowerPair) -> dict[str, Any]:
    return {"subject": pair.subject.curie, "object": pair.object.curie, "status": pair.status, "text": pair.text}


def _became(later: Became) -> dict[str, Any]:
    return {
        "status": later.status,
        "since": later.since.isoformat() if later.since else None,
        "through": [_narrower(pair) for pair in later.through],
    }


COMMANDS = (hypotheses_, plan_, compare_)
