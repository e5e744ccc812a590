"""Segments as the log lists them: the leaf, its manifest, and the file, which is opened when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from muniment.ledger.batch import Batch
from muniment.ledger.segments.manifest import Manifest
from muniment.ledger.segments.segment import Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from muniment.ledger.batch import Texts


class LoggedSegment:
    """One segment of the log: a `sources.SegmentSource` whose columns are decoded anew whenever they are asked for.

    `pick` decodes only the pages of its rows.
    """

    def __init__(self, leaf: int, data: bytes, opened: Callable[[Manifest], Segment]) -> None:
        """`leaf` is the index of the leaf, `data` its bytes. Raises `IntegrityError` where it is no manifest."""
        self.leaf = leaf
        self.manifest = Manifest.from_leaf(data)
        self._identity = sha256(data).digest()
        self._opened = opened
        self._segment: Segment | None = None

    def __repr__(self) -> str:
        return f"LoggedSegment({self.leaf}, {self.manifest.id})"

    @property
    def segment(self) -> Segment:
        """The open segment; errors as `Segment.open`."""
        if self._segment is None:
            self._segment = self._opened(self.manifest)
        return self._segment

    @property
    def identity(self) -> bytes:
        """SHA-256 of the leaf."""
        return self._identity

    @property
    def rows(self) -> int:
        """Disclosures."""
        return self.manifest.rows

    @property
    def window(self) -> tuple[int, int]:
        """The earliest and latest time, ms since 1970."""
        return self.manifest.start, self.manifest.end

    def spans(self) -> Mapping[int, int]:
        """Row -> span of every dump."""
        dumps = self.manifest.dumps
        listed = dumps if isinstance(dumps, tuple) else self.segment.commitments().dump_list()
        return {dump.row: dump.span for dump in listed}

    def numbers(self, name: str) -> NDArray[np.int64]:
        """A column of `batch.NUMBERS`."""
        return self.segment.numbers(name)

    def texts(self, name: str) -> Texts:
        """A column of `batch.TEXTS`."""
        return self.segment.texts(name)

    def records(self) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """`starts` (rows + 1,) and `ordinals`."""
        lists = self.segment.records()
        return lists.starts, lists.values

    def pick(
        self, rows: NDArray[np.int64], numbers: Sequence[str], texts: Sequence[str]
    ) -> tuple[dict[str, NDArray[np.int64]], dict[str, Texts]]:
        """Some rows of some columns; only their pages are unpacked."""
        return self.segment.pick(rows, numbers, texts)

    def batch(self) -> Batch:
        """All columns."""
        return self.segment.batch()
