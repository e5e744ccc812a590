"""Words for tests of a watch in a workspace: an office whose accounts read through the weeks, and one that harvests."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import numpy as np

from language.offices import Office, template
from muniment.disclosure import Channel, Disclosure, Party, Template
from muniment.workspace.watching import Watching

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
CHANNEL = Template("persons", 1, Channel.GATE, (1, 2, 5), "a purpose")
LATE = 40.0
"""A day after the story."""
PERSONS = 10_000
"""Invented pseudonyms begin here."""


@dataclass
class Wall:
    """A clock on the wall that stands until it is moved."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def at(self, day: float) -> None:
        """Move to a day and part of a day after the first Monday."""
        self.now = MONDAY + timedelta(days=day)


@dataclass(frozen=True)
class Read:
    """Persons (by number) read by an account at a day and part of a day; `dated`: when the log says it was."""

    day: float
    account: str
    persons: tuple[int, ...]
    case: str = ""
    dated: float | None = None


def wall(office: Office) -> Wall:
    """Put a clock that stands into an office."""
    made = Wall()
    office.clock = made  # type: ignore[assignment]
    office.reopen()
    return made


def give(office: Office, clock: Wall, reads: Iterable[Read], *, channel: Channel = Channel.GATE) -> None:
    """Record what was read, as it happens on the clock: what falls into one hour is written in one go."""
    template = Template("persons", 1, channel, (1, 2, 5), "a purpose")
    with office.parts.ledger.writing() as appender:
        for _, hour in groupby(reads, key=lambda one: int(one.day * 24)):
            futures = []
            for read in hour:
                clock.at(int(read.day * 24) / 24)
                wanted = np.array([PERSONS + one for one in read.persons], np.uint64)
                ordinals = tuple(sorted({int(one) for one in appender.ordinals(wanted)}))
                occurred = 0 if read.dated is None else _ms(MONDAY + timedelta(days=read.dated))
                party = Party("office", read.account, "10.0.0.1")
                one = Disclosure(party, template, ordinals, read.case, "f", len(ordinals), 10, len(ordinals), occurred)
                futures.append(appender.append(one))
            for future in futures:
                future.result()


def working(first: int, last: int, *, accounts: int = 4, seed: int = 1, persons: int = 60) -> list[Read]:
    """Some accounts that read the same few persons on workdays, again and again."""
    chance = random.Random(seed)
    found = []
    for day in range(first, last):
        if day % 7 < 5:
            for account in range(accounts):
                for _ in range(chance.randint(2, 5)):
                    read = (account * persons + chance.randrange(persons),)
                    found.append(Read(day + chance.uniform(0.35, 0.7), f"clerk{account}", read))
    return sorted(found, key=lambda one: one.day)


def harvest(first: int, last: int, *, account: str = "clerk1", a_day: int = 25, start: int = 2_000) -> list[Read]:
    """An account that reads so many new persons each workday."""
    found, person = [], start
    for day in range(first, last):
        if day % 7 < 5:
            for place in range(a_day):
                found.append(Read(day + 0.4 + place / 100, account, (person,)))
                person += 1
    return found


def bulk(day: float, *, account: str = "clerk2", persons: int = 500, start: int = 8_000) -> list[Read]:
    """Many new persons in one disclosure."""
    return [Read(day, account, tuple(range(start, start + persons)))]


def together(*parts: list[Read]) -> list[Read]:
    """Several streams in the order of time."""
    return sorted((one for part in parts for one in part), key=lambda one: one.day)


def story() -> list[Read]:
    """Four clerks for six weeks; one harvests from the fourth week on, another takes 500 records at once."""
    return together(working(0, 40), harvest(21, 36), bulk(29.5))


def recorded(folder: Path) -> Path:
    """An office whose ledger holds the whole story, and no watch; made once, to be copied."""
    template(folder)
    office = Office(folder)
    give(office, wall(office), story())
    return folder


def copied(made: Path, folder: Path, *, at: float = LATE) -> tuple[Office, Wall]:
    """A copy of an office, and its clock on the wall."""
    office = Office.copied(made, folder)
    clock = wall(office)
    clock.at(at)
    return office, clock


def led(office: Office, *, clock: Wall | None = None, at: float | None = None, toml: str = "") -> Watching:
    """Take up what there is, once; `toml`: settings of a watch that is not there yet."""
    if clock is not None and at is not None:
        clock.at(at)
    watch = watching(office)
    if not watch.there:
        watch.init()
        if toml:
            watch.path.write_text(toml, encoding="utf-8")
    watch.run(follow=False)
    return watch


def findings(watch: Watching) -> frozenset[str]:
    """The digests of all findings on file."""
    return watch.alerts.known(watch.alerts.kept())


def told(watch: Watching) -> set[tuple[object, ...]]:
    """Findings on file but for their pseudonyms: each workspace has its own."""
    return {
        (one.sighting.pattern, one.sighting.kind, one.sighting.day, one.sighting.sequence, one.sighting.log10)
        for one in watch.alerts.kept().events
        if one.sighting is not None
    }


def watching(office: Office) -> Watching:
    """The watch of an office, opened anew."""
    return Watching(office.reopen()._parts)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)
