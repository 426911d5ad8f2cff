"""What is asked, of every server in the same words, and what makes two answers equal."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from kg import Snapshot

MOST_NEIGHBOURS = 200

Queries = Mapping[str, tuple[str, dict[str, Any]]]
OF_RDF_ONLY = ("d", "e")  # the other peers have no data for them


@dataclass(frozen=True)
class Domain:
    """What is asked about a graph, and what the peers hold of it beside CURIE, label and description."""

    name: str
    own: Mapping[str, tuple[str, ...]]
    """Fields by kind."""
    links: Mapping[str, str]
    """A relation by the kind that it is followed from."""
    said: Mapping[str, str]


CART = Domain(
    "cart",
    {"Therapy": ("modality", "platform"), "Target": ("symbol",), "CellPopulation": (), "Disease": ()},
    {"Disease": "drivenBy", "CellPopulation": "expresses"},
    {
        "a": "one entity by CURIE",
        "b": "a list of 100 entities, 5 fields",
        "c": "3 levels through two relations, with evidence",
        "d": "search by the beginnings of words, ten hits",
        "e": "all within two steps of an entity, 200 nodes",
    },
)
HETIONET = Domain(
    "hetionet",
    {"Compound": ("iri", "drugbank"), "Gene": (), "Disease": (), "Anatomy": ()},
    {"Disease": "treatedBy", "Anatomy": "localizes"},
    {**CART.said, "d": "search by the beginnings of words", "e": "all within one step of an entity"},
)

OF_CART: Queries = {
    "a": (
        "query One($curie: String!) { entity(curie: $curie) { curie label description ... on Therapy { modality platform } } }",
        {"curie": "therapy:bench-00042"},
    ),
    "b": ("query Many { therapies(first: 100) { nodes { curie label description modality platform } } }", {}),
    "c": (
        """query Nested { diseases(first: 15) { nodes { curie label drivenBy(first: 5) { edges {
  confidence evidence { level direction date } node { curie label expresses(first: 5) { edges {
    confidence evidence { level direction date } node { curie label symbol } } } } } } } } }""",
        {},
    ),
    "d": ('query Find { search(text: "synthetic disease 0001", first: 10) { nodes { curie label } } }', {}),
    "e": (
        """query View { graphView(around: ["disease:bench-00051"], depth: 2, maxNodes: 200) {
  nodes { entity { curie label } distance } edges { relation subject { curie } object { curie } confidence } } }""",
        {},
    ),
}


def of_hetionet(graph: Snapshot) -> Queries:
    """Return the same about Hetionet; around the entity with most neighbours of those that have fewer than 200."""
    degrees = graph.adjacency.degrees
    middle = graph.by_number[int(np.where(degrees < MOST_NEIGHBOURS, degrees, 0).argmax())]
    return {
        "a": (
            "query One($curie: String!) { entity(curie: $curie) { curie label description ... on Compound { iri drugbank } } }",
            {"curie": "DRUGBANK:DB00331"},
        ),
        "b": ("query Many { compounds(first: 100) { nodes { curie label description iri drugbank } } }", {}),
        "c": (
            """query Nested { anatomies(first: 20) { nodes { curie label localizes(first: 5) { edges {
  confidence evidence { level direction date } node { curie label treatedBy(first: 5) { edges {
    confidence evidence { level direction date } node { curie label drugbank } } } } } } } } }""",
            {},
        ),
        "d": ('query Find { search(text: "vitamin", first: 10) { nodes { curie label } } }', {}),
        "e": (
            f"""query View {{ graphView(around: ["{middle.curie}"], depth: 1, maxNodes: 200) {{
  nodes {{ entity {{ curie label }} distance }} edges {{ relation subject {{ curie }} object {{ curie }} confidence }} }} }}""",
            {},
        ),
    }


def body(query: tuple[str, dict[str, Any]]) -> bytes:
    """Return the POST body of a query."""
    text, variables = query
    return orjson.dumps({"query": text, "variables": variables})


def ask(url: str, query: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the data of an answer; raises RuntimeError where it has errors."""
    headers = {"content-type": "application/json", "accept": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body(query), headers), timeout=60) as response:
        answer = orjson.loads(response.read())
    if answer.get("errors"):
        raise RuntimeError(f"{url} {query[0]}: {answer['errors']}")
    data: dict[str, Any] = answer["data"]
    return data


def digest(data: Any) -> str:
    """Return a hash of an answer that leaves out the order of keys, of hits and of a view's parts, and the last digits of numbers."""
    return hashlib.sha256(orjson.dumps(_normal(data), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def objects(data: Any) -> int:
    """Return the number of JSON objects in an answer that carry values of their own."""
    if isinstance(data, dict):
        own = any(not isinstance(value, dict | list) for value in data.values())
        return own + sum(objects(value) for value in data.values())
    return sum(objects(value) for value in data) if isinstance(data, list) else 0


def _normal(data: Any) -> Any:
    if isinstance(data, dict):
        said = {name: _normal(value) for name, value in data.items()}
        for found in ("graphView", "search"):
            if found in said:
                said[found] = {
                    name: sorted(orjson.dumps(p, option=orjson.OPT_SORT_KEYS).decode() for p in part)
                    for name, part in said[found].items()
                }
        return said
    if isinstance(data, list):
        return [_normal(value) for value in data]
    return round(float(data), 9) if isinstance(data, int | float) and not isinstance(data, bool) else data
