"""An insider who may use every hostile shape, in any order: no more persons than charged, none past the budget."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from gate.corpus.everything import SHAPES
from language.gates import GateBed, gate_running
from language.observer import ClosedByServerError, seen
from muniment.disclosure import Outcome

pytestmark = pytest.mark.live

BUDGET = 150
CASELOAD = 20
POLICY = f"""
[defaults]
mode = "stop"
copy = true
unattributed = "charge"
persons = {{ hour = {BUDGET} }}
"""
HOSTILE = [shape for shape in SHAPES if not shape.honest and shape.account == "insider" and not shape.options]


@pytest.fixture(scope="module")
def bed() -> Iterator[GateBed]:
    with gate_running(policy=POLICY) as made:
        yield made


def _attack(bed: GateBed, account: str, seed: int, sessions: int) -> set[tuple[str, int]]:
    """Read a case-load of one's own, then attack in many sessions."""
    shown: set[tuple[str, int]] = set()
    dice = random.Random(seed)
    for number in range(sessions):
        client = bed.client(account)
        try:
            with client:
                if number == 0:
                    client.run(f"SELECT id, surname FROM office.person ORDER BY id LIMIT {CASELOAD}")
                for shape in dice.sample(HOSTILE, 4):
                    for step in shape.steps:
                        client.run(step)
        except (ClosedByServerError, OSError):
            pass
        shown |= seen(client.everything)
    return shown


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.soak) for n in range(2, 20))])
def test_an_insider_gets_no_more_than_is_charged_and_no_more_than_the_budget(bed: GateBed, seed: int) -> None:
    account = bed.account(f"mallory_{seed}", "insider")
    shown = _attack(bed, account, seed, sessions=15)
    recorded = bed.recorded(account)
    named = {one for entry in recorded for one in entry.ordinals}
    nameless = sum(entry.rows for entry in recorded if entry.outcome is Outcome.UNATTRIBUTED)
    assert len(shown) <= len(named) + nameless
    assert len(shown) <= BUDGET
    assert len(named) <= BUDGET
    assert shown, "an attack that gets nothing proves nothing"


def test_a_budget_is_used_up_over_sessions_and_after_a_restart(bed: GateBed) -> None:
    account = bed.account("patient", "clerk")
    with bed.client(account) as client:
        client.run("SELECT id, surname FROM office.person ORDER BY id LIMIT 100")
        assert client.rows == 100
    bed.stop()
    bed.start()
    with bed.client(account) as client:
        client.run("SELECT id, surname FROM office.person ORDER BY id LIMIT 100")
        assert client.rows == 100, "the case-load costs nothing"
        client.run("SELECT id, surname FROM office.person ORDER BY id")
        assert client.rows == 100 + BUDGET
        assert client.states == ["57014"]
        client.run("SELECT 1")
        assert client.states == ["57014"], "the session goes on"
