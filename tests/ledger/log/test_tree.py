"""The Merkle tree: equal to the recursive text of the RFC, and to the reference vectors."""

from __future__ import annotations

import base64
import json
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.errors import IntegrityError
from muniment.ledger.log import tree

LEAVES = [tree.leaf_hash(b"%d" % n) for n in range(300)]


def _slow_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + _slow_root(leaves[:k]) + _slow_root(leaves[k:])).digest()


def test_root_is_that_of_the_rfc() -> None:
    frontier = tree.Frontier()
    for size in range(131):
        expected = _slow_root(LEAVES[:size])
        assert tree.root(LEAVES[:size]) == frontier.root == expected
        assert tree.Frontier.read(size, lambda a, b: tree.root(LEAVES[a:b])) == frontier
        assert tree.fold(frontier.nodes) == expected
        frontier = frontier.add(LEAVES[size])
    assert tree.leaf_hash(b"") == sha256(b"\0").digest()


@settings(max_examples=150)
@given(data=st.data())
def test_proofs_verify_and_nothing_else_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300), "size")
    index = data.draw(st.integers(0, size - 1), "index")
    old = data.draw(st.integers(1, size), "old")
    root, old_root = tree.root(LEAVES[:size]), tree.root(LEAVES[:old])
    inclusion = tree.inclusion_proof(LEAVES[:size], index)
    consistency = tree.consistency_proof(LEAVES[:size], old)
    assert inclusion == [tree.root(LEAVES[a:b]) for a, b in tree.inclusion_spans(index, size)]
    tree.verify_inclusion(LEAVES[index], index, size, inclusion, root)
    tree.verify_consistency(old, size, old_root, root, consistency)
    bent = _bent(data, inclusion)
    for leaf, place, length, proof, expected in (
        (LEAVES[index], index, size, bent, root),
        (LEAVES[(index + 1) % 300], index, size, inclusion, root),
        (LEAVES[index], (index + 1) % size, size, inclusion, root) if size > 1 else (b"", 0, 1, [], b""),
        (LEAVES[index], index, size, inclusion, old_root[::-1]),
        (LEAVES[index], -1, size, inclusion, root),
        (LEAVES[index], index, index, inclusion, root),
    ):
        with pytest.raises(IntegrityError, match="inclusion proof"):
            tree.verify_inclusion(leaf, place, length, proof, expected)
    with pytest.raises(IntegrityError, match="consistency proof"):
        tree.verify_consistency(old, size, old_root, root, _bent(data, consistency))
    with pytest.raises(IntegrityError, match="consistency proof"):
        tree.verify_consistency(old, size, old_root[::-1], root, consistency)


def _bent(data: st.DataObject, proof: list[bytes]) -> list[bytes]:
    """The proof with one digest altered, lost, doubled or added."""
    place = data.draw(st.integers(0, len(proof)), "place")
    kind = data.draw(st.sampled_from(["add", "short", "lose", "alter"]), "kind")
    if place == len(proof) or kind == "add":
        return [*proof[:place], b"\0" * 32, *proof[place:]]
    if kind == "lose":
        return proof[:place] + proof[place + 1 :]
    digest = proof[place][:31] if kind == "short" else bytes([proof[place][0] ^ 1]) + proof[place][1:]
    return [*proof[:place], digest, *proof[place + 1 :]]


def test_proofs_that_cannot_be_made() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="leaf"):
            tree.inclusion_proof(LEAVES[:size], index)
        with pytest.raises(ValueError, match="leaf"):
            tree.inclusion_spans(index, size)
    for old, new in ((0, 0), (0, 5), (6, 5)):
        with pytest.raises(ValueError, match="no consistency proof"):
            tree.consistency_spans(old, new)


def test_spans_cover_what_they_cut() -> None:
    for start in range(40):
        for end in range(start, 40):
            spans = tree.complete_spans(start, end)
            assert [n for a, b in spans for n in range(a, b)] == list(range(start, end))
            assert all((b - a).bit_count() == 1 and a % (b - a) == 0 for a, b in spans)


# --- the reference vectors ---------------------------------------------------------------------------------------


def _vectors(shared_data: Path, kind: str) -> list[dict[str, object]]:
    with tarfile.open(shared_data / "merkle_proof_vectors.tar.gz") as archive:
        names = [name for name in archive.getnames() if name.startswith(f"testdata/{kind}/") and name.endswith(".json")]
        cases = []
        for name in sorted(names):
            member = archive.extractfile(name)
            assert member is not None
            cases.append(json.load(member) | {"name": name})
    return cases


def _bytes(text: object) -> bytes:
    return base64.b64decode(str(text))


def _check_inclusion(case: dict[str, object]) -> None:
    leaf, root = _bytes(case["leafHash"]), _bytes(case["root"])
    tree.verify_inclusion(leaf, int(str(case["leafIdx"])), int(str(case["treeSize"])), _proof(case), root)


def _check_consistency(case: dict[str, object]) -> None:
    roots = _bytes(case["root1"]), _bytes(case["root2"])
    tree.verify_consistency(int(str(case["size1"])), int(str(case["size2"])), *roots, _proof(case))


def _check_subtree_inclusion(case: dict[str, object]) -> None:
    leaf, root = _bytes(case["leafHash"]), _bytes(case["root"])
    span = int(str(case["start"])), int(str(case["end"]))
    tree.verify_subtree_inclusion(leaf, int(str(case["leafIdx"])), span, _proof(case), root)


def _check_subtree_consistency(case: dict[str, object]) -> None:
    start, end, size = (int(str(case[name])) for name in ("start", "end", "size"))
    tree.verify_subtree_consistency(start, end, size, _bytes(case["root1"]), _bytes(case["root2"]), _proof(case))


def _proof(case: dict[str, object]) -> list[bytes]:
    proof = case["proof"]
    assert proof is None or isinstance(proof, list)
    return [_bytes(digest) for digest in proof or []]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("kind", "count", "check"),
    [
        ("inclusion", 98, _check_inclusion),
        ("consistency", 98, _check_consistency),
        ("subtreeinclusion", 204, _check_subtree_inclusion),
        ("subtreeconsistency", 118, _check_subtree_consistency),
    ],
)
def test_every_reference_vector_agrees(
    shared_data: Path, kind: str, count: int, check: Callable[[dict[str, object]], None]
) -> None:
    """The vectors of transparency-dev/merkle (Apache-2.0). How the edge cases are decided:

    - inclusion of an empty leaf hash or under an empty root: refused, a digest has 32 bytes;
    - consistency from size 0, equal or not: refused, it shows nothing, even where both roots are the empty one;
    - equal sizes from 1 on: accepted when the roots are the same bytes (the vectors use 12 of them) and the proof is
      empty, refused with any digest in the proof;
    - an empty subtree (start = end <= size, aligned or not to anything): accepted when its root is SHA-256(""), the
      proof is empty, and whatever the root of the tree is; a span that is no subtree is refused.
    """
    cases = _vectors(shared_data, kind)
    assert len(cases) == count
    wrong = []
    for case in cases:
        try:
            check(case)
            refused = False
        except IntegrityError:
            refused = True
        if refused != case["wantErr"]:
            wrong.append(case["name"])
    assert wrong == []
