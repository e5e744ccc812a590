"""Compile the hot loops of the gate with mypyc, in place: `python tools/compile.py [--remove]`.

Each module of MODULES gets an extension beside its source, which Python then prefers. Needs mypy, setuptools and a C
compiler. `--remove` deletes the extensions again.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).resolve().parents[1] / "src"
MODULES: Final = ("muniment/gate/protocol/typedscan.py",)
"""What pays: measured by bench/gate/scan.py."""
FLAGS: Final = ("--strict", "--config-file=", "--explicit-package-bases")


def extensions(sources: Path = SOURCES) -> list[Path]:
    """The extensions that lie beside the sources: a module's own, and the one that holds its code."""
    found = []
    for module in MODULES:
        source = sources / module
        for ending in ("so", "pyd"):
            found += sorted(source.parent.glob(f"{source.stem}[._]*.{ending}"))
    return found


def compile_into(folder: Path, sources: Path = SOURCES) -> list[Path]:
    """Build every extension, at its module's path below `folder`. What the compiler says goes to standard error."""
    from mypyc.build import mypycify
    from setuptools import Distribution  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory(prefix="muniment-compile-") as build, contextlib.chdir(sources):
        built = mypycify([*FLAGS, *MODULES], opt_level="3", target_dir=build)
        command = Distribution({"name": "muniment", "ext_modules": built}).get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(folder), build
        command.ensure_finalized()
        command.run()
    return extensions(folder)


def main(arguments: Sequence[str]) -> int:
    """Build or remove; prints one line for each file."""
    if "--remove" in arguments:
        for path in extensions():
            path.unlink()
            print(f"removed {path.relative_to(SOURCES)}")
        return 0
    for path in compile_into(SOURCES):
        print(path.relative_to(SOURCES))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
