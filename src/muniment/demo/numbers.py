"""The made-up numbering scheme of the demo register: scattered numbers with check digits.

A record number is `MR`, eight digits and two check digits (ISO 7064, MOD 97-10): not the form of a national number.
The eight digits are a seeded permutation of the order of issue, so numbers that were never issued lie everywhere
between those that were. Places from `FIRST_RESERVED` on are never issued: the numbers of decoys come from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.prf import hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST_RESERVED: Final = 50_000_000
"""The first place in the order of issue that is kept for the keeper; the places end at 10**8."""
_HALF: Final = 10_000
_ROUNDS: Final = 6
_PERSON, _HOUSEHOLD = 1, 2


def person_ids(places: NDArray[np.int64], seed: int) -> list[str]:
    """The record numbers of these places (0 .. 10**8 - 1) in the order of issue."""
    numbers = _scatter(places, seed, _PERSON)
    checks = 98 - numbers * 100 % 97
    return [f"MR{number:08d}{check:02d}" for number, check in zip(numbers.tolist(), checks.tolist(), strict=True)]


def household_ids(places: NDArray[np.int64], seed: int) -> list[str]:
    """The household numbers of these places: `H` and eight scattered digits, without check digits."""
    return [f"H{number:08d}" for number in _scatter(places, seed, _HOUSEHOLD).tolist()]


def is_person_id(text: str) -> bool:
    """Whether a text is a well-formed record number: its form and its check digits."""
    digits = text[2:]
    return len(text) == 12 and text.startswith("MR") and digits.isascii() and digits.isdigit() and int(digits) % 97 == 1


def reserve_ids(count: int, *, seed: int, key: bytes) -> tuple[str, ...]:
    """Record numbers that are valid, never issued, and scattered among the issued ones; which ones, only the key tells.

    Raises `InputError` where more are asked for than a keeper can reserve.
    """
    if not 0 <= count <= FIRST_RESERVED // 10:
        raise InputError(f"{count:,} numbers to reserve: expected 0 to {FIRST_RESERVED // 10:,}")
    chosen: dict[int, None] = {}
    block = 0
    while len(chosen) < count:
        stream = np.frombuffer(hkdf(key, "demo reserved numbers", str(block), length=8_000), ">u8")
        chosen.update(dict.fromkeys((stream % np.uint64(FIRST_RESERVED)).tolist()))
        block += 1
    places = np.array(list(chosen)[:count], np.int64) + FIRST_RESERVED
    return tuple(person_ids(places, seed))


def _scatter(places: NDArray[np.int64], seed: int, purpose: int) -> NDArray[np.int64]:
    """A permutation of 0 .. 10**8 - 1: a Feistel network over two halves of four digits, its round functions tables."""
    tables = np.random.default_rng([seed, purpose]).integers(0, _HALF, (_ROUNDS, _HALF))
    left, right = places // _HALF, places % _HALF
    for table in tables:
        left, right = right, (left + table[right]) % _HALF
    scattered: NDArray[np.int64] = left * _HALF + right
    return scattered
