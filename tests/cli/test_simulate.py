"""`muniment simulate` hands its options over and says which files it wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from muniment.cli import simulate
from muniment.cli.options import root
from muniment.errors import InputError


@pytest.fixture
def program() -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    root(app, lambda: "muniment", "help")
    simulate.add_to(app)
    return app


SMALL = ("simulate", "--accounts", "8", "--days", "40", "--seed", "3")


def test_files_are_written_and_counted(
    program: typer.Typer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "offices"
    assert not program([*SMALL, "--out", str(out), "--json"], standalone_mode=False)
    value = json.loads(capsys.readouterr().out)
    for name, rows in value["files"].items():
        assert len((out / name).read_text(encoding="utf-8").splitlines()) == rows + 1


def test_the_same_seed_writes_the_same_files(program: typer.Typer, tmp_path: Path) -> None:
    for name in ("one", "two"):
        program([*SMALL, "--attack", "ten", "--out", str(tmp_path / name)], standalone_mode=False)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert ",ten," in (tmp_path / "one" / "truth.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("more", [("--attack", "nothing"), ("--explained", "0.99")])
def test_what_makes_no_world_ends_with_2(
    program: typer.Typer, tmp_path: Path, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = program([*SMALL, *more, "--out", str(tmp_path / "out")], standalone_mode=False)
    except InputError:
        code = 2
    assert code == 2
    assert not (tmp_path / "out").exists()
    assert "expected" in capsys.readouterr().err
