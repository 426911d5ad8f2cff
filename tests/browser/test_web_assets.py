"""What the server learns about the built files. Needs no browser."""

import json
import re
from gzip import compress
from pathlib import Path

import pytest

from server.web.assets import BUILD_COMMAND, WebAssets, page_template

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A build of two files."""
    (tmp_path / "chunks").mkdir()
    (tmp_path / "graphiql.js").write_text("1")
    (tmp_path / "chunks" / "a.js").write_text("22")
    files = {"graphiql.js": {"bytes": 1, "gzip": 1}, "chunks/a.js": {"bytes": 2, "gzip": 2}}
    (tmp_path / "manifest.json").write_text(json.dumps({"stamp": "", "files": files}))
    return tmp_path


def test_a_complete_build_has_paths_and_sizes(dist: Path) -> None:
    """The server mounts and reports what the manifest says."""
    assets = WebAssets(dist)
    assert assets.built
    assert assets.missing_reason == ""
    assert assets.files == {"graphiql.js": 1, "chunks/a.js": 2}
    assert assets.path("chunks/a.js").read_text() == "22"


def test_no_build_is_a_sentence_that_names_the_command(tmp_path: Path) -> None:
    """pip hides what the hook said, so the server has to say it again."""
    assets = WebAssets(tmp_path / "dist")
    assert not assets.built
    assert "not built" in assets.missing_reason
    assert BUILD_COMMAND in assets.missing_reason


def test_half_a_build_is_not_a_build(dist: Path) -> None:
    """A page whose worker is gone fails in the browser, where nobody looks."""
    (dist / "chunks" / "a.js").unlink()
    assets = WebAssets(dist)
    assert not assets.built
    assert "chunks/a.js" in assets.missing_reason


def test_a_name_outside_the_build_is_refused(dist: Path) -> None:
    """Only listed names have a path, so none can lead out of the folder."""
    with pytest.raises(KeyError, match=r"manifest\.json"):
        WebAssets(dist).path("manifest.json")


def test_the_page_has_its_two_placeholders_and_no_inline_script() -> None:
    """The policy forbids inline script; the examples are data."""
    page = page_template()
    assert page.count("{{title}}") == 1
    assert page.count("{{examples}}") == 1
    assert [line.strip() for line in page.splitlines() if "<script" in line] == [
        '<script type="application/json" id="examples">{{examples}}</script>',
        '<script type="module" src="static/graphiql.js"></script>',
    ]


def test_this_checkout_is_built_from_its_sources(built: WebAssets) -> None:
    """A hidden warning at install time becomes a failure here."""
    assert {"graphiql.js", "graphiql.css", "graphql.worker.js", "THIRD-PARTY.txt"} <= set(built.files)
    assert {"kg-graph.js", "explorer.js", "explorer.css"} <= set(built.files)


def test_the_embedded_element_stays_as_small_as_the_readme_says(built: WebAssets) -> None:
    """Other people's pages load it; the graph engine comes only when a graph is drawn."""
    files = ["kg-graph.js"]
    for name in files:  # grows: chunks import chunks
        found = re.findall(r'(?:from|import)"\./(?:chunks/)?([^"]+)"', built.path(name).read_text())
        files += [f"chunks/{each}" for each in found if f"chunks/{each}" not in files]
    (engine,) = [name for name in built.files if name.startswith("chunks/engine-")]
    size = {name: len(compress(built.path(name).read_bytes())) for name in (*files, engine)}
    measured = [sum(built.files[name] for name in files), sum(size[name] for name in files), size[engine]]
    said = re.search(
        r"the script is (\d+) kB, (\d+) kB compressed, and the drawing program, (\d+) kB compressed",
        (ROOT / "README.md").read_text("utf-8"),
    )
    assert said
    assert measured == [pytest.approx(1_000 * int(number), rel=0.1) for number in said.groups()]
