"""Every look at a leak, or at a part of it, counts; what a bundle opened is remembered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from language.rings import Clock, segment_keys
from muniment.keys import Key, Purpose
from muniment.ledger.examinations import begin_examination, examinations, opened_for, record_opened
from muniment.ledger.journal import Journal
from muniment.ledger.sets import SealedSets

KEY = segment_keys()[0]
PEOPLE = np.random.default_rng(7).integers(0, 2**64, 10_000, np.uint64)


class Desk:
    """A journal at which leaks are looked at: `look` returns the number of the examination."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.bin"
        self.journal = Journal.create(self.path, segment_keys())
        self.clock = Clock()

    def look(self, digest: str, found: NDArray[np.uint64], register: str = "persons") -> int:
        aligned = {register: found}
        begun = begin_examination(self.journal, KEY, file_digest=digest, aligned=aligned, now=self.clock())
        return begun.number


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_same_file_counts_up(desk: Desk) -> None:
    assert [desk.look("aa", PEOPLE[:100]) for _ in range(3)] == [1, 2, 3]
    assert desk.look("aa", PEOPLE[:0]) == 4  # the same file, of which nothing could be aligned this time


def test_parts_of_a_leak_count_as_looks_at_it(desk: Desk) -> None:
    assert desk.look("whole", PEOPLE[:5_000]) == 1
    assert [desk.look(f"part {n}", PEOPLE[n * 60 : n * 60 + 60]) for n in range(3)] == [2, 2, 2]
    assert desk.look("two parts", PEOPLE[:120]) == 4
    assert desk.look("one row", PEOPLE[30:31]) == 4  # whole, part 0, two parts


def test_other_persons_and_other_registers_start_anew(desk: Desk) -> None:
    assert desk.look("aa", PEOPLE[:1_000]) == 1
    assert desk.look("bb", PEOPLE[1_000:2_000]) == 1
    assert desk.look("cc", PEOPLE[:1_000], "staff") == 1
    assert desk.look("dd", PEOPLE[:0]) == 1


def test_it_is_on_record_before_anything_is_scored(desk: Desk) -> None:
    begun = begin_examination(desk.journal, KEY, file_digest="aa", aligned={"persons": PEOPLE[:5]}, now=desk.clock())
    again = Journal.open(desk.path, segment_keys())
    assert examinations(again) == (begun,)
    assert again.head_at(begun.entry).time == begun.time


def test_key_of_another_purpose_is_refused(desk: Desk) -> None:
    with pytest.raises(ValueError, match="mark-1"):
        begin_examination(
            desk.journal, Key("mark-1", Purpose.MARK, bytes(32)), file_digest="aa", aligned={}, now=desk.clock()
        )


def test_opened_addresses_are_read_back(desk: Desk, tmp_path: Path) -> None:
    sets = SealedSets(tmp_path / "records", segment_keys())
    made = record_opened(
        desk.journal, sets, [(3, PEOPLE[:10]), (5, PEOPLE[5:20])], bundle_digest="bb", now=desk.clock()
    )
    assert opened_for(Journal.open(desk.path, segment_keys())) == made
    (third,) = opened_for(desk.journal, 3)
    assert third.bundle_digest == "bb"
    assert set(sets.load(third.addresses)) == set(PEOPLE[:10])
    assert opened_for(desk.journal, 4) == ()
