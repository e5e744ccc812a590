"""`hanzi-variants`: 臺北 or 台北, in postal addresses.

All variants in a cell are written alike: 0 the standard form of Taiwan's Ministry of Education, 1 the variant. A cell
that shows both reads as erased.

Rules for the table
1. Both forms are in daily use in Taiwan and mean the same in an address. 豐/豊, 關/関 and 館/舘 are not in it: 永豊村
   and 関帝庙 are names registered with that very form, and villagers of 永豊村 could not collect their parcels.
2. Both forms can be written in code page 950, or a copy in Big5 could not hold them. This leaves out 峰/峯, 群/羣,
   啟/啓 and 衛/衞; 号 for 號 is foreign in a register of Taiwan as well.
3. Source: kSemanticVariant, kZVariant or kTraditionalVariant of the Unihan database (Unicode Standard Annex 38), and
   the Ministry's Dictionary of Chinese Character Variants for which form is the standard one.
"""

from __future__ import annotations

import re
from typing import Final

from muniment.disclosure import Kind
from muniment.marks.carriers.spelling import Spelled, Spelling

PAIRS: Final = {"臺": "台", "恆": "恒", "裡": "裏", "祕": "秘", "污": "汙"}
"""One form -> the other. In 祕/秘 and 污/汙 usage is split: 0 is the first."""
_STANDARD: Final = {variant: standard for standard, variant in PAIRS.items()}
_ANY = re.compile(f"[{''.join(PAIRS)}{''.join(_STANDARD)}]")


def spell(value: str) -> Spelled | None:
    """The cell with all variants in the standard form, and with all of them in the other."""
    if value.isascii():
        return None
    found = _ANY.findall(value)
    if not found:
        return None
    standard = variant = value
    ones = 0
    for character in found:
        if character in PAIRS:
            variant = variant.replace(character, PAIRS[character])
        else:
            standard = standard.replace(character, _STANDARD[character])
            ones += 1
    return standard, variant, 0 if not ones else 1 if ones == len(found) else None


HANZI_VARIANTS: Final = Spelling("hanzi-variants", 10, frozenset({Kind.ADDRESS}), spell)
