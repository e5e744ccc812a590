"""What this package knows of a register: its columns, and a way to read them in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from muniment.disclosure import Kind
from muniment.table import Table

Scan: TypeAlias = Callable[[Sequence[str]], Iterator[Table]]
"""Batches of the register with these columns; the rows come in the same order on each call."""


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A register column as the alignment sees it. `normal` makes both forms of a marked cell equal."""

    name: str
    kind: Kind
    normal: Callable[[str], str]
    """The normal forms of the column's carriers, one after the other; the cell itself where nothing is marked."""
    tolerance: Decimal | None
    """What a carrier may change in a number of this column; None where numbers are compared as they stand."""
