"""The words of alerts, in English and in the Chinese of Taiwan: `words.LANGUAGE.toml`, same keys and places.

Rules
1. zh-TW is written by hand, in Taiwan's own words (帳號, 單位, 登記簿, 紀錄, 欄位, 案件, 承辦, 額度, 警示, 誤報, 代號).
2. A text accuses nobody: it says what was read, and beside it the strongest innocent reading.
3. The query that would refute an alert is the same in all languages (`QUERIES`). SQL is over the tables of the context
   as their keeper gives them (docs/watch-context.md); `:account` and `:office` are filled in by whoever may know
   them, not by watch.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from muniment.errors import InputError
from muniment.messages import LANGUAGES

DESIGN: Final = ("budget", "share", "challenge", "decoy")
"""Patterns that can be guaranteed, each with an assumption in the tables below."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `what`, `innocent`: a sentence a pattern; `assumes`: the null of a pattern that is true by design;
    `short`: its name in a subject; `parts`: everything else, by key."""

    short: Mapping[str, str]
    what: Mapping[str, str]
    innocent: Mapping[str, str]
    assumes: Mapping[str, str]
    parts: Mapping[str, str]


@cache
def words_of(lang: str) -> Words:
    """The words of a language. Raises `InputError` for one there are none for."""
    if lang not in LANGUAGES:
        raise InputError(f"unknown language {lang!r}: expected one of {', '.join(LANGUAGES)}")
    source = files(__package__).joinpath(f"words.{lang}.toml").read_text(encoding="utf-8")
    return Words(**tomllib.loads(source))


_CASES: Final = (
    'SELECT c."type", count(*) FROM assignments a JOIN cases c ON c."case" = a."case" WHERE a.account = :account'
    " AND c.opened < DATE '{after}' AND (c.closed IS NULL OR c.closed >= DATE '{since}') GROUP BY c.\"type\";"
)
_OWNERS: Final = (
    'SELECT office, since, until, count(*) FROM assignments WHERE account IS NULL AND office = :office'
    " AND (since IS NULL OR since < DATE '{after}') AND (until IS NULL OR until >= DATE '{since}')"
    " GROUP BY office, since, until;"
)
_STAYS: Final = (
    "SELECT office, role, since, until FROM staff WHERE account = :account"
    " AND (until IS NULL OR until >= DATE '{since}') ORDER BY since;"
)
_JOBS: Final = (
    'SELECT "case", since, until, most FROM jobs WHERE account = :account'
    " AND (since IS NULL OR since < DATE '{after}') AND (until IS NULL OR until >= DATE '{since}');"
)
_LATE: Final = (
    'SELECT count(*) FROM cases c JOIN assignments a ON a."case" = c."case" WHERE a.account = :account'
    " AND c.opened BETWEEN DATE '{since}' AND DATE '{late}';"
)
_LEDGER: Final = "muniment ledger show --account :account --since {since} --until {after}"

QUERIES: Final[Mapping[str, str]] = {
    "budget": _LATE,
    "share": _LATE,
    "expected": _STAYS,
    "caseload": _OWNERS,
    "challenge": "muniment watch challenges",
    "decoy": _LEDGER,
    "volume": "SELECT date, kind, office FROM calendar WHERE date BETWEEN DATE '{since}' AND DATE '{day}';",
    "burst": _JOBS,
    "takeover": _STAYS,
    "waking": _STAYS,
    "coverage": _JOBS,
    "pursuit": _CASES,
    "split": (
        'SELECT "type", count(*) FROM cases WHERE office = :office'
        " AND opened BETWEEN DATE '{since}' AND DATE '{late}' GROUP BY \"type\";"
    ),
    "crowd": "SELECT \"type\", opened, count(*) FROM cases WHERE opened BETWEEN DATE '{since}' AND DATE '{late}'"
             " GROUP BY \"type\", opened;",
}  # fmt: skip
"""Places: `since`, `day` (ISO dates), `after` (the day after), `late` (30 days after: cases recorded late)."""
