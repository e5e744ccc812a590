"""The program where little around it is as usual: no terminal, locale C, a closed standard output, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from language.places import PURPOSE, REGISTER, Place, digests
from language.program import muniment as program
from language.program import process, started
from language.rings import PASSPHRASE

ENVIRONMENT = {"MUNIMENT_PASSPHRASE": PASSPHRASE}
C_LOCALE = {**ENVIRONMENT, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}


def release(place: Place, out: str, *more: str) -> list[object]:
    to = ["--to", "Office of Zürich 蘇黎世"] if "--to" not in more else []
    where = ["--workspace", place.office, "--out", place.folder / out]
    return ["release", REGISTER, *to, "--purpose", PURPOSE, *where, *more]


def test_locale_c_and_no_terminal(place: Place) -> None:
    outcome = process(*release(place, "out.csv", "--json"), env=C_LOCALE)
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["recipient"] == "Office of Zürich 蘇黎世"
    assert outcome.out.isascii()
    traced = process("--workspace", place.office, "trace", place.folder / "out.csv", "--lang", "zh-TW", env=C_LOCALE)
    assert traced.code == 1, traced.err
    assert traced.out.isascii()
    assert "\x1b" not in traced.out + traced.err


def test_nothing_is_asked_where_nobody_can_answer(place: Place) -> None:
    started_at = time.monotonic()
    outcome = process(*release(place, "out.csv"), env={"MUNIMENT_PASSPHRASE": ""})
    assert (outcome.code, outcome.out) == (2, "")
    assert "no terminal to ask on" in outcome.err
    assert time.monotonic() - started_at < 30


def test_a_reader_that_goes_away(place: Place) -> None:
    """`muniment copies | head -1`: no traceback, and no complaint."""
    process_ = started("--workspace", place.office, "copies", env=ENVIRONMENT)
    assert process_.stdout is not None
    assert process_.stderr is not None
    process_.stdout.close()
    assert process_.wait(timeout=60) == 141
    assert process_.stderr.read() == ""
    process_.stderr.close()


def test_a_standard_output_that_is_full_or_closed(place: Place) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with open("/dev/full", "w", encoding="utf-8") as full:
        outcome = process("--workspace", place.office, "copies", env=ENVIRONMENT, stdout=full)
    assert outcome.code == 4
    assert outcome.err.startswith("error: standard output could not be written")
    more = {"stdout": None, "preexec_fn": lambda: os.close(1)}
    closed = process(*release(place, "out.csv"), env=ENVIRONMENT, **more)
    assert (closed.code, closed.err) == (0, "")
    assert (place.folder / "out.csv").exists()
    assert len(place.open().copies()) == 2, "nothing was written into a file that had taken the place of the output"


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "terminated"])
@pytest.mark.parametrize("what", ["release", "trace"])
def test_a_command_that_is_stopped(place: Place, sent: int, code: int, what: str) -> None:
    """It is stopped in the middle: a release once its temporary file is there, a trace while it waits for the lock."""
    with place.unchanged(recorded=what == "trace"):  # who looked at these records is on record before that lock
        if what == "release":
            command = started(*release(place, "out.parquet", "--to", "Tax office of Mühlheim 稅務局"), env=ENVIRONMENT)
            wait_for(lambda: any("partial" in path.name for path in place.folder.iterdir()), command)
        else:
            holder = subprocess.Popen(["flock", str(place.office / "ledger/lock"), "sleep", "60"])
            command = started("--workspace", place.office, "trace", place.copy, env=ENVIRONMENT)
            time.sleep(2)
        command.send_signal(sent)
        out, err = command.communicate(timeout=60)
        if what == "trace":
            subprocess.run(["kill", str(holder.pid)], check=True)
            holder.wait()
        assert (command.returncode, out) == (code, "")
        assert "Traceback" not in err
        assert "interrupted; nothing was half-written" in err


def wait_for(reached: object, command: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not reached():  # type: ignore[operator]
        assert command.poll() is None, command.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


# --- exit codes, two lines, and JSON ---------------------------------------------------------------------------------


def broken(place: Place) -> None:
    path = place.office / "ledger/journal.bin"
    path.write_bytes(path.read_bytes()[:-30])


def asked(name: str = REGISTER, to: str = "A", out: str = "x.csv") -> list[str]:
    return ["release", name, "--to", to, "--purpose", "p", "--out", out]


SERVER = "postgresql://a@127.0.0.1:9/d/t"
CASES = {
    "no such file": (["trace", "absent.csv"], 2, "no such file"),
    "no such register": (asked(name="none"), 2, "none"),
    "no such folder": (asked(out="no/x.csv"), 2, "there is no folder"),
    "a long name": (asked(to="x" * 10_000), 2, "10,000 characters"),
    "a name with a path": (asked(to="../../x", out="../../no/x.csv"), 2, "there is no folder"),
    "a server that is down": (["register", "add", "s", SERVER, "--key", "id"], 4, "127.0.0.1"),
    "a NUL": (["trace", "a\x01b"], 2, "no such file"),
    "no such option": (["trace", "--nonsense"], 2, "nonsense"),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_how_errors_are_told(place: Place, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    arguments, code, said = CASES[case]
    with place.unchanged():
        outcome = program("--workspace", place.office, *arguments, env=ENVIRONMENT)
        assert (outcome.code, outcome.out) == (code, "")
        lines = outcome.err.splitlines()
        assert lines[0].startswith("error: ")
        assert said in lines[0]
        assert lines[1].startswith("try: ")
        assert all(line.isprintable() for line in lines)
        as_json = program("--workspace", place.office, *arguments, "--json", env=ENVIRONMENT)
        assert as_json.code == code
        assert set(json.loads(as_json.err)) == {"error", "hint"}


def test_data_that_does_not_verify_is_exit_code_3(place: Place) -> None:
    broken(place)
    before = digests(place.office)
    for arguments in (["copies"], ["trace", place.copy], ["keys", "list"]):
        outcome = program("--workspace", place.office, *arguments, env=ENVIRONMENT)
        assert (outcome.code, outcome.out) == (3, "")
        assert "restore the folder" in outcome.err
    assert digests(place.office) == before


def test_a_fault_of_the_program_shows_no_value(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from muniment.workspace import releasing

    def fault(*_: object) -> None:
        raise KeyError("王小明 lives here")

    monkeypatch.setattr(releasing, "strength_of", fault)
    outcome = program(*release(place, "out.csv"), env=ENVIRONMENT)
    assert outcome.code == 70
    assert "a fault of muniment itself: KeyError" in outcome.err
    assert "王小明" not in outcome.err
