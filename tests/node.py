"""Packages from npm for tests, installed once for each lock file, outside the repository."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest


def cannot(reason: str) -> NoReturn:
    """Skip because this machine lacks something; in CI nothing may be lacking, so fail."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} In CI this must run.")
    pytest.skip(reason)


def installed(source: Path) -> Path:
    """Return a folder with the packages that a folder's lock file names, and that folder's scripts."""
    if not (shutil.which("node") and shutil.which("npm")):
        cannot("No node and npm on PATH; install Node.js 20 or newer.")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cartograph-tests"
    digest = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = base / f"{source.name}-{digest}"
    if not (folder / "complete").exists():
        base.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{source.name}-", dir=base))
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(source / name, fresh)
        done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=fresh, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(fresh)
            cannot(f"npm ci could not install what {source.name} needs: {done.stderr.strip()[-500:]}")
        (fresh / "complete").touch()
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)
    for script in source.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder
