"""Asking the process that writes for what only it can do: change the graph, and tell its versions apart.

With several workers one of them holds the store; the others answer from published snapshots and send it the rest, as
plain HTTP to the address that it announces in the data folder (``kg.presence``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import orjson
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from kg.errors import WriterGone
from kg.presence import find
from server.graphql.execution import Answer, Prepared
from server.graphql.http import AUTHOR, RESPONSE_JSON
from server.graphql.running import Caller

GONE = (
    "The process that writes is not there now, and is being started again; reading goes on. Try again in a few seconds."
)
CUT = (
    "The process that writes went away in the middle. If this was a change, the history shows whether it was made, and "
    "sending it again under the same clientChangeId is safe. Try again in a few seconds."
)
RELAYED = ("content-type", "content-disposition", "etag", "cache-control", "vary", "retry-after", "www-authenticate")
CONNECT_SECONDS = 5.0


class Forwarder:
    """Sends requests to the process that holds the store of a data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._client = httpx2.AsyncClient(timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS), trust_env=False)

    async def answer(self, prepared: Prepared, variables: Mapping[str, Any], caller: Caller) -> Answer:
        """Return the writer's answer to an operation; raises WriterGone where there is none."""
        asked = {"query": prepared.text, "variables": variables, "operationName": prepared.name}
        headers = {
            **_who(caller.authorization, caller.client),
            AUTHOR.decode(): caller.author,
            "content-type": "application/json",
            "accept": RESPONSE_JSON,
        }
        response = await self._send("POST", "/graphql", headers, orjson.dumps(asked))
        body = await self._read(response)
        try:
            errors = bool(orjson.loads(body).get("errors"))
        except (ValueError, AttributeError) as error:
            raise WriterGone(GONE) from error
        status = response.status_code
        return Answer(body, status == 200, errors, "forwarded", status=None if status in {200, 400} else status)

    async def relay(self, request: Request) -> Response:
        """Return the writer's answer to a GET, passed on as it comes; raises WriterGone where there is none."""
        client = request.client.host if request.client else ""
        headers = _who(request.headers.get("authorization"), client)
        if "if-none-match" in request.headers:
            headers["if-none-match"] = request.headers["if-none-match"]
        target = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        response = await self._send(request.method, target, headers)
        passed = {name: response.headers[name] for name in RELAYED if name in response.headers}
        return StreamingResponse(
            response.aiter_bytes(), response.status_code, passed, background=BackgroundTask(response.aclose)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _send(self, method: str, target: str, headers: dict[str, str], content: bytes = b"") -> httpx2.Response:
        presence = find(self.data)
        if presence is None:
            raise WriterGone(GONE)
        url = presence.url.removesuffix("/graphql") + target
        request = self._client.build_request(method, url, headers=headers, content=content)
        try:
            return await self._client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise WriterGone(GONE) from error
        except httpx2.TransportError as error:
            raise WriterGone(CUT) from error

    @staticmethod
    async def _read(response: httpx2.Response) -> bytes:
        try:
            return await response.aread()
        except httpx2.TransportError as error:
            raise WriterGone(CUT) from error
        finally:
            await response.aclose()


def _who(authorization: str | None, client: str) -> dict[str, str]:
    """Return the headers that say on whose behalf a request is sent; the writer trusts them from this machine only."""
    return {"x-forwarded-for": client, **({"authorization": authorization} if authorization else {})}
