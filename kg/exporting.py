"""A version of the graph as a file, in one canonical order, so that the same version gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyoxigraph import Quad, RdfFormat, Triple, serialize

from kg.derivation import DERIVED
from kg.errors import BadInput
from kg.model import Model
from kg.store import Store
from kg.tables import write_table
from kg.turtle import write_turtle

EXPORTS = {
    "nq": RdfFormat.N_QUADS,
    "trig": RdfFormat.TRIG,
    "nt": RdfFormat.N_TRIPLES,
    "ttl": RdfFormat.TURTLE,
    "jsonld": RdfFormat.JSON_LD,
    "rdf": RdfFormat.RDF_XML,
    "tsv": None,
}


def export(store: Store, model: Model, version: int, format_: str) -> bytes:
    """Return what the source files of a version state; raises NotFound for a version that there is not."""
    quads = (quad for quad in store.quads_at(version) if quad.graph_name != DERIVED)
    if format_ in {"nq", "trig"}:
        return _with_graphs(quads, model, format_)
    return write(sorted({quad.triple for quad in quads}, key=str), model, format_)


def _with_graphs(quads: Iterable[Quad], model: Model, format_: str) -> bytes:
    ordered = sorted(quads, key=lambda quad: (str(quad.graph_name), str(quad)))
    if format_ == "nq":
        return "".join(sorted(f"{quad} .\n" for quad in ordered)).encode()
    return serialize(ordered, format=EXPORTS[format_], prefixes=model.prefixes.turtle()) or b""


def write(triples: Sequence[Triple], model: Model, format_: str) -> bytes:
    """Return triples in a format; the same triples in the same order give the same bytes."""
    if format_ not in EXPORTS:
        raise BadInput(f"There is no format {format_!r}; known are {', '.join(EXPORTS)}.")
    if format_ == "tsv":
        return write_table(triples, model)[0].encode()
    if format_ == "ttl":
        return write_turtle(triples, model).encode()
    prefixes = model.prefixes.turtle() if format_ in {"trig", "jsonld", "rdf"} else None
    return serialize(triples, format=EXPORTS[format_], prefixes=prefixes) or b""


def history_turtle(store: Store) -> str:
    """Return the history as PROV-O in Turtle, without the packed deltas."""
    quads = store.history_quads()
    lines = sorted(f"{quad.triple} ." for quad in quads)
    return "\n".join(lines) + "\n" if lines else ""
