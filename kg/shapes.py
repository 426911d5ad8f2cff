"""SHACL: the shapes of the schema folder and of the engine, run over all documents at once.

The engine is PyPI ``shacl``, 40 times as fast as pyshacl and measured to agree with the W3C suite
(research/modelling.md §4.1); a test compares the two on the seeds.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from typing import Any

import shacl
from pyoxigraph import Literal, RdfFormat, Triple, parse, serialize
from rapidfuzz import process

from kg.diagnostics import Diagnostic
from kg.facts import World, group
from kg.model import Model


class Shapes(World):
    """Violations of shapes, in the words of the shapes where they have any."""

    def shapes(self) -> Iterator[Diagnostic]:
        """Yield every violation whose focus is in the documents."""
        text = (serialize(self.nearby(), format=RdfFormat.N_TRIPLES) or b"") + _schema_ntriples(self.model)
        report = _compiled_shapes(self.model).validate_text(text.decode(), format="ntriples")
        results = [result for result in report.results if _iri(result.focus_node) in self.own]
        incomplete = {_iri(result.focus_node) for result in results}
        for result in results:
            if result.component == "NodeConstraintComponent" and _iri(result.value or "") in incomplete:
                continue  # the value's own result says more
            yield self.shape_problem(result)

    def nearby(self) -> list[Triple]:
        """Return the documents' triples with as much of the context as a shape can look at: two steps on."""
        if not self.context:
            return [triple for document in self.documents for triple in document.triples]
        wanted = set(self.own)
        for _ in range(2):
            wanted |= {
                term.value for iri in wanted if iri in self.facts for o in self.facts[iri].values() for term in o
            }
        own = [triple for document in self.documents for triple in document.triples]
        return [*own, *(t for t in self.context if getattr(t.subject, "value", None) in wanted)]

    def shape_problem(self, result: Any) -> Diagnostic:
        """Return a result of the engine in our words."""
        focus, path = _iri(result.focus_node), _iri(result.path or "")
        who, field = self.described(focus), self.name(path)
        value = self.name(result.value_plain) if result.value_plain else ""
        told = next((m for m in self.messages.get((_iri(result.root_shape or ""), path), ())), None)
        message = f"{who}: {told}" if told else f"{who}: {_plain(result.component, field, value, result.message)}"
        return self.say(
            "error",
            f"shape-{result.component.removesuffix('ConstraintComponent')}",
            focus,
            message,
            self.near_value(path, value),
        )

    @cached_property
    def messages(self) -> dict[tuple[str, str], list[str]]:
        """The messages of the schema's property shapes."""
        return _messages(self.model)

    def near_value(self, path: str, value: str) -> str:
        """Return the allowed values most like a wrong one, as a hint."""
        allowed = {
            self.name(v.iri): v.name
            for things in self.model.owners
            for f in things.fields
            if f.iri == path
            for v in f.values
        }
        near = process.extract(value, list(allowed), limit=2, score_cutoff=70) if value else []
        return f"Did you mean {' or '.join(match for match, *_ in near)}?" if near else ""


def _plain(component: str, field: str, value: str, fallback: str | None) -> str:
    phrases: dict[str, Callable[[], str]] = {
        "MinCountConstraintComponent": lambda: f"needs {field}",
        "MaxCountConstraintComponent": lambda: f"has more than one {field}",
        "InConstraintComponent": lambda: f"{field} may not be {value}",
        "DatatypeConstraintComponent": lambda: f"{field} has the value {value}, which is of the wrong datatype",
        "ClassConstraintComponent": lambda: f"{field} refers to {value}, which is not defined or of the wrong kind",
        "PatternConstraintComponent": lambda: f"{field} has the value {value}, which is not of the right form",
        "NodeKindConstraintComponent": lambda: f"{field} has the value {value}; an identifier is needed",
        "NodeConstraintComponent": lambda: f"{field} has the value {value}, which is incomplete or of the wrong form",
    }
    return phrases[component]() if component in phrases else f"{field} {value}: {fallback or component}"


def _iri(term: str) -> str:
    match = re.fullmatch(r"<(.*)>", term)
    return match.group(1) if match else term


@lru_cache(maxsize=4)
def _schema_ntriples(model: Model) -> bytes:
    return bytes(model.shapes.serialize(format="ox-nt"), "utf-8")


@lru_cache(maxsize=4)
def _compiled_shapes(model: Model) -> shacl.Shapes:
    return shacl.Shapes.from_text(_schema_ntriples(model).decode(), format="ntriples")


@lru_cache(maxsize=4)
def _messages(model: Model) -> dict[tuple[str, str], list[str]]:
    """Return (shape, path) -> the messages its property shapes carry."""
    facts = group(quad.triple for quad in parse(_schema_ntriples(model), format=RdfFormat.N_TRIPLES))
    sh = "http://www.w3.org/ns/shacl#"
    out: dict[tuple[str, str], list[str]] = defaultdict(list)
    for shape, about in facts.items():
        for node in about.get(f"{sh}property", ()):
            body = facts.get(node.value, {})
            for path in body.get(f"{sh}path", ()):
                out[shape, path.value] += [m.value for m in body.get(f"{sh}message", ()) if isinstance(m, Literal)]
    return out
