"""Sealed bytes: AES-256-GCM boxes for small things, framed files for large ones.

Rules
1. A box is nonce (12 random bytes) | ciphertext | tag. What it is for goes into the associated data, so that a box
   never opens in another place.
2. A sealed file is magic | salt | frames. Its key is derived from the salt, so frame numbers can be nonces: no pair of
   key and nonce comes twice. The last frame says so in nonce and associated data: a file cut short at a frame's end
   does not verify (STREAM: Hoang, Reyhanitabar, Rogaway, Vizar, CRYPTO 2015).
3. Nothing leaves before its tag was checked. A failed tag is `IntegrityError`: altered, cut short or another key.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment import limits
from muniment.durable import replace_file, storage_faults
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.prf import hkdf

MAGIC = b"muniment sealed1"
_SALT = 32
_NONCE = 12
_TAG = 16


def seal(key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Encrypt `plaintext` under a 32-byte key into a box that opens only beside the same associated data."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated)


def unseal(key: bytes, box: bytes, associated: bytes, *, what: str = "a sealed box") -> bytes:
    """Open a box of `seal`; `IntegrityError` names `what` where the tag does not verify."""
    if len(box) < _NONCE + _TAG:
        raise IntegrityError(f"{what} is cut short: expected at least {_NONCE + _TAG} bytes, came {len(box)}")
    try:
        return AESGCM(key).decrypt(box[:_NONCE], box[_NONCE:], associated)
    except InvalidTag as error:
        raise IntegrityError(f"{what} does not verify: altered, or sealed under another key") from error


def write_sealed(path: Path, key: bytes, chunks: Iterable[bytes], purpose: str) -> None:
    """Write `chunks` as one sealed file; a crash leaves the old file or the new one.

    Raises `UnreachableError` on a full or read-only disk; the old file is untouched then.
    """
    replace_file(path, _sealed(key, chunks, purpose))


def read_sealed(path: Path, key: bytes, purpose: str) -> bytes:
    """Read a sealed file whole, verified.

    Raises `IntegrityError` where it was altered, cut short, renamed to another purpose or sealed under another key;
    `InputError` where there is none.
    """
    return b"".join(iter_sealed(path, key, purpose))


def iter_sealed(path: Path, key: bytes, purpose: str) -> Iterator[bytes]:
    """Yield the verified frames of a sealed file, one of at most 1 MiB at a time; errors as `read_sealed`."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; expected a sealed file ({purpose})")
    with storage_faults(path, "read"), path.open("rb") as file:
        if (size := os.fstat(file.fileno()).st_size) > limits.SEALED_BYTES:
            raise LimitError(f"{path}: {size:,} bytes; expected at most {limits.SEALED_BYTES:,}")
        magic, salt = file.read(len(MAGIC)), file.read(_SALT)
        if magic != MAGIC or len(salt) != _SALT:
            raise IntegrityError(f"{path}: no sealed file of this version; expected {MAGIC.decode()!r} at its start")
        cipher = _cipher(key, salt, purpose)
        frame, number = file.read(limits.SEALED_FRAME_BYTES + _TAG), 0
        while True:
            following = file.read(limits.SEALED_FRAME_BYTES + _TAG)
            nonce, associated = _position(number, not following, salt)
            try:
                yield cipher.decrypt(nonce, frame, associated)
            except InvalidTag as error:
                raise IntegrityError(
                    f"{path}: frame {number} does not verify: altered, cut short, or sealed under another key"
                ) from error
            if not following:
                return
            frame, number = following, number + 1


def _sealed(key: bytes, chunks: Iterable[bytes], purpose: str) -> Iterator[bytes]:
    salt = os.urandom(_SALT)
    cipher = _cipher(key, salt, purpose)
    yield MAGIC + salt
    number, frames = 0, _frames(chunks)
    frame = next(frames)
    for following in frames:
        yield cipher.encrypt(*_arrange(number, False, salt, frame))
        frame, number = following, number + 1
    yield cipher.encrypt(*_arrange(number, True, salt, frame))


def _frames(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Regroup chunks into full frames and one last frame, which is empty only where there was nothing at all."""
    held = bytearray()
    size = limits.SEALED_FRAME_BYTES
    for chunk in chunks:
        held += chunk
        while len(held) > size:
            yield bytes(held[:size])
            del held[:size]
    yield bytes(held)


def _cipher(key: bytes, salt: bytes, purpose: str) -> AESGCM:
    return AESGCM(hkdf(key, "muniment sealed file 1", purpose, salt, length=32))


def _position(number: int, last: bool, salt: bytes) -> tuple[bytes, bytes]:
    nonce = number.to_bytes(_NONCE - 1, "big") + bytes([last])
    return nonce, salt + nonce


def _arrange(number: int, last: bool, salt: bytes, frame: bytes) -> tuple[bytes, bytes, bytes]:
    nonce, associated = _position(number, last, salt)
    return nonce, frame, associated
