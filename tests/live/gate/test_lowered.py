"""A budget that an alert lowers while sessions are open: the gate keeps to it within seconds, and lets go again."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from language.gates import GateBed, gate_running
from language.guarded_registers import person_key
from language.observer import Client, seen
from muniment.workspace import watch_gate
from muniment.workspace.watch_gate import REREAD_MS

pytestmark = pytest.mark.live
LOOKED_AGAIN = REREAD_MS / 1_000 + 0.5


@pytest.fixture
def bed() -> Iterator[GateBed]:
    with gate_running(ledger_wait_seconds=5.0) as made:
        yield made


def received(client: Client, numbers: range) -> int:
    """How many of these persons came, asked for one by one."""
    before = len(seen(client.everything))
    for number in numbers:
        client.run(f"SELECT id, surname FROM office.person WHERE id = {person_key(number)}")
    return len(seen(client.everything)) - before


def test_an_open_session_is_held_to_a_lowered_budget(bed: GateBed) -> None:
    account, other = bed.account("harvester"), bed.account("colleague")
    parts = bed.office._parts
    now = int(parts.clock().timestamp() * 1_000)
    with bed.client(account) as client, bed.client(other) as beside:
        assert received(client, range(4)) == 4
        watch_gate.lower(parts, account, {"day": 6}, alert="A-1", now=now)
        time.sleep(LOOKED_AGAIN)
        assert received(client, range(4, 12)) == 2, "six persons a day, four of whom came before"
        before = sum(len(one.ordinals) for one in bed.recorded(account))
        received(client, range(4))
        after = sum(len(one.ordinals) for one in bed.recorded(account))
        assert after - before == 4, "the case-load costs nothing"
        assert received(beside, range(4, 12)) == 8, "nobody else is touched"
        watch_gate.lift(parts, "A-1", now=now + 1)
        time.sleep(LOOKED_AGAIN)
        assert received(client, range(12, 16)) == 4
