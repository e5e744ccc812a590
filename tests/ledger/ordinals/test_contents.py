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


def test_changes_are_consistent_by_themselves_and_checked_above_their_base() -> None:
    base = Contents().after([_frame(Change.ALLOCATE, {5: 50, 6: 60}), _frame(Change.ALIAS, {7: 50})])
    changes = Contents().after([_frame(Change.ALLOCATE, {8: 80}), _frame(Change.ALIAS, {9: 60})]).consistent()
    with pytest.raises(IntegrityError, match="of nobody"):
        changes.checked()
    whole = changes.above(base).checked()
    assert whole.lookup(np.arange(5, 10, dtype=np.uint64))[0].tolist() == [50, 60, 50, 80, 60]
    assert whole.state == changes.state


@pytest.mark.parametrize(
    ("entries", "match"), [({6: 61}, "one person two"), ({7: 61}, "one person two"), ({8: 60}, "one ordinal to two")]
)
def test_changes_that_are_consistent_but_break_the_rules_above_their_base_are_refused(
    entries: dict[int, int], match: str
) -> None:
    base = Contents().after([_frame(Change.ALLOCATE, {5: 50, 6: 60}), _frame(Change.ALIAS, {7: 50})])
    changes = Contents().after([_frame(Change.ALLOCATE, entries)]).consistent()
    with pytest.raises(IntegrityError, match=match):
        changes.above(base).checked()


@pytest.mark.parametrize(
    ("frames", "match"),
    [
        ([_frame(Change.ALLOCATE, {5: 50}), _frame(Change.ALLOCATE, {5: 51})], "one person two ordinals"),
        ([_frame(Change.ALLOCATE, {5: 50}), _frame(Change.ALIAS, {5: 50})], "one person two ordinals"),
        ([_frame(Change.ALIAS, {5: 100})], "never reserved"),
    ],
)
def test_changes_that_break_a_rule_by_themselves_are_refused(frames: list[Frame], match: str) -> None:
    with pytest.raises(IntegrityError, match=match):
        Contents().after(frames).consistent()
