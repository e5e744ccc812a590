"""docs/ten-lines.sh does what it says, without a terminal: 1,000 recipients, one leak, the right one named."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema

from muniment.demo.people import register

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "ten-lines.sh"


def _program(folder: Path) -> None:
    """A `muniment` on the path that runs this very tree."""
    folder.mkdir()
    program = folder / "muniment"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m muniment "$@"\n')
    program.chmod(0o755)


def test_ten_lines_name_the_right_office(tmp_path: Path) -> None:
    _program(tmp_path / "bin")
    people = register(300, 11)
    with (tmp_path / "people.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([people.columns, *([cell or "" for cell in row] for row in people.iter_rows())])
    env = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "MUNIMENT_PASSPHRASE": "five words that nobody guesses",
    }
    done = subprocess.run(
        ["sh", str(SCRIPT), str(tmp_path / "work"), str(tmp_path / "people.csv")],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # no controlling terminal: whatever wants to ask fails
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    verdict = json.loads(done.stdout)
    assert [named["recipient"] for named in verdict["named"]] == ["Office 0417"]
    assert verdict["candidates"] == 1000
    jsonschema.validate(verdict, json.loads((ROOT / "docs/schemas/trace.json").read_text(encoding="utf-8")))
    assert len(list((tmp_path / "work" / "copies").glob("copy-*.csv"))) == 1000


def test_it_has_ten_lines() -> None:
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) == 10
