"""Files of a watch: snapshots come back as they were, and what was altered or exchanged is refused."""

from __future__ import annotations

import numpy as np
import pytest

from language.offices import Office
from muniment.errors import InputError, IntegrityError, UnreachableError
from muniment.workspace import watch_files
from muniment.workspace.watch_files import Snapshot


def test_a_snapshot_comes_back_as_it_was(office: Office) -> None:
    watch_files.create(office.parts)
    assert watch_files.load(office.parts) is None and watch_files.months(office.parts) == ()
    arrays = {
        "a/b.c": np.array([[1.5, -np.inf]]),
        "open/3": np.zeros((0, 3), np.int64),
        "told": np.arange(5, dtype=np.uint8),
    }
    watch_files.save(office.parts, Snapshot(arrays, {"after": 7, "who": "市政府"}))
    found = watch_files.load(office.parts)
    assert found is not None and found.meta == {"after": 7, "who": "市政府"}
    assert set(found.arrays) == set(arrays)
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype and found.arrays[name].tolist() == array.tolist()
    watch_files.save(office.parts, Snapshot({}, {}), "2026-11")
    assert watch_files.months(office.parts) == ("2026-11",)


def test_an_altered_snapshot_is_refused(office: Office) -> None:
    watch_files.create(office.parts)
    watch_files.save(office.parts, Snapshot({"a": np.arange(9)}, {}))
    path = office.folder / "office" / "watch" / "state" / "now.bin"
    data = bytearray(path.read_bytes())
    data[-5] ^= 4
    path.write_bytes(bytes(data))
    with pytest.raises(IntegrityError, match="does not verify"):
        watch_files.load(office.parts)


def test_a_course_is_made_once(office: Office) -> None:
    with pytest.raises(InputError, match="there is no watch"):
        watch_files.course(office.parts)
    watch_files.create(office.parts).append("closed", {"day": 1, "after": 0}, office.clock())
    assert [one.kind for one in watch_files.create(office.parts).entries()] == ["closed"]


def test_keys_are_apart_and_stay(office: Office) -> None:
    keys = {watch_files.key(office.parts, label) for label in ("pseudonyms", "challenges", "pointers")}
    assert len(keys) == 3
    assert watch_files.key(office.parts, "pseudonyms") in keys
    before = watch_files.key(office.parts, "challenges")
    office.workspace.rotate("segment")
    assert watch_files.key(office.reopen()._parts, "challenges") == before


def test_one_leads(office: Office) -> None:
    watch_files.create(office.parts)
    with (
        watch_files.leading(office.parts),
        pytest.raises(UnreachableError, match="held by another process"),
        watch_files.leading(office.parts),
    ):
        pass
