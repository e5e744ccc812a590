"""The decision: who is named, who is not, and that nothing about the unnamed leaves the examination."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from language.worlds import World
from muniment.disclosure import Recipient
from muniment.errors import InputError
from muniment.evidence import log10_threshold
from muniment.marks.laws import arcsine
from muniment.marks.read import MergedSymbols, concatenate, merge
from muniment.trace import examine as module
from muniment.trace.examine import Group, as_scored, examine
from muniment.trace.score import MIXTURES, log10_e

EVERYONE = tuple(Recipient(number, f"Office {number}") for number in range(40))
ALPHA = 1e-6


@pytest.fixture
def world() -> World:
    return World(np.random.default_rng(11))


def leak(world: World, symbols: int = 150, colluders: int = 1, attack: str = "mix") -> MergedSymbols:
    return merge(world.family(0, world.records(symbols), arcsine(0.03), colluders, attack))


def nothing() -> MergedSymbols:
    return merge(concatenate([]))


def group(world: World, symbols: MergedSymbols, **changes: object) -> Group:
    values = {"candidates": EVERYONE, "on_register": nothing(), **changes}
    return Group(  # type: ignore[arg-type]
        "persons", "mark-1", world.codebook, symbols=symbols, mixture=MIXTURES[10], **values
    )


def named(*groups: Group, number: int = 1) -> list[str]:
    return [finding.recipient.name for finding in examine(groups, ALPHA, number).findings]


def test_the_source_is_named_and_nobody_else(world: World) -> None:
    assert named(group(world, leak(world))) == ["Office 0"]


def test_of_a_mixture_only_its_sources_are_named(world: World) -> None:
    found = named(group(world, leak(world, 600, colluders=2)))
    assert found
    assert set(found) <= {"Office 0", "Office 1"}


def test_a_finding_carries_its_codeword_and_its_parts_add_up(world: World) -> None:
    symbols = leak(world)
    (finding,) = examine([group(world, symbols)], ALPHA, 1).findings
    bits = world.codebook.bits(symbols.addresses, symbols.threshold, [0])[0]
    assert (finding.codeword == bits).all()
    assert finding.log10_e == pytest.approx(log10_e(as_scored(symbols), bits[None], MIXTURES[10])[0])
    assert sum(share.log10_e for share in finding.shares) == pytest.approx(finding.log10_e)


def test_candidates_are_counted_over_all_groups(world: World) -> None:
    symbols = leak(world)
    outcome = examine([group(world, symbols), group(world, symbols, candidates=EVERYONE[:5])], ALPHA, 3)
    assert outcome.candidates == 45
    assert outcome.log10_threshold == log10_threshold(45, ALPHA, 3)


def test_an_examination_repeated_often_enough_names_nobody(world: World) -> None:
    """The threshold rises with k(k+1): what one look named by a hair, a later look does not."""
    symbols = leak(world, 95)
    looks = [bool(named(group(world, symbols), number=k)) for k in (1, 10**6)]
    assert looks == [True, False]


def test_the_threshold_itself_names(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = leak(world)
    (finding,) = examine([group(world, symbols)], ALPHA, 1).findings
    for slack, expected in ((0.0, 1), (1e-9, 0)):
        monkeypatch.setattr(module, "log10_threshold", lambda *_, s=slack: finding.log10_e + s)
        assert len(examine([group(world, symbols)], ALPHA, 1).findings) == expected


# --- who is not named --------------------------------------------------------------------------------------------


def test_a_recipient_that_the_register_itself_would_name_is_not_named(world: World) -> None:
    symbols = leak(world)
    written_back = group(world, symbols, on_register=symbols)
    assert named(written_back) == []
    plain = replace(symbols, share=np.zeros(len(symbols)))
    assert named(group(world, symbols, on_register=plain)) == ["Office 0"]


def test_opened_addresses_read_as_erased_for_that_recipient_only(world: World) -> None:
    symbols = leak(world, 400, colluders=1)
    all_opened = {0: symbols.addresses.numbers}
    assert named(group(world, symbols, opened=all_opened)) == []
    assert named(group(world, symbols, opened={1: symbols.addresses.numbers})) == ["Office 0"]


def test_what_was_not_opened_still_counts_and_only_that_is_kept(world: World) -> None:
    symbols = leak(world, 400)
    some = group(world, symbols, opened={0: symbols.addresses.numbers[:100]})
    (finding,) = examine([some], ALPHA, 1).findings
    assert len(finding.symbols) == len(finding.codeword) == 300
    assert not np.isin(finding.symbols.addresses.numbers, symbols.addresses.numbers[:100]).any()


def test_no_symbol_names_nobody(world: World) -> None:
    assert named(group(world, nothing())) == []


def test_without_a_candidate_there_is_no_bound(world: World) -> None:
    with pytest.raises(InputError):
        examine([group(world, leak(world), candidates=())], ALPHA, 1)


# --- the screen --------------------------------------------------------------------------------------------------


def test_a_source_over_the_floor_is_scored_in_full(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = leak(world, 300)
    (whole,) = examine([group(world, symbols)], ALPHA, 1).findings
    monkeypatch.setattr(module, "SCREEN_SYMBOLS", 60)
    (screened,) = examine([group(world, symbols)], ALPHA, 1).findings
    assert screened.log10_e == whole.log10_e
    assert screened.recipient == whole.recipient


def test_the_screen_is_chosen_by_phase_not_by_what_was_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = leak(world, 300)
    seen: list[np.ndarray] = []
    real = module._score
    monkeypatch.setattr(module, "SCREEN_SYMBOLS", 60)
    monkeypatch.setattr(module, "_score", lambda g, s, n: seen.append(s.phase) or real(g, s, n))
    examine([group(world, symbols)], ALPHA, 1)
    assert set(seen[0].tolist()) == set(np.sort(symbols.phase)[:60].tolist())


def test_candidates_are_scored_some_at_a_time_with_one_outcome(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = leak(world, 300, colluders=2)
    whole = examine([group(world, symbols)], ALPHA, 1)
    monkeypatch.setattr(module, "_CHUNK_BITS", 4)
    pieces = examine([group(world, symbols)], ALPHA, 1)
    assert [f.recipient for f in pieces.findings] == [f.recipient for f in whole.findings]
    assert pieces.histogram == whole.histogram


# --- nothing about the unnamed -------------------------------------------------------------------------------------


def test_nothing_of_an_unnamed_candidate_leaves(world: World) -> None:
    outcome = examine([group(world, leak(world))], ALPHA, 1)
    (finding,) = outcome.findings
    assert outcome.histogram is not None
    assert sum(outcome.histogram.counts) == len(EVERYONE) - 1
    assert set(outcome.__slots__) == {"findings", "candidates", "log10_threshold", "histogram"}
    assert set(finding.__slots__) == {"group", "recipient", "log10_e", "shares", "symbols", "codeword"}


@pytest.mark.parametrize(
    ("symbols", "candidates", "shown"), [(19, 40, False), (20, 40, True), (60, 19, False), (60, 20, True)]
)
def test_the_histogram_is_hidden_where_it_would_show_single_persons(
    world: World, symbols: int, candidates: int, shown: bool
) -> None:
    """All candidates took no part (numbers from 100 on), so that none is named and all are counted."""
    innocents = tuple(Recipient(100 + number, "x") for number in range(candidates))
    outcome = examine([group(world, leak(world, symbols), candidates=innocents)], ALPHA, 1)
    assert not outcome.findings
    assert (outcome.histogram is not None) == shown


def test_the_named_are_not_in_the_histogram(world: World) -> None:
    outcome = examine([group(world, leak(world), candidates=EVERYONE[:20])], ALPHA, 1)
    assert len(outcome.findings) == 1
    assert outcome.histogram is None, "19 unnamed candidates are too few to show"
