"""Runs shapes of the corpus, through a gate or past it, and says what came of each.

    PYTHONPATH=src:tests python -m language.corpus_runs

counts anew what each shape reveals without a gate, and writes tests/gate/corpus/reveals.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from language.gates import GateBed, Recorded
from language.observer import ClosedByServerError, seen
from language.shapes import Class, Shape
from muniment.disclosure import Outcome

_NUMBERS = count()
CLEAN = (
    "DROP SCHEMA IF EXISTS scratch CASCADE",
    "CREATE SCHEMA scratch",
    "GRANT USAGE, CREATE ON SCHEMA scratch TO clerks, insiders",
)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one shape.

    `seen`: whose data the observer found. `states`: SQLSTATEs of errors. `closed`: the session was ended from the other
    side. `recorded`: what the ledger holds of the account that ran it, and nobody else used.
    """

    shape: Shape
    seen: frozenset[tuple[str, int]]
    rows: int
    states: tuple[str, ...]
    messages: tuple[str, ...]
    closed: bool
    recorded: tuple[Recorded, ...] = ()

    @property
    def named(self) -> frozenset[int]:
        """Persons recorded by name."""
        given = (one for one in self.recorded if one.outcome in (Outcome.GIVEN, Outcome.STOPPED))
        return frozenset(ordinal for one in given for ordinal in one.ordinals)

    @property
    def nameless(self) -> int:
        """Persons that rows without a name were charged as."""
        return sum(one.rows for one in self.recorded if one.outcome is Outcome.UNATTRIBUTED)

    @property
    def charged(self) -> int:
        """Persons that the account is charged for."""
        return len(self.named) + self.nameless

    @property
    def classed(self) -> Class:
        """The class of the shape's result, the least certain part of it first."""
        if self.nameless:
            return "unattributed"
        if self.named:
            return "attributed"
        if "42501" in self.states or "0A000" in self.states or any(state.startswith("MU") for state in self.states):
            return "refused"
        return "error" if self.states or self.closed else "free"

    def __str__(self) -> str:
        told = " ".join(sorted({*self.states})) + (" closed" if self.closed else "")
        return (
            f"{self.shape.name} ({'honest' if self.shape.honest else 'hostile'}): {self.classed}, expected "
            f"{'/'.join(self.shape.expected)}; seen {len(self.seen)}, charged {len(self.named)} + {self.nameless}; "
            f"{self.rows} rows; {told} {self.messages[:1]}"
        )


def run(bed: GateBed, shape: Shape, *, direct: bool = False) -> Run:
    """Run one shape in a session and under an account of its own. `recorded` is empty: see `with_records`."""
    account = bed.account(f"shape_{next(_NUMBERS)}", shape.account)
    options = dict(shape.options)
    client = bed.direct(account, **options) if direct else bed.client(account, **options)
    closed = False
    try:
        with client:
            client.received.clear()
            for step in shape.steps:
                client.run(step)
    except (ClosedByServerError, OSError):
        closed = True
    bed.server.sql(*CLEAN, database=bed.database)
    return Run(
        shape, frozenset(seen(client.everything)), client.rows, tuple(client.states),
        tuple(error.get("M", "")[:160] for error in client.errors), closed,
        (Recorded(account, "", Outcome.REFUSED, (), 0, 0, ""),),
    )  # fmt: skip


def with_records(bed: GateBed, runs: Iterable[Run]) -> Iterator[Run]:
    """The same runs with what the ledger holds of them; read once for all."""
    by_account: dict[str, list[Recorded]] = {}
    for one in bed.recorded():
        by_account.setdefault(one.account, []).append(one)
    for done in runs:
        records = tuple(by_account.get(done.recorded[0].account, ()))
        yield Run(done.shape, done.seen, done.rows, done.states, done.messages, done.closed, records)


def main() -> None:
    """Count anew what each shape reveals."""
    from gate.corpus.everything import REVEALS_FILE, SHAPES
    from language.gates import office_bed

    head = REVEALS_FILE.read_text(encoding="utf-8").split("[reveals]", maxsplit=1)[0]
    with office_bed() as bed:
        counted = [f"{shape.name} = {len(run(bed, shape, direct=True).seen)}" for shape in SHAPES]
    REVEALS_FILE.write_text(head + "[reveals]\n" + "\n".join(counted) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
