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
        sbom = runpy.run_path(str(Path(__file__).with_name("sbom.py")))
        self._folder = tempfile.TemporaryDirectory()
        named = sbom["file_name"](self.metadata.name, self.metadata.version)
        file = Path(self._folder.name) / named
        file.write_text(sbom["render"](Path(self.root), self.metadata.version), "utf-8")
        build_data["sbom_files"].append(str(file))

    def finalize(self, version: str, *_: object) -> None:
        """Remove it; the wheel has it."""
        if version == "standard":
            self._folder.cleanup()
