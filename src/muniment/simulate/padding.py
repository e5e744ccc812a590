"""Padding: an attacker opens cases that name those whom he wants to read, and borrows the cases of others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.context.tables import DAY_MS, Assignments, Cases
from muniment.watch.reads import NOBODY, Names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.simulate.inject import Haul
    from muniment.simulate.world import World

_SAME_DAY: Final = 0.2
"""Part of the reads for which the case is opened just before."""
_BORROWED: Final = 0.2
_A_CASE: Final = 8
"""Persons of a case that was opened to read them."""
_KEPT_MS: Final = 20 * DAY_MS


def pad(world: World, haul: Haul, rng: np.random.Generator) -> tuple[World, Haul]:
    """A world with cases that explain a haul, and the haul naming them.

    Most reads come a day or two after their case was opened, some on its day; some name a case of a colleague that
    does not cover the record. A world without cases stays as it is.
    """
    cases, given = world.context.cases, world.context.assignments
    if cases is None or given is None or not len(haul.record):
        return world, haul
    chance = rng.random(len(haul.record))
    borrowed, hasty = chance < _BORROWED, (chance >= _BORROWED) & (chance < _BORROWED + _SAME_DAY)
    own = ~borrowed
    # one case a day and pace holds up to `_A_CASE` persons
    place = np.arange(len(chance)) - np.searchsorted(haul.day, haul.day)
    key = (haul.day * 2 + hasty) * 64 + place // _A_CASE
    keys, number = np.unique(key[own], return_inverse=True)
    same = (keys // 64) % 2 == 1
    opened = world.clock.start(keys // 128 - np.where(same, 0, 1)) + np.where(same, 0, 10 * 3_600_000)
    first = len(world.spaces.case)
    code = first + np.arange(len(keys))
    named = haul.case.copy()
    named[own] = code[number]
    named[borrowed] = rng.choice(cases.case, int(borrowed.sum()))
    spaces = replace(world.spaces, case=Names((*world.spaces.case.texts, *(f"p{one:07d}" for one in code.tolist()))))
    context = replace(
        world.context,
        cases=_opened(world, cases, haul, code, opened, number, haul.record[own]),
        assignments=_given(given, haul.account, code, opened),
    )
    known = np.concatenate((world.known, opened + DAY_MS))
    return replace(world, context=context, spaces=spaces, known=known), replace(haul, case=named)


def _opened(
    world: World, cases: Cases, haul: Haul, code: NDArray[np.int64], opened: NDArray[np.int64],
    number: NDArray[np.int64], record: NDArray[np.int64],
) -> Cases:  # fmt: skip
    """The table of cases with new ones of the commonest type of the account's office."""
    n, before = len(code), len(cases.case)
    office = int(world.office_of[haul.account])
    types = cases.type[(cases.office == office) & ~cases.household]
    kind = int(np.bincount(types).argmax()) if len(types) else int(cases.type[0])
    return Cases(
        case=np.append(cases.case, code.astype(np.int32)),
        type=np.append(cases.type, np.full(n, kind, np.int32)),
        opened=np.append(cases.opened, opened),
        closed=np.append(cases.closed, opened + _KEPT_MS),
        opener=np.append(cases.opener, np.full(n, haul.account, np.int32)),
        office=np.append(cases.office, np.full(n, office, np.int32)),
        household=np.append(cases.household, np.zeros(n, bool)),
        of=np.append(cases.of, before + number),
        record=np.append(cases.record, record.astype(np.uint32)),
    )


def _given(given: Assignments, account: int, code: NDArray[np.int64], opened: NDArray[np.int64]) -> Assignments:
    n = len(code)
    return Assignments(
        np.append(given.case, code.astype(np.int32)),
        np.append(given.account, np.full(n, account, np.int32)),
        np.append(given.office, np.full(n, NOBODY, np.int32)),
        np.append(given.since, opened),
        np.append(given.until, opened + _KEPT_MS),
    )
