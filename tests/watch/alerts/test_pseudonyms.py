"""Pseudonyms: keyed, stable, apart by sort, and found again only among names that one has."""

from __future__ import annotations

import re

import pytest

from language.alerting import ACCOUNT, NAMES, WHO
from muniment.watch.alerts import Pseudonyms


def test_a_name_has_one_pseudonym() -> None:
    assert re.fullmatch("[A-Z2-7]{10}", WHO) and NAMES.of("account", ACCOUNT) == WHO
    assert Pseudonyms(bytes(range(32))).of("account", ACCOUNT) == WHO
    others = {NAMES.of("office", ACCOUNT), Pseudonyms(bytes(32)).of("account", ACCOUNT), NAMES.of("account", "b.lin")}
    assert len(others | {WHO}) == 4
    assert NAMES.of("account", "") == ""


def test_no_two_of_many_accounts_share_one() -> None:
    assert len({NAMES.of("account", f"a{number}") for number in range(20_000)}) == 20_000


def test_who_has_the_names_finds_it() -> None:
    assert NAMES.find(f" {WHO.lower()} ", ["b.lin", ACCOUNT]) == ACCOUNT
    assert NAMES.find(WHO, ["b.lin"]) == "" and NAMES.find("", ["b.lin"]) == ""


def test_a_short_key_is_refused_and_none_is_shown() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(bytes(16))
    assert repr(NAMES) == "Pseudonyms()"
