"""Files to start from: a commented Turtle skeleton of each kind, made from the model."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from kg.model import Field, Kind, Model, Relation

SOURCE = "<https://doi.org/10.XXXX/REPLACE>"
LOCAL = ("ID", "0000000")  # identifiers without their prefix
TEXTS = (
    "LABEL",
    "TEXT",
    "OTHER NAME",
    "WHAT IT IS, IN A SENTENCE.",
    "AUTHORS. TITLE. JOURNAL YEAR",
    "WHAT THE SOURCE SAYS",
)
EXAMPLES = {
    "string": '"TEXT"',
    "integer": "1",
    "decimal": "1.0",
    "boolean": "true",
    "date": '"2024-01-31"^^xsd:date',
    "partialDate": '"2024-01"^^xsd:gYearMonth',
    "source": SOURCE,
}


def skeleton(model: Model, kind: Kind, curie: str | None = None, label: str | None = None) -> str:
    """Return a file with one entity of a kind, its source, and an assertion to copy for each of its relations.

    Required fields are written out, optional ones commented; what is in CAPITALS is to be filled in.
    """
    body = [*_entity(model, kind, curie or f"{_prefix(kind)}:ID", label or "LABEL"), "", *_source(), ""]
    for relation in model.relations:
        if kind.name in relation.subjects:
            body += _assertion(model, relation, curie or f"{_prefix(kind)}:ID")
    head = [f"# {_sentence(kind.description)} Fill in the CAPITALS, take the # off what you know, then: kg check FILE"]
    text = "\n".join(body)
    table = model.prefixes.turtle()
    used = [prefix for prefix in table if f"{prefix}:" in text]
    prefixes = [f"@prefix {prefix}: <{table[prefix]}> ." for prefix in used]
    return "\n".join([*head, *prefixes, "", text]).rstrip() + "\n"


_SOURCE_IRI = SOURCE.strip("<>")
_LOCAL_NAMES = tuple(f":{local}" for local in LOCAL)


GIVEN = frozenset({*TEXTS, _SOURCE_IRI})


def placeholder(value: str, curie: Callable[[str], str]) -> bool:
    """Whether a literal's text or an IRI is one that a skeleton leaves to be filled in; ``curie`` names an IRI."""
    if value in GIVEN:
        return True
    return value.endswith(LOCAL) and curie(value).endswith(_LOCAL_NAMES)


def _prefix(kind: Kind) -> str:
    own = [prefix for prefix in kind.id_prefixes if prefix.islower()]
    return (own or list(kind.id_prefixes) or ["kg"])[0]


def _sentence(text: str) -> str:
    return text if text.endswith(".") else text + "."


def _entity(model: Model, kind: Kind, curie: str, label: str) -> Iterator[str]:
    yield f"# Identifiers of a {kind.label} have the prefix {' or '.join(kind.id_prefixes) or 'of your choice'}."
    yield f'{curie} a kg:{kind.name} ; rdfs:label "{label}" ;'
    yield '  # skos:altLabel "OTHER NAME" ;'
    yield '  # dcterms:description "WHAT IT IS, IN A SENTENCE." ;'
    yield "  # skos:exactMatch DOID:0000000 ;  # the same thing elsewhere"
    for field in kind.fields:
        if not field.from_curie:
            yield from _field(model, field)
    yield f"  dcterms:source {SOURCE} ."


def _field(model: Model, field: Field) -> Iterator[str]:
    choice = f" One of {' '.join(model.prefixes.curie(v.iri) for v in field.values)}." if field.values else ""
    need = "Required. " if field.required else ""
    yield from (f"  # {line}" for line in textwrap.wrap(f"{need}{field.description}{choice}", 110))
    yield f"  {'' if field.required else '# '}{model.prefixes.curie(field.iri)} {_example(model, field)} ;"


def _example(model: Model, field: Field) -> str:
    if field.values:
        return model.prefixes.curie(field.values[0].iri)
    if field.datatype == "entity":
        return f"{_prefix(model.kind[field.target or ''])}:ID"
    if field.datatype == "record":
        record = model.record[field.target or ""]
        inner = [f"{model.prefixes.curie(f.iri)} {_example(model, f)}" for f in record.fields if f.required]
        return f"[ {' ; '.join([f'a kg:{record.name}', *inner])} ]"
    return EXAMPLES[field.datatype]


def _source() -> list[str]:
    return [
        "# Where it was read: by DOI if there is one, else PubMed, registry or page address.",
        f"{SOURCE} a kg:Source ; kg:sourceKind kg:JournalArticle ;",
        '  dcterms:bibliographicCitation "AUTHORS. TITLE. JOURNAL YEAR" ; dcterms:date "2024-01-31"^^xsd:date .',
    ]


def _assertion(model: Model, relation: Relation, curie: str) -> Iterator[str]:
    levels = relation.accepts_levels or tuple(level.name for level in model.levels)
    level = next(level for level in model.levels if level.name in levels)
    yield f"# {relation.description} ({curie} {relation.name} {' or '.join(relation.objects)})"
    yield f"# [] a kg:Assertion ; rdf:subject {curie} ; rdf:predicate kg:{relation.name} ; rdf:object OBJECT ;"
    parts = f"dcterms:source {SOURCE} ; kg:level {model.prefixes.curie(level.iri)} ; kg:direction kg:Supports"
    yield f"#   kg:evidence [ a kg:Evidence ; {parts} ;"
    yield '#     dcterms:date "2024-01-31"^^xsd:date ; kg:verification kg:ReadAtSource ; rdfs:comment "WHAT THE SOURCE SAYS" ] .'


def levels_help(model: Model) -> str:
    """Return the evidence levels as comment lines, strongest first."""
    return "".join(f"# {model.prefixes.curie(level.iri)}: {level.description}\n" for level in model.levels)
