"""Passphrases: where they come from, and how one is stretched into a key.

Rules
1. A passphrase is taken from the first source that has one: a file named on the command line, the environment, a file
   named by the environment, and only then a prompt.
2. It is compared as Unicode NFC, so that the same characters typed on another system open the same ring.
3. Parameters of scrypt (RFC 7914) are read from the ring but bounded: a forged ring can neither weaken the stretching
   nor exhaust the memory.
4. No message holds a passphrase or its length.
"""

from __future__ import annotations

import os
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from muniment import limits
from muniment.durable import storage_faults
from muniment.errors import IntegrityError, PassphraseError
from muniment.sealed import seal, unseal

ENVIRONMENT = "MUNIMENT_PASSPHRASE"
ENVIRONMENT_FILE = "MUNIMENT_PASSPHRASE_FILE"
CUSTODIANS = ("MUNIMENT_CUSTODIAN_1", "MUNIMENT_CUSTODIAN_2")

_LABEL = b"muniment passphrase check 1"
_N, _R, _P = 2**15, 8, 1
_N_LEAST = 2**14
_LOST = (
    "a lost passphrase cannot be recovered: no copy can then be released or traced from this workspace. What still "
    "works: the files already handed out, the registers themselves, `muniment recompute` on sealed bundles, and a new "
    "workspace"
)


def find_passphrase(
    env: Mapping[str, str], file: Path | None = None, prompt: Callable[[], str] | None = None
) -> str:
    """Find the passphrase of the key ring; pass `prompt=None` where there is no terminal to ask on.

    Raises `PassphraseError` where no source has one, or where a file may be read by others.
    """
    if file is not None:
        return _from_file(file)
    if env.get(ENVIRONMENT):
        return env[ENVIRONMENT]
    if env.get(ENVIRONMENT_FILE):
        return _from_file(Path(env[ENVIRONMENT_FILE]))
    if prompt is not None and (typed := prompt()):
        return typed
    raise PassphraseError(
        "no passphrase for the key ring: there is no terminal to ask on, or nothing was typed",
        hint=f"set {ENVIRONMENT}, or {ENVIRONMENT_FILE} to a file that only you may read",
    )


def find_custodians(
    env: Mapping[str, str], prompt: Callable[[int], str] | None = None
) -> tuple[str | None, str | None]:
    """Find the passphrases of custodians 1 and 2; `None` for each that no source has (`unlock_custody` names it)."""
    found = [env.get(name) or (prompt(number) if prompt else None) or None for number, name in enumerate(CUSTODIANS, 1)]
    return found[0], found[1]


def _from_file(file: Path) -> str:
    if not file.is_file():
        raise PassphraseError(f"{file}: there is no such passphrase file", hint=f"set {ENVIRONMENT_FILE} to a file")
    with storage_faults(file, "read the passphrase"), file.open("rb") as opened:
        if (mode := os.fstat(opened.fileno()).st_mode & 0o777) & 0o077:
            raise PassphraseError(
                f"{file}: others may read this passphrase file (mode {mode:03o}); expected mode 600 or 400",
                hint=f"chmod 600 {file}",
            )
        data = opened.read(4 * limits.PASSPHRASE_CHARACTERS[1] + 3)
    try:
        line = data.decode("utf-8-sig").split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError:
        # Without the cause: a decoding error carries the bytes of the file.
        raise PassphraseError(f"{file}: the passphrase file is not UTF-8 text") from None
    if not line:
        raise PassphraseError(f"{file}: the first line of the passphrase file is empty; expected the passphrase")
    return line


@dataclass(frozen=True, slots=True)
class PassphraseLock:
    """What is stored about one passphrase: parameters of scrypt, and a box that tells whether it is the right one."""

    n: int
    r: int
    p: int
    salt: bytes
    check: bytes = field(repr=False)

    @classmethod
    def make(cls, passphrase: str, random_bytes: Callable[[int], bytes], *, whose: str) -> tuple[PassphraseLock, bytes]:
        """Make the lock for a new passphrase; returns it with the 32-byte key that the passphrase gives.

        Raises `PassphraseError` where it is too short or too long.
        """
        least, most = limits.PASSPHRASE_CHARACTERS
        if not least <= len(passphrase) <= most:
            raise PassphraseError(
                f"{whose} is too short or too long; expected {least} to {most:,} characters",
                hint="take five words or more that nobody would guess, and keep a copy in a safe place",
            )
        salt = random_bytes(32)
        key = _stretch(passphrase, salt, _N, _R, _P)
        return cls(_N, _R, _P, salt, seal(key, _LABEL, _LABEL)), key

    def open(self, passphrase: str | None, *, whose: str) -> bytes:
        """The key that the passphrase gives; `PassphraseError` where it is missing (`None`) or not the right one."""
        if passphrase is None:
            raise PassphraseError(f"{whose} is missing", hint=f"set {' and '.join(CUSTODIANS)}")
        if len(passphrase) > limits.PASSPHRASE_CHARACTERS[1]:
            raise PassphraseError(f"{whose} is wrong; nothing was changed", hint=f"try again; {_LOST}")
        key = _stretch(passphrase, self.salt, self.n, self.r, self.p)
        try:
            unseal(key, self.check, _LABEL)
        except IntegrityError:
            raise PassphraseError(f"{whose} is wrong; nothing was changed", hint=f"try again; {_LOST}") from None
        return key

    def to_json(self) -> dict[str, object]:
        """The stored form."""
        return {"n": self.n, "r": self.r, "p": self.p, "salt": encode(self.salt), "check": encode(self.check)}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> PassphraseLock:
        """Read the stored form; `ValueError`, `KeyError` or `TypeError` where it is malformed or out of bounds."""
        n, r, p = (_integer(stored[name]) for name in ("n", "r", "p"))
        strong = n >= _N_LEAST and n & (n - 1) == 0 and r >= _R and p >= 1
        if not strong or 128 * n * r > limits.SCRYPT_BYTES or p > 16:
            raise ValueError("scrypt parameters out of bounds")
        salt = decode(stored["salt"])
        if len(salt) < 16:
            raise ValueError("salt too short")
        return cls(n, r, p, salt, decode(stored["check"]))


def encode(data: bytes) -> str:
    """Bytes as base64 text, the form in which a key ring stores them."""
    return b64encode(data).decode()


def decode(stored: object) -> bytes:
    """The bytes of base64 text; `TypeError` or `ValueError` where it is none."""
    if not isinstance(stored, str):
        raise TypeError("expected base64 text")
    return b64decode(stored, validate=True)


def _integer(stored: object) -> int:
    if not isinstance(stored, int) or isinstance(stored, bool):
        raise TypeError("expected an integer")
    return stored


def _stretch(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(unicodedata.normalize("NFC", passphrase).encode())
