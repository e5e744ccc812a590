"""The lattice of carriers that change numbers: quantisation index modulation in pairs (Chen and Wornell 2001).

Points lie `step` apart and carry the bits 0, 1, 0, 1 in turn; a value is read as the bit of the nearest point, so noise
under half a step is survived. Two neighbouring points, 0 and 1, form a *pair*, and a value is moved to a point of the
pair in whose reach it lies.

Plain quantisation index modulation moves to the nearest point of the wanted bit, which allows a step as large as the
tolerance. But then a written cell no longer says which pair it came from, and a mark written back into the register
could not be told from a change. Pairs keep `forms(forms(v)[b]) == forms(v)`; they cost a third of the step.

All numbers are integers in one unit; nothing is ever a float.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lattice:
    """Points `shift + k * step`; the bit of a point is the parity of k. Shift is taken modulo two steps."""

    step: int

    @classmethod
    def within(cls, tolerance: int) -> Lattice:
        """The widest lattice on which no integer moves by more than `tolerance` (an integer of at least 1)."""
        return cls((2 * tolerance + 1) // 3)

    def pair(self, value: int, phase: int, parts: int = 1) -> tuple[int, int]:
        """The two points between which a value is moved; the value is `value / parts` units."""
        shift = phase % (2 * self.step)
        index = self._nearest(value, shift, parts)
        low = shift + (index - (index & 1)) * self.step
        return low, low + self.step

    def bit(self, value: int, phase: int, parts: int = 1) -> int:
        """The bit of the point nearest to `value / parts`."""
        return self._nearest(value, phase % (2 * self.step), parts) & 1

    def _nearest(self, value: int, shift: int, parts: int) -> int:
        step = self.step * parts
        return (2 * (value - shift * parts) + step) // (2 * step)
