"""Pseudonyms of accounts and offices, and ids of alerts: keyed, so that nobody can try names without the key.

An account keeps its pseudonym for as long as the workspace keeps its key; two workspaces have nothing in common. 50
bits: two of 10,000 accounts share one with probability below one in 20 million (n**2 / 2**51).
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable
from typing import Final, Literal

from muniment.watch.alerts.sighting import Sighting

CHARACTERS: Final = 10
"""Characters of a pseudonym, base32 (RFC 4648: no 0, 1, 8 or 9): short enough to be read out over a telephone."""
_LABEL: Final = b"muniment watch names 1"


class Pseudonyms:
    """Names in, pseudonyms out. The key shows in no repr."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 bytes, derived for this and nothing else. `ValueError` for a shorter one."""
        if len(key) < 32:
            raise ValueError("pseudonyms need a key of 32 bytes")
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonyms()"

    def of(self, unit: Literal["account", "office"], name: str) -> str:
        """The pseudonym of a name, 10 characters; empty for no name."""
        return self._digest(unit, name) if name else ""

    def find(self, pseudonym: str, names: Iterable[str], unit: Literal["account", "office"] = "account") -> str:
        """The name behind a pseudonym, among `names`; empty where it is none of them. For unmasking alone."""
        wanted = pseudonym.strip().upper()
        return next((name for name in names if hmac.compare_digest(self.of(unit, name), wanted)), "")

    def alert_id(self, sighting: Sighting) -> str:
        """The id of the alert that a finding opens: the same finding gives the same id, in a replay too."""
        one = sighting
        parts = (one.unit, one.pseudonym, one.pattern, one.kind, str(one.day), str(one.sequence), one.pointer.hex())
        return f"A-{self._digest('alert', *parts)}"

    def exemption_id(self, *parts: str) -> str:
        """The id of an exception, from all that it says."""
        return f"X-{self._digest('exemption', *parts)}"

    def _digest(self, *parts: str) -> str:
        message = json.dumps(parts, ensure_ascii=True).encode()
        return base64.b32encode(hmac.digest(self._key, _LABEL + message, "sha256"))[:CHARACTERS].decode()
