"""The benchmark runner: a claim that fails, a file that crashes and a file that passes each leave their line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import run
from measurement import Measurement

GOOD = """print('noise')
from measurement import Measurement
def main():
    return [Measurement('c|laim', '< 1 s', '0.5 s', {holds})]
"""


@pytest.mark.parametrize("holds", [True, False])
def test_a_file_runs_in_its_own_process(tmp_path: Path, holds: bool) -> None:
    file = tmp_path / "b01_example.py"
    file.write_text(GOOD.format(holds=holds))
    outcome = run.run_apart(file)
    assert outcome.measurements == (Measurement("c|laim", "< 1 s", "0.5 s", holds),)
    assert outcome.holds is holds
    assert outcome.peak_mib > 0
    assert "b01_example" not in sys.modules


def test_a_crash_is_a_line_of_the_table(tmp_path: Path) -> None:
    file = tmp_path / "b02_broken.py"
    file.write_text("def main():\n    raise ValueError('no data')\n")
    outcome = run.run_apart(file)
    assert not outcome.holds
    assert outcome.error == "ValueError: no data"
    assert "| b02_broken | did not finish |  | ValueError: no data | **no** |" in run.table([outcome])


def test_the_table_escapes_bars_and_prints_the_cost_once() -> None:
    lines = (Measurement("a|b", "1", "2", True), Measurement("c", "1", "2", False))
    rows = run.table([run.Outcome("b01", lines, 1.25, 70)]).splitlines()
    assert rows[2] == "| b01 | a\\|b | 1 | 2 | yes | 1.2 | 70 |"
    assert rows[3] == "| b01 | c | 1 | 2 | **no** |  |  |"


def test_files_are_found_in_order_and_by_name(tmp_path: Path) -> None:
    for name in ("b02_two.py", "b01_one.py", "run.py", "measurement.py"):
        (tmp_path / name).touch()
    assert [file.stem for file in run.benchmark_files([], tmp_path)] == ["b01_one", "b02_two"]
    assert [file.stem for file in run.benchmark_files(["b02"], tmp_path)] == ["b02_two"]
