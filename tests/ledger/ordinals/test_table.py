"""The ordinal table: one ordinal a person, durable when it says so, and whole at any cut."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from language.faults import Faults, names_in
from language.rings import segment_keys
from muniment.errors import InputError, IntegrityError, UnreachableError
from muniment.ledger.ordinals import files
from muniment.ledger.ordinals.base import BaseFile
from muniment.ledger.ordinals.frames import FRAMES_START
from muniment.ledger.ordinals.ranges import RANGE
from muniment.ledger.ordinals.table import OrdinalTable, TableHead

KEYS = segment_keys()
U64 = np.dtype(np.uint64)


def _some(*values: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(values, np.uint64)


def _known(table: OrdinalTable) -> dict[int, int]:
    pseudonyms, ordinals = table.entries()
    return dict(zip(pseudonyms.tolist(), ordinals.tolist(), strict=True))


def _read(folder: Path) -> dict[int, int]:
    table = OrdinalTable.open(folder, KEYS)
    known = _known(table)
    table.close()
    return known


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    OrdinalTable.create(tmp_path / "ordinals", KEYS).close()
    return tmp_path / "ordinals"


# --- what it does ------------------------------------------------------------------------------------------------


def test_a_person_keeps_the_ordinal(folder: Path) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        first = table.allocate(_some(9, 5, 9, 2**64 - 1))
        assert first[0] == first[2]
        assert len(set(first.tolist())) == 3
        assert table.allocate(_some(5, 7, 9)).tolist()[::2] == [first[1], first[0]]
        ordinals, found = table.lookup(_some(5, 6))
        assert (ordinals.tolist(), found.tolist()) == ([first[1], 0], [True, False])
        assert len(table) == 4
        assert table.reserved == RANGE
        known = _known(table)
        assert table.allocate(_some()).tolist() == []
    assert _read(folder) == known
    assert "persons=4" in repr(OrdinalTable.open(folder, KEYS))


def test_a_register_reserves_its_size(folder: Path) -> None:
    values = np.random.default_rng(1).integers(0, 2**64, 150_000, dtype=np.uint64)
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        ordinals = table.allocate(values)
        assert sorted(ordinals.tolist()) == list(range(150_000))
        assert table.reserved == 150_000
        assert table.head().frames == 3
        assert table.compaction_due
        table.compact()
        assert not table.compaction_due
        assert (table.lookup(values)[0] == ordinals).all()
    with OrdinalTable.open(folder, KEYS) as table:
        assert (table.lookup(values)[0] == ordinals).all()
        assert abs(float(np.corrcoef(np.argsort(values), ordinals)[0, 1])) < 0.02


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from("aacso"), st.lists(st.integers(0, 30), max_size=6)), max_size=8))
def test_agrees_with_a_dictionary(tmp_path: Path, steps: list[tuple[str, list[int]]]) -> None:
    """Allocate, compact, shred and open again, in any order: nobody's ordinal changes, none is given twice."""
    folder = tmp_path / "ordinals"
    shutil.rmtree(folder, ignore_errors=True)
    table, known, given_ = OrdinalTable.create(folder, KEYS), dict[int, int](), set[int]()
    for step, values in steps:
        if step == "a":
            ordinals = dict(zip(values, table.allocate(_some(*values)).tolist(), strict=True))
            fresh = set(ordinals) - set(known)
            assert not {ordinals[value] for value in fresh} & given_
            known |= {value: ordinals[value] for value in fresh}
            given_ |= set(ordinals.values())
            assert ordinals == {value: known[value] for value in values}
        elif step == "c":
            table.compact()
        elif step == "s":
            assert table.shred(_some(*values)) == len(set(values) & set(known))
            known = {value: ordinal for value, ordinal in known.items() if value not in values}
        else:
            table.close()
            table = OrdinalTable.open(folder, KEYS, writing=True)
        assert _known(table) == known
    table.close()
    assert _read(folder) == known


def test_create_and_open_tell_what_is_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="already"):
        OrdinalTable.create(folder, KEYS)
    for writing in (True, False):
        with pytest.raises(InputError, match="no ordinal table"):
            OrdinalTable.open(tmp_path / "none", KEYS, writing=writing)
    assert not (tmp_path / "none").exists()
    with pytest.raises(InputError, match="open for reading"):
        OrdinalTable.open(folder, KEYS).allocate(_some(1))
    table = OrdinalTable.open(folder, KEYS, writing=True)
    table.close()
    table.close()
    with pytest.raises(InputError, match="closed"):
        table.shred(_some(1))
    assert names_in(folder) == {"00000001.key", "00000001.base", "00000001.append", "lock"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_readers_follow_the_writer(folder: Path) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as writer:
        reader = OrdinalTable.open(folder, KEYS)
        for change in (lambda: writer.allocate(_some(1)), writer.compact, lambda: writer.shred(_some(1))):
            change()
            reader.refresh()
            assert _known(reader) == _known(writer)
            assert reader.head() == writer.head()
            writer.allocate(_some(1, 2, 3))
        reader.refresh()
        writer.refresh()
        assert _known(reader) == _known(writer) != {}


def test_a_reader_whose_files_are_replaced_meanwhile_reads_the_new_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = OrdinalTable.open(folder, KEYS, writing=True)
    writer.allocate(_some(1, 2))
    real, left = BaseFile, [2]

    def slow(*arguments: object) -> object:
        if left[0]:
            left[0] -= 1
            monkeypatch.setattr("muniment.ledger.ordinals.table.BaseFile", real)
            writer.compact()
            monkeypatch.setattr("muniment.ledger.ordinals.table.BaseFile", slow)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("muniment.ledger.ordinals.table.BaseFile", slow)
    assert _known(OrdinalTable.open(folder, KEYS)) == _known(writer)
    writer.close()


def test_a_compaction_while_a_reader_refreshes_is_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as writer:
        writer.allocate(_some(1))
        reader = OrdinalTable.open(folder, KEYS)
        writer.allocate(_some(2))
        real = files.AppendFile.read

        def late(self: files.AppendFile, **keywords: object) -> object:
            if self.path.name.startswith("00000001"):
                writer.compact()
            return real(self, **keywords)  # type: ignore[arg-type]

        monkeypatch.setattr(files.AppendFile, "read", late)
        reader.refresh()
        assert _known(reader) == _known(writer)
        assert len(reader) == 2


def test_a_second_writer_waits_and_is_told_who_holds_it(folder: Path) -> None:
    with (
        OrdinalTable.open(folder, KEYS, writing=True),
        pytest.raises(UnreachableError, match=f"pid {os.getpid()}"),
    ):
        OrdinalTable.open(folder, KEYS, writing=True, wait=0.05)
    OrdinalTable.open(folder, KEYS, writing=True, wait=0.05).close()


# --- epochs ------------------------------------------------------------------------------------------------------


def test_a_later_epoch_leads_to_the_same_ordinal(folder: Path) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        first = table.allocate(_some(1, 2, 3))
        second = table.allocate(_some(11, 12, 14, 14), older=[_some(1, 2, 4, 4)])
        assert second[:2].tolist() == first[:2].tolist()
        assert second[2] == second[3]
        assert len(table) == 4
        ordinals, found = table.lookup_all([_some(1, 4), _some(11, 14)])
        assert found.tolist() == [[True, False], [True, True]]
        assert ordinals[1].tolist() == [first[0], second[2]]
        assert table.allocate(_some(21), older=[_some(11), _some(2)]).tolist() == [first[0]]
        known = _known(table)
    assert _read(folder) == known
    assert len(known) == 7


def test_alias_adds_pseudonyms_to_persons(folder: Path) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        first, second = table.allocate(_some(1, 2)).tolist()
        assert table.alias(_some(1, 9, 1), _some(11, 19, 11)) == 1
        assert table.alias(_some(1), _some(11)) == 0
        assert _known(table) == {1: first, 2: second, 11: first}
        with pytest.raises(IntegrityError, match="two ordinals"):
            table.alias(_some(1), _some(2))
        with pytest.raises(ValueError, match="of each record"):
            table.alias(_some(1), _some())
        with pytest.raises(ValueError, match="every epoch"):
            table.lookup_all([_some(1), _some()])
        assert table.lookup_all([])[0].shape == (0, 0)
        assert table.shred(_some(11)) == 1
        assert _known(table) == {2: second}


# --- shredding ---------------------------------------------------------------------------------------------------


def test_shredding_destroys_the_key_that_opened_the_old_files(folder: Path, tmp_path: Path) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        ordinals = table.allocate(_some(1, 2, 3))
        before = table.person_map()
        backup = tmp_path / "backup"
        shutil.copytree(folder, backup)
        held = os.open(folder / "00000001.key", os.O_RDONLY)
        assert table.shred(_some(2, 77)) == 1
        assert os.pread(held, 1_000, 0) != (backup / "00000001.key").read_bytes()
        os.close(held)
        assert names_in(folder) == {"00000002.key", "00000002.base", "00000002.append", "lock"}
        assert table.lookup(_some(1, 2, 3))[1].tolist() == [True, False, True]
        assert table.person_map().root != before.root
        again = table.allocate(_some(2))
        assert again[0] not in ordinals
        assert table.shred(_some(77)) == 0
    # A backup of base and append file without the old key file opens under no key that is left.
    for kind in ("base", "append"):
        shutil.copy(backup / f"00000001.{kind}", folder / f"00000002.{kind}")
    with pytest.raises(IntegrityError):
        OrdinalTable.open(folder, KEYS)


def test_compaction_keeps_the_root_and_boxes_the_key_anew(folder: Path) -> None:
    with OrdinalTable.open(folder, segment_keys(2), writing=True) as table:
        table.allocate(_some(1, 2, 3))
        root = table.person_map().root
        proof = table.person_map().prove(2)
        assert proof.verify(root, 3) == table.lookup(_some(2))[0][0]
        table.compact()
        assert table.person_map().root == root
    OrdinalTable.open(folder, segment_keys(2)[1:]).close()
    with pytest.raises(IntegrityError, match="does not hold"):
        OrdinalTable.open(folder, KEYS)


# --- damage ------------------------------------------------------------------------------------------------------


def _filled(folder: Path) -> dict[int, int]:
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        table.allocate(_some(1, 2, 3))
        table.compact()
        table.allocate(_some(4))
        table.allocate(_some(5, 6))
        table.alias(_some(6), _some(16))
        return _known(table)


def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(folder: Path) -> None:
    known = _filled(folder)
    for path in sorted(folder.glob("0*")):
        whole = path.read_bytes()
        for place in range(0, len(whole), 5):
            altered = bytearray(whole)
            altered[place] ^= 1
            path.write_bytes(altered)
            # Zeros between the slots, and a slot beside the newest, are used by nobody.
            with contextlib.suppress(IntegrityError):
                assert _read(folder) == known
                assert path.suffix == ".append"
                assert 48 <= place < FRAMES_START
        path.write_bytes(whole)
    assert _read(folder) == known


@pytest.mark.parametrize("writing", [False, True])
def test_a_file_cut_short_anywhere_is_refused(folder: Path, *, writing: bool) -> None:
    _filled(folder)
    for path in sorted(folder.glob("0*")):
        whole = path.read_bytes()
        for cut in range(len(whole)):
            path.write_bytes(whole[:cut])
            with pytest.raises(IntegrityError):
                OrdinalTable.open(folder, KEYS, writing=writing)
            assert path.read_bytes() == whole[:cut]
        path.write_bytes(whole)


def test_a_torn_append_is_cut_off_at_every_byte(folder: Path) -> None:
    """Head as before the last frame: the crash came before it was acknowledged. Whole frames are kept (rule 3)."""
    table = OrdinalTable.open(folder, KEYS, writing=True)
    table.allocate(_some(1))
    path = folder / "00000001.append"
    before, known = path.read_bytes(), _known(table)
    table.allocate(_some(2))
    whole, more = path.read_bytes(), _known(table)
    table.close()
    for cut in range(len(before), len(whole) + 1):
        path.write_bytes(before[:FRAMES_START] + whole[FRAMES_START:cut])
        assert _read(folder) == known
        with OrdinalTable.open(folder, KEYS, writing=True) as again:
            assert _known(again) == (more if cut == len(whole) else known)
            assert again.allocate(_some(3))[0] not in known.values()
            assert _read(folder) == _known(again)


def test_older_or_exchanged_files_are_refused(folder: Path, tmp_path: Path) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        table.allocate(_some(1))
        shutil.copytree(folder, tmp_path / "older")
        old = table.head()
        table.allocate(_some(2))
        head = table.head()
    assert TableHead.from_text(str(head)) == head
    OrdinalTable.open(folder, KEYS, at_least=old).close()
    OrdinalTable.open(folder, KEYS, at_least=head).close()
    with pytest.raises(IntegrityError, match="2 changes of the ordinal table were acknowledged"):
        OrdinalTable.open(tmp_path / "older", KEYS, at_least=head)
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        table.compact()
        OrdinalTable.open(folder, KEYS, at_least=head).close()
        later = table.head()
    with pytest.raises(IntegrityError, match="generation 1 of the ordinal table is older"):
        OrdinalTable.open(tmp_path / "older", KEYS, at_least=later)
    OrdinalTable.create(tmp_path / "other", KEYS).close()
    for kind in ("key", "base", "append"):
        other = tmp_path / f"mixed-{kind}"
        shutil.copytree(tmp_path / "older", other)
        shutil.copy(tmp_path / "other" / f"00000001.{kind}", other)
        with pytest.raises(IntegrityError):
            OrdinalTable.open(other, KEYS)
        (other / f"00000001.{kind}").unlink()
        with pytest.raises((IntegrityError, InputError)):
            OrdinalTable.open(other, KEYS)
    for text in ("1:2", "1:2:zz", "1:2:00", "x:2:" + "00" * 32):
        with pytest.raises(ValueError, match=r"."):
            TableHead.from_text(text)


def test_another_ring_does_not_open_it(folder: Path) -> None:
    with pytest.raises(IntegrityError, match="does not hold"):
        OrdinalTable.open(folder, segment_keys(2)[1:])


def test_read_only_folder_can_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = _filled(folder)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    for name in ("write", "pwrite", "replace", "ftruncate", "mkdir", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    reader = OrdinalTable.open(folder, KEYS)
    reader.refresh()
    assert _known(reader) == known
    with OrdinalTable.open(folder, KEYS, writing=True) as writer:
        for change in (lambda: writer.allocate(_some(99)), writer.compact, lambda: writer.shred(_some(1))):
            with pytest.raises(UnreachableError, match="read-only file system"):
                change()
    assert _read(folder) == known


def test_nothing_in_the_files_shows_a_pseudonym(folder: Path) -> None:
    value = int.from_bytes(b"findthis", "little")
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        table.allocate(_some(value))
        table.compact()
        table.allocate(_some(value + 1))
    for path in folder.iterdir():
        assert b"findthis" not in path.read_bytes()
        assert b"indthis" not in path.read_bytes()


# --- the fault matrix --------------------------------------------------------------------------------------------

CHANGES = {
    "allocate": lambda table, n: table.allocate(_some(1_000 + n, 1)),
    "alias": lambda table, n: table.alias(_some(1), _some(2_000 + n)),
    "compact": lambda table, n: table.compact(),
    "shred": lambda table, n: table.shred(_some(100 + n)),
}


@pytest.mark.parametrize("mode", ["undone", "done"])
@pytest.mark.parametrize("change", CHANGES)
def test_every_write_step_may_fail_and_no_ordinal_is_lost_or_given_twice(folder: Path, change: str, mode: str) -> None:
    table = OrdinalTable.open(folder, KEYS, writing=True)
    table.allocate(_some(1, 2, *range(100, 140)))
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, mode)
        CHANGES[change](table, 39)
    assert len(steps.calls) >= 4
    for step, call in enumerate(steps.calls):
        before, reserved = _known(table), table.reserved
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, step, mode)
            with contextlib.suppress(UnreachableError):
                CHANGES[change](table, step)
        # 1. a fresh reader sees what was acknowledged, apart from what the change itself may have done
        seen, touched = _read(folder), {1_000 + step, 2_000 + step, 100 + step}
        for known in (seen, _known(table)):
            assert {p: o for p, o in known.items() if p not in touched} == {
                p: o for p, o in before.items() if p not in touched
            }, call
        # 2. the same object goes on, and 3. so does a new one; nobody has an ordinal that was given before
        fresh = table.allocate(_some(3_000 + step)).tolist()
        assert not set(fresh) & set(before.values())
        now = _known(table)
        assert _read(folder) == now
        if step % 2:
            table.close()
            table = OrdinalTable.open(folder, KEYS, writing=True)
            assert _known(table) == now
        assert table.reserved >= reserved
        assert len(list(folder.glob("*.key"))) == 1
    table.close()


@pytest.mark.parametrize("kind", ["base", "append", "key"])
def test_a_crash_while_shredding_leaves_one_table_and_the_next_writer_finishes(
    folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OrdinalTable.open(folder, KEYS, writing=True) as table:
        table.allocate(_some(1, 2))
        known = _known(table)
        monkeypatch.setattr("muniment.ledger.ordinals.table.destroy_older", lambda *_: None)
        table.shred(_some(1))
    monkeypatch.undo()
    # The files as they are when the machine stops behind the writing of `kind`.
    for later in {"base": ("append", "key"), "append": ("key",), "key": ()}[kind]:
        (folder / f"00000002.{later}").unlink()
    expected = {2: known[2]} if kind == "key" else known
    assert _read(folder) == expected
    OrdinalTable.open(folder, KEYS, writing=True).close()
    assert len(names_in(folder)) == 4
    assert _read(folder) == expected


WRITER = """
import sys, pathlib
import numpy as np
from language.rings import segment_keys
from muniment.ledger.ordinals.table import OrdinalTable
table = OrdinalTable.open(pathlib.Path(sys.argv[1]), segment_keys(), writing=True)
n = int(sys.argv[2])
while True:
    ordinals = table.allocate(np.array([n, n + 1], np.uint64))
    print(n, *ordinals.tolist(), flush=True)
    n += 2
    if n % 20 == 0:
        table.compact()
"""


def test_kill_9_loses_no_ordinal_that_was_returned(folder: Path) -> None:
    told = dict[int, int]()
    for start, delay in ((1_000, 0.0), (2_000, 0.02), (3_000, 0.06)):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(start)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        for line in (first + rest[: rest.rfind(b"\n") + 1]).splitlines():
            n, one, two = map(int, line.split())
            told |= {n: one, n + 1: two}
        known = _read(folder)
        assert told.items() <= known.items()
        assert len(set(known.values())) == len(known) <= len(told) + 6
        with OrdinalTable.open(folder, KEYS, writing=True) as table:
            assert table.allocate(_some(start + 999))[0] not in known.values()
            told[start + 999] = int(table.lookup(_some(start + 999))[0][0])
