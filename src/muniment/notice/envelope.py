"""Envelopes: what is sealed to a public notice key, so that whoever made it cannot read it again.

Rules
1. Envelope: magic | ephemeral public key (32) | box. The key of the box comes from X25519 (RFC 7748) between a fresh
   key pair and the notice key, by HKDF over both public keys: no two envelopes share a key, so the nonce is zero.
2. The private notice key lies in a file of its own under a passphrase; a workspace holds the public one only.
3. A low-order public key (a shared secret of zero) is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from muniment import limits
from muniment.durable import check_target, read_file, replace_file
from muniment.errors import InputError, IntegrityError
from muniment.passphrase import PassphraseLock, decode, encode
from muniment.prf import hkdf
from muniment.sealed import seal, unseal

MAGIC = b"muniment envelop"
KEY_FORMAT = "muniment notice key 1"
_KEY = 32
_NONCE = bytes(12)
_BOX = b"muniment notice key box 1"
_WHOSE = "the passphrase of the notice key"


@dataclass(frozen=True, slots=True)
class NoticeKey:
    """A private notice key with its public half (32 bytes each). The secret shows in no repr."""

    public: bytes
    secret: bytes = field(repr=False)


def new_notice_key(path: Path, passphrase: str, random_bytes: Callable[[int], bytes]) -> bytes:
    """Write a new private key under a passphrase to `path`; returns the public key, for `ledger.notice_key`.

    Raises `InputError` where there is a file already, `PassphraseError` for a passphrase that is too short.
    """
    check_target(path, "file")
    lock, kek = PassphraseLock.make(passphrase, random_bytes, whose=_WHOSE)
    secret = random_bytes(_KEY)
    public = _public(X25519PrivateKey.from_private_bytes(secret))
    stored = {
        "format": KEY_FORMAT,
        "scrypt": lock.to_json(),
        "public": public.hex(),
        "box": encode(seal(kek, secret, _BOX + public)),
    }
    replace_file(path, [(json.dumps(stored, indent=1) + "\n").encode()])
    return public


def open_notice_key(path: Path, passphrase: str) -> NoticeKey:
    """Read a private notice key; `PassphraseError` for a wrong passphrase, `IntegrityError` for an altered file."""
    data = read_file(path, limits.CONFIG_BYTES)
    if data is None:
        raise InputError(f"{path}: there is no such file; expected a notice key", hint="muniment notice-key new FILE")
    try:
        stored = json.loads(data)
        if stored["format"] != KEY_FORMAT:
            raise ValueError("another format")
        lock, box, public = PassphraseLock.from_json(stored["scrypt"]), decode(stored["box"]), stored["public"]
        if not isinstance(public, str):
            raise TypeError("a text expected")
        opened = bytes.fromhex(public)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(f"{path}: not a notice key, or altered; expected {KEY_FORMAT!r}") from error
    secret = unseal(lock.open(passphrase, whose=_WHOSE), box, _BOX + opened, what=f"{path}: the notice key")
    return NoticeKey(opened, secret)


def seal_to(public: bytes, plaintext: bytes, random_bytes: Callable[[int], bytes]) -> bytes:
    """An envelope that only the holder of the private key opens; `InputError` for a key that is none."""
    ephemeral = X25519PrivateKey.from_private_bytes(random_bytes(_KEY))
    sender = _public(ephemeral)
    key = _agreed(ephemeral, public, sender, public)
    return MAGIC + sender + AESGCM(key).encrypt(_NONCE, plaintext, MAGIC + sender)


def open_envelope(envelope: bytes, key: NoticeKey, *, what: str = "the envelope") -> bytes:
    """The plaintext; `IntegrityError` where it was altered, cut short, or sealed to another key."""
    sender, box = envelope[len(MAGIC) : len(MAGIC) + _KEY], envelope[len(MAGIC) + _KEY :]
    if not envelope.startswith(MAGIC) or len(sender) != _KEY:
        raise IntegrityError(f"{what}: no envelope of this version; expected {MAGIC.decode()!r} at its start")
    try:
        agreed = _agreed(X25519PrivateKey.from_private_bytes(key.secret), sender, sender, key.public)
        return AESGCM(agreed).decrypt(_NONCE, box, MAGIC + sender)
    except (InvalidTag, InputError) as error:
        raise IntegrityError(f"{what} does not open: altered, cut short, or sealed to another notice key") from error


def _agreed(private: X25519PrivateKey, peer: bytes, sender: bytes, receiver: bytes) -> bytes:
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(peer))
    except ValueError as error:
        hint = "muniment notice-key new FILE"
        raise InputError("the notice key is not a usable X25519 public key", hint=hint) from error
    return hkdf(shared, "muniment envelope 1", sender, receiver, length=32)


def _public(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
