"""Memory of the gate for a long read and a short one: the same?

    python bench/gate/memory.py [ROWS]

Claim: the most memory that the gate ever holds while 10 M rows go through it is at most 1.1 times that for 10,000 rows.
The rows are those of a register of 1 M persons, each in ten visits: what grows with the number of persons (a budget
keeps two bytes for each person of the ledger) is the same in both runs, for both read all persons once before. With
`ROWS` less than 10 M the claim is not judged.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from parties import COLUMNS, DATABASE, TABLE, bulk_read, make_accounts, make_table, show

from measurement import Measurement

ROWS: Final = 10_000_000
PERSONS: Final = 1_000_000
SHORT: Final = 10_000
MOST: Final = 1.1


def main(rows: int = ROWS) -> list[Measurement]:
    """A fresh gate for each read."""
    from language.tls_server import tls_server

    persons = min(PERSONS, rows // 10)
    with tls_server(settings=("shared_buffers=512MB", "jit=off")) as server:
        make_table(server, persons)
        visits = f"SELECT 1 + i % {persons} AS id, i AS visit FROM generate_series(1, {rows}) i"
        server.sql(f"CREATE TABLE visit AS {visits}", database=DATABASE)
        make_accounts(server, ["reader"])
        whole = "SELECT id, surname FROM person"
        long = "SELECT p.id, p.surname, p.given, p.address, v.visit FROM person p JOIN visit v ON v.id = p.id"
        short, grown = peak(server, whole, f"{long} LIMIT {SHORT}"), peak(server, whole, long)
    ratio = grown / short
    return [
        Measurement(
            f"peak memory of the gate, {rows:,} rows against {SHORT:,}, {persons:,} persons",
            f"<= {MOST}", f"{ratio:.3f} ({grown >> 20} MiB, {short >> 20} MiB)", ratio <= MOST or rows < ROWS,
        )
    ]  # fmt: skip


def peak(server: Any, *statements: str) -> int:
    """Bytes at the highest point of a new gate that runs these, one after another."""
    from language.gates import small_gate

    with small_gate(server, DATABASE, TABLE, columns=COLUMNS) as bed:
        for sql in statements:
            bulk_read(bed.port, "reader", sql)
        assert bed.process is not None
        status = Path(f"/proc/{bed.process.pid}/status").read_text(encoding="ascii")
        return 1024 * int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    sys.exit(show(main(*(int(word) for word in sys.argv[1:]))))
