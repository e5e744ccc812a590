"""What a carrier is: the one place where a kind of mark touches the data.

Rules
1. A carrier writes a bit into a cell and reads it back. It knows no recipient, no key and no score.
2. `forms` gives the cell as it would be written for 0 and for 1. One of the two may be the cell itself. Where a cell
   has no place for a mark, `forms` is `None`, and the address carries no symbol.
3. `read` looks at the cell alone: 0, 1, or `None` (erased: the place is gone, or holds neither form).
4. `same` says whether two cells mean the same; it must hold between a cell and both its forms. For *equivalent*
   carriers it is equality of `normal`; `normal` of a cell and of its two forms are equal, and are the form for 0.
5. Reading is idempotent: forms(forms(v)[b]) == forms(v), and read(forms(v)[b]) == b.
6. `phase` (0 .. 2**32 - 1, keyed by the address) moves the lattice of carriers that change numbers; others ignore it.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Protocol

from muniment.disclosure import Harm, Kind


class Carrier(Protocol):
    """A way to write one bit into one cell without changing what it means (or within a declared tolerance)."""

    @property
    def name(self) -> str:
        """The name in muniment.toml and in reports, such as `street-type`."""

    @property
    def number(self) -> int:
        """1-255, part of every address: given once in the table of carriers, never used again."""

    @property
    def harm(self) -> Harm:
        """What it may do to the data."""

    @property
    def kinds(self) -> Set[Kind]:
        """The kinds of column on which it may be allowed."""

    def forms(self, value: str, phase: int = 0) -> tuple[str, str] | None:
        """The cell written as 0 and as 1, or `None` where it has no place for a mark."""

    def read(self, value: str, phase: int = 0) -> int | None:
        """The bit that the cell shows, or `None` (erased)."""

    def normal(self, value: str) -> str:
        """The normal form, in which the two forms of a cell are equal; itself for carriers that change numbers."""

    def same(self, first: str, second: str) -> bool:
        """Whether two cells mean the same to a reader (or lie within the tolerance)."""
