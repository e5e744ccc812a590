"""Sealed sets of 64-bit values (pseudonyms, symbol addresses), each a file named by a keyed digest of its content.

Rules
1. The name is derived under a key: it tells nothing of the content to whoever holds no key, and the same set has the
   same name, so that a thousand recipients of one query share one file.
2. A set is stored sorted and without repetition: the order of the rows, and how often each came, are not kept.
3. The file is sealed for its own name: two files exchanged do not open.

Sorted 64-bit values of which n are drawn at random hold about 64 - log2(n) + 1.4 bits each; the high bytes of their
differences are zero. Bytes are put plane by plane before zlib, which comes within a tenth of that.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from muniment import limits
from muniment.durable import storage_faults
from muniment.errors import IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.prf import hkdf
from muniment.sealed import read_sealed, write_sealed

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGEST = re.compile(r"[0-9a-f]{64}")
_WIDTH = 8


class SealedSets:
    """A folder of sealed sets. `keys`: every segment key of the ring, old ones first; the newest one seals."""

    def __init__(self, folder: Path, keys: Sequence[Key]) -> None:
        if not keys or any(key.purpose != Purpose.SEGMENT for key in keys):
            raise ValueError("one segment key or more is needed")
        self._folder = folder
        self._naming = hkdf(keys[0].secret, "muniment set name 1", length=32)
        self._keys = [hkdf(key.secret, "muniment set 1", length=32) for key in keys]

    def __repr__(self) -> str:
        return f"SealedSets({str(self._folder)!r})"

    def store(self, values: NDArray[np.uint64]) -> str:
        """Keep the set of `values`, shape (n,); durable when this returns its digest (64 hex digits).

        Raises `UnreachableError` where the disk is full or read-only, `LimitError` for too many values.
        """
        if values.size > limits.RECORD_SET:
            raise LimitError(f"a record set of {values.size:,} records; expected at most {limits.RECORD_SET:,}")
        distinct = sorted_distinct(values)
        content = sha256(distinct.tobytes()).digest()
        digest = hkdf(self._naming, "muniment set digest 1", content, length=32).hex()
        path = self._folder / digest
        if not path.exists():
            with storage_faults(self._folder, "make the folder"):
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_sealed(path, self._keys[-1], [_packed(distinct)], _purpose(digest))
        return digest

    def load(self, digest: str) -> NDArray[np.uint64]:
        """The set of that digest, ascending.

        Raises `IntegrityError` where the file is missing, altered, or sealed under a key that the ring does not hold.
        """
        if not _DIGEST.fullmatch(digest):
            raise ValueError("64 hex digits are needed")
        path = self._folder / digest
        if not path.is_file():
            raise IntegrityError(f"{path}: a set that the journal names is missing", hint="restore it from a backup")
        for key in reversed(self._keys):
            try:
                return _unpacked(read_sealed(path, key, _purpose(digest)))
            except IntegrityError as error:
                failure = error
        raise failure


def sorted_distinct(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The distinct values, ascending; by sorting, as the hash table of `np.unique` (2.4) takes 15 s for 5 million."""
    ordered = np.sort(values.astype("<u8", copy=False))
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if ordered.size else ordered


def _purpose(digest: str) -> str:
    return f"muniment set {digest}"


def _packed(distinct: NDArray[np.uint64]) -> bytes:
    differences = np.diff(distinct, prepend=np.uint64(0)).astype("<u8")
    planes = differences.view(np.uint8).reshape(-1, _WIDTH).T
    return distinct.size.to_bytes(_WIDTH, "big") + zlib.compress(planes.tobytes(), 1)


def _unpacked(packed: bytes) -> NDArray[np.uint64]:
    # The bytes were authenticated: a malformed set is a bug of the writer, not an attack, and may raise as it likes.
    size = int.from_bytes(packed[:_WIDTH], "big")
    planes = np.frombuffer(zlib.decompress(packed[_WIDTH:]), np.uint8).reshape(_WIDTH, size)
    return np.cumsum(np.ascontiguousarray(planes.T).view("<u8").reshape(-1), dtype=np.uint64)
