"""Budgets after a restart are what the ledger says: every disclosure of the gate to that recipient, once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from language.appends import disclosure
from language.ledgers import LedgerFolder
from language.servers import entry, run
from muniment.disclosure import Outcome
from muniment.errors import UnreachableError
from muniment.gate.policy.budgets import LocalBudgets
from muniment.gate.policy.rules import Rules
from muniment.gate.server.budgeting import Accounts, History, received
from muniment.gate.server.parts import Received
from muniment.gate.server.recording import batch_of


@pytest.fixture
def made(tmp_path: Path) -> LedgerFolder:
    """Disclosures to two recipients, some sealed and one not, and one that is another's."""
    made = LedgerFolder.made(tmp_path / "office")
    with made.open().writing() as appender:
        appender.ordinals(np.arange(1, 50, dtype=np.uint64))
        appender.append_many(batch_of([entry(1, 2, 3), entry(4, account="another")])).result()
        appender.append_many(batch_of([entry(outcome=Outcome.UNATTRIBUTED, rows=5)])).result()
        appender.append(disclosure(1)).result()
    made.keys = type(made.keys)(made.keys.segment, None, made.keys.verifiers)
    with made.open().writing() as appender:
        appender.append_many(batch_of([entry(3, 7)])).result()
    return made


def plain(past: list[Received]) -> list[tuple[list[int], int]]:
    return [(ordinals.tolist(), nameless) for _, ordinals, nameless in past]


def test_the_past_of_a_recipient_sealed_or_not(made: LedgerFolder) -> None:
    past = received(made.open(), "clerk")
    assert plain(past) == [([1, 2, 3], 0), ([], 5), ([3, 7], 0)]
    assert [moment for moment, _, _ in past] == sorted(moment for moment, _, _ in past)
    assert plain(received(made.open(), "another")) == [([4], 0)]
    assert received(made.open(), "nobody") == []


def test_budgets_know_it_before_a_session_begins(made: LedgerFolder) -> None:
    async def main() -> None:
        budgets, history = LocalBudgets(), History(made.open)
        accounts = Accounts(budgets, history.of)
        await asyncio.gather(*(accounts.prepare("clerk") for _ in range(5)))
        now = received(made.open(), "clerk")[-1][0]
        assert budgets.used("clerk", now)["lifetime"] == 4 + 5
        rules = Rules("clerk", "clerk", persons={"lifetime": 10})
        rows = np.array([[1], [8], [9]], np.uint32)
        charge = budgets.charge("clerk", rules, now, rows, np.zeros(3, np.int64))
        assert charge.allowed == 2 and charge.exceeded is not None and charge.exceeded.window == "lifetime"
        history.close()

    run(main())


def test_a_recipient_is_read_once_and_again_after_a_failure() -> None:
    async def main() -> None:
        calls: list[str] = []

        async def history(recipient: str) -> list[Received]:
            calls.append(recipient)
            await asyncio.sleep(0)
            if len(calls) == 1:
                raise UnreachableError("the disk is gone")
            return []

        accounts = Accounts(LocalBudgets(), history)
        found = await asyncio.gather(*(accounts.prepare("clerk") for _ in range(3)), return_exceptions=True)
        assert [type(one) for one in found] == [UnreachableError] * 3 and calls == ["clerk"]
        await accounts.prepare("clerk")
        await accounts.prepare("clerk")
        assert calls == ["clerk", "clerk"]

    run(main())
