from dataclasses import replace
from pathlib import Path

import pytest

from language.rings import NOW, segment_keys
from muniment.errors import InputError
from muniment.ledger.families import LoggedFamily, declare_families, logged_families
from muniment.ledger.journal import Journal

STREET = LoggedFamily("mark-1", "persons", "street-type", "address", "arcsine-0.03")
SALARY = LoggedFamily("mark-1", "persons", "dither", "salary", "arcsine-0.03", "50")
OMISSION = LoggedFamily("mark-1", "persons", "omission", "", "constant-0.02")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "ledger" / "journal.bin", segment_keys())


def test_families_are_found_again_in_the_order_of_their_logging(journal: Journal, tmp_path: Path) -> None:
    declare_families(journal, [STREET, SALARY, OMISSION], NOW)
    again = Journal.open(tmp_path / "ledger" / "journal.bin", segment_keys())
    assert logged_families(again) == (STREET, SALARY, OMISSION)


def test_a_family_is_logged_once(journal: Journal) -> None:
    declare_families(journal, [STREET], NOW)
    declare_families(journal, [SALARY, STREET], NOW)
    assert logged_families(journal) == (STREET, SALARY)


@pytest.mark.parametrize(("before", "after"), [(STREET, {"law": "half"}), (SALARY, {"tolerance": "60"})])
def test_another_law_or_tolerance_under_the_same_key_is_refused(
    journal: Journal, before: LoggedFamily, after: dict
) -> None:
    declare_families(journal, [before], NOW)
    with pytest.raises(InputError, match="could no longer be traced") as raised:
        declare_families(journal, [replace(OMISSION), replace(before, **after)], NOW)
    assert raised.value.hint.startswith("muniment keys rotate mark")
    assert logged_families(journal) == (before,), "nothing of a refused plan is logged"


def test_a_new_mark_key_takes_a_new_law(journal: Journal) -> None:
    new = replace(STREET, mark_key="mark-2", law="half")
    declare_families(journal, [STREET, new], NOW)
    assert logged_families(journal, mark_key="mark-2") == (new,)


def test_families_are_chosen_by_register_key_and_head(journal: Journal) -> None:
    other = replace(STREET, register="staff")
    declare_families(journal, [STREET], NOW)
    before = journal.head()
    declare_families(journal, [other, SALARY], NOW)
    assert logged_families(journal, "staff") == (other,)
    assert logged_families(journal, "persons", "mark-1", before) == (STREET,)
    assert logged_families(journal, "persons", "mark-9") == ()
