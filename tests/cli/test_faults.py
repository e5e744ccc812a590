"""Every way in which a command can end has its exit code, and tells no value of a file."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import typer

from muniment.cli.faults import Terminated, guarded, tell
from muniment.errors import InputError, IntegrityError, UnreachableError

SECRET = "A123456789"


def _raising(error: BaseException) -> Callable[[], int]:
    def action() -> int:
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("a"), 2),
        (IntegrityError("a"), 3),
        (UnreachableError("a"), 4),
        (ValueError(SECRET), 70),
        (MemoryError(), 70),
        (KeyboardInterrupt(), 130),
        (Terminated(), 143),
        (Terminated(129), 129),
    ],
)
def test_exit_codes(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(_raising(error), json=False, debug=False) == code
    assert capsys.readouterr().err.startswith(("error: ",))


def test_a_result_passes() -> None:
    assert guarded(lambda: 1, json=False, debug=False) == 1


def test_the_parser_handles_its_own() -> None:
    with pytest.raises(typer.Exit):
        guarded(_raising(typer.Exit(0)), json=False, debug=False)


def test_a_fault_shows_its_place_and_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: int(SECRET), json=False, debug=False) == 70
    err = capsys.readouterr().err
    assert "ValueError" in err
    assert SECRET not in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(_raising(ValueError("x")), json=False, debug=True) == 70
    assert "Traceback" in capsys.readouterr().err


def test_two_lines_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    tell("bad\x1bname", "type this", json=False)
    assert capsys.readouterr().err == "error: bad\ufffdname\ntry: type this\n"


def test_json_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    tell("a", "", json=True)
    assert json.loads(capsys.readouterr().err) == {"error": "a", "hint": ""}
