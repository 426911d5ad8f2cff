"""Tokens of an identity provider: JWTs checked against its published keys (OpenID Connect).

Optional: ``pip install 'cartograph-kg[oidc]'`` brings PyJWT. Only asymmetric algorithms are accepted;
issuer, audience, subject and expiry must be there and right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from kg.errors import BadInput, Unauthenticated
from kg.tokens import ROLES
from server.auth import Identity
from server.settings import Settings

log = structlog.get_logger("cartograph.auth")
try:
    import jwt
except ImportError:  # the extra is not installed
    jwt = None  # type: ignore[assignment]

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY = 30  # seconds that clocks may differ
FETCH_SECONDS = 5


def provider(settings: Settings) -> Provider | None:
    """Return the provider the settings name, or None; raises BadInput for settings that do not fit together."""
    given = {name: getattr(settings, f"oidc_{name}") for name in ("issuer", "audience", "jwks")}
    if not any(given.values()):
        return None
    missing = [f"KG_OIDC_{name.upper()}" for name, value in given.items() if not value]
    if missing:
        raise BadInput(f"An identity provider also needs {' and '.join(missing)}.")
    if jwt is None:
        raise BadInput("The KG_OIDC settings need PyJWT: pip install 'cartograph-kg[oidc]'.")
    return Provider(settings)


class Provider:
    """Checks the JWTs of one issuer."""

    def __init__(self, settings: Settings) -> None:
        self.issuer, self.audience = settings.oidc_issuer, settings.oidc_audience
        self.role_claim, self.name_claim = settings.oidc_role_claim, settings.oidc_name_claim
        self.roles = dict(_pair(row) for row in settings.oidc_roles) or {role: role for role in ROLES}
        self.keys = _keys(settings.oidc_jwks)

    def issued(self, token: str) -> bool:
        """Whether a token has the shape of a JWT."""
        return token.count(".") == 2

    def identity(self, token: str) -> Identity:
        """Return whose a token is; raises Unauthenticated, saying what is wrong, where it is not valid."""
        try:
            key = self.keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self.audience,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"The identity provider's token is not valid: {_said(error)}.") from error
        name = claims.get(self.name_claim) or claims["sub"]
        return Identity(str(name)[:100], self.role(claims), "oidc")

    def role(self, claims: dict[str, Any]) -> str | None:
        """Return the highest role that the claims give, if any; a dot in the claim's name goes one level down."""
        value: Any = claims
        for part in self.role_claim.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        values = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
        held = {self.roles[v] for v in values if isinstance(v, str) and v in self.roles}
        return max(held, key=ROLES.index, default=None)


def _said(error: Exception) -> str:
    """Return PyJWT's reason without anything of the token in it."""
    known = {
        "PyJWKClientConnectionError": "the keys to check it with cannot be fetched",
        "PyJWKClientError": "none of the keys fits it",
        "InvalidSignatureError": "its signature is wrong",
        "InvalidAlgorithmError": "its algorithm is not accepted here",
        "DecodeError": "it cannot be read",
    }
    return known.get(type(error).__name__, str(error)[:200].rstrip("."))


def _pair(row: str) -> tuple[str, str]:
    value, _, role = row.rpartition("=")
    if not value or role not in ROLES:
        raise BadInput(f"KG_OIDC_ROLES has {row!r}; write value=role, with one of the roles {', '.join(ROLES)}.")
    return value, role


def _keys(place: str) -> Any:
    url = urlsplit(place)
    if url.scheme not in {"http", "https"}:
        return _KeyFile(Path(place))
    if url.scheme == "http" and url.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise BadInput(f"KG_OIDC_JWKS is {place!r}; keys are only fetched over https.")
    return jwt.PyJWKClient(place, cache_keys=True, lifespan=300, timeout=FETCH_SECONDS)


class _KeyFile:
    """A JWKS in a file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._load()

    def _load(self) -> None:
        try:
            stat = self.path.stat()
            if (stat.st_mtime_ns, stat.st_size) != self._seen:
                self._set = jwt.PyJWKSet.from_json(self.path.read_text(encoding="utf-8"))
                self._seen = (stat.st_mtime_ns, stat.st_size)
        except (OSError, ValueError, jwt.PyJWTError) as error:
            if self._seen is not None:  # half written, say: the keys known so far stay good
                log.error("jwks_unreadable", path=str(self.path), error=type(error).__name__)
                return
            raise BadInput(
                f"KG_OIDC_JWKS names {self.path}, which holds no key set ({type(error).__name__})."
            ) from error

    def get_signing_key_from_jwt(self, token: str) -> Any:
        """Return the key that a token names."""
        self._load()
        name = jwt.get_unverified_header(token).get("kid")
        keys = [key for key in self._set.keys if name is None or key.key_id == name]
        if not keys:
            raise jwt.PyJWKClientError("no key fits")
        return keys[0]
