"""Puts the bill of materials into the wheel, where PEP 770 wants it: `.dist-info/sboms/`.

hatchling loads this file by its path when it builds a wheel; nothing else imports it.
"""

import runpy
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BillOfMaterials(BuildHookInterface[Any]):
    """Writes the document before the wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write it; an editable installation has none."""
        if version != "standard":
            return
        about: Any = self.metadata  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        sbom = runpy.run_path(str(Path(__file__).with_name("sbom.py")))
        self._folder = tempfile.TemporaryDirectory()
        named = sbom["file_name"](about.name, about.version)
        file = Path(self._folder.name) / named
        file.write_text(sbom["render"](Path(self.root), about.version), "utf-8")
        build_data["sbom_files"].append(str(file))

    def finalize(
        self,
        version: str,
        build_data: dict[str, Any],  # noqa: ARG002 - hatchling passes it
        artifact_path: str,  # noqa: ARG002 - and this
    ) -> None:
        """Remove it; the wheel has it."""
        if version == "standard":
            self._folder.cleanup()
