"""Counts and privacy budget on record: refused before they are told."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from language.offices import Office
from muniment.errors import InputError
from muniment.exposure.budgeting import Spend
from muniment.workspace.exposing import Question
from muniment.workspace.registered import read_registered
from muniment.workspace.spending import budget_of, counts_held, judge_count, record_count, spend


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


def test_counts_of_a_coalition_are_in_an_exposure_run_and_in_its_decision(office: Office) -> None:
    parts, everybody = office.parts, _records(office)
    register = parts.register("persons")
    record_count(parts, register, "A", everybody, purpose="statistics")
    record_count(parts, register, "B", everybody[1:], purpose="statistics")
    assert sorted(len(one) for one in counts_held(parts, register, ["A", "B"])) == [149, 150]
    assert counts_held(parts, register, ["C"]) == []

    for to, counts, pairs in ((("A",), 1, 0), (("A", "B"), 2, 1)):
        question = Question("persons", "before a release", columns=("sex",), quasi=("sex",), to=to)
        found = office.workspace.exposure.examine(question)
        told = found.differences
        assert told is not None and (told.counts, told.pairs, told.safe) == (counts, pairs, not pairs)
        assert ("differences" in {reason.code for reason in found.decision.reasons}) is bool(pairs)
        assert (found.decision.verdict == "release") is not bool(pairs)


def test_who_was_told_no_count_and_who_is_not_named(office: Office) -> None:
    record_count(office.parts, office.parts.register("persons"), "A", _records(office), purpose="statistics")
    office.workspace.release("persons", to="C", purpose="study", out=office.folder / "c.csv", columns=("sex",))
    question = Question("persons", "before a release", columns=("sex",), quasi=("sex",), to=("C",))
    told = office.workspace.exposure.examine(question).differences
    assert told is not None and told.counts == 0 and told.safe
    nobody = Question("persons", "before a release", columns=("sex",), quasi=("sex",))
    assert office.workspace.exposure.examine(nobody).differences is None
