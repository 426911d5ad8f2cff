"""The plain server's schema of Hetionet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry
from plain_types import Common, Domain, Edges, Entity, Listed, linked, listed
from rdflib import RDF, Namespace

KG = Namespace("https://cartograph.example/vocab/")
OBO = "http://purl.obolibrary.org/obo/"
IDENTIFIERS = "http://identifiers.org/"


@strawberry.type
class Compound(Entity):
    """A drug."""

    iri: str
    drugbank: str


@strawberry.type
class Gene(Entity):
    """A gene."""


@strawberry.type
class Disease(Entity):
    """A disease."""

    @strawberry.field
    async def treated_by(self, info: strawberry.Info, first: int = 25) -> Edges[Compound]:
        """Load the drugs for the disease."""
        return await linked(info, "treatedBy", self.curie, first)


@strawberry.type
class Anatomy(Entity):
    """A part of the body."""

    @strawberry.field
    async def localizes(self, info: strawberry.Info, first: int = 25) -> Edges[Disease]:
        """Load the diseases that show there."""
        return await linked(info, "localizes", self.curie, first)


@strawberry.type
class Query(Common):
    """The root."""

    @strawberry.field
    async def compounds(self, info: strawberry.Info, first: int = 25) -> Listed[Compound]:
        """Load a list of drugs."""
        return await listed(info, "Compound", first)

    @strawberry.field
    async def anatomies(self, info: strawberry.Info, first: int = 25) -> Listed[Anatomy]:
        """Load a list of parts of the body."""
        return await listed(info, "Anatomy", first)


def own(iri: Any, about: Mapping[Any, Any], _: Mapping[Any, str]) -> dict[str, Any]:
    """Return the fields of a drug."""
    return {"iri": str(iri), "drugbank": str(iri).rpartition("/")[2]} if about[RDF.type] == KG.Compound else {}


DOMAIN = Domain(
    query=Query,
    types={"Compound": Compound, "Gene": Gene, "Disease": Disease, "Anatomy": Anatomy},
    prefixes={
        "DRUGBANK": f"{IDENTIFIERS}drugbank/",
        "NCBIGene": f"{IDENTIFIERS}ncbigene/",
        "DOID": f"{OBO}DOID_",
        "UBERON": f"{OBO}UBERON_",
    },
    edges={"treatedBy": KG.treats, "localizes": KG.localizesTo},
    listed={"Compound": KG.Compound, "Anatomy": KG.Anatomy},
    own=own,
)
