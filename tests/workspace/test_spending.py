"""Counts and privacy budget on record: refused before they are told."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from language.offices import Office
from muniment.errors import InputError
from muniment.exposure.budgeting import Spend
from muniment.workspace.registered import read_registered
from muniment.workspace.spending import budget_of, judge_count, record_count, spend


def _records(office: Office, where: str | None = None) -> np.ndarray:
    parts = office.parts
    record = read_registered(parts, parts.register("persons"), ("sex",), where).record
    assert record is not None
    return record


def test_a_budget_is_kept_on_disk_for_each_recipient(office: Office) -> None:
    asked = Spend("A", "persons", Decimal("0.4"), purpose="statistics")
    spend(office.parts, asked)
    office.reopen()
    spend(office.parts, asked)
    with pytest.raises(InputError, match=r"would have spent epsilon 1\.2"):
        spend(office.parts, asked)
    spend(office.parts, Spend("B", "persons", Decimal(1), purpose="statistics"))
    assert budget_of(office.parts, ["A", "B"], "persons").epsilon == Decimal("1.8")


def test_a_count_that_differs_by_one_person_is_refused_to_who_has_the_other(office: Office) -> None:
    parts, everybody = office.parts, _records(office)
    register = parts.register("persons")
    assert record_count(parts, register, "A", everybody, purpose="statistics").safe
    assert record_count(parts, register, "A", everybody, purpose="statistics").counts == 1
    with pytest.raises(InputError, match="fewer persons than the floor"):
        record_count(parts, register, "A", everybody[1:], purpose="statistics")
    assert record_count(parts, register, "B", everybody[1:], purpose="statistics").safe
    assert judge_count(parts, register, ["A", "B"], everybody).pairs == 1
