"""A tree that is read from tiles nobody vouches for: each hash is checked up to the root before it is used. Pure.

Rules
1. The partial tiles at the right edge hash to the root (all of them together); a full tile hashes to its place in the
   tile above it. What does not is `IntegrityError`, and says which file.
2. A partial tile may be gone once the full one is there (tlog-tiles, "Partial Tiles"): its first hashes do.
3. Tiles and bundles whose end index is at or below the minimum index may be gone (tlog-tiles, "Pruning"). No proof
   between trees from that size on needs them.
4. Nothing is written here: `grown` says which files a larger tree has more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from muniment.errors import IntegrityError
from muniment.ledger.log.tiles import (
    BUNDLE_BYTES,
    ENTRIES,
    TILE_BYTES,
    WIDTH,
    Tile,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    last_tile,
    levels,
    span,
    tiles_at,
)
from muniment.ledger.log.tree import (
    Frontier,
    complete_spans,
    consistency_spans,
    fold,
    inclusion_spans,
    leaf_hash,
    root,
)

Read: TypeAlias = Callable[[str, int], bytes | None]
"""Reads a file of the log: path, most bytes -> its bytes (cut after one more than that), `None` where there is none."""
TILES_KEPT: Final = 1_024
"""Verified tiles that are kept in memory: 8 MiB of hashes, a path to every leaf of 200,000."""


class TiledTree:
    """A tree of known size and root over files of a log. It keeps verified tiles; the files belong to the folder."""

    def __init__(self, size: int, digest: bytes, read: Read) -> None:
        """Raises `IntegrityError` where the right edge does not hash to `digest` (rule 1)."""
        self.size = size
        self.root = digest
        self._read = read
        self._kept: OrderedDict[Tile, list[bytes]] = OrderedDict()
        self._edge = {tile: self._hashes(tile) for level in levels(size) if (tile := last_tile(level, size))}
        if fold(Frontier.read(size, self._complete).nodes) != digest:
            raise IntegrityError(f"the tiles of the log do not hash to the root of its checkpoint of size {size:,}")

    def __repr__(self) -> str:
        return f"TiledTree(size={self.size})"

    # --- reading -------------------------------------------------------------------------------------------------

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        """Leaves `start` up to, not including, `end`, each checked against the root.

        Raises `IntegrityError` where one was altered or is missing, `ValueError` where the tree has no such leaves.
        """
        if not 0 <= start <= end <= self.size:
            raise ValueError(f"leaves {start} to {end} of {self.size}")
        for number in range(start // WIDTH, -(-end // WIDTH)):
            bundle = self.bundle(number)
            yield from bundle[max(start - number * WIDTH, 0) : end - number * WIDTH]

    def bundle(self, number: int) -> list[bytes]:
        """The leaves of one bundle, checked against the tile of level 0 beside it."""
        width = min(WIDTH, self.size - number * WIDTH)
        data, file = self._file(Tile(ENTRIES, number, width), BUNDLE_BYTES)
        path, expected = file.path, self.tile(Tile(0, number, width))
        leaves = decode_bundle(data, file.width, what=path)[:width]
        for place, leaf in enumerate(leaves):
            if leaf_hash(leaf) != expected[place]:
                raise IntegrityError(f"{path}: entry {number * WIDTH + place:,} is not the one that was logged")
        return leaves

    def tile(self, tile: Tile) -> list[bytes]:
        """The hashes of a tile of this tree, checked up to the root (rule 1)."""
        if tile in self._edge:
            return self._edge[tile]
        if tile not in self._kept:
            # 1. find the lowest tile above that is known, 2. check downwards from there
            chain = [tile]
            while (above := self._above(chain[-1])) not in self._kept and above not in self._edge:
                chain.append(above)
            for unknown in reversed(chain):
                self._kept[unknown] = self._checked(unknown)
            while len(self._kept) > TILES_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(tile)
        return self._kept[tile]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The inclusion proof of leaf `index` in the tree of the first `size` leaves."""
        return [self.subtree(*leaves) for leaves in inclusion_spans(index, self._within(size))]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The consistency proof between the trees of the first `old` and the first `new` leaves."""
        return [self.subtree(*leaves) for leaves in consistency_spans(old, self._within(new))]

    def root_at(self, size: int) -> bytes:
        """The root as it was over the first `size` leaves."""
        return self.subtree(0, self._within(size))

    def subtree(self, start: int, end: int) -> bytes:
        """The root over leaves `start` to `end`, where they are a subtree of this tree or of an older one."""
        return fold([self._complete(*leaves, checked=True) for leaves in complete_spans(start, end)])

    # --- checking everything --------------------------------------------------------------------------------------

    def verify(self, minimum: int = 0) -> None:
        """Read and check every tile and bundle that rule 3 does not let go; in memory no more than some tiles.

        Raises `IntegrityError` naming the first file that is missing or does not verify.
        """
        for level in (*reversed(levels(self.size)), ENTRIES):
            for tile in tiles_at(level, self.size):
                if tile.end > minimum:
                    self.bundle(tile.number) if level == ENTRIES else self.tile(tile)

    def prunable(self, minimum: int) -> Iterator[Tile]:
        """The full tiles and bundles that may go when `minimum` is the minimum index."""
        for level in (ENTRIES, *levels(self.size)):
            for tile in tiles_at(level, self.size):
                if tile.end > minimum or tile.width < WIDTH:
                    break
                yield tile

    # --- growing -------------------------------------------------------------------------------------------------

    def grown(self, leaves: Sequence[bytes]) -> tuple[dict[Tile, bytes], int, bytes]:
        """The files that the tree has more with `leaves` at its end, and its size and root then.

        Raises `LimitError` where a leaf is too long, `IntegrityError` where the last bundle was altered.
        """
        last = last_tile(ENTRIES, self.size)
        entries, hashes = list(self.bundle(last.number)) if last else [], list(map(leaf_hash, leaves))
        size = self.size + len(leaves)
        frontier = Frontier.read(self.size, self._complete)
        for digest in hashes:
            frontier = frontier.add(digest)
        files = _cut(ENTRIES, self.size, size, [*entries, *leaves], encode_bundle)
        for level in levels(size):
            edge = last_tile(level, self.size)
            known = [*self._edge[edge], *hashes] if edge else hashes
            files |= _cut(level, self.size // span(level), size // span(level), known, encode_tile)
            full = range(0, len(known) - WIDTH + 1, WIDTH)
            hashes = [root(known[start : start + WIDTH]) for start in full]
        return files, size, frontier.root

    # --- files ---------------------------------------------------------------------------------------------------

    def _within(self, size: int) -> int:
        if size > self.size:
            raise ValueError(f"size {size} of a tree of {self.size}")
        return size

    def _above(self, tile: Tile) -> Tile:
        return self._of_width(tile.parent[0])

    def _of_width(self, tile: Tile) -> Tile:
        """A tile with the width that it has in this tree."""
        return Tile(tile.level, tile.number, min(WIDTH, self.size // span(tile.level) - tile.number * WIDTH))

    def _checked(self, tile: Tile) -> list[bytes]:
        above, place = self._above(tile), tile.parent[1]
        known = self._edge.get(above) or self._kept[above]
        hashes = self._hashes(tile)
        if root(hashes) != known[place]:
            raise IntegrityError(f"{tile.path}: its hashes are not those that the tile above it was made from")
        return hashes

    def _hashes(self, tile: Tile) -> list[bytes]:
        data, file = self._file(tile, TILE_BYTES)
        return decode_tile(data, file.width, what=file.path)[: tile.width]

    def _file(self, tile: Tile, at_most: int) -> tuple[bytes, Tile]:
        """The bytes of a tile, and which tile they are of: the full one stands in for a partial one (rule 2)."""
        for candidate in (tile, tile.full):
            data = self._read(candidate.path, at_most)
            if data is not None:
                return data, candidate
        raise IntegrityError(f"{tile.path}: this file of the log is missing")

    def _complete(self, start: int, end: int, *, checked: bool = False) -> bytes:
        """The root over complete, aligned leaves; they lie in one tile, or are one hash of it."""
        width, level = end - start, 0
        while width >= WIDTH:
            width, level = width // WIDTH, level + 1
        first = start // span(level)
        tile = self._of_width(Tile(level, first // WIDTH))
        hashes = self.tile(tile) if checked else self._edge[tile]
        place = first % WIDTH
        return root(hashes[place : place + width])


def _cut(
    level: int, old: int, new: int, places: Sequence[bytes], encode: Callable[[Sequence[bytes]], bytes]
) -> dict[Tile, bytes]:
    """The tiles of one level that are new when it grows from `old` to `new` places; `places`: from the edge on."""
    files: dict[Tile, bytes] = {}
    first = old // WIDTH
    if old == new:
        return files
    for number in range(first, -(-new // WIDTH)):
        part = places[(number - first) * WIDTH : (number - first + 1) * WIDTH]
        files[Tile(level, number, len(part))] = encode(part)
    return files
