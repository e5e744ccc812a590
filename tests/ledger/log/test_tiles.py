"""Tiles and bundles: the paths and numbers of the specification, and bytes that do not fit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError, LimitError
from muniment.ledger.log.tiles import (
    BUNDLE_BYTES,
    ENTRIES,
    LEAF_BYTES,
    Tile,
    decode_bundle,
    decode_tile,
    encode_bundle,
    encode_tile,
    last_tile,
    levels,
    tiles_at,
)


def test_paths_are_those_of_the_specification() -> None:
    assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"
    assert Tile(1, 0, 17).path == "tile/1/000.p/17"
    assert Tile(63, 999, 255).path == "tile/63/999.p/255"
    assert Tile(ENTRIES, 1_000, 5).path == "tile/entries/x001/000.p/5"


def test_the_tree_of_70_000_is_that_of_the_specification() -> None:
    tiles = [tile for level in levels(70_000) for tile in tiles_at(level, 70_000)]
    assert [sum(tile.level == level and tile.width == 256 for tile in tiles) for level in range(3)] == [273, 1, 0]
    assert [tile for tile in tiles if tile.width < 256] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert [last_tile(level, 70_000) for level in range(3)] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert len(list(tiles_at(ENTRIES, 70_000))) == 274
    assert list(tiles_at(0, 256)) == [Tile(0, 0)] and list(tiles_at(1, 256)) == [Tile(1, 0, 1)]
    assert last_tile(0, 256) is None and last_tile(ENTRIES, 256) is None
    assert [len(levels(size)) for size in (0, 1, 255, 256, 65_535, 65_536)] == [0, 1, 1, 2, 2, 3]


def test_end_index_is_that_of_the_specification() -> None:
    assert [Tile(level, 2).end for level in (ENTRIES, 0, 1, 2)] == [768, 768, 3 * 256**2, 3 * 256**3]
    assert Tile(1, 515).parent == (Tile(2, 2), 3)


@settings(max_examples=60)
@given(leaves=st.lists(st.binary(max_size=40), min_size=1, max_size=256), data=st.data())
def test_bundles_round_trip_and_nothing_else_is_taken(leaves: list[bytes], data: st.DataObject) -> None:
    encoded = encode_bundle(leaves)
    assert decode_bundle(encoded, len(leaves)) == leaves
    with pytest.raises(IntegrityError):
        decode_bundle(encoded[: data.draw(st.integers(0, len(encoded) - 1), "cut")], len(leaves))
    for width in (len(leaves) - 1, len(leaves) + 1):
        with pytest.raises(IntegrityError, match="entries"):
            decode_bundle(encoded, width)
    with pytest.raises(IntegrityError, match="1 bytes more"):
        decode_bundle(encoded + b"\0", len(leaves))


def test_bounds_of_bundles() -> None:
    longest = encode_bundle([bytes(LEAF_BYTES)] * 256)
    assert len(longest) == BUNDLE_BYTES
    assert decode_bundle(longest, 256)[255] == bytes(LEAF_BYTES)
    with pytest.raises(LimitError, match="65,536 bytes"):
        encode_bundle([bytes(LEAF_BYTES + 1)])
    with pytest.raises(IntegrityError, match="entries"):
        decode_bundle(encode_bundle([b""] * 257), 256)


@given(data=st.binary(max_size=200), width=st.integers(0, 256))
def test_any_bytes_decode_or_are_refused(data: bytes, width: int) -> None:
    for decode in (decode_bundle, decode_tile):
        try:
            assert len(decode(data, width)) == width
        except IntegrityError:
            continue


def test_tiles_round_trip() -> None:
    hashes = [bytes([n]) * 32 for n in range(256)]
    assert decode_tile(encode_tile(hashes), 256) == hashes
    for data, width in ((b"", 1), (bytes(33), 1), (bytes(31), 1), (bytes(32), 2), (bytes(64), 1)):
        with pytest.raises(IntegrityError, match="hashes of 32"):
            decode_tile(data, width)
