"""What everybody who gives records out writes to: one interface, in this process or over the writer's socket."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from muniment.disclosure import Disclosure
from muniment.ledger.batch import Batch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Receipt:
    """The numbers that durable disclosures got, `first` to `last`, and their time (ms since 1970, UTC)."""

    first: int
    last: int
    time: int


class Ordinals(Protocol):
    """The ordinal table as the writer sees it. `reserved`: ordinals from 0 on that may have been given so far."""

    def allocate(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        """See `Appender.ordinals`."""
        ...

    @property
    def reserved(self) -> int: ...

    def close(self) -> None:
        """Let go of files and lock."""
        ...


class Appender(Protocol):
    """Takes disclosures into the ledger. Safe to use from several threads.

    A future resolves when its disclosures are durable; nothing may be given out before. It raises `UnreachableError`
    where that failed: then they do not count as recorded, although they may be found in the ledger later. `append`
    waits while 1,024 disclosures of this client are outstanding; callbacks of its futures must not append.
    """

    def ordinals(self, pseudonyms: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        """The ordinals of pseudonyms, shape (n,), new ones where needed; durable when it returns.

        `older`: pseudonyms of the same records under earlier epochs, shape (n,) each: who has an ordinal keeps it.
        """
        ...

    def append(self, disclosure: Disclosure) -> Future[Receipt]:
        """Append one disclosure. `InputError` (here or in the future) for ordinals that were never given."""
        ...

    def append_many(self, batch: Batch) -> Future[Receipt]:
        """Append a batch, not yet numbered: all of it in one frame, or none. Errors as `append`."""
        ...

    def close(self) -> None:
        """Wait for what is outstanding, and let go of the ledger. Later appends raise `UnreachableError`."""
        ...


def check_batch(batch: Batch) -> None:
    """`ValueError` for no disclosures or records that are not ascending, `LimitError` for a text that is too long."""
    if not len(batch):
        raise ValueError("a batch of one disclosure or more is needed")
    batch.check()
