"""What is checked before an append is queued; what every `Appender` does is in contracts/test_appenders.py."""

from __future__ import annotations

import numpy as np
import pytest

from language.appends import disclosure
from muniment.errors import LimitError
from muniment.ledger.appender import Receipt, check_batch
from muniment.ledger.batch import NUMBERS, TEXTS, Batch, Texts, assembled


def test_batches_are_checked() -> None:
    batch = Batch.of([disclosure(0, [1, 2]), disclosure(1, [1])])
    check_batch(batch)
    with pytest.raises(ValueError, match="one disclosure or more"):
        check_batch(Batch.of([]))
    numbers = {name: getattr(batch, name) for name in NUMBERS}
    texts = {name: getattr(batch, name) for name in TEXTS}
    with pytest.raises(ValueError, match="ascending"):
        check_batch(assembled(numbers, texts, batch.starts, np.array([2, 1, 1], np.uint32)))
    long = Texts(("x" * 20_000, "y"), texts["party"].codes)
    with pytest.raises(LimitError, match="the party"):
        check_batch(assembled(numbers, texts | {"party": long}, batch.starts, batch.ordinals))


def test_receipts_compare_by_value() -> None:
    assert Receipt(1, 2, 3) == Receipt(1, 2, 3)
