"""What p-values of a large graph took lies with its snapshot: made once, read by others, used only where it fits."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import kg.nulls
from kg import HypothesisConstraints, Model, Snapshot
from kg.budget import Budget
from kg.cli import main
from kg.exploration import Graph
from kg.findings import HypothesisPage
from kg.graph import open_service
from kg.hypotheses import hypotheses
from kg.matrices import PathCounter
from kg.overlay import Assumption, scenario
from kg.published import FOLDER, Follower, Published, current
from kg.tallies import Beside
from tests.conftest import ROOT, TINY

LUPUS, DIABETES = "MONDO:0007915", "MONDO:0005147"
WHERE = HypothesisConstraints(gaps=0, arguments=0, paths=1, permutations=4)


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the seeds as large."""
    monkeypatch.setattr("kg.significance.LARGE", 10)


@pytest.fixture
def permuted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return how often a relation was permuted since it was last asked."""
    calls: list[str] = []
    make = kg.nulls.permute
    monkeypatch.setattr(kg.nulls, "permute", lambda *given: (calls.append(given[-1]), make(*given))[1])

    def count() -> int:
        number = len(calls)
        calls.clear()
        return number

    return count


@pytest.fixture
def folder(seed_graph: Graph, model: Model, tmp_path: Path) -> Path:
    """Return a folder in which the seeds are published."""
    graph = Graph(model, seed_graph.columns, seed_graph.version)
    Published(tmp_path / "published", model).publish(graph)
    return tmp_path / "published"


def ask(graph: Snapshot, where: HypothesisConstraints = WHERE, disease: str = LUPUS) -> HypothesisPage:
    return hypotheses(scenario(graph), object=disease, where=where)


def told(page: HypothesisPage) -> list[object]:
    rows = [(h.subject.curie, h.p_value, h.q_value, [c.p_value for c in h.contributions]) for h in page.items]
    return [*rows, page.permutations]


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/tally-*"))


def test_the_next_process_answers_the_same_without_permuting(
    folder: Path, model: Model, permuted: Callable[[], int]
) -> None:
    """And for any list of the same question, to the bit; another question has to be tallied."""
    first = Follower(folder, model).snapshot
    expected = [told(ask(first, disease=disease)) for disease in (LUPUS, DIABETES)]
    assert permuted() > 0
    again = Follower(folder, model).snapshot
    assert [told(ask(again, disease=disease)) for disease in (LUPUS, DIABETES)] == expected
    assert permuted() == 0
    ask(again, HypothesisConstraints(gaps=0, permutations=3))
    assert permuted() > 0
    assert len(files(folder)) == 2


def test_what_others_tallied_meanwhile_is_taken_over(folder: Path, model: Model, permuted: Callable[[], int]) -> None:
    """Processes that serve one snapshot add to one another's permutations."""
    one, two = Follower(folder, model).snapshot, Follower(folder, model).snapshot
    many = replace(WHERE, permutations=30)
    ask(one, HypothesisConstraints(gaps=0, permutations=0))  # so that the budget is for permuting
    few = hypotheses(scenario(one), object=LUPUS, where=many, budget=Budget(2_000), first=1)
    assert few.permutations
    assert 0 < few.permutations.permutations < 30
    whole = ask(two, many)
    assert permuted() > 0
    assert told(ask(one, many)) == told(whole)
    assert permuted() == 0


@pytest.mark.parametrize("damage", ["flipped", "short", "empty", "other"])
def test_a_damaged_file_is_made_again(folder: Path, model: Model, permuted: Callable[[], int], damage: str) -> None:
    expected = told(ask(Follower(folder, model).snapshot))
    (file,) = files(folder)
    content = bytearray(file.read_bytes())
    content[-9] ^= 1
    if damage == "other":
        np.save(file, np.array([[1, 2], [3, 4]]))
    else:
        file.write_bytes({"flipped": bytes(content), "short": content[:-8], "empty": b""}[damage])
    assert permuted() > 0
    assert told(ask(Follower(folder, model).snapshot)) == expected
    assert permuted() > 0
    assert told(ask(Follower(folder, model).snapshot)) == expected
    assert permuted() == 0


def test_a_file_of_another_version_is_not_used(
    seed_graph: Graph, folder: Path, model: Model, permuted: Callable[[], int]
) -> None:
    """Put into its folder by hand, it is not found; and it goes with the snapshot that it is of."""
    ask(Follower(folder, model).snapshot)
    (file,) = files(folder)
    later = Graph(model, seed_graph.columns, type(seed_graph.version)(2, seed_graph.version.store))
    publisher = Published(folder, model)
    publisher.publish(later)
    assert permuted() > 0
    name = current(folder)
    assert name
    shutil.copy(file, folder / name)
    ask(Follower(folder, model).snapshot)
    assert permuted() > 0
    publisher.publish(Graph(model, seed_graph.columns, type(seed_graph.version)(3, seed_graph.version.store)))
    assert not file.exists()


def test_other_code_does_not_use_it(
    folder: Path, model: Model, permuted: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(Follower(folder, model).snapshot)
    permuted()
    monkeypatch.setattr("kg.tallies._code", lambda: b"other")
    ask(Follower(folder, model).snapshot)
    assert permuted() > 0


def test_assumptions_and_the_past_leave_nothing_there(folder: Path, model: Model) -> None:
    """What they give is of no snapshot."""
    graph = Follower(folder, model).snapshot
    assumed = scenario(graph, [Assumption("therapy:cd19-car-t", "depletes", "CL:0000236")])
    hypotheses(assumed, object=LUPUS, where=WHERE)
    day = max(evidence.known_on for a in graph.assertions for evidence in a.evidence).replace(year=2022)
    ask(graph.as_of(day))
    assert not files(folder)


def test_a_folder_that_is_only_read_is_left_alone(folder: Path, model: Model, permuted: Callable[[], int]) -> None:
    """A read-only host uses what it finds, and keeps the rest to itself."""
    expected = told(ask(Follower(folder, model, tally_bytes=0).snapshot))
    assert permuted() > 0
    assert not files(folder)
    ask(Follower(folder, model).snapshot)
    permuted()
    assert told(ask(Follower(folder, model, tally_bytes=0).snapshot)) == expected
    assert permuted() == 0


def test_the_oldest_make_room(tmp_path: Path) -> None:
    """Unfinished files too; what would not fit at all is not written."""
    beside = Beside()
    beside.at(tmp_path, {}, 3_000)
    (tmp_path / "tally-unfinished").write_bytes(bytes(1_000))
    for number in range(3):
        beside.write(str(number), np.full(150, float(number)))  # 1,336 bytes each
    assert beside.read("0") is None
    assert (beside.read("1"), beside.read("2")) == (pytest.approx(np.ones(150)), pytest.approx(np.full(150, 2.0)))
    assert not (tmp_path / "tally-unfinished").exists()
    beside.write("3", np.zeros(1_000))
    assert beside.read("3") is None
    assert beside.read("2") is not None


def test_a_version_that_is_published_only_when_the_service_ends_keeps_its_tallies(
    tmp_path: Path, permuted: Callable[[], int]
) -> None:
    service = open_service(tmp_path / "data", seeds=ROOT / "seeds", publish="some")
    service._published_version = service.snapshot.version.number  # as after a small change
    shutil.rmtree(tmp_path / "data" / FOLDER, ignore_errors=True)
    service.snapshot.beside = Beside()
    expected = told(ask(service.snapshot))
    assert permuted() > 0
    service._published_version = 0
    service.close()
    service = open_service(tmp_path / "data")
    assert told(ask(service.snapshot)) == expected
    assert permuted() == 0
    service.close()


def test_they_are_made_ahead_and_copied_with_the_snapshot(
    tmp_path: Path, model: Model, permuted: Callable[[], int]
) -> None:
    """`kg permute` makes them in a data folder, also where nothing is published yet, and `kg publish` copies them."""
    open_service(tmp_path / "data", seeds=ROOT / "seeds", publish="none").close()
    assert not (tmp_path / "data" / FOLDER).exists()
    done = CliRunner().invoke(main, ["permute", "--data", str(tmp_path / "data"), "--permutations", "4"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("4 degree-preserving permutations (XSwap, seed 0): ")
    assert permuted() > 0
    done = CliRunner().invoke(main, ["publish", str(tmp_path / "copy"), "--data", str(tmp_path / "data")])
    assert done.exit_code == 0, done.output
    page = ask(Follower(tmp_path / "copy", model, tally_bytes=0).snapshot)
    assert page.permutations
    assert permuted() == 0
    done = CliRunner().invoke(main, ["permute", "--data", str(tmp_path / "copy"), "--permutations", "3"])
    assert done.exit_code == 0, done.output
    assert len(files(tmp_path / "copy")) == 3  # of four and of three permutations, and the mean of each metapath


def test_means_that_were_made_ahead_are_not_counted_again(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the same numbers, so the answer is the same; without the file they are counted."""
    open_service(tmp_path / "data", seeds=ROOT / "seeds", publish="all").close()
    counted = []
    mean = PathCounter.mean
    monkeypatch.setattr(PathCounter, "mean", lambda *args: counted.append(args) or mean(*args))
    assert CliRunner().invoke(main, ["permute", "--data", str(tmp_path / "data"), "--permutations", "4"]).exit_code == 0
    assert counted
    published = tmp_path / "data" / FOLDER
    means = min(files(published), key=lambda path: path.stat().st_size)
    counted.clear()
    page = told(ask(Follower(published, model).snapshot))
    assert not counted
    means.unlink()
    assert told(ask(Follower(published, model).snapshot)) == page
    assert counted


def test_small_graphs_are_not_permuted_ahead(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.significance.LARGE", 20_000)
    done = CliRunner().invoke(main, ["permute", "--data", str(folder)])
    assert done.exit_code == 2
    assert "fewer than 20,000 edges" in done.output


def test_what_a_running_service_has_not_published_is_said_and_what_to_do(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    service = open_service(tmp_path / "data", seeds=TINY, publish="none")
    done = CliRunner().invoke(main, ["permute", "--data", data, "--permutations", "4"])
    assert (done.exit_code, "has not published version 1 yet" in done.output) == (2, True)
    assert CliRunner().invoke(main, ["publish", str(tmp_path / "copy"), "--data", data]).exit_code == 0
    done = CliRunner().invoke(main, ["permute", "--data", str(tmp_path / "copy"), "--permutations", "4"])
    assert done.exit_code == 0, done.output
    service.close()
