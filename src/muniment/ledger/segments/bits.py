"""Integers in few bits: DELTA_BINARY_PACKED of the Parquet format (Encodings.md, code 5), many values at a time. Pure.

Rules
1. Blocks of 128 values, miniblocks of 32; a miniblock of width w fills 4 w bytes, lowest bit first.
2. Values are int64 or uint32; differences wrap at 64 or 32 bits, as the format says they must.
3. Reading is closed: only what `encode` writes is read back, and nothing may be left over.

Miniblocks of one width are packed together: 32 columns, each shifted and or-ed as a whole, then laid out where the
sizes of all that stands before them say. Python's loop runs over widths and blocks, never over values.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from muniment.errors import IntegrityError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64] | NDArray[np.uint32]
    Words = NDArray[np.uint64] | NDArray[np.uint32]

BLOCK: Final = 128
"""Values of a block."""
MINIBLOCK: Final = 32
"""Values of a miniblock."""
_MINIBLOCKS: Final = BLOCK // MINIBLOCK
_WINDOW: Final = 2_048
"""Blocks handled at a time (1 or 2 MiB of values): what one step leaves is still in the cache for the next."""
_POWERS = np.array([1 << bit for bit in range(64)], np.uint64)
_VARINT_BYTES = 10


def varint(value: int) -> bytes:
    """Unsigned LEB128: seven bits a byte, lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned varint of at most ten bytes and the place behind it; `IntegrityError` where it is cut short."""
    if at < len(data) and data[at] < 0x80:
        return data[at], at + 1
    value = shift = 0
    for place in range(at, min(at + _VARINT_BYTES, len(data))):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise IntegrityError("a packed column is malformed: a number is cut short or too long")


def zigzag(value: int) -> int:
    """Fold the sign into the lowest bit, so that small numbers of either sign stay small."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def unzigzag(value: int) -> int:
    """Undo `zigzag`."""
    return value >> 1 if not value & 1 else -(value >> 1) - 1


def encode(values: Integers) -> bytes:
    """Pack a column of int64 or uint32, shape (n,)."""
    first = int(values.view(_signed(values.dtype))[0]) if len(values) else 0
    head = varint(BLOCK) + varint(_MINIBLOCKS) + varint(len(values)) + varint(zigzag(first))
    plain = values.view(_unsigned(values.dtype))
    step = BLOCK * _WINDOW
    parts = [_encoded_blocks(np.diff(plain[at : at + step + 1])) for at in range(0, len(values) - 1, step)]
    return b"".join([head, *parts])


def decode(data: bytes, count: int, dtype: type[np.int64] | type[np.uint32]) -> Any:
    """Undo `encode`: a column of `count` values of int64 or uint32. Raises `IntegrityError` for any other bytes."""
    return decode_all([data], [count], dtype)


def decode_all(streams: Sequence[bytes], counts: Sequence[int], dtype: type[np.int64] | type[np.uint32]) -> Any:
    """Columns of so many values, each packed by itself, one behind another; errors as `decode`.

    Short ones are unpacked together: alone, each would take as many steps of numpy as a long one.
    """
    out = np.empty(sum(counts), _unsigned(np.dtype(dtype)))
    held: list[_Stream] = []
    blocks = end = 0
    for data, count in zip(streams, counts, strict=True):
        start, end = end, end + count
        stream = _parsed(data, out[start:end])
        if stream is None:
            continue
        held.append(stream)
        blocks += len(stream.least)
        if blocks >= _WINDOW:
            _fill(held)
            held, blocks = [], 0
    if held:
        _fill(held)
    return out.view(dtype)


class _Stream(NamedTuple):
    """One packed column: its bytes, the least difference of each block, width and place of each miniblock, and where
    its values go, the first of which is there already.
    """

    data: bytes
    least: NDArray[np.uint64]
    widths: NDArray[np.int64]
    places: NDArray[np.int64]
    out: Words


def _parsed(data: bytes, out: Words) -> _Stream | None:
    """The heads of a column; `None` where all values are one, and in place."""
    head, at = [], 0
    for _ in range(4):
        value, at = read_varint(data, at)
        head.append(value)
    bits = 8 * out.itemsize
    count, first = len(out), unzigzag(head[3])
    if head[:3] != [BLOCK, _MINIBLOCKS, count] or not -(1 << bits - 1) <= first < 1 << bits - 1:
        raise IntegrityError(f"a packed column is malformed at its head; expected {count:,} values")
    blocks = -(-max(0, count - 1) // BLOCK)
    if len(data) - at == blocks * (1 + _MINIBLOCKS) == data.count(0, at):
        out[:] = first & (1 << bits) - 1
        return None
    least, widths, places, end = _block_heads(data, at, blocks)
    used = -(-max(0, count - 1) // MINIBLOCK)
    if end != len(data) or widths[used:].any() or (widths > bits).any():
        raise IntegrityError("a packed column is malformed: its blocks do not fill it")
    out[0] = first & (1 << bits) - 1
    return _Stream(data, least, widths, places, out)


def _fill(streams: Sequence[_Stream]) -> None:
    """Unpack columns of one kind, all miniblocks of a window together."""
    kind: Any = streams[0].out.dtype
    edges = list(accumulate((len(one.least) for one in streams), initial=0))
    shifts = accumulate((len(one.data) for one in streams[:-1]), initial=0)
    data = b"".join(one.data for one in streams)
    places = np.concatenate([one.places + shift for one, shift in zip(streams, shifts, strict=True)])
    widths = np.concatenate([one.widths for one in streams])
    low = np.concatenate([one.least for one in streams]).astype(kind)
    for start in range(0, edges[-1], _WINDOW):
        stop = min(start + _WINDOW, edges[-1])
        minis = slice(start * _MINIBLOCKS, stop * _MINIBLOCKS)
        deltas = _unpacked(data, widths[minis], places[minis], kind).reshape(-1, BLOCK) + low[start:stop, None]
        flat = deltas.reshape(-1)
        for one, begin, end in zip(streams, edges, edges[1:], strict=False):
            first, last = max(begin, start), min(end, stop)
            if first < last:
                part = one.out[(first - begin) * BLOCK : (last - begin) * BLOCK + 1]
                part[1:] = flat[(first - start) * BLOCK : (last - start) * BLOCK][: len(part) - 1]
                np.cumsum(part, out=part)


def _signed(dtype: Any) -> Any:
    return np.int32 if dtype.itemsize == 4 else np.int64


def _unsigned(dtype: Any) -> Any:
    return np.uint32 if dtype.itemsize == 4 else np.uint64


def _encoded_blocks(deltas: Words) -> bytes:
    """Whole blocks, the last one padded."""
    blocks = -(-len(deltas) // BLOCK)
    signed = np.empty(blocks * BLOCK, _signed(deltas.dtype))
    signed[: len(deltas)] = deltas.view(signed.dtype)
    signed[len(deltas) :] = signed[len(deltas) - 1]
    least = signed.reshape(-1, BLOCK).min(axis=1)
    above = signed.view(deltas.dtype).reshape(-1, BLOCK) - least.view(deltas.dtype)[:, None]
    above = above.reshape(-1)
    above[len(deltas) :] = 0
    minis = above.reshape(-1, MINIBLOCK)
    widths = np.searchsorted(_POWERS, minis.max(axis=1).astype(np.uint64), side="right")
    wide = least.astype(np.int64)
    folded = ((wide << 1) ^ (wide >> 63)).view(np.uint64)
    lengths = 1 + np.searchsorted(_POWERS[7::7], folded, side="right")
    sizes = lengths + _MINIBLOCKS + 4 * widths.reshape(-1, _MINIBLOCKS).sum(axis=1)
    heads = np.cumsum(sizes) - sizes
    out = np.zeros(int(sizes.sum()), np.uint8)
    _put_varints(out, heads, folded, lengths)
    tables = heads + lengths
    out[tables[:, None] + np.arange(_MINIBLOCKS)] = widths.reshape(-1, _MINIBLOCKS)
    _put_bodies(out, minis, widths, _places(tables, widths))
    return out.tobytes()


def _places(tables: NDArray[np.int64], widths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each miniblock begins, given where the table of widths of its block stands."""
    bodies = 4 * widths.reshape(-1, _MINIBLOCKS)
    starts: NDArray[np.int64] = (tables + _MINIBLOCKS)[:, None] + np.cumsum(bodies, axis=1) - bodies
    return starts.reshape(-1)


def _put_varints(
    out: NDArray[np.uint8], at: NDArray[np.int64], values: NDArray[np.uint64], lengths: NDArray[np.int64]
) -> None:
    for byte in range(int(lengths.max())):
        long = lengths > byte
        more = (lengths[long] > byte + 1).astype(np.uint64) << np.uint64(7)
        out[at[long] + byte] = values[long] >> np.uint64(7 * byte) & np.uint64(0x7F) | more


def _put_bodies(
    out: NDArray[np.uint8], minis: Words, widths: NDArray[np.int64], places: NDArray[np.int64]
) -> None:
    for width in np.unique(widths).tolist():
        if width == 0:
            continue
        chosen = np.flatnonzero(widths == width)
        _records(out, width)[places[chosen]] = _pack(minis[chosen], width).view(f"V{4 * width}").reshape(-1)


def _records(flat: NDArray[np.uint8], width: int) -> NDArray[np.void]:
    """Every run of 4 * width bytes of `flat` as one item, beginning at each byte: for copying miniblocks whole."""
    size = 4 * width
    return np.ndarray((max(0, len(flat) - size + 1),), f"V{size}", buffer=flat.data, strides=(1,))


def _pack(minis: Words, width: int) -> NDArray[np.uint8]:
    """Miniblocks, shape (k, 32), of values below 2**width, as bytes, shape (k, 4 * width)."""
    kind = np.uint32 if width <= 32 else np.uint64
    bits = 8 * np.dtype(kind).itemsize
    columns = np.ascontiguousarray(minis.T.astype(kind))
    words = np.zeros((-(-MINIBLOCK * width // bits), len(minis)), kind)
    for i, column in enumerate(columns):
        word, shift = divmod(i * width, bits)
        words[word] |= column << kind(shift)
        if shift + width > bits:
            words[word + 1] |= column >> kind(bits - shift)
    return np.ascontiguousarray(np.ascontiguousarray(words.T).view(np.uint8)[:, : 4 * width])


def _unpack(packed: NDArray[np.uint8], width: int) -> Words:
    """Undo `_pack`, shape (k, 32)."""
    kind = np.uint32 if width <= 32 else np.uint64
    bits = 8 * np.dtype(kind).itemsize
    whole = np.zeros((len(packed), -(-MINIBLOCK * width // bits) * bits // 8), np.uint8)
    whole[:, : 4 * width] = packed
    words = np.ascontiguousarray(whole.view(kind).T)
    out = np.empty((MINIBLOCK, len(packed)), kind)
    mask = kind((1 << width) - 1)
    for i in range(MINIBLOCK):
        word, shift = divmod(i * width, bits)
        out[i] = words[word] >> kind(shift)
        if shift + width > bits:
            out[i] |= words[word + 1] << kind(bits - shift)
        out[i] &= mask
    return out.T


def _unpacked(data: bytes, widths: NDArray[np.int64], places: NDArray[np.int64], kind: Any) -> Words:
    """The packed values of miniblocks, shape (k, 32)."""
    flat = np.frombuffer(data, np.uint8)
    out = np.zeros((len(widths), MINIBLOCK), kind)
    for width in np.unique(widths).tolist():
        if width == 0:
            continue
        chosen = np.flatnonzero(widths == width)
        packed = _records(flat, width)[places[chosen]].view(np.uint8).reshape(-1, 4 * width)
        out[chosen] = _unpack(packed, width)
    return out


def _block_heads(
    data: bytes, at: int, blocks: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64], int]:
    """Least difference of each block (two's complement), width and place of each miniblock, and where it all ends."""
    if len(data) - at < blocks * (1 + _MINIBLOCKS):
        raise IntegrityError("a packed column is cut short")
    least, tables = [], []
    try:
        for _ in range(blocks):  # some hundred nanoseconds a block: no call where one byte says it
            folded = data[at]
            if folded < 0x80:
                at += 1
            else:
                folded, at = read_varint(data, at)
            least.append(folded)
            tables.append(at)
            at += _MINIBLOCKS + 4 * (data[at] + data[at + 1] + data[at + 2] + data[at + 3])
    except IndexError as error:
        raise IntegrityError("a packed column is cut short") from error
    if at > len(data) or max(least, default=0) >> 64:
        raise IntegrityError("a packed column is cut short, or holds a number that is too long")
    starts = np.array(tables, np.int64)
    widths = np.frombuffer(data, np.uint8)[starts[:, None] + np.arange(_MINIBLOCKS)].astype(np.int64).reshape(-1)
    unfolded = np.array(least, np.uint64)
    unfolded = unfolded >> np.uint64(1) ^ np.uint64(0) - (unfolded & np.uint64(1))
    return unfolded, widths, _places(starts, widths), at
