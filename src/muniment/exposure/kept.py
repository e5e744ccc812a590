"""What is kept of a release, so that the next one can be judged on top of it: which record is in which class.

    Extract + quasi-identifiers --keep--> Kept --to_bytes--> a sealed file of the workspace

Tables of classes with their sizes cannot give joint classes: for that one must know, for each record, the class in
either release. Kept in clear they would be one more database worth stealing, so that this is what stands here:

Rules
1. Of a record: its ordinal, the number of its class, and, where a sensitive column is named, the number of its value.
2. What a class or a value *is* stands there as a keyed digest of 64 bits only: equal values of one column have equal
   digests in all releases, and without the key nobody finds a value by trying.
3. The bytes belong into a sealed file and no other place; no repr, message or result shows anything of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError, IntegrityError
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded, Extract
from muniment.prf import cmac64_many, cmac_rows, first_64_bits, hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAGIC: Final = b"muniment kept classes 1\n"
_CHUNK: Final = 65_536
"""Classes whose digests are taken in one go: 400 columns fill 200 MB."""


def _no_numbers() -> NDArray[np.uint32]:
    return np.zeros(0, np.uint32)


def _no_digests() -> NDArray[np.uint64]:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Kept:
    """The classes of one release. For computing with and for a sealed file; never shown.

    columns: the quasi-identifiers; records: ordinals, ascending, each once, uint32, (rows,); ids: the class of each,
    uint32, (rows,), 0 to classes - 1; keys: the digest of each class, uint64, (classes,), or none.
    sensitive: a column, or ""; values: the number of each record's value in it, uint32, (rows,); value_keys: the digest
    of each value, uint64.
    """

    columns: tuple[str, ...]
    records: NDArray[np.uint32]
    ids: NDArray[np.uint32]
    keys: NDArray[np.uint64] = field(default_factory=_no_digests)
    sensitive: str = ""
    values: NDArray[np.uint32] = field(default_factory=_no_numbers)
    value_keys: NDArray[np.uint64] = field(default_factory=_no_digests)

    @property
    def rows(self) -> int:
        """How many records there are."""
        return len(self.records)

    @property
    def classes(self) -> Classes:
        """The classes with their sizes."""
        return Classes(self.ids, np.bincount(self.ids, minlength=len(self.keys)).astype(np.int64))

    def to_bytes(self) -> Iterator[bytes]:
        """The bytes, in parts, for `sealed.write_sealed`."""
        arrays = (self.records, self.ids, self.keys, self.values, self.value_keys)
        head = {"columns": self.columns, "sensitive": self.sensitive, "sizes": [len(array) for array in arrays]}
        yield _MAGIC
        yield json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        for array in arrays:
            yield array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Kept:
        """Undo `to_bytes`; `IntegrityError` where it is anything else."""
        try:
            return cls._read(data)
        except (ValueError, TypeError, KeyError) as error:
            raise IntegrityError("the kept classes of a release do not have the form of this version") from error

    @classmethod
    def _read(cls, data: bytes) -> Kept:
        end = data.index(b"\n", len(_MAGIC))
        head = json.loads(data[len(_MAGIC) : end])
        kinds, place, arrays = ("<u4", "<u4", "<u8", "<u4", "<u8"), end + 1, []
        for size, kind in zip(head["sizes"], kinds, strict=True):
            arrays.append(np.frombuffer(data, kind, size, place).astype(kind[1:], copy=False))
            place += arrays[-1].nbytes
        records, ids, keys, values, value_keys = arrays
        sound = len(ids) == len(records) and len(values) in (0, len(records)) and bool((np.diff(records) > 0).all())
        if not data.startswith(_MAGIC) or place != len(data) or not sound or not _below(ids, keys, len(records)):
            raise ValueError("sizes do not fit")
        if not _below(values, value_keys, 0):
            raise ValueError("a value without a digest")
        return cls(tuple(head["columns"]), records, ids, keys, str(head["sensitive"]), values, value_keys)


def _below(numbers: NDArray[np.uint32], named: NDArray[np.uint64], otherwise: int) -> bool:
    """Whether all numbers are places of what they name."""
    return not len(numbers) or int(numbers.max()) < (len(named) or otherwise)


def keep(
    extract: Extract, quasi: Sequence[str], key: bytes, *, sensitive: str = "", found: Classes | None = None
) -> Kept:
    """The classes of an extract of a register in the columns `quasi`, to be kept.

    `key`: 32 bytes for the digests. `found`: the classes of these columns, where they are known already. Digests of
    classes are taken where every column has labels; those of a sensitive column need labels.

    Raises `InputError` where the rows have no ordinals, a record comes twice, or labels are missing.
    """
    if extract.record is None:
        raise InputError(
            "these rows are of no register, so that they cannot be kept by person",
            hint="take the extract from a register, or from a file that has its key",
        )
    order = np.argsort(extract.record, kind="stable")
    records = extract.record[order].astype(np.uint32, copy=False)
    if len(records) > 1 and bool((records[1:] == records[:-1]).any()):
        raise InputError("a record comes twice in this extract: expected each once", hint="choose distinct records")
    columns = extract.chosen(quasi)
    of = found or classes(columns)
    keys = class_digests(columns, of, key) if all(len(c.labels) == c.size for c in columns) else np.zeros(0, np.uint64)
    values, value_keys = np.zeros(0, np.uint32), np.zeros(0, np.uint64)
    if sensitive:
        column = extract.column(sensitive)
        values, value_keys = column.codes[order].astype(np.uint32), value_digests(column, key)
    return Kept(tuple(quasi), records, of.ids[order], keys, sensitive, values, value_keys)


def value_digests(column: Coded, key: bytes) -> NDArray[np.uint64]:
    """The keyed digest of each code of a column with labels: AES-CMAC under a key of that column; uint64, (size,).

    `InputError` where the column was read without labels.
    """
    if len(column.labels) != column.size:
        raise InputError(f"column {column.name!r} was read without its values: they are needed to tell releases apart")
    own = hkdf(key, "muniment exposure value 1", column.name)
    return cmac64_many(own, [b"" if text is None else b"=" + text.encode() for text in column.labels])


def class_digests(columns: Sequence[Coded], of: Classes, key: bytes) -> NDArray[np.uint64]:
    """The keyed digest of each class: AES-CMAC of the digests of its values, under a key of the columns' names."""
    own = hkdf(key, "muniment exposure class 1", *(column.name for column in columns))
    digests = [value_digests(column, key) for column in columns]
    first = _some_row(of)
    out = np.empty(len(first), np.uint64)
    for start in range(0, len(first), _CHUNK):
        rows = first[start : start + _CHUNK]
        parts = [digest[column.codes[rows]].astype(">u8") for digest, column in zip(digests, columns, strict=True)]
        texts = np.stack(parts, axis=1).view(np.uint8).reshape(len(rows), 8 * len(columns))
        out[start : start + _CHUNK] = first_64_bits(cmac_rows(own, texts, np.full(len(rows), texts.shape[1], np.int64)))
    return out


def _some_row(of: Classes) -> NDArray[np.int64]:
    """A row of each class."""
    rows = np.zeros(len(of.sizes), np.int64)
    rows[of.ids] = np.arange(of.rows)
    return rows
