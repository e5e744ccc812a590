"""Invented households: sizes, ages that fit the roles, names that fit sex and generation."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from muniment.demo import families, words


@pytest.fixture(scope="module")
def drawn():
    return families.draw(np.random.default_rng(1), 4_000)


def test_heads_are_grown_and_nobody_is_born_after_today(drawn):
    age = (families.TODAY - drawn.birth) / 365.25
    assert age.min() > 0
    assert age[drawn.first].min() >= 20
    assert age.max() < 112


def test_households_stand_in_order(drawn):
    assert (np.diff(drawn.household) >= 0).all()
    assert (np.bincount(drawn.household) == drawn.size).all()
    assert (drawn.household[drawn.first] == np.arange(4_000)).all()


def test_surnames_are_shared_within_households_more_than_between(drawn):
    local = drawn.household[1:] == drawn.household[:-1]
    same = drawn.surname[1:] == drawn.surname[:-1]
    assert same[local].mean() > 0.35
    assert same[~local].mean() < 0.1


def test_names_fit_sex_and_script(drawn):
    names = families.name(np.random.default_rng(2), drawn)
    seen = defaultdict(Counter)
    for zh, female in zip(names.zh, drawn.female.tolist(), strict=True):
        if zh is not None and len(zh) == 3:
            seen[zh[2]][female] += 1
    assert seen["芬"][True] > 20
    assert seen["芬"][False] == 0
    for zh, foreign in zip(names.zh, drawn.foreign.tolist(), strict=True):
        assert (zh is None) == foreign


def test_romanised_names_follow_the_characters(drawn):
    names = families.name(np.random.default_rng(2), drawn)
    spelled = dict(words.SURNAMES_ZH)
    for zh, en in zip(names.zh, names.en, strict=True):
        if zh is not None and en is not None:
            assert en.split(" ")[0] == spelled[zh[0]]
            assert len(en.replace("-", " ").split(" ")) == len(zh)


def test_weighted_draws_follow_their_weights():
    drawn = families.weighted(np.random.default_rng(0), (3, 0, 1), 40_000)
    shares = np.bincount(drawn, minlength=3) / 40_000
    assert np.abs(shares - (0.75, 0, 0.25)).max() < 0.01
    assert families.zipf(3, 1.0) == sorted(families.zipf(3, 1.0), reverse=True)
