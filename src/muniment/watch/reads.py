"""Reads: what the ledger says was received, one row a record of a disclosure; the only thing that watch looks at.

Rules
1. Rows stand in the order of the ledger: by sequence, within a disclosure by ordinal.
2. A disclosure without records is no read: it is counted (`Counts`), and what only counts can show is said to be so.
3. Texts are codes here. `Names` gives them, the same one for the same text for as long as a watch lives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOBODY: Final = -1
"""The code of a text that is not there: no case, no office."""


class Names:
    """Texts and their codes: int32 from 0, in the order in which they first came."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """`texts`: those known already, in the order of their codes."""
        self._texts = list(texts)
        self._codes = {text: code for code, text in enumerate(self._texts)}

    def __len__(self) -> int:
        return len(self._texts)

    def __repr__(self) -> str:
        return f"Names({len(self)})"

    @property
    def texts(self) -> Sequence[str]:
        """All texts, by code."""
        return tuple(self._texts)

    def text(self, code: int) -> str:
        """The text of a code; empty for `NOBODY`."""
        return "" if code == NOBODY else self._texts[code]

    def code(self, text: str) -> int:
        """The code of a text, a new one where it comes first; `NOBODY` for the empty text."""
        if not text:
            return NOBODY
        code = self._codes.setdefault(text, len(self._texts))
        if code == len(self._texts):
            self._texts.append(text)
        return code

    def codes(self, texts: Iterable[str]) -> NDArray[np.int32]:
        """`code` of many, shape (n,)."""
        return np.fromiter((self.code(text) for text in texts), np.int32)

    def known(self, text: str) -> int:
        """The code of a text that came before, else `NOBODY`; nothing is added."""
        return self._codes.get(text, NOBODY)


@dataclass(frozen=True, slots=True)
class Spaces:
    """The names that reads and context share: one space of codes for each sort of text."""

    account: Names = field(default_factory=Names)
    office: Names = field(default_factory=Names)
    role: Names = field(default_factory=Names)
    case: Names = field(default_factory=Names)
    type: Names = field(default_factory=Names)
    device: Names = field(default_factory=Names)
    register: Names = field(default_factory=Names)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reads:
    """n reads in columns, shape (n,) each.

    `moment`: when it happened (ms since 1970, UTC); `recorded`: when the ledger got it, ascending. `account`, `case`,
    `device`, `register`: codes, `NOBODY` where none is known. `columns`: a bitmap of the column numbers (1 to 62;
    higher ones share bit 63), so that weights of columns can be applied.
    """

    sequence: NDArray[np.int64]
    moment: NDArray[np.int64]
    recorded: NDArray[np.int64]
    account: NDArray[np.int32]
    record: NDArray[np.uint32]
    case: NDArray[np.int32]
    device: NDArray[np.int32]
    register: NDArray[np.int32]
    columns: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.sequence)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Reads:
        """Some of them, by number, mask or slice."""
        return Reads(*(getattr(self, one.name)[rows] for one in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Reads]) -> Reads:
        """Several, one behind another."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    @classmethod
    def none(cls) -> Reads:
        """No reads."""
        types = (np.int64, np.int64, np.int64, np.int32, np.uint32, np.int32, np.int32, np.int32, np.uint64)
        return cls(*(np.zeros(0, one) for one in types))  # type: ignore[arg-type]
