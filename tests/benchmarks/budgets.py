"""The budgets, and how far the last figures of each benchmark keep them; README.md shows the table.

It reads what the benchmarks leave beside this file: report.json, growth.json, loading.json and paths.json.

    python -m tests.benchmarks.budgets
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.report import BASELINE
from tests.benchmarks.servers import HERE

FILES = ("report.json", "growth.json", "loading.json", "paths.json")
HETIONET_EDGES = 765_796
OURS, SERVICE, JIT = "ours", "service", "mercurius + graphql-jit"
HEAD = "| work, on Hetionet | peer in the same run | aim | measured | kept |\n| --- | --- | --- | --- | --- |"
PATHS = ("simple paths", "along", "10 best", "any one shortest", "the best of the shortest", "all shortest")
Row = tuple[str, str, str, str, bool]


def table(folder: Path = HERE) -> str:
    """Return the budgets as a table in Markdown."""
    rows = [*_loading(folder), *_growth(folder), *_requests(folder), *_paths(folder)]
    return "\n".join([HEAD, *(f"| {' | '.join(said)} | {'yes' if kept else '**no**'} |" for *said, kept in rows)])


def _read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _loading(folder: Path) -> Iterator[Row]:
    row = max(_read(folder, "loading.json")["rows"], key=lambda row: float(row["share"]))
    times = row["ours"]["cpu"] / row["peer"]["cpu"]
    part = "" if row["share"] == 1 else f"{row['share']:.0%} of "
    said = f"{times:.1f}× the CPU ({row['ours']['cpu']:.0f} s for {part}{HETIONET_EDGES:,} edges)"
    yield "load with evidence, checked", "pyoxigraph `bulk_load` of the same quads", "≤ 3×", said, times <= 3


def _growth(folder: Path) -> Iterator[Row]:
    rows = {row["edges"]: row for row in _read(folder, "growth.json")["rows"]}
    row = rows[HETIONET_EDGES]
    ours, peer, serve = row["ours"], row["networkx"], row["serve"]
    yield (
        "start serving from an existing store", "networkx from a pickle", "faster; first answer ≤ 5 s",
        f"{ours['seconds']:.2f} s for {peer['seconds']:.1f}; the service's first answer after {serve['seconds']:.1f} s",
        ours["seconds"] < peer["seconds"] and serve["seconds"] <= 5,
    )  # fmt: skip
    yield (
        "memory while serving", "networkx MultiDiGraph", "≤ 2×, and ≤ 1.5 GB",
        f"{ours['with_paths_mb'] / peer['mb']:.1f}× ({ours['with_paths_mb']:.0f} MB for {peer['mb']:.0f}); {serve['mb']:.0f} MB for the whole service",
        ours["with_paths_mb"] <= 2 * peer["mb"] and serve["mb"] <= 1500,
    )  # fmt: skip
    changes = row["changes"].values()
    slowest = max(found["worst"] for found in changes)
    yield (
        "ten assertions changed while others read: visible", "–", "≤ 500 ms",
        f"{_span([found['p50'] for found in changes], '.0f')} ms; the slowest {slowest:.0f}", slowest <= 500,
    )  # fmt: skip
    for when, said in (("second", "one change a second"), ("meanwhile", "0.1 s between changes")):
        times = [found[f"read_p99_{when}"] / found["read_p99"] for found in changes]
        yield (
            f"the same: p99 of reading, {said}",
            "before the change",
            "≤ 2×",
            f"{_span(times, '.1f')}×",
            max(times) <= 2,
        )


def _span(values: Sequence[float], form: str) -> str:
    ends = dict.fromkeys(format(value, form) for value in (min(values), max(values)))
    return " to ".join(ends)


def _requests(folder: Path) -> Iterator[Row]:
    servers = {server["name"]: server for server in _read(folder, "report.json")["hetionet"]["servers"]}

    def cpu(server: str, query: str) -> float:
        found: float = servers[server][query]["cpu_ms_best"]
        return found

    for query, work in (("a", "entity by CURIE"), ("d", "search"), ("e", "view of some 200 nodes")):
        times = cpu(BASELINE, query) / cpu(SERVICE, query)
        yield work, "plain strawberry + rdflib in memory", "≥ 20×", f"{times:,.0f}× less CPU", times >= 20
    for query, work in (("b", "list of 100 × 5 fields"), ("c", "3 levels")):
        ours, fresh, peer = cpu(SERVICE, query), cpu(f"{SERVICE}, no answers kept", query), cpu(JIT, query)
        said = f"{ours:.3f} ms for {peer:.3f}; {fresh:.3f} where nothing is kept of earlier answers"
        yield work, "mercurius with graphql-jit", "CPU ≤ the peer's", said, ours <= peer


def _paths(folder: Path) -> Iterator[Row]:
    rows = _read(folder, "paths.json")
    for beginning in PATHS:
        found = [row for row in rows if row["question"].startswith(beginning) and len(row["figures"]) > 1]
        nearest = min(_ahead(row["figures"]) for row in found)
        name = found[0]["question"].partition(" (")[0]
        mine = _span([median(row["figures"][OURS]["times"]) for row in found], ".2f")
        yield name, nearest[1], "ahead", f"{nearest[0]:.1f}× ({mine} ms)", nearest[0] > 1
    method = [row for row in rows if row["question"].startswith(("DWPC of one disease", "one permuted graph"))]
    times = [ratio for row in method for ratio, engine in _ratios(row["figures"]) if engine.startswith("hetmatpy")]
    if times:
        yield (
            "hypotheses of one disease, p-values: the work",
            "hetmatpy's method",
            "ahead",
            f"{_span(times, '.1f')}×",
            min(times) > 1,
        )
    for beginning, when, most in (("a new process", "cold", 2000.0), ("the same, asked again", "warm", 20.0)):
        asked = [row["figures"][OURS]["times"] for row in rows if row["question"].startswith(beginning)]
        late = max(float(np.quantile(each, 0.95)) for each in asked)
        form = ",.0f" if late >= 10 else ".2f"
        said = f"{_span([median(each) for each in asked], form)} ms; p95 {late:{form}}"
        yield f"the same with p-values, {when}", "–", f"≤ {most:,.0f} ms", said, late <= most


def _ratios(figures: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    """Yield each peer's median over ours on the pairs that both were asked, and its name."""
    ours = figures[OURS]["times"]
    for engine, each in figures.items():
        if engine != OURS and not each["failed"]:
            yield median(each["times"]) / median(ours[: len(each["times"])]), engine


def _ahead(figures: Mapping[str, Any]) -> tuple[float, str]:
    """Return how many times as long as ours the fastest peer took, and which that is."""
    return min(_ratios(figures))


if __name__ == "__main__":
    print(table())
