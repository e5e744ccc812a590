"""The tables of names: one romanisation a character, shares that fall, and nothing twice."""

from collections import defaultdict

from muniment.demo import words


def test_every_character_has_one_romanisation():
    seen = defaultdict(set)
    for table in (words.SURNAMES_ZH, *(part for sex in words.GIVEN_ZH.values() for cohort in sex for part in cohort)):
        assert len(dict(table)) == len(table)
        for character, spelling in table:
            seen[character].add(spelling)
    assert all(len(spellings) == 1 for spellings in seen.values())


def test_surname_shares_fall_with_rank():
    assert len(words.SURNAME_SHARES) == len(words.SURNAMES_ZH) > 99
    assert list(words.SURNAME_SHARES) == sorted(words.SURNAME_SHARES, reverse=True)
    assert 90 < sum(words.SURNAME_SHARES) < 100


def test_western_names_are_distinct():
    assert len(set(words.SURNAMES_EN)) == len(words.SURNAMES_EN)
    for cohorts in words.GIVEN_EN.values():
        assert len(cohorts) == len(words.COHORTS) + 1
        assert all(len(set(names)) == len(names) >= 44 for names in cohorts)
