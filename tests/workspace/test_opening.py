"""What a sealed bundle has opened reads as erased from then on, for the recipients whose codewords it shows."""

from __future__ import annotations

import numpy as np
import pytest

from language.offices import Office, read_table
from muniment.table import Table
from muniment.workspace.opening import opened_addresses


@pytest.fixture
def copy(office: Office) -> Table:
    office.release("Tax", "Health", "Police")
    return read_table(office.out("Health.csv"))


def opened(office: Office) -> dict[int, int]:
    found = opened_addresses(office.parts, office.parts.copies.known_recipients())
    return {number: len(addresses) for number, addresses in found.items()}


def test_without_a_bundle_nothing_is_open(office: Office, copy: Table) -> None:
    office.trace(office.leak(copy))
    assert opened(office) == {}


def test_a_bundle_opens_the_codeword_of_the_named_only_and_it_is_logged(office: Office, copy: Table) -> None:
    verdict = office.trace(office.leak(copy), bundle=office.out("b.zip"))
    assert [named.recipient for named in verdict.named] == ["Health"]
    assert opened(office) == {2: verdict.symbols_read}


def test_the_same_leak_names_that_recipient_no_more(office: Office, copy: Table) -> None:
    leak = office.leak(copy)
    office.trace(leak, bundle=office.out("b.zip"))
    again = office.trace(leak)
    assert again.verdict == "none"
    assert again.examination == 2


def test_rows_that_were_not_opened_still_name_it_and_others_are_named_as_before(office: Office, copy: Table) -> None:
    office.trace(office.leak(copy.take(range(60)), "a.csv"), bundle=office.out("b.zip"))
    rest = office.trace(office.leak(copy.take(range(40, 150)), "b.csv"))
    assert [named.recipient for named in rest.named] == ["Health"]
    scored = sum(share.symbols for share in rest.named[0].evidence)
    assert scored < rest.symbols_read, "the twenty rows that were opened read as erased"
    assert office.named(office.leak(read_table(office.out("Tax.csv")), "c.csv")) == ["Tax"]


def test_bundles_add_up_and_an_unknown_recipient_has_none(office: Office, copy: Table) -> None:
    office.trace(office.leak(copy.take(range(50)), "a.csv"), bundle=office.out("a.zip"))
    first = opened_addresses(office.parts, office.parts.copies.known_recipients())[2]
    office.trace(office.leak(copy.take(range(50, 150)), "b.csv"), bundle=office.out("b.zip"))
    both = opened_addresses(office.parts, office.parts.copies.known_recipients())[2]
    assert np.isin(first, both).all()
    assert len(both) > len(first)
    assert opened_addresses(office.parts, office.parts.copies.known_recipients()[:1]) == {}
