"""A world: what one run of the simulator gives, in the values that watch reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.simulate.casebook import Casebook, enter
from muniment.simulate.clock import Clock, minutes
from muniment.simulate.disclosed import disclose
from muniment.simulate.lookups import lookup_share, lookups, oddities
from muniment.simulate.mass import Mass, mass
from muniment.simulate.office import PROFILES, ROLES, Offices, establish
from muniment.simulate.population import ORDERS, PEOPLE, REGISTERS, Population, populate
from muniment.simulate.settings import Traits, WorldSettings, generator
from muniment.simulate.touches import Touches
from muniment.simulate.work import TYPES, work
from muniment.watch.context.tables import DAY_MS, NO_END, Calendar, Context, Family, Households, Jobs, Orders, Staff
from muniment.watch.reads import NOBODY, Names, Reads, Spaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BEFORE_MS: Final = 400 * DAY_MS


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class World:
    """One run.

    `reads`: in the order of the ledger, sequence numbers from 1. `oddity`: of each read, a code in
    `settings.ODDITY_NAMES` (0: ordinary), shape (reads,). `office_of`: the office of each account at first, shape
    (accounts,). `known`: when each case of `context.cases` first was in a nightly export, ms. `persons`: records in
    all. `dormant`: accounts that left and are still open. `first_day`: local day since 1970-01-01; `days`: how many.
    """

    settings: WorldSettings
    context: Context
    spaces: Spaces
    reads: Reads
    oddity: NDArray[np.int8]
    office_of: NDArray[np.int32]
    known: NDArray[np.int64]
    dormant: NDArray[np.int64]
    population: Population
    clock: Clock
    traits: Traits

    @property
    def persons(self) -> int:
        """Records in the registers."""
        return len(self.population)

    @property
    def accounts(self) -> int:
        """Accounts, coded 0 to this less 1."""
        return self.settings.accounts

    @property
    def first_day(self) -> int:
        """The first local day."""
        return self.settings.first_day

    @property
    def days(self) -> int:
        """Calendar days."""
        return self.settings.days

    def day_of(self, moment: NDArray[np.int64]) -> NDArray[np.int64]:
        """The local day (since 1970-01-01) of moments within the world."""
        return self.clock.day(moment) + self.first_day


def simulate(settings: WorldSettings) -> World:
    """The world of some settings: the same for the same settings. Raises `InputError` for an unknown zone."""
    parts = [generator(settings.seed, part) for part in range(10)]
    traits = Traits.drawn(parts[0])
    clock = Clock.of(settings)
    population = populate(settings, traits, parts[1])
    persons = np.flatnonzero((population.household >= 0) & (population.made < 0))
    offices = establish(settings, traits, persons, parts[2])
    account, day = _spread(offices)
    looked = parts[3].random(len(account)) < lookup_share(settings, traits, offices, parts[3])[account, day]
    case_work, drafts = work(offices, population, traits, account[~looked], day[~looked], parts[4])
    bulk = mass(offices, population, len(account), parts[6])
    touches = Touches.joined(
        [
            case_work,
            lookups(offices, population, account[looked], day[looked], case_work, parts[5]),
            oddities(offices, population, case_work, len(account), parts[5]),
            bulk.touches,
        ]
    ).distinct(len(population))
    minute = minutes(offices, touches, parts[7])
    book = enter(settings, traits, offices, drafts, touches, clock.moment(touches.day, minute), clock, parts[8])
    reads, oddity = disclose(settings, traits, offices, population, clock, touches, minute, parts[9])
    return World(
        settings=settings,
        context=_context(settings, offices, population, clock, book, bulk),
        spaces=_spaces(settings, offices, len(drafts), parts[0]),
        reads=reads,
        oddity=oddity,
        office_of=offices.home.astype(np.int32),
        known=book.known,
        dormant=np.flatnonzero(offices.dormant),
        population=population,
        clock=clock,
        traits=traits,
    )


def _spread(offices: Offices) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One row for each record that is looked for: account and day, by account, then day."""
    account, day = np.nonzero(offices.counts)
    counts = offices.counts[account, day]
    return np.repeat(account, counts), np.repeat(day, counts)


def _context(
    settings: WorldSettings, offices: Offices, population: Population, clock: Clock, book: Casebook, bulk: Mass
) -> Context:
    lived = np.flatnonzero(population.household >= 0).astype(np.uint32)
    made = population.made
    rank = population.rank.copy()
    rank[np.ix_(population.register != PEOPLE, [ORDERS.index("surname"), ORDERS.index("birth")])] = -1
    shift = [PROFILES[one].shifts for one in offices.profile.tolist()]
    first = settings.first_day
    return Context(
        staff=_staff(offices, clock),
        cases=book.cases,
        assignments=book.assignments,
        households=Households(lived, population.household[lived]),
        family=Family(population.one.astype(np.uint32), population.other.astype(np.uint32)),
        jobs=Jobs(
            bulk.account.astype(np.int32), np.full(len(bulk.account), NOBODY, np.int32), clock.start(bulk.since),
            clock.start(bulk.until), bulk.most,
        ),
        orders=Orders(
            np.arange(len(population), dtype=np.uint32), rank, np.where(made >= 0, clock.start(made), 0), ORDERS
        ),
        calendar=Calendar(
            zone=settings.zone,
            holidays=frozenset(first + day for day in offices.holidays),
            busy=frozenset(first + day for day in offices.busy),
            shifts=frozenset(np.flatnonzero(shift).tolist()),
        ),
        decoys=population.decoys.astype(np.uint32),
    )  # fmt: skip


def _staff(offices: Offices, clock: Clock) -> Staff:
    """One stay an account, two for those whom a merger moved; who is dormant never left on paper."""
    n = len(offices)
    account, office = np.arange(n), offices.home
    since = np.where(offices.since > 0, clock.start(offices.since), clock.hours[0] - _BEFORE_MS)
    gone = (offices.until < len(clock.hours) // 24) & ~offices.dormant
    until = np.where(gone, clock.start(offices.until), NO_END)
    if offices.merged is not None:
        at = int(clock.start(offices.merge_day))
        moved = np.flatnonzero((office == offices.merged[0]) & (since < at) & (until > at))
        fresh = (office == offices.merged[0]) & (since >= at)
        account = np.concatenate((account, moved))
        office = np.concatenate((np.where(fresh, offices.merged[1], office), np.full(len(moved), offices.merged[1])))
        since, until = np.append(since, np.full(len(moved), at)), np.append(until, until[moved])
        until[moved] = at
    codes = [one.astype(np.int32) for one in (account, office, offices.role[account])]
    return Staff(codes[0], codes[1], codes[2], since.astype(np.int64), until.astype(np.int64))


def _spaces(settings: WorldSettings, offices: Offices, cases: int, rng: np.random.Generator) -> Spaces:
    """Invented names; a name tells nothing of its office, its age or its part."""
    n, k = settings.accounts, len(offices.profile)
    accounts = [f"a{number:05d}" for number in rng.permutation(n).tolist()]
    devices = [f"d{number:05d}" for number in rng.permutation(3 * n + k).tolist()]
    return Spaces(
        account=Names(accounts),
        office=Names(f"{PROFILES[one].name}-{number + 1}" for number, one in enumerate(offices.profile.tolist())),
        role=Names(role.name for role in ROLES),
        case=Names(f"c{number:07d}" for number in rng.permutation(cases).tolist()),
        type=Names(kind.name for kind in TYPES),
        device=Names(devices),
        register=Names(REGISTERS),
    )
