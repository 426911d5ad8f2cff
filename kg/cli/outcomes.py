"""What became of a change, made here or through a service, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import click

from kg.cli.diffs import as_json, show_diff
from kg.cli.impacts import impact_json, show_impact
from kg.diagnostics import Diagnostic
from kg.diff import GraphDiff
from kg.graph import GraphService, Plan
from kg.impact import Impact, Limits

ALL = click.option("--all", "every", is_flag=True, help="Show every line, not the first of each group.")
CHANGE_FORMAT = click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would change and change nothing.")
EXPECT = click.option(
    "--expected-version", type=int, metavar="N", help="Version the graph must be at; exit 2 where it is not."
)
IMPACT_SECONDS = click.option(
    "--impact-seconds", type=float, envvar="KG_IMPACT_SECONDS", default=Limits().seconds, show_default=True,
    help="Longest time a dry run compares hypotheses for; 0 compares none. A service has a setting of its own.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a change: the version afterwards, the change set (None where nothing was changed), what it means.

    ``quads`` counts what was, or with a dry run would be, added and removed, where that is known. ``impact``
    is worked out for a dry run only.
    """

    version: int
    change: int | None
    quads: tuple[int, int] | None
    diff: GraphDiff
    impact: Impact | None = None
    warnings: Sequence[Diagnostic] = ()


def carried_out(service: GraphService, plan: Plan, message: str, author: str, limits: Limits, *, dry_run: bool) -> Made:
    """Make a planned change, or with a dry run say what it would move, and return what became of it."""
    delta, version = plan.prepared.delta, service.store.version
    quads = (len(delta.added), len(delta.removed))
    if dry_run:
        impact = service.impact(plan, limits) if plan else None
        return Made(version, None, quads, plan.diff, impact, plan.warnings)
    change = service.apply(plan, message=message, author=author)
    return Made(service.store.version, change.version if change else None, quads, plan.diff, None, plan.warnings)


def tell(made: Made, *, dry_run: bool, every: bool, format_: str, through: str = "", seconds: float = 0.0) -> None:
    """Say what became of a change; ``through`` is the service that made it, ``seconds`` the time it took."""
    if format_ == "json":
        click.echo(json.dumps(_json(made, dry_run=dry_run), indent=2, ensure_ascii=False))
        return
    for warning in made.warnings:
        click.echo(str(warning), err=True)
    if made.change is None and not made.diff and not any(made.quads or ()):
        click.echo(f"Nothing {'would change' if dry_run else 'changed'}: version {made.version} already says all that.")
        return
    show_diff(made.diff, every=every)
    if made.impact:
        show_impact(made.impact, every=every)
    added, removed = made.quads or (0, 0)
    if dry_run:
        would = f"Would add {added:,} and remove {removed:,} quads; n" if made.quads else "N"
        click.echo(f"{would}othing was changed.")
    elif made.change is not None:
        rate = f" ({(added + removed) / seconds:,.0f}/s)" if seconds else ""
        where = f", through the service at {through}" if through else ""
        click.echo(f"Version {made.change}: {added:,} quads added, {removed:,} removed{rate}{where}.")


def _json(made: Made, *, dry_run: bool) -> dict[str, object]:
    return {
        "dryRun": dry_run,
        "version": made.version,
        "changeSet": made.change,
        "quads": made.quads and {"added": made.quads[0], "removed": made.quads[1]},
        "diff": as_json(made.diff),
        "impact": made.impact and impact_json(made.impact),
        "warnings": [warning.as_dict() for warning in made.warnings],
    }
