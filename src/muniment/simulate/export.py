"""A world as files: context tables in the form that watch imports, the reads, and the truth beside them.

Rules
1. Keys of records are invented here, `P0000123` by number; a key column is called `id` in both registers.
2. A table of a register is written once for each register: `covers.csv` for people, `covers-businesses.csv`.
3. `truth.csv` is for who judges, never for who detects: it is the one file that tells harvests and oddities.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.durable import replace_file, storage_faults
from muniment.errors import InputError
from muniment.simulate.population import BUSINESSES, ORDERS, PEOPLE
from muniment.simulate.settings import ODDITY_NAMES
from muniment.watch.context.tables import NO_END

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.inject import Injected
    from muniment.simulate.world import World

_ROWS_AT_ONCE: Final = 20_000
_EPOCH: Final = date(1970, 1, 1)
_LETTERS: Final = "PB"
"""First letter of a key, by register."""

Rows = Iterable[Sequence[Any]]


def write(injected: Injected, folder: Path) -> dict[str, int]:
    """Write all files into a new or empty folder; rows by file name.

    Raises `InputError` where the folder holds something, `UnreachableError` where the disk does not take it.
    """
    with storage_faults(folder, "write"):
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"{folder}: expected a new or an empty folder")
    written = {}
    for name, header, rows in tables(injected):
        count = [0]
        with storage_faults(folder / name, "write"):
            replace_file(folder / name, _encoded(header, rows, count))
        written[name] = count[0]
    return written


def _encoded(header: Sequence[str], rows: Rows, count: list[int]) -> Iterator[bytes]:
    yield (",".join(header) + "\n").encode()
    left = iter(rows)
    while part := list(islice(left, _ROWS_AT_ONCE)):
        count[0] += len(part)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(part)
        yield text.getvalue().encode()


def tables(injected: Injected) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """File name, header and rows of each file."""
    world = injected.world
    yield from _plain(world)
    for register, suffix in ((PEOPLE, ""), (BUSINESSES, "-businesses")):
        yield from _of_register(world, register, suffix)
    yield "reads.csv", _READS, _reads(world)
    yield "truth.csv", ("sequence", "id", "attack", "name", "oddity"), _truth(injected)


def _plain(world: World) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """Tables without records."""
    context, names = world.context, world.spaces
    staff, cases, given, jobs = context.staff, context.cases, context.assignments, context.jobs
    if staff is not None:
        columns = [_texts(names.account.texts, staff.account), _texts(names.office.texts, staff.office)]
        columns += [_texts(names.role.texts, staff.role), _times(staff.since), _times(staff.until)]
        yield "staff.csv", ("account", "office", "role", "since", "until"), zip(*columns, strict=True)
    if cases is not None:
        columns = [_texts(names.case.texts, cases.case), _texts(names.type.texts, cases.type)]
        columns += [_times(cases.opened), _times(cases.closed), _texts(names.account.texts, cases.opener)]
        columns += [_texts(names.office.texts, cases.office), _texts(("no", "yes"), cases.household.astype(np.int32))]
        header = ("case", "type", "opened", "closed", "opener", "office", "household")
        yield "cases.csv", header, zip(*columns, strict=True)
    if given is not None:
        columns = [_texts(names.case.texts, given.case), _texts(names.account.texts, given.account)]
        columns += [_texts(names.office.texts, given.office), _times(given.since), _times(given.until)]
        yield "assignments.csv", ("case", "account", "office", "since", "until"), zip(*columns, strict=True)
    if jobs is not None:
        columns = [_texts(names.account.texts, jobs.account), _texts(names.case.texts, jobs.case)]
        columns += [_times(jobs.since), _times(jobs.until), [str(most) for most in jobs.most.tolist()]]
        yield "jobs.csv", ("account", "case", "since", "until", "most"), zip(*columns, strict=True)
    days = [(day, "holiday") for day in context.calendar.holidays] + [(day, "busy") for day in context.calendar.busy]
    yield (
        "calendar.csv",
        ("date", "kind", "office"),
        [(_EPOCH + timedelta(day), kind, "") for day, kind in sorted(days)],
    )
    yield "shifts.csv", ("office",), [(names.office.text(code),) for code in sorted(context.calendar.shifts)]


def _of_register(world: World, register: int, suffix: str) -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """Tables with records of one register."""
    context, keys = world.context, _keys(world)
    here = world.population.register == register
    if context.cases is not None:
        pairs = here[context.cases.record]
        case = context.cases.case[context.cases.of[pairs]]
        rows = zip(_texts(world.spaces.case.texts, case), keys[context.cases.record[pairs]].tolist(), strict=True)
        yield f"covers{suffix}.csv", ("case", "id"), rows
    if context.households is not None and register == PEOPLE:
        houses = [f"H{number}" for number in context.households.household.tolist()]
        yield "households.csv", ("id", "household"), zip(keys[context.households.record].tolist(), houses, strict=True)
    if context.family is not None and register == PEOPLE:
        ends = keys[context.family.one].tolist(), keys[context.family.other].tolist()
        yield "family.csv", ("id", "other_id"), zip(*ends, strict=True)
    if context.orders is not None:
        yield f"orders{suffix}.csv", ("id", "born", *ORDERS), _orders(world, np.flatnonzero(here), keys)


def _orders(world: World, records: NDArray[np.int64], keys: NDArray[np.str_]) -> Rows:
    """What lists are sorted by: texts that stand in the order of the ranks, empty where there is none."""
    made = world.population.made[records]
    born = _times(np.where(made >= 0, world.clock.start(made), NO_END))
    orders = world.context.orders
    ranks = world.population.rank[records] if orders is None else orders.rank[records]
    columns = [[f"{rank:07d}" if rank >= 0 else "" for rank in ranks[:, at].tolist()] for at in range(len(ORDERS))]
    return zip(keys[records].tolist(), born, *columns, strict=True)


_READS: Final = ("sequence", "time", "recorded", "account", "register", "id", "case", "device", "columns")


def _reads(world: World) -> Rows:
    reads, names = world.reads, world.spaces
    shown = {
        bits: " ".join(str(number) for number in range(1, 64) if bits >> number & 1)
        for bits in np.unique(reads.columns).tolist()
    }
    columns = (
        reads.sequence.tolist(),
        _times(reads.moment),
        _times(reads.recorded),
        _texts(names.account.texts, reads.account),
        _texts(names.register.texts, reads.register),
        _keys(world)[reads.record].tolist(),
        _texts(names.case.texts, reads.case),
        _texts(names.device.texts, reads.device),
        [shown[bits] for bits in reads.columns.tolist()],
    )
    return zip(*columns, strict=True)


def _truth(injected: Injected) -> Rows:
    """Reads that are a harvest or an oddity; the attack by its number (from 0) and its name."""
    world, harvest = injected.world, injected.harvest
    rows = np.flatnonzero((harvest >= 0) | (world.oddity > 0))
    keys = _keys(world)
    for row in rows.tolist():
        number = int(harvest[row])
        attack = (number, injected.plan[number].kind.name) if number >= 0 else ("", "")
        key = keys[world.reads.record[row]]
        yield int(world.reads.sequence[row]), key, *attack, ODDITY_NAMES[int(world.oddity[row])]


def _keys(world: World) -> NDArray[np.str_]:
    """The invented key of each record."""
    rank = world.population.rank[:, ORDERS.index("number")].tolist()
    return np.array([f"{_LETTERS[kind]}{one:07d}" for kind, one in zip(world.population.register, rank, strict=True)])


def _texts(texts: Sequence[str], codes: NDArray[np.int32]) -> list[str]:
    """Codes as texts, an empty one for `NOBODY`."""
    table = np.array([*texts, ""], object)
    found: list[str] = table[codes].tolist()
    return found


def _times(moments: NDArray[np.int64]) -> list[str]:
    """ISO 8601 in UTC, empty for no end."""
    return ["" if one >= NO_END else _iso(one) for one in moments.tolist()]


def _iso(ms: int) -> str:
    second, rest = divmod(ms, 1000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
