"""The stream of a release: rows left out, decoys held, order kept - by the query and the recipient's bits alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from language.marking import REGISTER, book, copies, people, plan_of, records_of
from muniment.disclosure import Recipient
from muniment.errors import InputError, LimitError
from muniment.marks import stream as module
from muniment.marks.plan import OMISSION, ORDER, Plan
from muniment.marks.rows import Pairs, pair_up, row_bits
from muniment.marks.stream import Job, ReleaseStream, record_keys
from muniment.table import Table

TABLE = people(200)
COLUMNS = TABLE.columns
BOTH = (Recipient(1, "one"), Recipient(2, "two"))
DECOYS = people(230).take(range(200, 230))


def batches(table: Table, rows: int) -> Iterator[Table]:
    for start in range(0, table.rows, rows):
        yield table.take(range(start, min(start + rows, table.rows)))


class Run:
    """One pass for two recipients; `copies` are their rows, `seen` the keys of the records that were observed."""

    def __init__(self, plan: Plan, rows: int = 64, columns: Sequence[str] = COLUMNS, **job: object) -> None:
        self.parts: list[list[Table]] = [[], []]
        self.seen: list[bytes] = []
        values = {"decoys": None, "decoy_places": (), "pairs": None, **job}
        stream = ReleaseStream(
            book(),
            plan,
            Job(  # type: ignore[arg-type]
                key=REGISTER.key,
                columns=tuple(columns),
                recipients=BOTH,
                sinks=(self.parts[0].append, self.parts[1].append),
                **values,
            ),
            lambda keys, prepared: self.seen.extend(keys),
        )
        stream.run(batches(TABLE, rows))
        self.tallies = stream.tallies

    def rows(self, recipient: int) -> list[tuple]:
        return [row for table in self.parts[recipient] for row in table.iter_rows()]

    def ids(self, recipient: int) -> list[str]:
        return [str(row[0]) for row in self.rows(recipient)]


def pairs_of(table: Table) -> tuple[Pairs, object]:
    records = records_of(table, book())
    where = {record: row for row, record in enumerate(records.tolist())}
    order = plan_of({}, [ORDER]).structural[0]
    pairs = pair_up(book(), order, records)
    return pairs, lambda some: np.array([where[record] for record in some.tolist()])


@pytest.mark.parametrize("rows", [1, 64, 1_000])
def test_the_size_of_batches_does_not_show_in_a_copy(rows: int) -> None:
    run = Run(plan_of(), rows)
    expected = copies(TABLE, plan_of(), [1, 2])
    assert [run.rows(i) for i in (0, 1)] == [list(copy.iter_rows()) for copy in expected]
    assert run.seen == record_keys(TABLE, ("id",), 0)


def test_tallies_count_what_was_written() -> None:
    run = Run(plan_of())
    for i, tally in enumerate(run.tallies):
        changed = sum(a[2] != b[2] for a, b in zip(run.rows(i), TABLE.iter_rows(), strict=True))
        assert (tally.rows, tally.left_out, tally.decoys) == (200, 0, 0)
        assert tally.changed["address"] == changed > 0
        assert tally.cells["address"] == 200


def test_columns_that_are_not_handed_out_carry_no_symbol() -> None:
    run = Run(plan_of(), columns=("id", "salary"))
    assert {len(row) for row in run.rows(0)} == {2}
    assert set(run.tallies[0].cells) == {"salary"}
    assert run.tallies[0].symbols == sum(cell is not None for cell in TABLE["salary"])


# --- rows left out -------------------------------------------------------------------------------------------------


def test_the_rows_left_out_are_those_of_the_recipients_bits() -> None:
    plan = plan_of({"address": ["street-type"]}, [OMISSION])
    run = Run(plan)
    family = plan.structure(OMISSION)
    assert family is not None
    bits = row_bits(book(), family, records_of(TABLE, book()), [1, 2])
    for i in (0, 1):
        assert run.ids(i) == [cell for cell, gone in zip(TABLE["id"], bits[i], strict=True) if not gone]
        assert run.tallies[i].left_out == bits[i].sum() > 0
    assert run.seen == record_keys(TABLE, ("id",), 0), "an omitted row is observed: the query selected it"


# --- decoys --------------------------------------------------------------------------------------------------------


def test_a_recipient_gets_the_decoys_of_its_bits_at_their_places_and_no_other() -> None:
    plan = plan_of({"address": ["street-type"]}, ["decoy"], decoy_share=0.3)
    run = Run(plan, decoys=DECOYS, decoy_places=tuple(range(3, 183, 6)))
    bits = row_bits(book(), plan.structural[0], records_of(DECOYS, book()), [1, 2])
    for i in (0, 1):
        held = [cell for cell, bit in zip(DECOYS["id"], bits[i], strict=True) if bit]
        assert [name for name in run.ids(i) if name in DECOYS["id"]] == held
        assert 0 < len(held) < 30
        assert run.tallies[i].decoys == len(held)
        assert run.tallies[i].rows == 200 + len(held)
        first = run.ids(i).index(held[0])
        assert first == 3 + 6 * DECOYS["id"].index(held[0])
    assert run.seen == record_keys(TABLE, ("id",), 0), "a decoy is no record"


def test_decoys_are_marked_like_records() -> None:
    plan = plan_of({"address": ["street-type"]}, ["decoy"], decoy_share=0.9)
    run = Run(plan, decoys=DECOYS, decoy_places=(0,) * 30)
    marked = {row[0]: row for row in copies(DECOYS, plan_of({"address": ["street-type"]}), [1])[0].iter_rows()}
    held = [row for row in run.rows(0) if row[0] in marked]
    assert held == [marked[row[0]] for row in held]
    assert len(held) > 20


# --- order ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [7, 1_000])
def test_a_copy_in_another_order_holds_the_same_rows(rows: int) -> None:
    pairs, numbers_of = pairs_of(TABLE)
    run = Run(plan_of({"address": ["street-type"]}, [ORDER]), rows, pairs=pairs, numbers_of=numbers_of)
    plain = Run(plan_of({"address": ["street-type"]}), rows)
    for i in (0, 1):
        assert run.rows(i) != plain.rows(i)
        assert sorted(run.rows(i)) == sorted(plain.rows(i))
        assert run.tallies[i].symbols == plain.tallies[i].symbols + len(pairs.record)
    bits = row_bits(book(), plan_of({}, [ORDER]).structural[0], pairs.record, [1])[0]
    place = {name: at for at, name in enumerate(run.ids(0))}
    shown = [
        place[str(TABLE["id"][first])] > place[str(TABLE["id"][second])]
        for first, second in zip(pairs.first, pairs.second, strict=True)
    ]
    assert shown == bits.astype(bool).tolist()


def test_more_rows_than_memory_may_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ORDERED_ROWS", 100)
    pairs, numbers_of = pairs_of(TABLE)
    with pytest.raises(LimitError, match="at most 100 rows"):
        Run(plan_of({}, [ORDER]), pairs=pairs, numbers_of=numbers_of)


# --- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [None, ""])
def test_a_record_without_a_key_is_named_by_its_row(bad: str | None) -> None:
    cells = list(TABLE["id"])
    cells[150] = bad
    table = TABLE.with_cells({"id": cells})
    with pytest.raises(InputError, match=r"row 151: the record key \(id\) is NULL or empty"):
        [record_keys(batch, ("id",), 64 * i) for i, batch in enumerate(batches(table, 64))]


def test_decoys_do_not_shift_the_number_of_a_bad_row() -> None:
    cells = list(TABLE["id"])
    cells[150] = None
    plan = plan_of({"address": ["street-type"]}, ["decoy"])
    bad = TABLE.with_cells({"id": cells})
    job = Job(("id",), COLUMNS, BOTH, (lambda t: None, lambda t: None), DECOYS, (0,) * 30, None)
    with pytest.raises(InputError, match="row 151:"):
        ReleaseStream(book(), plan, job, lambda keys, prepared: None).run(batches(bad, 64))
