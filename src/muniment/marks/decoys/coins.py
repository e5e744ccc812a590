"""Keyed random choices for the drawing of decoys: what is drawn follows from the key, and nobody else can repeat it.

The stream is AES-128 in counter mode under a key derived with HKDF: an attacker who knows some decoys cannot go on from
them to the others, as he could with a statistical generator.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import TypeVar

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from muniment.errors import InputError
from muniment.prf import hkdf

T = TypeVar("T")
_CHUNK = 65_536


class Coins:
    """A stream of choices under one key and label. It is used up as it goes; whoever made it owns it."""

    def __init__(self, key: bytes, *label: str) -> None:
        secret = hkdf(key, "decoys", *label, length=32)
        self._cipher = Cipher(algorithms.AES(secret[:16]), modes.CTR(secret[16:])).encryptor()
        self._chunk = b""
        self._used = 0

    def below(self, bound: int) -> int:
        """A whole number of 0 .. bound - 1 (bound at most 2**32; the bias is below 2**-31)."""
        if self._used + 8 > len(self._chunk):
            self._chunk, self._used = self._cipher.update(bytes(_CHUNK)), 0
        value = int.from_bytes(self._chunk[self._used : self._used + 8], "big")
        self._used += 8
        return value * bound >> 64

    def between(self, low: int, high: int) -> int:
        """A whole number of low .. high."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        """Whether an event of this probability happens."""
        return self.below(1 << 32) < probability * (1 << 32)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, each with the same probability."""
        return choices[self.below(len(choices))]

    def __repr__(self) -> str:
        return "Coins()"


def choose_ids(reserved: Sequence[str], count: int, key: bytes) -> list[str]:
    """A keyed choice of `count` of the reserved numbers, in keyed order (HMAC-SHA-256); no number is taken twice.

    Raises `InputError` where too few numbers are reserved.
    """
    distinct = sorted(set(reserved))
    if len(distinct) < count:
        raise InputError(
            f"{len(distinct):,} reserved numbers for {count:,} decoys: expected at least one each",
            hint="reserve more unissued numbers, or ask for fewer decoys",
        )
    secret = hkdf(key, "decoys", "order of reserved numbers", length=32)
    return sorted(distinct, key=lambda number: hmac.digest(secret, number.encode(), "sha256"))[:count]
