"""GraphQL errors as clients see them: what they did wrong in full, what we did wrong by its number."""

from __future__ import annotations

import uuid
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLFormattedError, GraphQLSyntaxError

from kg.errors import KGError

log = structlog.get_logger("cartograph.graphql")


def formatted(error: GraphQLError) -> GraphQLFormattedError:
    """Return the error as it goes over the wire; one that nobody meant is masked and logged under an id."""
    cause = _cause(error)
    if isinstance(cause, KGError):
        return {**error.formatted, "message": str(cause), "extensions": cause.extensions}
    if cause is None:
        code = "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
        return {**error.formatted, "extensions": {"code": code, **(error.extensions or {})}}
    if isinstance(cause, ValueError | TypeError) and error.path is None:
        return {**error.formatted, "extensions": {"code": "BAD_USER_INPUT"}}
    return {**error.formatted, **_masked(cause, error.path)}  # type: ignore[typeddict-item]


def problem(error: BaseException) -> dict[str, Any]:
    """Return an error that ended an operation as it goes over the wire, masked unless it was raised on purpose."""
    if isinstance(error, KGError):
        return {"message": str(error), "extensions": error.extensions}
    return _masked(error, None)


def _masked(cause: BaseException, path: Any) -> dict[str, Any]:
    number = uuid.uuid4().hex[:12]
    log.error("internal_error", error_id=number, path=path, exc_info=cause)
    return {
        "message": f"Something went wrong here; the log has it under {number}.",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "errorId": number},
    }


def _cause(error: GraphQLError) -> BaseException | None:
    """Return the exception behind an error, through as many wrappings as there are; None for GraphQL's own."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def request_error(message: str, code: str, **extensions: Any) -> dict[str, Any]:
    """Return the body of an answer to a request that was never executed."""
    return {"errors": [{"message": message, "extensions": {"code": code, **extensions}}]}
