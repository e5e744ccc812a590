"""From what is allowed to what is logged, and back to the families of old copies."""

from __future__ import annotations

import pytest

from language.offices import MARKED, Office
from muniment.errors import InputError
from muniment.workspace.plans import allowed_plan, logged_plan, to_log


def logged(office: Office, key: str = "mark-1") -> list[tuple[str, str]]:
    parts = office.parts
    return list(logged_plan(parts, parts.register("persons"), key, parts.journal.head()).keys)


def test_a_plan_comes_back_from_the_log_as_it_was(office: Office) -> None:
    office.allow("points", "dither", tolerance="4")
    office.allow_rows("order", "omission")
    register = office.parts.register("persons")
    plan = allowed_plan(office.parts, register, None)
    office.release("Tax")
    assert logged_plan(office.parts, register, "mark-1", office.parts.journal.head()) == plan
    assert [family.tolerance for family in to_log(plan, register, "mark-1") if family.tolerance] == ["4"]


def test_nothing_is_logged_before_the_first_copy(office: Office) -> None:
    assert logged(office) == []


def test_a_carrier_that_is_no_longer_allowed_is_still_read(office: Office) -> None:
    office.release("Tax")
    before = logged(office)
    office.allow("phone")
    register = office.parts.register("persons")
    assert ("phone-layout", "phone") not in allowed_plan(office.parts, register, None).keys
    office.release("Health")
    assert logged(office) == before
    assert ("phone-layout", "phone") in before
    (tax, health) = (office.out("Tax.csv"), office.out("Health.csv"))
    assert office.named(tax) == ["Tax"]
    assert office.named(health) == ["Health"]


def test_a_family_that_was_logged_after_a_head_is_not_seen_before_it(office: Office) -> None:
    office.release("Tax")
    parts, head = office.parts, office.parts.journal.head()
    office.allow("points", "dither", tolerance="4")
    office.release("Health")
    assert ("dither", "points") in logged(office)
    assert ("dither", "points") not in logged_plan(parts, parts.register("persons"), "mark-1", head).keys
    assert logged(office, "mark-2") == []


def test_decoys_are_in_the_plan_only_where_there_are_some(office: Office) -> None:
    office.allow_rows("decoy", "order")
    register = office.parts.register("persons")
    assert allowed_plan(office.parts, register, None).structure("decoy") is None
    decoy = allowed_plan(office.parts, register, 0.125).structure("decoy")
    assert decoy is not None
    assert decoy.law.name == "constant-0.125"


def test_nothing_allowed_is_an_error_with_the_next_step(office: Office) -> None:
    for column in MARKED:
        office.allow(column)
    with pytest.raises(InputError, match="could not be traced"):
        allowed_plan(office.parts, office.parts.register("persons"), None)
