"""Break-glass: an emergency opens what a budget shut, for so many persons and minutes, with a reason, told at once.

Rules
1. One grant a recipient: all its sessions draw on it. Breaking the glass again within its time gives no more persons.
2. Hours, labels, rates and budgets give way; columns, COPY, writing and code do not. What is received is recorded and
   charged like anything else, so that it is known afterwards: it only does not stop.
3. While the ledger is down it works too, and is spooled (`commands.Append.spool`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from muniment.gate.policy.rules import GRANT, Rules
from muniment.gate.policy.statements import REFUSED, Refusal
from muniment.gate.policy.texts import text

REASON_CHARACTERS: Final = 8
"""The shortest reason: a word and what it is about, not a key that somebody leaned on."""
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant under way, of the recipient `account`. Times in ms since 1970; `left`: persons beyond the case-load."""

    account: str
    reason: str
    began: int
    until: int
    left: int


class Grants:
    """The grants of one process. Owned by its event loop."""

    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}

    def begin(self, rules: Rules, reason: str, now: int, lang: str = "en") -> Grant | Refusal:
        """Break the glass. Within the time of a grant that stands, that one comes back, used up as it is."""
        glass = rules.break_glass
        if glass is None:
            return Refusal(REFUSED, *text("no-glass", lang, contact=rules.contact))
        if len("".join(reason.split())) < REASON_CHARACTERS or len(set(reason)) < REASON_CHARACTERS // 2:
            return Refusal(REFUSED, *text("no-reason", lang, contact=rules.contact, least=REASON_CHARACTERS))
        standing = self.active(rules.recipient, now)
        if standing is not None:
            return standing
        grant = Grant(rules.recipient, reason, now, now + glass.minutes * _MINUTE_MS, glass.persons)
        self._grants[rules.recipient] = grant
        return grant

    def active(self, account: str, now: int) -> Grant | None:
        """The grant of a recipient, while its time lasts; with nothing `left` it still stands, and lets nobody new by.

        Time that runs backwards ends it as well.
        """
        grant = self._grants.get(account)
        return grant if grant is not None and grant.began <= now < grant.until else None

    def rules(self, grant: Grant, rules: Rules) -> Rules:
        """The rules while it lasts, for `statements.permit` and for charging (rule 2)."""
        return replace(
            rules,
            mode="stop", persons={GRANT: grant.left}, rows_per_statement=None, statements_per_minute=None,
            hours=None, require=frozenset(),
        )  # fmt: skip

    def spent(self, account: str, persons: int) -> None:
        """So many persons beyond the case-load were charged (`Charge.new_persons`)."""
        grant = self._grants.get(account)
        if grant is not None:
            self._grants[account] = replace(grant, left=max(grant.left - persons, 0))
