"""Every bound carries its assumptions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from language import verdicts
from muniment.messages import LANGUAGES
from muniment.trace.assumptions import assumptions, chance, needed

KEYS = ["key_secret", "copy_not_person", "aes_random", "counted", "power"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", list(verdicts.ALL))
def test_all_five_are_said(name: str, lang: str) -> None:
    said = [a.key for a in assumptions(verdicts.ALL[name](), lang)]
    assert [key for key in said if key != "not_evidential"] == KEYS


def test_the_numbers_of_the_bound_are_in_the_sentence() -> None:
    verdict = replace(verdicts.one_named(), candidates=12_345, examination=3, alpha=1e-4)
    counted = assumptions(verdict, "en")[3].text
    assert "12,345 candidates" in counted
    assert "examination 3" in counted
    assert verdict.checkpoint in counted
    assert "0.1 over 1,000 leaks" in counted


def test_a_run_that_is_not_evidential_says_so_first() -> None:
    assert assumptions(verdicts.unreadable(), "en")[0].key == "not_evidential"
    assert "not_evidential" not in [a.key for a in assumptions(verdicts.none(), "en")]


def test_power_claims_no_more_than_a_simulation_shows() -> None:
    power = verdicts.none().power
    assert chance(replace(power, probability=1.0), "en") == "above 98 %"
    assert chance(replace(power, probability=0.0), "en") == "below 2 %"
    assert chance(power, "en") == "7.1 %"
    assert "86 symbols" in needed(power, "en")
    assert "no number" in needed(replace(power, symbols_for_95=0), "en")
