"""The plain server's schema of the CAR-T graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from plain_types import Common, Domain, Edges, Entity, Listed, linked, listed
from rdflib import Namespace

KG = Namespace("https://cartograph.example/vocab/")
BASE = "https://cartograph.example/"


@strawberry.type
class Therapy(Entity):
    """A treatment."""

    modality: str
    platform: str | None


@strawberry.type
class Target(Entity):
    """A molecule."""

    symbol: str | None


@strawberry.type
class CellPopulation(Entity):
    """Cells."""

    @strawberry.field
    async def expresses(self, info: strawberry.Info, first: int = 25) -> Edges[Target]:
        """Load the targets on the cells."""
        return await linked(info, "expresses", self.curie, first)


@strawberry.type
class Disease(Entity):
    """A disease."""

    @strawberry.field
    async def driven_by(self, info: strawberry.Info, first: int = 25) -> Edges[CellPopulation]:
        """Load the cells that drive the disease."""
        return await linked(info, "drivenBy", self.curie, first)


@strawberry.type
class Query(Common):
    """The root."""

    @strawberry.field
    async def therapies(self, info: strawberry.Info, first: int = 25) -> Listed[Therapy]:
        """Load a list of therapies."""
        return await listed(info, "Therapy", first)

    @strawberry.field
    async def diseases(self, info: strawberry.Info, first: int = 25) -> Listed[Disease]:
        """Load a list of diseases."""
        return await listed(info, "Disease", first)


def own(_: Any, about: Mapping[Any, Any], notation: Mapping[Any, str]) -> dict[str, Any]:
    """Return the fields of a therapy or of a target."""
    if KG.modality in about:
        return {"modality": notation[about[KG.modality]], "platform": notation.get(about.get(KG.platform))}
    return {"symbol": str(about[KG.symbol])} if KG.symbol in about else {}


DOMAIN = Domain(
    query=Query,
    types={"Therapy": Therapy, "Target": Target, "CellPopulation": CellPopulation, "Disease": Disease},
    prefixes={name: f"{BASE}{name}/" for name in ("therapy", "target", "cell", "disease")},
    edges={"drivenBy": KG.drives, "expresses": KG.expressedOn},
    listed={"Therapy": KG.Therapy, "Disease": KG.Disease},
    own=own,
)
