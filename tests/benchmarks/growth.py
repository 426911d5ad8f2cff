"""How cost grows with the graph: starting, memory, and changes while reading, on graphs of Hetionet's degree shapes.

    python -m tests.benchmarks.growth                         2 k to 2 M edges; about ten minutes
    python -m tests.benchmarks.growth --sizes 2000 20000      smaller ones
    python -m tests.benchmarks.growth --sizes 8000000 --changes-to 0

Every figure and its peer are taken in the same run, each in a process of its own. Writes GROWTH.md, growth.json and
growth.svg beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import http.client
import json
import multiprocessing
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import networkx as nx

from kg.published import Follower
from kg.tokens import TokenFile
from tests.benchmarks.hetionet import growing, importer
from tests.benchmarks.hetionet.__main__ import resident
from tests.benchmarks.report import table
from tests.benchmarks.servers import HERE, ROOT, Server, commit, end_tidily, free_port

SIZES = (2_000, 20_000, 200_000, 765_796, 2_000_000)
CHANGES_TO = 1_000_000  # edges; the store of a larger graph takes longer to fill than all the rest
CHANGES = 20
APART = 10  # changes, one a second
PAUSE_BETWEEN = 0.1  # seconds from the answer to one change to the next, where they follow each other closely
PAUSE = 0.01  # seconds between the reads of one client
CLIENTS = 2
PREFIXES = (
    "@prefix kg: <https://cartograph.example/vocab/> . @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . "
    "@prefix dcterms: <http://purl.org/dc/terms/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
)
APPLY = (
    "mutation($input: ChangesInput!) { applyChanges(input: $input) { ok version { number } diagnostics { message } } }"
)
READ = "query($c: String!) { entity(curie: $c) { curie label } version { number } }"


def main() -> None:
    """Measure every size and write the report; or, as a child, one thing."""
    end_tidily()
    given = arguments()
    if given.child:
        print(json.dumps(CHILDREN[given.child](Path(given.folder))))
        return
    given.output.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"about": about(), "rows": []}
    whole = growing.hetionet()
    for size in given.sizes:
        with tempfile.TemporaryDirectory(prefix="cartograph-growth-") as folder:
            row = measure(growing.grown(whole, size), Path(folder), changes=size <= given.changes_to)
        print(json.dumps(row), flush=True)
        result["rows"].append(row)
    (given.output / "growth.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (given.output / "GROWTH.md").write_text("\n".join(markdown(result)) + "\n", encoding="utf-8")
    plot(result["rows"], given.output / "growth.svg")
    print(f"wrote {given.output / 'GROWTH.md'}")


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="edges (default: %(default)s)")
    parser.add_argument(
        "--changes-to",
        type=int,
        default=CHANGES_TO,
        metavar="EDGES",
        help="measure changes, which need a store, on graphs of up to so many edges (default: %(default)s; 0 for none)",
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder of the report (default: %(default)s)")
    parser.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


def about() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "commit": commit(),
        "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start",
        "python": platform.python_version(),
    }


def measure(edges: growing.Edges, folder: Path, *, changes: bool) -> dict[str, Any]:
    """Return all figures of one graph."""
    data = folder / "data"
    if changes:
        growing.fill(edges, data)
    else:
        growing.publish(edges, data / "snapshots")
    with (folder / "graph.pickle").open("wb") as file:
        pickle.dump(plain(edges), file, protocol=pickle.HIGHEST_PROTOCOL)
    size = sum(path.stat().st_size for path in (data / "snapshots").rglob("*.rows"))
    row: dict[str, Any] = {"edges": len(edges), "nodes": len(edges.nodes), "files_mb": size / 1e6}
    gc.collect()
    row["ours"], row["networkx"] = child("ours", data), child("networkx", folder / "graph.pickle")
    row["serve"] = served(data, folder)
    if changes:
        row["changes"] = {workers: changed(data, folder, edges, workers) for workers in (1, 2)}
    return row


def plain(edges: growing.Edges) -> nx.MultiDiGraph:
    """Return the graph as one would write it in networkx: labels and kinds on nodes, evidence as a dict on edges."""
    graph = nx.MultiDiGraph()
    for node in edges.nodes:
        graph.add_node(node.curie, label=node.label, kind=node.kind)
    for row in edges.rows():
        evidence = {"source": importer.SOURCE, "level": "IntegratedResource", "direction": "SUPPORTS", "date": "2017"}
        ends = row.subject.curie, row.object.curie
        graph.add_edge(*ends, key=row.iri[-20:], relation=row.relation, confidence=0.5, evidence=[evidence])
    return graph


def child(name: str, folder: Path) -> dict[str, float]:
    """Return what a process of its own measures."""
    command = [sys.executable, "-m", "tests.benchmarks.growth", "--child", name, "--folder", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=900)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def opened(data: Path) -> dict[str, float]:
    """Open a published snapshot and answer the first question: an entity's edges."""
    model = importer.hetionet_model()
    before, started = resident(), time.perf_counter()
    graph = Follower(data, model).snapshot
    entity = next(iter(graph.entities.values()))
    first = sum(len(edges) for edges in entity.links.values())
    seconds = time.perf_counter() - started
    held = resident() - before
    adjacency = graph.adjacency
    assert adjacency.neighbours is not None
    return {"seconds": seconds, "mb": held, "with_paths_mb": resident() - before, "answer": first}


def unpickled(file: Path) -> dict[str, float]:
    """Read a networkx graph from a pickle and answer the same question."""
    before, started = resident(), time.perf_counter()
    with file.open("rb") as opened_file:
        graph = pickle.load(opened_file)  # noqa: S301 - written by this run
    node = next(iter(graph.nodes))
    first = len(list(graph.out_edges(node, keys=True))) + len(list(graph.in_edges(node, keys=True)))
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "mb": resident() - before, "answer": first}


CHILDREN = {"ours": opened, "networkx": unpickled}


# ---------------------------------------------------------------- a service
def service(data: Path, *options: str) -> Server:
    """Return the service of a data folder, as users start it."""
    port = free_port()
    command = [sys.executable, "-m", "kg", "serve", "--port", str(port), "--data", str(data), *options]
    return Server("ours", [*command, "--schema", str(importer.SCHEMA)], port, "/ready")


def served(data: Path, folder: Path) -> dict[str, float]:
    """Return the seconds from starting a read-only service until it answers a query, and its memory then."""
    server = service(data, "--read-only")
    started = time.perf_counter()
    server.start(folder / "serve.log")
    try:
        ask(server.port, {"query": "{ version { number entities edges } }"})
        return {"seconds": time.perf_counter() - started, "mb": server.rss_mb}
    finally:
        server.stop()


def changed(data: Path, folder: Path, edges: growing.Edges, workers: int) -> dict[str, float]:
    """Return how long changes of ten assertions take until they are visible, and what reading meanwhile notices, in ms."""
    server = service(data, "--workers", str(workers))
    server.start(folder / "changes.log")
    try:
        time.sleep(2)  # until every worker is there
        token = TokenFile(data).create(f"benchmark {time.time()}", "curator")
        curies = [node.curie for node in edges.nodes[:: max(1, len(edges.nodes) // 500)]]
        with Readers(server.port, curies) as readers:
            time.sleep(1)
            began = time.perf_counter()
            time.sleep(4)
            changing = time.perf_counter()
            close = list(change_all(server.port, token, edges, range(CHANGES), lambda taken: PAUSE_BETWEEN))
            steady = time.perf_counter()
            apart = list(
                change_all(server.port, token, edges, range(CHANGES, CHANGES + APART), lambda taken: 1 - taken)
            )
            ended = time.perf_counter()
        quiet, busy, calm = (
            readers.between(*span) for span in ((began, changing), (changing, steady), (steady, ended))
        )
        return {
            "p50": 1000 * statistics.median(close + apart),
            "worst": 1000 * max(close + apart),
            "read_p50": percentile(quiet, 50),
            "read_p99": percentile(quiet, 99),
            "read_p50_meanwhile": percentile(busy, 50),
            "read_p99_meanwhile": percentile(busy, 99),
            "read_p50_second": percentile(calm, 50),
            "read_p99_second": percentile(calm, 99),
            "reads": len(busy),
        }
    finally:
        server.stop()


def change_all(
    port: int, token: str, edges: growing.Edges, numbers: Iterable[int], pause: Callable[[float], float]
) -> Iterator[float]:
    """Yield how many seconds each of some changes took; ``pause`` says from that how many pass until the next."""
    for number in numbers:
        started = time.perf_counter()
        change(port, token, edges, f"{time.time_ns()}-{number}", number)
        taken = time.perf_counter() - started
        yield taken
        time.sleep(max(0.0, pause(taken)))


def change(port: int, token: str, edges: growing.Edges, name: str, number: int) -> None:
    """Add ten assertions, and see that they are there."""
    level = importer.hetionet_model().levels[0]
    claims = []
    for i in range(10):
        subject, object_ = edges.subjects[number * 10 + i], edges.objects[-1 - number * 10 - i]
        same = next(
            r for r in importer.hetionet_model().relations if _fits(r, edges.nodes[subject], edges.nodes[object_])
        )
        claims.append(
            f"[] a kg:Assertion ; rdf:subject <{edges.nodes[subject].iri}> ; rdf:predicate <{same.iri}> ; "
            f"rdf:object <{edges.nodes[object_].iri}> ; kg:evidence [ dcterms:source <{importer.SOURCE}> ; "
            f'kg:level <{level.iri}> ; kg:direction kg:Supports ; dcterms:date "2020"^^xsd:gYear ] .\n'
        )
    file = {"source": f"change-{name}.ttl", "content": PREFIXES + "".join(claims), "message": name}
    answer = ask(port, {"query": APPLY, "variables": {"input": file}}, authorization=f"Bearer {token}")
    assert answer["data"]["applyChanges"]["ok"], answer


def _fits(relation: Any, subject: Any, object_: Any) -> bool:
    return subject.kind in relation.subjects and object_.kind in relation.objects


class Readers:
    """Clients that read entities, one after another with a pause, and note how long each answer took.

    They are a process of their own: what changes the graph works too, and would be measured with the service.
    """

    def __init__(self, port: int, curies: Sequence[str]) -> None:
        self.port, self.curies = port, curies
        self.times: list[tuple[float, float]] = []
        context = multiprocessing.get_context("fork")
        self._stop = context.Event()
        self._found = context.SimpleQueue()
        self._process = context.Process(target=self._read_all)

    def __enter__(self) -> Readers:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.times = self._found.get()
        self._process.join()

    def _read_all(self) -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            self._found.put([time for times in pool.map(self._read, range(CLIENTS)) for time in times])

    def _read(self, place: int) -> list[tuple[float, float]]:
        """Return when each answer was asked for, and how many ms it took."""
        times = []
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self._stop.wait(PAUSE):
            place += 1
            body = json.dumps({"query": READ, "variables": {"c": self.curies[place % len(self.curies)]}})
            started = time.perf_counter()
            connection.request("POST", "/graphql", body, {"content-type": "application/json"})
            answer = connection.getresponse().read()
            times.append((started, 1000 * (time.perf_counter() - started)))
            assert b'"errors"' not in answer, answer
        connection.close()
        return times

    def between(self, start: float, end: float) -> list[float]:
        """Return how many ms those answers took that were asked for between two times."""
        return [taken for asked, taken in self.times if start <= asked < end]


def ask(port: int, body: dict[str, Any], **headers: str) -> Any:
    """Return the answer to a request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/graphql", json.dumps(body), {"content-type": "application/json", **headers})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def percentile(times: Sequence[float], per_cent: int) -> float:
    """Return the time under which so many per cent of the answers came."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, len(ordered) * per_cent // 100)]


# ---------------------------------------------------------------- the report
def markdown(result: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the report."""
    about_, rows = result["about"], result["rows"]
    yield "# How cost grows with the graph"
    yield ""
    yield "Written by `python -m tests.benchmarks.growth`."
    yield f"{about_['date']}, commit {about_['commit']}, {about_['machine']}, CPython {about_['python']}."
    yield ""
    yield (
        "Graphs with the degree shapes of Hetionet, which is the one of 765,796 edges: smaller ones keep an equal part of "
        "every relation, larger ones are joined copies. Wall time, one measurement each."
    )
    yield ""
    yield "## Start and memory"
    yield ""
    yield (
        "Opening the published snapshot and answering for one entity's edges, beside reading the same graph into networkx "
        "from a pickle and the same question; resident memory that it added. The whole service: from starting the process "
        "`kg serve --read-only` to the answer of a first query, and its resident memory, Python and libraries included."
    )
    yield ""
    head = ["edges", "nodes", "open, s", "networkx, s", "×", "MB", "with paths, MB", "networkx, MB", "×", "service, s", "service, MB", "files, MB"]  # fmt: skip
    yield from table([head, *(_start(row) for row in rows)])
    yield ""
    yield "## Changes while reading"
    yield ""
    yield (
        f"Changes of ten assertions each over HTTP, checked, written and flushed, from sending to the answer, at which the "
        f"change is visible; {CLIENTS} clients read an entity every {PAUSE * 1000:.0f} ms meanwhile. First {CHANGES} "
        f"closely, each sent {PAUSE_BETWEEN} s after the answer to the last, so that one is being worked out for much of "
        f"the time; then {APART}, one a second. Milliseconds; × is the p99 of reading meanwhile over that before."
    )
    yield ""
    head = [
        "edges",
        "workers",
        "change p50",
        "worst",
        "read p50",
        "p99",
        "closely: read p50",
        "p99",
        "×",
        "one a second: read p50",
        "p99",
        "×",
    ]
    yield from table([head, *(line for row in rows for line in _changes(row))])
    yield ""
    yield "![Cost against size](growth.svg)"


def _start(row: dict[str, Any]) -> list[str]:
    ours, peer, serve = row["ours"], row["networkx"], row["serve"]
    return [
        f"{row['edges']:,}", f"{row['nodes']:,}", f"{ours['seconds']:.3f}", f"{peer['seconds']:.3f}",
        f"{peer['seconds'] / ours['seconds']:.1f}", f"{ours['mb']:.0f}", f"{ours['with_paths_mb']:.0f}",
        f"{peer['mb']:.0f}", f"{peer['mb'] / max(ours['with_paths_mb'], 1):.1f}", f"{serve['seconds']:.1f}",
        f"{serve['mb']:.0f}", f"{row['files_mb']:.0f}",
    ]  # fmt: skip


def _changes(row: dict[str, Any]) -> Iterator[list[str]]:
    for workers, found in row.get("changes", {}).items():
        cells = [f"{row['edges']:,}", str(workers), f"{found['p50']:.0f}", f"{found['worst']:.0f}"]
        cells += [f"{found['read_p50']:.1f}", f"{found['read_p99']:.1f}"]
        for when in ("meanwhile", "second"):
            p99 = found[f"read_p99_{when}"]
            cells += [f"{found[f'read_p50_{when}']:.1f}", f"{p99:.1f}", f"{p99 / found['read_p99']:.1f}"]
        yield cells


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw cost against size, both on logarithmic scales."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "cartograph", "font.size": 9}):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        seconds, memory = figure.subplots(1, 2)
        edges = [row["edges"] for row in rows]
        for name, of, colour in (
            ("open a snapshot", lambda row: row["ours"]["seconds"], "#2f6fb7"),
            ("networkx from a pickle", lambda row: row["networkx"]["seconds"], "#b3344c"),
            ("a change is visible (p50)", lambda row: row.get("changes", {}).get(1, {}).get("p50", float("nan")) / 1000, "#c2871a"),
        ):  # fmt: skip
            seconds.plot(edges, [of(row) for row in rows], "o-", label=name, color=colour, linewidth=1.4, markersize=3)
        for name, of, colour in (
            ("ours, with paths", lambda row: row["ours"]["with_paths_mb"], "#2f6fb7"),
            ("networkx", lambda row: row["networkx"]["mb"], "#b3344c"),
        ):
            memory.plot(edges, [of(row) for row in rows], "o-", label=name, color=colour, linewidth=1.4, markersize=3)
        for axes, what in ((seconds, "seconds"), (memory, "resident MB")):
            axes.set(xscale="log", yscale="log", xlabel="edges", ylabel=what)
            axes.legend(frameon=False)
        figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
