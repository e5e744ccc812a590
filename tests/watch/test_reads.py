"""Names give one code for one text for ever; reads are taken and joined with all of their columns."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.watch.reads import NOBODY, Names, Reads, Spaces

TEXTS = st.lists(st.sampled_from(["", "lin", "wu", "陳", "Lin", " lin", "a" * 40]), max_size=20)


def reads(n: int, seed: int = 1) -> Reads:
    drawn = np.random.default_rng(seed).integers(0, 100, (9, n))
    types = [getattr(Reads.none(), one.name).dtype for one in fields(Reads)]
    return Reads(*(column.astype(kind) for column, kind in zip(drawn, types, strict=True)))


@given(TEXTS, TEXTS)
def test_codes_come_in_the_order_of_first_coming_and_stay(first: list[str], later: list[str]) -> None:
    names = Names()
    codes = names.codes(first)
    assert codes.dtype == np.int32
    order = list(dict.fromkeys(text for text in first if text))
    assert codes.tolist() == [order.index(text) if text else NOBODY for text in first]
    names.codes(later)
    assert names.codes(first).tolist() == codes.tolist()
    assert [names.text(code) for code in codes.tolist()] == first
    assert len(names) == len(names.texts) == len({*first, *later} - {""})
    again = Names(names.texts)
    assert again.codes([*first, *later]).tolist() == names.codes([*first, *later]).tolist()


def test_asking_for_what_is_known_adds_nothing() -> None:
    names = Names(["lin"])
    assert (names.known("lin"), names.known("wu"), names.known("")) == (0, NOBODY, NOBODY)
    assert names.texts == ("lin",)
    with pytest.raises(IndexError):
        names.text(1)


def test_names_and_reads_are_not_printed() -> None:
    assert repr(Names(["a.lin@example.org"])) == "Names(1)"
    assert "example" not in repr(Spaces(account=Names(["a.lin@example.org"])))
    assert "record" not in repr(reads(3))


def test_spaces_are_apart() -> None:
    spaces = Spaces()
    spaces.account.code("lin")
    assert len(spaces.office) == 0 and len(Spaces().account) == 0


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 100))
def test_joined_and_taken_apart_again_all_columns_are_the_same(left: int, right: int, seed: int) -> None:
    one, other = reads(left, seed), reads(right, seed + 1)
    whole = Reads.joined([one, Reads.none(), other])
    assert len(whole) == left + right
    behind = np.arange(left + right) >= left
    for column in fields(Reads):
        expected = getattr(other, column.name)
        assert getattr(whole, column.name).dtype == expected.dtype
        for rows in (slice(left, None), behind, np.flatnonzero(behind)):
            assert getattr(whole.take(rows), column.name).tolist() == expected.tolist()
        assert getattr(whole.take(slice(0, left)), column.name).tolist() == getattr(one, column.name).tolist()
