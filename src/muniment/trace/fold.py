"""When two texts are the same to a reader (`strict`), and when they are alike enough to be looked at (`loose`).

Rules
1. A form is a function of one text and the kind of its column. It knows no register, no leak and no carrier.
2. The empty form means "nothing said": a missing cell, or one that holds only blanks and punctuation.
3. Texts equal in the strict form are equal in the loose form: a loose key may stand for a strict one in blocking.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from muniment.disclosure import Kind

FOLD_CHARACTERS: Final = 1_000
"""Characters of a cell that are compared: beyond them two different cells are not told apart."""

_ASCII: Final = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)} | {ord("'"): ""}
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_NO_WORD: Final = re.compile(r"[\W_]+")
_NUMBERS: Final = re.compile(r"\d+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_SOUNDEX: Final = str.maketrans("bfpvcgjkqsxzdtlmnr", "111122222222334556", "aeiouyhw")
_ROC_YEAR: Final = 1911


def fold(value: str) -> str:
    """Return the words of a text: width, case and accents of Latin letters folded, one blank between words."""
    text = value[:FOLD_CHARACTERS]
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
        text = _NO_WORD.sub(" ", unicodedata.normalize("NFC", text).casefold().replace("'", "").replace("\u2019", ""))
    return " ".join(text.translate(_ASCII).split())


def squeezed(value: str) -> str:
    """Return `fold` without blanks, except between two numbers: "12 3" and "1 23" are two addresses."""
    words = fold(value).split(" ")
    text = words[0]
    for word in words[1:]:
        text += f" {word}" if text[-1].isdecimal() and word[0].isdecimal() else word
    return text


def anagram(value: str) -> str:
    """Return the characters of a text in order: the same for "Ann Lee", "LEE, Ann" and "AnnLee"."""
    return "".join(sorted(fold(value).replace(" ", "")))


def date_form(value: str) -> str:
    """Return a date as YYYYMMDD where the text shows one (year first or last, 民國 years), else its digits.

    A date written 03/04/1970 may be either day: it is taken as day first, and the loose form covers the other.
    """
    text = unicodedata.normalize("NFKC", value[:FOLD_CHARACTERS])
    parts = _NUMBERS.findall(text)
    if len(parts) < 3:
        return "".join(parts)
    first, second, third = parts[:3]
    if len(first) >= 3 or "年" in text or "民" in text:
        year, month, day = first, second, third
    elif len(third) == 4:
        year, (day, month) = third, (second, first) if int(second) > 12 else (first, second)
    else:
        return "".join(parts[:3])
    if len(year) < 4:
        year = str(int(year) + _ROC_YEAR)
    return f"{year}{int(month):02d}{int(day):02d}"[:12]


def number_form(value: str) -> str:
    """Return a number without grouping, sign of plus or closing zeros ("1,250.50" is "1250.5")."""
    text = unicodedata.normalize("NFKC", value[:FOLD_CHARACTERS]).strip().replace(",", "").replace(" ", "").lstrip("+")
    if "." in text and "e" not in text.lower():
        text = text.rstrip("0").rstrip(".")
    return text.lower().lstrip("0") or ("0" if text else "")


def phone_form(value: str) -> str:
    """Return the last nine digits: what is left of a number without the country code and its zeros."""
    return "".join(_NUMBERS.findall(unicodedata.normalize("NFKC", value[:FOLD_CHARACTERS])))[-9:]


def code_form(value: str) -> str:
    """Return the letters and digits of a code, in one case."""
    return fold(value).replace(" ", "")


def sounds_like(text: str) -> str:
    """Return a Soundex-like key (first letter and three consonant classes); first and last sign of other scripts."""
    if not text.isascii():
        return text[0] + text[-1] if len(text) > 1 else text
    classes = text[1:].translate(_SOUNDEX)
    key = text[:1]
    for sign in classes:
        if sign != key[-1]:
            key += sign
    return key[:4]


def _loose_words(form: str) -> str:
    return sounds_like(form)


def _loose_address(form: str) -> str:
    """Sort the digits and keep the sound of the longest word: house numbers are swapped, street types dropped."""
    longest = max(_LETTERS.findall(form), key=len, default="")
    return "".join(sorted("".join(_NUMBERS.findall(form)))) + "/" + sounds_like(longest)


def _loose_signs(form: str) -> str:
    return "".join(sorted(form))


_STRICT: Final[Mapping[Kind, Callable[[str], str]]] = MappingProxyType({
    Kind.DATE: date_form,
    Kind.NUMBER: number_form,
    Kind.PHONE: phone_form,
    Kind.CODE: code_form,
    Kind.TIMESTAMP: code_form,
})
_LOOSE: Final[Mapping[Kind, Callable[[str], str]]] = MappingProxyType({
    Kind.DATE: _loose_signs,
    Kind.NUMBER: _loose_signs,
    Kind.PHONE: _loose_signs,
    Kind.CODE: _loose_signs,
    Kind.TIMESTAMP: _loose_signs,
    Kind.ADDRESS: _loose_address,
})


def strict_form(kind: Kind) -> Callable[[str], str]:
    """Return the function that gives equal results for texts that mean the same in a column of this kind."""
    return _STRICT.get(kind, squeezed)


def loose_form(kind: Kind) -> Callable[[str], str]:
    """Return the function from a strict form to a key that survives the usual errors: swapped digits, misspelling."""
    return _LOOSE.get(kind, _loose_words)


def is_text(kind: Kind) -> bool:
    """Return whether cells of this kind are compared word by word, not sign by sign."""
    return kind not in _STRICT
