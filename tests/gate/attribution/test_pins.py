"""Which conditions fix a key, and which only look so."""

from __future__ import annotations

import pytest

from muniment.gate.attribution.pins import pinned
from muniment.gate.attribution.tokens import tokens


def pins(sql: str) -> dict[str, str | int]:
    return dict(pinned(tokens(sql), "person"))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select surname from person where id = 7", {"id": "7"}),
        ("select surname from only public.person as p where 7 = p.id", {"id": "7"}),
        ('select surname from person where "Id" = $1 and born = \'2000\' limit 1', {"Id": 1, "born": "2000"}),
        ("select surname from person where id = 7 and (a = 1 or b = 2) order by 1 for update", {"id": "7"}),
        ("copy (select surname from person where id = 7) to stdout", {"id": "7"}),
        ("select surname from person where id = 7 or true", {}),
        ("select surname from person where id between 1 and 7", {}),
        ("select surname from person where not id = 7", {}),
        ("select surname from person where id = 7 is not true", {}),
        ("select surname from person where id = 7 = false", {}),
        ("select surname from person where id = -7", {}),
        ("select surname from person where id >= 7", {}),
        ("select surname from person where id = 7 || ''", {}),
        ("select surname from person where id = (7)", {}),
        ("select surname from person where other.id = 7", {}),
        ("select surname from person where id = 7 and id = 8", {}),
        ("select surname from person as p(surname, id) where id = 7", {}),
        ("select surname from person, visits where id = 7", {}),
        ("select surname from person natural join visits where id = 7", {}),
        ("select surname from person tablesample system(10) where id = 7", {}),
        ("select surname from visits where id = 7", {}),
        ("select surname from person", {}),
        ("select extract(year from born) from person where id = 7", {}),
        ("select surname from person where id = 'a' 'b'", {}),
        ("select surname from person where id = E'7'", {}),
    ],
)
def test_pins(sql: str, expected: dict[str, str | int]) -> None:
    assert pins(sql) == expected
