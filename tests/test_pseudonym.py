"""Pseudonyms are a fixed keyed function of register and key."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.disclosure import canonical_key, canonical_keys
from muniment.keys import Key, Purpose
from muniment.prf import hkdf
from muniment.pseudonym import column_pseudonyms, pseudonyms

KEY = Key("pseudonym-1", Purpose.PSEUDONYM, bytes(range(32)))
KEYS = [canonical_key([name]) for name in ("A123456789", "王小明", "x" * 100)]


def test_equals_one_cmac_for_each_key() -> None:
    for got, key in zip(pseudonyms(KEY, "persons", KEYS), KEYS, strict=True):
        mac = CMAC(AES(hkdf(KEY.secret, "muniment pseudonym 1", "persons")))
        mac.update(key)
        assert int(got) == int.from_bytes(mac.finalize()[:8], "big")


def test_registers_and_keys_are_kept_apart() -> None:
    other = Key("pseudonym-2", Purpose.PSEUDONYM, bytes(32))
    drawn = [pseudonyms(KEY, "persons", KEYS), pseudonyms(KEY, "staff", KEYS), pseudonyms(other, "persons", KEYS)]
    assert len({int(value) for values in drawn for value in values}) == 9


def test_key_of_another_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="mark-1"):
        pseudonyms(Key("mark-1", Purpose.MARK, bytes(32)), "persons", KEYS)


def test_no_keys_no_pseudonyms() -> None:
    assert pseudonyms(KEY, "persons", []).shape == (0,)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["", "A123456789", "王小明", "x" * 300]
)


@settings(max_examples=80)
@given(rows=st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[TEXTS] * width), min_size=1, max_size=12)))
def test_columns_give_what_their_canonical_keys_give(rows: list[tuple[str, ...]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    expected = pseudonyms(KEY, "persons", canonical_keys(columns))
    assert (column_pseudonyms(KEY, "persons", columns) == expected).all()
    if not any("\0" in text for row in rows for text in row):
        fixed = [np.array([text.encode() for text in column]) for column in columns]
        assert (column_pseudonyms(KEY, "persons", fixed) == expected).all()


def test_columns_over_more_than_one_pass() -> None:
    names = [f"person {n}" for n in range(70_000)]
    ages = [str(n % 100) for n in range(70_000)]
    for columns in ([names], [ages, names]):
        expected = pseudonyms(KEY, "persons", canonical_keys(columns))
        assert (column_pseudonyms(KEY, "persons", columns) == expected).all()


def test_columns_of_unequal_length_and_other_keys_are_refused() -> None:
    for columns in ([], [["a"], []]):
        with pytest.raises(ValueError, match="all of one length"):
            column_pseudonyms(KEY, "persons", columns)
    with pytest.raises(ValueError, match="mark-1"):
        column_pseudonyms(Key("mark-1", Purpose.MARK, bytes(32)), "persons", [["a"]])
    assert column_pseudonyms(KEY, "persons", [[]]).shape == (0,)
