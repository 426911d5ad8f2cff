"""A table built from an ontology says which identifiers exist and what replaced those that do not."""

import gzip
from pathlib import Path

import pytest

from kg import Model
from kg.cli.schema import _curies
from kg.errors import BadInput
from kg.model import data_folder
from kg.ontologies import build
from kg.reference import BUILT_IN, Reference, load_reference
from tests.conftest import SHARED_REFERENCE, TINY

OBO = """format-version: 1.2
data-version: xo/releases/2026-01-02/xo.obo
ontology: xo
property_value: http://purl.org/dc/terms/license "https://example.org/by/4.0" xsd:string

[Term]
id: XO:1
name: thing ! with a comment
alt_id: XO:9

[Term]
id: XO:2
name: small thing
is_a: XO:1 ! thing

[Term]
id: XO:3
name: obsolete gizmo
is_obsolete: true
replaced_by: XO:2

[Term]
id: CL:0000000
name: imported

[Typedef]
id: part_of
name: part of
"""
OWL = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
 xmlns:owl="http://www.w3.org/2002/07/owl#" xmlns:obo="http://purl.obolibrary.org/obo/" xmlns:dcterms="http://purl.org/dc/terms/">
<owl:Ontology rdf:about="http://purl.obolibrary.org/obo/xo.owl"><owl:versionInfo>2026-01-02</owl:versionInfo>
 <dcterms:license rdf:resource="https://example.org/by/4.0"/></owl:Ontology>
<owl:Class rdf:about="http://purl.obolibrary.org/obo/XO_1"><rdfs:label>thing</rdfs:label></owl:Class>
<owl:Class rdf:about="http://purl.obolibrary.org/obo/XO_2"><rdfs:label>small thing</rdfs:label>
 <rdfs:subClassOf rdf:resource="http://purl.obolibrary.org/obo/XO_1"/></owl:Class>
<owl:Class rdf:about="http://purl.obolibrary.org/obo/XO_3"><rdfs:label>obsolete gizmo</rdfs:label>
 <owl:deprecated>true</owl:deprecated><obo:IAO_0100001 rdf:resource="http://purl.obolibrary.org/obo/XO_2"/></owl:Class>
</rdf:RDF>"""


def table(folder: Path, text: str) -> Reference:
    (folder / "table.tsv.gz").write_bytes(gzip.compress(text.encode()))
    return load_reference(folder / "table.tsv.gz")


@pytest.mark.parametrize(("name", "text"), [("xo.obo", OBO), ("xo.owl", OWL)])
def test_obo_and_owl_give_labels_and_replacements(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_text(text, encoding="utf-8")
    found = table(tmp_path, build(tmp_path / "in"))
    assert {
        t.curie: (t.label, t.obsolete, t.replaced_by) for t in found.tables["XO"].terms.values() if t.curie != "XO:9"
    } == {
        "XO:1": ("thing", False, None),
        "XO:2": ("small thing", False, None),
        "XO:3": ("obsolete gizmo", True, "XO:2"),
    }
    assert (found.tables["XO"].version, found.tables["XO"].licence) == ("2026-01-02", "https://example.org/by/4.0")
    assert found.tables["XO"].complete
    assert set(found.tables) == {"XO"}, "imported terms belong to another ontology"


def test_an_alternative_identifier_is_obsolete(tmp_path: Path) -> None:
    (tmp_path / "xo.obo.gz").write_bytes(gzip.compress(OBO.encode()))
    assert "XO:9\tthing\tobsolete\tXO:1\n" in build(tmp_path)


def test_a_part_holds_the_neighbourhood_and_says_it_is_partial(tmp_path: Path) -> None:
    (tmp_path / "xo.obo").write_text(OBO + "\n[Term]\nid: XO:4\nname: unrelated\n", encoding="utf-8")
    text = build(tmp_path, {"XO:2"})
    assert "partial\n" in text
    assert [line.split("\t")[0] for line in text.splitlines() if line.startswith("XO")] == ["XO:1", "XO:2", "XO:3"]


def test_a_folder_without_ontologies_says_what_it_looks_for(tmp_path: Path) -> None:
    (tmp_path / "bad.obo").write_text("[Term]\nname: x\n", encoding="utf-8")
    with pytest.raises(BadInput, match="no identifiers"):
        build(tmp_path)
    (tmp_path / "bad.obo").unlink()
    with pytest.raises(BadInput, match=r"no \*\.obo, \*\.owl"):
        build(tmp_path)


def test_the_built_in_table_covers_the_seeds_and_names_its_licences(model: Model) -> None:
    found = load_reference()
    assert BUILT_IN.stat().st_size < 400_000
    used = _curies([data_folder("seeds"), TINY], model)
    missing = [c for c in used if c.startswith(("MONDO:", "CL:", "HP:", "HGNC:")) and found.term(c) is None]
    assert missing == []
    assert all(table.licence and table.version for table in found.tables.values())


@pytest.mark.skipif(not SHARED_REFERENCE.is_dir(), reason="the full reference tables are not beside this checkout")
def test_building_twice_gives_the_same_bytes(model: Model) -> None:
    only = {"MONDO:0007915", "HGNC:1633"}
    assert build(SHARED_REFERENCE, only) == build(SHARED_REFERENCE, only)
