"""watch.toml: read whole, faults named, keys explained in both languages, and what decides kept as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import InputError
from muniment.watch.reads import Spaces
from muniment.watch.settings import WatchSettings, explain, parse, render_settings, restored
from muniment.watch.settings_table import BY_TABLE, KEYS
from muniment.watch.signals.declared import Budget

HERE = Path("watch.toml")
FULL = """
[watch]
alerts_per_1000 = 0.5
lag_hours = 36
time_zone = "Asia/Taipei"
channels = ["gate", "imported"]
challenge = 0.02
[budget]
a_day = 2.5
share = 0.2
[offices.tax]
a_day = 6
[accounts."clerk 7"]
share = 0.5
[weights]
people = 1
"people.phone" = 3.5
[types.custody]
household = true
[sinks.siem]
kind = "syslog"
host = "siem.example"
[gate]
lower = true
persons = {day = 5, month = 50}
"""


def test_a_whole_file() -> None:
    found = parse(FULL, HERE)
    assert (found.alpha, found.lag_ms, found.time_zone) == (0.0005, 36 * 3_600_000, "Asia/Taipei")
    assert found.budget == Budget(2.5, 0.2)
    assert found.offices == {"tax": Budget(6, 0.2)}, "what is not said is taken from [budget]"
    assert found.accounts == {"clerk 7": Budget(2.5, 0.5)}
    assert found.weights == {"people": 1.0, "people.phone": 3.5}
    assert found.household_types == ("custody",)
    assert (found.sinks["siem"].kind, found.sinks["siem"].get("transport")) == ("syslog", "tls")
    assert (found.lower, found.persons) == (True, {"day": 5, "month": 50})


def test_an_empty_file_is_a_watch() -> None:
    assert parse("", HERE) == WatchSettings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[watch", "not TOML"),
        ("[wach]", "unknown key wach"),
        ("[watch]\nalerts_per_100 = 1", "did you mean alerts_per_1000"),
        ("[watch]\nalerts_per_1000 = 0", "expected a number from 0.01 to 100"),
        ("[watch]\nalerts_per_1000 = nan", "expected a number from 0.01 to 100"),
        ("[watch]\nlag_hours = true", "expected a whole number"),
        ("[watch]\nchannels = []", "expected a list"),
        ('[watch]\nchannels = ["gate", "gate"]', "expected a list"),
        ('[watch]\ntime_zone = "../../etc/passwd"', "time_zone"),
        ("[watch]\nunmask_persons = 3", "expected 1 or 2"),
        ("[budget]\na_day = -1", "budget.a_day"),
        ("[offices]\ntax = 3", "expected a table"),
        ("[weights]\npeople = -1", "weights.people"),
        ('[sinks.a]\npath = "x"', "sinks.a.kind is missing"),
        ('[sinks.a]\nkind = "pager"', "sinks.a.kind"),
        ('[sinks.a]\nkind = "webhook"\nurl = "https://x.example"', "sinks.a.secret_file is missing"),
        ("[gate]\npersons = {fortnight = 3}", "gate.persons"),
        ("[gate]\npersons = {}", "gate.persons"),
    ],
)
def test_faults_name_the_file_and_the_key(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, HERE)
    assert "watch.toml" in caught.value.message
    assert said in caught.value.message + caught.value.hint


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_a_new_file_is_read_back_as_the_defaults(lang: str) -> None:
    assert parse(render_settings({}, lang), HERE) == WatchSettings()
    assert parse(render_settings({"time_zone": "Asia/Taipei"}, lang), HERE).time_zone == "Asia/Taipei"


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_every_key_is_explained(lang: str) -> None:
    for table, keys in BY_TABLE.items():
        for name, key in keys.items():
            told = explain(f"{table}.{name}", lang)
            assert (key.chinese if lang == "zh-TW" else key.english) in told and key.expected in told
    assert "register" in explain("weights.people", "en") and "登記簿" in explain("weights", "zh-TW")
    assert explain("offices.tax.a_day", lang) == explain("offices.NAME.a_day", lang)


def test_an_unknown_key_has_a_near_one() -> None:
    with pytest.raises(InputError) as caught:
        explain("watch.lag_hour")
    assert caught.value.hint == "muniment watch explain watch.lag_hours"


def test_chinese_is_that_of_taiwan() -> None:
    for key in KEYS:
        for char in key.chinese:
            if "\u4e00" <= char <= "\u9fff":
                char.encode("big5")


@given(
    st.floats(0.01, 100), st.integers(0, 720), st.booleans(),
    st.dictionaries(st.text(min_size=1, max_size=9), st.builds(Budget, st.floats(0.01, 99), st.none() | st.just(0.3))),
)  # fmt: skip
def test_what_decides_is_restored(rate: float, lag: int, coin: bool, offices: dict[str, Budget]) -> None:
    settings = WatchSettings(alerts_per_1000=rate, lag_hours=lag, decoys_by_coin=coin, offices=offices)
    assert restored(settings.deciding) == settings
    assert restored(settings.deciding).deciding == settings.deciding


def test_what_decides_nothing_is_not_kept() -> None:
    full, spare = parse(FULL, HERE), parse(FULL.replace("siem", "other").replace("lower = true", "lower = false"), HERE)
    assert full.deciding == spare.deciding
    assert parse(FULL.replace("36", "48"), HERE).deciding != full.deciding


def test_budgets_are_given_codes() -> None:
    spaces = Spaces()
    spaces.office.codes(["care", "tax"])
    spaces.account.codes(["clerk 1", "clerk 7"])
    budgets = parse(FULL, HERE).budgets(spaces)
    assert budgets.of(0, 1) == Budget(6, 0.2)
    assert budgets.of(1, 1) == Budget(2.5, 0.5)
    assert budgets.of(0, 0) == Budget(2.5, 0.2)
