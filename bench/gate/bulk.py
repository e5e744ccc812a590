"""A bulk read of a whole register, direct and through the gate: how much slower?

    python bench/gate/bulk.py [ROWS] [ROUNDS]

Claim: 1 M rows with their keys, budget and ledger on, TLS on both sides of the comparison: at least 0.50 of the direct
rate in plain Python and 0.85 compiled. Each round uses an account that has received nobody yet, so that every person is
new to its budget, and recorded. The very first read through a gate also gives every person an ordinal; it is shown by
itself. The client discards bytes; server, gate and client share the machine's cores.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any, Final

from parties import COLUMNS, DATABASE, TABLE, bulk_read, label, make_accounts, make_table, middle, show, sources

from measurement import Measurement

ROWS: Final = 1_000_000
ROUNDS: Final = 9
WANTED: Final = {"plain Python": 0.50, "compiled": 0.85}
SQL: Final = "SELECT id, surname, given, address, born, district FROM person"


def main(rows: int = ROWS, rounds: int = ROUNDS) -> list[Measurement]:
    """Direct, plain and compiled, in turn."""
    from language.gates import small_gate
    from language.tls_server import tls_server

    with ExitStack() as stack:
        server = stack.enter_context(tls_server(settings=("shared_buffers=512MB", "jit=off")))
        make_table(server, rows)
        accounts = [f"reader_{n}" for n in range(rounds + 1)]
        make_accounts(server, accounts)
        ports = {"direct": server.port}
        for how, compiled in (("plain Python", False), ("compiled", True)):
            source = stack.enter_context(sources(compiled))
            bed = stack.enter_context(small_gate(server, DATABASE, TABLE, columns=COLUMNS, source=source))
            ports[how] = bed.port
        first = {how: bulk_read(port, accounts[-1], SQL).seconds for how, port in ports.items()}
        seconds: dict[str, list[float]] = {how: [] for how in ports}
        for account in accounts[:-1]:
            for how, port in ports.items():
                seconds[how].append(bulk_read(port, account, SQL).seconds)
            print({how: round(values[-1], 2) for how, values in seconds.items()}, file=sys.stderr, flush=True)
        return [line for how in WANTED for line in lines(how, rows, seconds, first)]


def lines(how: str, rows: int, seconds: dict[str, list[float]], first: dict[str, float]) -> list[Any]:
    """The claim for one build, and the first read beside it."""
    ratios = [direct / gate for direct, gate in zip(seconds["direct"], seconds[how], strict=True)]
    median = sorted(ratios)[len(ratios) // 2]
    return [
        Measurement(
            f"bulk read of {rows:,} rows, {how}, {label()}, {len(ratios)} interleaved rounds",
            f">= {WANTED[how]:.2f} of direct",
            f"{middle(ratios)} of direct; direct {middle(seconds['direct'])} s, gate {middle(seconds[how])} s",
            median >= WANTED[how],
        ),
        Measurement(
            f"the same, {how}, the first read of all: every person gets an ordinal",
            "(for information)",
            f"{first['direct'] / first[how]:.2f} of direct; {first[how]:.2f} s",
            True,
        ),
    ]


if __name__ == "__main__":
    sys.exit(show(main(*(int(word) for word in sys.argv[1:]))))
