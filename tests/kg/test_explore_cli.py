"""``kg paths`` as a researcher types it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg.cli import main
from kg.graph import open_service
from tests.conftest import TINY


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.delenv("KG_DATA", raising=False)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["paths", *map(str, arguments), "--seeds", str(TINY)])


def texts(*arguments: object) -> list[str]:
    answer = run(*arguments, "--format", "json")
    assert answer.exit_code == 0, answer.output
    return [path["text"] for path in json.loads(answer.stdout)["paths"]]


ALPHA, LUPUS, GRAVIS = "alpha-cel", "lupus", "myasthenia gravis"


def test_names_are_labels_synonyms_or_identifiers() -> None:
    expected = texts("therapy:alpha", "MONDO:0007915")
    assert texts("alpha-cel", "SLE") == texts("A-001", "DOID:9074") == expected


def test_a_table_shows_score_direction_and_confidence() -> None:
    answer = run(ALPHA, LUPUS, "--metapath", "evaluatedIn, studies")
    assert answer.exit_code == 0
    assert "alpha-cel ←evaluates 0.90— Alpha-cel in lupus —studies 0.90→ systemic lupus erythematosus" in answer.stdout
    assert "Paths 1 to 1 of 1." in answer.stdout


def test_every_option_reaches_the_search() -> None:
    everything = texts(ALPHA, LUPUS, "--max-length", 3)
    narrowed = [
        ["--relations", "investigatedFor"],
        ["--kinds", "Target,CellPopulation"],
        ["--via", "B cell"],
        ["--avoid", "B cell"],
        ["--min-confidence", "0.6"],
        ["--direction", "out"],
        ["--sign", "-1"],
        ["--levels", "NEWS_REPORT,MECHANISTIC"],
        ["--without", "B cell"],
        ["--without", "study:alpha-cohort"],
        ["--as-of", "2020-12-31"],
        ["--shortest"],
        ["--first", "1"],
        ["--max-length", "2"],
        ["--min-length", "2"],
    ]
    for options in narrowed:
        found = texts(ALPHA, LUPUS, "--max-length", 3, *options)
        assert 0 < len(found) < len(everything), options
    assert texts(ALPHA, LUPUS, "--order", "length") != texts(ALPHA, LUPUS, "--order", "novelty")
    assert len(texts(ALPHA, LUPUS, "--from", "beta-cel", "--to", GRAVIS)) > len(everything)
    assert len(texts("gammamab", LUPUS, "--max-length", 1)) == 1
    assert run("gammamab", LUPUS, "--max-length", 1, "--undisputed").exit_code == 1
    assert set(texts(ALPHA, LUPUS, "--max-length", 3, "--diverse")) == set(everything)


def test_assumptions_are_marked() -> None:
    found = texts(
        "beta-cel", GRAVIS, "--assume", "beta-cel depletes plasma cell = 0.7", "--metapath", "depletes,drives"
    )
    assert found == ["beta-cel depletes (assumed) plasma cells, which drive myasthenia gravis"]
    assert "depletes 0.70 assumed" in run("beta-cel", GRAVIS, "--assume", "beta-cel depletes plasma cell=0.7").stdout


def test_no_path_exits_1_and_says_why_and_what_to_do() -> None:
    answer = run(ALPHA, GRAVIS, "--metapath", "targets,expressedOn,drives")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert "metapath leaves none" in answer.stderr
    shown = json.loads(run(ALPHA, LUPUS, "--max-length", 1, "--relations", "treats", "--format", "json").stdout)
    assert shown["paths"] == []
    assert "Add investigatedFor to relations: 1 path" in shown["whyNot"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["alfa-cell", LUPUS], "Did you mean therapy:alpha"),
        ([ALPHA, ALPHA], "stands in both"),
        ([ALPHA, LUPUS, "--metapath", "targts"], "Did you mean targets"),
        ([ALPHA, LUPUS, "--assume", "nonsense"], "says no assumption"),
        ([ALPHA, LUPUS, "--assume", "alpha-cel deplets lupus"], "Did you mean depletes"),
        ([ALPHA, LUPUS, "--assume", "alpha-cel depletes lupus"], "leads Therapy → CellPopulation"),
        ([ALPHA, LUPUS, "--assume", "alpha-cel treats lupus=1.2.3"], "no number"),
        ([ALPHA, LUPUS, "--without", "nothing"], "a source or a study"),
        ([ALPHA, LUPUS, "--after", "x"], "no cursor"),
    ],
)
def test_mistakes_exit_2_with_a_sentence(arguments: list[str], words: str) -> None:
    answer = run(*arguments)
    assert answer.exit_code == 2
    assert words in answer.stderr
    assert answer.stderr.startswith("kg: ")


def test_drawings_are_written_by_the_name_of_the_file(tmp_path: Path) -> None:
    for suffix in ("svg", "dot", "json"):
        assert run(ALPHA, LUPUS, "-o", tmp_path / f"how.{suffix}").exit_code == 0
    picture = ET.parse(tmp_path / "how.svg")  # noqa: S314 - our own output
    assert picture.getroot().tag.endswith("svg")
    assert (tmp_path / "how.dot").read_text(encoding="utf-8").startswith("digraph")
    assert json.loads((tmp_path / "how.json").read_text(encoding="utf-8"))["totalCount"] > 0
    assert run(ALPHA, LUPUS, "-o", tmp_path / "how.txt").exit_code == 0
    assert "\x1b[" not in (tmp_path / "how.txt").read_text(encoding="utf-8")


def test_the_next_page_goes_on_and_limits_are_reported() -> None:
    first = json.loads(run(ALPHA, LUPUS, "--first", 2, "--format", "json").stdout)
    rest = texts(ALPHA, LUPUS, "--first", 1000, "--after", first["endCursor"])
    assert [path["text"] for path in first["paths"]] + rest == texts(ALPHA, LUPUS, "--first", 1000)
    cut = run(ALPHA, LUPUS, "--steps", 1)
    assert cut.exit_code == 1
    assert "limit of steps" in cut.stderr
    assert run(ALPHA, LUPUS, "--seconds", 0).exit_code == 1


def test_a_data_folder_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    service = open_service(tmp_path / "data", seeds=TINY)
    service.store.close()
    answer = CliRunner().invoke(main, ["paths", ALPHA, LUPUS, "--data", str(tmp_path / "data"), "--format", "json"])
    assert json.loads(answer.stdout)["graph"] == {"version": 1, "asOf": None}
