"""What takes minutes to tally of a snapshot, as files in its folder: made once, mapped by whoever serves the snapshot.

A file is one array of numbers behind its checksum. Its name is a hash of what was asked, of the snapshot and of the
code that answered, so that one of another version is not found; one that is not whole is not used. It comes whole or
not at all, and goes with the snapshot.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import zlib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 256_000_000  # about 20 questions, with Hetionet
PREFIX = "tally-"
MADE_BY = ("elimination", "matrices", "metapaths", "nulls", "permutation", "tallies")

Array = NDArray[np.float64]


class Beside:
    """The folder of a snapshot, once it has one, with the arrays that are kept in it.

    All of them together take up to ``most_bytes``: those written longest ago make room. With 0 they are only read.
    """

    def __init__(self) -> None:
        self.most_bytes = 0
        self._folder: Path | None = None
        self._mark = b""

    def at(self, folder: Path, about: Mapping[str, Any], most_bytes: int) -> None:
        """Say where the snapshot is, and what its folder says of itself; what was kept where it was before comes along."""
        mark = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).digest()  # with the checksum of every file
        before = self._folder, self._mark
        self._folder, self._mark, self.most_bytes = folder, mark, most_bytes
        if before[0] is not None and before[1] == mark:
            for path in before[0].glob(f"{PREFIX}*.npy"):
                with suppress(OSError):
                    shutil.copy2(path, folder)

    def read(self, question: str) -> Array | None:
        """Return the array kept for a question, mapped, or None where there is none that is whole."""
        if self._folder is None:
            return None
        try:
            found: Array = np.load(self._path(self._folder, question), mmap_mode="r", allow_pickle=False)
            found = found.view(np.ndarray)
            if found.dtype == np.float64 and found.ndim == 1 and found[0] == zlib.crc32(found[1:].data):
                return found[1:]
        except (OSError, ValueError, EOFError, IndexError):
            pass
        return None

    def write(self, question: str, array: Array) -> None:
        """Keep an array, where it has room and the disk takes it; nobody depends on it."""
        if self._folder is None or array.nbytes > self.most_bytes:
            return
        path = self._path(self._folder, question)
        temporary = path.with_suffix(f".{secrets.token_hex(4)}")
        try:
            with temporary.open("xb") as file:
                np.save(file, np.concatenate([[zlib.crc32(array.data)], array]), allow_pickle=False)
            temporary.replace(path)
            self._make_room(self._folder)
        except OSError:  # a full disk, a folder of somebody else's, or one that is gone with its version
            with suppress(OSError):
                temporary.unlink()

    def _make_room(self, folder: Path) -> None:
        """Remove what was written longest ago, and what was never finished, until the rest fits."""
        files = sorted(
            ((s.st_mtime_ns, s.st_size, p) for p in folder.glob(f"{PREFIX}*") for s in [p.stat()]), reverse=True
        )
        total = 0
        for _, size, path in files:
            total += size
            if total > self.most_bytes:
                path.unlink(missing_ok=True)

    def _path(self, folder: Path, question: str) -> Path:
        name = hashlib.sha256(b"\0".join((_code(), self._mark, question.encode()))).hexdigest()[:24]
        return folder / f"{PREFIX}{name}.npy"


@cache
def _code() -> bytes:
    """A hash of the code that tallies: numbers that other code worked out are not served."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / f"{name}.py").read_bytes() for name in MADE_BY)).digest()
