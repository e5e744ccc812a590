"""Trace end to end: sources are named, innocents are not, and nothing about the unnamed is said."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from language.disclosed import ordinals_of
from language.offices import PURPOSE, Office, in_order, people, read_table, stacked, without, write_table
from muniment.durable import locked
from muniment.errors import InputError, UnreachableError
from muniment.evidence import log10_threshold
from muniment.ledger.service import open_writer
from muniment.table import Table
from muniment.workspace.bookkeeping import Selection

NAMES = tuple(f"Office {number}" for number in range(12))


@pytest.fixture
def copies(office: Office) -> list[Table]:
    """A copy for each of twelve recipients."""
    return [read_table(path) for path in office.release(*NAMES)]


def taken(table: Table, rows: int, seed: int = 1) -> Table:
    return table.take(np.random.default_rng(seed).choice(table.rows, rows, replace=False).tolist())


# --- sources -------------------------------------------------------------------------------------------------------


def test_part_of_a_copy_without_key_shuffled_and_renamed(office: Office, copies: list[Table]) -> None:
    part = without(taken(copies[4], 60), ["person_id", "phone", "points"])
    renamed = Table(tuple(f"c{i}" for i in range(len(part.columns))), part.cells)
    verdict = office.trace(office.leak(renamed))
    assert [named.recipient for named in verdict.named] == ["Office 4"]
    assert verdict.rows_read == 60
    assert verdict.rows_aligned >= 57
    assert verdict.candidates == 12
    assert verdict.named[0].copies == (5,)


def test_a_mixture_of_two_copies_names_one_or_both_and_nobody_else(office: Office, copies: list[Table]) -> None:
    whose = np.random.default_rng(1).choice([2, 9], 150).tolist()
    mixed = stacked([copies[number].take([row]) for row, number in enumerate(whose)])
    found = office.named(office.leak(mixed))
    assert found
    assert set(found) <= {"Office 2", "Office 9"}


def test_rows_from_elsewhere_do_not_disturb(office: Office, copies: list[Table]) -> None:
    strangers = people(60, seed=77)
    assert office.named(office.leak(stacked([taken(copies[7], 60), strangers]))) == ["Office 7"]


def test_the_evidence_of_a_named_recipient_adds_up(office: Office, copies: list[Table]) -> None:
    (named,) = office.trace(office.leak(copies[0])).named
    assert sum(share.log10_e for share in named.evidence) == pytest.approx(named.log10_e)
    assert named.evidence[-1].mixing
    assert all(share.symbols == share.agreeing for share in named.evidence)


def test_the_copies_that_hold_the_rows_are_given_with_the_name(office: Office) -> None:
    office.release("Tax", prefix="women ", where="sex = 'F'")
    (men,) = office.release("Tax", prefix="men ", where="sex = 'M'")
    (named,) = office.trace(men).named
    assert (named.recipient, named.copies) == ("Tax", (2,))


def test_duplicate_rows_and_columns_never_raise_the_evidence(office: Office, copies: list[Table]) -> None:
    part = taken(copies[3], 40)
    (once,) = office.trace(office.leak(part, "once.csv")).named
    again = stacked([part, part, taken(part, 17)])
    twice = Table((*again.columns, "copy of phone"), (*again.cells, again["phone"]))
    (more,) = office.trace(office.leak(twice, "twice.csv")).named
    assert more.recipient == once.recipient
    assert more.log10_e <= once.log10_e + 1e-9


# --- innocents -----------------------------------------------------------------------------------------------------


def test_an_unmarked_register_names_nobody_and_says_what_it_could_have_shown(
    office: Office, copies: list[Table]
) -> None:
    verdict = office.trace(office.leak(office.persons))
    assert verdict.verdict == "none"
    assert verdict.rows_aligned == 150
    assert verdict.symbols_read > 500
    assert verdict.power.probability > 0.99


def test_a_copy_of_another_office_names_nobody(
    office: Office, copies: list[Table], made: Path, tmp_path: Path
) -> None:
    """Another workspace over the same persons: other keys, and recipients with the same names."""
    from muniment.workspace.office import init

    other = init(tmp_path / "other", "another passphrase")
    other.register("persons", office.source, key="person_id", coalition=1, accept="equivalent")
    other.release("persons", to="Office 0", purpose=PURPOSE, out=tmp_path / "theirs.csv")
    assert office.named(tmp_path / "theirs.csv") == []
    assert [named.recipient for named in other.trace(tmp_path / "theirs.csv").named] == ["Office 0"]


def test_renumbered_persons_name_nobody(office: Office, copies: list[Table]) -> None:
    """The register under other keys, and each row under the key of another person."""
    persons = office.persons
    ids = persons["person_id"]
    assert office.named(office.leak(persons.with_cells({"person_id": ids[1:] + ids[:1]}), "turned.csv")) == []
    assert office.named(office.leak(persons.with_cells({"person_id": [f"Z{i}" for i in range(150)]}), "new.csv")) == []


def test_a_copy_with_other_keys_still_names_its_source(office: Office, copies: list[Table]) -> None:
    renumbered = copies[5].with_cells({"person_id": [f"Z{i}" for i in range(150)]})
    assert office.named(office.leak(renumbered)) == ["Office 5"]


def test_the_same_persons_from_another_source_name_nobody(office: Office, copies: list[Table]) -> None:
    persons = office.persons
    retyped = [cell and cell[:-1] + ("e" if cell[-1] != "e" else "a") for cell in persons["name_en"]]
    spelled = [cell and cell.replace("臺", "台").replace("樓", "F") for cell in persons["address_zh"]]
    found = without(persons.with_cells({"name_en": retyped, "address_zh": spelled}), ["person_id"])
    assert office.named(office.leak(found)) == []


def test_a_leak_of_one_category_names_nobody(office: Office, copies: list[Table]) -> None:
    """Every Chinese address rewritten to one spelling: all its symbols read 0."""
    plain = stacked([office.persons]).with_cells(
        {"address_zh": [cell and cell.replace("台", "臺") for cell in office.persons["address_zh"]]}
    )
    assert office.named(office.leak(plain.select(("person_id", "name_zh", "address_zh")))) == []


def test_a_file_of_strangers_names_nobody(office: Office, copies: list[Table]) -> None:
    verdict = office.trace(office.leak(people(80, seed=99)))
    assert verdict.verdict == "none"
    assert verdict.rows_aligned <= 4, "a few share name and sex with somebody here"


# --- candidates ----------------------------------------------------------------------------------------------------


def test_only_copies_on_record_before_the_finding_are_candidates(office: Office) -> None:
    office.release("Tax")
    found = office.clock()
    office.release("Health", "Police")
    (health,) = (office.out("Health.csv"),)
    later = office.trace(health, found=found)
    assert later.verdict == "none"
    assert later.candidates == 1
    now = office.trace(health)
    assert [named.recipient for named in now.named] == ["Health"]
    assert now.candidates == 3


def test_before_the_first_copy_there_is_nobody_to_name(office: Office) -> None:
    before = office.clock()
    (path,) = office.release("Tax")
    with pytest.raises(InputError, match="no copy of any register is on record before"):
        office.trace(path, found=before - timedelta(days=1))
    with pytest.raises(InputError, match="register 'persons': no copy is on record"):
        office.trace(path, found=before - timedelta(days=1), register="persons")


def test_after_a_rotation_old_and_new_copies_are_traced_and_n_counts_both(office: Office) -> None:
    (old,) = office.release("Tax")
    office.workspace.rotate("mark")
    (new,) = office.release("Tax", prefix="new ")
    office.release("Health")
    assert old.read_bytes() != new.read_bytes()
    for path, key in ((old, "mark-1"), (new, "mark-2")):
        verdict = office.trace(path)
        assert [(named.recipient, named.mark_key) for named in verdict.named] == [("Tax", key)]
        assert verdict.candidates == 3, "Tax under two keys, Health under one"
        assert set(verdict.key_commitments) == {"mark-1", "mark-2"}
    assert [copy.mark_key for copy in office.workspace.copies()] == ["mark-1", "mark-2", "mark-2"]


def test_two_registers_are_examined_at_once(office: Office) -> None:
    staff = write_table(office.folder / "staff.csv", people(120, seed=5))
    office.workspace.register("staff", staff, key="person_id", coalition=1, accept="equivalent")
    office.release("Tax", "Health")
    office.workspace.release("staff", to="Union", purpose=PURPOSE, out=office.out("union.csv"))
    both = stacked([read_table(office.out("Health.csv")), read_table(office.out("union.csv"))])
    verdict = office.trace(office.leak(both))
    assert {(named.recipient, named.register) for named in verdict.named} == {("Health", "persons"), ("Union", "staff")}
    assert verdict.candidates == 3
    assert verdict.register == "persons, staff"
    alone = office.trace(office.out("union.csv"), register="staff")
    assert alone.candidates == 1
    assert [named.recipient for named in alone.named] == ["Union"]


# --- how often one may look ----------------------------------------------------------------------------------------


def test_every_look_counts_and_raises_the_threshold(office: Office, copies: list[Table]) -> None:
    part = taken(copies[1], 80)
    first = office.trace(office.leak(part, "1.csv"))
    second = office.trace(office.leak(part.take(range(40)), "2.csv"))
    unrelated = office.trace(office.leak(people(50, seed=98), "3.csv"))
    assert [v.examination for v in (first, second, unrelated)] == [1, 2, 1]
    assert second.log10_threshold == log10_threshold(12, 1e-6, 2)


def test_alpha_is_the_owners_unless_another_is_asked_for(office: Office, copies: list[Table]) -> None:
    leak = office.leak(copies[0])
    assert office.trace(leak).alpha == 1e-6
    assert office.trace(leak, alpha=1e-3).log10_threshold == log10_threshold(12, 1e-3, 2)
    for alpha in (0.0, 1.0, -1.0):
        with pytest.raises(InputError, match="alpha"):
            office.trace(leak, alpha=alpha)


def test_a_row_removed_by_hand_makes_the_run_not_evidential(office: Office, copies: list[Table]) -> None:
    assert office.trace(office.leak(copies[0]), edited=True).evidential is False
    assert office.trace(office.leak(copies[0], "b.csv")).evidential is True


# --- looking is on record --------------------------------------------------------------------------------------------


def looked_at(office: Office) -> list[dict[str, object]]:
    """What this office looked at, as its keeper sees it."""
    return office.workspace.ledger.show(Selection(recipient=office.parts.office))


def test_a_trace_is_a_disclosure_of_whoever_runs_it(
    office: Office, copies: list[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUNIMENT_ACCOUNT", "forensics")
    leaked = taken(copies[4], 50)
    verdict = office.trace(office.leak(without(leaked, ["person_id"])), case="2026-44")
    (told,) = looked_at(office)
    assert (told["account"], told["case"], told["channel"]) == ("forensics", "2026-44", "application")
    assert told["purpose"] == f"trace: {verdict.file_digest[:16]}"
    assert (told["records"], told["columns"], told["sealed"]) == (50, [], True)
    keys = [str(key) for key in leaked["person_id"]]
    assert office.parts.ledger.records(int(str(told["sequence"]))).tolist() == ordinals_of(office, keys)
    answer = office.workspace.who(keys[0], purpose="request")
    assert answer.disclosures[-2]["purpose"] == told["purpose"], "the person is told"


def test_a_trace_that_finds_nobody_is_on_record_for_those_it_looked_at(office: Office, copies: list[Table]) -> None:
    office.trace(office.leak(office.persons))
    assert [one["records"] for one in looked_at(office)] == [150]


def test_decoys_are_not_looked_at_and_two_registers_apart(office: Office) -> None:
    staff = write_table(office.folder / "staff.csv", people(120, seed=5))
    office.workspace.register("staff", staff, key="person_id", coalition=1, accept="equivalent")
    reserved = tuple(f"RR{number:010}" for number in range(0, 4_000, 7))
    office.workspace.plan_decoys(
        "persons", count=120, reserved=reserved, expires=date(2029, 12, 31), owner="Lin", consent="yes", share=0.1
    )
    office.allow_rows("decoy")
    office.release("Tax")
    office.workspace.release("staff", to="Union", purpose=PURPOSE, out=office.out("union.csv"))
    both = stacked([read_table(office.out("Tax.csv")), read_table(office.out("union.csv")).take(range(40))])
    assert both.rows > 190, "with decoys"
    office.trace(office.leak(both))
    assert [(one["register"], one["records"]) for one in looked_at(office)] == [("persons", 150), ("staff", 40)]


def test_nothing_is_scored_when_the_look_cannot_be_put_on_record(
    office: Office, copies: list[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    leak = office.leak(copies[0])
    scored: list[object] = []
    monkeypatch.setattr("muniment.workspace.tracing.examine", lambda *a: scored.append(a))
    monkeypatch.setitem(open_writer.__kwdefaults__, "wait", 0.1)
    with locked(office.folder / "office" / "ledger" / "writer.lock"), pytest.raises(UnreachableError):
        office.trace(leak)
    assert scored == []
    assert office.parts.journal.entries("examination") == ()


def test_what_is_refused_beforehand_is_no_look(office: Office, copies: list[Table]) -> None:
    leak = office.leak(copies[0])
    for options in ({"alpha": 2.0}, {"register": "nobody"}, {"leads_purpose": " "}):
        with pytest.raises(InputError):
            office.trace(leak, **options)
    assert looked_at(office) == []


# --- nothing about the unnamed, nothing that re-identifies -----------------------------------------------------------


def test_a_verdict_holds_nothing_of_the_unnamed(office: Office, copies: list[Table]) -> None:
    traced = office.trace(office.leak(without(taken(copies[4], 50), ["person_id"])))
    for text in (json.dumps(traced.to_json(), ensure_ascii=False), repr(traced)):
        assert [name for name in NAMES if f"'{name}'" in text or f'"{name}"' in text] == ["Office 4"]
    assert traced.histogram is None, "eleven unnamed candidates are too few to show"


def test_no_key_of_a_record_is_in_a_verdict_without_examples(office: Office, copies: list[Table]) -> None:
    leaked = taken(copies[4], 50)
    text = json.dumps(office.trace(office.leak(leaked)).to_json(examples=False), ensure_ascii=False)
    for column in ("person_id", "name_zh", "address_zh"):
        assert not [cell for cell in leaked[column] if cell and cell in text]


def test_the_journal_keeps_no_row_of_a_leak(office: Office, copies: list[Table]) -> None:
    leaked = taken(copies[4], 50)
    office.trace(office.leak(leaked))
    kept = json.dumps([entry.body for entry in office.parts.journal.entries("examination")], ensure_ascii=False)
    assert not [cell for column in leaked.cells for cell in column if cell and len(cell) > 6 and cell in kept]


def test_tracing_changes_no_file_but_journal_and_ledger(office: Office, copies: list[Table]) -> None:
    def files() -> dict[str, bytes]:
        return {
            str(path.relative_to(office.folder)): path.read_bytes()
            for path in office.folder.rglob("*")
            if path.is_file() and "ledger" not in path.relative_to(office.folder).parts
        }

    leak = office.leak(copies[0])
    before = files()
    office.trace(leak)
    assert files() == before


def test_sorting_a_leak_loses_nothing(office: Office, copies: list[Table]) -> None:
    assert office.named(office.leak(in_order(copies[6], "name_zh"))) == ["Office 6"]
