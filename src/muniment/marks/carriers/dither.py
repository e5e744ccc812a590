"""`dither`: numbers moved within a tolerance that the owner declared for the column.

Rules
1. No value moves by more than the tolerance. Points of the lattice lie about two thirds of it apart (see `lattice`),
   and a bit survives rounding and noise under half of that.
2. The number of places of the tolerance, as it is written, is the unit: "1" for whole numbers, "0.50" for amounts with
   two places. A cell with fewer places has no place for a mark (so integers stay integers); one with more keeps its
   number of places, filled with zeros.
3. Zero stays zero, and no value becomes zero or changes its sign: such cells have no place.
4. Reading needs no number of places: 12.50, 12.5 and 12.4999 are read alike.
5. Integers only, exact at any size; cells over 40 characters, with exponents or leading zeros are not numbers here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from muniment.disclosure import Harm, Kind
from muniment.errors import InputError
from muniment.marks.carriers.lattice import Lattice

_CHARACTERS: Final = 40
_PLACES: Final = 12
_LARGEST: Final = 10**9
"""Units in a tolerance: 32 bits of phase then still shift the lattice evenly."""
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.([0-9]+))?")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Dither:
    """A tolerance carrier for one column; it satisfies `protocol.Carrier`.

    Raises:
        InputError: the tolerance is not a positive number, or has too many places or digits.
    """

    tolerance: Decimal
    name: str = field(default="dither", init=False)
    number: int = field(default=30, init=False)
    harm: Harm = field(default=Harm.TOLERANCE, init=False)
    kinds: frozenset[Kind] = field(default=frozenset({Kind.NUMBER}), init=False)
    _places: int = field(init=False, repr=False)
    _units: int = field(init=False, repr=False)
    _lattice: Lattice = field(init=False, repr=False)

    def __post_init__(self) -> None:
        exponent = self.tolerance.as_tuple().exponent
        if not isinstance(exponent, int) or self.tolerance <= 0 or exponent < -_PLACES:
            raise InputError(
                f"tolerance {self.tolerance} cannot be used: expected a number above 0 with at most {_PLACES} places"
            )
        places = max(0, -exponent)
        units = int(self.tolerance.scaleb(places)) if self.tolerance.adjusted() <= _PLACES else _LARGEST + 1
        if units > _LARGEST:
            raise InputError(f"tolerance {self.tolerance} is too large: expected at most {_LARGEST:,} units")
        object.__setattr__(self, "_places", places)
        object.__setattr__(self, "_units", units)
        object.__setattr__(self, "_lattice", Lattice.within(units))

    def forms(self, value: str, phase: int = 0) -> tuple[str, str] | None:
        """The number moved to the points for 0 and 1, or `None` (no number, zero, too few places)."""
        parsed = _parse(value)
        if parsed is None:
            return None
        number, places = parsed
        if not number or places < self._places:
            return None
        parts = 10 ** (places - self._places)
        first, second = self._lattice.pair(number, phase, parts)
        if (first <= 0) if number > 0 else (second >= 0):
            return None
        first, second = first * parts, second * parts
        limit = self._units * parts
        if abs(first - number) > limit or abs(second - number) > limit:
            return None
        return _text(first, places), _text(second, places)

    def read(self, value: str, phase: int = 0) -> int | None:
        """The bit of the nearest point, or `None` where the cell is no number or zero; thousands may have commas."""
        if "," in value and _THOUSANDS.fullmatch(value):
            value = value.replace(",", "")
        parsed = _parse(value)
        if parsed is None or not parsed[0]:
            return None
        number, places = parsed
        if places <= self._places:
            return self._lattice.bit(number * 10 ** (self._places - places), phase)
        return self._lattice.bit(number, phase, 10 ** (places - self._places))

    def normal(self, value: str) -> str:
        """The value itself: a moved number has no normal form."""
        return value

    def same(self, first: str, second: str) -> bool:
        """Whether two numbers of one sign lie within the tolerance of each other; zero equals only zero."""
        if first == second:
            return True
        one, other = _parse(first), _parse(second)
        if one is None or other is None:
            return False
        a, b = Decimal(first), Decimal(second)
        return (a > 0) == (b > 0) and (a < 0) == (b < 0) and abs(a - b) <= self.tolerance


def _parse(value: str) -> tuple[int, int] | None:
    """A plain decimal as (digits as an integer, places)."""
    found = _NUMBER.fullmatch(value) if len(value) <= _CHARACTERS else None
    if found is None:
        return None
    whole, places = found.groups()
    return (int(whole), 0) if places is None else (int(whole + places), len(places))


def _text(number: int, places: int) -> str:
    if not places:
        return str(number)
    digits = str(abs(number)).zfill(places + 1)
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"
