"""The words of alerts: both languages alike, five lines, all that must stand beside them, and nothing that must not."""

from __future__ import annotations

import re
import string
from dataclasses import fields, replace

import duckdb
import pytest

from language.alerting import ACCOUNT, NOW, WHO, alert, book, sighting
from muniment.errors import InputError
from muniment.messages import LANGUAGES
from muniment.watch.alerts import Alert, NamedStake, Seen, View, page, render, sighted_crowd
from muniment.watch.alerts.exemptions import Hidden
from muniment.watch.alerts.sighting import PATTERNS
from muniment.watch.alerts.text import hidden_text, plain, subject
from muniment.watch.alerts.texts import DESIGN, QUERIES, Words, words_of

MAINLAND = (
    *"信息 數據 默認 用戶 軟件 程序 字符 文件夾 服務器 網絡 質量 賬 釋放".split(),
    *"登錄 告警 報警 嫌疑 攻擊者".split(),
)
"""Words of the mainland, and words that accuse. (「登錄」 of a case is Taiwan's word: see the test.)"""
JUDGING = re.compile(r"\b(suspect|guilty of|attacker|criminal|thief|risk score|user)\b", re.IGNORECASE)
SECTIONS = [one.name for one in fields(Words)]
ALL = [(section, key) for section in SECTIONS for key in getattr(words_of("en"), section)]


def _places(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("section", SECTIONS)
def test_both_languages_have_the_same_keys_and_places(section: str) -> None:
    english, chinese = (getattr(words_of(lang), section) for lang in LANGUAGES)
    assert list(english) == list(chinese)
    for key, text in english.items():
        assert _places(text) == _places(chinese[key]), key
        assert text.strip() and chinese[key].strip() and "\n" not in text + chinese[key]


def test_every_pattern_has_its_texts() -> None:
    for lang in LANGUAGES:
        words = words_of(lang)
        assert set(words.short) == set(words.what) == set(words.innocent) == set(QUERIES) == set(PATTERNS)
        assert set(words.assumes) == set(DESIGN)
    with pytest.raises(InputError, match="expected one of en, zh-TW"):
        words_of("fr")


@pytest.mark.parametrize(("section", "key"), ALL)
def test_the_chinese_is_of_taiwan_and_nobody_is_accused(section: str, key: str) -> None:
    chinese, english = (getattr(words_of(lang), section)[key] for lang in ("zh-TW", "en"))
    assert not [word for word in MAINLAND if word in chinese and not (word == "登錄" and "案件" in chinese)]
    assert not re.search(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]", chinese)
    assert not JUDGING.search(english)


def every() -> list[Alert]:
    crowd = book(sighted_crowd("residents", 9, 20_100, 20_106, b"sealed")).alerts[0]
    return [*(alert(pattern) for pattern in PATTERNS if pattern != "crowd"), crowd, alert("split", unit="office")]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("one", every(), ids=lambda one: f"{one.unit}-{one.pattern}")
def test_five_lines_without_name_key_or_ordinal(one: Alert, lang: str) -> None:
    lines = render(one, lang, View())
    assert len(lines) == 5 and all(line and "\n" not in line and "{" not in line for line in lines)
    text = "\n".join((*page(one, lang, View()), subject(one, lang, View())))
    assert ACCOUNT not in text and "None" not in text
    assert (one.pseudonym in lines[0]) and words_of(lang).parts[one.kind] in lines[0]
    assert one.pseudonym == "" or one.pseudonym not in lines[4]


@pytest.mark.parametrize("pattern", [name for name, query in QUERIES.items() if query.startswith("SELECT")])
def test_refuting_queries_run_over_the_tables_of_the_context(pattern: str) -> None:
    query = render(alert(pattern), "en", View())[4].partition(": ")[2]
    database = duckdb.connect()
    for name, columns in TABLES.items():
        database.execute(f"CREATE TABLE {name} ({columns})")
    database.execute("INSERT INTO staff VALUES ('a.lin', 'Housing', 'clerk', NULL, NULL)")
    values = {"account": "a.lin", "office": "Housing"}
    given = {key: value for key, value in values.items() if f":{key}" in query}
    found = database.execute(query.replace(":account", "$account").replace(":office", "$office"), given).fetchall()
    assert len(found) <= 1
    assert (("Housing", "clerk", None, None) in found) == ("FROM staff" in query)


TABLES = {
    "staff": "account TEXT, office TEXT, role TEXT, since DATE, until DATE",
    "cases": '"case" TEXT, "type" TEXT, opened DATE, closed DATE, opener TEXT, office TEXT',
    "assignments": '"case" TEXT, account TEXT, office TEXT, since DATE, until DATE',
    "calendar": "date DATE, kind TEXT, office TEXT",
    "jobs": 'account TEXT, "case" TEXT, since DATE, until DATE, most INTEGER',
}


def test_what_the_lines_say() -> None:
    what, since, stake, innocent, query = render(alert(), "en", View())
    assert what.startswith(f"What: Account {WHO} reads more new records") and what.endswith("(guaranteed)")
    assert since == "Since: 2025-01-12; last seen 2025-01-22, 1 finding(s)."
    residents, dogs = "up to 30 record(s) of residents (name, address)", "up to 7 record(s) of dogs (owner)"
    assert stake == f"At stake: {residents}; {dogs}; weighted 67.0."
    assert "recorded late" in innocent and "BETWEEN DATE '2025-01-12' AND DATE '2025-02-21'" in query


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "at least 2,000 account-days on average"), ("zh-TW", "平均至少 2,000 個帳號日才會有一次誤報")],
)
def test_guaranteed_says_theorem_assumption_and_bound(lang: str, said: str) -> None:
    text = "\n".join(page(alert(), lang, View()))
    assert said in text and "Shin" in text and "11.0 %" in text
    assert words_of(lang).assumes["budget"] in text and words_of(lang).assumes["share"] not in text
    both = alert(shares=(("budget", 0.6), ("share", 0.4), ("decoy", 0.0)))
    text = "\n".join(page(both, lang, View()))
    assert words_of(lang).assumes["share"] in text and words_of(lang).assumes["decoy"] not in text


def test_estimated_says_so_with_the_rate_seen() -> None:
    seen = View(seen={"": Seen(9, 9), alert().last.office: Seen(3, 4_000, 0.0019)})
    text = "\n".join(page(alert("burst"), "en", seen))
    assert "no bound holds" in text and "Shin" not in text
    assert "3 alert(s) in 4,000 account-days, 0.75 per 1,000 (at most 1.90 at 95 %)" in text
    assert "flag about 19.8 % of innocent accounts. At the rate seen it is 15.2 %" in text
    assert "not measured yet" in "\n".join(page(alert("burst"), "en", View(seen={"": Seen(0, 0)})))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_states_the_share_of_innocent_accounts(lang: str) -> None:
    assert all("19.8 %" in "\n".join(page(one, lang, View())) for one in every())
    assert "35.6 %" in "\n".join(page(alert(), lang, View(alpha=0.002)))


def test_a_name_is_shown_only_where_the_view_has_it() -> None:
    known = View({WHO: ACCOUNT})
    assert ACCOUNT in render(alert(), "en", known)[0] and ACCOUNT not in render(alert(), "en", known)[4]
    assert ACCOUNT not in "\n".join(render(alert(), "en", known.outside)) and ACCOUNT not in repr(known)


def test_the_page_tells_the_history() -> None:
    made = book(sighting(), sighting(day=20_111))
    made.apply(made.say("explained", made.alerts[0].id, NOW, by="dpo", reason="declared\x1b[2J\nmailing"))
    text = page(made.alerts[0], "en", View())
    assert "2025-10-09T08:53:20Z explained by dpo: declared [2J mailing" in text
    assert text[0].endswith("explained - guaranteed") and any(line.endswith("seen again") for line in text)


def test_many_columns_and_registers_are_counted() -> None:
    wide = tuple(NamedStake(f"r{n}", tuple(f"c{m}" for m in range(9)), n + 1) for n in range(5))
    stake = render(alert(stakes=wide), "en", View())[2]
    assert "r4 (c0, c1, c2, c3, c4, c5, and 3 more)" in stake
    assert "up to 3 record(s) of …" in stake and "r0" not in stake
    assert "no counted record" in render(alert(stakes=()), "en", View())[2]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\x1b[31mb", "a [31mb"), ("a\u202eb", "a b"), ("a\n\tb", "a b"), ("\ud800x", "x"), ("x" * 200, "x" * 119 + "…"),
     ("王小明", "王小明"), ("a\u2028b", "a b")],
    ids=["escape", "bidi", "lines", "surrogate", "long", "plain", "separator"],
)  # fmt: skip
def test_names_from_outside_are_harmless(text: str, shown: str) -> None:
    assert plain(text) == shown
    if "王" in text or "\x1b" in text:
        assert shown in render(alert(stakes=(NamedStake(text, (), 1),)), "zh-TW", View())[2]


@pytest.mark.parametrize("day", [-10**7, 10**7])
def test_days_beyond_the_calendar_do_not_crash(day: int) -> None:
    assert len(page(alert(day=day, since=day), "en", View())) > 5


def test_what_an_exception_would_have_hidden_in_words() -> None:
    found = Hidden(sightings=4, alerts=2, accounts=1, records=1_240, guaranteed=1)
    for lang in LANGUAGES:
        text = hidden_text(found, lang)
        assert "1,240" in text and "90" in text
        worse = hidden_text(replace(found, confirmed=1, unsure=3), lang)
        assert words_of(lang).parts["hidden_confirmed"] in worse and len(worse) > len(text)
