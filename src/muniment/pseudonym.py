"""Pseudonyms: keyed 64-bit stand-ins for record keys; the ledger holds these and never a record key.

They are CMACs of the canonical record key, under a key derived from (pseudonym key, register): the same person in two
registers has two unrelated pseudonyms. Mark addresses use another key and derivation: neither tells of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from muniment.keys import Key, Purpose
from muniment.prf import cmac64_many, hkdf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def pseudonyms(key: Key, register: str, keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """The pseudonyms of canonical record keys (`disclosure.canonical_key`), in their order, shape (len(keys),).

    Two of n records share one by chance with probability about n**2 / 2**65: one in a million at 6 million records.
    Raises `ValueError` for a key of another purpose.
    """
    if key.purpose != Purpose.PSEUDONYM:
        raise ValueError(f"a pseudonym key is needed, came {key.id}")
    return cmac64_many(hkdf(key.secret, "muniment pseudonym 1", register), keys)
