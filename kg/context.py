"""The JSON-LD context of a model: every prefix, kind, field and relation by its name in the API."""

from __future__ import annotations

from typing import Any

from rdflib.namespace import DCTERMS, RDF, RDFS, SKOS, XSD

from kg.model import Field, Model
from kg.vocabulary import KG

TYPED = {"integer": XSD.integer, "decimal": XSD.decimal, "boolean": XSD.boolean, "date": XSD.date}


def jsonld_context(model: Model) -> dict[str, Any]:
    """Return a document with ``@context``; JSON-LD written with it loads as if it were Turtle."""
    terms: dict[str, Any] = {"@version": 1.1, **model.prefixes.turtle()}
    terms |= {
        "id": "@id",
        "type": "@type",
        "label": str(RDFS.label),
        "comment": str(RDFS.comment),
        "synonyms": {"@id": str(SKOS.altLabel), "@container": "@set"},
        "description": str(DCTERMS.description),
        "xrefs": {"@id": str(SKOS.exactMatch), "@type": "@id", "@container": "@set"},
        "broadMatches": {"@id": str(SKOS.broadMatch), "@type": "@id", "@container": "@set"},
        "sources": {"@id": str(DCTERMS.source), "@type": "@id", "@container": "@set"},
        "source": {"@id": str(DCTERMS.source), "@type": "@id"},
        "citation": str(DCTERMS.bibliographicCitation),
        "subject": {"@id": str(RDF.subject), "@type": "@id"},
        "predicate": {"@id": str(RDF.predicate), "@type": "@id"},
        "object": {"@id": str(RDF.object), "@type": "@id"},
        "evidence": {"@id": str(KG.evidence), "@container": "@set"},
        "level": {"@id": str(KG.level), "@type": "@vocab"},
        "direction": {"@id": str(KG.direction), "@type": "@vocab"},
        "study": {"@id": str(KG.study), "@type": "@id"},
        "sampleSize": {"@id": str(KG.sampleSize), "@type": str(XSD.integer)},
        "count": {"@id": str(KG.count), "@type": str(XSD.integer)},
        "total": {"@id": str(KG.total), "@type": str(XSD.integer)},
        "@vocab": str(KG._NS),
    }
    for owner in model.owners:
        terms[owner.name] = owner.iri
        for field in owner.fields:
            terms.setdefault(field.name, _term(field))
    for relation in model.relations:
        terms[relation.name] = relation.iri
    return {"@context": terms}


def _term(field: Field) -> Any:
    term: dict[str, Any] = {"@id": field.iri}
    if field.datatype in TYPED:
        term["@type"] = str(TYPED[field.datatype])
    elif field.datatype == "enum":
        term["@type"] = "@vocab"
    elif field.datatype in {"entity", "source"}:
        term["@type"] = "@id"
    if field.many:
        term["@container"] = "@set"
    return term if len(term) > 1 else field.iri
