"""The ``replay`` query: what became of an answer that somebody cited."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import strawberry

from kg.errors import NotFound
from server.citations import Replay
from server.graphql.members import fill, listed, make_enum, member
from server.graphql.request import Request


def replay_field() -> Any:
    """Return the ``replay`` query."""
    verdict = make_enum(
        "ReplayVerdict",
        [
            ("SAME", "The same question has the same answer now."),
            ("CHANGED", "It has another answer, but every edge it rested on is still there."),
            ("UNSUPPORTED", "An edge that it rested on is gone."),
        ],
        "What became of an answer.",
    )
    change = {
        "assertion": member(strawberry.ID, "CURIE of the assertion."),
        "text": member(str, "The assertion in words."),
        "before": member(float | None, "Its confidence then; null where the answer did not rest on it."),
        "after": member(float | None, "Its confidence now; null where it is no edge any more."),
    }
    change_type = strawberry.type(
        fill(type("EdgeChange", (), {}), change), name="EdgeChange", description="An edge that differs from then."
    )

    def made(self: Replay) -> datetime:
        return datetime.fromtimestamp(self.citation.made, UTC)

    members = {
        "answer": member(strawberry.ID, "The answer's id.", lambda self: self.citation.id),
        "verdict": member(verdict, "What became of it."),
        "text": member(str, "The verdict in words."),
        "made": member(datetime, "When the answer was made.", made),
        "made_at_version": member(
            int, "Version of the graph then.", lambda self: self.citation.version, name="madeAtVersion"
        ),
        "version": member(int, "Version of the graph now."),
        "query": member(str, "The operation that was asked.", lambda self: self.citation.query),
        "edges": member(listed(change_type), "The edges that differ, those that are gone first."),
    }
    type_ = strawberry.type(
        fill(type("Replay", (), {}), members), name="Replay", description="What became of an answer since it was made."
    )

    def replay(self: Request, answer: strawberry.ID) -> Replay:
        if self.replay is None:
            raise NotFound("kept answer", str(answer))
        return self.replay(str(answer))

    return member(
        type_,
        "Ask a search's question again, by the id in `extensions.graph.answer`: same, changed, or no longer supported.",
        replay,
        name="replay",
        answer=(strawberry.ID, "Id of an answer, from extensions.graph.answer."),
    )
