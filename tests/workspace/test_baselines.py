"""The register must not absorb marks: what was written back reads as erased, what really changed is marked anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from language.marking import people, plan_of, prepared
from language.offices import MARKED, Office, read_table
from muniment.marks.baseline import Baseline, State
from muniment.marks.carriers import carrier
from muniment.table import Table
from muniment.trace.verdict import Verdict
from muniment.workspace import baselines, reading
from muniment.workspace.baselines import Observed, cell_digest, load_baseline

OTHERS = tuple(f"Office {number}" for number in range(10))


def write_back(office: Office, copy: Table, columns: tuple[str, ...] = MARKED, rows: int = 150) -> None:
    """A clerk's marked values come back into the register by UPDATE: only the forms change."""

    def update(persons: Table) -> Table:
        return persons.with_cells({name: copy[name][:rows] + persons[name][rows:] for name in columns})

    office.change(update)


def read_and_erased(verdict: Verdict) -> tuple[int, int]:
    return verdict.symbols_read, verdict.symbols_erased


def stolen_table(office: Office) -> Verdict:
    """The raw register is stolen, key and all."""
    return office.trace(office.leak(office.persons, "stolen.csv"))


@pytest.fixture
def clerk(office: Office) -> Table:
    """The copy of a clerk, among those of ten others."""
    return read_table(office.release("Clerk", *OTHERS)[0])


def test_the_whole_register_written_back_names_nobody(office: Office, clerk: Table) -> None:
    write_back(office, clerk)
    verdict = stolen_table(office)
    assert verdict.verdict == "none"
    assert verdict.rows_aligned == 150
    assert verdict.symbols_erased > 200, "every cell whose form differs from the baseline"


def test_only_cells_that_changed_are_erased(office: Office, clerk: Table) -> None:
    untouched = stolen_table(office)
    assert untouched.symbols_erased == 0
    write_back(office, clerk, ("phone",))
    verdict = stolen_table(office)
    changed = sum(a != b for a, b in zip(clerk["phone"], office.persons["phone"], strict=True))
    assert changed == 0, "the register now holds the clerk's phones"
    erased = {family.column: family.erased for family in verdict.families}
    assert erased["phone"] > 20
    assert sum(erased.values()) == erased["phone"]
    assert verdict.symbols_read + verdict.symbols_erased == untouched.symbols_read


def test_the_next_release_does_not_take_the_marks_for_the_register(office: Office, clerk: Table) -> None:
    """The mutant is a release that keeps a new baseline for cells that changed in form only."""
    write_back(office, clerk)
    before = read_and_erased(stolen_table(office))
    office.release("Police")
    assert read_and_erased(stolen_table(office)) == before


def test_a_source_is_still_found_beside_what_was_written_back(office: Office, clerk: Table) -> None:
    copy = read_table(office.out("Office 3.csv"))
    write_back(office, clerk, rows=60)
    assert office.named(office.leak(copy)) == ["Office 3"]


def test_a_genuine_change_gets_a_new_baseline_at_the_next_release(office: Office, clerk: Table) -> None:
    """All move house; the next copies carry marks in the new addresses, and are traced by them alone."""
    moved = people_moved(office.persons)
    office.change(lambda persons: persons.with_cells({"address_en": moved}))
    unmarked = stolen_table(office)
    assert unmarked.symbols_erased == 0, "changed is not written back"
    (path,) = office.release("Police")
    office.release("Fire", "Coroner")
    leak = read_table(path).select(("person_id", "name_zh", "address_en"))
    verdict = office.trace(office.leak(leak))
    assert [named.recipient for named in verdict.named] == ["Police"]
    assert verdict.symbols_erased == 0
    write_back(office, read_table(path), ("address_en",))
    assert stolen_table(office).symbols_erased > 30


def people_moved(persons: Table) -> list[str | None]:
    return [cell and f"9{cell}".replace("Lane", "Street") for cell in persons["address_en"]]


@pytest.mark.parametrize("written", [lambda cell: cell, lambda cell: str(int(cell) + 400)], ids=["marked", "changed"])
def test_any_change_in_a_column_with_a_tolerance_is_erased(office: Office, written: Callable[[str], str]) -> None:
    office.allow_no_cells()
    office.allow("points", "dither", tolerance="4")
    copy = read_table(office.release("Clerk", "Police")[0])
    assert office.named(office.out("Clerk.csv")) == ["Clerk"]
    points = [cell and written(cell) for cell in copy["points"]]
    differ = sum(a != b for a, b in zip(points, office.persons["points"], strict=True))
    office.change(lambda persons: persons.with_cells({"points": points}))
    office.release("Fire")
    verdict = stolen_table(office)
    # Where the form of the clerk is the register's own number, nothing was changed.
    assert verdict.verdict == "none"
    assert differ > 50
    assert verdict.symbols_erased >= differ - 5
    assert verdict.symbols_read <= 150 - differ


@pytest.mark.parametrize(
    "mutant",
    [
        lambda patch: patch.setattr(reading, "load_baseline", lambda parts, register: Baseline.empty()),
        lambda patch: patch.setattr(Baseline, "states", lambda self, p, *_: np.full(len(p), State.SAME, np.uint8)),
    ],
    ids=["baseline not read", "states not told apart"],
)
def test_the_check_catches_a_trace_that_ignores_the_baseline(
    office: Office, clerk: Table, monkeypatch: pytest.MonkeyPatch, mutant: Callable
) -> None:
    write_back(office, clerk)
    mutant(monkeypatch)
    assert stolen_table(office).symbols_erased == 0


def test_the_veto_is_needed_beside_the_baseline(
    office: Office, clerk: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reads as erased depends on the clerk's bits: the cells that stay are those in which they agree by chance.

    So erasing alone would name the clerk from half as many symbols; the register, read as a leak, shows the same.
    """
    write_back(office, clerk)
    with monkeypatch.context() as patch:
        patch.setattr("muniment.trace.examine._finding", named_without_veto)
        assert [named.recipient for named in stolen_table(office).named] == ["Clerk"]
    with monkeypatch.context() as patch:
        patch.setattr(reading, "load_baseline", lambda parts, register: Baseline.empty())
        assert stolen_table(office).verdict == "none", "the veto alone"


def test_the_veto_looks_at_what_the_leak_shows_and_nothing_more(office: Office) -> None:
    """Some phones came back from the clerk; the thief's table has them, and its other marked columns are blotted out.

    Read at all addresses of these rows, the register has many symbols that say nothing of the clerk: enough for its
    evidence to fall below the threshold, and for the leak's to stay above.
    """
    before = office.persons
    copy = read_table(office.release("Clerk", *OTHERS)[0])
    layout = carrier("phone-layout")
    placed = [row for row in range(150) if layout.forms(before["phone"][row] or "")]
    agreeing = [row for row in placed if copy["phone"][row] == before["phone"][row]]
    rows = agreeing[30] + 1
    write_back(office, copy, ("phone",), rows)
    stolen = office.persons.take(range(rows))
    others = ("address_zh", "address_en", "birth_date")
    blotted = stolen.with_cells({name: ["***"] * rows for name in others})
    assert office.named(office.leak(blotted), mapping={name: name for name in others}) == []


def named_without_veto(group, recipient, threshold):  # type: ignore[no-untyped-def]
    from muniment.trace.examine import Finding

    codeword = group.codebook.bits(group.symbols.addresses, group.symbols.threshold, [recipient.number])[0]
    return Finding(group, recipient, threshold, (), group.symbols, codeword)


def test_a_carrier_that_is_allowed_later_does_not_hide_what_was_written_back(office: Office) -> None:
    """`plain` is made from the families of its day: a column with one more carrier must not look changed."""
    floors = [cell and cell.replace("樓", "F") for cell in office.persons["address_zh"]]
    office.change(lambda persons: persons.with_cells({"address_zh": floors}))
    office.allow("address_zh", "hanzi-variants", "address-dash")
    copy = read_table(office.release("Clerk", *OTHERS)[0])
    write_back(office, copy, ("address_zh",))
    before = erased_by_carrier(stolen_table(office))
    office.allow("address_zh", "hanzi-variants", "address-dash", "floor-form", "address-numerals")
    office.release("Police")
    verdict = stolen_table(office)
    after = erased_by_carrier(verdict)
    assert verdict.verdict == "none"
    assert {name: after[name] for name in before} == before


def erased_by_carrier(verdict: Verdict) -> dict[str, int]:
    return {family.carrier: family.erased for family in verdict.families if family.column == "address_zh"}


# --- the sealed file, and what a release observes -------------------------------------------------------------------


def test_there_is_no_baseline_before_the_first_copy_and_it_holds_every_markable_cell_after_it(office: Office) -> None:
    assert len(load_baseline(office.parts, "persons").pseudonyms) == 0
    office.release("Tax", where="sex = 'F'")
    women = len(load_baseline(office.parts, "persons").pseudonyms)
    office.release("Tax", prefix="all ")
    assert women < len(load_baseline(office.parts, "persons").pseudonyms) == 150


def test_the_file_shows_no_value_of_the_register(office: Office) -> None:
    office.release("Tax")
    (path,) = office.parts.baseline_folder.iterdir()
    data = path.read_bytes()
    assert "persons" not in path.name
    assert not [cell for cell in office.persons["phone"] if cell and cell.encode() in data]


def test_what_is_not_new_is_not_news(office: Office) -> None:
    plan, table = plan_of(), people(40)
    digest = cell_digest(office.parts, "persons")
    columns = [("address", 3), ("salary", 4)]

    def observed(table: Table) -> Observed:
        seen = Observed(digest, columns, frozenset({"salary"}))
        seen.add(np.arange(table.rows, dtype=np.uint64)[::-1], prepared(table, plan))
        return seen

    first = observed(table).news(Baseline.empty())
    assert first is not None
    assert len(first.pseudonyms) == 40 - sum(
        address in (None, "Rose Cottage") and salary is None
        for address, salary in zip(table["address"], table["salary"], strict=True)
    )
    assert (np.diff(first.pseudonyms.astype(np.int64)) > 0).all()
    assert observed(table).news(first) is None
    assert Observed(digest, columns, frozenset()).news(first) is None
    one = list(table["address"])
    one[0] = "99 Other Road"
    news = observed(table.with_cells({"address": one})).news(first)
    assert news is not None
    assert news.pseudonyms.tolist() == [39]


def test_each_register_has_a_baseline_and_a_digest_of_its_own(office: Office) -> None:
    staff = office.folder / "staff.csv"
    staff.write_bytes(office.source.read_bytes())
    office.workspace.register("人事/staff", staff, key="person_id", accept="equivalent")
    office.release("Tax")
    office.workspace.release("人事/staff", to="Tax", purpose="pay", out=office.out("s.csv"))
    assert len(list(office.parts.baseline_folder.iterdir())) == 2
    cells = ["1 Mill Road"]
    assert cell_digest(office.parts, "persons")(cells) != cell_digest(office.parts, "人事/staff")(cells)
    assert baselines.load_baseline(office.parts, "人事/staff").columns
