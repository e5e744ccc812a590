"""SASLprep (RFC 4013): the one form of a password that both sides of SCRAM compute from.

Rules
1. As PostgreSQL does (`pg_saslprep`), a password that is not UTF-8 or holds a prohibited or unassigned character is
   used as its raw bytes: the stored secret was made that way, so refusing it here would lock its owner out.
2. Tables are those of Unicode 3.2 (`stringprep`), as RFC 3454 fixes them.
"""

from __future__ import annotations

import stringprep
import unicodedata
from typing import Final

_PROHIBITED: Final = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)
"""RFC 4013 section 2.3."""


def saslprep(text: str) -> str:
    """Prepare a stored string; `ValueError` for what RFC 4013 prohibits (2.3), leaves unassigned (2.5), or 2.4 forbids.

    The message names the rule, never the text.
    """
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    for character in prepared:
        if stringprep.in_table_a1(character):
            raise ValueError("a character that Unicode 3.2 does not assign")
        if any(prohibited(character) for prohibited in _PROHIBITED):
            raise ValueError("a prohibited character")
    _check_direction(prepared)
    return prepared


def password_bytes(password: str | bytes) -> bytes:
    """What SCRAM hashes for a password: its prepared form in UTF-8, or its raw bytes where rule 1 says so."""
    try:
        text = password.decode() if isinstance(password, bytes) else password
        prepared = saslprep(text).encode()
    except ValueError:
        prepared = b""
    raw = password if isinstance(password, bytes) else password.encode(errors="surrogateescape")
    return prepared or raw


def _check_direction(prepared: str) -> None:
    """RFC 3454 section 6: text with a right-to-left character begins and ends with one, and holds no other letters."""
    if not any(map(stringprep.in_table_d1, prepared)):
        return
    if any(map(stringprep.in_table_d2, prepared)):
        raise ValueError("right-to-left and left-to-right letters side by side")
    if not (stringprep.in_table_d1(prepared[0]) and stringprep.in_table_d1(prepared[-1])):
        raise ValueError("right-to-left text that does not begin and end with a right-to-left letter")
