"""Names in an export: one person one name within it, nothing to join between two."""

from __future__ import annotations

from dataclasses import replace

import pytest

from language.exports import DISCLOSURE, DUMP, ENTRY, PSEUDONYMOUS, SECRET, STAFF_NAMED
from muniment.disclosure import Outcome
from muniment.ledger.export.entry import REFERENCES, View, outcome_text

OTHER = View(bytes(32))


def test_staff_are_pseudonymous_unless_the_view_names_them() -> None:
    name = PSEUDONYMOUS.account("clerk.li")
    assert name == PSEUDONYMOUS.account("clerk.li") != PSEUDONYMOUS.account("clerk.wu")
    assert "li" not in name.removeprefix("staff-")
    assert name.removeprefix("staff-") != PSEUDONYMOUS.device("clerk.li").removeprefix("device-")
    assert name != OTHER.account("clerk.li")
    assert (STAFF_NAMED.account("clerk.li"), STAFF_NAMED.device("10.0.0.7")) == ("clerk.li", "10.0.0.7")
    assert PSEUDONYMOUS.account("") == PSEUDONYMOUS.device("") == ""


def test_references_join_within_an_export_alone() -> None:
    three = replace(DISCLOSURE, records=(5, 9, 70_000))
    found = PSEUDONYMOUS.records(three)
    (nine,) = PSEUDONYMOUS.records(replace(DISCLOSURE, records=(9,)))
    assert nine in found and len(set(found)) == 3
    assert list(found) == sorted(found)  # not in the order of ordinals
    assert not set(found) & set(OTHER.records(three))


def test_a_long_list_is_a_count() -> None:
    assert PSEUDONYMOUS.records(DUMP.disclosure) == ()
    assert len(PSEUDONYMOUS.records(replace(DISCLOSURE, records=tuple(range(REFERENCES))))) == REFERENCES


def test_a_view_needs_a_whole_secret_and_never_shows_it() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        View(b"short")
    assert SECRET.hex() not in repr(View(SECRET)) and repr(SECRET) not in repr(View(SECRET))


def test_every_outcome_has_its_words() -> None:
    assert len({outcome_text(outcome) for outcome in Outcome}) == len(Outcome)
    assert ENTRY.disclosure.template.outcome is Outcome.GIVEN
