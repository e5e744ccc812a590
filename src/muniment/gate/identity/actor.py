"""The acting person behind a shared account: signed by the application, or claimed and shown as a claim.

Rules
1. A token is `muniment1.BODY.SIGNATURE`: BODY is base64url of JSON {actor, account, until, session?}; the Ed25519
   signature covers `muniment1.BODY` with a prefix of its own, so that it means nothing anywhere else.
2. It holds for one account, and until `until` (ms since 1970), which lies at most a day ahead: a token that leaks from
   a log is soon worthless. With `session` it holds for that session alone.
3. What looks like a token verifies or is refused; it never becomes a claim. Any other text is a claim, unverified.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from muniment.errors import InputError, LimitError
from muniment.limits import NAME_CHARACTERS

PREFIX: Final = "muniment1"
LONGEST_MS: Final = 24 * 60 * 60 * 1_000
"""A token may be made for a day at most."""
TOKEN_CHARACTERS: Final = 4_096
_CONTEXT = b"muniment actor 1\0"
_FIELDS: Final = {"actor": str, "account": str, "until": int, "session": str}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts through an account. `verified` is false for a mere claim, and is shown wherever the name is."""

    name: str
    verified: bool


def sign_actor(key: Ed25519PrivateKey, actor: str, account: str, until: int, *, session: str = "") -> str:
    """The token that an application sets: `SET muniment.actor = '...'`. `until` in ms since 1970."""
    fields: dict[str, str | int] = {"actor": actor, "account": account, "until": until}
    if session:
        fields["session"] = session
    body = _encoded(json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode())
    head = f"{PREFIX}.{body}"
    return f"{head}.{_encoded(key.sign(_CONTEXT + head.encode()))}"


def claimed_actor(name: str) -> Actor | None:
    """A name that nobody vouches for (`application_name`, or a plain text), `None` for an empty one; cut to 200."""
    shown = "".join(character if character.isprintable() else "?" for character in name.strip())
    return Actor(shown[:NAME_CHARACTERS], verified=False) if shown else None


def verify_actor(text: str, key: bytes | None, account: str, now_ms: int, *, session: str = "") -> Actor:
    """The actor that a token names, verified under the Ed25519 public `key` (32 bytes); see the rules.

    Raises `InputError` for a token that does not hold here and now, or where no key is configured; `LimitError` for a
    text that is too long. A text that is no token comes back as an unverified claim.
    """
    if len(text) > TOKEN_CHARACTERS:
        raise LimitError(f"an actor of {len(text):,} characters; expected at most {TOKEN_CHARACTERS:,}")
    if not text.startswith(f"{PREFIX}."):
        claim = claimed_actor(text)
        if claim is None:
            raise InputError("the actor is empty; expected a signed token, or a name")
        return claim
    if key is None:
        raise InputError("a signed actor came, but no key to verify it with is configured", hint="set actor_key")
    return _held(_opened(text, key), account, now_ms, session)


def _opened(text: str, key: bytes) -> dict[str, str | int]:
    """The fields of a token whose signature verifies."""
    head, _, signature = text.rpartition(".")
    try:
        body = head.removeprefix(f"{PREFIX}.").encode("ascii")
        Ed25519PublicKey.from_public_bytes(key).verify(_decoded(signature.encode("ascii")), _CONTEXT + head.encode())
        fields = json.loads(_decoded(body))
    except InvalidSignature as error:
        raise InputError("the signature of the actor does not verify: altered, or signed with another key") from error
    except (ValueError, RecursionError) as error:
        raise InputError("the signed actor is malformed; expected muniment1.BODY.SIGNATURE") from error
    if not isinstance(fields, dict) or not {"actor", "account", "until"} <= fields.keys() <= _FIELDS.keys():
        raise InputError("the signed actor lacks a field, or has one too many; expected actor, account and until")
    if any(type(value) is not _FIELDS[name] for name, value in fields.items()):
        raise InputError("a field of the signed actor is of the wrong type")
    return fields


def _held(fields: dict[str, str | int], account: str, now_ms: int, session: str) -> Actor:
    until, name = int(fields["until"]), str(fields["actor"])
    if not name.strip() or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise InputError(f"the signed actor has no printable name of 1 to {NAME_CHARACTERS} characters")
    if fields["account"] != account:
        raise InputError("the signed actor was made for another account")
    if not now_ms < until:
        raise InputError("the signed actor has run out")
    if until - now_ms > LONGEST_MS:
        raise InputError("the signed actor would hold for more than a day; expected a shorter time")
    if "session" in fields and fields["session"] != session:
        raise InputError("the signed actor was made for another session")
    return Actor(name, verified=True)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("base64url") from error
