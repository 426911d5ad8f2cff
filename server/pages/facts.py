"""The fields of entities and of the records in them, as values that a template can show without knowing the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kg.lettering import web_address
from kg.model import Field, Model
from kg.records import Entity, Structure


@dataclass(frozen=True, slots=True)
class Value:
    """One value: a text, where it links to, what a word means, or an entity, or the facts of a record."""

    text: str = ""
    href: str | None = None
    meaning: str = ""
    tag: bool = False
    entity: Entity | None = None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A field and its values."""

    field: Field
    values: tuple[Value, ...]


def facts(model: Model, thing: Entity | Structure, fields: Sequence[Field]) -> tuple[Fact, ...]:
    """Return the fields of an entity or record that have a value; an entity's sources are shown by themselves."""
    found = []
    for field in fields:
        value = getattr(thing, field.attribute, None)
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        if values and not (isinstance(thing, Entity) and field.datatype == "source"):
            found.append(Fact(field, tuple(shown(model, field, item) for item in values)))
    return tuple(found)


def shown(model: Model, field: Field, item: Any) -> Value:
    """Return one value of a field as it is shown."""
    if isinstance(item, Structure):
        return Value(facts=facts(model, item, model.record[field.target or ""].fields))
    if isinstance(item, Entity):
        return Value(item.label, entity=item)
    if field.datatype == "source":
        return Value(item.citation, web_address(item.url))
    if field.datatype == "enum":
        meaning = next((value.description for value in field.values if value.name == item), "")
        return Value(item.replace("_", " "), meaning=meaning, tag=True)
    if field.datatype == "boolean":
        return Value("yes" if item else "no")
    prefix = field.curie_prefix or field.from_curie
    return Value(str(item), page_of(model, f"{prefix}:{item}") if prefix else None)


def page_of(model: Model, curie: str) -> str | None:
    """Return a web page about an identifier, where one is known."""
    iri = model.prefixes.iri(curie)
    return web_address(model.prefixes.page(iri)) if iri else None
