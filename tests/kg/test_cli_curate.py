"""The commands of a curator, as typed: check, load, look back, undo, format, convert, keep safe."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg.cli import COMMANDS, main
from kg.store import Store
from tests.conftest import TINY

Run = Callable[..., Result]
TEXT = (TINY / "tiny.ttl").read_text(encoding="utf-8")


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def data(run: Run, tmp_path: Path) -> Path:
    """A store of the tiny graph, and then of it with one label changed."""
    assert run("load", TINY, "--data", tmp_path / "data", "-m", "first", "--author", "ada").exit_code == 0
    second = write(tmp_path / "tiny.ttl", TEXT.replace('"beta-cel"', '"beta-cell"'))
    assert run("load", second, "--data", tmp_path / "data", "-m", "rename").exit_code == 0
    return tmp_path / "data"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# ---------------------------------------------------------------- checking
def test_check_draws_a_caret_and_sums_up(run: Run, tmp_path: Path) -> None:
    bad = write(
        tmp_path / "bad.ttl",
        TEXT.replace(
            "  kg:evidence [ dcterms:source <https://example.org/rct>",
            "  kg:evidence [ dcterms:sources <https://example.org/rct>",
        ),
    )
    result = run("check", bad)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    at = next(i for i, line in enumerate(lines) if "exactly one dcterms:source" in line)
    assert re.match(
        r"bad\.ttl:\d+:\d+: error: evidence of the assertion “therapy:gamma treats MONDO:0007915”", lines[at]
    )
    column = int(lines[at].split(":")[2])
    assert lines[at + 2].index("^") == len("        | ") + column - 1
    assert lines[at + 1][len("        | ") + column - 1] == "["
    assert lines[-1].startswith("1 file, ")


def test_check_goes_on_past_syntax_errors_in_all_files(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "a.ttl", "@prefix x: <http://x/> .\nx:a x:b .\nx:c x:d 1 .\nx:e .\n")
    write(tmp_path / "b.jsonld", '{"@id": }')
    write(tmp_path / "c.tsv", "subject\trelaton\n")
    found = json.loads(run("check", tmp_path, "--format", "json").output)
    assert [(d["source"], d["line"], d["code"]) for d in found] == [
        ("a.ttl", 2, "syntax"),
        ("a.ttl", 4, "syntax"),
        ("b.jsonld", 1, "syntax"),
        ("c.tsv", 1, "syntax"),
    ]


def test_warnings_fail_only_when_strict_and_advice_comes_only_when_asked(run: Run, tmp_path: Path) -> None:
    extra = '\n<https://example.org/unused> a kg:Source ; kg:sourceKind kg:NewsArticle ; dcterms:bibliographicCitation "U" .\n'
    file = write(tmp_path / "t.ttl", TEXT + extra)
    assert "0 errors, 1 warning" in run("check", file).output
    assert (run("check", file).exit_code, run("check", file, "--strict").exit_code) == (0, 1)
    assert "rests on one weak source" in run("check", file, "--pedantic").output


def test_check_against_a_store_knows_what_is_there(run: Run, data: Path, tmp_path: Path) -> None:
    head = "\n".join(line for line in TEXT.splitlines() if line.startswith("@prefix"))
    start = TEXT.index("[] a kg:Assertion ; rdf:subject therapy:beta ; rdf:predicate kg:targets")
    claim = write(tmp_path / "claim.ttl", f"{head}\n{TEXT[start : TEXT.index('[] a', start + 2)]}")
    assert run("check", claim).exit_code == 1
    assert run("check", claim, "--against", data).exit_code == 0


# ---------------------------------------------------------------- loading
def test_load_prints_the_diff_in_a_curators_terms(run: Run, tmp_path: Path) -> None:
    output = run("load", TINY, "--data", tmp_path / "d").output
    assert "entities: 14 added; assertions: 17 added; sources: 4 added" in output
    assert "+ 3 Therapy entities added" in output
    assert "+ 2 targets assertions added" in output
    assert re.search(r"Version 1: \d+ quads added, 0 removed \([\d,]+/s\)", output)
    changed = write(tmp_path / "tiny.ttl", TEXT.replace('"beta-cel"', '"beta-cell"'))
    output = run("load", changed, "--data", tmp_path / "d", "--dry-run").output
    assert "~ 1 Therapy entities changed" in output
    assert "label: beta-cel → beta-cell" in output
    assert "nothing was changed" in output


def test_load_refuses_with_the_same_messages_as_check(run: Run, data: Path, tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.ttl", TEXT.replace("kg:modality kg:CarT ;", "kg:modality kg:CarTee ;", 1))
    result = run("load", bad, "--data", data)
    assert result.exit_code == 1
    assert "Did you mean kg:CarT" in result.output
    assert "nothing was loaded" in result.output


# ---------------------------------------------------------------- looking back
def test_show_and_diff_tell_who_why_and_what(run: Run, data: Path) -> None:
    shown = run("show", 2, "--data", data).output
    assert "rename" in shown
    assert "tiny.ttl  sha256 " in shown
    assert "label: beta-cel → beta-cell" in shown
    assert "label: beta-cell → beta-cel" in run("diff", 2, 1, "--data", data).output
    found = json.loads(run("diff", 0, 2, "--data", data, "--format", "json").output)
    assert found["counts"]["entities_added"] == 14
    quads = run("show", 2, "--data", data, "--quads").output.splitlines()
    assert sorted(line[0] for line in quads) == ["+", "-"]


def test_a_version_that_is_not_there_is_one_sentence(run: Run, data: Path) -> None:
    for command in (("show", 9), ("diff", 1, 9), ("revert", 9), ("export", "--at", 9)):
        result = run(*command, "--data", data)
        assert result.exit_code == 2, command
        assert "The graph has the versions 1 to 2." in result.output


def test_revert_undoes_and_names_what_is_in_its_way(run: Run, data: Path) -> None:
    first = run("export", "--at", 1, "--data", data).output
    assert "nothing was changed" in run("revert", 2, "--data", data, "--dry-run").output.lower()
    assert "Version 3" in run("revert", 2, "--data", data, "-m", "no").output
    assert run("export", "--data", data).output == first
    assert "Undoes version 2." in run("show", 3, "--data", data).output
    result = run("revert", 2, "--data", data)
    assert result.exit_code == 2
    assert "by version 3" in result.output


def test_history_in_three_formats(run: Run, data: Path) -> None:
    assert "rename" in run("history", "--data", data).output
    assert [e["version"] for e in json.loads(run("history", "--data", data, "--format", "json").output)] == [2, 1]
    assert "wasAssociatedWith" in run("history", "--data", data, "--format", "ttl").output


@pytest.mark.parametrize("format_", ["nq", "trig", "nt", "ttl", "jsonld", "rdf"])
def test_an_export_in_any_format_loads_to_the_same_graph(run: Run, data: Path, tmp_path: Path, format_: str) -> None:
    file = tmp_path / f"all.{format_}"
    assert run("export", "--data", data, "--format", format_, "-o", file).exit_code == 0
    assert run("load", file, "--data", tmp_path / "copy").exit_code == 0
    both = [run("export", "--data", d, "--format", "nt").output for d in (data, tmp_path / "copy")]
    assert both[0] == both[1]


# ---------------------------------------------------------------- files
def test_new_prints_a_skeleton_and_a_table(run: Run) -> None:
    assert "therapy:ID a kg:Therapy" in run("new", "therapy").output
    assert "CLINICALTRIALS:NCT01234567 a kg:Trial" in run("new", "trial", "--id", "CLINICALTRIALS:NCT01234567").output
    assert run("new", "assertions").output.startswith("subject\trelation\tobject\t")
    assert "known are therapy" in run("new", "nothing").output


@pytest.mark.parametrize("kind", ["therapy", "target", "cellpopulation", "disease", "trial", "risk"])
def test_a_skeleton_that_nobody_filled_in_is_no_file_to_load(run: Run, tmp_path: Path, kind: str) -> None:
    """What is in CAPITALS is named, with its place."""
    file = write(tmp_path / "new.ttl", run("new", kind).output)
    checked = run("check", file)
    assert checked.exit_code == 1
    assert "the identifier" in checked.output
    assert "rdfs:label LABEL" in checked.output
    assert "[placeholder]" in checked.output


def test_fmt_formats_once_and_check_tells(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "t.ttl", TEXT)
    assert run("fmt", file, "--check").exit_code == 1
    assert file.read_text(encoding="utf-8") == TEXT
    assert run("fmt", file).exit_code == 0
    assert run("fmt", file, "--check").exit_code == 0
    assert run("check", file).exit_code == 0


def test_convert_to_a_table_and_back_changes_nothing(run: Run, data: Path, tmp_path: Path) -> None:
    source = tmp_path / "tiny.ttl"
    table = tmp_path / "claims.tsv"
    assert "are not in the table" in run("convert", source, "--to", "tsv", "-o", table).output
    assert run("convert", table, "--to", "ttl", "-o", tmp_path / "claims.ttl").exit_code == 0
    with Store(data) as store:
        before = set(store.triples())
    for file in (table, tmp_path / "claims.ttl"):
        assert run("load", file, "--data", data).exit_code == 0
    with Store(data) as store:
        assert set(store.triples()) == before


# ---------------------------------------------------------------- keeping
def test_backup_doctor_and_restore(run: Run, data: Path, tmp_path: Path) -> None:
    assert "is sound: version 2" in run("doctor", "--data", data).output
    assert run("backup", tmp_path / "b", "--data", data).exit_code == 0
    assert run("backup", tmp_path / "b", "--data", data).exit_code == 2
    assert run("restore", tmp_path / "b", "--data", data).exit_code == 2
    assert "Version 2" in run("restore", tmp_path / "b", "--data", tmp_path / "new").output
    assert run("export", "--data", tmp_path / "new").output == run("export", "--data", data).output
    assert run("restore", tmp_path / "nothing", "--data", tmp_path / "x").exit_code == 2


def test_every_command_of_the_library_has_help(run: Run) -> None:
    for name in main.commands:
        result = run(name, "--help")
        assert result.exit_code == 0
        assert len(result.output) > 80, name


def test_every_command_stands_in_the_table_under_the_name_that_it_has() -> None:
    for module, names in COMMANDS.items():
        assert {command.name for command in import_module(f"kg.cli.{module}").COMMANDS} == set(names)


def test_a_command_imports_neither_the_service_nor_what_only_hypotheses_need() -> None:
    """`python -m kg load --help`, in a process of its own, took 2.1 s of CPU with all that, and 0.9 without."""
    asked = (
        "import sys, click; sys.argv = ['kg', 'load', '--help']\n"
        "from kg.cli import run\n"
        "try: run()\nexcept SystemExit: print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert "kg.cli.curate" in loaded
    assert not {"strawberry", "uvicorn", "server.app", "scipy.sparse", "scipy.special", "kg.cli.suggest"} & set(loaded)
