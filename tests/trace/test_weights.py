"""Weights: rare values tell more, missing cells nothing, dependent columns little; the posterior adds up."""

from __future__ import annotations

import numpy as np
import pytest

from language.persons import register_of, same_names, scan_of, specs_of
from muniment.table import Table
from muniment.trace.columns import ColumnSpec
from muniment.trace.fields import fields_of, leak_keys, register_keys
from muniment.trace.similarity import CLOSE, DIFFERENT, MISSING, PARTIAL, SAME
from muniment.trace.weights import bits_of, first_model, learned, posterior, with_u

REGISTER = register_of(1_000)


def model_of(register: Table, *columns: str, specs: list[ColumnSpec] | None = None):
    fields = fields_of(same_names(*columns), specs or specs_of())
    return first_model(fields, leak_keys(fields, [register[name] for name in columns], loose=False),
                       register_keys(fields, scan_of(register)))


def levels(*rows: int) -> np.ndarray:
    return np.array([[row] for row in rows], np.uint8)


def test_a_rare_value_weighs_more_than_a_common_one() -> None:
    register = Table(("town",), (["Ashby"] * 90 + ["Goole"] * 10,))
    model = model_of(register, "town")
    common, rare = (bits_of(model, levels(SAME), np.array([row]))[0] for row in (0, 95))
    assert rare - common == pytest.approx(np.log2(9))


def test_missing_weighs_nothing_and_less_agreement_never_more() -> None:
    model = model_of(REGISTER, "surname")
    weights = [bits_of(model, levels(one), np.array([0]))[0] for one in (SAME, CLOSE, PARTIAL, DIFFERENT)]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] < 0
    assert bits_of(model, levels(MISSING), np.array([0]))[0] == 0
    odd = with_u(model, np.full((1, 500), PARTIAL, np.uint8))
    none, some = (bits_of(odd, levels(one), np.array([0]))[0] for one in (DIFFERENT, PARTIAL))
    assert none <= min(0.0, some)


def test_a_column_that_follows_from_another_adds_little() -> None:
    code = [(town or "")[::-1] for town in REGISTER["town"]]
    register = Table(("town", "sex"), (REGISTER["town"], code))
    both = bits_of(model_of(register, "town", "sex"), levels(SAME, SAME), np.array([0]))[0]
    one = bits_of(model_of(register, "town"), levels(SAME), np.array([0]))[0]
    assert both - one < 0.5
    free = bits_of(model_of(REGISTER, "town", "sex"), levels(SAME, SAME), np.array([0]))[0]
    assert free - one > 0.6


def test_the_posterior_leaves_room_for_elsewhere() -> None:
    bits, rows = np.array([20.0, 20.0, 10.0, -5.0]), np.array([0, 0, 1, 2])
    share = posterior(bits, rows, 1_024)
    assert share[0] == share[1] == pytest.approx(0.5, abs=0.001)
    assert share[2] == pytest.approx(0.5)
    assert share[3] < 0.001
    assert posterior(bits, rows, 1_024, prior_odds=19.0)[2] == pytest.approx(0.95)
    assert len(posterior(np.zeros(0), np.zeros(0, np.int64), 10)) == 0


def test_m_is_learned_from_the_pairs_that_match() -> None:
    model = model_of(REGISTER, "surname")
    seen = np.array([[SAME] * 50 + [CLOSE] * 50 + [DIFFERENT] * 900], np.uint8)
    share = np.r_[np.ones(100), np.zeros(900)]
    after = learned(model, seen, share, np.zeros(1)).m[0]
    assert after.sum() == pytest.approx(1)
    assert 0.4 < after[CLOSE] < 0.5
    assert after[DIFFERENT] < 0.01
    assert learned(model, seen, share, np.array([10_000.0])).m[0, SAME] > 0.99
