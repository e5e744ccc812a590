"""`muniment config`."""

from __future__ import annotations

from language.program import muniment
from muniment.config import SETTINGS


def test_explain_one() -> None:
    outcome = muniment("config", "explain", "registers.people.key")
    assert outcome.code == 0
    assert "expected:" in outcome.out
    chinese = muniment("config", "explain", "registers.people.key", "--lang", "zh-TW")
    assert chinese.out != outcome.out


def test_explain_all() -> None:
    value = muniment("config", "explain", "--json").json("config-explain")
    assert [one["key"] for one in value["keys"]] == [setting.key for setting in SETTINGS]


def test_an_unknown_key_has_a_hint() -> None:
    outcome = muniment("config", "explain", "workspace.alhpa", "--json")
    assert outcome.code == 2
    assert outcome.error()["hint"] == "muniment config explain workspace.alpha"
