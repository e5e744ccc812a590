"""What may run and what may leave, one refusal after the other."""

from __future__ import annotations

from typing import Any

import pytest

from language.policies import Declaring, Said, Shown, rules
from muniment.gate.attribution.catalogue import Attribute, Catalogue, Relation
from muniment.gate.policy.rules import Glass, Hours
from muniment.gate.policy.statements import REFUSED, Rates, column_names, permit, prepare

NOON = 12 * 3_600_000  # a Thursday
OFFICE = Hours(frozenset(range(5)), ((480, 1_080),))
FREE = {"register_free": True, "mentions": {}}


def refused(said: Said, labels: Declaring | None = None, now: int = NOON, **more: Any) -> str:
    """The message, empty where the statement may run."""
    found = permit(said, None, rules(**more), labels or Declaring(), now)
    if found is None:
        return ""
    assert found.sqlstate == REFUSED
    return found.message


@pytest.mark.parametrize(
    ("said", "more", "message"),
    [
        (Said(), {}, ""),
        (Said("insert", writes=True, target="person"), {"read_only": True}, "only reads"),
        (Said("call"), {"read_only": True}, "only reads"),
        (Said("vacuum", "vacuum", **FREE), {"read_only": True}, "only reads"),
        (Said("many", writes=True), {"read_only": True}, "only reads"),
        (Said("select", writes=True), {"read_only": True}, "only reads"),
        (Said("explain"), {"read_only": True}, ""),
        # the server's files, statistics and large objects: also without a register's name
        (Said("copy-file", **FREE), {"copy": True}, "file or program"),
        (Said(catalogue_flags=("pg_stats",), **FREE), {}, "pg_stats"),
        (Said(catalogue_flags=("lo_get",), **FREE), {}, "lo_get"),
        (Said(catalogue_flags=("pg_statistic",), **FREE), {"export": True}, ""),
        # code of one's own
        (Said("do", **FREE), {}, "code of one's own"),
        (Said("do", **FREE), {"code": True}, ""),
        (Said("ddl", "create", object="function", **FREE), {}, "code of one's own"),
        (Said("ddl", "create", object="trigger", **FREE), {}, "code of one's own"),
        (Said("ddl", "create", **FREE), {}, "code of one's own"),
        (Said("ddl", "alter", object="function", **FREE), {}, "code of one's own"),
        (Said("ddl", "create", object="table", **FREE), {}, ""),
        (Said("vacuum", "vacuum", **FREE), {}, ""),
        (Said("other", "", **FREE), {}, "code of one's own"),
        # what is read is not stored elsewhere
        (Said("create-as"), {}, "in another place"),
        (Said("create-as", **FREE), {}, ""),
        (Said("insert", target="person", writes=True), {}, ""),
        (Said("insert", target="copy", writes=True), {}, "in another place"),
        (Said("insert", writes=True), {}, "in another place"),
        (Said("update", target="person", writes=True), {}, ""),
        (Said("update", target="person", mentions={"person": 2}, writes=True), {}, "in another place"),
        (Said("update", target="note", mentions={"person": 1}, writes=True), {}, "in another place"),
        (Said("merge", target="person", mentions={"person": 1, "household": 1}), {}, "in another place"),
        (Said("insert", target="note", mentions={}, writes=True), {}, ""),
        (Said("many", writes=True), {}, "in another place"),
        (Said("delete", mentions={"person": 2}, writes=True), {}, ""),
        # COPY
        (Said("copy-out"), {}, "by COPY"),
        (Said("copy-query"), {}, "by COPY"),
        (Said("copy-out"), {"copy": True}, ""),
        (Said("copy-out", **FREE), {}, ""),
        (Said("copy-out"), {"export": True}, "a case"),
    ],
)
def test_statements(said: Said, more: dict[str, Any], message: str) -> None:
    found = refused(said, **more)
    assert message in found and bool(message) == bool(found)


def test_an_export_account_dumps_under_a_case() -> None:
    assert not refused(Said("copy-out"), Declaring(case="2026-7"), export=True)


def test_an_account_that_is_not_guarded_is_asked_nothing() -> None:
    assert not refused(Said("do"), guarded=False, read_only=True, require=frozenset(("case",)))


@pytest.mark.parametrize(
    ("labels", "more", "message"),
    [
        (Declaring(), {"require": frozenset(("case",))}, "a case must be declared"),
        (Declaring(case="7"), {"require": frozenset(("case",))}, ""),
        (Declaring(case="7"), {"require": frozenset(("case", "purpose"))}, "a purpose must be declared"),
        (Declaring(purpose="audit"), {"require": frozenset(("purpose",)), "purposes": frozenset(("audit",))}, ""),
        (Declaring(purpose="curiosity"), {"purposes": frozenset(("audit",))}, "none that this account may declare"),
        (Declaring(purpose="curiosity"), {}, ""),
    ],
)
def test_labels(labels: Declaring, more: dict[str, Any], message: str) -> None:
    found = refused(Said(), labels, **more)
    assert message in found and bool(message) == bool(found)
    assert not refused(Said(**FREE), labels, **more)


def test_hours_are_those_of_the_office() -> None:
    night = NOON + 9 * 3_600_000
    assert not refused(Said(), hours=OFFICE)
    assert "closed" in refused(Said(), now=night, hours=OFFICE)
    assert not refused(Said(**FREE), now=night, hours=OFFICE)
    assert permit(Said(), None, rules(hours=OFFICE), Declaring(), night, offset_minutes=-9 * 60) is None


def test_at_night_one_is_told_of_the_emergency_only_where_there_is_one() -> None:
    hints = []
    for glass in (None, Glass(20, 60)):
        found = permit(Said(), None, rules(hours=OFFICE, break_glass=glass), Declaring(), 0)
        assert found is not None
        hints.append("muniment.break_glass" in found.hint)
    assert hints == [False, True]


NAMES = {"persons": {0: "id", 1: "surname", 2: "note"}}
SOME = {"persons": frozenset(("id", "surname"))}


@pytest.mark.parametrize(
    ("shown", "more", "message"),
    [
        (Shown(), {}, ""),
        (Shown(guarded=False, mode="charge"), {"unattributed": "refuse"}, ""),
        (Shown(mode="charge"), {"unattributed": "refuse"}, "whose rows"),
        (Shown(mode="charge"), {"unattributed": "charge"}, ""),
        (Shown(classes=("register", "expression")), {"unattributed": "refuse"}, ""),
        (Shown(mode="digests", classes=("register", "expression")), {"unattributed": "refuse"}, "whose rows"),
        (Shown(), {"columns": SOME}, ""),
        (Shown(columns={"persons": (0, 2)}), {"columns": SOME}, "the column note of persons"),
        (Shown(columns={"persons": (0, 9)}), {"columns": SOME}, "the column #9 of persons"),
        (Shown(columns={"other": (0,)}), {"columns": SOME}, "the column #0 of other"),
        (Shown(classes=("register", "expression")), {"columns": SOME}, "expressions"),
        (Shown(classes=("unknown",)), {"columns": SOME}, "expressions"),
        (Shown(classes=("register", "harmless")), {"columns": SOME}, ""),
    ],
)
def test_results(shown: Shown, more: dict[str, Any], message: str) -> None:
    found = permit(Said(), shown, rules(**more), Declaring(), NOON, columns=NAMES)
    assert (message in found.message) if found else not message


def test_the_key_to_select_is_named() -> None:
    found = permit(Said(), Shown(mode="charge"), rules(unattributed="refuse"), Declaring(), NOON)
    assert found is not None and "(id)" in found.hint


def test_both_languages_and_whom_to_ask() -> None:
    found = permit(Said("copy-out"), None, rules(contact="分機 123"), Declaring(), NOON, lang="zh-TW")
    assert found is not None and "COPY" in found.message and "分機 123" in found.hint


def test_column_names_are_those_of_the_tables() -> None:
    table = Relation(1, "public", "person", "r", True, False, {1: Attribute("id", 23, "persons", 0, 0)})
    view = Relation(2, "public", "v", "v", True, False, {1: Attribute("renamed", 23, "persons", 0)})
    plain = Relation(3, "public", "t", "r", False, False, {1: Attribute("x", 23)})
    catalogue = Catalogue(1, {1: table, 2: view, 3: plain}, {}, frozenset(), frozenset(), False)
    assert column_names(catalogue) == {"persons": {0: "id"}}


# --- statements in a minute ------------------------------------------------------------------------------------------


def test_a_rate_counts_what_ran_and_comes_back() -> None:
    rates, limited = Rates(), rules(statements_per_minute=3)
    assert [rates.take(limited, NOON + second * 1_000) is None for second in range(5)] == [True] * 3 + [False] * 2
    told = rates.take(limited, NOON + 30_000)
    assert told is not None and "31 seconds" in told.hint
    assert rates.take(limited, NOON + 61_000) is None


def test_a_rate_is_shared_by_the_accounts_of_one_person_and_by_nobody_else() -> None:
    from dataclasses import replace

    rates, limited = Rates(), rules(statements_per_minute=1)
    assert rates.take(limited, NOON) is None
    assert rates.take(replace(limited, account="second"), NOON) is not None
    assert rates.take(replace(limited, recipient="somebody"), NOON) is None


def test_milder_modes_are_not_stopped_by_a_rate() -> None:
    rates = Rates()
    assert all(rates.take(rules(statements_per_minute=1, mode="observe"), NOON) is None for _ in range(5))
    assert rates.take(rules(statements_per_minute=1), NOON) is not None


def test_a_rate_gives_nothing_back_when_time_runs_backwards() -> None:
    rates, limited = Rates(), rules(statements_per_minute=1)
    assert rates.take(limited, NOON) is None
    assert rates.take(limited, NOON - 3_600_000) is not None


@pytest.mark.parametrize(
    ("said", "more", "message"),
    [
        (Said(), {}, ""),
        (Said(), {"hours": OFFICE, "require": frozenset({"case"})}, ""),
        (Said("insert", target="copy", writes=True), {}, "in another place"),
        (Said("create-as"), {}, "in another place"),
        (Said("do", **FREE), {}, "code of one's own"),
        (Said(catalogue_flags=("set_config",)), {}, "set_config"),
        (Said("copy-out"), {}, "by COPY"),
        (Said("copy-out"), {"export": True}, ""),
        (Said("do"), {"guarded": False}, ""),
    ],
)
def test_what_may_never_run_is_not_prepared_under_a_name(said: Said, more: dict[str, Any], message: str) -> None:
    found = prepare(said, rules(**more), Declaring(), NOON)
    assert (message in found.message) if found is not None and message else (found is None and not message)
