"""`digit-width`: "中山路12號" or "中山路１２號", in East Asian addresses.

Digits of floors and sections of roads are left to `floor-form` and `address-numerals`, which may write them without
digits. All others are written alike; a cell that shows both widths reads as erased.
"""

from __future__ import annotations

import re
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling

_HALF: Final = "0123456789"
_FULL: Final = "０１２３４５６７８９"
_TO_FULL: Final = dict(zip(_HALF, _FULL, strict=True))
_TO_HALF: Final = dict(zip(_FULL, _HALF, strict=True))
_SLOT = re.compile(f"([{_HALF}{_FULL}]+)(?![{_HALF}{_FULL}樓Ff段])")
_HAN = re.compile("[\u4e00-\u9fff]")


def spell(value: str) -> Spelled | None:
    """The cell with half-width digits, and with full-width digits."""
    if value.isascii():
        return None
    parts = _SLOT.split(value)
    if len(parts) == 1 or not _HAN.search(value):
        return None
    half, full = parts, list(parts)
    narrow = wide = False
    for at in range(1, len(parts), 2):
        run = parts[at]
        if run.isascii():
            narrow = True
            full[at] = "".join(map(_TO_FULL.__getitem__, run))
        else:
            wide = True
            narrow = narrow or not _TO_HALF.keys() >= set(run)
            half[at] = "".join([_TO_HALF.get(digit, digit) for digit in run])
            full[at] = "".join([_TO_FULL.get(digit, digit) for digit in run])
    return "".join(half), "".join(full), None if narrow and wide else int(wide)


DIGIT_WIDTH: Final = Spelling("digit-width", 13, frozenset({Kind.ADDRESS}), spell)
