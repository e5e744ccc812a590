"""Generated persons for tests of the alignment: a register, a scan over it, and leaks made from its rows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from muniment.disclosure import Kind
from muniment.table import Cells, Table
from muniment.trace.align import Alignment
from muniment.trace.columns import ColumnSpec, Scan
from muniment.trace.verdict import ColumnMatch

KINDS = {
    "given": Kind.NAME,
    "surname": Kind.NAME,
    "born": Kind.DATE,
    "address": Kind.ADDRESS,
    "town": Kind.PLACE,
    "phone": Kind.PHONE,
    "sex": Kind.CATEGORY,
}
GIVEN = [a + b for a in ("Al", "Be", "Cor", "Dan", "El", "Fre", "Gus", "Hel")
         for b in ("an", "rick", "ina", "mo", "ette")]
SURNAMES = [a + b
            for a in ("Ash", "Black", "Carl", "Dray", "Ever", "Fair", "Gold", "Hart", "Iver", "Lang", "Mor", "North")
            for b in ("ton", "ley", "man", "field", "worth", "wood", "ham", "by", "well", "son")]
STREETS = ["Mill Lane", "Station Road", "High Street", "Church Close", "Park Avenue", "Queen Street", "North Parade"]
TOWNS = ["Ashby", "Bexhill", "Corsham", "Dunster", "Epworth", "Fowey", "Goole"]


def register_of(rows: int, seed: int = 1) -> Table:
    """A register of this many persons, the same for the same seed."""
    draw = random.Random(seed)
    table = []
    for _ in range(rows):
        given, surname = GIVEN[int(len(GIVEN) * draw.random() ** 1.5)], draw.choice(SURNAMES)
        born = f"{draw.randint(1930, 2010)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
        address = f"{draw.randint(1, 150)} {draw.choice(STREETS)}"
        phone = f"09{draw.randint(10_000_000, 99_999_999)}"
        table.append((given, surname, born, address, draw.choice(TOWNS), phone, draw.choice("MF")))
    return Table.from_rows(tuple(KINDS), table)


def specs_of(columns: Sequence[str] = tuple(KINDS)) -> list[ColumnSpec]:
    """What the register's columns are, without marks or tolerances."""
    return [ColumnSpec(name, KINDS[name], str, None) for name in columns]


def scan_of(register: Table, batch: int = 500) -> Scan:
    """A scan over a table in batches of this many rows."""

    def scan(columns: Sequence[str]) -> Iterator[Table]:
        some = register.select(columns)
        for start in range(0, register.rows, batch):
            yield Table(some.columns, tuple(cells[start:start + batch] for cells in some.cells))

    return scan


def matched(*pairs: tuple[str, str]) -> list[ColumnMatch]:
    """Matches of (leak column, register column)."""
    return [ColumnMatch(leak, column, 1.0, fixed=False) for leak, column in pairs]


def same_names(*columns: str) -> list[ColumnMatch]:
    """Matches of columns that kept their names."""
    return matched(*((column, column) for column in columns))


def changed(table: Table, column: str, change: object) -> Table:
    """The table with each cell of a column changed by the function `change`."""
    assert callable(change)
    cells: Cells = [None if cell is None else change(cell) for cell in table[column]]
    return table.with_cells({column: cells})


def right_and_wrong(found: Alignment, truth: Sequence[int | None]) -> tuple[int, int]:
    """How many aligned rows show their own record, and how many another's."""
    pairs = list(zip(found.leak_row.tolist(), found.register_row.tolist(), strict=True))
    right = sum(truth[row] == record for row, record in pairs)
    return right, len(pairs) - right
