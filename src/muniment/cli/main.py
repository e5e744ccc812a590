"""The program `muniment`: all commands, and how it ends.

Exit codes: 0 fine, 1 a finding, 2 the caller can mend it, 3 stored data does not verify, 4 a disk or server
cannot be reached, 70 a fault of muniment itself, 130 interrupted (Ctrl-C), 129 and 143 ended by a signal, 141 nobody
reads standard output.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version

import typer

from muniment.cli import (
    affected,
    config,
    decoys,
    demo,
    doctor,
    exposure,
    gate,
    init,
    keys,
    ledger,
    protect,
    register,
    release,
    simulate,
    trace,
    watch,
    who,
)
from muniment.cli.faults import HANGUP, INTERRUPTED, TERMINATED, USAGE, Terminated, tell
from muniment.cli.options import root

NOUNS = (
    init, register, release, exposure, protect, trace, gate, watch, ledger, who, affected, keys, decoys, config, doctor,
    simulate, demo,
)  # fmt: skip
"""One module a noun, in the order of `--help`."""
_HELP = """Mark the copies that leave a register of persons, say which copy a leak came from, and who received what.

Exit codes: 0 fine; 1 a finding (`trace` names a recipient, `doctor` has something to put right); 2 wrong use or input;
3 stored data does not verify; 4 a disk or server cannot be reached; 70 a fault of muniment itself; 130 interrupted.
"""


def _version() -> str:
    try:
        return f"muniment {version('muniment')}"
    except PackageNotFoundError:
        return "muniment (not installed)"


def _program() -> typer.Typer:
    program = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    root(program, _version, _HELP)
    for noun in NOUNS:
        noun.add_to(program)
    return program


app = _program()
"""The typer app, for the reference page and for shells."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns the exit code and never raises."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _fill_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal of another encoding must not end a command
    with _ending_cleanly():
        return _run(given)


def _run(given: list[str]) -> int:
    try:
        return int(app(given or ["--help"], prog_name="muniment", standalone_mode=False) or 0)
    except typer.TyperException as error:
        where = getattr(getattr(error, "ctx", None), "command_path", "muniment")
        tell(_lower(error.format_message()), f"{where} --help", json="--json" in given)
        return USAGE
    except Terminated as error:
        return error.code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED


def _lower(message: str) -> str:
    """A message of the parser in the house's way: it begins in lower case and ends without a stop."""
    return (message[:1].lower() + message[1:]).rstrip(".")


def _fill_closed_streams() -> None:
    """Put the null device where a standard stream is closed: else the next file that is opened takes its place."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(free)
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 - open to the end, as they always are
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


@contextmanager
def _ending_cleanly() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind like Ctrl-C, so that no temporary file stays behind."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number, code in ((signal.SIGTERM, TERMINATED), (signal.SIGHUP, HANGUP)):
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP: so does this program then
                before[number] = signal.signal(number, _ended(code))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ended(code: int) -> signal._HANDLER:
    def end(number: int, frame: object) -> None:
        raise Terminated(code)

    return end
