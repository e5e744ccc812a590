"""The context of a watch in a workspace: imported, sealed, versioned, and found again in the ordinals of the ledger."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from language.disclosed import give, key_of, ordinals_of
from language.offices import Office, people, write_table
from muniment.errors import InputError, IntegrityError, UnreachableError
from muniment.table import Table
from muniment.watch.context.assemble import Ruled
from muniment.watch.context.faults import Wrong
from muniment.watch.reads import Spaces
from muniment.workspace import watch_context as subject
from muniment.workspace.watch_context import context_folder, forget, held, import_table, load, take_up_decoys

CASE, ACCOUNT, OFFICE, HOME = "case-2026-0815-lilac", "magnolia.lin", "Östliches Wohnungsamt", "Quince Street 451"
RULED = Ruled("Asia/Taipei")


def source(office: Office, name: str, columns: list[str], *rows: list[str]) -> str:
    """A CSV beside the workspace."""
    return str(write_table(office.folder / f"{name}.csv", Table.from_rows(columns, rows)))


def covers(office: Office, *rows: int, case: str = CASE) -> str:
    return source(office, "covers", ["case", "person_id"], *([case, key_of(office, row)] for row in rows))


def cases(office: Office, *names: str) -> str:
    return source(office, "cases", ["case", "opened"], *([name, "2026-01-01"] for name in names or (CASE,)))


def files(office: Office) -> list[str]:
    return sorted(path.name for path in context_folder(office.parts).iterdir() if path.suffix == ".bin")


# --- importing and loading -------------------------------------------------------------------------------------------


def test_without_an_import_everything_is_missing(office: Office) -> None:
    loaded = load(office.parts, Spaces(), RULED)
    assert loaded.version == 0
    assert len(loaded.context.missing) == 7
    assert loaded.context.calendar.zone == "Asia/Taipei"
    assert not context_folder(office.parts).exists()


def test_covered_persons_have_the_ordinals_of_the_ledger(office: Office) -> None:
    give(office, [key_of(office, 3)])
    made = import_table(office.parts, "covers", covers(office, 3, 5))
    import_table(office.parts, "cases", cases(office))
    assert (made.table, made.register, made.version, made.rows, made.kept, made.faults) == (
        "covers",
        "persons",
        1,
        2,
        2,
        (),
    )
    loaded = load(office.parts, Spaces(), RULED)
    assert loaded.version == 2
    assert loaded.context.cases is not None
    assert loaded.context.cases.record.tolist()[0] == ordinals_of(office, [key_of(office, 3)])[0]
    assert sorted(loaded.context.cases.record.tolist()) == ordinals_of(office, [key_of(office, 3), key_of(office, 5)])


def test_a_person_of_an_import_is_the_same_after_a_rotation(office: Office) -> None:
    import_table(office.parts, "covers", covers(office, 3))
    office.workspace.rotate("pseudonym")
    import_table(office.parts, "households", source(office, "h", ["person_id", "household"], [key_of(office, 3), HOME]))
    import_table(office.parts, "cases", cases(office))
    context = load(office.parts, Spaces(), RULED).context
    assert context.cases is not None
    assert context.households is not None
    assert (
        context.cases.record.tolist() == context.households.record.tolist() == ordinals_of(office, [key_of(office, 3)])
    )


def test_names_get_the_codes_of_the_reads(office: Office) -> None:
    import_table(office.parts, "staff", source(office, "staff", ["account", "office"], [ACCOUNT, OFFICE], ["wu", ""]))
    spaces = Spaces()
    spaces.account.codes(["another", "wu"])
    staff = load(office.parts, spaces, RULED).context.staff
    assert staff is not None
    assert [spaces.account.text(code) for code in staff.account.tolist()] == [ACCOUNT, "wu"]
    assert staff.office.tolist() == [0, -1]


def test_faults_name_the_place_and_no_cell(office: Office) -> None:
    path = source(office, "cases", ["case", "opened", "closed"], [CASE, "2026-01-02", "2026-01-01"], ["x", "y", ""])
    made = import_table(office.parts, "cases", path)
    assert [(one.kind, one.count, one.row) for one in made.faults] == [(Wrong.BAD_DATE, 1, 2), (Wrong.ENDS_FIRST, 1, 1)]
    assert (made.rows, made.kept) == (2, 0)
    assert CASE not in repr(made) + str(made.to_json())


def test_orders_become_ranks(office: Office) -> None:
    rows = [[key_of(office, row), name] for row, name in enumerate(("Wu", "An", "Lin"))]
    import_table(office.parts, "orders", source(office, "orders", ["person_id", "surname"], *rows))
    orders = load(office.parts, Spaces(), RULED).context.orders
    assert orders is not None
    assert orders.names == ("surname",)
    assert sorted(orders.rank[:, 0].tolist()) == [0, 1, 2]


def test_a_relative_path_is_taken_from_the_workspace(office: Office) -> None:
    import_table(
        office.parts, "staff", os.path.relpath(source(office, "staff", ["account"], ["wu"]), office.parts.folder)
    )
    assert len(held(office.parts)) == 1


def test_a_parquet_file_and_a_database_are_as_good(office: Office) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = office.folder / "cases.parquet"
    duckdb.sql(f"copy (select 'c1' as case, timestamp '2026-01-01 08:00:00' as opened) to '{path}' (format parquet)")
    made = import_table(office.parts, "cases", str(path), zone="Asia/Taipei")
    assert (made.kept, made.faults) == (1, ())


def test_several_registers_ask_for_one(office: Office) -> None:
    write_table(office.folder / "staff.csv", people(5, seed=2))
    office.workspace.register("staff", office.folder / "staff.csv", key="person_id")
    path = covers(office, 1)
    with pytest.raises(InputError, match="there are 2: persons, staff"):
        import_table(office.parts, "covers", path)
    import_table(office.parts, "cases", cases(office))
    import_table(office.parts, "covers", path, "staff")
    import_table(office.parts, "covers", path, "persons")
    context = load(office.parts, Spaces(), RULED).context
    assert context.cases is not None
    assert len(set(context.cases.record.tolist())) == 2


@pytest.mark.parametrize(("table", "path", "message"), [
    ("people", "x.csv", "the tables are"), ("staff", "x.csv", "no such file"),
    ("shifts", "covers.csv", "no column office"),
])  # fmt: skip
def test_what_cannot_be_imported_leaves_no_version(office: Office, table: str, path: str, message: str) -> None:
    covers(office, 1)
    with pytest.raises(InputError, match=message):
        import_table(office.parts, table, str(office.folder / path))
    assert held(office.parts) == []


def test_decoys_are_known_before_anybody_reads_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert take_up_decoys(office.parts) == []
    planned = Table.from_rows(["person_id"], [[key_of(office, 9)], [key_of(office, 8)]])
    monkeypatch.setattr(subject, "all_decoys", lambda parts, register: planned)
    assert [(one.table, one.kept) for one in take_up_decoys(office.parts)] == [("decoys", 2)]
    decoys = load(office.parts, Spaces(), RULED).context.decoys
    assert decoys.tolist() == ordinals_of(office, [key_of(office, 8), key_of(office, 9)])


# --- versions --------------------------------------------------------------------------------------------------------


def test_every_version_can_be_loaded_again(office: Office) -> None:
    for number in range(3):
        import_table(office.parts, "cases", cases(office, *(f"c{n}" for n in range(number + 1))))
    import_table(office.parts, "staff", source(office, "staff", ["account"], ["wu"]))
    sizes = [load(office.parts, Spaces(), RULED, version).context.cases for version in (1, 2, 3, 4)]
    assert [len(one.case) for one in sizes if one is not None] == [1, 2, 3, 3]
    assert load(office.parts, Spaces(), RULED, 3).context.staff is None
    assert load(office.parts, Spaces(), RULED, 0).context.cases is None
    for version in (-1, 5):
        with pytest.raises(InputError, match=f"no version {version}"):
            load(office.parts, Spaces(), RULED, version)


def test_forgetting_keeps_what_later_versions_need(office: Office) -> None:
    import_table(office.parts, "staff", source(office, "staff", ["account"], ["wu"]))
    for number in range(3):
        import_table(office.parts, "cases", cases(office, f"c{number}"))
    assert forget(office.parts, 3) == 1
    assert [one.version for one in held(office.parts)] == [1, 3, 4]
    assert forget(office.parts, 3) == 0
    for version, name in ((3, "c1"), (4, "c2")):
        spaces = Spaces()
        assert load(office.parts, spaces, RULED, version).context.staff is not None
        assert spaces.case.texts == (name,)
    with pytest.raises(InputError, match="it has 3 to 4"):
        load(office.parts, Spaces(), RULED, 2)


def test_forgetting_everything_keeps_the_newest(office: Office) -> None:
    assert forget(office.parts, 9) == 0
    import_table(office.parts, "cases", cases(office, "c0"))
    import_table(office.parts, "cases", cases(office, "c1"))
    assert forget(office.parts, 1_000) == 1
    assert load(office.parts, Spaces(), RULED).version == 2
    assert import_table(office.parts, "cases", cases(office, "c2")).version == 3


# --- sealed ----------------------------------------------------------------------------------------------------------


def test_nothing_of_it_lies_on_the_disk_in_clear(office: Office) -> None:
    import_table(office.parts, "staff", source(office, "s", ["account", "office"], [ACCOUNT, OFFICE]))
    import_table(office.parts, "cases", cases(office))
    import_table(office.parts, "covers", covers(office, *range(40)))
    homes = [[key_of(office, row), HOME] for row in range(40)]
    import_table(office.parts, "households", source(office, "h", ["person_id", "household"], *homes))
    words = [CASE, ACCOUNT, OFFICE, HOME, "Wohnungsamt", *(key_of(office, row) for row in range(40))]
    forms = {form for word in words for form in (word.encode(), word.encode("utf-16-le"), word.encode().hex().encode())}
    for path in context_folder(office.parts).parent.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [form for form in forms if form in content], path.name
        assert not path.is_file() or path.stat().st_mode & 0o077 == 0


def test_a_file_under_another_name_is_refused(office: Office) -> None:
    import_table(office.parts, "cases", cases(office, "c0"))
    import_table(office.parts, "cases", cases(office, "c1"))
    old, new = (context_folder(office.parts) / name for name in files(office))
    new.write_bytes(old.read_bytes())
    with pytest.raises(IntegrityError, match="does not verify"):
        load(office.parts, Spaces(), RULED)


@pytest.mark.parametrize("change", ["flip", "cut", "empty"])
def test_a_damaged_file_is_refused(office: Office, change: str) -> None:
    import_table(office.parts, "cases", cases(office))
    path = context_folder(office.parts) / files(office)[0]
    data = path.read_bytes()
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    path.write_bytes({"flip": flipped, "cut": data[:-9], "empty": b""}[change])
    with pytest.raises(IntegrityError):
        load(office.parts, Spaces(), RULED)


def test_what_else_lies_in_the_folder_is_left_alone(office: Office) -> None:
    import_table(office.parts, "cases", cases(office))
    for name in ("00000009-cases-0000.bin.partial", ".00000009-cases-0000.bin.x.partial", "notes.txt"):
        (context_folder(office.parts) / name).write_bytes(b"x")
    assert [one.version for one in held(office.parts)] == [1]
    assert load(office.parts, Spaces(), RULED).version == 1


def test_a_crash_while_writing_leaves_the_version_before(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    import_table(office.parts, "cases", cases(office, "c0"))
    before = files(office)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UnreachableError, match="no space left"):
        import_table(office.parts, "cases", cases(office, "c1"))
    monkeypatch.undo()
    assert files(office) == before
    assert load(office.parts, Spaces(), RULED).version == 1


def test_a_repr_shows_no_data(office: Office) -> None:
    import_table(office.parts, "cases", cases(office))
    loaded = load(office.parts, Spaces(), RULED)
    assert CASE not in repr(loaded) + repr(held(office.parts)) + repr(replace(held(office.parts)[0], version=2))
    assert np.array_equal(loaded.context.decoys, [])
    assert isinstance(context_folder(office.parts), Path)
