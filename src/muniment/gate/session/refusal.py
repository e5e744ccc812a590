"""Refuse by substitution: what goes to PostgreSQL in place of a message that may not, and what the client is told.

The message that takes its place must fail (ADR 0010): so order, pipelines and the state of the transaction are
PostgreSQL's own, and only the text of the error is the gate's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from muniment.gate.policy.statements import Refusal
from muniment.gate.protocol.backend import ErrorResponse
from muniment.gate.protocol.frontend import Execute, FunctionCall, Parse, Query
from muniment.gate.session.tracker import CALL, EXECUTE, PARSE, QUERY

REFUSED: Final = "muniment refused"
"""No statement in any version: what PostgreSQL's log shows of a refusal."""
_NAME_BYTES: Final = 12


class Substitutes:
    """The messages that fail, of one session. The portal's name is drawn, so that no client can bind it."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self.name = f"{REFUSED} {random_bytes(_NAME_BYTES).hex()}"
        """A name that stands for nothing: shorter than the 63 bytes that PostgreSQL tells apart."""
        self._messages = {
            QUERY: Query(REFUSED).build(),
            PARSE: Parse("", REFUSED).build(),
            EXECUTE: Execute(self.name).build(),
            CALL: FunctionCall(0).build(),
        }

    def of(self, kind: int) -> bytes:
        """What fails in place of a message of this type, and is answered like it."""
        return self._messages[kind]


def error(refusal: Refusal, severity: str = "ERROR") -> bytes:
    """The ErrorResponse that tells a client."""
    return ErrorResponse.of(severity, refusal.sqlstate, refusal.message, hint=refusal.hint).build()
