"""Put attacks into a world: the attackers' reads among the honest ones, with the truth beside them.

Rules
1. An attacker goes on with the work of the account. He reads within its hours and from its devices, unless the
   attack says otherwise.
2. The result is a new world; the old one stays as it is. Sequence numbers are given anew, in the order of recording.
3. The truth is `harvest`. A record that a harvest reads twice counts once (`Injected.lost`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.simulate.attackers import ATTACKS, Attack
from muniment.simulate.clock import DAY_MINUTES, MINUTE_MS
from muniment.simulate.disclosed import COLUMN_NUMBERS, bitmap
from muniment.simulate.padding import pad
from muniment.simulate.settings import generator
from muniment.simulate.targets import Wish
from muniment.watch.reads import NOBODY, Names, Reads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.world import World

_INJECTION: Final = 100
"""Number of the generators of injections, apart from those of a world."""
_SILENT_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class Planned:
    """One attack: by name or as a value, by which accounts (codes), from which local day (since 1970-01-01) on.

    `workdays`: instead of the attack's own number.
    """

    attack: str | Attack
    accounts: tuple[int, ...]
    day: int
    workdays: int | None = None

    @property
    def kind(self) -> Attack:
        """The attack as a value. Raises `InputError` for an unknown name."""
        if isinstance(self.attack, Attack):
            return self.attack
        if self.attack not in ATTACKS:
            raise InputError(f"attack {self.attack!r}: expected one of {', '.join(ATTACKS)}")
        return ATTACKS[self.attack]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Injected:
    """A world with attacks. `harvest`: of each read, the number of the attack in `plan` it belongs to, -1 for honest
    reads, shape (reads,)."""

    world: World
    harvest: NDArray[np.int32]
    plan: tuple[Planned, ...]

    def lost(self, attack: int) -> NDArray[np.int64]:
        """Rows of `world.reads` at which an attack got a record for the first time, in the order of time."""
        rows = np.flatnonzero(self.harvest == attack)
        _, begin = np.unique(self.world.reads.record[rows], return_index=True)
        return rows[np.sort(begin)]

    def expected_pattern(self, attack: int) -> frozenset[str]:
        """Names of the patterns that are the right reason for an alert on this attack."""
        return self.plan[attack].kind.expected_pattern


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Haul:
    """Reads of one attacker before they are in the ledger. `day`: of the world; `group`: the disclosure, from 0."""

    account: int
    day: NDArray[np.int64]
    minute: NDArray[np.float64]
    record: NDArray[np.int64]
    case: NDArray[np.int64]
    device: NDArray[np.int64]
    columns: NDArray[np.uint64]
    group: NDArray[np.int64]


def inject(
    world: World, attack: str | Attack, accounts: Sequence[int], start_day: int, seed: int, workdays: int | None = None
) -> Injected:
    """One attack. Raises `InputError` for an unknown attack, account or day."""
    return inject_many(world, [Planned(attack, tuple(accounts), start_day, workdays)], seed)


def inject_many(world: World, plan: Sequence[Planned], seed: int) -> Injected:
    """Several attacks at once; each draws from a generator of its own. Raises `InputError` as `inject` does."""
    hauls: list[tuple[int, Haul]] = []
    dropped = np.zeros(len(world.reads), bool)
    for number, planned in enumerate(plan):
        rng = generator(seed, _INJECTION + number)
        _check(world, planned)
        one = _the_one(planned.kind, world, rng)
        for account in planned.accounts:
            days = _days(world, planned, account)
            if planned.kind.trick == "waking":
                silent = world.clock.start(planned.day - _SILENT_DAYS - world.first_day)
                dropped |= (world.reads.account == account) & (world.reads.moment >= silent)
            haul = _haul(world, planned.kind, account, days, one, rng)
            if planned.kind.trick == "padding":
                world, haul = pad(world, haul, rng)
            hauls.append((number, haul))
    if any(planned.kind.trick == "takeover" for planned in plan):
        world = _with_device(world)
    return merge(world, hauls, dropped, plan)


def _check(world: World, planned: Planned) -> None:
    kind = planned.kind
    if not planned.accounts or not all(0 <= account < world.accounts for account in planned.accounts):
        raise InputError(f"attack {kind.name}: expected accounts 0 to {world.accounts - 1}")
    if not 0 <= planned.day - world.first_day < world.days:
        raise InputError(
            f"attack {kind.name}: day {planned.day}: expected {world.first_day} to {world.first_day + world.days - 1}"
        )


def _the_one(kind: Attack, world: World, rng: np.random.Generator) -> int:
    """The record that all read, where the attack is on one; else -1."""
    return int(world.population.drawn(1, rng)[0]) if kind.trick == "one record" else -1


def _days(world: World, planned: Planned, account: int) -> NDArray[np.int64]:
    """Days of the world on which the account works, from the planned day on."""
    mine = world.reads.moment[world.reads.account == account]
    days = np.unique(world.clock.day(mine))
    days = days[days >= planned.day - world.first_day]
    return days[: planned.kind.workdays if planned.workdays is None else planned.workdays]


def _haul(
    world: World, kind: Attack, account: int, days: NDArray[np.int64], one: int, rng: np.random.Generator
) -> Haul:
    counts = _counts(kind, len(days), rng)
    day = np.repeat(days, counts)
    record = np.full(len(day), one) if one >= 0 else kind.pick(Wish(world, account, day, rng))
    day, record = day[record >= 0], record[record >= 0]
    return dressed(world, account, day, record, rng, kind.list, night=kind.trick == "takeover")


def _counts(kind: Attack, days: int, rng: np.random.Generator) -> NDArray[np.int64]:
    mean = kind.daily * (np.linspace(0.1, 2.0, days) if kind.growing else np.ones(days))
    return np.round(mean).astype(np.int64) if kind.exact else rng.poisson(mean).astype(np.int64)


def dressed(
    world: World, account: int, day: NDArray[np.int64], record: NDArray[np.int64], rng: np.random.Generator,
    together: int = 1, *, night: bool = False,
) -> Haul:  # fmt: skip
    """Records with times, devices and columns: those of the account's own reads, or of a stranger in the night."""
    n = len(record)
    # who asks for a list gets it at one moment; the days are ascending, so a list never passes a day by much
    place = np.arange(n) - np.searchsorted(day, day)
    group = np.unique(day * (1 << 20) + place // together, return_inverse=True)[1]
    heads = int(group.max(initial=-1)) + 1
    own = np.flatnonzero(world.reads.account == account)
    like = own[rng.integers(0, len(own), heads)] if len(own) else np.zeros(0, np.int64)
    usual = like if len(like) == heads else rng.integers(0, len(world.reads), heads)
    moment = world.reads.moment[usual]
    minute = (moment - world.clock.start(world.clock.day(moment))) / MINUTE_MS + rng.normal(0, 8, heads)
    device = world.reads.device[usual].astype(np.int64)
    columns = world.reads.columns[usual].copy()
    strange = columns >= np.uint64(1 << 20)
    columns[strange] = bitmap(COLUMN_NUMBERS[0])
    if night:
        minute, device = rng.uniform(22.2 * 60, DAY_MINUTES - 2, heads), np.full(heads, len(world.spaces.device))
        columns[:] = bitmap(COLUMN_NUMBERS[-1])
    minute = np.clip(minute, 0.0, DAY_MINUTES - 2.0)
    nobody = np.full(n, NOBODY, np.int64)
    return Haul(account, day, minute[group], record, nobody, device[group], columns[group], group)


def _with_device(world: World) -> World:
    texts = world.spaces.device.texts
    return replace(world, spaces=replace(world.spaces, device=Names((*texts, f"x{len(texts):05d}"))))


def merge(
    world: World, hauls: Sequence[tuple[int, Haul]], dropped: NDArray[np.bool_], plan: Sequence[Planned]
) -> Injected:
    """The world with some hauls (number of the attack, haul) in it and without the honest reads that are `dropped`."""
    honest = world.reads.take(~dropped)
    parts, harvest, next_group = [honest], [np.full(len(honest), -1)], int(world.reads.sequence.max(initial=0)) + 1
    for number, haul in hauls:
        parts.append(_reads(world, haul, next_group))
        harvest.append(np.full(len(haul.record), number))
        next_group += len(haul.record) + 1
    whole = Reads.joined(parts)
    order = np.lexsort((whole.record, whole.sequence, whole.moment, whole.recorded))
    whole = whole.take(order)
    new = np.concatenate(([0], np.diff(whole.sequence) != 0)) if len(whole) else np.zeros(0, bool)
    columns = {one.name: getattr(whole, one.name) for one in fields(whole)}
    reads = Reads(**{**columns, "sequence": 1 + np.cumsum(new).astype(np.int64)})
    extra = len(whole) - len(honest)
    oddity = np.concatenate((world.oddity[~dropped], np.zeros(extra, np.int8)))[order]
    truth = np.concatenate(harvest)[order].astype(np.int32)
    return Injected(replace(world, reads=reads, oddity=oddity), truth, tuple(plan))


def _reads(world: World, haul: Haul, first: int) -> Reads:
    """A haul in columns, numbered from `first` on; recorded as the account's other reads are."""
    n = len(haul.record)
    own = world.reads.account == haul.account
    imported = bool((world.reads.recorded[own] > world.reads.moment[own]).mean() > 0.5) if own.any() else False
    moment = world.clock.moment(haul.day, haul.minute)
    night = np.maximum(world.clock.start(haul.day + 1) + 2 * 3_600_000, moment)
    return Reads(
        sequence=first + haul.group.astype(np.int64),
        moment=moment,
        recorded=night if imported else moment,
        account=np.full(n, haul.account, np.int32),
        record=haul.record.astype(np.uint32),
        case=haul.case.astype(np.int32),
        device=haul.device.astype(np.int32),
        register=world.population.register[haul.record].astype(np.int32),
        columns=haul.columns,
    )
