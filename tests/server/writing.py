"""What tests of writing share: tokens, small sources, and the mutations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from kg.tokens import TokenFile

PREFIXES = """\
@prefix kg: <https://cartograph.example/vocab/> .
@prefix therapy: <https://cartograph.example/therapy/> .
@prefix MONDO: <http://purl.obolibrary.org/obo/MONDO_> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
NEW_THERAPY = (
    PREFIXES
    + """\
therapy:delta a kg:Therapy ; rdfs:label "delta-cel" ; kg:granularity kg:Product ; kg:modality kg:CarT .
"""
)
NEW_CLAIM = (
    NEW_THERAPY
    + """\
[] a kg:Assertion ; rdf:subject therapy:delta ; rdf:predicate kg:investigatedFor ; rdf:object MONDO:0007915 ;
  kg:evidence [ dcterms:source <https://example.org/news> ; kg:level kg:NewsReport ; kg:direction kg:Supports ; dcterms:date "2020-06"^^xsd:gYearMonth ] .
"""
)
WRONG = (
    PREFIXES
    + "\ntherapy:delta a kg:Therapy ;\n  rdfs:label 'delta-cel' ; kg:granularity kg:Product ; kg:modality kg:CarTee .\n"
)
BROKEN = PREFIXES + "therapy:delta a kg:Therapy"

PAYLOAD = """
  ok
  version { number author message entities }
  changeSet { version author message added removed sources { name sha256 } }
  diagnostics { severity code message hint source line column }
"""
APPLY = f"mutation($input: ChangesInput!) {{ applyChanges(input: $input) {{ {PAYLOAD} }} }}"
REVERT = f"mutation($n: Int!, $why: String!) {{ revert(changeSet: $n, message: $why) {{ {PAYLOAD} }} }}"


def token(client: TestClient, role: str = "curator", name: str = "ward 7") -> dict[str, str]:
    """Return the header with a new token of a role."""
    folder: Path = client.app.state.service.store.folder  # type: ignore[attr-defined]
    return {"authorization": f"Bearer {TokenFile(folder).create(name, role)}"}


def change(content: str | None = NEW_THERAPY, **given: Any) -> dict[str, Any]:
    """Return the variables of applyChanges."""
    source = {} if content is None else {"source": "new.ttl", "content": content}
    return {"input": {**source, "message": "because", **given}}


def post(client: TestClient, query: str, variables: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    """Return the response to an operation."""
    return client.post("/graphql", json={"query": query, "variables": variables}, headers=headers or {})


def applied(
    client: TestClient, headers: dict[str, str], content: str | None = NEW_THERAPY, **given: Any
) -> dict[str, Any]:
    """Return the payload of applyChanges; fails where the request itself is refused."""
    body = post(client, APPLY, change(content, **given), headers).json()
    assert "errors" not in body, body
    payload: dict[str, Any] = body["data"]["applyChanges"]
    return payload


def code(response: Any) -> str:
    """Return the code of a response's only error."""
    (error,) = response.json()["errors"]
    found: str = error["extensions"]["code"]
    return found
