"""Hetionet through the engine: write it as N-Triples for ``kg load``, make graphs of any size with its degree shapes, or
measure what building its snapshot costs.

python -m tests.benchmarks.hetionet write /tmp/hetionet
kg load /tmp/hetionet --schema tests/benchmarks/hetionet/schema --data /tmp/hetionet-store
python -m tests.benchmarks.hetionet grow 2000000 /tmp/hetionet-2m
kg serve --read-only --schema tests/benchmarks/hetionet/schema --data /tmp/hetionet-2m
python -m tests.benchmarks.hetionet measure --share 0.1 --share 1
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kg.projection import Projection
from kg.published import FOLDER
from kg.snapshot import Snapshot, Version
from tests.benchmarks.hetionet import growing, importer


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.hetionet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--files", type=Path, default=importer.FILES, help="folder of Hetionet's TSV (default: %(default)s)")  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write", help="write N-Triples, one file for each relation")
    write.add_argument("folder", type=Path)
    write.add_argument("--share", type=float, default=1.0, help="part of the edges of each relation (default: all)")
    grow = commands.add_parser("grow", help="publish a graph of about so many edges, the same every time, to be served")
    grow.add_argument(
        "edges", type=int, help="such as 2000000; fewer than Hetionet has are an equal part of every relation"
    )
    grow.add_argument("folder", type=Path, help="a data folder that is not there yet")
    grow.add_argument("--store", action="store_true", help="with a store, so that it can be changed; takes minutes")
    measure = commands.add_parser("measure", help="CPU seconds and memory of building the snapshot, as JSON lines")
    measure.add_argument("--share", type=float, action="append", help="part of the edges; may be given several times")
    measure.add_argument("--shared", action="store_true", help="one evidence record for all assertions")
    measure.add_argument("--no-gc", action="store_true", help="pause the garbage collector while building")
    given = parser.parse_args()
    if given.command == "write":
        print(importer.write(given.folder, given.files, given.share))
    elif given.command == "grow":
        print(grown(given))
    elif given.share and len(given.share) > 1:
        for share in given.share:
            alone(share, given)
    else:
        print(json.dumps(build((given.share or [1.0])[0], given)))


def grown(given: argparse.Namespace) -> str:
    """Make a graph of the size that was asked for, and return what it is."""
    if given.edges < 1 or given.folder.exists():
        sys.exit(
            f"{given.folder} is there already; name another." if given.edges > 0 else "A graph has at least 1 edge."
        )
    edges = growing.grown(growing.hetionet(given.files), given.edges)
    graph = growing.fill(edges, given.folder) if given.store else growing.publish(edges, given.folder / FOLDER)
    return f"{given.folder}: {len(graph.entities):,} entities, {graph.edge_count:,} edges"


def alone(share: float, given: argparse.Namespace) -> None:
    """Measure in a process of its own, so that one graph's memory is not another's."""
    flags = [f"--{name.replace('_', '-')}" for name in ("shared", "no_gc") if getattr(given, name)]
    command = [sys.executable, "-m", "tests.benchmarks.hetionet", "--files", str(given.files), "measure", "--share", str(share), *flags]  # fmt: skip
    subprocess.run(command, check=True)


def build(share: float, given: argparse.Namespace) -> dict[str, Any]:
    """Return what reading the files and building the snapshot took."""
    figures: dict[str, Any] = {"share": share, "shared_evidence": given.shared, "gc": not given.no_gc}
    model = importer.hetionet_model()
    if given.no_gc:
        gc.disable()
    with timed(figures, "read"):
        projection = importer.projection(given.files, share, shared=given.shared)
    with timed(figures, "snapshot"):
        graph = Snapshot(model, projection, Version(0, "hetionet"))
    gc.enable()
    return figures | {"entities": len(graph.entities), "edges": graph.edge_count, **after(graph, projection)}


def after(graph: Snapshot, projection: Projection) -> dict[str, Any]:
    """Return what the first uses of a snapshot cost, and the memory in the end."""
    figures: dict[str, Any] = {"rss_mb": resident(), "peak_mb": resident("VmHWM") or resident()}
    uses: dict[str, Callable[[], object]] = {
        "assertion_by_id": lambda: graph.assertion_by_id,
        "relation_counts": lambda: graph.relation_counts,
        "first search": lambda: graph.search("metformn"),
        "networkx": lambda: graph.nx,
    }
    for name, use in uses.items():
        with timed(figures, name):
            use()
    return figures | {"rss_with_networkx_mb": resident(), "claims": len(projection.claims)}


@contextlib.contextmanager
def timed(figures: dict[str, Any], name: str) -> Iterator[None]:
    """Note the CPU seconds of a block."""
    started = time.process_time()
    yield
    figures[f"{name}_s"] = round(time.process_time() - started, 2)


def resident(line: str = "VmRSS") -> float:
    """Return this process's resident memory in MB, now or (VmHWM) at its peak; 0 where the system does not say."""
    for text in Path("/proc/self/status").read_text().splitlines():
        if text.startswith(line + ":"):
            return round(int(text.split()[1]) / 1e3, 1)
    return 0.0


if __name__ == "__main__":
    main()
