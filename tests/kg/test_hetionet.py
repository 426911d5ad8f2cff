"""Hetionet as a second domain: a schema folder and files are enough, and both ways of reading them agree."""

import gzip
from pathlib import Path

import pytest

from kg import open_graph
from kg.checking import check
from kg.graph import read_files
from kg.published import Follower
from tests.benchmarks.hetionet import importer
from tests.benchmarks.hetionet.__main__ import main
from tests.benchmarks.hetionet.importer import KINDS, RELATIONS, fingerprint, hetionet_model, snapshot, write

IDS = {
    "Anatomy": ("UBERON:0000002", "UBERON:0000004"),
    "Compound": ("DB00014", "DB00035"),
    "Disease": ("DOID:263", "DOID:1909"),
    "Gene": ("1", "10"),
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder like Hetionet's, with two nodes of each kind and two edges of each relation; none is a fact."""

    def put(path: Path, *rows: tuple[str, ...]) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress("".join("\t".join(row) + "\n" for row in rows).encode()))

    for kind in KINDS:
        names = [(identifier, f'{kind} "{identifier}"') for identifier in IDS[kind]]
        put(tmp_path / "nodes" / f"{kind.lower()}.tsv.gz", ("id", "name"), *names)
    for name in RELATIONS:
        start, _, end = name.split("_")
        ends = ((IDS[start][0], IDS[end][1]), (IDS[start][1], IDS[end][0]))
        put(tmp_path / "edges" / f"{name}.tsv.gz", (":START_ID", ":END_ID"), *ends)
    return tmp_path


def test_the_schema_has_hetionets_kinds_and_its_sixteen_relations() -> None:
    model = hetionet_model()
    assert tuple(sorted(model.kind)) == KINDS
    assert set(model.relation) == set(RELATIONS.values())
    assert model.predicts == ("treats",)
    for name, relation in RELATIONS.items():
        start, _, end = name.split("_")
        assert list(model.relation[relation].pairs()) == [(start, end)]


def test_what_hetionet_calls_undirected_is_symmetric() -> None:
    undirected = {"compoundResembles", "diseaseResembles", "interactsWith", "covariesWith"}
    assert {relation.name for relation in hetionet_model().relations if relation.symmetric} == undirected


def test_the_written_files_pass_every_check(files: Path, tmp_path: Path) -> None:
    documents = read_files([write(tmp_path / "nt", files)])
    assert check(documents, hetionet_model()) == []


def test_loading_the_files_and_going_straight_give_the_same_graph(files: Path, tmp_path: Path) -> None:
    loaded = open_graph(schema=importer.SCHEMA, seeds=write(tmp_path / "nt", files))
    straight = snapshot(files)
    assert loaded.edge_count == 2 * len(RELATIONS)
    assert fingerprint(loaded) == fingerprint(straight)
    assert loaded.sources == straight.sources
    assert loaded.assertions[0].evidence == straight.assertions[0].evidence
    for one, other in zip(loaded.entities.values(), straight.entities.values(), strict=True):
        assert (one.curie, one.iri, one.label, one.url) == (other.curie, other.iri, other.label, other.url)


@pytest.mark.parametrize("shared", [False, True])
def test_genes_and_compounds_resolve_by_the_names_people_use(files: Path, shared: bool) -> None:
    graph = snapshot(files, shared=shared)
    assert graph.entity("ENTREZ:10").entrez == "10"
    assert graph.entity("DrugBank:DB00014").drugbank == "DB00014"
    assert graph.edge_count == 2 * len(RELATIONS)


def test_a_share_keeps_the_same_edges_every_time(files: Path) -> None:
    halves = [{row.iri for row in importer.edges(files, 0.5)} for _ in range(2)]
    assert halves[0] == halves[1]
    assert 0 < len(halves[0]) < 2 * len(RELATIONS)


@pytest.mark.parametrize("store", [[], ["--store"]])
def test_larger_graphs_are_joined_copies_that_a_service_can_open(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: list[str]
) -> None:
    """Of 32 edges, 64: every relation twice as often; another folder's graph is left as it is."""
    command = ["hetionet", "--files", str(files), "grow", "64", str(tmp_path / "grown"), *store]
    monkeypatch.setattr("sys.argv", command)
    main()
    assert "16 entities, 64 edges" in capsys.readouterr().out
    graph = Follower(tmp_path / "grown", hetionet_model()).snapshot
    assert set(graph.relation_counts.values()) == {4}
    with pytest.raises(SystemExit, match="there already"):
        main()
