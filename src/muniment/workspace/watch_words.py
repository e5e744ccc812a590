"""The words behind the codes of findings: pseudonyms of accounts and offices, names of registers and columns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from muniment.errors import InputError
from muniment.watch.alerts import Pseudonyms, Sighting, Weights, sighted, sighted_crowd
from muniment.watch.context.calendar import day_start
from muniment.watch.context.index import ContextIndex
from muniment.watch.context.tables import DAY_MS, Context
from muniment.watch.signals.crowd import DAYS

if TYPE_CHECKING:
    from muniment.watch.findings import Finding
    from muniment.workspace.parts import Parts
    from muniment.workspace.watch_course import Course

HIGHEST = 63
"""The bit that higher column numbers share: no name stands for it."""


class Words:
    """An `alerts.Labels` over one course as it is now. `accounts`: the name behind each pseudonym that it gave."""

    def __init__(self, parts: Parts, course: Course, names: Pseudonyms) -> None:
        self._parts = parts
        self._course = course
        self._names = names
        self._columns = cache(self._columns_of)
        self._staffed: tuple[Context | None, ContextIndex] = (None, ContextIndex(Context()))
        self.accounts: dict[str, str] = {}

    def __repr__(self) -> str:
        return "Words()"

    def sighted(self, findings: Sequence[Finding], weights: Weights) -> list[Sighting]:
        """The findings in words, and behind them the records that many read since this was last asked for."""
        found = [sighted(one, self, weights) for one in findings]
        for one in self._course.crowds():
            register = self.register(one.register)
            weight = weights.of(register, ())
            since = one.day - DAYS + 1
            found.append(sighted_crowd(register, one.count, since, one.day, one.pointer, weight))
        return found

    def unit(self, unit: Literal["account", "office"], code: int) -> str:
        """See `Labels`."""
        space = self._course.watch.spaces.account if unit == "account" else self._course.watch.spaces.office
        pseudonym = self._names.of(unit, space.text(code))
        if unit == "account":
            self.accounts[pseudonym] = space.text(code)
        return pseudonym

    def office(self, finding: Finding) -> str:
        """See `Labels`."""
        spaces, code = self._course.watch.spaces, finding.code
        if finding.unit == "account":
            calendar = self._course.calendar
            noon = day_start(calendar, finding.day) + DAY_MS // 2
            offices, _ = self._index().offices(np.array([code], np.int32), np.array([noon], np.int64))
            code = int(offices[0])
        return self._names.of("office", spaces.office.text(code)) if code >= 0 else ""

    def register(self, code: int) -> str:
        """See `Labels`."""
        return self._course.watch.spaces.register.text(code)

    def columns(self, register: int, bitmap: int) -> tuple[str, ...]:
        """See `Labels`."""
        known = self._columns(self.register(register))
        return tuple(known.get(number, f"column {number}") for number in range(HIGHEST) if bitmap >> number & 1)

    def _columns_of(self, register: str) -> dict[int, str]:
        try:
            return {column.number: column.name for column in self._parts.register(register).columns}
        except InputError:  # a register that is no longer declared, or that of a foreign log
            return {}

    def _index(self) -> ContextIndex:
        """The staff alone, as the course has it now."""
        context = self._course.context
        if self._staffed[0] is not context:
            staff = context.staff if context is not None else None
            self._staffed = (context, ContextIndex(Context(staff=staff)))
        return self._staffed[1]
