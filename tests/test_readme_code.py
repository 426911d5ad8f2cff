"""Every example of the README runs as it stands and gives an answer."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request

import pytest

from tests.conftest import ROOT
from tests.kg.test_cli import serve, started

README = (ROOT / "tests" / "README.template.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process = serve("--port", 0, "--data", tmp_path_factory.mktemp("readme") / "data")
    yield started(process).rstrip("/")
    process.terminate()
    process.communicate(timeout=30)


def run(command: list[str], code: str, address: str, folder: Path) -> str:
    text = code.replace("http://127.0.0.1:8000", address)
    result = subprocess.run(command, input=text, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_python_examples_run(address: str, tmp_path: Path) -> None:
    client, library, notebook, exploring = blocks("python")
    assert int(run([sys.executable, "-"], client, address, tmp_path)) > 0
    lines = run([sys.executable, "-"], library, address, tmp_path).splitlines()
    assert lines[-1].startswith("['therapy:tisagenlecleucel'")
    assert len(lines) > 1
    assert "myasthenia.graphml" in run([sys.executable, "-"], notebook, address, tmp_path)
    assert (tmp_path / "myasthenia.graphml").is_file()
    found = run([sys.executable, "-"], exploring, address, tmp_path)
    assert "descartes-08" in found.splitlines()[0]
    assert "->" in found


def test_the_javascript_example_runs(address: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node to run the JavaScript example with")
    (code,) = blocks("js")
    assert "MONDO:0007915" in run([node, "--input-type=module", "-"], code, address, tmp_path)


def test_the_curl_example_runs(address: str, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl to run the example with")
    code = next(block for block in blocks("sh") if block.startswith("curl"))
    assert json.loads(run(["sh"], code, address, tmp_path))["data"]["entity"]["label"] == "systemic lupus erythematosus"


def test_the_commands_are_there() -> None:
    kg = str(Path(sys.executable).parent / "kg")
    for command in set(re.findall(r"^kg (\w+)", README, re.MULTILINE)):
        assert subprocess.run([kg, command, "--help"], capture_output=True, check=False).returncode == 0


def test_the_addresses_in_the_readme_answer(address: str) -> None:
    shown = re.findall(r"http://127\.0\.0\.1:8000(/[a-z][^\s\"'`)>]*)", README)
    assert len(shown) >= 5
    for path in shown:
        with urllib.request.urlopen(Request(f"{address}{path}", headers={"accept": "text/html"})) as response:
            assert response.status == 200
