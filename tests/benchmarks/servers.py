"""The servers under test, as processes whose CPU time and memory can be read."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PEERS = HERE / "peers"
PROC = Path("/proc")
SCHEDULER_CLOCK = 2  # CPUCLOCK_SCHED: see clock_getcpuclockid(3)


def end_tidily() -> None:
    """Let the signal to stop end this process by way of what it has to clean up: folders, and processes it started."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


@dataclass
class Server:
    """One row of the report: a command with its environment, then the running process."""

    name: str
    command: Sequence[str]
    port: int
    ready: str
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = ROOT
    new_heads: bool = False  # no two requests of the load have the same head
    process: subprocess.Popen[bytes] | None = None

    def start(self, log: Path, patience: float = 600.0) -> float:
        """Start the process and return the seconds until it answers."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("KG_")}
        started = time.perf_counter()
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                self.command, cwd=self.cwd, env={**own, **self.environment}, stdout=out, stderr=subprocess.STDOUT
            )
        while time.perf_counter() - started < patience and self.process.poll() is None:
            if answers(f"http://127.0.0.1:{self.port}{self.ready}"):
                return time.perf_counter() - started
            time.sleep(0.01)
        raise RuntimeError(f"{self.name} did not start:\n{log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """Stop the process."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def pids(self) -> list[int]:
        """The process and all its descendants."""
        return list(_tree(self.process.pid)) if self.process else []

    @property
    def cpu_seconds(self) -> float:
        """CPU time that all threads of the tree have used."""
        return sum(_cpu(pid) for pid in self.pids)

    @property
    def rss_mb(self) -> float:
        """Resident memory of the tree, in MB."""
        return sum(_status(pid, "VmRSS") for pid in self.pids)

    @property
    def peak_mb(self) -> float:
        """Highest resident memory that the processes of the tree had, in MB."""
        return sum(_status(pid, "VmHWM") for pid in self.pids)


def answers(url: str) -> bool:
    """Whether anything but a refusal or a server error comes back."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as error:
        return error.code in {400, 405}
    except OSError:
        return False


def _tree(pid: int) -> Iterable[int]:
    yield pid
    for children in PROC.glob(f"{pid}/task/*/children"):
        for child in children.read_text().split():
            yield from _tree(int(child))


def _cpu(pid: int) -> float:
    return time.clock_gettime(~pid << 3 | SCHEDULER_CLOCK)  # the process's CPU clock; counts threads that have ended


def _status(pid: int, name: str) -> float:
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def commit() -> str:
    """Return the short name of the commit that is checked out, or nothing where git does not say."""
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ours(name: str, data: Path, *options: str, **settings: str) -> Server:
    """Return the service as users start it, with these options and settings."""
    port = free_port()
    command = [sys.executable, "-m", "kg", "serve", "--port", str(port), "--data", str(data), *options]
    return Server(name, command, port, "/ready", {f"KG_{key.upper()}": value for key, value in settings.items()})


def plain(name: str, *arguments: str) -> Server:
    """Return the plain strawberry server."""
    port = free_port()
    return Server(name, [sys.executable, str(PEERS / "plain_server.py"), str(port), *arguments], port, "/")


def mercurius(name: str, *arguments: str) -> Server:
    """Return the Node server; its packages are installed on first use."""
    port, folder = free_port(), node_packages()
    script = f"server-{_mark(PEERS / 'server.mjs')}.mjs"  # another checkout may have another
    shutil.copy(PEERS / "server.mjs", folder / script)
    command = ["node", script, str(port), *arguments]
    return Server(name, command, port, "/graphql?query=%7B__typename%7D", {"NODE_ENV": "production"}, folder)


def cache_folder() -> Path:
    """Where downloads and synthetic data are kept between runs, outside the repository."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "cartograph-benchmarks"


def node_packages() -> Path:
    """Return a folder with the packages of the Node server."""
    folder = cache_folder() / f"peers-{_mark(PEERS / 'package-lock.json')}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(PEERS / name, folder)
    if not (folder / "complete").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (folder / "complete").touch()
    return folder


def _mark(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
