"""The score: expectation 1 for everybody who took no part - exactly, by enumerating all codewords of small codes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.codes import MIXTURE, codewords, mean_e, symbols, symbols_of
from muniment.evidence import LN10
from muniment.trace.score import (
    MIXTURES,
    Mixture,
    Symbols,
    by_family,
    count_ones,
    family_logs,
    interleaved,
    log10_e,
    log_factors,
    rowwise,
)

P = 2**32 // 4
SOURCE = symbols_of([(i, 0, P, float(i % 4 == 0), 1.0) for i in range(60)])
BITS = (SOURCE.share == 1).astype(np.uint8)


@given(symbols(8), st.integers(1, 30), st.floats(0, 1))
def test_every_factor_averages_1_over_the_bit(some: Symbols, c: int, noise: float) -> None:
    with np.errstate(divide="ignore"):
        zero, one = np.exp(log_factors(some, c, noise))
    p = some.threshold / 2.0**32
    np.testing.assert_allclose(p * one + (1 - p) * zero, 1, atol=1e-12)


@given(symbols(9), MIXTURE)
def test_the_expectation_of_e_is_1_over_all_codewords(some: Symbols, mixture: Mixture) -> None:
    assert mean_e(some, mixture) == pytest.approx(1, abs=1e-9)


def test_the_enumeration_catches_a_bias_that_is_a_tenth_off() -> None:
    some = symbols_of([(i, 0, P, 1.0, 1.0) for i in range(6)])
    bits, probability = codewords(some)
    wrong = replace(some, threshold=(some.threshold * 0.9).astype(np.uint32))
    e = np.exp(log10_e(wrong, bits, MIXTURES[10], rowwise_for=64) * LN10)
    assert float(e @ probability) > 1.01


@given(symbols(7), MIXTURE)
def test_leaving_the_row_wise_term_out_can_only_lower_an_e_value(some: Symbols, mixture: Mixture) -> None:
    bits, _ = codewords(some)
    full = log10_e(some, bits, mixture, rowwise_for=len(bits))
    assert (log10_e(some, bits, mixture, rowwise_for=2) <= full + 1e-12).all()


@given(symbols(8), MIXTURE, st.randoms())
def test_the_order_of_symbols_does_not_matter(some: Symbols, mixture: Mixture, random) -> None:
    bits, _ = codewords(some)
    order = list(range(len(some)))
    random.shuffle(order)
    again = log10_e(some.take(np.array(order)), bits[:, order], mixture, rowwise_for=len(bits))
    np.testing.assert_allclose(again, log10_e(some, bits, mixture, rowwise_for=len(bits)), atol=1e-9)


@given(symbols(8))
def test_counting_equal_symbols_gives_what_adding_them_one_by_one_gives(some: Symbols) -> None:
    bits, _ = codewords(some)
    logs = family_logs(count_ones(some, bits), 2, np.array([0.1]))[0].sum(axis=0)
    zero, one = log_factors(some, 2, 0.1)
    np.testing.assert_allclose(logs, np.where(bits, one, zero).sum(axis=1), atol=1e-9)


@given(symbols(8), MIXTURE, st.data())
def test_the_parts_by_family_add_up_to_the_whole(some: Symbols, mixture: Mixture, data) -> None:
    bits = np.array(data.draw(st.lists(st.integers(0, 1), min_size=len(some), max_size=len(some))), np.uint8)
    shares = by_family(some, bits, mixture)
    assert sum(share.log10_e for share in shares) == pytest.approx(float(log10_e(some, bits[None], mixture)[0]))
    assert [share.family for share in shares] == [*np.unique(some.family).tolist(), -1]
    assert sum(share.symbols for share in shares) == len(some)


def test_without_symbols_every_e_value_is_1() -> None:
    none = SOURCE.take(np.zeros(0, np.intp))
    assert log10_e(none, np.zeros((3, 0), np.uint8), MIXTURES[1]).tolist() == [0, 0, 0]
    assert [share.log10_e for share in by_family(none, np.zeros(0, np.uint8), MIXTURES[1])] == [0]


def test_a_source_stands_out_and_agreement_is_counted() -> None:
    other = 1 - BITS
    e = log10_e(SOURCE, np.stack([BITS, other]), MIXTURES[10])
    assert e[0] > 7
    assert e[1] < 0
    assert [share.agreeing for share in by_family(SOURCE, BITS, MIXTURES[10])] == [60, 0]
    assert [share.agreeing for share in by_family(SOURCE, other, MIXTURES[10])] == [0, 0]


def test_a_smaller_weight_of_alignment_brings_less() -> None:
    e = [log10_e(replace(SOURCE, weight=np.full(60, w)), BITS[None], MIXTURES[10])[0] for w in (1.0, 0.8, 0.4)]
    assert e[0] > e[1] > e[2] > 0


def test_rows_taken_whole_from_two_copies_are_seen_by_the_row_wise_term() -> None:
    rng = np.random.default_rng(1)
    copies = (rng.random((2, 400)) < 0.25).astype(np.uint8)
    record = np.arange(400) // 10
    leaked = copies[record % 2, np.arange(400)]
    some = symbols_of([(r, 0, P, float(y), 1.0) for r, y in zip(record.tolist(), leaked.tolist(), strict=True)])
    assert (rowwise(some, copies, MIXTURES[10]) > interleaved(some, copies, MIXTURES[10])).all()


def test_a_family_rewritten_to_one_form_says_nothing_about_rows() -> None:
    flat = symbols_of([(i, 1, 2**31, 0.0, 1.0) for i in range(200)])
    assert rowwise(flat, np.zeros((1, 200), np.uint8), MIXTURES[10]).tolist() == [0.0]


@pytest.mark.parametrize("mixture", MIXTURES.values())
def test_the_weights_of_a_mixture_add_up_to_1(mixture: Mixture) -> None:
    assert sum(weight for _, weight in mixture.coalitions) == pytest.approx(1)
    assert sum(weight for _, weight in mixture.noises) == pytest.approx(1)
    assert 0 < mixture.rowwise < 1
    assert 0 < mixture.shared_noise < 1
    assert Mixture.from_json(mixture.to_json()) == mixture
