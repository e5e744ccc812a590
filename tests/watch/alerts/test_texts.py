"""The tables of words: each language whole, refuting queries that name nobody and end where the alert ends."""

from __future__ import annotations

import re
import string

import pytest

from muniment.errors import InputError
from muniment.messages import LANGUAGES
from muniment.watch.alerts.texts import DESIGN, QUERIES, words_of

PLACES = {"since": "2025-03-03", "day": "2025-03-09", "after": "2025-03-10", "late": "2025-04-08"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_language_is_read_once_and_has_a_null_for_each_pattern_that_can_be_guaranteed(lang: str) -> None:
    words = words_of(lang)
    assert words_of(lang) is words
    assert set(words.assumes) == set(DESIGN) < set(words.what)
    assert len(set(words.innocent.values())) > len(words.innocent) / 2
    assert not set(words.what.values()) & set(words.innocent.values())


@pytest.mark.parametrize("lang", ["", "EN", "zh", "zh-tw", "../en"])
def test_another_language_is_refused(lang: str) -> None:
    with pytest.raises(InputError, match="unknown language"):
        words_of(lang)


@pytest.mark.parametrize("pattern", QUERIES)
def test_a_query_has_known_places_and_leaves_who_it_is_about_to_others(pattern: str) -> None:
    query = QUERIES[pattern]
    assert {name for _, name, _, _ in string.Formatter().parse(query) if name is not None} <= set(PLACES)
    filled = query.format(**PLACES)
    assert set(re.findall(r"(?<![\w:]):(\w+)", filled)) <= {"account", "office"}
    assert "record" not in filled and "{" not in filled


@pytest.mark.parametrize("pattern", [name for name, query in QUERIES.items() if query.startswith("SELECT")])
def test_a_query_only_reads_and_is_one_statement(pattern: str) -> None:
    query = QUERIES[pattern]
    assert query.count(";") == 1 and query.endswith(";")
    assert not re.search(r"\b(insert|update|delete|drop|alter|create|copy|attach)\b", query, re.IGNORECASE)
