"""An extract as exposure sees it: columns of narrow codes, so that equal codes are equal values and nothing is text.

Rules
1. Equal value, equal code. NULL is a value of its own: NULL equals NULL, as in GROUP BY. A recipient who sees an empty
   cell sees that it is empty, so that rows with NULLs are told apart like any others.
2. Codes are 0 to `size` - 1 in the narrowest unsigned type that holds them. What a code stands for is in `labels`,
   which only `protect` and the reader of hierarchies look at.
3. Where an extract comes from a register, `record` has the ordinal of each row's person, for what the ledger knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from muniment.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_NULL = -1


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Coded:
    """One column: `codes` of shape (rows,), uint8, uint16 or uint32; `size`: how many codes; `null`: that of
    NULL, or -1.

    `labels`: the text of each code, in the order of codes, where it was asked for; sorted by value where `ordered`.
    """

    name: str
    codes: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32]
    size: int
    null: int = NO_NULL
    ordered: bool = False
    labels: tuple[str | None, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Extract:
    """Columns of equal length, names distinct. `record`: ordinals of the ledger, shape (rows,), where known."""

    columns: tuple[Coded, ...]
    rows: int
    record: NDArray[np.uint32] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Coded:
        """The column of that name; `InputError` lists what there is."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InputError(f"there is no column {name!r}; the columns are {', '.join(self.names)}")

    def chosen(self, names: Sequence[str]) -> tuple[Coded, ...]:
        """Several columns, in the order asked for; errors as `column`."""
        return tuple(self.column(name) for name in names)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Classes:
    """Equivalence classes: `ids` of each row, uint32, shape (rows,), 0 to classes - 1; `sizes`: int64, (classes,)."""

    ids: NDArray[np.uint32]
    sizes: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """Rows in all classes."""
        return len(self.ids)

    @property
    def uniques(self) -> int:
        """Rows that are alone in their class."""
        return int((self.sizes == 1).sum())


def narrowed(codes: NDArray[np.int64] | NDArray[np.uint32], size: int) -> NDArray[np.generic]:
    """Codes in the narrowest type that holds `size` of them."""
    kind = np.uint8 if size <= 2**8 else np.uint16 if size <= 2**16 else np.uint32
    return codes.astype(kind)
