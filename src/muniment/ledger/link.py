"""A private link between two processes that hold the same segment key: proof both ways, then sealed messages.

Rules
1. Hello: the server sends magic | nonce (32); the client nonce (32) | key number u32 | proof (32); the server its proof
   (32), or zeros. A proof is HMAC-SHA-256 under a key derived from the segment key, over side | server nonce | client
   nonce: neither side can answer for the other, and no hello can be played again.
2. Message = length u32 | box. The box is AES-256-GCM over kind (1 byte) | body, under a key of this link and this
   direction; the nonce is the number of the message. One that is altered, left out, doubled or moved does not open.
3. Before the proof only the fixed bytes of the hello are read; after it a message is bounded by `MESSAGE_BYTES`.
"""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from muniment.errors import IntegrityError, LimitError, UnreachableError
from muniment.ledger.wal.frames import TAG_BYTES, WAL_FRAME_BYTES, SegmentKeys
from muniment.prf import hkdf

MESSAGE_BYTES: Final = WAL_FRAME_BYTES
"""Bytes of one message: what a frame of the write-ahead file can hold."""
HELLO_SECONDS: Final = 10.0
"""Seconds for a hello, and for a peer to take what is sent: a stopped process must not hold up others for ever."""
REPLY_SECONDS: Final = 120.0
"""Seconds to wait for a reply: twice what the largest frame takes on a slow disk."""

MAGIC = b"muniment writer1"
_NONCE = 32
_PROOF = 32
_NUMBER = struct.Struct(">I")
_PIECE = 1024**2
_GONE = "the process that writes the ledger went away"
_AGAIN = "open the ledger again"


class Link:
    """One end of an open link. Belongs to one thread at a time."""

    def __init__(self, connection: socket.socket, sending: bytes, receiving: bytes) -> None:
        """For `connect` and `accept` only: the keys of the two directions."""
        self._connection = connection
        self._sending = AESGCM(sending)
        self._receiving = AESGCM(receiving)
        self._sent = self._received = 0

    def __repr__(self) -> str:
        return "Link()"

    @classmethod
    def connect(cls, connection: socket.socket, keys: SegmentKeys, random_bytes: Callable[[int], bytes]) -> Link:
        """The client's end. The newest key of `keys` is used.

        Raises `IntegrityError` where the server does not prove that it holds that key, `UnreachableError` where it goes
        away.
        """
        connection.settimeout(HELLO_SECONDS)
        hello = _read(connection, len(MAGIC) + _NONCE)
        if not hello.startswith(MAGIC):
            raise IntegrityError("what answers at the writer's socket is no writer of this version")
        nonces = hello[len(MAGIC) :] + random_bytes(_NONCE)
        secret = _secret(keys, keys.newest)
        _write(connection, nonces[_NONCE:] + _NUMBER.pack(keys.newest) + _proof(secret, b"client", nonces).finalize())
        if not _proves(_read(connection, _PROOF), secret, b"server", nonces):
            raise IntegrityError(
                f"the process that writes the ledger does not hold the key segment-{keys.newest} of this key ring",
                hint="use the key ring of this ledger; after a rotation, end the writing process and start it again",
            )
        return cls(connection, _direction(secret, b"client", nonces), _direction(secret, b"server", nonces))

    @classmethod
    def accept(cls, connection: socket.socket, keys: SegmentKeys, random_bytes: Callable[[int], bytes]) -> Link:
        """The server's end. Raises `IntegrityError` where the client does not prove that it holds one of the keys."""
        connection.settimeout(HELLO_SECONDS)
        nonce = random_bytes(_NONCE)
        _write(connection, MAGIC + nonce)
        answer = _read(connection, _NONCE + _NUMBER.size + _PROOF)
        nonces = nonce + answer[:_NONCE]
        try:
            secret = _secret(keys, *_NUMBER.unpack_from(answer, _NONCE))
            if not _proves(answer[-_PROOF:], secret, b"client", nonces):
                raise IntegrityError("a client of the writer does not hold the segment key that it named")
        except IntegrityError:
            _write(connection, bytes(_PROOF))
            raise
        _write(connection, _proof(secret, b"server", nonces).finalize())
        return cls(connection, _direction(secret, b"server", nonces), _direction(secret, b"client", nonces))

    def send(self, kind: bytes, body: bytes) -> None:
        """Send a message; `kind` is one byte. Raises `UnreachableError` where the peer is gone or does not read."""
        if len(body) >= MESSAGE_BYTES - TAG_BYTES:
            raise LimitError(
                f"a message of {len(body):,} bytes to the writer; expected at most {MESSAGE_BYTES:,}",
                hint="append in several batches",
            )
        box = self._sending.encrypt(_nonce(self._sent), kind + body, None)
        self._sent += 1
        self._connection.settimeout(REPLY_SECONDS)
        _write(self._connection, _NUMBER.pack(len(box)) + box)

    def receive(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """The next message as kind and body; waits `timeout` seconds for its bytes, `None`: for ever.

        Raises `IntegrityError` where it does not verify, `UnreachableError` where the peer is gone or too slow.
        """
        self._connection.settimeout(timeout)
        (length,) = _NUMBER.unpack(_read(self._connection, _NUMBER.size))
        if not TAG_BYTES < length <= MESSAGE_BYTES:
            raise IntegrityError(f"a message of {length:,} bytes came; expected {TAG_BYTES + 1} to {MESSAGE_BYTES:,}")
        try:
            message = self._receiving.decrypt(_nonce(self._received), _read(self._connection, length), None)
        except InvalidTag as error:
            raise IntegrityError("a message on the writer's socket does not verify: altered on its way") from error
        self._received += 1
        return message[:1], message[1:]

    def gone(self) -> bool:
        """Whether the peer has closed its end. May be asked by any thread."""
        poll = select.poll()
        poll.register(self._connection, 0)  # hang-ups and errors are always told
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _secret(keys: SegmentKeys, number: int) -> bytes:
    return keys.derived(number, "muniment writer link 1", what="the hello of a client")


def _direction(secret: bytes, side: bytes, nonces: bytes) -> bytes:
    return hkdf(secret, b"direction", side, nonces, length=32)


def _proof(secret: bytes, side: bytes, nonces: bytes) -> HMAC:
    proof = HMAC(hkdf(secret, b"proof", length=32), SHA256())
    proof.update(side + nonces)
    return proof


def _proves(proof: bytes, secret: bytes, side: bytes, nonces: bytes) -> bool:
    try:
        _proof(secret, side, nonces).verify(proof)
    except InvalidSignature:
        return False
    return True


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _write(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except OSError as error:
        raise UnreachableError(_GONE, hint=_AGAIN) from error


def _read(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        try:
            piece = connection.recv(min(_PIECE, size - len(data)))
        except TimeoutError as error:
            raise UnreachableError("the process that writes the ledger does not answer", hint=_AGAIN) from error
        except OSError as error:
            raise UnreachableError(_GONE, hint=_AGAIN) from error
        if not piece:
            raise UnreachableError(_GONE, hint=_AGAIN)
        data += piece
    return bytes(data)
