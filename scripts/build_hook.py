"""hatchling's hook: whoever builds a wheel gets the design system with it, or learns why not."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))


class BuildUi(BuildHookInterface):  # type: ignore[type-arg]
    """Builds `ui/built` before files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatchling's signature
        """A wheel without its style sheet would be broken, so it is not made; a clone builds it in `make setup`."""
        import build_ui  # noqa: PLC0415  found through the path above

        if version == "standard" and not build_ui.ready():
            build_ui.build()
