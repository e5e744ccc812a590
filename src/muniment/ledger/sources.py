"""Where a reader takes disclosures from: sealed segments and batches in memory, column by column; and what it keeps.

A source is one segment as the log knows it, or the unsealed tail. Its rows are those of the segment file: row i here is
row i of every opening (`segments.commit`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from muniment.ledger.batch import Batch, encode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from muniment.ledger.batch import Texts

CACHE_BYTES: Final = 2 * 1024**3
"""Bytes of decoded columns that a reader keeps (limits.READER_CACHE_BYTES): some 30 million disclosures."""
Value = TypeVar("Value")


class SegmentSource(Protocol):
    """One segment, opened lazily. Columns are read-only arrays of shape (rows,); they may be decoded anew each time."""

    @property
    def leaf(self) -> int:
        """Index of its manifest among the leaves of the log; -1 for what is not in the log."""
        ...

    @property
    def identity(self) -> bytes:
        """SHA-256 of its manifest leaf, 32 bytes: an index is only about the segments it was built from."""
        ...

    @property
    def rows(self) -> int:
        """Disclosures."""
        ...

    @property
    def window(self) -> tuple[int, int]:
        """The earliest and latest time, ms since 1970, both inclusive."""
        ...

    def spans(self) -> Mapping[int, int]:
        """Row -> span of every dump."""
        ...

    def numbers(self, name: str) -> NDArray[np.int64]:
        """A column of `batch.NUMBERS`."""
        ...

    def texts(self, name: str) -> Texts:
        """A column of `batch.TEXTS`."""
        ...

    def records(self) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """`starts` (rows + 1,) and `ordinals`, as in a `Batch`."""
        ...

    def pick(
        self, rows: NDArray[np.int64], numbers: Sequence[str], texts: Sequence[str]
    ) -> tuple[dict[str, NDArray[np.int64]], dict[str, Texts]]:
        """Some rows of some columns by name, in the order of `rows`: for a few rows, quicker than whole columns."""
        ...

    def batch(self) -> Batch:
        """All columns."""
        ...


class BatchSource:
    """A batch in memory as a source: the unsealed tail, and whatever a test makes up."""

    def __init__(self, batch: Batch, *, leaf: int = -1, spans: Mapping[int, int] | None = None) -> None:
        """`batch` is not empty; `spans` are its dumps, none where it is left out."""
        self._batch = batch
        self._spans = dict(spans or {})
        self.leaf = leaf
        self.rows = len(batch)
        self.window = (int(batch.time.min()), int(batch.time.max()))
        self._identity = b""

    @property
    def identity(self) -> bytes:
        """SHA-256 of the encoded batch."""
        self._identity = self._identity or sha256(encode(self._batch)).digest()
        return self._identity

    def spans(self) -> Mapping[int, int]:
        """Row -> span of every dump."""
        return self._spans

    def numbers(self, name: str) -> NDArray[np.int64]:
        """A column of `batch.NUMBERS`."""
        column: NDArray[np.int64] = getattr(self._batch, name)
        return column

    def texts(self, name: str) -> Texts:
        """A column of `batch.TEXTS`."""
        column: Texts = getattr(self._batch, name)
        return column

    def records(self) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """`starts` and `ordinals` of the batch."""
        return self._batch.starts, self._batch.ordinals

    def pick(
        self, rows: NDArray[np.int64], numbers: Sequence[str], texts: Sequence[str]
    ) -> tuple[dict[str, NDArray[np.int64]], dict[str, Texts]]:
        """Some rows of some columns by name."""
        columns = {name: self.numbers(name)[rows] for name in numbers}
        return columns, {name: self.texts(name).take(rows) for name in texts}

    def batch(self) -> Batch:
        """The batch."""
        return self._batch


class ColumnCache:
    """What was decoded, the longest unused of it dropped beyond a number of bytes. Not for several threads."""

    def __init__(self, size: int = CACHE_BYTES) -> None:
        self._size = size
        self._held: OrderedDict[tuple[int, str], tuple[object, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return self._bytes

    def __contains__(self, key: tuple[int, str]) -> bool:
        return key in self._held

    def get(self, key: tuple[int, str], make: Callable[[], Value], size: Callable[[Value], int]) -> Value:
        """The value under `key` (number of the source, name), made where it is not held."""
        if key in self._held:
            self._held.move_to_end(key)
            held: Value = self._held[key][0]  # type: ignore[assignment]  # one name, one type
            return held
        value = make()
        self._held[key] = (value, size(value))
        self._bytes += size(value)
        while self._bytes > self._size and len(self._held) > 1:
            self._bytes -= self._held.popitem(last=False)[1][1]
        return value
