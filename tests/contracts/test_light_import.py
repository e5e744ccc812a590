"""`import muniment` and `muniment --help` load nothing heavy; a library is loaded by the command that needs it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

HEAVY = ("duckdb", "numpy", "openpyxl", "psycopg", "pyarrow")
PROBE = "import sys; {statement}; print(*[name for name in {heavy!r} if name in sys.modules])"


@pytest.mark.parametrize("module", ["muniment", "muniment.cli.main"])
def test_nothing_heavy_is_loaded(module: str) -> None:
    if module == "muniment.cli.main" and importlib.util.find_spec("muniment.cli") is None:
        pytest.skip("there is no command line yet")
    code = PROBE.format(statement=f"import {module}", heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_probe_can_fail() -> None:
    code = PROBE.format(statement="import numpy", heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["numpy"]
