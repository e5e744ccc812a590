"""Open pairs are read as text; settled and hopeless ones are not."""

from __future__ import annotations

import numpy as np

from language.persons import register_of, same_names, scan_of, specs_of
from muniment.trace.fields import fields_of, leak_keys, register_keys, texts, with_loose
from muniment.trace.similarity import CLOSE, DIFFERENT, SAME
from muniment.trace.strings import read_open_pairs
from muniment.trace.weights import Pairs, compare, first_model

REGISTER = register_of(400)
FIELDS = fields_of(same_names("given", "surname", "born"), specs_of())


def test_a_misspelt_cell_becomes_close_and_a_stranger_stays_different() -> None:
    scan = scan_of(REGISTER)
    leak = REGISTER.take(range(60)).with_cells({"surname": ["q" + (v or "") for v in REGISTER["surname"][:60]]})
    cells = [texts(leak, field.leak) for field in FIELDS]
    mine = leak_keys(FIELDS, cells, loose=True)
    theirs, _ = with_loose(FIELDS, scan, register_keys(FIELDS, scan), np.zeros(0, np.int64))
    rows = np.repeat(np.arange(60), 2)
    records = np.column_stack([np.arange(60), np.arange(60) + 100]).ravel()
    pairs = Pairs(rows, records, compare(FIELDS, mine, theirs, rows, records))
    assert (pairs.levels[1] == DIFFERENT).all()
    model, read = read_open_pairs(FIELDS, cells, (mine, theirs), scan, first_model(FIELDS, mine, theirs), pairs)
    assert (read.levels[1, ::2] == CLOSE).all()
    assert (read.levels[2, ::2] == SAME).all()
    assert (read.levels[1, 1::2] == DIFFERENT).mean() > 0.9
    assert (pairs.levels[1] == DIFFERENT).all()
    assert model.u[1, DIFFERENT] > 0.5


def test_nothing_to_read_leaves_all_as_it_was() -> None:
    keys = leak_keys(FIELDS, [REGISTER[name] for name in ("given", "surname", "born")], loose=True)
    model = first_model(FIELDS, keys, keys)
    none = Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((3, 0), np.uint8))
    assert read_open_pairs(FIELDS, [], (keys, keys), scan_of(REGISTER), model, none) == (model, none)
