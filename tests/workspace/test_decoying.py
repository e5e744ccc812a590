"""Marks that are rows, end to end: left out, put in order, put in - each traced by itself alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from language.offices import MARKED, Office, people, read_table, stacked, without, write_table
from language.rings import NOW
from muniment.errors import InputError
from muniment.table import Table
from muniment.workspace import decoying
from muniment.workspace.decoying import all_decoys, decoy_rows, plans

RESERVED = tuple(f"RR{number:010}" for number in range(0, 4_000, 7))
EXPIRES = NOW.date() + timedelta(days=30)
SELDOM = 0.1


def plan_decoys(office: Office, count: int = 120, share: float = SELDOM, expires: date = EXPIRES) -> None:
    office.workspace.plan_decoys(
        "persons",
        count=count,
        reserved=RESERVED,
        expires=expires,
        owner="the keeper",
        consent="for one year",
        share=share,
    )


@pytest.fixture
def with_decoys(office: Office) -> Office:
    """Decoys are the only marks."""
    office.allow_no_cells()
    office.allow_rows("decoy")
    plan_decoys(office)
    return office


def decoys_in(table: Table) -> set[str]:
    return {cell for cell in table["person_id"] if cell and cell in RESERVED}


# --- decoys --------------------------------------------------------------------------------------------------------


def test_each_copy_holds_its_own_decoys_and_they_alone_name_it(with_decoys: Office) -> None:
    copies = {path.stem: read_table(path) for path in with_decoys.release("A", "B", "C", "D")}
    held = {name: decoys_in(copy) for name, copy in copies.items()}
    exclusion = {key for (key,) in with_decoys.workspace.decoy_exclusion("persons")}
    assert len(exclusion) == 120
    assert all(0 < len(some) < 60 and some <= exclusion for some in held.values())
    assert len({frozenset(some) for some in held.values()}) == 4
    best = max(held, key=lambda name: len(held[name]))
    verdict = with_decoys.trace(with_decoys.out(f"{best}.csv"), alpha=0.1)
    assert [named.recipient for named in verdict.named] == [best]
    assert verdict.symbols_read == len(held[best]), "a decoy not held counts as not held: nothing is read of it"


def test_real_records_are_all_there_and_as_they_were(with_decoys: Office) -> None:
    (path,) = with_decoys.release("A")
    copy = read_table(path)
    real = [row for row, key in enumerate(copy["person_id"]) if key not in RESERVED]
    assert copy.take(real) == with_decoys.persons
    (on_record,) = with_decoys.workspace.copies()
    assert on_record.rows == copy.rows
    assert len(with_decoys.parts.copies.records(on_record)) == 150, "a decoy is no record"


def test_the_same_recipient_gets_the_same_decoys_again_and_those_that_a_query_selects(with_decoys: Office) -> None:
    (path,) = with_decoys.release("A")
    assert with_decoys.release("A", prefix="again ")[0].read_bytes() == path.read_bytes()
    women = read_table(with_decoys.release("A", prefix="women ", where="sex = 'F'")[0])
    whole = read_table(path)
    chosen = {key for key, sex in zip(whole["person_id"], whole["sex"], strict=True) if sex == "F"}
    assert set(women["person_id"]) == chosen
    assert decoys_in(women) == decoys_in(whole) & chosen


def test_expired_decoys_are_never_written_and_old_copies_are_still_traced(with_decoys: Office) -> None:
    with_decoys.allow("phone", "phone-layout")
    (old,) = with_decoys.release("A")
    with_decoys.clock = lambda: NOW + timedelta(days=31)  # type: ignore[assignment]
    with_decoys.reopen()
    (new,) = with_decoys.release("B")
    assert decoys_in(read_table(old))
    assert not decoys_in(read_table(new))
    assert len(with_decoys.workspace.decoy_exclusion("persons")) == 120, "they stay out of statistics"
    only = read_table(old)
    only = only.take([row for row, key in enumerate(only["person_id"]) if key in RESERVED])
    verdict = with_decoys.trace(with_decoys.leak(without(only, MARKED)), alpha=0.5)
    assert verdict.rows_aligned == only.rows == verdict.symbols_read


def test_decoys_are_written_until_the_day_of_expiry(with_decoys: Office) -> None:
    with_decoys.clock = lambda: NOW + timedelta(days=30)  # type: ignore[assignment]
    with_decoys.reopen()
    assert decoys_in(read_table(with_decoys.release("A")[0]))


def test_without_the_owners_word_in_the_settings_no_decoy_is_written(office: Office) -> None:
    plan_decoys(office)
    assert not decoys_in(read_table(office.release("A")[0]))
    assert decoy_rows(office.parts, office.parts.register("persons"), None) is None


def test_a_decoy_that_a_new_record_resembles_is_taken_out(with_decoys: Office) -> None:
    register = with_decoys.parts.register("persons")
    before = decoy_rows(with_decoys.parts, register, None)
    assert before is not None
    assert before.table.rows == 120
    double = before.table.take([0]).with_cells({"person_id": ["MR0000000001"]})
    with_decoys.change(lambda persons: stacked([persons, double.select(persons.columns)]))
    after = decoy_rows(with_decoys.parts, register, None)
    assert after is not None
    assert before.table["person_id"][0] not in after.table["person_id"]


def test_a_condition_that_decoys_do_not_understand_leaves_them_out(with_decoys: Office) -> None:
    register = with_decoys.parts.register("persons")
    assert decoying._selected(plans(with_decoys.parts, register)[0].decoys, "nonsense (") == ()


def test_plans_are_sealed_numbered_and_logged_without_a_decoy(with_decoys: Office) -> None:
    plan_decoys(with_decoys, count=5)
    register = with_decoys.parts.register("persons")
    assert [plan.decoys.rows for plan in plans(with_decoys.parts, register)] == [120, 5]
    everything = all_decoys(with_decoys.parts, register)
    assert everything is not None
    assert everything.rows == 125
    files = sorted(with_decoys.parts.decoy_folder.iterdir())
    assert [path.name for path in files] == ["0000-0000.bin", "0000-0001.bin"]
    keys = [key for (key,) in with_decoys.workspace.decoy_exclusion("persons")]
    bodies = [entry.body for entry in with_decoys.parts.journal.entries("decoys")]
    assert [body["owner"] for body in bodies] == ["the keeper"] * 2  # type: ignore[index]
    text = repr(bodies).encode() + b"".join(path.read_bytes() for path in files)
    assert not [key for key in keys if key.encode() in text]


def test_two_plans_have_no_record_number_in_common(with_decoys: Office) -> None:
    plan_decoys(with_decoys, count=40)
    keys = [key for (key,) in with_decoys.workspace.decoy_exclusion("persons")]
    assert len(keys) == len(set(keys)) == 160


def test_places_are_keyed_ascending_and_within_the_rows(with_decoys: Office) -> None:
    register = with_decoys.parts.register("persons")
    found = decoy_rows(with_decoys.parts, register, None)
    assert found is not None
    places = list(found.places)
    assert places == sorted(places)
    assert len(set(places)) > 20
    assert places[0] >= 0
    assert places[-1] < 150


def test_two_shares_under_one_key_are_refused(with_decoys: Office) -> None:
    with_decoys.release("A")
    plan_decoys(with_decoys, count=5, share=0.4)
    with pytest.raises(InputError, match="could no longer be traced"):
        with_decoys.release("B")


# --- rows left out -------------------------------------------------------------------------------------------------


def test_rows_left_out_alone_name_the_source(office: Office) -> None:
    office.allow_no_cells()
    office.allow_rows("omission")
    write_table(office.source, people(1_200))
    paths = office.release("A", "B", "C")
    ids = set(people(1_200)["person_id"])
    gone = {path.stem: ids - set(read_table(path)["person_id"]) for path in paths}
    assert all(3 < len(some) < 60 for some in gone.values())
    (on_record, *_) = office.workspace.copies()
    assert len(office.parts.copies.records(on_record)) == 1_200, "the query selected them"
    verdict = office.trace(paths[1], alpha=0.3)
    assert [named.recipient for named in verdict.named] in ([], ["B"]), "24 rows left out of 1,200 are weak evidence"
    assert verdict.symbols_read == 1_200 - len(gone["B"]), "a row that is missing from a leak is an erasure"


# --- the order of rows ---------------------------------------------------------------------------------------------


@pytest.fixture
def in_keyed_order(office: Office) -> Office:
    office.allow_no_cells()
    office.allow_rows("order")
    return office


def test_the_order_of_rows_alone_names_the_source(in_keyed_order: Office) -> None:
    paths = in_keyed_order.release("A", "B", "C")
    for path in paths:
        assert read_table(path) != in_keyed_order.persons
        assert sorted(read_table(path).iter_rows(), key=str) == sorted(in_keyed_order.persons.iter_rows(), key=str)
    assert in_keyed_order.named(paths[2]) == ["C"]


def test_a_sorted_copy_shows_no_order(in_keyed_order: Office) -> None:
    (path, _) = in_keyed_order.release("A", "B")
    copy = read_table(path)
    by_name = copy.take(sorted(range(150), key=lambda row: copy["name_zh"][row] or ""))
    assert in_keyed_order.named(in_keyed_order.leak(by_name)) == []


def test_the_order_of_a_query_is_that_of_the_whole(in_keyed_order: Office) -> None:
    whole = read_table(in_keyed_order.release("A")[0])
    women = read_table(in_keyed_order.release("A", prefix="w ", where="sex = 'F'")[0])
    place = {key: at for at, key in enumerate(whole["person_id"])}
    shared = np.diff([place[key] for key in women["person_id"]]) > 0
    assert shared.mean() > 0.6, "pairs with one row left keep the register's order"
    assert in_keyed_order.named(in_keyed_order.out("A.csv")) == ["A"]


def test_order_with_decoys_and_rows_left_out_together(office: Office) -> None:
    office.allow_rows("order", "omission", "decoy")
    plan_decoys(office)
    (path, _) = office.release("A", "B")
    verdict = office.trace(path)
    assert [named.recipient for named in verdict.named] == ["A"]
    carriers = {family.carrier: family.read for family in verdict.families}
    assert carriers["order"] > 20
    assert carriers["omission"] > 140
    assert carriers["decoy"] > 0
    shares = {share.carrier: share for share in verdict.named[0].evidence}
    assert shares["order"].agreeing == shares["order"].symbols


def test_a_new_record_leaves_the_order_of_old_copies_readable(in_keyed_order: Office) -> None:
    paths = in_keyed_order.release("A", "B")
    more = people(PERSONS_LATER, seed=1)
    write_table(in_keyed_order.source, more)
    assert in_keyed_order.named(paths[0]) == ["A"]


PERSONS_LATER = 170
"""Twenty more, of the same seed: the first 150 are those of the copies."""


