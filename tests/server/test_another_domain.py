"""Hetionet served: its own words everywhere, and none of the domain that the installation comes with."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import parse, validate
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from kg import load_model, open_service
from server.app import create_app
from server.graphql.examples import load_examples
from server.graphql.query import build_schema
from server.roles import open_store
from server.settings import Settings
from tests.benchmarks.hetionet.importer import SCHEMA, Node, Row, write_rows

OF_CAR_T = re.compile(r"car-t|\btherap|cell population|lupus|cd19|MONDO|HGNC|NCT0|hand-curated", re.I)
COMPOUND = Node("Compound", "DRUGBANK:DB00014", "http://identifiers.org/drugbank/DB00014", "One")
GENE = Node("Gene", "NCBIGene:731", "http://identifiers.org/ncbigene/731", "TWO")
DISEASE = Node("Disease", "DOID:263", "http://purl.obolibrary.org/obo/DOID_263", "three")
ROWS = (Row(COMPOUND, "binds", GENE), Row(DISEASE, "diseaseAssociates", GENE))
PAGES = (
    "/",
    "/schema.graphql",
    "/graphql",
    "/search?q=one",
    "/kind/genes",
    "/entity/DOID:263",
    "/entity/nothing",
    "/explore/paths",
    "/explore/paths?from=DRUGBANK:DB00014&to=DOID:263",
    "/explore/hypotheses",
    "/explore/hypotheses?disease=DOID:263",
)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    (tmp_path / "seeds").mkdir()
    write_rows(tmp_path / "seeds" / "few.nt", (COMPOUND, GENE, DISEASE), ROWS)
    service = open_service(tmp_path / "data", SCHEMA, tmp_path / "seeds", publish="none")
    with TestClient(create_app(service, Settings(schema=SCHEMA))) as client:
        yield client
    service.close()


@pytest.mark.parametrize("path", PAGES)
def test_no_page_names_what_is_only_in_the_other_domain(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"accept": "text/html"})
    assert [line.strip()[:200] for line in answer.text.splitlines() if OF_CAR_T.search(line)] == []


def test_the_page_of_hypotheses_tells_scripts_what_they_join(client: TestClient) -> None:
    page = client.get("/explore/hypotheses", headers={"accept": "text/html"}).text
    assert '<div id="explore" data-kg-ends="compound disease" data-kg-kinds="Compound Disease">' in page


def test_its_examples_are_in_the_query_editor_and_fit_its_schema(client: TestClient) -> None:
    examples, schema = load_examples(SCHEMA), build_schema(load_model(SCHEMA))._schema
    assert len(examples) > 3
    assert {example.name: validate(schema, parse(example.query)) for example in examples} == {
        example.name: [] for example in examples
    }
    page = client.get("/graphql", headers={"accept": "text/html"}).text
    assert all(example.title.replace('"', '\\"') in page for example in examples)


def test_data_served_under_the_wrong_schema_is_noticed(tmp_path: Path) -> None:
    """Somebody left out ``--schema``: hardly anything would be served, and nothing said why."""
    (tmp_path / "seeds").mkdir()
    write_rows(tmp_path / "seeds" / "few.nt", (COMPOUND, GENE, DISEASE), ROWS)
    open_service(tmp_path / "data", SCHEMA, tmp_path / "seeds").close()
    for schema, noticed in ((SCHEMA, False), (None, True)):
        with capture_logs() as logs:
            open_store(Settings(data=tmp_path / "data", schema=schema)).close()
        assert any(line["event"] == "no_edges" for line in logs) is noticed
        assert not any(line["event"] == "seed_file_differs" for line in logs), "of a schema that it is not of"
