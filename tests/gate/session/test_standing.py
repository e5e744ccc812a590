"""Who acts, and under which rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from language.conversations import NOW, catalogue, setup
from muniment.disclosure import Party
from muniment.gate.attribution.text import Facts, facts
from muniment.gate.identity.actor import sign_actor
from muniment.gate.policy.breakglass import Grant
from muniment.gate.policy.rules import Glass
from muniment.gate.policy.statements import Refusal
from muniment.gate.session.standing import Standing

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw().hex()


def standing(startup: dict[str, str] | None = None, **rules: object) -> Standing:
    made = Standing(setup(**rules), "app", ("app",), startup or {}, lambda: NOW)
    assert made.declare() == (None, None)
    return made


def read(text: str) -> Facts:
    return facts(text, catalogue(), conforming=True, safe_encoding=True)


def test_an_account_alone() -> None:
    assert standing({"application_name": "psql"}).party == Party("app", "app", "192.0.2.1")


def test_the_application_name_is_a_claim_of_shared_accounts_only() -> None:
    assert standing({"application_name": "lin"}, actor_key=PUBLIC).party.account == "app (lin?)"


def test_a_signed_actor_is_named_without_a_question() -> None:
    one = standing(actor_key=PUBLIC)
    one.labels.said("muniment.actor", sign_actor(KEY, "lin", "app", NOW + 1_000))
    assert one.declare() == (None, None) and one.party.account == "app (lin)"


@pytest.mark.parametrize("token", [sign_actor(KEY, "lin", "other", NOW + 1_000), sign_actor(KEY, "lin", "app", NOW)])
def test_a_signed_actor_that_does_not_hold_is_refused_and_not_believed(token: str) -> None:
    one = standing(actor_key=PUBLIC)
    one.labels.said("muniment.actor", token)
    refusal, _ = one.declare()
    assert refusal is not None and refusal.sqlstate == "28000" and one.party.account == "app"


def test_what_the_startup_packet_declares_counts_from_the_first_statement() -> None:
    startup = {"muniment.actor": "muniment1.x.y", "muniment.break_glass": "emergency call 12"}
    one = Standing(setup(break_glass=Glass(5, 30)), "app", (), startup, lambda: NOW)
    refusal, grant = one.declare()
    assert refusal is not None and grant is not None and one.party.account == "app"


def test_a_purpose_brings_its_rules() -> None:
    surroundings = setup(persons={"day": 1})
    surroundings.policies.purposes["census"] = {"persons": {"day": 9}}  # type: ignore[attr-defined]
    one = Standing(surroundings, "app", (), {}, lambda: NOW)
    one.labels.said("muniment.purpose", "census")
    one.declare()
    assert one.rules.persons["day"] == 9 and one.rules.purpose == "census"


def test_break_glass_begins_once_and_counts_down() -> None:
    one = standing(break_glass=Glass(5, 30), persons={"day": 1})
    one.labels.said("muniment.break_glass", "emergency call 12")
    refusal, grant = one.declare()
    assert refusal is None and isinstance(grant, Grant)
    assert one.declare() == (None, None)
    one.spent(one.grant, 2)
    assert one.grant is not None and one.charged_by(one.grant).persons == {"grant": 3}


def test_break_glass_where_there_is_none() -> None:
    one = standing()
    one.labels.said("muniment.break_glass", "emergency call 12")
    refusal, grant = one.declare()
    assert isinstance(refusal, Refusal) and grant is None and one.charged_by(one.grant) is one.rules


def test_statements_in_a_minute_count_those_that_touch_a_register() -> None:
    one = standing(statements_per_minute=1)
    assert one.permit(read("select id from plain"), None, {}) is None
    assert one.permit(read("select id from person"), None, {}) is None
    assert one.permit(read("select id from plain"), None, {}) is None
    assert one.permit(read("select id from person"), None, {}) is not None


def test_a_lowered_budget_holds_beside_the_rules_until_the_glass_is_broken() -> None:
    asked = []

    def lowered(account: str) -> dict[str, int]:
        asked.append(account)
        return {"day": 2}

    made = replace(setup(persons={"day": 50, "month": 9}, mode="warn", break_glass=Glass(5, 30)), lowered=lowered)
    one = Standing(made, "app", ("app",), {}, lambda: NOW)
    assert (dict(one.charged_by(None).persons), one.charged_by(None).mode) == ({"day": 2, "month": 9}, "stop")
    assert dict(one.rules.persons) == {"day": 50, "month": 9} and set(asked) == {"app"}
    one.labels.said("muniment.break_glass", "an emergency in ward 12")
    _, grant = one.declare()
    assert grant is not None and one.charged_by(grant).persons == {"grant": 5}
