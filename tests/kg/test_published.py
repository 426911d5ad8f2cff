"""Snapshots published beside a store: starting from them, following them, and doing without them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from kg import GraphService, Model
from kg.cli import main
from kg.documents import Document
from kg.errors import StoreDamaged
from kg.exploration import Graph
from kg.graph import open_service
from kg.keeping import opened
from kg.projection import project
from kg.published import FOLDER, Follower, Published, current
from kg.reading import name_nodes, read_text
from kg.store import Store
from tests.conftest import ROOT, TINY
from tests.server.writing import NEW_CLAIM, NEW_THERAPY


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data folder with the tiny graph at version 1, published."""
    open_service(tmp_path / "data", seeds=TINY).close()
    return tmp_path / "data"


def document(text: str, name: str = "new.ttl") -> Document:
    return name_nodes(read_text(text.encode(), "ttl", name))


def facts(graph: Graph) -> list[tuple[object, ...]]:
    return [(a.id, a.subject.curie, a.relation, a.object.curie, a.confidence, a.evidence) for a in graph.assertions]


def built(data: Path, model: Model) -> Graph:
    """Return the graph read from the store itself."""
    with Store(data) as store:
        return Graph(model, project(store.triples(), model), GraphService(store, model).snapshot.version)


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return how often a snapshot was made by reading a whole store."""
    count = 0
    make = GraphService._build

    def counted(self: GraphService) -> Graph:
        nonlocal count
        count += 1
        return make(self)

    monkeypatch.setattr(GraphService, "_build", counted)
    return lambda: count


def test_a_start_takes_what_is_published_instead_of_reading_the_store(
    data: Path, model: Model, unbuilt: Callable[[], int]
) -> None:
    service = open_service(data)
    assert unbuilt() == 0
    assert service.snapshot.version.message == f"first load of {TINY.name}"
    found = facts(service.snapshot)
    service.close()
    assert unbuilt() == 0
    assert found == facts(built(data, model))


def test_after_a_first_load_from_the_command_line_nothing_is_read_again(
    tmp_path: Path, model: Model, unbuilt: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is much: the snapshot is written with the store. For little it is not worth the files."""
    monkeypatch.setattr("kg.graph.ADVANCE_QUADS", 10)
    data = tmp_path / "data"
    done = CliRunner().invoke(main, ["load", str(TINY), "--data", str(data), "--message", "all of it"])
    assert done.exit_code == 0, done.output
    before = unbuilt()
    service = open_service(data)
    found, version = facts(service.snapshot), service.snapshot.version
    service.close()
    assert unbuilt() == before
    assert version.message == "all of it"
    assert found == facts(built(data, model))


def test_what_two_files_say_alike_is_there_once_after_a_first_load(tmp_path: Path, model: Model) -> None:
    """The graph that a first load leads to was made of all statements, and had the assertions of both files."""
    said = [document(file.read_text("utf-8"), f"{copy}/{file.name}") for copy in "ab" for file in TINY.rglob("*.ttl")]
    with Store(tmp_path / "data") as store:
        service = GraphService(store, model)
        plan = service.plan(said)
        service.apply(plan, message="the same twice")
        found = facts(service.snapshot)
    assert len(plan.diff.assertions_added) == len(found)
    assert found == facts(built(tmp_path / "data", model))


def test_changes_since_then_are_caught_up_with(data: Path, model: Model, unbuilt: Callable[[], int]) -> None:
    with Store(data) as store:  # as a command does that keeps no snapshot, or a service that is killed
        store.load([document(NEW_THERAPY)], message="one", author="a")
        store.load([document(NEW_CLAIM)], message="two", author="a")
    service = open_service(data)
    assert unbuilt() == 0
    assert service.snapshot.version.number == 3
    assert service.snapshot.version.message == "two"
    found = facts(service.snapshot)
    service.close()
    assert found == facts(built(data, model))


def test_another_schema_makes_the_snapshot_anew(data: Path, tmp_path: Path, unbuilt: Callable[[], int]) -> None:
    schema = tmp_path / "schema"
    shutil.copytree(ROOT / "schema", schema)
    ontology = schema / "ontology.ttl"
    ontology.write_text(ontology.read_text(encoding="utf-8").replace("kg:strength 0.9 ", "kg:strength 0.89 "), "utf-8")
    for _ in range(2):
        open_service(data, schema).close()
        assert unbuilt() == 1


def test_the_wrong_schema_does_not_cost_the_snapshot_of_the_right_one(data: Path, unbuilt: Callable[[], int]) -> None:
    """Under which the data says nothing: a large graph would have to be read again."""
    wrong = open_service(data, ROOT / "tests" / "benchmarks" / "hetionet" / "schema", seeds=TINY)
    assert not wrong.snapshot.edge_count
    wrong.close()
    before = unbuilt()
    open_service(data, seeds=TINY).close()
    assert unbuilt() == before


@pytest.mark.parametrize("damage", ["flipped", "short", "gone", "nonsense"])
def test_a_damaged_snapshot_is_made_anew(data: Path, model: Model, unbuilt: Callable[[], int], damage: str) -> None:
    name = current(data / FOLDER)
    assert name
    file = data / FOLDER / name / "confidences.rows"
    if damage == "flipped":
        content = bytearray(file.read_bytes())
        content[-3] ^= 1
        file.write_bytes(content)
    elif damage == "short":
        file.write_bytes(file.read_bytes()[:-8])
    elif damage == "gone":
        shutil.rmtree(data / FOLDER / name)
    else:
        (data / FOLDER / "current").write_text("../../elsewhere", encoding="utf-8")
    service = open_service(data)
    assert unbuilt() == 1
    found = facts(service.snapshot)
    service.close()
    assert found == facts(built(data, model))
    before = unbuilt()
    open_service(data).close()
    assert unbuilt() == before


def test_a_store_put_back_from_before_is_not_served_from_a_later_snapshot(
    data: Path, tmp_path: Path, unbuilt: Callable[[], int]
) -> None:
    with Store(data) as store:
        store.backup(tmp_path / "old")
    service = open_service(data)
    service.load([document(NEW_THERAPY)], message="one", author="a")
    service.close()
    shutil.rmtree(data / "graph")
    (data / "head.json").unlink()
    shutil.copytree(tmp_path / "old" / "graph", data / "graph")
    shutil.copy(tmp_path / "old" / "head.json", data / "head.json")
    service = open_service(data)
    assert (service.snapshot.version.number, unbuilt()) == (1, 1)
    service.load([document(NEW_CLAIM)], message="another second change", author="a")
    assert service.snapshot.version.message == "another second change"
    service.close()


def test_a_follower_changes_over_and_keeps_the_last_graph_where_the_next_is_bad(data: Path, model: Model) -> None:
    service = open_service(data, publish="all")
    follower = Follower(data, model)
    before = follower.snapshot
    assert not follower.look()
    service.load([document(NEW_THERAPY)], message="one", author="a")
    assert follower.look()
    assert (before.version.number, follower.snapshot.version.number) == (1, 2)
    assert follower.snapshot.columns.sources is before.columns.sources  # what is the same is not read again
    assert facts(before)  # whoever reads the last one goes on
    assert facts(follower.snapshot) == facts(service.snapshot)
    service.load([document(NEW_CLAIM)], message="two", author="a")
    name = current(data / FOLDER)
    assert name
    (data / FOLDER / name / "about.json").unlink()
    with pytest.raises(StoreDamaged):
        follower.look()
    assert follower.snapshot.version.number == 2
    assert not follower.look()  # says so once
    service.close()


def test_only_the_last_two_snapshots_are_kept(data: Path) -> None:
    service = open_service(data, publish="all")
    for n in range(5):
        service.load([document(NEW_THERAPY.replace("delta", f"delta{n}"))], message=str(n), author="a")
    service.close()
    assert len([path for path in (data / FOLDER).iterdir() if path.is_dir()]) == 2


def test_a_disk_that_takes_no_snapshot_keeps_nobody_from_writing(
    data: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = open_service(data, publish="all")

    def full(self: Published, snapshot: Graph) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Published, "publish", full)
        service.load([document(NEW_THERAPY)], message="one", author="a")
        assert service.publishing_failed
        assert service.snapshot.version.number == 2
    service.load([document(NEW_CLAIM)], message="two", author="a")
    assert service.publishing_failed is None
    assert Follower(data, model).snapshot.version.number == 3
    service.close()


def test_reading_a_folder_that_another_process_holds_publishes_nothing(data: Path, model: Model) -> None:
    shutil.rmtree(data / FOLDER)
    with Store(data), opened(data) as copy:
        assert GraphService.reading(copy, model, data).snapshot.version.number == 1
    assert not (data / FOLDER).exists()
