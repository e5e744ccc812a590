"""How many persons a value may tell of that is no column of a table, by its bytes.

Rules
1. A truth value, a date, a short number tells of one. So a count, a sum or the latest visit costs one person a row.
2. Anything else tells of one for each `unit` bytes: it may be a list, of whatever form.
3. A row costs one at least. What is packed closer than `unit` bytes, and what a number under eleven digits says, is
   beyond what can be seen here, like any question that is answered with yes or no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.gate.protocol.values import (
    BOOL,
    CHAR,
    DATE,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    NUMERIC,
    OID,
    TIMESTAMP,
    TIMESTAMPTZ,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS: Final = 10
"""Characters of a number that tells of one person."""
_ONE: Final = frozenset((BOOL, CHAR, INT2, INT4, OID, FLOAT4, DATE, TIMESTAMP, TIMESTAMPTZ))
_NUMERIC_HEAD: Final = 8
_DIGITS: Final[Mapping[int, Callable[[bytes], int]]] = MappingProxyType(
    {
        INT8: lambda cell: len(str(int.from_bytes(cell, "big", signed=True))),
        FLOAT8: lambda cell: 17,
        NUMERIC: lambda cell: 2 * max(len(cell) - _NUMERIC_HEAD, 0),  # a word of two bytes is four digits
    }
)
"""Characters that a number would take as text, by its binary form."""


def weight(type_oid: int, format: int, cell: bytes, unit: float) -> int:
    """Persons that one value may tell of."""
    if type_oid in _ONE:
        return 1
    size = len(cell)
    if type_oid in _DIGITS:
        if format == 1:
            size = _DIGITS[type_oid](cell)
        if size <= DIGITS:
            return 1
    return ceil(size / unit)


def weights(columns: Sequence[tuple[int, int, Sequence[bytes | None]]], rows: int, unit: float) -> NDArray[np.int64]:
    """Persons that each row may tell of, shape (rows,). `columns`: type, format and values of each."""
    total = np.zeros(rows, np.int64)
    for type_oid, format, cells in columns:
        total += np.array([0 if cell is None else weight(type_oid, format, cell, unit) for cell in cells], np.int64)
    return np.maximum(total, 1)
