"""The curated graph: right identifiers, complete evidence, and as much of it as was promised."""

import csv
import gzip
import re
from collections import Counter
from pathlib import Path

import pytest

from kg import Model, Snapshot
from kg.checking import check
from kg.graph import builtin_reference, read_files
from kg.model import data_folder
from kg.ontologies import build
from kg.reading import files_under
from kg.reference import load_reference
from tests.conftest import ROOT, SHARED_REFERENCE

SEEDS = data_folder("seeds")
FILES = files_under([SEEDS])


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_every_file_says_what_it_is(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# ")


def test_the_seeds_have_no_problems(model: Model) -> None:
    """SHACL, kinds, levels, dates, identifiers, labels: errors and warnings alike."""
    found = check(read_files([SEEDS]), model, builtin_reference())
    assert [str(d) for d in found] == []


def test_pyshacl_agrees_that_the_seeds_conform(model: Model) -> None:
    """The fast engine has one author; the slow one is the second opinion."""
    pyshacl = pytest.importorskip("pyshacl")
    from rdflib import Graph

    data = Graph()
    data += model.shapes  # the schema's own nodes too, such as the evidence levels that sh:class asks for
    for file in FILES:
        data.parse(file, format="turtle")
    conforms, _, text = pyshacl.validate(data, shacl_graph=model.shapes)
    assert conforms, text


@pytest.mark.skipif(not SHARED_REFERENCE.is_dir(), reason="the full reference tables are not beside this checkout")
def test_every_identifier_is_current_in_the_full_tables(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "full.tsv"
    path.write_text(build(SHARED_REFERENCE), encoding="utf-8")
    found = check(read_files([SEEDS]), model, load_reference(path))
    assert [str(d) for d in found] == []


@pytest.mark.skipif(not SHARED_REFERENCE.is_dir(), reason="the full reference tables are not beside this checkout")
def test_targets_agree_with_hgnc_and_uniprot(seed_graph: Snapshot) -> None:
    with gzip.open(SHARED_REFERENCE / "hgnc.tsv.gz", "rt", encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    wrong = []
    for target in seed_graph.by_kind["Target"]:
        row = rows.get(target.curie)
        if row:
            pairs = (
                (target.symbol, row["symbol"]),
                (target.ensembl, row["ensembl"]),
                (target.uniprot, row["uniprot_swissprot_2026_01"]),
            )
            wrong += [
                (target.curie, ours, theirs)
                for ours, theirs in pairs
                if ours and theirs and ours not in theirs.split("|")
            ]
    assert wrong == []


@pytest.mark.parametrize(
    ("kind", "least"),
    [("Therapy", 40), ("Target", 20), ("CellPopulation", 25), ("Disease", 35), ("Trial", 40), ("Risk", 30)],
)
def test_there_is_enough_of_each_kind(seed_graph: Snapshot, kind: str, least: int) -> None:
    assert len(seed_graph.by_kind[kind]) >= least


def test_there_are_enough_assertions_each_with_evidence_of_known_origin(seed_graph: Snapshot) -> None:
    assert len(seed_graph.assertions) >= 600
    unverified = [e.id for a in seed_graph.assertions for e in a.evidence if e.verification is None]
    assert unverified == []
    assert all(e.comment for a in seed_graph.assertions for e in a.evidence)


def test_nothing_stands_alone(seed_graph: Snapshot) -> None:
    assert [
        e.curie
        for e in seed_graph.entities.values()
        if not e.degree and not any(e in (a.subject, a.object) for a in seed_graph.assertions)
    ] == []


def test_doubt_is_recorded_too(seed_graph: Snapshot) -> None:
    """A graph that only agrees with itself was not curated."""
    directions = Counter(e.direction for a in seed_graph.assertions for e in a.evidence)
    assert directions["CONTRADICTS"] >= 3
    assert any(a.relation == "testedWithoutEffect" for a in seed_graph.assertions)
    assert any(e.count is not None for a in seed_graph.assertions for e in a.evidence)


def test_no_sentence_of_the_article_was_copied() -> None:
    article = ROOT.parent / "shared" / "seed-article.txt"
    if not article.exists():
        pytest.skip("the article is not beside this checkout")

    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}

    copied = runs(article.read_text(encoding="utf-8")) & runs(" ".join(f.read_text(encoding="utf-8") for f in FILES))
    assert copied == set()
