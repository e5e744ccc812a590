"""Orders not to tell: a disclosure withheld from answers to the data subject until a date (45 CFR 164.528(a)(2)).

Rules
1. The disclosure itself is never touched: a suspension is a later entry of the journal, encrypted like all of them and
   signed, so that it shows who could have made it. It does not stand in the public log.
2. `withheld` decides for one moment; when the date has passed, the disclosure is told again by itself.
3. Only the newest suspension of a disclosure counts: a date in the past ends an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from muniment.errors import InputError, IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.ledger.frames import canonical_json
from muniment.ledger.journal import Journal
from muniment.limits import PURPOSE_CHARACTERS

_SUSPENSION = "suspension"
_LABEL = b"muniment suspension 1"


@dataclass(frozen=True, slots=True)
class Suspension:
    """An order that covers disclosures by sequence number. `order` is what it rests on: authority and file number."""

    sequences: tuple[int, ...]
    until: datetime
    order: str
    key: str
    time: datetime


def suspend(
    journal: Journal, sequences: Sequence[int], *, until: datetime, order: str, key: Key, now: datetime
) -> Suspension:
    """Log a signed order; durable when this returns.

    Raises `InputError` for no disclosure, no order text or a date without a time zone; `LimitError` for a long text.
    """
    if key.purpose != Purpose.SIGNING:
        raise ValueError(f"a signing key is needed, came {key.id}")
    if not sequences or not order.strip() or until.tzinfo is None:
        raise InputError("an order needs at least one disclosure, a date with its zone, and who gave it (file number)")
    if len(order) > PURPOSE_CHARACTERS:
        raise LimitError(f"the order has {len(order):,} characters: expected at most {PURPOSE_CHARACTERS:,}")
    signed = {
        "sequences": sorted(set(sequences)),
        "until": until.isoformat(),
        "order": order,
        "key": key.id,
        "time": now.isoformat(),
    }
    signature = Ed25519PrivateKey.from_private_bytes(key.secret).sign(_LABEL + canonical_json(signed))
    journal.append(_SUSPENSION, signed | {"signature": signature.hex()}, now)
    return _suspension(signed)


def suspensions(journal: Journal, public_keys: Mapping[str, bytes]) -> tuple[Suspension, ...]:
    """Every order, oldest first; `IntegrityError` where a signature does not verify. `public_keys`: by key id."""
    found = []
    for entry in journal.entries(_SUSPENSION):
        body: Any = dict(entry.body)
        signature = bytes.fromhex(body.pop("signature"))
        try:
            public = Ed25519PublicKey.from_public_bytes(public_keys[body["key"]])
            public.verify(signature, _LABEL + canonical_json(body))
        except (KeyError, InvalidSignature) as error:
            raise IntegrityError(
                f"journal entry {entry.sequence}: the signature of a suspension does not verify under {body['key']}"
            ) from error
        found.append(_suspension(body))
    return tuple(found)


def withheld(orders: Sequence[Suspension], now: datetime) -> frozenset[int]:
    """The sequence numbers that must not be told at this moment."""
    newest: dict[int, datetime] = {}
    for order in orders:
        newest.update(dict.fromkeys(order.sequences, order.until))
    return frozenset(sequence for sequence, until in newest.items() if until > now)


def _suspension(body: Any) -> Suspension:
    return Suspension(
        tuple(body["sequences"]),
        datetime.fromisoformat(body["until"]),
        body["order"],
        body["key"],
        datetime.fromisoformat(body["time"]),
    )
