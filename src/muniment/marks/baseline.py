"""The baseline: keyed digests of each markable cell at first marking, so that the register cannot absorb marks.

A marked value can come back by UPDATE or re-import. From then on a copy of the raw table would read as the copy of
the clerk who wrote it back. So the first release keeps, for each markable cell, a digest of the cell as it stands
(`form`) and one of the cell with all bits 0 (`plain`, equal for cells that differ by marks only). A cell whose `form`
has changed while `plain` has not was changed in form only: its addresses read as erased, for everybody.

Rules
1. A cell that really changed gets a new baseline before its next copy is made; one changed in form only never does.
2. For carriers with a tolerance any change counts as one within the tolerance: erasing costs power, never validity.
3. Digests are keyed tabulation hashes (Zobrist 1970, Carter and Wegman 1979), salted by nothing else, and the file that
   holds them is sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from muniment.errors import IntegrityError
from muniment.prf import BlockFunction
from muniment.table import Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

_POSITIONS = 256
"""Bytes of a cell that have tables of their own; later ones fold back with a rotation."""
_MAGIC = b"MUNB1\0\0\0"


class State(IntEnum):
    """What has become of a markable cell since its baseline."""

    NEW = 0
    SAME = 1
    FORM_ONLY = 2
    CHANGED = 3


class CellDigest:
    """A keyed digest of cells: the sum of random words chosen by (position, byte), for a whole column at once."""

    def __init__(self, key: bytes) -> None:
        counter = np.zeros((_POSITIONS * 256 // 2, 2), ">u8")
        counter[:, 1] = np.arange(len(counter))
        self._words = BlockFunction(key)(counter.view(np.uint8)).view(np.uint64).reshape(-1)

    def __call__(self, cells: Cells) -> NDArray[np.uint32]:
        """32-bit digests of cells, 0 for `None`.

        The cells are joined by NUL bytes, which also end each of them; a NUL inside a cell counts as U+0001.
        """
        if not cells:
            return np.zeros(0, np.uint32)
        absent = None in cells
        texts = [cell or "" for cell in cells] if absent else cells
        joined = "\0".join(texts)  # type: ignore[arg-type]
        if joined.count("\0") >= len(cells):
            joined = "\0".join([text.replace("\0", "\1") for text in texts if text is not None])
        flat = np.frombuffer((joined + "\0").encode("utf-8", "surrogatepass"), np.uint8)
        ends = np.flatnonzero(flat == 0) + 1
        starts = np.r_[0, ends[:-1]]
        lengths = ends - starts
        steps = np.ones(len(flat), np.int32)  # the place in a cell: one up a byte, back to 0 at the next cell
        steps[0] = 0
        steps[starts[1:]] -= lengths[:-1].astype(np.int32)
        position = np.cumsum(steps)
        words = self._words[((position & (_POSITIONS - 1)) << 8) | flat]
        if lengths.max() > _POSITIONS:
            turn = (position // _POSITIONS % 64).astype(np.uint64)
            words = (words << turn) | (words >> ((np.uint64(64) - turn) % np.uint64(64)))
        sums = np.add.reduceat(words, starts) >> np.uint64(32)
        digests: NDArray[np.uint32] = np.maximum(sums, 1).astype(np.uint32)
        if absent:
            digests[[cell is None for cell in cells]] = 0
        return digests

    def __repr__(self) -> str:
        return "CellDigest()"


_NUMBER_BITS = 12
"""Bits of a column number in an address (`marks.codebook`)."""


def baseline_column(number: int, carriers: Sequence[str]) -> int:
    """Column number and carriers as one number: `plain` folds what these carriers write, and nothing else."""
    label = "\0".join(sorted(carriers)).encode()
    return int.from_bytes(sha256(label).digest()[:4], "big") << _NUMBER_BITS | number


def _number(column: int) -> int:
    return column & ((1 << _NUMBER_BITS) - 1)


@dataclass(frozen=True, slots=True, repr=False)
class Baseline:
    """Digests of the markable cells of a register: `pseudonyms` sorted (n), `form` and `plain` of shape (n, columns).

    `columns` holds what `baseline_column` gives; a digest of 0 means that the cell has no baseline there.
    """

    columns: tuple[int, ...]
    pseudonyms: NDArray[np.uint64]
    form: NDArray[np.uint32]
    plain: NDArray[np.uint32]

    @classmethod
    def empty(cls, columns: Sequence[int] = ()) -> Baseline:
        """A baseline without a record."""
        shape = (0, len(columns))
        return cls(tuple(columns), np.zeros(0, np.uint64), np.zeros(shape, np.uint32), np.zeros(shape, np.uint32))

    def states(
        self, pseudonyms: NDArray[np.uint64], column: int, form: NDArray[np.uint32], plain: NDArray[np.uint32]
    ) -> NDArray[np.uint8]:
        """The `State` of the cells of one column as they now stand; cells without a place (`plain` 0) are SAME.

        `plain` of other carriers cannot be compared. A cell known under others only is NEW where its form is the old
        one, and counts as changed in form only where it is not: that costs power at most.
        """
        states = np.full(len(pseudonyms), State.NEW, np.uint8)
        if len(self.pseudonyms):
            at = np.minimum(np.searchsorted(self.pseudonyms, pseudonyms), len(self.pseudonyms) - 1)
            mine = self.pseudonyms[at] == pseudonyms
            elsewhere, unlike = np.zeros(len(pseudonyms), bool), np.ones(len(pseudonyms), bool)
            for i, other in enumerate(self.columns):
                if other != column and _number(other) == _number(column):
                    elsewhere |= mine & (self.form[at, i] != 0)
                    unlike &= ~mine | (self.form[at, i] != form)
            states[elsewhere & unlike] = State.FORM_ONLY
            if column in self.columns:
                i = self.columns.index(column)
                known, same_plain = mine & (self.form[at, i] != 0), self.plain[at, i] == plain
                states[known & ~same_plain] = State.CHANGED
                states[known & same_plain] = State.FORM_ONLY
                states[known & (self.form[at, i] == form)] = State.SAME
        states[plain == 0] = State.SAME
        return states

    def merged(self, other: Baseline) -> Baseline:
        """This baseline with the non-zero digests of another put over it."""
        columns = tuple(dict.fromkeys((*self.columns, *other.columns)))
        pseudonyms = np.union1d(self.pseudonyms, other.pseudonyms)
        form = np.zeros((len(pseudonyms), len(columns)), np.uint32)
        plain = np.zeros_like(form)
        for part in (self, other):
            at = np.searchsorted(pseudonyms, part.pseudonyms)
            for i, column in enumerate(part.columns):
                given = part.form[:, i] != 0
                form[at[given], columns.index(column)] = part.form[given, i]
                plain[at[given], columns.index(column)] = part.plain[given, i]
        return Baseline(columns, pseudonyms, form, plain)

    def to_bytes(self) -> bytes:
        """The bytes of the baseline, to be sealed."""
        head = np.array([len(self.columns), len(self.pseudonyms), *self.columns], "<u8")
        arrays = (self.pseudonyms.astype("<u8"), self.form.astype("<u4"), self.plain.astype("<u4"))
        return _MAGIC + head.tobytes() + b"".join(array.tobytes() for array in arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Baseline:
        """Read what `to_bytes` wrote; `IntegrityError` on anything else."""
        try:
            if data[:8] != _MAGIC:
                raise ValueError("wrong magic")
            width, count = (int(n) for n in np.frombuffer(data, "<u8", 2, 8))
            columns = tuple(int(n) for n in np.frombuffer(data, "<u8", width, 24))
            start = 24 + 8 * width
            pseudonyms = np.frombuffer(data, "<u8", count, start)
            form = np.frombuffer(data, "<u4", count * width, start + 8 * count).reshape(count, width)
            plain = np.frombuffer(data, "<u4", count * width, start + (8 + 4 * width) * count).reshape(count, width)
        except ValueError as error:
            raise IntegrityError(f"baseline of {len(data):,} bytes cannot be read: {error}") from error
        return cls(columns, pseudonyms.astype(np.uint64), form.astype(np.uint32), plain.astype(np.uint32))
