"""The desk: what a command is given - options, the open workspace, standard output, and talk on standard error.

Rules
1. Standard output holds the result alone: lines for a person, or one JSON document.
2. Remarks and progress go to standard error; progress only where that is a terminal.
3. Nothing is asked where standard input or standard error is no terminal; a passphrase is never an argument.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from muniment.cli.faults import abandon_output
from muniment.errors import InputError, UnreachableError
from muniment.messages import text

if TYPE_CHECKING:
    from muniment.cli.options import Options
    from muniment.workspace.office import Workspace

Update = Callable[[str], None]
"""Shows a step or a count while a command works."""


class Desk:
    """One command's surroundings. It decides nothing: what is asked of it, it opens, prints or asks."""

    def __init__(self, options: Options) -> None:
        """`options` are the common ones, merged."""
        self.options = options
        self._lang: str | None = options.lang

    @property
    def lang(self) -> str:
        """The language of texts: as asked for, else that of the workspace once it is open, else English."""
        return self._lang or "en"

    @property
    def folder(self) -> Path:
        """The folder of the workspace."""
        return self.options.workspace or Path()

    @property
    def quiet(self) -> bool:
        """Whether no more than the answer is wanted."""
        return self.options.quiet

    # --- opening -------------------------------------------------------------------------------------------------

    def open(self, *, marks: bool = False) -> Workspace:
        """Open the workspace; with `marks` its mark keys too, which may take the passphrases of two custodians.

        Raises `PassphraseError`, `InputError` or `IntegrityError`, and changes nothing.
        """
        from muniment.passphrase import find_custodians
        from muniment.workspace.office import check_workspace, open_workspace

        check_workspace(self.folder)  # before a passphrase is asked for in vain
        opened = open_workspace(self.folder, self.passphrase())
        self._lang = self._lang or opened.lang
        if marks and opened.locked:
            opened.unlock(*find_custodians(os.environ, self._asking(self._custodian)))
        return opened

    def passphrase(self) -> str:
        """The passphrase of the key ring: a file, the environment, or a prompt."""
        from muniment.passphrase import find_passphrase

        ask = self._asking(lambda: self._typed("passphrase"))
        return find_passphrase(os.environ, self.options.passphrase_file, ask)

    def new_passphrase(self, variable: str, file: Path | None = None, *, ask: str = "new_passphrase") -> str:
        """A new passphrase: from `file` or the environment's `variable`, or typed twice; `ask` is the prompt."""
        from muniment.passphrase import ENVIRONMENT, find_passphrase

        env = {ENVIRONMENT: os.environ.get(variable, "")}
        if variable == ENVIRONMENT:
            env = dict(os.environ)
        elif file is None and not env[ENVIRONMENT] and not _terminal():
            raise InputError("no new passphrase: there is no terminal to ask on", hint=f"set {variable}")
        return find_passphrase(env, file, self._asking(lambda: self._twice(ask)))

    def other_passphrase(self, variable: str, *, ask: str) -> str:
        """The passphrase of what is no key ring: --passphrase-file, the environment's `variable`, or a prompt."""
        from muniment.passphrase import ENVIRONMENT, find_passphrase

        env, file = {ENVIRONMENT: os.environ.get(variable, "")}, self.options.passphrase_file
        if file is None and not env[ENVIRONMENT] and not _terminal():
            raise InputError("no passphrase: there is no terminal to ask on", hint=f"set {variable}")
        return find_passphrase(env, file, self._asking(lambda: self._typed(ask)))

    def new_custodians(self) -> tuple[str, str]:
        """The passphrases of two custodians, for a new workspace."""
        from muniment.passphrase import CUSTODIANS, find_custodians

        first, second = find_custodians(os.environ, self._asking(lambda n: self._twice("new_custodian", number=n)))
        if first is None or second is None:
            raise InputError(
                "the passphrases of two custodians are missing: there is no terminal to ask on",
                hint=f"set {' and '.join(CUSTODIANS)}",
            )
        return first, second

    # --- output --------------------------------------------------------------------------------------------------

    def result(self, value: object, lines: Iterable[str] | str, *, brief: Iterable[str] | str = ()) -> None:
        """Print the result: `value` as JSON with --json, else `lines`, or with --quiet `brief`."""
        if self.options.json:
            ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            lines = [json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)]
        elif self.quiet:
            lines = brief
        self.line(*([lines] if isinstance(lines, str) else lines))

    def line(self, *lines: str) -> None:
        """Write lines to standard output at once; `UnreachableError` where it cannot be written (a full disk)."""
        try:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()
        except BrokenPipeError:
            raise  # the reader went away: an end, not a fault
        except OSError as error:
            abandon_output()
            reason = (error.strerror or "unknown reason").lower()
            raise UnreachableError(f"standard output could not be written: {reason}") from error

    def text(self, key: str, /, **values: object) -> str:
        """A text with foreign values made harmless, whole numbers with separators.

        `key` is one of the command line (`cli.KEY`), or a whole one such as `doctor.disk.ok`.
        """
        from muniment.messages.markup import plain

        full = key if "." in key else f"cli.{key}"
        return text(full, self.lang, **{name: plain(_written(value)) for name, value in values.items()})

    def remark(self, key: str, /, **values: object) -> None:
        """Say something beside the result, unless --quiet or --json."""
        if not self.quiet and not self.options.json:
            sys.stderr.write(self.text(key, **values) + "\n")

    @contextmanager
    def working(self, key: str, /, **values: object) -> Iterator[Update]:
        """Show on a terminal that something is going on; what it yields takes the step or count to show."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda step: None
            return
        from rich.console import Console
        from rich.text import Text

        title = self.text(key, **values)
        with Console(stderr=True).status(Text(title)) as status:
            yield lambda step: status.update(Text(f"{title}: {step}"))

    # --- asking --------------------------------------------------------------------------------------------------

    def confirm(self, key: str, /, **values: object) -> None:
        """Ask before something final; returns where the answer is yes or --yes was given.

        Raises `InputError` where the answer is no, or where there is no terminal to ask on.
        """
        if self.options.yes:
            return
        question = self.text(key, **values)
        if not _terminal():
            raise InputError(f"this must be confirmed: {question}", hint="the same command with --yes")
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes", "是"):
            raise InputError("not confirmed; nothing was changed")

    def _asking(self, ask: Callable[..., str]) -> Callable[..., str] | None:
        return ask if _terminal() else None

    def _custodian(self, number: int) -> str:
        return self._typed("custodian", number=number)

    def _typed(self, key: str, **values: object) -> str:
        from getpass import getpass

        try:
            return getpass(self.text(key, **values) + ": ", stream=sys.stderr)
        except EOFError:
            return ""

    def _twice(self, key: str, **values: object) -> str:
        first = self._typed(key, **values)
        if first and first != self._typed("again"):
            raise InputError("the two are not the same; nothing was changed")
        return first


def _terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _written(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
