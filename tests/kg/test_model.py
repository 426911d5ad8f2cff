"""The schema folder is the only place that knows the domain."""

import csv
import gzip
from pathlib import Path

import pytest

from kg import Model, load_model, open_graph, open_service
from kg.errors import SchemaError
from server.graphql.query import build_schema
from server.graphql.request import Request
from server.settings import Settings
from tests.conftest import SHARED_REFERENCE, TINY

BIOMARKER = """
@prefix kg: <https://cartograph.example/vocab/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
kg:Biomarker a kg:Kind, rdfs:Class, sh:NodeShape ; rdfs:subClassOf kg:Entity ; sh:order 7 ;
  rdfs:label "biomarker" ; kg:plural "biomarkers" ; rdfs:comment "Something measured." ; kg:idPrefix "risk" ;
  sh:property [ sh:path kg:fluid ; sh:minCount 1 ; sh:maxCount 1 ; sh:in ( kg:Serum kg:Urine ) ; sh:description "Where it is measured." ] ,
              [ sh:path kg:assay ; sh:datatype xsd:string ; kg:synonym true ; sh:description "What it is measured with." ] ,
              [ sh:path kg:cutoff ; sh:maxCount 1 ; sh:datatype xsd:decimal ; sh:description "Normal below this." ] .
kg:Serum a skos:Concept ; skos:notation "SERUM" ; rdfs:comment "Blood serum." .
kg:Urine a skos:Concept ; skos:notation "URINE" ; rdfs:comment "Urine." .
kg:indicates a kg:Relation ; owl:inverseOf kg:indicatedBy ; rdfs:domain kg:Biomarker ; rdfs:range kg:Disease ;
  rdfs:comment "A high value speaks for the disease." ; kg:phrase "indicates" ; kg:inversePhrase "is indicated by" .
"""
BIOMARKER_DATA = """
@prefix kg: <https://cartograph.example/vocab/> . @prefix risk: <https://cartograph.example/risk/> .
@prefix MONDO: <http://purl.obolibrary.org/obo/MONDO_> . @prefix dcterms: <http://purl.org/dc/terms/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
risk:anti-dsdna a kg:Biomarker ; rdfs:label "anti-dsDNA" ; kg:fluid kg:Serum ; kg:assay "Farr test" , "CLIFT" ; kg:cutoff 30.5 .
[] a kg:Assertion ; rdf:subject risk:anti-dsdna ; rdf:predicate kg:indicates ; rdf:object MONDO:0007915 ;
  kg:evidence [ dcterms:source <https://example.org/paper> ; kg:level kg:Review ; kg:direction kg:Supports ; dcterms:date "2022"^^xsd:gYear ] .
"""


def test_a_seventh_kind_is_a_turtle_file_alone(schema_copy: Path, tmp_path: Path) -> None:
    """Served and queryable, filters and inverse included, with no line of Python."""
    (schema_copy / "biomarker.ttl").write_text(BIOMARKER, encoding="utf-8")
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "tiny.ttl").write_bytes((TINY / "tiny.ttl").read_bytes())
    (seeds / "biomarkers.ttl").write_text(BIOMARKER_DATA, encoding="utf-8")
    service = open_service(tmp_path / "data", schema_copy, seeds)
    query = """{
      biomarkers(filter: {fluid: {eq: SERUM}, cutoff: {gt: 30}}) { nodes { label fluid cutoff indicates { nodes { label } } } }
      diseases(filter: {indicatedBy: {}}) { nodes { label indicatedBy { edges { confidence node { label } } } } }
    }"""
    result = build_schema(service.model).execute_sync(query, root_value=Request(service, Settings()))
    found = [(hit.entity.curie, hit.field, hit.tier) for hit in service.snapshot.search("clift")]
    service.store.close()
    assert found == [("risk:anti-dsdna", "synonym", "exact")]
    assert result.errors is None
    assert result.data == {
        "biomarkers": {
            "nodes": [
                {
                    "label": "anti-dsDNA",
                    "fluid": "SERUM",
                    "cutoff": 30.5,
                    "indicates": {"nodes": [{"label": "systemic lupus erythematosus"}]},
                }
            ]
        },
        "diseases": {
            "nodes": [
                {
                    "label": "systemic lupus erythematosus",
                    "indicatedBy": {"edges": [{"confidence": 0.4, "node": {"label": "anti-dsDNA"}}]},
                }
            ]
        },
    }


def test_python_users_get_the_new_kind_as_a_class(schema_copy: Path, tmp_path: Path) -> None:
    (schema_copy / "biomarker.ttl").write_text(BIOMARKER, encoding="utf-8")
    (tmp_path / "biomarkers.ttl").write_text(BIOMARKER_DATA, encoding="utf-8")
    biomarker = open_graph(schema=schema_copy, seeds=tmp_path).entity("risk:anti-dsdna")
    assert (type(biomarker).__name__, biomarker.fluid) == ("Biomarker", "SERUM")


def test_the_six_kinds_and_every_relation_of_the_design_are_there() -> None:
    model = load_model()
    assert [kind.name for kind in model.kinds] == ["Therapy", "Target", "CellPopulation", "Disease", "Trial", "Risk"]
    ends = {(r.name, r.inverse): (r.subjects, r.objects) for r in model.relations}
    assert ends["targets", "targetedBy"] == (("Therapy",), ("Target",))
    assert ends["mitigatedBy", "mitigates"] == (("Risk",), ("Therapy",))
    assert set(model.relation["subtypeOf"].pairs()) == {(k.name, k.name) for k in model.kinds}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kg:X a kg:Kind ; kg:plural 3 .", "rdfs:comment"),
        (
            "kg:r a kg:Relation ; owl:inverseOf kg:s ; rdfs:comment 'x' ; rdfs:domain kg:Nope ; rdfs:range kg:Disease .",
            "Nope",
        ),
        (
            "kg:r a kg:Relation ; owl:inverseOf kg:drivenBy ; rdfs:comment 'x' ; rdfs:domain kg:Therapy ; rdfs:range kg:Disease .",
            "drivenBy",
        ),
        ("kg:L a kg:EvidenceLevel ; kg:strength 1.5 ; sh:order 99 ; skos:notation 'L' ; rdfs:comment 'x' .", "(0, 1]"),
        ("kg:broken", "not valid Turtle"),
    ],
)
def test_a_wrong_schema_says_what_is_wrong(schema_copy: Path, text: str, said: str) -> None:
    head = BIOMARKER.split("kg:Biomarker")[0]
    (schema_copy / "more.ttl").write_text(head + text, encoding="utf-8")
    with pytest.raises(SchemaError, match=said.replace("(", r"\(").replace("]", r"\]")):
        load_model(schema_copy)


def test_an_empty_schema_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="holds no schema"):
        load_model(tmp_path)


@pytest.mark.skipif(not SHARED_REFERENCE.is_dir(), reason="the Biolink tables are not beside this checkout")
def test_every_biolink_mapping_exists_in_biolink() -> None:
    """A predicate or class that Biolink does not have would make every export wrong."""

    def column(name: str) -> set[str]:
        with gzip.open(SHARED_REFERENCE / f"biolink_{name}_4.4.6.tsv.gz", "rt", encoding="utf-8") as file:
            return {row["curie"] for row in csv.DictReader(file, delimiter="\t")}

    model = load_model()
    curie = model.prefixes.curie
    slots, classes = column("slots"), column("classes")
    assert {curie(r.biolink_predicate) for r in model.relations if r.biolink_predicate} <= slots
    assert {curie(r.biolink_association) for r in model.relations if r.biolink_association} <= classes
    assert {curie(k.biolink_class) for k in model.kinds if k.biolink_class} <= classes


def test_curies_expand_and_contract_in_any_spelling() -> None:
    prefixes = load_model().prefixes
    iri = "https://clinicaltrials.gov/study/NCT04146051"
    assert {
        prefixes.iri(n) for n in ("CLINICALTRIALS:NCT04146051", "NCT:NCT04146051", "nct04146051", iri, f"<{iri}>")
    } == {iri}
    assert prefixes.curie(iri) == "CLINICALTRIALS:NCT04146051"
    assert prefixes.curie("https://nowhere.example/x") == "https://nowhere.example/x"


def test_an_iri_is_shortened_as_the_converter_would(model: Model) -> None:
    converter = model.prefixes._converter
    for namespace in converter.reverse_prefix_map:
        for iri in (namespace, namespace[:-1], f"{namespace}1", f"{namespace}x/y_1\n2", f"x{namespace}"):
            assert model.prefixes.curie(iri) == (converter.compress(iri) or iri)
