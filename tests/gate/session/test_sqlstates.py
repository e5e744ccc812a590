"""The table of condition codes against the driver's."""

from __future__ import annotations

import psycopg.errors

from muniment.gate.session.sqlstates import RAISED, RAISED_WARNING, SQLSTATES


def test_it_has_every_code_that_the_driver_knows_and_few_more() -> None:
    known = {code for code in psycopg.errors._sqlcodes if len(code) == 5 and code.isalnum() and not code.isalpha()}
    assert known <= SQLSTATES | {"0B000"}
    assert len(SQLSTATES) < len(known) + 20


def test_each_has_five_characters() -> None:
    assert all(len(code) == 5 and code.isascii() for code in SQLSTATES)
    assert {RAISED, RAISED_WARNING} <= SQLSTATES
