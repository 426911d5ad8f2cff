"""Bearer tokens of a data folder: who may read, write and administer.

``tokens.json`` (mode 0600) holds names, roles, dates and the SHA-256 of each secret, never a secret.
A secret is 32 random bytes, so a plain hash is enough: there is nothing to guess that a slow hash
would protect. A name is used once, also after it was revoked, so that the history stays unambiguous.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from kg.errors import BadInput, NearMatch, NotFound, StoreDamaged

ROLES = ("reader", "curator", "admin")  # each may do what the ones before it may
PREFIX = "kgt_"  # lets scanners for leaked secrets find one
NAME = re.compile(r"[\w.@+-][\w.@+ -]{0,62}[\w.@+-]|[\w.@+-]")
_SPAN = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: what it is called and may do, the hash of its secret, and its dates."""

    name: str
    role: str
    hash: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def state(self, now: datetime) -> str:
        """Return active, expired or revoked."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= now else "active"


class TokenFile:
    """The tokens of a data folder; what another process changed is seen at the next look."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tokens.json"
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._tokens: tuple[Token, ...] = ()

    def all(self) -> Sequence[Token]:
        """Return every token ever made, oldest first; raises StoreDamaged for a file that cannot be read."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return ()
        signature = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        with self._lock:
            if signature != self._seen:
                self._tokens, self._seen = _read(self.path), signature
            return self._tokens

    def find(self, secret: str) -> Token | None:
        """Return the token with a secret, whatever its state; the time taken does not tell how near a guess was."""
        digest = _hash(secret)
        found = None
        for token in self.all():
            if hmac.compare_digest(token.hash, digest):
                found = token
        return found

    def create(self, name: str, role: str, expires: datetime | None = None, now: datetime | None = None) -> str:
        """Make a token and return its secret, which is kept nowhere."""
        now = now or datetime.now(UTC)
        if not NAME.fullmatch(name):
            raise BadInput(f"{name!r} is no name for a token: use up to 64 letters, digits, spaces and . _ @ + -")
        if role not in ROLES:
            raise BadInput(f"{role!r} is no role; roles are {', '.join(ROLES)}.")
        if expires and expires <= now:
            raise BadInput(f"The token would expire on {expires:%Y-%m-%d %H:%M} UTC, which is past.")
        secret = PREFIX + secrets.token_urlsafe(32)
        with self._changing() as tokens:
            if any(token.name == name for token in tokens):
                raise BadInput(f"There is or was a token called {name!r}; names are used once. Choose another.")
            tokens.append(Token(name, role, _hash(secret), now.replace(microsecond=0), expires))
        return secret

    def revoke(self, name: str, now: datetime | None = None) -> Token:
        """Make a token useless from now on; it stays in the list."""
        now = (now or datetime.now(UTC)).replace(microsecond=0)
        with self._changing() as tokens:
            for position, token in enumerate(tokens):
                if token.name == name:
                    tokens[position] = replace(token, revoked=token.revoked or now)
                    return tokens[position]
            known = [NearMatch(token.name, "") for token in tokens if not token.revoked][:5]
            raise NotFound("token", name, known, "" if known else "There are none yet: `kg token create`.")

    @contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        """Let one process at a time change the list; written whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (self.path.parent / "tokens.lock").open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tokens = list(self.all())
            yield tokens
            write_private(self.path, json.dumps({"tokens": [_row(t) for t in tokens]}, indent=2) + "\n")


def parse_expiry(text: str, now: datetime | None = None) -> datetime:
    """Return the moment ``90d``, ``12h``, ``4w`` or ``2027-01-31`` (the end of that day, UTC) stands for."""
    now = now or datetime.now(UTC)
    span = _SPAN.fullmatch(text.strip())
    try:
        if span:
            return (now + int(span[1]) * _UNITS[span[2]]).replace(microsecond=0)
        return datetime.combine(date.fromisoformat(text.strip()) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{text!r} is no expiry; write 90d, 12h, 4w or a date such as 2027-01-31.") from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all, and make sure it is on disk."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _row(token: Token) -> dict[str, Any]:
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in asdict(token).items()}


def _read(path: Path) -> tuple[Token, ...]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["tokens"]
        return tuple(_token(row) for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreDamaged(
            f"{path} cannot be read ({type(error).__name__}). Restore it from a backup, or delete it and make new tokens."
        ) from error


def _token(row: dict[str, Any]) -> Token:
    dates = {name: datetime.fromisoformat(row[name]) if row.get(name) else None for name in ("expires", "revoked")}
    if row["role"] not in ROLES:
        raise ValueError(row["role"])
    return Token(str(row["name"]), row["role"], str(row["hash"]), datetime.fromisoformat(row["created"]), **dates)
