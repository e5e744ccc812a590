"""The table of keys against the values that they become."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from muniment.config.settings import REQUIRED
from muniment.gate.identity.login import METHODS as LOGIN_METHODS
from muniment.gate.policy.rules import Rules
from muniment.gate.policy.settings import _HEADS, GateSettings, GuardedTable
from muniment.gate.policy.table import BY_TABLE, KEYS, METHODS

RULES = {one.name: one for one in fields(Rules)}
MAINLAND = tuple("信息 數據 默認 用戶 軟件 程序 字符 文件夾 服務器 網絡 質量 賬 釋放".split())
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff）」][,;:!?.()]|[,;:!?()][\u4e00-\u9fff（「]")


def _foreign(text: str) -> list[str]:
    """What is not Taiwan's: words and characters of the mainland, half-width punctuation beside a character."""
    simplified = [char for char in text if "\u4e00" <= char <= "\u9fff" and not char.encode("big5", "ignore")]
    return [*(word for word in MAINLAND if word in text), *simplified, *HALF_WIDTH.findall(text)]


def test_every_rule_has_a_key_and_every_key_a_rule() -> None:
    keyed = {name for table in ("defaults", "roles.NAME", "accounts.NAME", "purposes.NAME") for name in BY_TABLE[table]}
    assert keyed - {"certificates"} == set(RULES) - {"account"}


def test_the_defaults_of_the_table_are_those_of_the_rules() -> None:
    plain = Rules("a", "a")
    for key in KEYS:
        if key.name in RULES and key.name != "recipient":
            assert (key.default or None) == (getattr(plain, key.name) or None), key.name


def test_the_keys_of_the_gate_are_fields_of_its_settings() -> None:
    assert set(BY_TABLE["gate"]) <= {one.name for one in fields(GateSettings)}
    assert set(BY_TABLE["registers.NAME"]) | {"name"} == {one.name for one in fields(GuardedTable)}
    made = GateSettings("db", "host=db")
    for name, key in BY_TABLE["gate"].items():
        if key.default is not REQUIRED:
            assert getattr(made, name) == key.default, name


def test_login_methods_are_those_that_there_are() -> None:
    assert METHODS == LOGIN_METHODS


def test_no_purpose_opens_what_the_account_is_shut_out_of() -> None:
    forbidden = (
        "recipient guarded caseload_days purposes export read_only marks redact actor_key code break_glass harmless"
    )
    assert not set(forbidden.split()) & set(BY_TABLE["purposes.NAME"])


@pytest.mark.parametrize("chinese", [*(key.chinese for key in KEYS), *_HEADS["zh-TW"]])
def test_chinese_is_that_of_taiwan(chinese: str) -> None:
    assert chinese and not _foreign(chinese)
