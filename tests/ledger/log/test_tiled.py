"""A tree over tiles in memory: equal to the plain tree at every size, and true to its root whatever the tiles say."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.log import tiled, tree
from muniment.ledger.log.checkpoint import open_checkpoint
from muniment.ledger.log.note import VerifierKey
from muniment.ledger.log.tiled import TiledTree
from muniment.ledger.log.tiles import ENTRIES, Tile, last_tile, levels, tiles_at

LEAVES = [b"leaf %d" % n for n in range(70_000)]
HASHES = [tree.leaf_hash(leaf) for leaf in LEAVES]
Files = dict[str, bytes]


def _empty(files: Files) -> TiledTree:
    return TiledTree(0, tree.EMPTY, lambda path, _: files.get(path))


def _grow(files: Files, known: TiledTree, size: int) -> TiledTree:
    new, size, digest = known.grown(LEAVES[known.size : size])
    files.update({tile.path: data for tile, data in new.items()})
    return TiledTree(size, digest, lambda path, _: files.get(path))


@pytest.fixture(scope="module")
def large() -> tuple[Files, TiledTree]:
    files: Files = {}
    return files, _grow(files, _empty(files), 70_000)


def test_it_grows_as_the_plain_tree_does() -> None:
    files: Files = {}
    known, stops = _empty(files), [0, 1, 2, 3, 255, 256, 257, 300, 511, 512, 700, 1_400]
    for size in stops:
        known = _grow(files, known, size)
        assert (known.size, known.root) == (size, tree.root(HASHES[:size]))
        known.verify()
        assert list(known.leaves(0, size)) == LEAVES[:size]
    for old in stops[1:]:  # what older checkpoints need stays there
        assert TiledTree(old, tree.root(HASHES[:old]), lambda path, _: files.get(path)).size == old


def test_the_files_of_70_000_leaves(large: tuple[Files, TiledTree]) -> None:
    files, known = large
    expected = {tile.path for level in (ENTRIES, *levels(70_000)) for tile in tiles_at(level, 70_000)}
    assert set(files) == expected
    assert len(files["tile/0/273.p/112"]) == 112 * 32
    assert known.root == tree.root(HASHES)
    assert files["tile/2/000.p/1"] == tree.root(HASHES[:65_536])


def test_grown_at_once_or_bit_by_bit_is_the_same(large: tuple[Files, TiledTree]) -> None:
    files, _ = large
    pieces: Files = {}
    known = _empty(pieces)
    for size in (1, 250, 1_000, 65_535, 65_536, 70_000):
        known = _grow(pieces, known, size)
    assert {path: data for path, data in pieces.items() if path in files} == files


@settings(max_examples=60)
@given(data=st.data())
def test_proofs_are_those_of_the_plain_tree(large: tuple[Files, TiledTree], data: st.DataObject) -> None:
    _, known = large
    size = data.draw(st.integers(1, 2_000) | st.integers(65_000, 70_000), "size")
    index = data.draw(st.integers(0, size - 1), "index")
    old = data.draw(st.integers(1, size), "old")
    root, old_root = known.root_at(size), known.root_at(old)
    tree.verify_inclusion(HASHES[index], index, size, known.inclusion(index, size), root)
    tree.verify_consistency(old, size, old_root, root, known.consistency(old, size))
    if size <= 2_000:
        assert known.inclusion(index, size) == tree.inclusion_proof(HASHES[:size], index)
        assert known.consistency(old, size) == tree.consistency_proof(HASHES[:size], old)
        assert root == tree.root(HASHES[:size])


def test_what_lies_beyond_is_misuse(large: tuple[Files, TiledTree]) -> None:
    _, known = large
    for call in (
        lambda: list(known.leaves(0, 70_001)),
        lambda: list(known.leaves(5, 4)),
        lambda: known.inclusion(0, 70_001),
        lambda: known.inclusion(70_000, 70_000),
        lambda: known.consistency(1, 70_001),
        lambda: known.root_at(70_001),
    ):
        with pytest.raises(ValueError, match=r"leaf|leaves|size"):
            call()


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_one_altered_bit_anywhere_is_found(data: st.DataObject) -> None:
    files: Files = {}
    size = data.draw(st.sampled_from([1, 5, 256, 300, 600]), "size")
    known = _grow(files, _empty(files), size)
    path = data.draw(st.sampled_from(sorted(files)), "path")
    altered = bytearray(files[path])
    altered[data.draw(st.integers(0, len(altered) - 1), "place")] ^= 1 << data.draw(st.integers(0, 7), "bit")
    files[path] = bytes(altered)
    with pytest.raises(IntegrityError):
        TiledTree(known.size, known.root, lambda path, _: files.get(path)).verify()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_missing_cut_and_exchanged_files_are_found(data: st.DataObject) -> None:
    files: Files = {}
    known = _grow(files, _empty(files), 600)
    path, other = data.draw(st.permutations(sorted(files)), "paths")[:2]
    kind = data.draw(st.sampled_from(["missing", "cut", "longer", "exchanged", "any"]), "kind")
    old = files.pop(path)
    new = {
        "cut": old[: data.draw(st.integers(0, len(old) - 1), "cut")],
        "longer": old + bytes(data.draw(st.sampled_from([1, 2, 32]), "more")),
        "exchanged": files[other],
        "any": data.draw(st.binary(max_size=100), "bytes"),
    }.get(kind)
    if new is not None:
        files[path] = new
    with pytest.raises(IntegrityError) as caught:
        TiledTree(known.size, known.root, lambda path, _: files.get(path)).verify()
    assert "tile/" in caught.value.message or "root" in caught.value.message


@pytest.mark.parametrize("up_to", [0, 1])
def test_a_leaf_rewritten_together_with_its_tiles_is_found(up_to: int) -> None:
    """Whoever may write to the disk can make bundle and tiles agree; the root in the checkpoint he cannot."""
    files: Files = {}
    known = _grow(files, _empty(files), 66_000)
    forged = _empty({}).grown([b"another", *LEAVES[1:256]])[0]
    files["tile/entries/000"] = forged[Tile(ENTRIES, 0)]
    files["tile/0/000"] = forged[Tile(0, 0)]
    if up_to == 1:
        files["tile/1/000"] = forged[Tile(1, 0, 1)] + files["tile/1/000"][32:]
    for call in (
        lambda one: one.verify(),
        lambda one: next(one.leaves(0, 1)),
        lambda one: one.inclusion(0, 66_000),
        lambda one: one.bundle(0),
    ):
        with pytest.raises(IntegrityError, match=rf"tile/{up_to}/000: its hashes are not those"):
            call(TiledTree(66_000, known.root, lambda path, _: files.get(path)))


def test_a_full_tile_stands_in_for_partial_ones() -> None:
    files: Files = {}
    known = _grow(files, _empty(files), 100)
    later = _grow(files, known, 300)
    for path in ("tile/0/000.p/100", "tile/entries/000.p/100"):
        del files[path]
    older = TiledTree(100, known.root, lambda path, _: files.get(path))
    older.verify()
    assert list(older.leaves(90, 100)) == LEAVES[90:100]
    assert later.root_at(100) == known.root


@pytest.mark.parametrize("minimum", [0, 255, 256, 1_000, 65_535, 65_536, 69_999, 70_000])
def test_pruning_a_prefix_keeps_later_proofs(large: tuple[Files, TiledTree], minimum: int) -> None:
    """Section "Pruning" of tlog-tiles: entries, roots and proofs from the minimum index on stay."""
    whole, known = large
    files = dict(whole)
    gone = list(known.prunable(minimum))
    for tile in gone:
        del files[tile.path]
    assert {tile.end <= minimum for tile in gone} <= {True}
    assert len([tile for tile in gone if tile.level == ENTRIES]) == minimum // 256
    pruned = TiledTree(70_000, known.root, lambda path, _: files.get(path))
    pruned.verify(minimum)
    if minimum >= 256:
        with pytest.raises(IntegrityError, match=r"tile/\S+: this file of the log is missing"):
            pruned.verify()
        with pytest.raises(IntegrityError, match=r"tile/entries/000: this file of the log is missing"):
            next(pruned.leaves(0, 1))
    for index in {minimum, 69_999} - {70_000}:
        tree.verify_inclusion(HASHES[index], index, 70_000, pruned.inclusion(index, 70_000), known.root)
        assert next(pruned.leaves(index, index + 1)) == LEAVES[index]
    for old in {max(minimum, 1), 70_000}:
        assert pruned.root_at(old) == known.root_at(old)
        assert pruned.consistency(old, 70_000) == known.consistency(old, 70_000)
    _, size, digest = pruned.grown([b"next"])
    assert (size, digest) == (70_001, tree.root([*HASHES, tree.leaf_hash(b"next")]))


def test_memory_stays_bounded(large: tuple[Files, TiledTree], monkeypatch: pytest.MonkeyPatch) -> None:
    files, known = large
    monkeypatch.setattr(tiled, "TILES_KEPT", 4)
    few = TiledTree(known.size, known.root, lambda path, _: files.get(path))
    few.verify()
    assert few.inclusion(12_345, 70_000) == known.inclusion(12_345, 70_000)
    assert len(few._kept) <= 4


def test_edges_name_the_root_that_does_not_fit(large: tuple[Files, TiledTree]) -> None:
    files, known = large
    with pytest.raises(IntegrityError, match="size 70,000"):
        TiledTree(70_000, bytes(32), lambda path, _: files.get(path))
    with pytest.raises(IntegrityError):
        TiledTree(69_999, known.root, lambda path, _: files.get(path))
    assert last_tile(0, 70_000) == Tile(0, 273, 112)


@pytest.mark.shared_data
def test_a_log_of_tessera_opens_and_verifies(shared_data: Path) -> None:
    """The log of transparency-dev/tessera, testdata/log (Apache-2.0): a checkpoint at every size from 0 to 15.

    Size 0 has no tiles and the root SHA-256(""). The vkey is the one its own script build_log.sh publishes.
    """
    origin = "example.com/log/testdata"
    key = VerifierKey.parse(f"{origin}+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
    with tarfile.open(shared_data / "tessera_log_vectors.tar.gz") as archive:
        members = {member.name.removeprefix("testdata/log/"): member for member in archive if member.isfile()}
        files = {name: archive.extractfile(member).read() for name, member in members.items()}  # type: ignore[union-attr]
    for size in range(16):
        checkpoint = open_checkpoint(files[f"checkpoint.{size}"], [key], origin).checkpoint
        assert checkpoint.size == size
        theirs = TiledTree(size, checkpoint.root, lambda path, _: files.get(path))
        theirs.verify()
        new, grown, digest = _log_of(list(theirs.leaves(0, size)))
        assert (grown, digest) == (size, checkpoint.root)
        assert all(files[path] == data for path, data in new.items())
        for old in range(1, size + 1):
            older = open_checkpoint(files[f"checkpoint.{old}"], [key], origin).checkpoint
            tree.verify_consistency(old, size, older.root, checkpoint.root, theirs.consistency(old, size))
    assert open_checkpoint(files["checkpoint"], [key], origin).checkpoint == checkpoint


def _log_of(leaves: list[bytes]) -> tuple[Files, int, bytes]:
    files, size, digest = _empty({}).grown(leaves)
    return {tile.path: data for tile, data in files.items()}, size, digest
