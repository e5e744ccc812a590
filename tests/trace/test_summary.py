"""What the terminal shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from language import verdicts
from muniment.trace.summary import answer, family, odds, summary


def test_the_answer_comes_first() -> None:
    first = summary(verdicts.one_named(), "en").splitlines()[0]
    assert first == "A copy made for Eastern District Office is among the sources of “leak.csv”."
    assert summary(verdicts.none(), "zh-TW").splitlines()[0] == "未指名「found on a stick.xlsx」的任何來源。"


def test_a_named_recipient_has_its_numbers_and_the_bound() -> None:
    text = summary(verdicts.one_named(), "en")
    assert "log10 E = 21.34; log10 (E/n) = 18.34, extremely strong support (ENFSI 2015); copies: 17, 204" in text
    assert "1 in 1,000,000 for naming any innocent; candidates: 1,000; examination: 1; threshold" in text
    assert "log10 E at least 9.30" in text
    assert "1042 sha256:5b3f0c1d" in text
    assert "only if the mark key was secret" in text


def test_nobody_named_comes_with_the_power() -> None:
    text = summary(verdicts.none(), "en")
    assert "probability 7.1 %" in text
    assert "86 symbols like these give 95 %" in text
    assert "support" not in text
    assert "no mark could be read" in summary(verdicts.unreadable(), "en")


def test_erased_and_rewritten_families_are_told_apart() -> None:
    lines = [line.strip() for line in summary(verdicts.one_named(), "en").splitlines()]
    assert "tai-variant in address: 180 of 180 read (one form only: rewritten, or never marked)" in lines
    assert "phone-layout in phone: 0 of 402 read (normalised away)" in lines
    assert "street-type in address: 471 of 498 read" in lines


def test_leads_are_last_apart_and_not_evidence() -> None:
    assert "evidence" not in summary(verdicts.one_named(), "en")
    text = summary(verdicts.mixture(), "en")
    verdict, leads = text.split("\n\n")
    assert leads.startswith("Leads (not evidence; asked for):")
    assert "31.4 expected by office alone" in leads
    assert "expected by office" not in verdict
    assert "no recipient holds enough" in summary(replace(verdicts.none(), leads=()), "en")


def test_a_run_that_is_not_evidential_says_so_at_once() -> None:
    assert "not evidential" in summary(verdicts.unreadable(), "en").splitlines()[1]


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_a_name_cannot_move_the_cursor(lang: str) -> None:
    text = summary(verdicts.hostile(), lang)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_bound_is_never_understated() -> None:
    assert odds(1e-6, "en") == "1 in 1,000,000"
    assert odds(1e-3, "zh-TW") == "1,000 分之 1"
    assert odds(3e-2, "en") == "1 in 33"


def test_several_are_listed_in_order_of_evidence() -> None:
    assert answer(verdicts.mixture(), "zh-TW").endswith("：Eastern District Office、臺北市戶政資訊中心（東區）。")


def test_the_mixing_term_has_a_name() -> None:
    assert family("", "", "en").startswith("averaging")
    assert family("order", "", "en") == "order"
