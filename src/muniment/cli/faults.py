"""Errors, told to a person or a program, and the exit code of each.

Rules
1. 0 fine, 1 a finding, 2 the caller can mend it, 3 stored data does not verify, 4 a disk or server cannot be reached,
   70 a fault of the program, 130 interrupted, 143 terminated, 141 the reader of standard output went away.
2. On standard error: `error: ...`, and `try: ...` on a line of its own; one JSON document with `--json`.
3. What a foreign exception says is never printed without `--debug`: it can hold a cell of a register.
"""

from __future__ import annotations

import json as json_text
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import typer

from muniment.errors import MunimentError

USAGE: Final = 2
BUG: Final = 70
"""EX_SOFTWARE of sysexits.h: told apart from every code that has a meaning of its own."""
HANGUP, INTERRUPTED, CLOSED, TERMINATED = 129, 130, 141, 143
"""128 and the number of the signal, as a shell says it."""


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP: cleaned up after like Ctrl-C. `code` is the exit code."""

    def __init__(self, code: int = TERMINATED) -> None:
        super().__init__()
        self.code = code


def guarded(action: Callable[[], int], *, json: bool, debug: bool) -> int:
    """Run a command; every way in which it can end becomes an exit code, and is told once."""
    try:
        return action()
    except MunimentError as error:
        tell(error.message, error.hint, json=json)
        if debug:
            traceback.print_exc()
        return error.exit_code
    except KeyboardInterrupt as error:
        code = error.code if isinstance(error, Terminated) else INTERRUPTED
        sys.stderr.write("\n" if sys.stderr.isatty() else "")  # the prompt or the count that was shown
        tell("interrupted; nothing was half-written", "", json=json)
        return code
    except BrokenPipeError:
        abandon_output()
        return CLOSED
    except (typer.TyperException, typer.Exit, typer.Abort):
        raise
    except Exception as error:
        return _bug(error, json=json, debug=debug)


def abandon_output() -> None:
    """Let standard output lead nowhere: Python flushes it once more as it ends, and that must not fail again."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(message: str, hint: str, *, json: bool) -> None:
    """Write one error to standard error."""
    if json:
        sys.stderr.write(json_text.dumps({"error": message, "hint": hint}) + "\n")
        return
    sys.stderr.write(f"error: {_plain(message)}\n" + (f"try: {_plain(hint)}\n" if hint else ""))


def _bug(error: Exception, *, json: bool, debug: bool) -> int:
    """A fault of the program, told by its kind and place alone; the whole of it only with `--debug`."""
    if debug:
        traceback.print_exc()
    frames = traceback.extract_tb(error.__traceback__)
    inside = [f"{f.filename.rpartition('muniment/')[2]}:{f.lineno}" for f in frames if "muniment/" in f.filename]
    place = (inside or ["?"])[-1]
    hint = "the same command with --debug shows more; look through that before you pass it on: it may hold values"
    tell(f"a fault of muniment itself: {type(error).__name__} at {place}", hint, json=json)
    return BUG


def _plain(foreign: str) -> str:
    from muniment.messages.markup import plain

    return plain(foreign)
