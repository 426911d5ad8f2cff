"""GraphQL over HTTP, byte for byte where it matters; the official audits run beside this in test_audits.py."""

import gzip
import io
import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from kg import GraphService
from kg.graph import read_files
from server.app import Straight
from server.graphql import request as request_module
from server.observability import Lines
from tests.conftest import TINY

RESPONSE_JSON = "application/graphql-response+json"
VERSION = {"query": "{ version { number } }"}
Make = Callable[..., TestClient]


def post(client: TestClient, content: bytes, **headers: str):
    return client.post("/graphql", content=content, headers={"content-type": "application/json", **headers})


# ---------------------------------------------------------------- two ways
@pytest.mark.parametrize("accept", ["application/json", RESPONSE_JSON, "text/event-stream", "image/png", ""])
@pytest.mark.parametrize("encodings", ["gzip", "br", "identity", ""])
@pytest.mark.parametrize(
    "query",
    [
        "{ version { number } }",
        "{ a: diseases { nodes { id curie label iri } } b: diseases { edges { cursor node { id curie label synonyms iri } } } }",  # more than 1,000 bytes
        "{ nothing }",
        "subscription { nothing }",
        "mutation { nothing }",
        "{" + " version { number }" * 200 + "".join(f" a{i}: version {{ number }}" for i in range(200)) + "}",
    ],
)
def test_an_operation_by_post_is_answered_as_if_it_went_through_all_layers(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, accept: str, encodings: str, query: str
) -> None:
    def answer() -> tuple[int, list[tuple[str, str]], bytes]:
        request = client.build_request("POST", "/graphql", json={"query": query})
        for name, value in (("accept", accept), ("accept-encoding", encodings)):
            del request.headers[name]
            request.headers.update({name: value} if value else {})
        response = client.send(request)
        return response.status_code, [h for h in response.headers.multi_items() if h[0] != "x-request-id"], response.content  # fmt: skip

    straight = answer()
    assert query[2] != "a" or accept != "application/json" or len(gzip.compress(straight[2])) < 1_000 < len(straight[2])
    monkeypatch.setattr(Straight, "__call__", lambda self, *given: self.app(*given))
    assert answer() == straight


# ---------------------------------------------------------------- requests that cannot be run
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"query": "\xff"}', "not JSON"),
        (b"null", "must be a JSON object"),
        (b"[]", "Batches are not supported"),
        (b"{}", "parameter query is missing"),
        (b'{"query": 3}', "must be a string"),
        (b'{"query": "{x}", "variables": []}', "variables must be an object"),
        (b'{"query": "{x}", "operationName": {}}', "operationName must be a string"),
        (b"[" * 100_000, "nested more than 100"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "nested more than 100"),
    ],
)
def test_a_body_that_is_no_request_is_400_with_a_sentence(client: TestClient, content: bytes, said: str) -> None:
    response = post(client, content, accept=RESPONSE_JSON)
    assert response.status_code == 400
    (problem,) = response.json()["errors"]
    assert said in problem["message"]
    assert problem["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "type_",
    [
        "",
        "text/plain",
        "application/jsonfoo",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "multipart/form-data",
    ],
)
def test_only_json_in_utf_8_is_taken(client: TestClient, type_: str) -> None:
    response = client.post("/graphql", content=b'{"query": "{__typename}"}', headers={"content-type": type_})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_huge_body_is_413_whether_declared_or_not(make_client: Make) -> None:
    client = make_client(max_body_bytes=1_000)

    def stream():
        for _ in range(50):
            yield b" " * 100

    for content in (b" " * 1_001, stream()):
        response = client.post("/graphql", content=content, headers={"content-type": "application/json"})
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (413, "LIMIT_EXCEEDED")
    assert client.get("/health").status_code == 200


def test_a_huge_query_string_is_414(make_client: Make) -> None:
    assert (
        make_client(max_url_bytes=50).get("/graphql", params={"query": "{ version { number } }" + " " * 50}).status_code
        == 414
    )


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405_and_say_which_are_not(client: TestClient, method: str) -> None:
    response = client.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, POST")


def test_what_nobody_accepts_is_406(client: TestClient) -> None:
    response = client.post("/graphql", json=VERSION, headers={"accept": "application/xml"})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    ("accept", "media", "status"),
    [
        (RESPONSE_JSON, RESPONSE_JSON, 400),
        ("application/json", "application/json", 200),
        ("*/*", "application/json", 200),
        (f"application/json;q=0.5, {RESPONSE_JSON}", RESPONSE_JSON, 400),
        (f"{RESPONSE_JSON};q=0, application/json", "application/json", 200),
    ],
)
def test_a_refused_operation_is_400_only_for_who_can_tell_it_apart(
    client: TestClient, accept: str, media: str, status: int
) -> None:
    response = client.post("/graphql", json={"query": "{ nothing }"}, headers={"accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (status, f"{media}; charset=utf-8")
    assert "data" not in response.json()


@pytest.mark.parametrize(
    ("query", "name", "said"),
    [
        (
            "query A { version { number } } query B { version { tag } }",
            None,
            "has 2 operations; say with operationName",
        ),
        ("query A { version { number } }", "Nope", "no operation called 'Nope'. The document has A."),
        ("fragment F on Query { version { number } }", None, "no operation to run"),
        ("query ($x: Int!) { diseases(first: $x) { totalCount } }", None, "'$x'"),
        ("{ version", None, "Syntax Error"),
    ],
)
def test_an_operation_that_cannot_be_found_or_read_says_why(
    client: TestClient, query: str, name: str | None, said: str
) -> None:
    response = client.post("/graphql", json={"query": query, "operationName": name}, headers={"accept": RESPONSE_JSON})
    assert response.status_code == 400
    assert said in response.json()["errors"][0]["message"]


# ---------------------------------------------------------------- GET, caching, compression
def test_get_answers_queries_with_an_etag_of_the_graph_version(client: TestClient, service: GraphService) -> None:
    first = client.get("/graphql", params=VERSION)
    assert first.json()["data"] == {"version": {"number": 1}}
    etag = first.headers["etag"]
    again = client.get("/graphql", params=VERSION, headers={"if-none-match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    document = read_files([TINY])[0]
    document.triples = document.triples[:-1]
    service.store.load([document], message="shorter", author="test")
    service._catch_up()
    later = client.get("/graphql", params=VERSION, headers={"if-none-match": etag})
    assert (later.status_code, later.json()["data"]) == (200, {"version": {"number": 2}})
    assert later.headers["etag"] != etag


def test_get_takes_variables_and_bad_ones_are_400(client: TestClient) -> None:
    query = "query($n: Int) { diseases(first: $n) { nodes { label } } }"
    assert (
        len(
            client.get("/graphql", params={"query": query, "variables": '{"n": 1}'}).json()["data"]["diseases"]["nodes"]
        )
        == 1
    )
    assert client.get("/graphql", params={"query": query, "variables": "{"}).status_code == 400


def test_head_is_get_without_a_body(client: TestClient) -> None:
    response = client.head("/graphql", params=VERSION)
    assert response.status_code == 200
    assert "etag" in response.headers


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_long_answers_are_compressed(client: TestClient, encoding: str) -> None:
    body = {
        "query": "{ assertions(first: 100) { nodes { id subject { label } object { label } evidence { comment source { citation } } } } }"
    }
    response = client.post("/graphql", json=body, headers={"accept-encoding": encoding})
    assert response.headers["content-encoding"] == encoding
    assert len(response.json()["data"]["assertions"]["nodes"]) == 17


def test_answers_are_cached_until_the_version_changes(client: TestClient) -> None:
    body = {"query": "{ diseases { nodes { label } } }"}
    texts = [client.post("/graphql", json=body).content for _ in range(3)]
    assert len(set(texts)) == 1
    cache = client.app.state.endpoint.responses
    assert (cache.hits, len(cache)) == (2, 1)


def test_refused_and_failed_answers_are_not_cached(client: TestClient) -> None:
    for query in ("{ nothing }", '{ entity(curie: "x:y") { label } }'):
        client.post("/graphql", json={"query": query})
    assert len(client.app.state.endpoint.responses) == 0


# ---------------------------------------------------------------- around it
def test_cors_is_off_by_default_and_a_setting(client: TestClient, make_client: Make) -> None:
    origin = {"origin": "https://lab.example"}
    assert "access-control-allow-origin" not in client.post("/graphql", json=VERSION, headers=origin).headers
    allowed = make_client(cors_origins=("https://lab.example",))
    assert (
        allowed.post("/graphql", json=VERSION, headers=origin).headers["access-control-allow-origin"]
        == "https://lab.example"
    )
    assert (
        "access-control-allow-origin"
        not in allowed.post("/graphql", json=VERSION, headers={"origin": "https://evil.example"}).headers
    )
    preflight = {**origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    assert allowed.options("/graphql", headers=preflight).status_code == 200


def test_health_ready_metrics_and_request_ids(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json()["version"] == 1
    client.post("/graphql", json=VERSION)
    text = client.get("/metrics").text
    assert 'http_requests_total{method="POST",route="/graphql",status="200"} 1.0' in text
    assert "graph_entities 14.0" in text
    assert "response_cache_misses" in text
    assert client.get("/health", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert client.get("/health", headers={"x-request-id": "a b\x7f"}).headers["x-request-id"] != "a b\x7f"


def test_the_line_of_a_request_is_what_structlog_would_write() -> None:
    for path in ("/graphql", '/entity/"é\n\u2028'):
        stream = io.BytesIO()
        Lines(stream).write("POST", path, 200, 0.1, "abc-1")
        line = stream.getvalue().decode()
        known = {"method": "POST", "path": path, "status": 200, "ms": 0.1, "event": "request", "request_id": "abc-1"}
        event = {**known, "level": "info", "timestamp": json.loads(line)["timestamp"]}
        assert line == f"{structlog.processors.JSONRenderer()(None, 'info', event)}\n"
        assert datetime.fromisoformat(event["timestamp"]).utcoffset() == timedelta(0)


def test_an_unknown_page_is_404_in_the_same_shape(client: TestClient) -> None:
    response = client.get("/nope")
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


def test_the_sdl_is_served(client: TestClient) -> None:
    assert "type Query" in client.get("/schema.graphql").text


def test_browsers_get_a_page_and_others_do_not(client: TestClient, make_client: Make) -> None:
    html = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = client.get("/graphql", headers=html)
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get("/graphql").headers["content-type"].startswith("application/json")
    assert make_client(graphiql=False).get("/graphql", headers=html).status_code == 400
    assert "14 entities" in client.get("/", headers=html).text


def test_internal_errors_are_masked_and_numbered(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret db password=hunter2")

    monkeypatch.setattr(request_module.Request, "at", broken)
    response = client.post("/graphql", json=VERSION)
    (problem,) = response.json()["errors"]
    assert "hunter2" not in response.text
    assert problem["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert problem["extensions"]["errorId"] in problem["message"]
    assert problem["extensions"]["errorId"] in capsys.readouterr().out


def test_a_costly_query_does_not_block_the_others(make_client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs on a thread, so health answers while it works."""
    client = make_client(inline_cost=0, response_cache_bytes=0)
    original = request_module.Request.at
    monkeypatch.setattr(request_module.Request, "at", lambda self, day: (time.sleep(0.5), original(self, day))[1])
    with client:
        slow = threading.Thread(target=client.post, args=("/graphql",), kwargs={"json": VERSION})
        slow.start()
        time.sleep(0.1)
        started = time.perf_counter()
        assert client.get("/health").status_code == 200
        waited = time.perf_counter() - started
        slow.join()
    assert waited < 0.4


def test_an_operation_past_its_time_is_stopped(make_client: Make) -> None:
    response = make_client(request_seconds=0.0).post("/graphql", json={"query": "{ diseases { nodes { label } } }"})
    (problem,) = response.json()["errors"]
    assert (problem["extensions"]["code"], problem["extensions"]["limit"]) == ("LIMIT_EXCEEDED", "request_seconds")


def test_an_echoed_lone_surrogate_is_no_crash(client: TestClient) -> None:
    body = json.dumps({"query": "query($c: String!) { entity(curie: $c) { label } }", "variables": {"c": "\ud800"}})
    response = post(client, body.encode())
    assert response.status_code < 500
    assert "errors" in response.json()


def test_gzip_is_really_gzip(client: TestClient) -> None:
    with client.stream("GET", "/schema.graphql", headers={"accept-encoding": "gzip"}) as response:
        assert gzip.decompress(b"".join(response.iter_raw())).startswith(b'"""')
