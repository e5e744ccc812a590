"""Counts and privacy budget of a recipient: what they were told in numbers, looked at before the next number leaves.

Rules
1. A count is recorded as a disclosure of the persons it ran over, without columns, before it is handed out.
2. Who it runs over is chosen by columns that are not sensitive (`check_condition`): the answer whether it may be handed
   out then hangs on nothing secret.
3. The loss of a noisy answer is in the journal before the answer leaves; a crash between costs budget, never gains it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.disclosure import Channel, Disclosure, Party, Register, Template
from muniment.errors import InputError
from muniment.exposure.budgeting import Budget, Spend, afford, loss, total
from muniment.exposure.differences import Differences, tell
from muniment.ledger.declarations import schema_version
from muniment.workspace.parts import Parts
from muniment.workspace.subjects import check_purpose

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNT: Final = "count"
"""The fingerprint of a disclosure that is a count."""
_SPEND: Final = "privacy-spend"


def spends(parts: Parts) -> list[Spend]:
    """Every loss on record, oldest first."""
    parts.journal.refresh()
    return [Spend.from_body(entry.body) for entry in parts.journal.entries(_SPEND)]


def budget_of(parts: Parts, recipients: Sequence[str], register: str) -> Budget:
    """What a recipient, or a coalition, has spent on a register."""
    return total(spends(parts), recipients, register)


def spend(parts: Parts, asked: Spend) -> Budget:
    """Put the loss of one answer on record; returns the sum. `InputError` where it is over budget: nothing is spent."""
    check_purpose(asked.purpose)
    parts.register(asked.register)
    settings = parts.config.exposure
    with parts.journal.writing():
        spent = budget_of(parts, [asked.recipient], asked.register)
        after = afford(spent, asked, loss(settings.epsilon), loss(settings.delta, "delta"))
        parts.journal.append(_SPEND, asked.to_body(), parts.clock())
    return after


def judge_count(
    parts: Parts, register: Register, recipients: Sequence[str], records: NDArray[np.uint32]
) -> Differences:
    """What a count over these persons tells together with the counts that the recipients have on this register."""
    return tell([*counts_held(parts, register, recipients), records])


def record_count(
    parts: Parts, register: Register, recipient: str, records: NDArray[np.uint32], *, purpose: str, case: str = ""
) -> Differences:
    """Judge a count, and record it as a disclosure to its recipient, durable when this returns.

    `InputError` where it may not be handed out: nothing is recorded then but that it was asked for.
    """
    check_purpose(purpose)
    schema = schema_version(parts.journal, register.name)
    disclosure = Disclosure(
        party=Party(recipient, parts.account),
        template=Template(register.name, schema, Channel.APPLICATION, (), purpose),
        records=tuple(np.unique(records).tolist()),
        case=case,
        fingerprint=COUNT,
        rows=1,
        released=1,
    )
    with parts.ledger.writing() as appender:
        judged = judge_count(parts, register, [recipient], records)
        appender.append(disclosure if judged.safe else refused(disclosure)).result()
    if not judged.safe:
        raise InputError(
            f"register {register.name!r}: with the counts that {recipient!r} has, this one would tell of fewer persons "
            "than the floor",
            hint="a coarser selection, or a noisy count: muniment protect",
        )
    return judged


def refused(disclosure: Disclosure) -> Disclosure:
    """The same request with nothing given."""
    from muniment.disclosure import Outcome

    template = replace(disclosure.template, outcome=Outcome.REFUSED)
    return replace(disclosure, template=template, records=(), rows=0, released=0)


def counts_held(parts: Parts, register: Register, recipients: Sequence[str]) -> list[NDArray[np.uint32]]:
    """The records that each count on this register ran over which these recipients were told, one set a count.

    They tie to persons: for `tell`, never for an answer. `IntegrityError` where the ledger does not verify.
    """
    reader, found = parts.ledger.reader(), []
    for recipient in recipients:
        batch = reader.batch(reader.select(recipient=recipient, channel=Channel.APPLICATION), records=True)
        for row in range(len(batch)):
            meant = batch.fingerprint[row] == COUNT and len(batch.records(row)) > 0
            if meant and Template.from_text(batch.template[row]).register == register.name:
                found.append(batch.records(row))
    return found
