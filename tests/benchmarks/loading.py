"""What `kg load` costs beside Oxigraph's own bulk load of the same quads: parts of Hetionet, into an empty folder.

Writes LOADING.md and loading.json. Each load is a process of its own. `kg load` reads N-Triples, checks every statement, works out what
they mean, writes them with their history, and leaves the snapshot that the next start maps; the peer reads the same
quads as N-Quads and writes them.

python -m tests.benchmarks.loading --shares 0.05 0.25
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from kg.changes import HISTORY
from tests.benchmarks.hetionet import importer
from tests.benchmarks.report import table
from tests.benchmarks.servers import HERE, ROOT, commit, end_tidily

SHARES = (0.01, 0.05, 0.25)
PEER = (
    "import sys, pyoxigraph as ox; s = ox.Store(sys.argv[2]); "
    "s.bulk_load(path=sys.argv[1], format=ox.RdfFormat.N_QUADS); s.flush()"
)


def main() -> None:
    """Measure every share and write the report."""
    end_tidily()
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.loading",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="parts of the edges (default: %(default)s)")  # fmt: skip
    parser.add_argument("--output", type=Path, default=HERE, help="folder of LOADING.md (default: %(default)s)")
    given = parser.parse_args()
    rows = []
    for share in given.shares:
        with tempfile.TemporaryDirectory(prefix="cartograph-load-") as folder:
            rows.append(measure(share, Path(folder)))
        print(json.dumps(rows[-1]), flush=True)
    given.output.mkdir(parents=True, exist_ok=True)
    result = {"about": about(), "rows": rows}
    (given.output / "loading.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (given.output / "LOADING.md").write_text("\n".join(markdown(result)) + "\n", encoding="utf-8")
    print(f"wrote {given.output / 'LOADING.md'}")


def measure(share: float, folder: Path) -> dict[str, Any]:
    """Return what loading a part of Hetionet cost, and its peer."""
    files, data, dump = folder / "files", folder / "data", folder / "all.nq"
    importer.write(files, share=share)
    load = [sys.executable, "-m", "kg", "load", str(files), "--data", str(data)]
    ours = run([*load, "--schema", str(importer.SCHEMA), "--message", "benchmark"])
    store = ox.Store.read_only(str(data / "graph"))
    quads = len(store)
    stated = (quad for quad in store if quad.graph_name != HISTORY)  # of which one line may be too long for its parser
    ox.serialize(stated, output=str(dump), format=ox.RdfFormat.N_QUADS)
    del store, stated
    peer = run([sys.executable, "-c", PEER, str(dump), str(folder / "peer")])
    return {"share": share, "quads": quads, "ours": ours, "peer": peer}


def run(command: Sequence[str]) -> dict[str, float]:
    """Return the CPU and wall seconds of a process with all its children, and its peak memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    error = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed:\n{error.decode()[-2000:]}")
    return {
        "cpu": used.ru_utime + used.ru_stime,
        "wall": time.perf_counter() - started,
        "peak_mb": used.ru_maxrss / 1024,
    }


def about() -> str:
    """Return what the figures depend on."""
    return (
        f"{datetime.date.today()}, commit {commit()}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end; "
        f"CPython {platform.python_version()}, pyoxigraph {version('pyoxigraph')}"
    )


def markdown(result: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "# What loading costs"
    yield ""
    yield "Written by `python -m tests.benchmarks.loading`; loading.json has the same figures."
    yield f"{result['about']}. One measurement each."
    yield ""
    yield (
        "Parts of Hetionet with all its entities, into an empty folder: `kg load` of N-Triples (read, checked, worked out, "
        "written with history, snapshot published) beside `bulk_load` of the quads that it wrote, history aside, from N-Quads. "
        "Seconds of CPU and of the clock, of whole processes, Python's start included."
    )
    yield ""
    head = ["part", "quads", "CPU s", "bulk_load, CPU s", "×", "s", "bulk_load, s", "peak MB", "bulk_load, MB"]
    yield from table([head, *map(_row, result["rows"])])


def _row(row: dict[str, Any]) -> list[str]:
    ours, peer = row["ours"], row["peer"]
    return [
        f"{row['share']:.0%}",
        f"{row['quads']:,}",
        f"{ours['cpu']:.1f}",
        f"{peer['cpu']:.1f}",
        f"{ours['cpu'] / peer['cpu']:.1f}",
        f"{ours['wall']:.1f}",
        f"{peer['wall']:.1f}",
        f"{ours['peak_mb']:,.0f}",
        f"{peer['peak_mb']:,.0f}",
    ]


if __name__ == "__main__":
    main()
