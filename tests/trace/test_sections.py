"""The worded sections of the report."""

from __future__ import annotations

from dataclasses import replace

from language import verdicts
from muniment.messages.markup import join
from muniment.trace import sections
from muniment.trace.page import Page
from muniment.trace.verdict import Verdict


def _made(section: object, verdict: Verdict, lang: str = "en", *, examples: bool = True) -> str:
    return join(section(Page(verdict, lang, examples)))


def test_facts_hold_what_fixes_the_bound() -> None:
    made = _made(sections.facts, verdicts.one_named())
    for value in ("leak.csv", "9f86d081", "residents", "1,000", "1 in 1,000,000", "9.30", "1042 sha256:5b3f0c1d"):
        assert value in made
    assert "2026-11-24 09:30:00+08:00" in made
    assert "民國 115 年" in _made(sections.facts, verdicts.one_named(), "zh-TW")


def test_two_propositions_for_each_named_and_no_transposed_conditional() -> None:
    made = _made(sections.propositions, verdicts.mixture())
    assert made.count("H1: a copy made for") == 2
    assert "It is not the probability that H1 is true" in made
    assert "H1: a copy made for the candidate" in _made(sections.propositions, verdicts.none())


def test_examples_can_be_switched_off() -> None:
    assert "12 High St. / 12 high street" in _made(sections.mapping, verdicts.one_named())
    off = _made(sections.mapping, verdicts.one_named(), examples=False)
    assert "12 High" not in off
    assert "no value of the file stands in this report" in off


def test_the_scale_names_its_edition_and_the_phrase_used() -> None:
    made = _made(sections.scale, verdicts.one_named())
    assert "version 3.0 (2015)" in made
    assert made.count("used in this report") == 1
    assert not sections.scale(Page(verdicts.none(), "en", examples=True))


def test_commands_are_quoted() -> None:
    hostile = replace(verdicts.one_named(), file="a b; rm -rf $HOME'.csv", register="-x; ls")
    made = _made(sections.recompute, hostile)
    assert "sha256sum -- &#x27;a b; rm -rf $HOME&#x27;&quot;&#x27;&quot;&#x27;.csv&#x27;" in made
    assert "muniment trace --register &#x27;-x; ls&#x27;" in made
    assert "no codeword is opened" in _made(sections.recompute, verdicts.none())


def test_commitments_are_listed_in_order() -> None:
    made = _made(sections.digests, verdicts.one_named())
    assert made.index("mk-1") < made.index("mk-2")


def test_what_would_change_and_limits() -> None:
    assert "pooled their copies" in _made(sections.change, verdicts.one_named())
    assert "pooled" not in _made(sections.change, verdicts.none())
    assert "not an opinion on guilt" in _made(sections.limits, verdicts.one_named())
    assert _made(sections.assumed, verdicts.one_named()).count("<li>") == 5


def test_leads_only_when_present_and_under_a_warning() -> None:
    assert not sections.leads(Page(verdicts.one_named(), "en", examples=True))
    made = _made(sections.leads, verdicts.mixture())
    assert made.startswith('<p class="warning">Not evidence.')
    assert "No recipient holds enough" in _made(sections.leads, replace(verdicts.none(), leads=()))
