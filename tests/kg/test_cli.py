"""The ``kg`` command as a curator uses it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kg.cli import main
from kg.store import Store
from server.cli import register
from tests.benchmarks.hetionet.importer import SCHEMA as HETIONET
from tests.benchmarks.hetionet.importer import Node, Row, write_rows
from tests.conftest import TINY

register(main)
Run = Callable[..., Result]
BAD = "@prefix kg: <https://cartograph.example/vocab/> .\n@prefix t: <https://cartograph.example/therapy/> .\n\nt:x a kg:Therapy ;\n  kg:modality kg:CarTee .\n"


@pytest.fixture
def run() -> Run:
    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(a) for a in arguments])

    return run


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    (tmp_path / "bad.ttl").write_text(BAD, encoding="utf-8")
    return tmp_path / "bad.ttl"


def test_every_command_has_help(run: Run) -> None:
    for command in ("serve", "settings", "check", "load", "history", "status", "schema", "reference"):
        result = run(command, "--help")
        assert result.exit_code == 0
        assert len(result.output) > 80


def test_check_exits_0_1_and_2(run: Run, bad: Path, tmp_path: Path) -> None:
    assert run("check", TINY).exit_code == 0
    assert run("check", bad).exit_code == 1
    assert run("check", tmp_path / "none.ttl").exit_code == 2
    assert run("check", TINY, "--schema", tmp_path).exit_code == 2


def test_check_shows_the_line_and_what_to_do(run: Run, bad: Path) -> None:
    output = run("check", bad).output
    assert re.search(r"bad\.ttl:4:1: error: .*kg:modality may not be kg:CarTee", output)
    assert "4 | t:x a kg:Therapy ;" in output
    assert "Did you mean kg:CarT" in output
    assert "1 file, " in output


def test_check_speaks_json_and_github(run: Run, bad: Path) -> None:
    found = json.loads(run("check", bad, "--format", "json").output)
    assert {(d["line"], d["severity"]) for d in found} == {(4, "error")}
    assert "::error file=bad.ttl,line=4,col=1,title=" in run("check", bad, "--format", "github").output


def test_a_syntax_error_names_its_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.ttl").write_text("@prefix x: <http://x/> .\nx:a x:b", encoding="utf-8")
    result = run("check", tmp_path / "x.ttl")
    assert result.exit_code == 1
    assert re.search(r"x\.ttl:2:\d+:", result.output)


def test_load_says_what_it_did_and_twice_is_nothing(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert "Would add" in run("load", TINY, "--data", data, "--dry-run").output
    assert "Version 1" in run("load", TINY, "--data", data, "-m", "first", "--author", "ada").output
    assert "Nothing changed" in run("load", TINY, "--data", data).output
    (entry,) = json.loads(run("history", "--data", data, "--format", "json").output)
    assert (entry["author"], entry["message"], list(entry["sources"])) == ("ada", "first", ["tiny.ttl"])


def test_load_refuses_bad_files_and_keeps_everything(run: Run, bad: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run("load", TINY, "--data", data)
    result = run("load", bad, "--data", data)
    assert result.exit_code == 1
    assert "nothing was loaded" in result.output
    with Store(data) as store:
        assert store.version == 1


def test_status_tells_counts_and_changed_seeds(run: Run, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(TINY, seeds)
    assert "There is no store" in run("status", "--data", tmp_path / "data", "--seeds", seeds).output
    assert run("load", seeds, "--data", tmp_path / "data").exit_code == 0
    assert "therapy" in run("status", "--data", tmp_path / "data", "--seeds", seeds).output.lower()
    (seeds / "tiny.ttl").write_text((seeds / "tiny.ttl").read_text(encoding="utf-8") + "\n# more\n", encoding="utf-8")
    assert "tiny.ttl is changed" in run("status", "--data", tmp_path / "data", "--seeds", seeds).output


def test_status_under_another_schema_asks_for_it_and_offers_no_seeds(run: Run, tmp_path: Path) -> None:
    files, store = tmp_path / "files", tmp_path / "data"
    files.mkdir()
    gene = Node("Gene", "NCBIGene:731", "http://identifiers.org/ncbigene/731", "TWO")
    other = Node("Gene", "NCBIGene:8", "http://identifiers.org/ncbigene/8", "EIGHT")
    write_rows(files / "few.nt", (gene, other), (Row(gene, "interactsWith", other),))
    assert run("load", files, "--data", store, "--schema", HETIONET).exit_code == 0
    said = run("status", "--data", store).output
    assert "Does --schema name the schema" in said
    assert "seed file" not in said
    assert "schema" not in run("status", "--data", store, "--schema", HETIONET).output


def test_settings_lists_every_variable(run: Run) -> None:
    assert "KG_MAX_COST" in run("settings").output


# ---------------------------------------------------------------- the running service
def serve(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kg", "serve", *map(str, arguments)]
    env = {**os.environ, "KG_LOG_FORMAT": "json", **environment}
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)


def started(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if '"event": "serving"' in line:
            return str(json.loads(line)["url"])
    raise AssertionError(f"the service did not start: exit code {process.wait()}")


def test_serve_answers_and_stops_when_asked(tmp_path: Path) -> None:
    process = serve("--port", 0, "--data", tmp_path / "data", "--seeds", TINY)
    url = started(process)
    with urllib.request.urlopen(f"{url}ready") as response:
        assert json.load(response)["version"] == 1
    second = serve("--port", 0, "--data", tmp_path / "data")
    assert second.wait(30) == 2
    said = second.communicate()[1]
    assert re.search(rf"kg: The data folder .* is in use by process {process.pid}\. Stop that process", said)
    process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    process.communicate(timeout=30)
    assert time.monotonic() - asked < 10
    with Store(tmp_path / "data") as store:
        assert store.version == 1


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = serve("--port", taken.getsockname()[1], "--data", tmp_path / "data", "--seeds", TINY)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert re.match(
        r"kg: Cannot listen on 127\.0\.0\.1:\d+ \(Address already in use\)\. Choose another port with --port", said
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [(("--port", "65536"), "65536 is not in the range"), (("--host", "999.0.0.1"), "Name an address of this machine")],
)
def test_what_is_no_address_is_one_sentence(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, ["serve", "--data", str(tmp_path / "data"), "--seeds", str(TINY), *options])
    assert (done.exit_code, said in done.output, done.output.count("Traceback")) == (2, True, 0)


def test_a_bad_setting_and_a_damaged_store_are_one_sentence(tmp_path: Path) -> None:
    process = serve("--data", tmp_path / "data", KG_MAX_COST="lots")
    assert "The setting KG_MAX_COST is 'lots'; it must be a whole number." in process.communicate(timeout=60)[1]
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "head.json").write_text("{", encoding="utf-8")
    process = serve("--port", 0, "--data", tmp_path / "broken")
    assert "Restore" in process.communicate(timeout=60)[1]
    assert process.returncode == 2
