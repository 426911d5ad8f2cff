"""Run the benchmarks: the service, a plain server and a fast Node server in interleaved rounds on this machine.

Writes REPORT.md and report.json beside this file. Figures on a busy machine are noisy; CPU time per request is
the one to trust.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kg import Snapshot, load_model, open_graph
from kg.published import Follower
from tests.benchmarks.export import export
from tests.benchmarks.hetionet import importer
from tests.benchmarks.queries import (
    CART,
    HETIONET,
    OF_CART,
    OF_RDF_ONLY,
    Domain,
    Queries,
    ask,
    body,
    digest,
    objects,
    of_hetionet,
)
from tests.benchmarks.report import BASELINE, DICTS, markdown
from tests.benchmarks.servers import HERE, ROOT, Server, commit, end_tidily, mercurius, ours, plain
from tests.benchmarks.synthetic import write

ASSERTIONS = 4_000
CONNECTIONS = 8
WARM_SECONDS = 0.7
PACKAGES = ("strawberry-graphql", "graphql-core", "rdflib", "pyoxigraph", "starlette", "uvicorn", "uvloop", "httptools", "orjson")  # fmt: skip
SIZES = (600, 2_000, 10_000, 50_000)


def main() -> None:
    """Measure and write the report."""
    end_tidily()
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="cartograph-bench-") as folder:
        result: dict[str, Any] = {"about": about(given)}
        if not given.no_requests:
            result["cart"] = cart(Path(folder), given)
            if given.hetionet:
                result["hetionet"] = hetionet(Path(folder) / "hetionet", given)
        if given.sizes:
            result["startup"] = [startup(Path(folder), size) for size in given.sizes]
    result["about"]["load_after"] = os.getloadavg()[0]
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "report.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (given.output / "REPORT.md").write_text(markdown(result), encoding="utf-8")
    print(f"wrote {given.output / 'REPORT.md'}")


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round and small graphs: to see that all works")
    parser.add_argument("--rounds", type=int, default=3, help="rounds over all servers (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement (default: %(default)s)")
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=SIZES, help="assertions in the graphs of the start-up table"
    )
    parser.add_argument(
        "--hetionet", type=float, default=1.0, metavar="SHARE", help="part of Hetionet's edges that the requests are also measured on; 0 leaves it out (default: %(default)s: the whole needs 15 GB for rdflib)"
    )  # fmt: skip
    parser.add_argument("--no-requests", action="store_true", help="measure start-up only")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of REPORT.md and report.json")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.seconds, given.sizes, given.hetionet = 1, 0.5, given.sizes[:1], min(given.hetionet, 0.01)
    return given


def about(given: argparse.Namespace) -> dict[str, Any]:
    """Return what the figures depend on."""
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    peers = json.loads((HERE / "peers" / "package-lock.json").read_bytes())["packages"]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes"),
        "commit": commit(),
        "machine": f"{os.cpu_count()} × {model[0].partition(':')[2].strip() if model else platform.machine()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "node": node,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "npm": {name: peers[f"node_modules/{name}"]["version"] for name in ("mercurius", "graphql", "graphql-jit")},
        "rounds": given.rounds,
        "seconds": given.seconds,
        "connections": CONNECTIONS,
        "load_before": os.getloadavg()[0],
    }


# ---------------------------------------------------------------- requests
def cart(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of all servers on a synthetic graph, and what the answers hold."""
    seeds = write(folder / "seeds", ASSERTIONS)
    print("filling a store", flush=True)
    start_once(folder / "store", seeds, folder)
    graph = open_graph(seeds=seeds)
    source = folder / "seeds", ROOT / "schema" / "ontology.ttl"
    return requests(folder, CART, OF_CART, graph, source, ["--seeds", str(seeds)], given)


def hetionet(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Return the same on a part of Hetionet."""
    folder.mkdir()
    files, data = importer.write(folder / "files", share=given.hetionet), folder / "store"
    print("loading Hetionet", flush=True)
    load_ = [sys.executable, "-m", "kg", "load", str(files), "--data", str(data), "--schema", str(importer.SCHEMA)]
    subprocess.run(load_, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    graph = Follower(data, load_model(importer.SCHEMA)).snapshot
    source = files, importer.SCHEMA / "hetionet.ttl"
    return requests(folder, HETIONET, of_hetionet(graph), graph, source, ["--schema", str(importer.SCHEMA)], given)


def requests(
    folder: Path,
    domain: Domain,
    queries: Queries,
    graph: Snapshot,
    source: tuple[Path, Path],
    options: Sequence[str],
    given: argparse.Namespace,
) -> dict[str, Any]:
    """Return the figures of all servers on a graph, and what the answers hold.

    The service's store is in ``folder``; ``source`` are the files that the graph was loaded from, and its ontology.
    """
    export(graph, domain, folder / "data.json")
    with running(lineup(folder, domain, source, options), folder) as servers:
        answers = compare(servers, queries)
        rows = measure(servers, folder, queries, given)
    size = {"entities": len(graph.entities), "assertions": len(graph.assertions), "evidence": graph.evidence_count}
    return {"graph": size, "answers": answers, "servers": rows}


def lineup(folder: Path, domain: Domain, source: tuple[Path, Path], options: Sequence[str]) -> list[Server]:
    """Return the servers to compare, in the order of the report; each service has a copy of the store."""
    data, number = str(folder / "data.json"), iter(range(9))

    def service(name: str, **settings: str) -> Server:
        copy = folder / f"store-{next(number)}"
        shutil.copytree(folder / "store", copy)
        return ours(name, copy, *options, **settings)

    return [
        service("service", response_cache_bytes="0"),
        service("service, quiet log", response_cache_bytes="0", log_level="warning"),
        replace(service("service, new heads", response_cache_bytes="0"), new_heads=True),
        service("service, no answers kept", response_cache_bytes="0", kept_answer_bytes="0"),
        service("service, response cache on"),
        service("service, 2 workers", response_cache_bytes="0", workers="2"),
        service("service, KG_COMPILED=false", response_cache_bytes="0", compiled="false"),
        plain(BASELINE, domain.name, "rdflib", *map(str, source)),
        plain(DICTS, domain.name, "objects", data),
        plain("plain: dicts + document caches", domain.name, "cached", data),
        mercurius("mercurius", domain.name, data),
        mercurius("mercurius + graphql-jit", domain.name, data, "jit"),
    ]


@contextlib.contextmanager
def running(servers: list[Server], folder: Path) -> Iterator[list[Server]]:
    """Start servers, and stop them in the end."""
    try:
        for number, server in enumerate(servers):
            print(f"starting {server.name}", flush=True)
            server.start(folder / f"log-{number}")
        yield servers
    finally:
        for server in servers:
            server.stop()


def address(server: Server) -> str:
    """Return where a server answers GraphQL."""
    return f"http://127.0.0.1:{server.port}{'/' if server.ready == '/' else '/graphql'}"


def compare(servers: list[Server], queries: Queries) -> dict[str, Any]:
    """Return what the answers hold; raises RuntimeError where two servers differ."""
    held = {}
    for query, question in queries.items():
        found = {server.name: ask(address(server), question) for server in servers if asked(server, query)}
        digests = {name: digest(data) for name, data in found.items()}
        if len(set(digests.values())) != 1:
            raise RuntimeError(f"answers to {query} differ: {digests}")
        first = next(iter(found.values()))
        held[query] = {"objects": objects(first), "bytes": len(json.dumps(first)), "digest": digests[servers[0].name]}
    return held


def asked(server: Server, query: str) -> bool:
    """Whether a server is asked a query."""
    return query not in OF_RDF_ONLY or server.ready == "/ready" or server.name == BASELINE


def measure(servers: list[Server], folder: Path, queries: Queries, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the figures of each server: the round with the least CPU time per request, and the median."""
    rounds: dict[tuple[str, str], list[dict[str, float]]] = {
        (server.name, query): [] for server in servers for query in queries if asked(server, query)
    }
    for query in queries:
        (folder / query).write_bytes(body(queries[query]))
        for server in servers:
            if asked(server, query):
                load(server, folder / query, WARM_SECONDS)
    for number in range(given.rounds):
        print(f"round {number + 1} of {given.rounds}, load {os.getloadavg()[0]:.1f}", flush=True)
        for query in queries:
            for server in servers:
                if asked(server, query):
                    rounds[server.name, query].append(load(server, folder / query, given.seconds))
    return [
        {
            "name": server.name,
            "rss_mb": server.rss_mb,
            **{query: summary(rounds[server.name, query]) for query in queries if asked(server, query)},
        }
        for server in servers
    ]


def load(server: Server, query: Path, seconds: float) -> dict[str, float]:
    """Return what one run of the load against one server measured."""
    path = "/" if server.ready == "/" else "/graphql"
    command = [
        sys.executable,
        str(HERE / "load.py"),
        str(server.port),
        path,
        str(query),
        str(seconds),
        str(CONNECTIONS),
        *(["new"] if server.new_heads else []),
    ]
    before = server.cpu_seconds
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{server.name}: {done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout)
    figures["cpu_ms"] = 1000 * (server.cpu_seconds - before) / figures["requests"]
    figures["rps"] = figures["requests"] / figures["seconds"]
    return figures


def summary(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the least CPU time, and medians of the rest."""
    medians = {name: statistics.median(one[name] for one in rounds) for name in ("rps", "p50", "p95", "cpu_ms")}
    return {
        "cpu_ms_best": min(one["cpu_ms"] for one in rounds),
        "rps_best": max(one["rps"] for one in rounds),
        **medians,
    }


# ---------------------------------------------------------------- start-up
def startup(folder: Path, assertions: int) -> dict[str, Any]:
    """Return seconds from process start to ready and memory, with an empty store and again with the filled one."""
    print(f"start-up with {assertions} assertions", flush=True)
    seeds, data = write(folder / f"seeds-{assertions}", assertions), folder / f"store-{assertions}"
    row: dict[str, Any] = {"assertions": assertions}
    for state, times in (("empty", 1), ("existing", 1 if assertions > 10_000 else 2)):
        row[f"{state}_seconds"], row[f"{state}_rss_mb"], row[f"{state}_peak_mb"] = min(
            start_once(data, seeds, folder) for _ in range(times)
        )
    row["store_mb"] = sum(file.stat().st_size for file in data.rglob("*") if file.is_file()) / 1e6
    shutil.rmtree(data)
    return row


def start_once(data: Path, seeds: Path, folder: Path) -> tuple[float, float, float]:
    """Return the seconds that one start took, and the resident and peak memory after it, in MB."""
    server = ours("start-up", data, "--seeds", str(seeds))
    try:
        return server.start(folder / "log-startup"), server.rss_mb, server.peak_mb
    finally:
        server.stop()


if __name__ == "__main__":
    main()
