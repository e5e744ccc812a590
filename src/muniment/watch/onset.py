"""Since when, and what is at stake: by unit and signal the day on which its evidence began, and the records since.

A CUSUM beside the detectors: while the product of a signal's mean factors stays above 1, its evidence goes on; where it
falls to 1 or below, it begins anew (Page 1954). It decides nothing, it only says "since".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.watch.findings import Stake

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.days import Day
    from muniment.watch.signals import Step, Unit

_LEAST: Final = -700.0
"""A factor below e**-700 says as much as that one."""
_TINY: Final = 1e-300
_PARTS: Final = ("level", "since", "records")
"""What is kept of each signal."""


class Onset:
    """By unit and signal: ln of the CUSUM, its first day, its records; by unit and register: what was read."""

    def __init__(self, unit: Unit, signals: int) -> None:
        """`signals`: how many there are; `unit`: what a row is."""
        self._unit = unit
        self._level = np.zeros((0, signals), np.float32)
        self._since = np.full((0, signals), -1, np.int32)
        self._records = np.zeros((0, signals), np.int32)
        self._read = np.zeros((0, 1), np.int32)
        self._columns = np.zeros((0, 1), np.uint64)

    def grow(self, units: int) -> None:
        """Make room for so many units."""
        more = units - len(self._level)
        if more > 0:
            self._level = np.pad(self._level, ((0, more), (0, 0)))
            self._since = np.pad(self._since, ((0, more), (0, 0)), constant_values=-1)
            self._records = np.pad(self._records, ((0, more), (0, 0)))
        more = units - len(self._read)
        if more > 0:
            self._read = np.pad(self._read, ((0, more), (0, 0)))
            self._columns = np.pad(self._columns, ((0, more), (0, 0)))

    def take(self, signal: int, day: Day, step: Step) -> None:
        """Take what one signal said of a day."""
        if not len(step.unit):
            return
        top = np.maximum(step.log_e.max(axis=1), _LEAST)
        mean = np.log(np.exp(step.log_e - top[:, None]).mean(axis=1) + _TINY) + top
        before = self._level[step.unit, signal]
        level = np.maximum(before, 0.0) + mean
        begins = before <= 0.0
        self._since[step.unit, signal] = np.where(begins, day.day, self._since[step.unit, signal])
        self._records[step.unit, signal] = np.where(begins, 0, self._records[step.unit, signal]) + step.records
        self._level[step.unit, signal] = level
        self._note(day, step)

    def _note(self, day: Day, step: Step) -> None:
        """Registers and columns of the reads that speak, of units whose evidence goes on."""
        units = day.account if self._unit == "account" else day.office
        owner = units[day.owner[step.reads]]
        register = np.maximum(day.register[step.reads], 0)
        self._widen(int(register.max(initial=0)) + 1)
        known = owner >= 0
        np.add.at(self._read, (owner[known], register[known]), 1)
        np.bitwise_or.at(self._columns, (owner[known], register[known]), day.columns[step.reads][known])
        quiet = step.unit[(self._level[step.unit] <= 0.0).all(axis=1)]
        self._read[quiet], self._columns[quiet] = 0, 0

    def _widen(self, registers: int) -> None:
        more = registers - self._read.shape[1]
        if more > 0:
            self._read = np.pad(self._read, ((0, 0), (0, more)))
            self._columns = np.pad(self._columns, ((0, 0), (0, more)))

    def of(self, unit: int, signal: int, day: int, running: int) -> tuple[int, tuple[Stake, ...]]:
        """Since which day, and the stakes by register; `running`: records of a day that is not closed yet."""
        goes_on = self._level[unit, signal] > 0.0
        since = int(self._since[unit, signal]) if goes_on else day
        records = (int(self._records[unit, signal]) if goes_on else 0) + running
        weight = self._read[unit]
        if weight.sum() <= 0:
            return since, (Stake(0, 0, records),)
        parts = np.floor(records * weight / weight.sum()).astype(np.int64)
        parts[int(np.argmax(weight))] += records - int(parts.sum())
        stakes = tuple(
            Stake(register, int(self._columns[unit, register]), int(count))
            for register, count in enumerate(parts.tolist())
            if count
        )
        return since, stakes

    def arrays(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Everything that survives a restart. `names`: of the signals, in their order."""
        kept: dict[str, NDArray[Any]] = {"read": self._read, "columns": self._columns}
        for place, name in enumerate(names):
            kept |= {f"{part}.{name}": getattr(self, f"_{part}")[:, place] for part in _PARTS}
        return kept

    def restore(self, names: Sequence[str], arrays: dict[str, NDArray[Any]]) -> None:
        """Undo `arrays`; a signal that was not there then begins anew."""
        self._read, self._columns = arrays["read"], arrays["columns"]
        self.grow(len(self._read))
        for place, name in enumerate(names):
            for part in _PARTS:
                if f"{part}.{name}" in arrays:
                    getattr(self, f"_{part}")[:, place] = arrays[f"{part}.{name}"]
