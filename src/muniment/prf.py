"""Pseudo-random functions over many inputs at once: HKDF, AES blocks and CMAC, on `cryptography` primitives only.

AES in ECB over an array of *distinct* blocks is a PRF evaluation, not an encryption of data: no block is ever decrypted
and no two equal blocks mean anything but the same address. CMAC over many short messages is the chaining of RFC 4493
done column by column, one AES call for each block position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 16
"""Bytes of an AES block."""
CHUNK_BLOCKS = 65_536
"""Blocks in one AES call (1 MiB): output that stays in the cache is some ten times faster than fresh pages."""
_REDUCTION = 0x87
"""The constant Rb of RFC 4493 for 128-bit blocks."""


def hkdf(secret: bytes, *info: str | bytes, length: int = BLOCK) -> bytes:
    """Derive `length` bytes from a secret (RFC 5869, SHA-256, no salt); each part of `info` behind its length."""
    parts = [part.encode() if isinstance(part, str) else part for part in info]
    label = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=label).derive(secret)


class BlockFunction:
    """AES-128 under one key as a function from blocks to blocks; the key never shows in `repr`."""

    def __init__(self, key: bytes) -> None:
        self._encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - a PRF, see above
        self._buffer = bytearray(CHUNK_BLOCKS * BLOCK + BLOCK)

    def __call__(self, blocks: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Map blocks, shape (n, 16), to blocks of the same shape."""
        flat = np.ascontiguousarray(blocks, dtype=np.uint8).reshape(-1)
        out = np.empty_like(flat)
        step = CHUNK_BLOCKS * BLOCK
        for start in range(0, flat.size, step):
            part = flat[start : start + step]
            written = self._encryptor.update_into(part.data, self._buffer)
            out[start : start + written] = np.frombuffer(self._buffer, np.uint8, written)
        return out.reshape(-1, BLOCK)

    def __repr__(self) -> str:
        return "BlockFunction()"


def cmac_many(key: bytes, messages: Sequence[bytes]) -> NDArray[np.uint8]:
    """AES-CMAC (RFC 4493) of each message, shape (n, 16), equal to one call of the library's CMAC for each."""
    aes = BlockFunction(key)
    lengths = np.fromiter(map(len, messages), np.int64, len(messages))
    blocks = np.maximum(1, -(-lengths // BLOCK))
    out = np.empty((len(messages), BLOCK), np.uint8)
    for count in np.flatnonzero(np.bincount(blocks)).tolist():
        step = max(1, CHUNK_BLOCKS // count)
        group = np.flatnonzero(blocks == count)
        for start in range(0, len(group), step):
            chosen = group[start : start + step]
            few = messages if len(chosen) == len(messages) else [messages[i] for i in chosen.tolist()]
            rows = spread(b"".join(few), lengths[chosen], count * BLOCK)
            out[chosen] = _cmac_of_equal(aes, rows, lengths[chosen])
    return out


def cmac_rows(key: bytes, rows: NDArray[np.uint8], lengths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """`cmac_many` of messages in an array: message i is the first `lengths[i]` bytes of row i, zeros after it.

    Shapes (n, width) and (n,) -> (n, 16). As fast as AES goes where the messages are short and come 65,536 at a time.
    """
    aes = BlockFunction(key)
    blocks = np.maximum(1, -(-lengths // BLOCK))
    counts = np.flatnonzero(np.bincount(blocks)).tolist()
    out = np.empty((len(rows), BLOCK), np.uint8)
    for count in counts:
        chosen = slice(None) if len(counts) == 1 else np.flatnonzero(blocks == count)
        part = rows[chosen, : count * BLOCK]
        text = np.zeros((len(part), count * BLOCK), np.uint8)
        text[:, : part.shape[1]] = part
        out[chosen] = _cmac_of_equal(aes, text, lengths[chosen])
    return out


def spread(joined: bytes, lengths: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    """Texts that stand one behind the other, a row each with zeros after it; shape (n, width), all lengths <= width."""
    text = np.frombuffer(joined, np.uint8)
    rows = np.zeros((len(lengths), width), np.uint8)
    first = int(lengths[0]) if len(lengths) else 0
    if bool((lengths == first).all()):
        rows[:, :first] = text.reshape(len(lengths), first)
    else:
        rows[np.arange(width) < lengths[:, None]] = text
    return rows


def _cmac_of_equal(aes: BlockFunction, text: NDArray[np.uint8], lengths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """CMAC of messages that all fill the blocks of their row (the last one whole or padded). `text` is used up."""
    whole_key, padded_key = _subkeys(aes)
    width = text.shape[1]
    short = np.flatnonzero(lengths < width)
    text.reshape(-1)[short * width + lengths[short]] = 0x80
    words = text.view(np.uint64)
    if len(short) == len(text):
        words[:, -2:] ^= padded_key.view(np.uint64)
    else:
        text[:, -BLOCK:] ^= np.where((lengths < width)[:, None], padded_key, whole_key)
    state = aes(text[:, :BLOCK])
    for start in range(BLOCK, width, BLOCK):
        state.view(np.uint64)[:] ^= words[:, start // 8 : start // 8 + 2]
        state = aes(state)
    return state


def _subkeys(aes: BlockFunction) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The two subkeys of RFC 4493 section 2.3, for whole and for padded last blocks."""
    first = _double(aes(np.zeros((1, BLOCK), np.uint8)).tobytes())
    second = _double(first)
    return np.frombuffer(first, np.uint8), np.frombuffer(second, np.uint8)


def _double(block: bytes) -> bytes:
    """Multiply by x in GF(2^128)."""
    value = int.from_bytes(block, "big") << 1
    if value >> 128:
        value = (value & (2**128 - 1)) ^ _REDUCTION
    return value.to_bytes(BLOCK, "big")


def cmac64_many(key: bytes, messages: Sequence[bytes]) -> NDArray[np.uint64]:
    """The first 64 bits (big endian) of the CMAC of each message."""
    return first_64_bits(cmac_many(key, messages))


def first_64_bits(blocks: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The first 64 bits of blocks, big endian; shape (n, 16) -> (n,)."""
    return blocks.view(">u8").reshape(-1, 2)[:, 0].astype(np.uint64)
