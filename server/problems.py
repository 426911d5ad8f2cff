"""What is said when there is nothing to say: no such address, no such method, or a fault of ours; as a page or as JSON."""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.answers import depth
from server.graphql.errors import request_error
from server.graphql.http import prefers_html
from server.pages import Site

log = structlog.get_logger("cartograph")
KNOWN = "/, /search, /kind/…, /entity/…, /explore/paths, /explore/hypotheses, /explore/history, /view.svg, /paths.svg, /embed/v1/…, /graphql, /schema.graphql, /health, /ready and /metrics"


class Problems:
    """The application's exception handlers."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def http(self, request: Request, error: Exception) -> Response:
        """Answer a request that no route takes."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = str(error.detail) if isinstance(error, HTTPException) else "Internal error"
        code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(status, "BAD_USER_INPUT")
        hint = f" The service has {KNOWN}." if status == 404 else ""
        return self._said(
            request, f"{detail[:1]}{detail[1:].lower()}.{hint}", code, status, getattr(error, "headers", None)
        )

    async def fault(self, request: Request, error: Exception) -> Response:
        """Answer a request that we failed at, without saying how; the log has that."""
        log.error("unhandled", exc_info=error)
        said = "Something went wrong here; the log has it. Try again, and tell whoever runs this service if it stays."
        return self._said(request, said, "INTERNAL_SERVER_ERROR", 500, None)

    def _said(self, request: Request, said: str, code: str, status: int, headers: dict[str, str] | None) -> Response:
        if not prefers_html(request.headers.get("accept", "")):
            return JSONResponse(request_error(said, code), status, headers=headers)
        title = "Not found" if status == 404 else "That does not work"
        page = self.site.render("problem.html", up="../" * depth(request), title=title, message=said, near=())
        return Response(page.body, status, {**(headers or {}), **page.headers}, "text/html; charset=utf-8")
