"""From touches to the ledger's reads: disclosures with devices, columns and registers, in the order of recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.simulate.clock import DAY_MINUTES
from muniment.watch.reads import NOBODY, Reads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.clock import Clock
    from muniment.simulate.office import Offices
    from muniment.simulate.population import Population
    from muniment.simulate.settings import Traits, WorldSettings
    from muniment.simulate.touches import Touches

COLUMN_NUMBERS: Final = ((1, 2, 6), (1, 2, 3, 4, 5, 6, 7), (1, 2, 8, 9, 10), (1, 2, 11, 12), tuple(range(1, 17)))
"""Screens: the columns that each shows of a person."""
BUSINESS_COLUMNS: Final = tuple(range(20, 26))
_AGAIN: Final = 0.22
"""Chance that a record is opened a second time the same day."""
_TOGETHER: Final = 0.3
"""Chance that a record of a case came with the first one, in one list."""
_IMPORT_HOUR: Final = 2


def bitmap(numbers: tuple[int, ...]) -> np.uint64:
    """Column numbers as `Reads.columns` has them."""
    return np.uint64(sum(1 << min(number, 63) for number in numbers))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Rows:
    """Rows before numbering: the touch each is of, its moment, its disclosure (any number)."""

    touch: NDArray[np.int64]
    moment: NDArray[np.int64]
    group: NDArray[np.int64]


def disclose(
    settings: WorldSettings, traits: Traits, offices: Offices, population: Population, clock: Clock, touches: Touches,
    minute: NDArray[np.float64], rng: np.random.Generator,
) -> tuple[Reads, NDArray[np.int8]]:  # fmt: skip
    """The reads of some touches, and the oddity of each."""
    rows = _rows(touches, minute, population, clock, rng)
    ids, group = np.unique(rows.group, return_inverse=True)
    head = np.full(len(ids), len(group), np.int64)
    np.minimum.at(head, group, np.arange(len(group)))
    moment = np.full(len(ids), 1 << 62, np.int64)
    np.minimum.at(moment, group, rows.moment)
    first = rows.touch[head]
    recorded = _recorded(settings, offices, clock, touches, first, moment, rng)
    order = np.lexsort((head, moment, recorded))
    number = np.empty(len(ids), np.int64)
    number[order] = np.arange(1, len(ids) + 1)
    record = touches.record[rows.touch]
    by = np.lexsort((record, number[group]))
    row, of = rows.touch[by], group[by]
    case = np.where(rng.random(len(ids)) < traits.named, touches.case[first], NOBODY)
    register = population.register[record[by]]
    reads = Reads(
        sequence=number[of],
        moment=moment[of],
        recorded=recorded[of],
        account=touches.account[row].astype(np.int32),
        record=record[by].astype(np.uint32),
        case=case[of].astype(np.int32),
        device=_devices(offices, settings.days, touches, first, rng)[of].astype(np.int32),
        register=register.astype(np.int32),
        columns=np.where(register == 0, _screens(offices, touches, first, rng)[of], bitmap(BUSINESS_COLUMNS)),
    )
    return reads, touches.oddity[row].astype(np.int8)


def _rows(
    touches: Touches, minute: NDArray[np.float64], population: Population, clock: Clock, rng: np.random.Generator
) -> _Rows:
    n = len(touches)
    register = population.register[touches.record].astype(np.int64)
    days = int(touches.day.max(initial=0)) + 1
    shift = touches.account * days + touches.day
    visit = np.where(touches.case >= 0, touches.case, (1 << 30) + np.arange(n))
    order = np.lexsort((minute, register, visit, shift))
    changed = [np.diff(one[order]) != 0 for one in (shift, visit, register)]
    new = np.concatenate(([True], changed[0] | changed[1] | changed[2]))
    first = np.empty(n, np.int64)
    first[order] = order[np.maximum.accumulate(np.where(new, np.arange(n), 0))]
    group = np.where(rng.random(n) < _TOGETHER, first, np.arange(n))
    # who leads a list leads it alone; a mass task comes in lists of one register
    group = np.where(group != np.arange(n), first, np.arange(n))
    group = np.where(touches.list >= 0, n + 2 * touches.list + register, group)
    again = np.flatnonzero((rng.random(n) < _AGAIN) & (touches.list < 0))
    later = np.minimum(minute[again] + rng.exponential(60.0, len(again)), DAY_MINUTES - 1.0)
    behind = int(group.max(initial=0)) + 1
    return _Rows(
        np.concatenate((np.arange(n), again)),
        clock.moment(np.concatenate((touches.day, touches.day[again])), np.concatenate((minute, later))),
        np.concatenate((group, behind + np.arange(len(again)))),
    )


def _recorded(
    settings: WorldSettings, offices: Offices, clock: Clock, touches: Touches, first: NDArray[np.int64],
    moment: NDArray[np.int64], rng: np.random.Generator,
) -> NDArray[np.int64]:  # fmt: skip
    """When each disclosure reached the ledger: at once, or in the next night."""
    late = rng.permutation(len(offices.profile)) < round(settings.imported * len(offices.profile))
    imports = late[offices.home[touches.account[first]]]
    night = clock.start(touches.day[first] + 1) + _IMPORT_HOUR * 3_600_000
    return np.where(imports, np.maximum(night, moment), moment)


def _devices(
    offices: Offices, days: int, touches: Touches, first: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Codes: account a has 2 a and, after a replacement, 2 a + 1; office o shares 2 n + o; a line from home follows."""
    n = len(offices)
    account, day = touches.account[first], touches.day[first]
    replaced = np.where(rng.random(n) < 0.2, rng.integers(0, days, n), days + 1)
    own = 2 * account + (day >= replaced[account])
    restless = rng.beta(1.2, 14.0, n)[account]
    chance = rng.random(len(first))
    home_line = np.where(rng.random(n) < 0.3, 0.08, 0.0)[account]
    device = np.where(chance < restless, 2 * n + offices.home[account], own)
    return np.where(chance > 1 - home_line, 2 * n + len(offices.profile) + account, device)


def _screens(
    offices: Offices, touches: Touches, first: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.uint64]:
    """Which columns each disclosure shows; every account has its habits."""
    habit = np.cumsum(rng.dirichlet(np.full(len(COLUMN_NUMBERS), 0.7), len(offices)), axis=1)[touches.account[first]]
    screen = (rng.random(len(first))[:, None] > habit).sum(axis=1).clip(0, len(COLUMN_NUMBERS) - 1)
    shown: NDArray[np.uint64] = np.array([bitmap(numbers) for numbers in COLUMN_NUMBERS], np.uint64)[screen]
    return shown
