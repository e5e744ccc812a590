"""Everything a person reads, in English and in the Chinese of Taiwan: `text(key, lang, **values)`.

Rules
1. The two catalogues (`en.toml`, `zh-TW.toml`) hold the same keys with the same placeholders; tests compare them.
2. zh-TW is written by hand, not converted: Taiwan's own words (個資, 揭露, 釋出, 登記簿, 收受者, 比對, 標記, 判定,
   門檻).
3. A value is put in as it is given; numbers are written by the caller (`count`, `decimal`), so that both languages
   print the same digits.
4. A missing key or value is a fault of the program and raises `KeyError`; an unknown language is the user's.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

from muniment.errors import InputError

LANGUAGES: Final = ("en", "zh-TW")
"""The languages there is a catalogue for; the first is the default."""


def text(key: str, /, lang: str, **values: object) -> str:
    """Return the text `key` (such as `answer.none`) in `lang` with `values` in its places.

    Raises `InputError` for an unknown language and `KeyError` for a key or value that is missing.
    """
    return catalogue(lang)[key].format_map(values)


@cache
def catalogue(lang: str) -> dict[str, str]:
    """Return all texts of one language under their dotted keys; `InputError` lists the languages there are."""
    if lang not in LANGUAGES:
        raise InputError(f"unknown language {lang!r}", hint=f"use --lang {' or --lang '.join(LANGUAGES)}")
    source = files(__name__).joinpath(f"{lang}.toml").read_text(encoding="utf-8")
    sections = tomllib.loads(source)
    return {f"{section}.{name}": value for section, texts in sections.items() for name, value in texts.items()}


def count(number: int) -> str:
    """Write a whole number with thousands separators."""
    return f"{number:,}"


def decimal(number: float, places: int = 2) -> str:
    """Write a number with a fixed count of decimals and a true minus sign; never `-0.00`."""
    written = f"{number:,.{places}f}"
    if float(written.replace(",", "")) == 0:
        written = written.lstrip("-")
    return written.replace("-", "\N{MINUS SIGN}")


def percent(share: float) -> str:
    """Write a share as a percentage; close to 0 or 1 it keeps enough digits never to round to 0 % or 100 %."""
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    if share > 0.999:
        return "> 99.9 %"
    if share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"
