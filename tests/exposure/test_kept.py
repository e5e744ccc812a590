"""Kept classes: bytes there and back, keyed digests, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from language import households
from muniment.errors import InputError, IntegrityError
from muniment.exposure.extract import Coded, Extract
from muniment.exposure.kept import Kept, keep, value_digests

KEY = b"k" * 32
QUASI = ("sex", "town")


def _kept(key: bytes = KEY) -> Kept:
    return keep(households.extract(households.register(500)), QUASI, key, sensitive="diag")


def test_bytes_come_back_and_nothing_else_is_taken() -> None:
    kept = _kept()
    data = b"".join(kept.to_bytes())
    back = Kept.from_bytes(data)
    for name in ("records", "ids", "keys", "values", "value_keys"):
        assert np.array_equal(getattr(back, name), getattr(kept, name)), name
    assert (back.columns, back.sensitive, back.rows) == (QUASI, "diag", 500)
    assert back.classes.sizes.sum() == 500
    for bad in (b"", data[:-1], data + b"\0", b"x" + data[1:], data.replace(b"sizes", b"sizec")):
        with pytest.raises(IntegrityError):
            Kept.from_bytes(bad)


def test_equal_classes_have_equal_digests_in_every_release_and_none_without_the_key() -> None:
    columns = households.register(500)
    whole = keep(households.extract(columns), QUASI, KEY)
    part = keep(households.extract({name: values[::2] for name, values in columns.items()}), QUASI, KEY)
    of_rows = whole.keys[whole.ids]
    assert np.array_equal(of_rows[::2], part.keys[part.ids])
    assert len(np.unique(whole.keys)) == len(whole.keys)
    assert not np.isin(_kept(b"o" * 32).keys, whole.keys).any()


def test_a_value_of_another_column_has_another_digest_and_null_is_no_empty_text() -> None:
    codes = np.arange(3, dtype=np.uint8)
    first = value_digests(Coded("a", codes, 3, null=2, labels=("", "x", None)), KEY)
    second = value_digests(Coded("b", codes, 3, null=2, labels=("", "x", None)), KEY)
    assert len({*first.tolist(), *second.tolist()}) == 6


def test_rows_of_no_register_and_records_that_come_twice_are_refused() -> None:
    extract = households.extract(households.register(20))
    with pytest.raises(InputError, match="of no register"):
        keep(Extract(extract.columns, 20), QUASI, KEY)
    with pytest.raises(InputError, match="comes twice"):
        keep(Extract(extract.columns, 20, np.zeros(20, np.uint32)), QUASI, KEY)


def test_nothing_shows_in_the_repr() -> None:
    assert "Kept object" in repr(_kept())
