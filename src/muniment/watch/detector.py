"""Joined detectors: the factors of all signals, accumulated by account, averaged, and held against one threshold.

For a unit (an account, an office) and a bet let e_t be a factor with mean 1 at most given the past. The
Shiryaev-Roberts e-detector R_t = (R_{t-1} + 1) e_t passes c in T days with an expected number of at most T / c passes
(Shin, Ramdas, Rinaldo 2022: its mean is at most t under the null). The mean of such detectors, with weights
fixed beforehand, is one again, whatever their dependence.

Rules
1. Each signal has a *slow* detector, stepped when a day is closed, and, where it speaks while the day lasts, a *fast*
   one, stepped at each disclosure (that one alone where it is about single days). All are stepped on one clock, the
   active account-day; the fast ones run ahead.
2. Two joined values a unit: over signals whose null is true by design ("guaranteed"), and over the others
   ("estimated"). Each has half of the declared rate of alerts.
3. A pass sets all detectors of that kind and unit back to nothing, and what the same day still adds is dropped:
   evidence counts once.
4. Every number is computed for its own unit alone, so that batches of any size give the same values, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import numpy as np

from muniment.watch.findings import KINDS, Finding
from muniment.watch.onset import Onset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.context.tables import Context
    from muniment.watch.days import Day, Prefix
    from muniment.watch.signals import Signal, State, Step, Unit

SPEEDS: Final = ("slow", "fast")
NAMING: Final = 0.1
"""Share of the joined value from which on a signal that is not general gives an alert its name."""
_NEVER: Final = -1
_Number = TypeVar("_Number", np.float64, np.float32, np.int64)


class Member:
    """One signal and its detectors: ln R by unit and bet, slow and (where it runs) fast, and its own state."""

    def __init__(self, signal: Signal) -> None:
        """Nothing is known of any unit yet."""
        self.signal = signal
        self.about = signal.about
        self.runs = hasattr(signal, "running")
        self.state: State = {name: np.full((0, shape.width), shape.fill) for name, shape in self.about.shapes.items()}
        self.slow = np.full((0, self.about.bets), -np.inf, np.float32)  # seven digits of a logarithm will do
        self.fast = np.full((0, self.about.bets), -np.inf, np.float32)
        self.today = np.zeros((0, self.about.bets), np.float32)
        """ln of the factor of the running day so far."""

    def grow(self, accounts: int, offices: int) -> None:
        """Make room for units of both sorts."""
        sizes = {"account": accounts, "office": offices}
        for name, shape in self.about.shapes.items():
            self.state[name] = _grown(self.state[name], sizes[shape.unit], shape.fill)
        units = sizes[self.about.unit]
        self.slow = _grown(self.slow, units, -np.inf)
        if self.runs:
            self.fast = _grown(self.fast, units, -np.inf)
            self.today = _grown(self.today, units, 0.0)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that survives a restart."""
        kept: dict[str, NDArray[Any]] = {"slow": self.slow}
        if self.runs:
            kept |= {"fast": self.fast, "today": self.today}
        return kept | {f"state.{name}": array for name, array in self.state.items()}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Undo `arrays`."""
        for name, array in arrays.items():
            if name.startswith("state."):
                self.state[name.removeprefix("state.")] = array
            else:
                setattr(self, name, array)


class Detector:
    """The detectors of one sort of unit. Rows of all arrays are units by code."""

    def __init__(self, unit: Unit, signals: Sequence[Signal], alpha: float) -> None:
        """`alpha`: alerts per unit and active day, at most, both kinds together."""
        self.unit = unit
        self.members = [Member(one) for one in signals if one.about.unit == unit]
        self.threshold = 2.0 / alpha
        self.onset = Onset(unit, len(self.members))
        self.fast_day: NDArray[np.int64] = np.full(0, _NEVER, np.int64)
        self.passed: NDArray[np.int64] = np.full((0, len(KINDS)), _NEVER, np.int64)
        """The last day on which each kind passed."""

    def grow(self, accounts: int, offices: int) -> None:
        """Make room for so many accounts and offices."""
        units = accounts if self.unit == "account" else offices
        for member in self.members:
            member.grow(accounts, offices)
        self.onset.grow(units)
        self.fast_day = _grown(self.fast_day, units, _NEVER)
        self.passed = _grown(self.passed, units, _NEVER)

    # --- while a day lasts -----------------------------------------------------------------------------------------

    def run(self, so_far: Prefix) -> list[Finding]:
        """The findings at these disclosures, in their order; at most one a kind, account and day."""
        running = [one for one in self.members if one.runs]
        if not running or not len(so_far):
            return []
        current = self.fast_day[so_far.account] <= so_far.day  # what comes late for a day is for its closing
        self._begin(np.unique(so_far.account[current]), so_far.day)
        factors = {id(one): one.signal.running(so_far, one.state) for one in running}  # type: ignore[attr-defined]
        found = []
        for kind, name in enumerate(KINDS):
            members = self._of(kind)
            levels = [
                _at(one, so_far.account, factors.get(id(one))) for one in members
            ]
            if not levels:
                continue
            stacked = np.stack(levels, axis=1)
            joined = _log_mean(stacked, _weights(members))
            open_now = current & (self.passed[so_far.account, kind] < so_far.day)
            rows = np.flatnonzero(open_now & (joined >= math.log(self.threshold)))
            _, heads = np.unique(so_far.account[rows], return_index=True)
            for row in np.sort(rows[heads]).tolist():
                account = int(so_far.account[row])
                found.append(
                    self._finding(
                        account, name, stacked[row], members, so_far.day,
                        sequence=int(so_far.sequence[row]), records=int(so_far.fresh[row]),
                    )
                )  # fmt: skip
        for one in running:
            one.today[so_far.account[current]] = factors[id(one)][current]  # the last of each account stays
        for finding in found:
            self._reset(np.array([finding.code]), KINDS.index(finding.kind), finding.day)
        return sorted(found, key=lambda one: (one.sequence, one.kind))

    def _begin(self, accounts: NDArray[np.int32], day: int) -> None:
        """End the running day of accounts that have come to a later one."""
        begun = accounts[self.fast_day[accounts] < day]
        for one in self.members:
            if one.runs:
                one.fast[begun] = np.logaddexp(one.fast[begun], np.float32(0.0)) + one.today[begun]
                one.today[begun] = 0.0
                kind = 0 if one.about.design else 1
                spent = begun[(self.passed[begun, kind] == self.fast_day[begun]) & (self.fast_day[begun] > _NEVER)]
                one.fast[spent] = -np.inf
        self.fast_day[begun] = day

    def set_back(self, day: int) -> None:
        """The clock was wrong: what was begun or passed on this day or later does not bar it."""
        self.fast_day = np.minimum(self.fast_day, day - 1)
        self.passed = np.minimum(self.passed, day - 1)

    # --- when a day is closed --------------------------------------------------------------------------------------

    def step(self, day: Day, context: Context) -> list[Finding]:
        """The findings at the end of this day, by code."""
        steps: dict[int, Step] = {}
        missing = frozenset(context.missing)
        for place, one in enumerate(self.members):
            if missing.isdisjoint(one.about.needs):
                made = steps[place] = one.signal.step(day, context, one.state)
                if not one.about.at_once:
                    one.slow[made.unit] = np.logaddexp(one.slow[made.unit], np.float32(0.0)) + made.log_e
                self.onset.take(place, day, made)
        units = np.unique(np.concatenate([np.zeros(0, np.int64), *(made.unit for made in steps.values())]))
        found = []
        for kind, name in enumerate(KINDS):
            members = self._of(kind)
            if not members or not len(units):
                continue
            spent = self.passed[units, kind] >= day.day
            for one in members:
                one.slow[units[spent]] = -np.inf
            stacked = np.stack([_at(one, units, None) for one in members], axis=1)
            rows = np.flatnonzero(~spent & (_log_mean(stacked, _weights(members)) >= math.log(self.threshold)))
            found += [
                self._finding(int(units[row]), name, stacked[row], members, day.day, sequence=0, records=0)
                for row in rows.tolist()
            ]
            self._reset(units[rows], kind, day.day)
        return sorted(found, key=lambda one: (one.code, one.kind))

    # --- both ------------------------------------------------------------------------------------------------------

    @property
    def _names(self) -> list[str]:
        return [one.about.name for one in self.members]

    def _of(self, kind: int) -> list[Member]:
        return [one for one in self.members if one.about.design == (kind == 0)]

    def _reset(self, units: NDArray[np.int64], kind: int, day: int) -> None:
        for one in self._of(kind):
            one.slow[units] = -np.inf
            if one.runs:
                one.fast[units] = -np.inf
        self.passed[units, kind] = np.maximum(self.passed[units, kind], day)

    def _finding(
        self, unit: int, kind: Literal["guaranteed", "estimated"], levels: NDArray[np.float64], members: list[Member],
        day: int, *, sequence: int, records: int,
    ) -> Finding:  # fmt: skip
        weights = _weights(members)
        share = weights * np.exp(levels - levels.max())
        share /= share.sum()
        order = np.argsort(-share, kind="stable")
        named = next((at for at in order if not members[at].about.general and share[at] >= NAMING), order[0])
        loudest = self.members.index(members[int(named)])
        since, stakes = self.onset.of(unit, loudest, day, records)
        return Finding(
            unit=self.unit,
            code=unit,
            kind=kind,
            pattern=members[int(named)].about.name,
            shares=tuple((members[int(at)].about.name, float(share[at])) for at in order),
            log10=float(_log_mean(levels[None], weights)[0] / math.log(10.0)),
            threshold=self.threshold,
            since=since,
            day=day,
            sequence=sequence,
            stakes=stakes,
        )

    # --- restarts --------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that survives a restart, by name."""
        kept: dict[str, NDArray[Any]] = {
            f"{one.about.name}.{name}": array for one in self.members for name, array in one.arrays().items()
        }
        kept |= {f"onset.{name}": array for name, array in self.onset.arrays(self._names).items()}
        return kept | {"fast_day": self.fast_day, "passed": self.passed}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Undo `arrays`; a signal that was not there then begins anew."""
        for one in self.members:
            head = f"{one.about.name}."
            one.restore({name.removeprefix(head): array for name, array in arrays.items() if name.startswith(head)})
        onset = {name.removeprefix("onset."): array for name, array in arrays.items() if name.startswith("onset.")}
        self.onset.restore(self._names, onset)
        self.fast_day, self.passed = arrays["fast_day"].astype(np.int64), arrays["passed"].astype(np.int64)


def _at(member: Member, units: NDArray[np.int32] | NDArray[np.int64], running: NDArray[np.float64] | None
        ) -> NDArray[np.float64]:  # fmt: skip
    """ln of the mean of a member's detectors at each of some units, the running day as far as it goes; shape (u,)."""
    levels = member.slow[units].astype(np.float64)
    if member.runs:
        today = member.today[units] if running is None else running
        fast = np.logaddexp(member.fast[units], np.float32(0.0)) + today
        levels = np.concatenate([levels[:, :0] if member.about.at_once else levels, fast], axis=1)
    return _log_mean(levels)


def _weights(members: list[Member]) -> NDArray[np.float64]:
    """The part of each member in the joined value, adding up to 1."""
    weights = np.array([one.about.weight for one in members])
    return np.asarray(weights / weights.sum())


def _log_mean(logs: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """ln of the weighted mean of exp along the last axis, -inf where all are; each row by itself (rule 4)."""
    if weights is None:
        weights = np.full(logs.shape[1], 1.0 / logs.shape[1])
    top = logs.max(axis=1)
    safe = np.where(np.isfinite(top), top, 0.0)
    total = np.zeros(len(logs))
    for column in range(logs.shape[1]):  # in a fixed order: a sum along an axis may be split by its length
        total += weights[column] * np.exp(logs[:, column] - safe)
    with np.errstate(divide="ignore"):
        result: NDArray[np.float64] = np.log(total) + safe
    return result


def _grown(array: NDArray[_Number], rows: int, fill: float) -> NDArray[_Number]:
    more = rows - len(array)
    if more <= 0:
        return array
    return np.concatenate([array, np.full((more, *array.shape[1:]), fill, array.dtype)])
