"""The gate's hot loops as native code: what is listed exists, and what is built is found and can be removed."""

import sys
from pathlib import Path

import pytest

import compile as tool


def test_every_module_that_is_compiled_exists() -> None:
    assert all((tool.SOURCES / module).is_file() for module in tool.MODULES)


def test_extensions_are_told_from_their_neighbours(tmp_path: Path) -> None:
    folder = tmp_path / "muniment/gate/protocol"
    folder.mkdir(parents=True)
    wanted = [folder / name for name in ("typedscan.cpython-311.so", "typedscan__mypyc.cpython-311.so")]
    for path in (*wanted, folder / "typedscan.py", folder / "typedscanner.so", folder / "other.so"):
        path.touch()
    assert tool.extensions(tmp_path) == wanted


@pytest.mark.soak
def test_the_scan_compiles(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", reason="needs setuptools, which Python 3.12 no longer brings")
    built = tool.compile_into(tmp_path)
    assert {path.name.partition(".")[0] for path in built} == {"typedscan", "typedscan__mypyc"}
    assert all(path.suffix == (".pyd" if sys.platform == "win32" else ".so") for path in built)
