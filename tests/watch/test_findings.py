"""A finding adds up what is at stake; two of the same values are the same, and none can be changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from language.alerting import finding
from muniment.watch.findings import KINDS, Stake


def test_records_are_added_up_over_all_registers() -> None:
    stakes = tuple(Stake(register, 1 << register, records) for register, records in ((0, 5), (1, 7), (4, 30)))
    assert finding(stakes=stakes).records == 42
    assert finding(stakes=()).records == 0


def test_findings_are_values() -> None:
    assert finding(3) == finding(3) != finding(4)
    assert len({finding(3), finding(3), finding(4)}) == 2
    with pytest.raises(FrozenInstanceError):
        finding().code = 9  # type: ignore[misc]


def test_a_finding_is_guaranteed_or_estimated() -> None:
    assert KINDS == ("guaranteed", "estimated")
