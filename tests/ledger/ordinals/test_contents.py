"""The rules of the table: one person, one ordinal; one ordinal, one person."""

from __future__ import annotations

import numpy as np
import pytest

from muniment.errors import IntegrityError
from muniment.ledger.ordinals.contents import Contents
from muniment.ledger.ordinals.frames import Change, Frame
from muniment.ledger.ordinals.ranges import Reserved


def _frame(change: Change, entries: dict[int, int], reserved: int = 100) -> Frame:
    pseudonyms = np.array(list(entries), np.uint64)
    return Frame(change, pseudonyms, np.array(list(entries.values()), np.uint32), Reserved(reserved))


def test_persons_and_aliases_are_found() -> None:
    contents = Contents().after([_frame(Change.ALLOCATE, {5: 50, 3: 30}), _frame(Change.ALIAS, {7: 50})]).checked()
    ordinals, found = contents.lookup(np.array([3, 4, 5, 7], np.uint64))
    assert ordinals.tolist() == [30, 0, 50, 50]
    assert found.tolist() == [True, False, True, True]
    assert contents.state.reserved == 100


def test_without_forgets_every_pseudonym_of_a_person() -> None:
    contents = Contents().after([_frame(Change.ALLOCATE, {5: 50, 3: 30}), _frame(Change.ALIAS, {7: 50})])
    left = contents.without(np.array([50], np.uint32)).checked()
    assert left.lookup(np.array([3, 5, 7], np.uint64))[1].tolist() == [True, False, False]
    assert left.state == contents.state


@pytest.mark.parametrize(
    ("frames", "match"),
    [
        ([_frame(Change.ALLOCATE, {5: 50}), _frame(Change.ALLOCATE, {5: 51})], "one person two ordinals"),
        ([_frame(Change.ALLOCATE, {5: 50}), _frame(Change.ALIAS, {5: 50})], "one person two ordinals"),
        (
            [_frame(Change.ALLOCATE, {5: 50, 6: 60}), _frame(Change.ALIAS, {7: 50}), _frame(Change.ALIAS, {7: 60})],
            "one person two ordinals",
        ),
        ([_frame(Change.ALLOCATE, {5: 50, 6: 50})], "one ordinal to two persons"),
        ([_frame(Change.ALLOCATE, {5: 100})], "never reserved"),
        ([_frame(Change.ALLOCATE, {5: 50}), _frame(Change.ALIAS, {6: 100})], "never reserved"),
        ([_frame(Change.ALLOCATE, {5: 50}), _frame(Change.ALIAS, {6: 51})], "of nobody"),
    ],
)
def test_broken_rules_are_refused(frames: list[Frame], match: str) -> None:
    with pytest.raises(IntegrityError, match=match):
        Contents().after(frames).checked()
