"""The table with its base closed: few look-ups and changes read few frames, and answer as the loaded table does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.rings import segment_keys
from muniment.errors import IntegrityError
from muniment.ledger.ordinals import base
from muniment.ledger.ordinals.base import BaseFile
from muniment.ledger.ordinals.contents import Contents
from muniment.ledger.ordinals.files import AppendFile, KeyBoxes
from muniment.ledger.ordinals.frames import Change, Frame
from muniment.ledger.ordinals.layers import Layers
from muniment.ledger.ordinals.ranges import Reserved
from muniment.ledger.ordinals.table import OrdinalTable

KEYS = segment_keys()
PERSONS, ALIASES = range(1_000, 9_000, 100), range(1_001, 3_001, 100)
"""In frames of four entries: twenty of persons, five of further pseudonyms."""


def _some(*values: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(values, np.uint64)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(base, "ENTRIES", 4)
    with OrdinalTable.create(tmp_path / "ordinals", KEYS) as table:
        table.allocate(_some(*PERSONS))
        table.alias(_some(*PERSONS[:20]), _some(*ALIASES))
        table.compact()
    return tmp_path / "ordinals"


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one whenever a base is loaded."""
    loaded, real = list[str](), BaseFile.contents

    def contents(self: BaseFile) -> Contents:
        loaded.append(repr(self))
        return real(self)

    monkeypatch.setattr(BaseFile, "contents", contents)
    return loaded


def _answer(table: OrdinalTable, *values: int) -> list[int | None]:
    ordinals, found = table.lookup(_some(*values))
    return [ordinal if known else None for ordinal, known in zip(ordinals.tolist(), found.tolist(), strict=True)]


# --- what is not loaded ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writing", [False, True])
def test_opening_and_a_few_look_ups_leave_the_base_closed(folder: Path, loads: list[str], *, writing: bool) -> None:
    with OrdinalTable.open(folder, KEYS, writing=writing) as table:
        assert (len(table), table.reserved) == (80, 1_024)
        assert table.head().frames == 0
        assert not table.compaction_due
        first, absent, alias = _answer(table, 1_000, 1_050, 1_001)
        assert (absent, first) == (None, alias)
        assert table.lookup_all([_some(1_000), _some(1_001)])[1].tolist() == [[True], [True]]
        table.refresh()
    assert loads == []


def test_a_few_changes_leave_the_base_closed(folder: Path, loads: list[str]) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        before = _answer(table, 1_000, 5_000)
        given_ = table.allocate(_some(1_000, 7, 5_000, 7))
        assert given_[[0, 2]].tolist() == before
        assert given_[1] == given_[3] < table.reserved
        assert table.allocate(_some(8), older=[_some(7)]).tolist() == [given_[1]]
        assert table.allocate(_some(9), older=[_some(1_000)]).tolist() == before[:1]
        assert table.alias(_some(5_000, 6), _some(5_001, 16)) == 1
        with pytest.raises(IntegrityError, match="two ordinals"):
            table.alias(_some(1_000), _some(5_000))
        assert table.shred(_some(6)) == 0
        assert len(table) == 81
    with OrdinalTable.open(folder, KEYS) as reader:
        assert _answer(reader, 7, 8, 9, 5_001) == [given_[1], given_[1], before[0], before[1]]
        assert loads == []
        reader.verify()
        assert len(loads) == 1
        assert _answer(reader, 7, 8, 9, 5_001) == [given_[1], given_[1], before[0], before[1]]
        assert len(reader) == 81


@pytest.mark.parametrize(
    "step",
    [
        lambda table: table.lookup(_some(*PERSONS)),
        lambda table: [table.lookup(_some(1_000)) for _ in range(26)],
        lambda table: table.allocate(_some(*range(40))),
        lambda table: table.alias(_some(*PERSONS), _some(*range(1_002, 9_002, 100))),
        lambda table: table.entries(),
        lambda table: table.person_map(),
        lambda table: table.verify(),
        lambda table: table.compact(),
        lambda table: table.shred(_some(1_000)),
    ],
)
def test_what_needs_many_loads_the_base_once(
    folder: Path, loads: list[str], step: Callable[[OrdinalTable], object]
) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        expected = _answer(table, 8_900, 2_901)
        step(table)
        assert len(loads) == 1
        assert _answer(table, 8_900, 2_901) == expected
        assert table.reserved == 1_024


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abloc"), st.lists(st.sampled_from(range(0, 60, 3)), min_size=1, max_size=3)),
        max_size=7,
    ),
    asked=st.lists(st.integers(0, 60), max_size=4),
)
def test_a_table_that_is_never_loaded_answers_as_one_that_always_is(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, list[int]]], asked: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("cold") / "ordinals"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "ENTRIES", 1)
        table = OrdinalTable.create(folder, KEYS)
        table.allocate(_some(*range(0, 60, 6)))
        table.compact()
        for step, values in steps:
            if step == "a":
                assert table.allocate(_some(*values)).tolist() == _answer(table, *values)
            elif step == "b":
                table.allocate(_some(*(value + 1 for value in values)), older=[_some(*values)])
            elif step == "l":
                table.verify()
            elif step == "o":
                table.close()
                table = OrdinalTable.open(folder, KEYS, writing=True)
            else:
                table.compact()
        with OrdinalTable.open(folder, KEYS) as cold, OrdinalTable.open(folder, KEYS) as loaded:
            loaded.verify()
            assert _answer(cold, *asked) == _answer(loaded, *asked) == _answer(table, *asked)
            assert (len(cold), cold.reserved, cold.head()) == (len(loaded), loaded.reserved, loaded.head())
            assert [column.tolist() for column in cold.entries()] == [column.tolist() for column in loaded.entries()]
        table.close()


# --- the writer meanwhile ----------------------------------------------------------------------------------------


def test_a_reader_goes_on_when_the_base_it_reads_is_replaced(folder: Path, loads: list[str]) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as writer, OrdinalTable.open(folder, KEYS) as reader:
        expected = _answer(reader, 1_000, 1_001)
        writer.shred(_some(1_000))
        assert not (folder / "00000002.base").exists()
        assert _answer(reader, 1_000, 1_001) == expected
        del loads[:]
        reader.refresh()
        assert _answer(reader, 1_000, 1_001) == [None, None]
        assert len(reader) == 79
        assert loads == []


def test_what_is_allocated_while_another_thread_loads_the_base_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change waits for the base, or comes before it; the layers that loading gives hold it either way."""
    real, given_ = BaseFile.contents, list[int]()
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        thread = threading.Thread(target=lambda: given_.extend(table.allocate(_some(7)).tolist()))

        def contents(self: BaseFile) -> Contents:
            thread.start()
            thread.join(0.05)
            return real(self)

        monkeypatch.setattr(BaseFile, "contents", contents)
        assert len(table.entries()[0]) == 100
        thread.join()
        assert _answer(table, 7) == given_
        assert len(table) == 81


def test_a_closed_table_does_not_answer(folder: Path) -> None:
    table = OrdinalTable.open(folder, KEYS)
    table.close()
    with pytest.raises(ValueError, match="not open"):
        table.lookup(_some(1_000))
    with pytest.raises(ValueError, match="not open"):
        table.entries()
    assert "persons=80" in repr(table)


# --- damage ------------------------------------------------------------------------------------------------------


def test_a_damaged_frame_is_refused_by_what_needs_it_and_by_no_other(folder: Path) -> None:
    path = folder / "00000002.base"
    whole = bytearray(path.read_bytes())
    whole[-25 * 64] ^= 1  # the first frame of persons
    path.write_bytes(whole)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        assert None not in _answer(table, 8_900, 2_901)
        for step in (
            lambda: table.lookup(_some(1_000)),
            lambda: table.allocate(_some(1_001, 1_299)),
            lambda: table.alias(_some(1_000), _some(5)),
            lambda: table.shred(_some(1_100)),
            lambda: table.shred(_some(8_900)),
            table.entries,
            table.verify,
            table.compact,
        ):
            with pytest.raises(IntegrityError, match="frame 0 of"):
                step()
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
        assert table.allocate(_some(8_900)).tolist() == _answer(table, 8_900)


@pytest.mark.parametrize(
    ("change", "entry", "match"),
    [
        (Change.ALLOCATE, (1_000, 999), "one person two ordinals"),
        (Change.ALLOCATE, (1_001, 999), "one person two ordinals"),
        (Change.ALLOCATE, (5, -1), "one ordinal to two persons"),
        (Change.ALIAS, (1_000, -1), "one person two ordinals"),
        (Change.ALIAS, (5, 1_023), "of nobody"),
    ],
)
def test_an_appended_change_that_contradicts_the_base_is_found_where_all_is_read(
    folder: Path, change: Change, entry: tuple[int, int], match: str
) -> None:
    with OrdinalTable.open(folder, KEYS) as table:
        used, free = table.entries()[1], set(range(1_024))
        free -= set(used.tolist())
        ordinal = {-1: int(used[0]), 999: min(free), 1_023: max(free)}[entry[1]]
    append = AppendFile(folder, 2, KeyBoxes(KEYS).read(folder, 2), writing=True)
    append.append([Frame(change, _some(entry[0]), np.array([ordinal], np.uint32), Reserved(1_024, 0, 80))])
    append.close()
    with OrdinalTable.open(folder, KEYS) as table:
        assert None not in _answer(table, 8_900)
        with pytest.raises(IntegrityError, match=match):
            table.verify()
        with pytest.raises(IntegrityError, match=match):
            table.entries()


def test_layers_say_how_many_they_hold(folder: Path) -> None:
    opened = BaseFile(folder, 2, KeyBoxes(KEYS).read(folder, 2))
    layers = Layers.above(opened, [])
    assert repr(layers).startswith("Layers(persons=80, base=BaseFile(")
    assert repr(layers.loaded()) == "Layers(persons=80, base=None)"
    assert layers.loaded().loaded().base is None
