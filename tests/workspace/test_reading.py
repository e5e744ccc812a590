"""Reading the symbols of an aligned leak: what it shows, what is erased, and that it is the recipient's codeword."""

from __future__ import annotations

import pytest

from language.offices import MARKED, Office, read_table, stacked, without
from muniment.disclosure import Recipient
from muniment.ingest.leaks import read_leak
from muniment.table import Table
from muniment.workspace.aligning import align_leak
from muniment.workspace.reading import KeyReading, read_under_key

TAX = Recipient(1, "Tax")


@pytest.fixture
def copy(office: Office) -> Table:
    return read_table(office.release("Tax", "Health")[0])


def read(office: Office, table: Table) -> KeyReading:
    parts, head = office.parts, office.parts.journal.head()
    found = align_leak(parts, parts.register("persons"), read_leak(office.leak(table)), {}, head)
    return read_under_key(parts, found, parts.ring.current("mark"), head, (TAX,))


def agreeing(reading: KeyReading, number: int = 1) -> float:
    symbols = reading.symbols
    bits = reading.codebook.bits(symbols.addresses, symbols.threshold, [number])[0]
    return float((bits == symbols.share).mean())


def test_a_copy_shows_its_recipients_codeword_and_no_other(office: Office, copy: Table) -> None:
    reading = read(office, copy)
    assert agreeing(reading) == 1.0
    assert 0.3 < agreeing(reading, 2) < 0.7
    assert len(reading.symbols) == office.workspace.copies()[0].symbols
    assert (reading.symbols.weight > 0.9).all()


def test_the_register_shows_its_own_forms_at_the_same_addresses(office: Office, copy: Table) -> None:
    reading = read(office, copy)
    assert (reading.on_register.addresses.numbers == reading.symbols.addresses.numbers).all()
    assert 0.3 < float((reading.on_register.share == reading.symbols.share).mean()) < 0.8


def test_a_missing_column_has_no_place_and_an_emptied_one_is_erased(office: Office, copy: Table) -> None:
    whole = {family.column: family for family in read(office, copy).families}
    gone = read(office, without(copy, ["phone"])).families
    phone = next(family for family in gone if family.column == "phone")
    assert (phone.slots, phone.state) == (0, "absent")
    half = copy.with_cells({"phone": [None if row % 2 else cell for row, cell in enumerate(copy["phone"])]})
    phone = next(family for family in read(office, half).families if family.column == "phone")
    assert phone.slots == whole["phone"].slots
    assert phone.read + phone.erased == phone.slots
    assert phone.erased > 50


def test_two_copies_of_one_person_are_read_at_one_address(office: Office, copy: Table) -> None:
    other = read_table(office.out("Health.csv"))
    both = read(office, stacked([copy, other]))
    assert len(both.symbols) == len(read(office, copy).symbols)
    assert set(both.symbols.share.tolist()) == {0.0, 0.5, 1.0}


def test_a_family_tells_how_many_ones_were_expected(office: Office, copy: Table) -> None:
    for family in read(office, copy).families:
        assert family.column in MARKED
        assert family.expected_ones == (0.5 if family.slots else 0.0)
        assert family.state in {"intact", "few", "absent"}
