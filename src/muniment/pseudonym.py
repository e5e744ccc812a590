"""Pseudonyms: keyed 64-bit stand-ins for record keys; the ledger holds these and never a record key.

They are CMACs of the canonical record key, under a key derived from (pseudonym key, register): the same person in two
registers has two unrelated pseudonyms. Mark addresses use another key and derivation: neither tells of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.keys import Key, Purpose
from muniment.prf import cmac64_many, cmac_rows, first_64_bits, hkdf, spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK: Final = 65_536
"""Records in one pass: what a pass makes stays in the cache."""
_WIDTH: Final = 256
"""Bytes of a canonical key up to which a pass lays all keys out in rows of one width."""
_HEAD: Final = 4
"""Bytes of the length before each part of a canonical key."""


def pseudonyms(key: Key, register: str, keys: Sequence[bytes]) -> NDArray[np.uint64]:
    """The pseudonyms of canonical record keys (`disclosure.canonical_key`), in their order, shape (len(keys),).

    Two of n records share one by chance with probability about n**2 / 2**65: one in a million at 6 million records.
    Raises `ValueError` for a key of another purpose.
    """
    return cmac64_many(register_key(key, register), keys)


def column_pseudonyms(
    key: Key, register: str, columns: Sequence[Sequence[str] | NDArray[np.bytes_]]
) -> NDArray[np.uint64]:
    """`pseudonyms` of the `canonical_keys` of `columns`, several times as fast; shape (n,).

    A column is a sequence of texts, or an array of UTF-8 texts of fixed width (`dtype="S12"`), in which no text may end
    in NUL, as the array cannot say so. Raises `ValueError` for a key of another purpose, or columns of unequal length.
    """
    derived = register_key(key, register)
    if len({len(column) for column in columns}) != 1:
        raise ValueError("one column or more is needed, all of one length")
    out = np.empty(len(columns[0]), np.uint64)
    for start in range(0, len(out), _CHUNK):
        parts = [_encoded(column[start : start + _CHUNK]) for column in columns]
        out[start : start + _CHUNK] = _of_parts(derived, parts)
    return out


def register_key(key: Key, register: str) -> bytes:
    """The key under which one register's pseudonyms are made. Raises `ValueError` for a key of another purpose."""
    if key.purpose != Purpose.PSEUDONYM:
        raise ValueError(f"a pseudonym key is needed, came {key.id}")
    return hkdf(key.secret, "muniment pseudonym 1", register)


def _of_parts(derived: bytes, parts: Sequence[tuple[bytes, NDArray[np.int64]]]) -> NDArray[np.uint64]:
    """Pseudonyms of keys whose parts are given column by column: the texts behind one another, and their lengths."""
    total = np.sum([_HEAD + lengths for _, lengths in parts], axis=0)
    if int(total.max()) > _WIDTH:
        texts = [_split(joined, lengths) for joined, lengths in parts]
        return cmac64_many(derived, [b"".join(row) for row in zip(*texts, strict=True)])
    rows = np.zeros((len(total), int(total.max())), np.uint8)
    offsets = np.zeros(len(total), np.int64)
    for joined, lengths in parts:
        _lay(rows, offsets, joined, lengths)
        offsets = offsets + _HEAD + lengths
    return first_64_bits(cmac_rows(derived, rows, total))


def _lay(rows: NDArray[np.uint8], offsets: NDArray[np.int64], joined: bytes, lengths: NDArray[np.int64]) -> None:
    """Write one part of each key, its length before it, into its row at its offset."""
    longest = int(lengths.max())
    framed = np.empty((len(rows), _HEAD + longest), np.uint8)
    framed[:, :_HEAD] = lengths.astype(">u4").view(np.uint8).reshape(-1, _HEAD)
    framed[:, _HEAD:] = spread(joined, lengths, longest)
    first = int(offsets[0])
    if bool((offsets == first).all()):
        rows[:, first : first + _HEAD + longest] = framed
        return
    within = np.arange(_HEAD + longest) < (_HEAD + lengths)[:, None]
    places = (np.arange(len(rows)) * rows.shape[1] + offsets)[:, None] + np.arange(_HEAD + longest)
    rows.reshape(-1)[places[within]] = framed[within]


def _encoded(column: Sequence[str] | NDArray[np.bytes_]) -> tuple[bytes, NDArray[np.int64]]:
    """The UTF-8 of all texts behind one another, and the length of each in bytes."""
    if isinstance(column, np.ndarray):
        lengths = np.strings.str_len(column).astype(np.int64)
        flat = np.ascontiguousarray(column).view(np.uint8).reshape(len(column), -1)
        return flat[np.arange(flat.shape[1]) < lengths[:, None]].tobytes(), lengths
    joined = "".join(column).encode()
    lengths = np.fromiter(map(len, column), np.int64, len(column))
    if len(joined) != int(lengths.sum()):
        # Characters of several bytes: a character begins where a byte is no continuation (10xxxxxx).
        begins = np.append(np.flatnonzero(np.frombuffer(joined, np.uint8) & 0xC0 != 0x80), len(joined))
        lengths = np.diff(begins[np.append(0, np.cumsum(lengths))])
    return joined, lengths


def _split(joined: bytes, lengths: NDArray[np.int64]) -> list[bytes]:
    ends = np.cumsum(lengths).tolist()
    starts = [0, *ends[:-1]]
    heads = lengths.astype(">u4").tobytes()
    return [heads[_HEAD * i : _HEAD * (i + 1)] + joined[a:b] for i, (a, b) in enumerate(zip(starts, ends, strict=True))]
