"""A plan for a result: which columns are read, and which of them say whose each row is (made by `plan`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from muniment.gate.attribution.catalogue import RegisterShape
from muniment.gate.protocol.copyscan import CopyRows

if TYPE_CHECKING:
    from muniment.gate.attribution.copytext import CopyTarget

Class = Literal["register", "harmless", "expression", "unknown"]
REGISTER: Final = "register"
HARMLESS: Final = "harmless"
EXPRESSION: Final = "expression"
UNKNOWN: Final = "unknown"
Mode = Literal["keys", "digests", "charge"]
LEAST_UNIT: Final = 2.0
"""Bytes by which a person is told at least: a digit and what parts it from the next one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A column that is read: its place in what `scan` hands over, its type and format."""

    index: int
    type_oid: int
    format: int


@dataclass(frozen=True, slots=True)
class WholeRow:
    """A column that holds whole rows: of `width` values each, with the key at `keys` (place and type)."""

    cell: Cell
    width: int
    keys: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """Columns of one relation (`origin`: its OID and the source) that show one person of `register`, or several.

    `sources`: of how many rows they may be; 1: certain. `first`, `width`: its columns among the ordinals. `keys`: the
    key, once for each time that it is shown. `cells`: of a certain slot the columns beside the key, by attribute number
    (`numbers`), each once; of any other all of them. `outer`: whether `cells` tell that a row without key is no row.
    """

    register: str
    origin: tuple[int, int]
    sources: int
    first: int = 0
    keys: tuple[tuple[Cell, ...], ...] = ()
    pinned: tuple[str, ...] = field(default=(), repr=False)
    whole: WholeRow | None = None
    cells: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    outer: bool = False

    @property
    def named(self) -> bool:
        """Whether its rows bring a key."""
        return bool(self.keys or self.pinned or self.whole)

    @property
    def width(self) -> int:
        """Columns that it has among the ordinals."""
        if self.sources > 1:
            return len(self.keys)
        return 1 if self.named or self.numbers else 0


@dataclass(frozen=True, slots=True)
class ResultPlan:
    """What is to be read of each row of a result, and whom it is charged to.

    `guarded`: False where nothing has to be read. `fields`: columns to read, ascending. `mode`: 'keys' (every row says
    whose it is), 'digests' (it does, but may show others besides), 'charge' (some rows do not). `classes`: of each
    column. `free`: whether the case-load costs nothing. `extra`: persons in each row beyond the slots. `bulk`: columns
    that cost one person for each `unit` bytes. `always`: rows that came before cost again. `empty`: bytes of a message
    in which every value is NULL, or -1. `learn`: whether rows may be remembered for later ones without a key.
    `columns`: register -> numbers of the columns shown, ascending; 0 for columns that are not declared.
    """

    guarded: bool
    classes: tuple[Class, ...]
    fields: tuple[int, ...] = ()
    mode: Mode = "keys"
    slots: tuple[Slot, ...] = ()
    registers: tuple[RegisterShape, ...] = ()
    columns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    free: bool = True
    extra: int = 0
    bulk: tuple[Cell, ...] = ()
    unit: float = LEAST_UNIT
    always: bool = False
    empty: int = -1
    learn: bool = False
    copy: CopyTarget | None = None

    @property
    def width(self) -> int:
        """Columns of the ordinals."""
        return sum(slot.width for slot in self.slots)

    def slots_of(self, register: str) -> list[int]:
        """The columns among the ordinals that persons of `register` are in."""
        slots = [slot for slot in self.slots if slot.register == register]
        return [column for slot in slots for column in range(slot.first, slot.first + slot.width)]

    def copy_rows(self) -> CopyRows | None:
        """A reader for the rows of this COPY; `None` where their form is not known."""
        target = self.copy
        if target is None:
            return None
        return CopyRows(
            target.format,  # type: ignore[arg-type]  # one of the three
            width=len(self.classes),
            fields=self.fields,
            delimiter=target.delimiter.encode(),
            null=None if target.null is None else target.null.encode(),
            quote=target.quote.encode(),
            escape=target.escape.encode(),
            header=target.header,
        )
