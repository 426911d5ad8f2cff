"""Tokens of an identity provider: JWTs that are right in everything, or nothing."""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from starlette.testclient import TestClient

from kg.errors import BadInput, Unauthenticated
from server import oidc
from server.settings import Settings
from tests.server.writing import APPLY, change, code, post

jwt = pytest.importorskip("jwt")
rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")

ISSUER, AUDIENCE = "https://id.example", "cartograph"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_set(key: Any = KEY, name: str = "k1") -> str:
    row = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return json.dumps({"keys": [{**row, "kid": name, "use": "sig", "alg": "RS256"}]})


def signed(key: Any = KEY, algorithm: str = "RS256", kid: str = "k1", drop: str = "", **claims: Any) -> str:
    now = int(time.time())
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u1",
        "exp": now + 3_600,
        "iat": now,
        "roles": ["curator"],
        **claims,
    }
    given.pop(drop, None)
    text: str = jwt.encode(given, key, algorithm=algorithm, headers={"kid": kid})
    return text


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    (tmp_path / "jwks.json").write_text(key_set(), encoding="utf-8")

    def made(**given: Any) -> dict[str, Any]:
        return {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_jwks": str(tmp_path / "jwks.json"), **given}

    return made


@pytest.fixture
def identity(settings: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    def identity(token: str, **given: Any) -> Any:
        provider = oidc.provider(Settings(**settings(**given)))
        assert provider is not None
        return provider.identity(token)

    return identity


# ---------------------------------------------------------------- the service
def test_a_jwt_of_the_provider_writes_under_its_users_name(
    make_client: Callable[..., TestClient], settings: Callable[..., dict[str, Any]]
) -> None:
    client = make_client(**settings())
    headers = {"authorization": f"Bearer {signed(preferred_username='zoe')}"}
    payload = post(client, APPLY, change(), headers).json()["data"]["applyChanges"]
    assert payload["changeSet"]["author"] == "zoe (oidc)"
    for roles, wanted in ((["reader"], "FORBIDDEN"), ([], "FORBIDDEN")):
        response = post(client, APPLY, change(), {"authorization": f"Bearer {signed(roles=roles)}"})
        assert (response.status_code, code(response)) == (403, wanted)
    bad = post(client, APPLY, change(), {"authorization": f"Bearer {signed(OTHER)}"})
    assert (bad.status_code, code(bad)) == (401, "UNAUTHENTICATED")


# ---------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("token", "said"),
    [
        (signed(OTHER), "signature is wrong"),
        (signed(exp=int(time.time()) - 3_600), "expired"),
        (signed(iss="https://evil.example"), "issuer"),
        (signed(aud="another"), "Audience"),
        (signed(drop="exp"), "exp"),
        (signed(drop="sub"), "sub"),
        (signed(drop="aud"), "aud"),
        (signed(kid="unknown"), "none of the keys fits"),
        (signed("x" * 64, "HS256"), "algorithm"),
        ("a.b.c", "cannot be read"),
        ("..", "cannot be read"),
        (
            jwt.encode({"sub": "u", "roles": ["admin"]}, None, algorithm="none"),
            "none of the keys|algorithm|cannot be read",
        ),
    ],
)
def test_a_jwt_that_is_not_right_in_everything_is_refused(identity: Callable[..., Any], token: str, said: str) -> None:
    with pytest.raises(Unauthenticated, match=f"(?i){said}"):
        identity(token)


def test_no_part_of_a_refused_jwt_is_in_the_reason(identity: Callable[..., Any]) -> None:
    token = signed(OTHER)
    with pytest.raises(Unauthenticated) as caught:
        identity(token)
    assert all(part not in str(caught.value) for part in token.split("."))


# ---------------------------------------------------------------- roles
@pytest.mark.parametrize(
    ("claims", "given", "role"),
    [
        ({"roles": ["reader", "admin"]}, {}, "admin"),
        ({"roles": "reader curator"}, {}, "curator"),
        ({"roles": ["staff"]}, {}, None),
        ({"roles": ["staff"]}, {"oidc_roles": ("staff=curator", "it=admin")}, "curator"),
        ({"roles": ["admin"]}, {"oidc_roles": ("staff=curator",)}, None),
        ({"roles": 3}, {}, None),
        ({"roles": [["admin"]]}, {}, None),
        ({"realm_access": {"roles": ["curator"]}}, {"oidc_role_claim": "realm_access.roles"}, "curator"),
        ({"realm_access": 1}, {"oidc_role_claim": "realm_access.roles"}, None),
    ],
)
def test_claims_become_the_highest_role_they_give(
    identity: Callable[..., Any], claims: dict[str, Any], given: dict[str, Any], role: str | None
) -> None:
    assert identity(signed(**claims), **given).role == role


def test_without_a_name_the_subject_is_the_author(identity: Callable[..., Any]) -> None:
    assert identity(signed()).author == "u1 (oidc)"


# ---------------------------------------------------------------- keys and settings
def test_keys_in_a_file_may_be_exchanged_while_running(tmp_path: Path, settings: Callable[..., dict[str, Any]]) -> None:
    provider = oidc.provider(Settings(**settings()))
    assert provider is not None
    (tmp_path / "jwks.json").write_text(key_set(OTHER, "k2") + " ", encoding="utf-8")
    assert provider.identity(signed(OTHER, kid="k2")).role == "curator"
    (tmp_path / "jwks.json").write_text("{", encoding="utf-8")
    assert provider.identity(signed(OTHER, kid="k2")).role == "curator", "half a file leaves the keys as they were"


@pytest.fixture
def served() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = key_set().encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/jwks"
    server.shutdown()
    server.server_close()


def test_keys_are_fetched_from_an_address(served: str, identity: Callable[..., Any]) -> None:
    assert identity(signed(), oidc_jwks=served).role == "curator"


def test_keys_that_cannot_be_fetched_refuse_and_say_so(identity: Callable[..., Any]) -> None:
    with pytest.raises(Unauthenticated, match="cannot be fetched"):
        identity(signed(), oidc_jwks="http://127.0.0.1:9/jwks")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"oidc_audience": ""}, "KG_OIDC_AUDIENCE"),
        ({"oidc_jwks": "http://keys.example/jwks"}, "only fetched over https"),
        ({"oidc_jwks": "/nowhere"}, "holds no key set"),
        ({"oidc_roles": ("staff",)}, "value=role"),
        ({"oidc_roles": ("staff=root",)}, "value=role"),
    ],
)
def test_settings_that_do_not_fit_together_stop_the_start(
    settings: Callable[..., dict[str, Any]], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        oidc.provider(Settings(**settings(**given)))


def test_without_the_extra_the_sentence_says_what_to_install(
    settings: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "jwt", None)
    assert oidc.provider(Settings()) is None
    with pytest.raises(BadInput, match="pip install"):
        oidc.provider(Settings(**settings()))
