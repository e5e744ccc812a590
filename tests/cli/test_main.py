"""The program as a whole: how it starts and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from language.program import environment, muniment, process


def test_no_command_shows_help() -> None:
    outcome = muniment()
    assert outcome.code == 0
    for command in (
        "init", "register", "release", "copies", "trace", "recompute", "ledger", "who", "affected", "notice-key",
        "keys", "decoys", "config", "doctor", "demo",
    ):  # fmt: skip
        assert f"\n  {command} " in outcome.out


def test_help_loads_nothing_that_is_slow() -> None:
    said = (
        "import sys; from muniment.cli.main import run; run(['ledger', '--help']); "
        "slow = {'numpy', 'duckdb', 'cryptography', 'pyarrow', 'muniment.workspace'} & sys.modules.keys(); "
        "sys.exit(','.join(slow) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", said], env=environment(), capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_version() -> None:
    assert muniment("--version").out.startswith("muniment ")


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (("bogus",), "no such command", "muniment --help"),
        (("trace",), "missing argument", "muniment trace --help"),
        (("trace", "a.csv", "--nonsense"), "no such option", "muniment trace --help"),
        (("keys",), "missing command", "muniment keys --help"),
        (("release", "people", "--purpose", "p", "--format", "doc"), "doc", "muniment release --help"),
        (("trace", "a.csv", "--lang", "fr"), "fr", "muniment trace --help"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], said: str, hint: str) -> None:
    outcome = muniment(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    first, second = outcome.err.splitlines()
    assert first.startswith("error: ")
    assert said in first
    assert second == f"try: {hint}"
    assert muniment(*arguments, "--json").error()["hint"] == hint


def test_no_workspace_is_said_before_a_passphrase_is_asked_for(tmp_path: Path) -> None:
    outcome = muniment("copies", "--workspace", tmp_path, env={"MUNIMENT_PASSPHRASE": ""})
    assert outcome.code == 2
    assert outcome.err.splitlines()[1] == f"try: muniment init {tmp_path}"


def test_as_a_process_without_terminal(tmp_path: Path) -> None:
    made = process("init", tmp_path / "office", "--json")
    assert (made.code, made.err) == (0, "")
    made.json("init")
    asked = process("copies", env={"MUNIMENT_WORKSPACE": str(tmp_path / "office"), "MUNIMENT_PASSPHRASE": ""})
    assert (asked.code, asked.out) == (2, "")
    assert "no terminal" in asked.err


def test_a_reader_that_goes_away_is_no_fault() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        outcome = process("config", "explain", stdout=write)
    finally:
        os.close(write)
    assert (outcome.code, outcome.err) == (141, "")


def test_a_full_disk_under_standard_output() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        outcome = process("config", "explain", stdout=full)
    assert outcome.code == 4
    assert "standard output could not be written" in outcome.err


def test_an_old_terminal_is_no_fault() -> None:
    outcome = process("config", "explain", "--lang", "zh-TW", env={"PYTHONIOENCODING": "ascii"})
    assert outcome.code == 0
    assert "\\u" in outcome.out


def test_signals_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    muniment("--version")
    assert signal.getsignal(signal.SIGTERM) is before
