"""The options that choose disclosures: dates are local, and a day alone counts whole."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muniment.cli.selecting import selection
from muniment.errors import InputError


def test_every_option_is_taken_over() -> None:
    chosen = selection("Tax office", "clerk7", "A-1", "gate", "2026-01-05", "2026-01-05")
    assert (chosen.recipient, chosen.account, chosen.case, chosen.channel) == ("Tax office", "clerk7", "A-1", "gate")
    assert chosen.since is not None and chosen.until is not None
    assert timedelta(hours=23) < chosen.until - chosen.since < timedelta(hours=26)


def test_nothing_given_means_everything() -> None:
    chosen = selection(None, None, None, None, None, None)
    assert chosen.since is None and chosen.until is None and chosen.recipient is None


def test_a_date_that_is_none() -> None:
    with pytest.raises(InputError, match="someday"):
        selection(None, None, None, None, "someday", None)
