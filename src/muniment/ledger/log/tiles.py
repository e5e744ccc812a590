"""Tiles and entry bundles (C2SP tlog-tiles): which bytes lie at which path. Pure.

Rules
1. A tile of level L holds up to 256 hashes of complete subtrees over 256**L leaves each; a bundle holds the leaves
   beside one tile of level 0. The last of each level may be partial, and then its width is part of its path.
2. Bytes from a folder are read closed: a length that does not fit exactly is `IntegrityError`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from muniment.errors import IntegrityError, LimitError
from muniment.ledger.log.tree import DIGEST_BYTES

WIDTH: Final = 256
"""Hashes in a full tile, leaves in a full bundle."""
LEAF_BYTES: Final = 65_535
"""Bytes of one leaf: a bundle gives its length in 16 bits."""
TILE_BYTES: Final = WIDTH * DIGEST_BYTES
BUNDLE_BYTES: Final = WIDTH * (2 + LEAF_BYTES)
ENTRIES: Final = -1
"""The level of entry bundles, in a `Tile`."""
_LENGTH = struct.Struct(">H")


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile, or bundle (`level` ENTRIES), by number within its level, and how many of its places are filled."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The path below the log's folder: `tile/0/x001/x234/067`, `tile/entries/000.p/5`."""
        groups = [f"{self.number % 1000:03d}"]
        rest = self.number // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        return "/".join(("tile", level, *groups)) + (f".p/{self.width}" if self.width < WIDTH else "")

    @property
    def full(self) -> Tile:
        """The same tile when all its places are filled."""
        return Tile(self.level, self.number)

    @property
    def parent(self) -> tuple[Tile, int]:
        """The tile one level up (as a full one) that holds the root of this one when full, and at which place."""
        return Tile(self.level + 1, self.number // WIDTH), self.number % WIDTH

    @property
    def end(self) -> int:
        """The end index of the full tile: the number of the first leaf after it."""
        return (self.number + 1) * span(self.level) * WIDTH


def span(level: int) -> int:
    """The leaves under one place of a tile; 1 for bundles."""
    return 1 << 8 * max(level, 0)


def tiles_at(level: int, size: int) -> Iterator[Tile]:
    """The tiles of one level (or the bundles) of a tree of `size` leaves, left to right."""
    full, rest = divmod(size // span(level), WIDTH)
    yield from (Tile(level, number) for number in range(full))
    if rest:
        yield Tile(level, full, rest)


def levels(size: int) -> range:
    """The levels of tiles that a tree of `size` leaves has."""
    count = 0
    while size:
        size, count = size // WIDTH, count + 1
    return range(count)


def last_tile(level: int, size: int) -> Tile | None:
    """The partial tile that ends a level; `None` where the last one is full, or there is none."""
    full, rest = divmod(size // span(level), WIDTH)
    return Tile(level, full, rest) if rest else None


# --- bytes -------------------------------------------------------------------------------------------------------


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a tile."""
    return b"".join(hashes)


def decode_tile(data: bytes, width: int, *, what: str = "the tile") -> list[bytes]:
    """The hashes of a tile of exactly `width`."""
    if len(data) != width * DIGEST_BYTES:
        raise IntegrityError(f"{what}: {len(data):,} bytes; expected {width} hashes of {DIGEST_BYTES}")
    return [data[start : start + DIGEST_BYTES] for start in range(0, len(data), DIGEST_BYTES)]


def encode_bundle(leaves: Sequence[bytes]) -> bytes:
    """The bytes of an entry bundle: each leaf behind its length. Raises `LimitError` for a leaf that is too long."""
    parts = []
    for leaf in leaves:
        if len(leaf) > LEAF_BYTES:
            raise LimitError(f"a leaf of the log: {len(leaf):,} bytes; expected at most {LEAF_BYTES:,}")
        parts += [_LENGTH.pack(len(leaf)), leaf]
    return b"".join(parts)


def decode_bundle(data: bytes, width: int, *, what: str = "the entry bundle") -> list[bytes]:
    """The leaves of a bundle of exactly `width`."""
    leaves: list[bytes] = []
    offset = 0
    for number in range(width):
        start = offset + _LENGTH.size
        offset = start + int.from_bytes(data[offset:start], "big")
        if max(start, offset) > len(data):
            raise IntegrityError(f"{what}: cut short within entry {number}; expected {width} entries")
        leaves.append(data[start:offset])
    if offset != len(data):
        raise IntegrityError(f"{what}: {len(data) - offset:,} bytes more than its {width} entries")
    return leaves
