"""Laying defaults, roles, account and purpose over one another."""

from __future__ import annotations

import pytest

from language.policies import settings
from muniment.gate.policy.rules import Hours, resolve

LAYERED = settings(
    """
[defaults]
mode = "observe"
persons = { hour = 10, day = 100 }
contact = "the desk"
[roles.clerks]
persons = { day = 200 }
copy = true
[roles.seniors]
persons = { day = 300 }
[accounts.anna]
mode = "stop"
recipient = "Anna Lin"
persons = { hour = "none" }
purposes = ["audit"]
[accounts.robot]
marks = true
[purposes.audit]
persons = { day = 900 }
basis = "art. 6"
[purposes.service]
persons = { day = 50 }
"""
)


def test_an_account_that_nobody_named_has_the_defaults_and_is_guarded() -> None:
    found = resolve(LAYERED, "stranger")
    assert found.guarded and found.mode == "observe" and found.recipient == "stranger"
    assert found.persons == {"hour": 10, "day": 100}


def test_each_layer_changes_its_keys_alone_and_none_lifts_a_limit() -> None:
    found = resolve(LAYERED, "anna", ("clerks", "others"))
    assert (found.mode, found.copy, found.contact, found.recipient) == ("stop", True, "the desk", "Anna Lin")
    assert found.persons == {"day": 200}


def test_roles_are_laid_in_the_order_of_the_file_whatever_the_order_of_membership() -> None:
    assert resolve(LAYERED, "x", ("seniors", "clerks")).persons["day"] == 300
    assert resolve(LAYERED, "x", ("clerks", "seniors")).persons["day"] == 300


def test_a_purpose_loosens_a_budget_only_where_it_may_be_claimed() -> None:
    assert resolve(LAYERED, "anna", (), "audit").persons["day"] == 900
    assert resolve(LAYERED, "anna", (), "audit").basis == "art. 6"
    assert resolve(LAYERED, "anna", (), "service").persons["day"] == 100
    assert resolve(LAYERED, "bert", (), "audit").persons["day"] == 900
    assert resolve(LAYERED, "bert", (), "made up").persons["day"] == 100


def test_what_was_declared_is_recorded_as_it_was_declared() -> None:
    assert resolve(LAYERED, "anna", (), "made up").purpose == "made up"
    assert resolve(LAYERED, "anna").purposes == {"audit"}
    assert resolve(LAYERED, "bert").purposes == {"audit", "service"}


def test_a_purpose_never_changes_under_whose_name_is_charged() -> None:
    class Layers:
        defaults = {"caseload_days": 30}  # noqa: RUF012
        roles: dict[str, dict[str, object]] = {}  # noqa: RUF012
        accounts: dict[str, dict[str, object]] = {}  # noqa: RUF012
        purposes = {"p": {"recipient": "x", "guarded": False, "caseload_days": 0, "copy": True}}  # noqa: RUF012

    found = resolve(Layers(), "anna", (), "p")
    assert (found.recipient, found.guarded, found.caseload_days, found.copy) == ("anna", True, 30, True)


def test_marks_make_an_account_read_only() -> None:
    assert resolve(LAYERED, "robot").read_only and not resolve(LAYERED, "anna").read_only


@pytest.mark.parametrize(
    "text",
    [
        "[accounts.anna]\nmarks = true\nread_only = false\n",
        "[defaults]\nmarks = true\n[accounts.anna]\nread_only = false\n",
        "[roles.clerks]\nmarks = true\n[accounts.anna]\nread_only = false\n[purposes.audit]\ncopy = true\n",
    ],
)
@pytest.mark.parametrize("purpose", ["", "audit"])
def test_no_layer_lets_an_account_with_marks_write(text: str, purpose: str) -> None:
    found = resolve(settings(text), "anna", ("clerks",), purpose)
    assert found.marks and found.read_only


def test_marks_that_are_taken_back_leave_writing_alone() -> None:
    found = resolve(settings("[defaults]\nmarks = true\n[accounts.anna]\nmarks = false\n"), "anna")
    assert not found.marks and not found.read_only


@pytest.mark.parametrize(
    ("local", "opened"),
    [
        (0, False),  # 1970-01-01 00:00, a Thursday
        (8 * 3_600_000, True),
        (18 * 3_600_000 - 1, True),
        (18 * 3_600_000, False),
        (2 * 86_400_000 + 9 * 3_600_000, False),  # Saturday
        (4 * 86_400_000 + 9 * 3_600_000, True),  # Monday
    ],
)
def test_hours(local: int, opened: bool) -> None:
    assert Hours(frozenset(range(5)), ((8 * 60, 18 * 60),)).open(local) is opened
