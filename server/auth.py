"""Who asks: bearer tokens, the key of this machine's own user, and identity providers.

There are no cookies, so no page can make a browser write: a token must be put into a header, which
another origin may only do where CORS allows it. No token, whole or in part, is ever logged.
"""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

import anyio
import structlog

from kg.errors import Forbidden, TooManyAttempts, Unauthenticated
from kg.tokens import ROLES, TokenFile
from server.observability import Metrics
from server.settings import Settings

log = structlog.get_logger("cartograph.auth")
ADDRESSES = 10_000  # of failed attempts that are remembered
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, with which role, and how that is known: ``how`` is open, token, local or oidc."""

    name: str
    role: str | None
    how: str

    @property
    def author(self) -> str:
        """How the history names who made a change."""
        return f"{self.name} ({self.how})"

    def may(self, role: str) -> bool:
        """Whether this role or a higher one is held."""
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(role)

    def require(self, role: str, what: str) -> None:
        """Raise Unauthenticated or Forbidden where the role is not held."""
        if self.may(role):
            return
        if self.how == "open":
            raise Unauthenticated(
                f"{what} needs a token of role {role}: send `Authorization: Bearer …`. `kg token create --role {role} --name …` makes one."
            )
        held = f"has the role {self.role}" if self.role else "has no role here"
        raise Forbidden(f"{what} needs the role {role}; {self.name!r} {held}.")


ANYONE = Identity("anyone", None, "open")


class Provider(Protocol):
    """Something that knows who a token it issued belongs to."""

    def issued(self, token: str) -> bool:
        """Whether a token looks like one of its own."""

    def identity(self, token: str) -> Identity:
        """Return whose a token is; raises Unauthenticated for one that is not valid."""


class Authenticator:
    """Turns the headers of a request into an identity, and slows down those who guess."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        metrics: Metrics,
        *,
        local_key: str | None = None,
        provider: Provider | None = None,
    ) -> None:
        self.metrics = metrics
        self.tokens = TokenFile(folder)
        self.reads_need_token = settings.reads_need_token
        self.failures = Failures(settings.auth_failures, settings.auth_window_seconds)
        self._local_key = local_key
        self._provider = provider

    async def identify(self, authorization: str | None, client: str, author: str = "") -> Identity:
        """Return who sent an Authorization header; raises Unauthenticated or TooManyAttempts.

        ``author`` is who the local user says is writing; it counts only together with the local key.
        """
        if not authorization:
            return ANYONE
        self.failures.check(client)
        try:
            return await self._holder(authorization, author)
        except Unauthenticated as error:
            self.failures.add(client)
            self.metrics.refused_tokens.inc()
            log.warning("token_refused", client=client, reason=str(error))
            raise

    async def _holder(self, authorization: str, author: str) -> Identity:
        scheme, _, secret = authorization.partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret:
            raise Unauthenticated("The header Authorization must be `Bearer` and a token.")
        if self._local_key and hmac.compare_digest(secret.encode(), self._local_key.encode()):
            return Identity(unquote(author)[:100] or "user", "admin", LOCAL)
        if self._provider and self._provider.issued(secret):  # may have to fetch keys
            return await anyio.to_thread.run_sync(self._provider.identity, secret)
        return self._by_token(secret)

    def _by_token(self, secret: str) -> Identity:
        token, now = self.tokens.find(secret), datetime.now(UTC)
        if token is None:
            raise Unauthenticated("The token is not known here. `kg token list` shows which are.")
        state = token.state(now)
        if state != "active":
            raise Unauthenticated(f"The token {token.name!r} is {state}. Ask for a new one: `kg token create`.")
        return Identity(token.name, token.role, "token")

    def check_read(self, identity: Identity) -> None:
        """Raise Unauthenticated or Forbidden where reading is closed to an identity."""
        if self.reads_need_token:
            identity.require("reader", "Reading here")


class Failures:
    """Failed attempts by client address within a sliding window."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.seconds, self.clock = most, seconds, clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, client: str) -> None:
        """Count one failure."""
        times = self._times.setdefault(client, deque(maxlen=self.most))
        times.append(self.clock())
        self._times.move_to_end(client)
        while len(self._times) > ADDRESSES:
            self._times.popitem(last=False)

    def check(self, client: str) -> None:
        """Raise TooManyAttempts where a client has failed too often of late, whatever it sends now."""
        times = self._times.get(client)
        if times is None or len(times) < self.most:
            return
        left = times[0] + self.seconds - self.clock()
        if left > 0:
            error = TooManyAttempts("auth_failures", self.most, None, f"Try again in {int(left) + 1} seconds.")
            error.retry_after = int(left) + 1
            raise error
