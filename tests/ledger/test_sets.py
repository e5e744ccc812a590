"""Sealed sets: the same set has one file, whose name and bytes tell nothing without the key."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.faults import names_in
from language.rings import segment_keys
from muniment import limits
from muniment.errors import IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.ledger.sets import SealedSets


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(values=st.lists(st.integers(0, 2**64 - 1), max_size=50))
def test_round_trip_as_a_set(tmp_path: Path, values: list[int]) -> None:
    sets = SealedSets(tmp_path / "records", segment_keys())
    digest = sets.store(np.array(values, np.uint64))
    loaded = sets.load(digest)
    assert loaded.dtype == np.uint64
    assert loaded.tolist() == sorted(set(values))
    assert sets.store(np.array(values[::-1] * 2, np.uint64)) == digest


def test_one_file_for_one_set_and_its_size(tmp_path: Path) -> None:
    sets = SealedSets(tmp_path, segment_keys())
    values = np.random.default_rng(1).integers(0, 2**64, 30_000, np.uint64)
    digest = sets.store(values)
    before = (tmp_path / digest).read_bytes()
    assert sets.store(values) == digest
    assert names_in(tmp_path) == {digest}
    assert (tmp_path / digest).read_bytes() == before
    assert len(before) / values.size < 7.0  # 64 - log2(30,000) + 1.4 bits are 6.3 bytes


def test_name_is_keyed(tmp_path: Path) -> None:
    values = np.arange(3, dtype=np.uint64)
    first = SealedSets(tmp_path, segment_keys()).store(values)
    other = SealedSets(tmp_path, segment_keys(2)[1:]).store(values)
    assert len({first, other, sha256(values.tobytes()).hexdigest()}) == 3


def test_rotation_keeps_names_and_opens_old_sets(tmp_path: Path) -> None:
    values, more = np.arange(3, dtype=np.uint64), np.arange(4, dtype=np.uint64)
    old, new = SealedSets(tmp_path, segment_keys(1)), SealedSets(tmp_path, segment_keys(2))
    digest = old.store(values)
    assert new.store(values) == digest
    assert new.load(digest).tolist() == [0, 1, 2]
    later = new.store(more)
    assert new.load(later).tolist() == [0, 1, 2, 3]
    with pytest.raises(IntegrityError):
        old.load(later)


def test_missing_altered_or_exchanged_set_is_found(tmp_path: Path) -> None:
    sets = SealedSets(tmp_path, segment_keys())
    first, second = (sets.store(np.arange(n, dtype=np.uint64)) for n in (3, 4))
    (tmp_path / first).write_bytes((tmp_path / second).read_bytes())
    with pytest.raises(IntegrityError, match="does not verify"):
        sets.load(first)
    (tmp_path / first).unlink()
    with pytest.raises(IntegrityError, match="is missing"):
        sets.load(first)
    with pytest.raises(ValueError, match="64 hex digits"):
        sets.load("../" + first[3:])


def test_bounds_and_purpose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="segment key"):
        SealedSets(tmp_path, [Key("mark-1", Purpose.MARK, bytes(32))])
    monkeypatch.setattr(limits, "RECORD_SET", 2)
    with pytest.raises(LimitError, match="at most 2"):
        SealedSets(tmp_path, segment_keys()).store(np.arange(3, dtype=np.uint64))
