"""Forms of texts: what is the same, what is alike, and that alike never splits what is the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.disclosure import Kind
from muniment.trace.fold import anagram, date_form, fold, loose_form, number_form, phone_form, squeezed, strict_form


@pytest.mark.parametrize(("value", "form"), [
    ("  O'Neill-Smith ", "oneill smith"), ("JOSÉ  Ángel", "jose angel"), ("Ｎｏ．１２", "no 12"),
    ("臺北市　中正區", "臺北市 中正區"), (" -- ", ""), ("Straße", "strasse"), ("O\u2019Neill", "oneill"),
])
def test_fold(value: str, form: str) -> None:
    assert fold(value) == form


def test_squeezed_keeps_two_numbers_apart() -> None:
    assert squeezed("12 3 Mill Lane") == "12 3milllane" != squeezed("1 23 Mill Lane")


def test_anagram_ignores_order_and_separators() -> None:
    assert anagram("Lee, Ann") == anagram("ANN LEE") == anagram("AnnLee")


@pytest.mark.parametrize(
    "value", ["1970-03-14", "14.03.1970", "03/14/1970", "1970/3/14", "19700314", "民國59年3月14日"]
)
def test_dates_in_any_layout(value: str) -> None:
    assert date_form(value) == "19700314"


@pytest.mark.parametrize(
    ("value", "form"), [("1,250.50", "1250.5"), ("007", "7"), ("0", "0"), ("+3", "3"), ("12.0", "12")]
)
def test_numbers(value: str, form: str) -> None:
    assert number_form(value) == form


def test_phones_lose_the_country() -> None:
    assert phone_form("+886 912-345-678") == phone_form("0912345678")


@pytest.mark.parametrize(("kind", "one", "other"), [
    (Kind.DATE, "1970-03-14", "1970-13-04"), (Kind.CODE, "A123", "A213"), (Kind.NAME, "Smith", "Smyth"),
    (Kind.ADDRESS, "12 Stanley Street", "21 Stanley Crescent"),
])
def test_usual_errors_keep_the_loose_key(kind: Kind, one: str, other: str) -> None:
    strict, loose = strict_form(kind), loose_form(kind)
    assert strict(one) != strict(other)
    assert loose(strict(one)) == loose(strict(other))


@given(st.text(max_size=60), st.sampled_from(Kind))
def test_any_text_has_a_form_and_a_second_pass_changes_no_words(value: str, kind: Kind) -> None:
    form = strict_form(kind)(value)
    assert isinstance(loose_form(kind)(form), str)
    assert fold(fold(value)) == fold(value)
