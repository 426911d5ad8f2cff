"""The schema generates a typed client that compiles and runs: `tests/browser/codegen/`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from server.web.build import find_node, npm_environment

HERE = Path(__file__).parent / "codegen"
ROOT = Path(__file__).resolve().parents[2]
LUPUS = "MONDO:0007915"
NPM_FLAGS = ("--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--loglevel=error")
NPM_WAITS = (
    "--fetch-timeout=15000",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=500",
    "--fetch-retry-maxtimeout=2000",
)


class Client:
    """A copy of the example with its packages installed."""

    def __init__(self, folder: Path, node: str, env: dict[str, str]) -> None:
        self.folder, self.node, self.env = folder, node, env

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it."""
        return subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=300, check=False
        )

    def tool(self, path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of its packages' programs."""
        return self.run(self.node, f"node_modules/{path}", *arguments)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The example as `npm ci` and the generator leave it. Skipped, with the reason, where npm reaches no registry."""
    found = find_node()
    if found is None:
        pytest.skip("no node 20 or newer with npm")

    folder = tmp_path_factory.mktemp("client") / "tests" / "browser" / "codegen"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("node_modules", "generated", "build"))
    (folder.parents[2] / "schema").mkdir()
    shutil.copyfile(ROOT / "schema" / "schema.graphql", folder.parents[2] / "schema" / "schema.graphql")
    made = Client(folder, str(found.command), npm_environment(found, os.environ))
    if (HERE / "node_modules" / ".package-lock.json").is_file():
        (folder / "node_modules").symlink_to(HERE / "node_modules")
    else:
        installed = made.run(*found.npm, "ci", *NPM_FLAGS, *NPM_WAITS)
        if installed.returncode:
            pytest.skip(f"npm could not install the generator: {installed.stderr.strip()[:300]}")
    generated = made.tool("@graphql-codegen/cli/esm/bin.js", "--config", "codegen.json")
    assert generated.returncode == 0, generated.stdout + generated.stderr
    return made


def test_the_generated_client_compiles_and_answers(client: Client, service: str) -> None:
    """Strict TypeScript over our SDL, then against the running service."""
    compiled = client.tool("typescript/bin/tsc")
    assert compiled.returncode == 0, compiled.stdout
    answer = client.run(client.node, "build/run.js", f"{service}/graphql", LUPUS)
    assert answer.returncode == 0, answer.stderr
    assert "entities around systemic lupus erythematosus" in answer.stdout


def test_a_field_that_the_schema_lacks_does_not_compile(client: Client) -> None:
    """The point of a typed client."""
    (client.folder / "src" / "wrong.ts").write_text(
        "import type { TherapiesForQuery } from './generated/graphql.js';\n"
        "export const wrong = (answer: TherapiesForQuery): unknown => answer.entity?.labell;\n"
    )
    compiled = client.tool("typescript/bin/tsc", "--noEmit")
    (client.folder / "src" / "wrong.ts").unlink()
    assert compiled.returncode != 0
    assert "labell" in compiled.stdout


def test_the_lock_file_names_no_registry() -> None:
    """Every machine uses its own registry; the hashes say what is the right package."""
    lock = (HERE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
