"""``GET /export``: the bytes of ``kg export``, by version, with an ETag, closed where reading is."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from kg import GraphService
from kg.exporting import EXPORTS, export
from tests.server.writing import applied, token


@pytest.mark.parametrize("format_", list(EXPORTS))
def test_an_export_has_the_bytes_that_the_command_writes(
    client: TestClient, service: GraphService, format_: str
) -> None:
    response = client.get("/export", params={"format": format_})
    assert response.status_code == 200
    assert response.content == export(service.store, service.model, 1, format_)


def test_a_version_stays_the_same_when_others_follow(client: TestClient) -> None:
    before = client.get("/export", params={"at": 1})
    applied(client, token(client))
    assert client.get("/export", params={"at": 1}).content == before.content
    now = client.get("/export")
    assert now.content != before.content
    assert now.headers["etag"] != before.headers["etag"]
    assert client.get("/export", headers={"if-none-match": now.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"format": "csv"}, 400, "must be one of nq"),
        ({"at": "9"}, 404, "versions 1 to 1"),
        ({"at": "-1"}, 400, "0 or more"),
        ({"version": "1"}, 400, "no parameter 'version'"),
    ],
)
def test_what_cannot_be_exported_is_said(client: TestClient, asked: dict[str, str], status: int, said: str) -> None:
    response = client.get("/export", params=asked)
    assert response.status_code == status
    assert said in response.json()["errors"][0]["message"]


def test_where_reading_is_closed_so_is_the_export(make_client: Callable[..., TestClient]) -> None:
    closed = make_client(reads_need_token=True)
    assert closed.get("/export").status_code == 401
    assert closed.get("/export", headers=token(closed, "reader")).status_code == 200
