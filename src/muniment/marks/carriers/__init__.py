"""All carriers by name: the one table. A new kind of mark is one file here and one line in it.

Numbers are part of every mark address. They are given once and never used again:
1 street-type, 2 address-words, 3 unit-layout, 4 ordinals, 5 honorifics, 6 and-sign, 10 hanzi-variants,
11 address-dash, 12 floor-form, 13 digit-width, 14 address-numerals, 20 phone-layout, 21 date-layout, 22 letter-case,
23 code-spacing, 24 trailing-zeros, 30 dither, 31 time-jitter. 40 order, 41 omission and 42 decoy are rows, not cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from muniment.errors import InputError
from muniment.marks.carriers.address_dash import ADDRESS_DASH
from muniment.marks.carriers.address_numerals import ADDRESS_NUMERALS
from muniment.marks.carriers.address_words import ADDRESS_WORDS
from muniment.marks.carriers.and_sign import AND_SIGN
from muniment.marks.carriers.code_spacing import CODE_SPACING
from muniment.marks.carriers.date_layout import DATE_LAYOUT
from muniment.marks.carriers.digit_width import DIGIT_WIDTH
from muniment.marks.carriers.dither import Dither
from muniment.marks.carriers.floor_form import FLOOR_FORM
from muniment.marks.carriers.hanzi_variants import HANZI_VARIANTS
from muniment.marks.carriers.honorifics import HONORIFICS
from muniment.marks.carriers.letter_case import LETTER_CASE
from muniment.marks.carriers.ordinals import ORDINAL_WORDS
from muniment.marks.carriers.phone_layout import PHONE_LAYOUT
from muniment.marks.carriers.protocol import Carrier
from muniment.marks.carriers.street_type import STREET_TYPE
from muniment.marks.carriers.time_jitter import TimeJitter
from muniment.marks.carriers.trailing_zeros import TRAILING_ZEROS
from muniment.marks.carriers.unit_layout import UNIT_LAYOUT

_EQUIVALENT: Final[tuple[Carrier, ...]] = (
    STREET_TYPE, ADDRESS_WORDS, UNIT_LAYOUT, ORDINAL_WORDS, HONORIFICS, AND_SIGN,
    HANZI_VARIANTS, ADDRESS_DASH, FLOOR_FORM, DIGIT_WIDTH, ADDRESS_NUMERALS,
    PHONE_LAYOUT, DATE_LAYOUT, LETTER_CASE, CODE_SPACING, TRAILING_ZEROS,
)  # fmt: skip

CARRIERS: Final[Mapping[str, Carrier]] = MappingProxyType({carrier.name: carrier for carrier in _EQUIVALENT})
"""The equivalent carriers: one each, for every column."""
TOLERANCE_CARRIERS: Final[Mapping[str, Callable[[Decimal], Carrier]]] = MappingProxyType(
    {"dither": Dither, "time-jitter": TimeJitter}
)
"""The carriers with a tolerance: made for each column from the tolerance that its owner declared."""
CLASHES: Final = frozenset({frozenset({"trailing-zeros", "dither"})})
"""Pairs that cannot stand on one column: each writes what the other reads."""


def carrier(name: str, tolerance: Decimal | None = None) -> Carrier:
    """The carrier of that name; `tolerance` is used by the carriers that change numbers and times alone.

    Raises:
        InputError: no such carrier, or a tolerance that is missing or cannot be used.
    """
    if name in CARRIERS:
        return CARRIERS[name]
    make = TOLERANCE_CARRIERS.get(name)
    if make is None:
        known = ", ".join((*CARRIERS, *TOLERANCE_CARRIERS))
        raise InputError(f"no carrier {name!r}; the carriers of cells are {known}")
    if tolerance is None:
        raise InputError(
            f"carrier {name!r} needs a tolerance",
            hint="declare the largest change that the column may bear: tolerance = \"...\" in muniment.toml",
        )
    return make(tolerance)


def clash(names: Iterable[str]) -> tuple[str, str] | None:
    """Two of these carriers that cannot stand on one column together, in order of name; `None` if there are none."""
    given = frozenset(names)
    for pair in CLASHES:
        if pair <= given:
            first, second = sorted(pair)
            return first, second
    return None
