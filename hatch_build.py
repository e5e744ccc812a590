"""Build hook: with MUNIMENT_COMPILE=1 a wheel carries the gate's hot loops compiled; else it is pure Python.

A compiled wheel holds the sources too, and runs from them where an extension cannot be loaded.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WISH = "MUNIMENT_COMPILE"


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles what tools/compile.py lists, and takes it into the wheel."""

    PLUGIN_NAME = "custom"
    folder: Path | None = None

    def dependencies(self) -> list[str]:
        """What an isolated build installs before it comes here."""
        return ["mypy>=1.19", "setuptools"] if self._wished() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the wheel is put together. An editable one is left alone: there is `make compile` for it."""
        if not self._wished() or version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "tools"))
        from compile import compile_into  # tools/compile.py

        self.folder = Path(tempfile.mkdtemp(prefix="muniment-wheel-"))
        for path in compile_into(self.folder):
            build_data["force_include"][str(path)] = path.relative_to(self.folder).as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """After the wheel is written."""
        if self.folder is not None:
            shutil.rmtree(self.folder)

    def _wished(self) -> bool:
        return self.target_name == "wheel" and os.environ.get(WISH) == "1"
