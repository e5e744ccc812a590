"""The table of keys against the values that they become."""

from __future__ import annotations

from dataclasses import fields

from muniment.config.settings import REQUIRED
from muniment.gate.identity.login import METHODS as LOGIN_METHODS
from muniment.gate.policy.rules import Rules
from muniment.gate.policy.settings import GateSettings, GuardedTable
from muniment.gate.policy.table import BY_TABLE, KEYS, METHODS

RULES = {one.name: one for one in fields(Rules)}


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
