"""Forms of messages: what is told of each, and that each is told at all."""

from __future__ import annotations

import pytest

from muniment.gate.session.messages import WITHHELD, told


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("division by zero", "division by zero"),
        ('invalid input syntax for type integer: "known"', 'invalid input syntax for type integer: "known"'),
        ('invalid input syntax for type integer: "x"', f'invalid input syntax for type integer: "{WITHHELD}"'),
        ('invalid input syntax for type xyz: "known"', WITHHELD),
        ("value too long for type character varying(7)", f"value too long for type character varying({WITHHELD})"),
        ("permission denied for table known", "permission denied for table known"),
        ("permission denied for table x", f"permission denied for table {WITHHELD}"),
        ('character with byte sequence 0xe6 0x9d in encoding "known" has no equivalent in encoding "x"',
         f'character with byte sequence {WITHHELD} in encoding "known" has no equivalent in encoding "{WITHHELD}"'),
        ("SAVEPOINT can only be used in transaction blocks", "SAVEPOINT can only be used in transaction blocks"),
        ("SECRET can only be used in transaction blocks", WITHHELD),
        ("division by zero ", WITHHELD),
        ("division by zero\ndivision by zero", WITHHELD),
        ("", WITHHELD),
    ],
)  # fmt: skip
def test_forms(message: str, expected: str) -> None:
    assert told(message, lambda part: part == "known") == expected


def test_numbers_are_withheld_even_where_everything_is_known() -> None:
    assert "7" not in told("invalid memory alloc request size 777", lambda _: True)
