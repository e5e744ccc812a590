"""Scoring of the rows that equal no record, on its own."""

from __future__ import annotations

import numpy as np

from language.persons import changed, register_of, same_names, scan_of, specs_of
from muniment.trace.fields import fields_of, register_keys, texts
from muniment.trace.scored import score_rest

REGISTER = register_of(1_500)
COLUMNS = ("given", "surname", "born", "phone")
FIELDS = fields_of(same_names(*COLUMNS), specs_of())
SCAN = scan_of(REGISTER)


def scored(leak, register=REGISTER, scan=SCAN):
    cells = [texts(leak, field.leak) for field in FIELDS]
    return score_rest(FIELDS, cells, register_keys(FIELDS, scan), scan, np.zeros(len(FIELDS)))


def test_rows_find_their_record_and_strangers_none() -> None:
    own = changed(REGISTER.take(range(100)), "surname", lambda v: v[:2] + v[3:])
    found = scored(own)
    assert found.rows.tolist() == found.records.tolist()
    assert len(found.rows) >= 98
    assert (found.weights > 0.5).all()
    assert len(scored(register_of(100, seed=50)).rows) <= 1


def test_equal_rivals_are_tied() -> None:
    twice = REGISTER.take([*range(100)] * 2)
    found = scored(changed(REGISTER.take(range(50)), "surname", lambda v: v[:2] + v[3:]), twice, scan_of(twice))
    assert len(found.rows) == 0


def test_no_rows_or_no_records() -> None:
    assert len(scored(REGISTER.take([])).rows) == 0
    assert len(scored(REGISTER.take([1]), REGISTER.take([]), scan_of(REGISTER.take([]))).rows) == 0
