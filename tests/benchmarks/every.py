"""Run all benchmarks one after the other, with rounds as short as still tell something: under 15 minutes on two cores.

Each part is a command of its own, which says more with --help, and writes its own report. What a part needs and is not
installed it says itself; the others go on. In the end it shows which budgets the figures keep (tests.benchmarks.budgets).

python -m tests.benchmarks.every
python -m tests.benchmarks.every --only growth loading
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.budgets import FILES, table
from tests.benchmarks.servers import HERE, ROOT, end_tidily

PARTS = {
    "requests": ["tests.benchmarks", "--rounds", "1", "--seconds", "0.6", "--sizes", "600", "--hetionet", "0.05"],
    "paths": [
        *("tests.benchmarks.paths", "--pairs", "20", "--hubs", "6", "--peer-pairs", "2"),
        *("--limit", "2", "--permutations", "3"),
    ],
    "loading": ["tests.benchmarks.loading", "--shares", "0.01", "0.05"],
    "growth": ["tests.benchmarks.growth", "--sizes", "2000", "200000", "765796"],
}


def run(command: list[str]) -> int:
    """Return the exit code of a part; where this is stopped, the part first takes away what it made."""
    part = subprocess.Popen(command, cwd=ROOT)
    try:
        return part.wait()
    except SystemExit:  # of a terminal's interrupt it hears itself
        part.terminate()
        raise
    finally:
        part.wait()


def main() -> int:
    """Run the parts; returns 1 where one failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.every",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts (default: all)")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of the reports (default: %(default)s)")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    end_tidily()
    taken: dict[str, tuple[float, int]] = {}
    for name in given.only:
        print(f"=== {name}", flush=True)
        started = time.perf_counter()
        code = run([sys.executable, "-m", *PARTS[name], "--output", str(given.output)])
        taken[name] = time.perf_counter() - started, code
    for name, (seconds, code) in taken.items():
        print(f"{name:10} {seconds / 60:5.1f} min{'' if code == 0 else f', failed with exit code {code}'}")
    if all((given.output / name).exists() for name in FILES):
        print(table(given.output))
    print(f"{'all':10} {sum(seconds for seconds, _ in taken.values()) / 60:5.1f} min")
    return int(any(code for _, code in taken.values()))


if __name__ == "__main__":
    raise SystemExit(main())
