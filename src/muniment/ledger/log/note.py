"""Signed notes (C2SP signed-note): a text, an empty line, and one line for each signature. Pure.

Rules
1. A note is UTF-8 without control characters but newline. Names are not empty and hold no Unicode space and no plus.
2. A signature of an unknown key is passed over, even where name or key id alone are known. A signature of a known key
   that does not verify refuses the whole note; so does a note that no known key has signed.
3. Base64 has one form here: what would not be written that way again is malformed.
4. Two kinds of Ed25519 signatures: 0x01 over the text, 0x04 over time and text (C2SP tlog-cosignature, v1).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from muniment.errors import InputError, IntegrityError

NOTE_BYTES: Final = 64 * 1024
"""Bytes of a note that is parsed: a checkpoint with hundreds of cosignatures."""
SIGNATURES: Final = 100
"""Signature lines of a note that is parsed; the specification asks for 16 at least, Go's verifier stops here too."""
_DASH = "— "
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_TIME_BYTES = 8
_VKEY = re.compile(r"(?P<name>[^+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/=]+)", re.ASCII)


class Kind(IntEnum):
    """What a key signs: the signature type of signed-note."""

    NOTE = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who signed by name and key id (4 bytes), and the bytes after the id."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {encode64(self.key_id + self.value)}\n"

    @property
    def time(self) -> int:
        """Of a cosignature: when it was made, in seconds since 1970 (POSIX)."""
        return int.from_bytes(self.value[:_TIME_BYTES], "big")


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. Nothing in it is to be believed before `open_note` has passed it."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The bytes of the note."""
        return (self.text + "\n" + "".join(map(str, self.signatures))).encode()


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name and what it signs. `str()` is its vkey: NAME+ID+BASE64."""

    name: str
    public: bytes
    kind: Kind = Kind.NOTE

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != _KEY_BYTES:
            raise InputError(f"verifier key {self.name!r}: {len(self.public)} bytes; expected {_KEY_BYTES}")

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a vkey. Raises `InputError` where it is malformed, of another kind, or its id does not fit."""
        found = _VKEY.fullmatch(text)
        if found is None:
            raise InputError(f"verifier key {text[:80]!r}: malformed; expected NAME+8 hex digits+BASE64")
        key = decode64(found["key"])
        if key is None or len(key) != _KEY_BYTES + 1 or key[0] not in tuple(Kind):
            raise InputError(f"verifier key {text[:80]!r}: expected an Ed25519 key of kind 0x01 or 0x04")
        parsed = cls(found["name"], key[1:], Kind(key[0]))
        if parsed.key_id.hex() != found["id"]:
            raise InputError(f"verifier key {text[:80]!r}: its id should be {parsed.key_id.hex()}: a letter is wrong")
        return parsed

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode64(bytes([self.kind]) + self.public)}"

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256 over name, newline, kind and key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def made(self, signature: Signature) -> bool:
        """Whether a signature says that it is of this key."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)

    def verify(self, text: str, signature: Signature) -> None:
        """Raises `IntegrityError` where `signature` is not one of this key over `text`."""
        stamp = _TIME_BYTES if self.kind is Kind.COSIGNATURE else 0
        value = signature.value
        if len(value) != stamp + _SIGNATURE_BYTES or (stamp and signature.time >= 1 << 63):
            raise IntegrityError(f"the signature of {self.name} is malformed")
        try:
            message = _message(self.kind, text, signature.time)
            Ed25519PublicKey.from_public_bytes(self.public).verify(value[stamp:], message)
        except InvalidSignature as error:
            raise IntegrityError(
                f"the signature of {self.name} does not verify: the text was altered, or another key signed it"
            ) from error


@dataclass(frozen=True, slots=True)
class Signer:
    """A private Ed25519 key (32 bytes) with its name. The secret shows in no repr."""

    name: str
    secret: bytes = field(repr=False)
    kind: Kind = Kind.NOTE

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        public = self._private().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return VerifierKey(self.name, public, self.kind)

    def sign(self, text: str, time: int = 0) -> Signature:
        """Sign a text; `time` (seconds since 1970) goes into a cosignature only."""
        _check_text(text)
        stamp = time.to_bytes(_TIME_BYTES, "big") if self.kind is Kind.COSIGNATURE else b""
        value = self._private().sign(_message(self.kind, text, time))
        return Signature(self.name, self.verifier.key_id, stamp + value)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)


def sign_note(text: str, signers: Iterable[Signer]) -> bytes:
    """The bytes of a note over `text`, signed by each of `signers` (of kind NOTE)."""
    return Note(text, tuple(signer.sign(text) for signer in signers)).encode()


def parse_note(data: bytes, *, what: str = "the note") -> Note:
    """Split a note into text and signatures. Nothing is verified yet. `IntegrityError` where it is malformed."""
    if len(data) > NOTE_BYTES:
        raise IntegrityError(f"{what}: {len(data):,} bytes; expected at most {NOTE_BYTES:,}")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{what}: not UTF-8") from error
    text, separator, rest = whole.rpartition("\n\n")
    text += "\n"
    lines = rest.split("\n")
    if not separator or lines.pop() or not lines or _is_malformed(whole):
        raise IntegrityError(f"{what}: malformed; expected a text, an empty line and one line for each signature")
    if len(lines) > SIGNATURES:
        raise IntegrityError(f"{what}: {len(lines):,} signatures; expected at most {SIGNATURES}")
    return Note(text, tuple(_parse_signature(line, what) for line in lines))


def open_note(
    data: bytes, keys: Sequence[VerifierKey], *, others: Sequence[VerifierKey] = (), what: str = "the note"
) -> Note:
    """Parse a note and verify it (rule 2); only the verified signatures are left in it, one a key.

    One of `keys` must have signed; signatures of `others` are verified where they are there. Raises `IntegrityError`
    where the note is malformed, or does not verify.
    """
    note = parse_note(data, what=what)
    verified: dict[VerifierKey, Signature] = {}
    for signature in note.signatures:
        key = next((key for key in (*keys, *others) if key.made(signature)), None)
        if key is not None and key not in verified:
            try:
                key.verify(note.text, signature)
            except IntegrityError as error:
                raise IntegrityError(f"{what}: {error.message}") from error
            verified[key] = signature
    if not verified.keys() & set(keys):
        signed = ", ".join(sorted({signature.name for signature in note.signatures}))
        raise IntegrityError(f"{what}: signed by {signed[:200]}, but by none of the keys that are trusted here")
    return Note(note.text, tuple(verified.values()))


def encode64(data: bytes) -> str:
    """Standard base64 (RFC 4648 section 4)."""
    return base64.b64encode(data).decode()


def decode64(text: str) -> bytes | None:
    """Undo `encode64`; `None` for anything that it does not write."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if encode64(data) == text else None


def _message(kind: Kind, text: str, time: int) -> bytes:
    return (f"cosignature/v1\ntime {time}\n{text}" if kind is Kind.COSIGNATURE else text).encode()


def _parse_signature(line: str, what: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    value = decode64(encoded)
    if not line.startswith(_DASH) or not _is_name(name) or value is None or len(value) < 5:
        raise IntegrityError(f"{what}: a signature line is malformed; expected {_DASH}NAME BASE64")
    return Signature(name, value[:4], value[4:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def _is_malformed(text: str) -> bool:
    return any(c < " " and c != "\n" for c in text)


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise InputError(f"key name {name[:80]!r}: expected a name without spaces and plus signs")


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _is_malformed(text):
        raise ValueError("the text of a note ends with a newline and holds no other control character")
