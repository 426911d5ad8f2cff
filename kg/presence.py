"""How commands on the same machine find the service that holds a data folder.

While it runs, the service keeps ``service.json`` (where it listens, its process id) and ``service.key``
(mode 0600: a secret made for this run) in the data folder. Whoever can read the key is the same user,
who could stop the service and write to the store anyway, so the key writes with the role admin.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kg.errors import StoreError
from kg.tokens import write_private

PLACE, KEY = "service.json", "service.key"


@dataclass(frozen=True, slots=True)
class Presence:
    """A running service: where it is reached, its process, and the key that lets its own user write."""

    url: str
    pid: int
    key: str


@contextmanager
def announced(folder: Path, url: str) -> Iterator[Presence]:
    """Say in a data folder that this process serves it, until the block is left; raises StoreError where it cannot."""
    presence = Presence(url, os.getpid(), secrets.token_urlsafe(32))
    said = {"url": url, "pid": presence.pid, "started": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        write_private(folder / KEY, presence.key)  # first, so that whoever finds the place also finds its key
        write_private(folder / PLACE, json.dumps(said) + "\n")
    except OSError as error:
        raise StoreError(
            f"The service cannot say in {folder} that it runs ({error}). Free some space or mend the folder's rights."
        ) from error
    try:
        yield presence
    finally:
        for name in (PLACE, KEY):
            (folder / name).unlink(missing_ok=True)


def find(folder: Path) -> Presence | None:
    """Return the service that says it serves a data folder, or None where none does or its process is gone."""
    try:
        said = json.loads((folder / PLACE).read_text(encoding="utf-8"))
        presence = Presence(str(said["url"]), int(said["pid"]), (folder / KEY).read_text(encoding="utf-8").strip())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return presence if _runs(presence.pid) else None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
