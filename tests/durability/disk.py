"""A disk that fails when told to, and loses what was not synced when the power is cut (shim.c)."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

WAYS = ("names kept", "names lost", "some data kept")
_SOURCE = Path(__file__).with_name("shim.c")


def compile_shim(folder: Path) -> Path:
    """Compile the shim; skips the test where there is no gcc, or it does not work here."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("no gcc to compile the shim with")
    library = folder / "shim.so"
    done = subprocess.run(
        [gcc, "-O1", "-shared", "-fPIC", "-o", str(library), str(_SOURCE), "-ldl", "-lpthread"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"the shim does not compile here: {done.stderr[:200]}")
    return library


class Disk:
    """Files under a data folder, of which only what was synced is safe."""

    def __init__(self, shim: Path, folder: Path) -> None:
        self.shim, self.data, self.safe = shim, folder / "data", folder / "safe"
        self.data.mkdir()

    def begin(self) -> dict[str, str]:
        """Take what is there as safe, and return the environment for a process that writes."""
        shutil.rmtree(self.safe, ignore_errors=True)
        self.safe.mkdir()
        for path in (self.data, *self.data.rglob("*")):
            kept = self.safe / str(path.stat().st_ino)
            if path.is_dir():
                kept.write_text("".join(f"{child.stat().st_ino} {child.name}\n" for child in path.iterdir()))
            else:
                shutil.copyfile(path, kept)
                os.link(path, f"{kept}.inode")
        return {"LD_PRELOAD": str(self.shim), "SHIM_DATA": str(self.data), "SHIM_SAFE": str(self.safe)}

    def cut(self, target: Path, way: str, chance: random.Random) -> Path:
        """Put together what a power cut may leave, in a new folder.

        ``names kept``: new names survive, but of the data only what was synced; ``names lost``: names,
        too, are those of the last sync of their folder; ``some data kept``: parts of what was not synced
        happen to be there.
        """
        target.mkdir()
        for inode, name, path in self._entries(self.data, way):
            kept = self.safe / inode
            if path.is_dir() and name == "graph":
                (target / name).mkdir()
                for inner, file, inner_path in self._entries(path, way):
                    (target / name / file).write_bytes(self._data(self.safe / inner, inner_path, way, chance))
            elif not path.is_dir():
                (target / name).write_bytes(self._data(kept, path, way, chance))
        return target

    def _entries(self, folder: Path, way: str) -> Iterator[tuple[str, str, Path]]:
        if way == "names lost":
            listing = self.safe / str(folder.stat().st_ino)
            lines = listing.read_text().splitlines() if listing.exists() else []
            yield from ((*line.split(" ", 1), folder / line.split(" ", 1)[1]) for line in lines)  # type: ignore[misc]
        else:
            yield from ((str(path.stat().st_ino), path.name, path) for path in sorted(folder.iterdir()))

    def _data(self, kept: Path, path: Path, way: str, chance: random.Random) -> bytes:
        safe = kept.read_bytes() if kept.exists() else b""
        if way != "some data kept" or not path.exists() or chance.random() < 0.5:
            return safe
        now = path.read_bytes()
        return now[: chance.randint(len(safe), len(now))] if now[: len(safe)] == safe and len(now) > len(safe) else safe


# ---------------------------------------------------------------- real file systems
@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[Path]:
    """Mount something, and skip the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not possible here: {done.stderr.strip()[:100]}")
    try:
        yield folder
    finally:
        if subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode:
            subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Give a disk of so many megabytes."""
    with mounted(folder, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs") as disk:
        yield disk


def make_ext4(image: Path, megabytes: int) -> Path:
    """Make an image of an ext4 file system; skips the test where that is not possible."""
    if os.geteuid() or not shutil.which("mkfs.ext4"):
        pytest.skip("a loop mount needs root and mkfs.ext4")
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    return image
