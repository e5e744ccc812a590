"""Check that the tests mirror the sources: a module is covered by the test file at its own path.

Rules
1. `src/muniment/a/b.py` has `tests/a/test_b.py`. `__init__.py` and the modules in NO_TEST need none.
2. `tests/a/test_b.py` mirrors `src/muniment/a/b.py` or the package `src/muniment/a/b/`, or lies in one of FREE_FOLDERS.
3. Every entry of NO_TEST exists: the list may only shrink.

Run as `python tools/mirror.py`; prints one line a fault and exits 1 if there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

NO_TEST: Final = frozenset(
    {
        "limits.py",
        "marks/carriers/protocol.py",
        "gate/attribution/catalogue.py",
        "gate/server/parts.py",
        "gate/session/commands.py",
        "gate/session/events.py",
        "gate/session/setup.py",
    }
)
"""Modules (below src/muniment) that hold no code to run: constants and protocols."""

FREE_FOLDERS: Final = frozenset(
    {"contracts", "property", "vectors", "live", "language", "tools", "docs", "validity", "bad_input"}
)
"""Folders of tests that are about the whole, not about one module; `tests/tools` is the tools' own."""


def missing_tests(sources: set[str], tests: set[str]) -> Iterator[str]:
    """Faults of rule 1. Both arguments are POSIX paths below `src/muniment` and `tests`."""
    for source in sorted(sources):
        path = Path(source)
        test = path.with_name(f"test_{path.name}").as_posix()
        if path.name != "__init__.py" and source not in NO_TEST and test not in tests:
            yield f"src/muniment/{source}: has no test file tests/{test}"


def stray_tests(sources: set[str], tests: set[str]) -> Iterator[str]:
    """Faults of rule 2."""
    for test in sorted(tests):
        path = Path(test)
        if not path.name.startswith("test_") or path.parts[0] in FREE_FOLDERS:
            continue
        source = path.with_name(path.name.removeprefix("test_"))
        package = source.with_suffix("") / "__init__.py"
        if source.as_posix() not in sources and package.as_posix() not in sources:
            yield f"tests/{test}: mirrors no source (expected src/muniment/{source.as_posix()})"


def stale_exemptions(sources: set[str]) -> Iterator[str]:
    """Faults of rule 3."""
    for name in sorted(NO_TEST - sources):
        yield f"tools/mirror.py: NO_TEST lists {name}, which does not exist; take it out"


def python_files(folder: Path) -> set[str]:
    """POSIX paths of the Python files below a folder, relative to it."""
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.py")}


def main() -> int:
    """Check the project this file lies in; 1 if a test or a source has no partner."""
    root = Path(__file__).resolve().parent.parent
    sources, tests = python_files(root / "src/muniment"), python_files(root / "tests")
    faults = [*missing_tests(sources, tests), *stray_tests(sources, tests), *stale_exemptions(sources)]
    for fault in faults:
        print(fault)
    print(f"mirror: {len(sources)} sources, {len(tests)} test files, {len(faults)} without a partner")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
