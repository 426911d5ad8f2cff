"""What every search has in common: assumptions to make, a day to look back to, and how long it may take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import strawberry

from kg.budget import Budget
from kg.overlay import Assumption, Scenario, scenario
from server.graphql.ids import curie_of
from server.graphql.members import fill, listed, member, nullable
from server.graphql.paging import look_at_clock, time_left
from server.graphql.request import AS_OF, Request, bounded

SEARCH_SHARE = 0.8  # of the time that is left: what was found must still be written


def assertion_input() -> Any:
    """Return the input type of an assumption."""
    fields: dict[str, tuple[Any, Any]] = {
        "subject": (strawberry.ID, strawberry.field(description="Global id or CURIE of the subject.")),
        "relation": (
            str,
            strawberry.field(description="Name of the relation, or its inverse name with the ends swapped."),
        ),
        "object": (strawberry.ID, strawberry.field(description="Global id or CURIE of the object.")),
        "confidence": (
            float,
            strawberry.field(default=1.0, description="How sure to be of it, in (0, 1]."),
        ),
    }
    return strawberry.input(
        fill(type("AssertionInput", (), {}), fields),
        name="AssertionInput",
        description="An edge to assume for this request; nothing is written.",
    )


def scenario_arguments(input_: Any) -> dict[str, Any]:
    """Return the arguments that every search takes."""
    return {
        "assuming": (
            nullable(listed(input_)),
            "Edges to take as true for this request. One that exists gets the confidence given here.",
        ),
        "without": (
            list[strawberry.ID] | None,
            "What to leave out for this request: edges, entities with all their edges, sources or studies with their evidence.",
        ),
        "as_of": (date | None, AS_OF),
    }


def scenario_of(request: Request, assuming: Any, without: Sequence[Any] | None, as_of: date | None) -> Scenario:
    """Return the graph as the arguments ask to see it; raises NotFound and BadInput as ``kg.overlay.scenario``."""
    assumptions = [
        Assumption(curie_of(str(a.subject)), a.relation, curie_of(str(a.object)), a.confidence)
        for a in bounded(list(assuming or ()), request.settings, "assuming")
    ]
    names = [curie_of(str(name)) for name in bounded(list(without or ()), request.settings, "without")]
    return scenario(request.at(as_of), assumptions, names)


def budget_of(request: Request) -> Budget:
    """Return what a search may cost: the steps of the settings, and most of the time that the request has left."""
    left = time_left()
    seconds = None if left is None else left * SEARCH_SHARE
    return Budget(request.settings.search_steps, seconds, look_at_clock)


def names_of(request: Request, ids: Sequence[Any], argument: str) -> list[str]:
    """Return the CURIEs that ids stand for; raises LimitExceeded for too many."""
    return [curie_of(str(id_)) for id_ in bounded(list(ids), request.settings, argument)]


def completeness() -> dict[str, tuple[Any, Any]]:
    """Return the fields by which every search says how complete its answer is."""
    return {
        "exhaustive": member(bool, "Whether this page, with the pages before it, holds every answer."),
        "truncated": member(
            bool, "Whether a limit ended the search before it was done.", lambda self: self.truncated_by is not None
        ),
        "truncated_by": member(str | None, "The limit that ended it: steps, seconds, or a size.", name="truncatedBy"),
        "remaining": member(int | None, "How many answers come after this page; null where that is not known."),
    }
