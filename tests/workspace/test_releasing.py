"""Release: the copy is on record before its file appears, and the file is the register but for its marks."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from language.offices import COLUMNS, MARKED, PURPOSE, Office, read_table, stacked
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.limits import PURPOSE_CHARACTERS
from muniment.marks.write import normal_form
from muniment.table import Table
from muniment.workspace import releasing as module
from muniment.workspace.plans import allowed_plan


def normal(office: Office, table: Table) -> list[list[str | None]]:
    """Every cell of a table in the normal form of its column."""
    plan = allowed_plan(office.parts, office.parts.register("persons"), None)
    return [[cell and normal_form(plan.on(name), cell) for cell in table[name]] for name in table.columns]


# --- the file ------------------------------------------------------------------------------------------------------


def test_a_copy_is_the_register_in_normal_form_and_other_columns_are_untouched(office: Office) -> None:
    persons = office.persons
    for path in office.release("Tax", "Health"):
        copy = read_table(path)
        assert copy.columns == COLUMNS
        assert normal(office, copy) == normal(office, persons)
        for name in COLUMNS:
            assert (copy[name] == persons[name]) == (name not in MARKED)


def test_the_result_says_what_was_written(office: Office) -> None:
    (path,) = office.release("Tax")
    result = office.workspace.release("persons", to="Health", purpose=PURPOSE, out=office.out("h.parquet"))
    assert result.path.exists()
    assert result.rows == 150
    assert result.meaning_changed == 0
    assert result.copy == 2
    assert result.recipient == "Health"
    assert {column.column for column in result.distortion} == set(MARKED)
    changed = {column.column: column.changed for column in result.distortion}
    assert all(0 < changed[name] < 150 for name in MARKED)
    assert 0 < result.rows_to_trace < 30 < result.symbols_to_trace + 20
    (first, _) = office.workspace.copies()
    assert first.file_digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_every_form_can_be_traced(office: Office, suffix: str) -> None:
    office.release("A", "B")
    out = office.out(f"copy{suffix}")
    office.workspace.release("persons", to="Tax", purpose=PURPOSE, out=out)
    assert office.named(out) == ["Tax"]


def test_columns_and_rows_are_those_that_were_asked_for(office: Office) -> None:
    (path,) = office.release("Tax", columns=("phone", "name_zh"), where="sex = 'F'")
    copy = read_table(path)
    women = [row for row, sex in enumerate(office.persons["sex"]) if sex == "F"]
    assert copy.columns == ("phone", "name_zh")
    assert copy["name_zh"] == office.persons.take(women)["name_zh"]
    (on_record,) = office.workspace.copies()
    assert (on_record.columns, on_record.where, on_record.rows) == (("phone", "name_zh"), "sex = 'F'", len(women))
    assert len(office.parts.copies.records(on_record)) == len(women)


# --- the same bits -------------------------------------------------------------------------------------------------


def test_the_same_recipient_gets_the_same_copy_again(office: Office) -> None:
    first = office.release("Tax")[0].read_bytes()
    assert office.release("Tax", prefix="again ")[0].read_bytes() == first
    office.reopen()
    assert office.release("Tax", prefix="later ")[0].read_bytes() == first


def test_a_part_of_the_register_has_the_bits_of_the_whole(office: Office) -> None:
    whole = read_table(office.release("Tax")[0])
    part = read_table(office.release("Tax", prefix="part ", where="sex = 'F'", columns=COLUMNS[::-1])[0])
    assert part.select(COLUMNS) == whole.take([row for row, sex in enumerate(whole["sex"]) if sex == "F"])


def test_many_in_one_pass_are_single_releases_bit_for_bit(
    office: Office, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"Office {number}" for number in range(7)]
    monkeypatch.setattr(module, "OPEN_FILES", 3)
    together = [path.read_bytes() for path in office.release(*names)]
    assert len(set(together)) == 7
    assert [copy.number for copy in office.workspace.copies()] == [1, 2, 3, 4, 5, 6, 7]
    for name, bytes_ in zip(names, together, strict=True):
        assert office.release(name, prefix="alone ")[0].read_bytes() == bytes_


# --- the record ----------------------------------------------------------------------------------------------------


def test_a_copy_is_on_record_before_its_file_appears(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    on_record: list[int] = []
    real = module._appear

    def watched(path: Path, out: Path) -> None:
        other = Office(office.folder)
        on_record.append(len(other.workspace.copies()))
        assert not out.exists()
        real(path, out)

    monkeypatch.setattr(module, "_appear", watched)
    office.release("Tax", "Health")
    assert on_record == [2, 2]


def test_laws_are_logged_before_the_first_copy(office: Office) -> None:
    office.release("Tax")
    kinds = [entry.kind for entry in office.parts.journal.entries()]
    assert kinds.index("family") < kinds.index("copy")
    laws = {entry.body["law"] for entry in office.parts.journal.entries("family")}  # type: ignore[index]
    assert laws == {"half"}, "a register that withstands one leaker"


def test_recipients_are_numbered_in_order_and_keep_their_numbers(office: Office) -> None:
    office.release("Tax", "Health")
    office.release("Police", "Tax", prefix="2 ")
    numbers = {recipient.name: recipient.number for recipient in office.parts.copies.known_recipients()}
    assert numbers == {"Tax": 1, "Health": 2, "Police": 3}


def test_nothing_is_left_beside_a_copy(office: Office) -> None:
    (path,) = office.release("Tax")
    assert [file.name for file in path.parent.iterdir()] == ["Tax.csv"]


# --- refusals: nothing is on record and nothing appears ------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "wrong"),
    [
        ({"to": {}}, InputError, "no recipient"),
        ({"to": {"": "a.csv"}}, InputError, "the name of a recipient is empty"),
        ({"to": {"x" * 10_000: "a.csv"}}, InputError, "10,000 characters"),
        ({"to": {"Tax": "a.pdf"}}, InputError, "unknown form '.pdf'"),
        ({"to": {"Tax": "no/where/a.csv"}}, InputError, "there is no folder"),
        ({"to": {"Tax": "a.csv", "Health": "a.csv"}}, InputError, "named twice"),
        ({"purpose": "  "}, InputError, "no purpose"),
        ({"purpose": "x" * (PURPOSE_CHARACTERS + 1)}, LimitError, "the purpose has"),
        ({"columns": ("name_zh", "salary")}, InputError, "no column 'salary'"),
        ({"columns": ("name_zh", "name_zh")}, InputError, "a column is named twice"),
        ({"where": "sex = 'X'"}, InputError, "no record fits"),
        ({"where": "no such column = 1"}, InputError, "the condition"),
        ({"register": "staff"}, InputError, "staff"),
    ],
)
def test_what_is_refused(office: Office, options: dict, error: type[Exception], wrong: str) -> None:
    asked = {"register": "persons", "to": {"Tax": "a.csv"}, "purpose": PURPOSE, **options}
    asked["to"] = {name: office.out(".").resolve() / out for name, out in asked["to"].items()}
    with pytest.raises(error, match=wrong):
        office.workspace.release_many(asked.pop("register"), **asked)
    assert not office.workspace.copies()
    assert not [*office.out(".").iterdir()]


def test_a_name_with_a_path_in_it_is_a_name(office: Office) -> None:
    office.workspace.release("persons", to="../../etc/passwd", purpose=PURPOSE, out=office.out("a.csv"))
    assert office.workspace.copies()[0].recipient.name == "../../etc/passwd"
    assert sorted(file.name for file in office.folder.iterdir()) == ["office", "out", "persons.csv"]


def test_a_file_that_is_there_stays(office: Office) -> None:
    office.out("Tax.csv").write_text("mine")
    with pytest.raises(InputError, match="there is a file already"):
        office.release("Tax")
    assert office.out("Tax.csv").read_text() == "mine"
    assert not office.workspace.copies()


def test_a_file_that_appears_meanwhile_stays_too(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._digest

    def late(path: Path) -> str:
        office.out("Tax.csv").write_text("mine")
        return real(path)

    monkeypatch.setattr(module, "_digest", late)
    with pytest.raises(InputError, match="appeared there meanwhile"):
        office.release("Tax")
    assert office.out("Tax.csv").read_text() == "mine"
    assert [*office.out(".").iterdir()] == [office.out("Tax.csv")]


def test_a_register_with_a_key_twice_is_refused(office: Office) -> None:
    office.change(lambda table: stacked([table, table.take([7])]))
    with pytest.raises(InputError, match=r"1 rows share their key \(person_id\)") as raised:
        office.release("Tax")
    assert raised.value.hint == "muniment register check persons names the rows"
    assert not office.workspace.copies()
    assert not [*office.out(".").iterdir()]


def test_a_register_with_a_missing_key_names_the_row(office: Office) -> None:
    office.change(lambda table: table.with_cells({"person_id": [*table["person_id"][:-1], None]}))
    with pytest.raises(InputError, match=r"row 150: the record key"):
        office.release("Tax")


def test_without_an_allowed_carrier_no_copy_is_made(office: Office) -> None:
    office.allow_no_cells()
    with pytest.raises(InputError, match="no carrier is allowed") as raised:
        office.release("Tax")
    assert raised.value.hint == "muniment register suggest persons"


def test_a_changed_tolerance_is_refused_until_the_key_is_rotated(office: Office) -> None:
    office.allow("points", "dither", tolerance="4")
    office.release("Tax")
    settings = office.folder / "office" / "muniment.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('tolerance = "4"\n', 'tolerance = "8"\n'))
    office.reopen()
    with pytest.raises(InputError, match="could no longer be traced") as raised:
        office.release("Health")
    assert raised.value.hint.startswith("muniment keys rotate mark")
    assert not office.out("Health.csv").exists()
    office.workspace.rotate("mark")
    office.release("Health")
    assert office.named(office.out("Health.csv")) == ["Health"]
    assert office.named(office.out("Tax.csv")) == ["Tax"]


def test_a_carrier_that_would_change_a_meaning_stops_everything(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise IntegrityError("column 'phone': carrier liar would change what a cell means")

    monkeypatch.setattr("muniment.marks.write.CellMarker.prepare", fault)
    with pytest.raises(IntegrityError):
        office.release("Tax", "Health")
    assert not office.workspace.copies()
    assert not [*office.out(".").iterdir()]
