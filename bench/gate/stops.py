"""The stop in mid-stream: rows past the budget, and how long the client waits for the word.

    python bench/gate/stops.py [STOPS] [WORKERS]

Claims: with one worker no row past the budget leaves; with several, at most one chunk (256 KiB of rows); from the last
allowed row to the client's 57014 it takes at most 50 ms at the 99th percentile, on loopback. Each stop is by an account
of its own with a budget at random, in a list of 100,000 persons, over TLS.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Final

from parties import COLUMNS, DATABASE, TABLE, make_accounts, make_table, show

from measurement import Measurement

ROWS: Final = 100_000
STOPS: Final = 200
MOST_SECONDS: Final = 0.050
CHUNK_ROWS: Final = 256 * 1024 // 60
"""Rows of this table in a chunk: none is shorter than 60 bytes."""
SQL: Final = "SELECT id, surname, given, address, born, district FROM person"


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop: the budget, the rows that came, and the seconds from the last row to the error."""

    budget: int
    rows: int
    state: str
    seconds: float


def main(stops: int = STOPS, workers: int = 1) -> list[Measurement]:
    """Stop so often, and check that the session works afterwards."""
    from language.gates import small_gate
    from language.tls_server import tls_server

    chance = random.Random(7)
    budgets = [chance.choice((1, 20, 500, 3_000, 20_000)) + chance.randrange(50) for _ in range(stops)]
    policy = '[defaults]\nmode = "stop"\n' + "".join(
        f"[accounts.stopped_{n}]\npersons = {{ day = {budget} }}\n" for n, budget in enumerate(budgets)
    )
    with tls_server() as server:
        make_table(server, ROWS)
        make_accounts(server, [f"stopped_{n}" for n in range(stops)])
        with small_gate(server, DATABASE, TABLE, columns=COLUMNS, policy=policy, workers=workers) as bed:
            found = [stopped(bed.port, f"stopped_{n}", budget) for n, budget in enumerate(budgets)]
    return judged(found, workers)


def judged(found: list[Stop], workers: int) -> list[Measurement]:
    """The claims."""
    over = max(one.rows - one.budget for one in found)
    allowed = 0 if workers == 1 else CHUNK_ROWS
    right = sum(one.state == "57014" for one in found)
    seconds = sorted(one.seconds for one in found)
    p99 = statistics.quantiles(seconds, n=100)[98]
    short = max(one.budget - one.rows for one in found)
    return [
        Measurement(
            f"rows past the budget, the worst of {len(found)} stops, {workers} worker(s)",
            f"<= {allowed}", f"{over} (short of it: {short}; {right} ended in 57014)",
            over <= allowed and right == len(found),
        ),
        Measurement(
            f"from the last allowed row to 57014, {len(found)} stops", f"<= {1e3 * MOST_SECONDS:.0f} ms p99",
            f"{1e3 * p99:.1f} ms p99, {1e3 * statistics.median(seconds):.1f} ms median", p99 <= MOST_SECONDS,
        ),
    ]  # fmt: skip


def stopped(port: int, user: str, budget: int) -> Stop:
    """Read until stopped; then the session must still answer."""
    from language.observer import Client
    from language.tls_server import PASSWORD

    with Client(port, user, PASSWORD, DATABASE) as client:
        client.send(SQL)
        last = ended = time.perf_counter()
        kind = ""
        while kind != "Z":
            kind, _ = client.read()
            if kind == "D":
                last = time.perf_counter()
            elif kind == "E":
                ended = time.perf_counter()
        rows = client.rows
        client.run("SELECT 1")
        if client.rows != rows + 1:
            raise AssertionError("the session is of no use after the stop")
        return Stop(budget, rows, (client.states or [""])[0], ended - last)


if __name__ == "__main__":
    sys.exit(show(main(*(int(word) for word in sys.argv[1:]))))
