"""The error tree: split by who can mend the fault, each with the exit code of the command line.

Rules
1. A message is lower case, names the file, row and column where it can, says what was expected and what came.
2. `hint` is the next command or step to type; it is shown on a line of its own.
3. No message, hint or repr ever holds a key, a passphrase or a value of a register.
4. A foreign exception stops at the adapter that called the library, and is kept as the cause (`from`).
"""

from __future__ import annotations


class MunimentError(Exception):
    """Base of all errors that muniment raises on purpose; anything else that escapes is a bug."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(MunimentError):
    """A file, argument or setting is not what was expected: the caller can mend it and try again."""


class LimitError(InputError):
    """An input passes a bound of `muniment.limits`: it was refused before it could do harm."""


class MissingExtraError(InputError):
    """An optional dependency is not installed; the hint names the extra to install."""


class PassphraseError(InputError):
    """A passphrase is missing or does not open the key ring; nothing was changed."""


class IntegrityError(MunimentError):
    """Stored data does not verify: altered, cut short, or written under another key."""

    exit_code = 3


class UnreachableError(MunimentError):
    """A disk, server or lock could not be reached or written; nothing was half-written."""

    exit_code = 4
