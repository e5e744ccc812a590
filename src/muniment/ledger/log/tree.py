"""The Merkle tree of RFC 6962 and RFC 9162: hashes, proofs, and a frontier that grows leaf by leaf. Pure.

Rules
1. leaf = SHA-256(0x00 | data), node = SHA-256(0x01 | left | right), empty tree = SHA-256("") (RFC 9162 section 2.1.1).
2. A verifier returns nothing, or raises `IntegrityError` that says what does not agree. It never trusts a length: a
   proof with one digest too many or too few is refused, and so is a digest that has no 32 bytes.
3. Edge cases. Nothing is included in an empty tree. A consistency proof from size 0 shows nothing and is refused.
   Equal sizes: the roots must be equal and the proof empty; then the roots are compared only, whatever they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeAlias

from muniment.errors import IntegrityError

DIGEST_BYTES: Final = 32
EMPTY: Final = sha256(b"").digest()
"""The root of a tree without leaves."""

Span: TypeAlias = tuple[int, int]
"""Leaves `start` up to, not including, `end`."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children."""
    return sha256(b"\1" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, level by level: an odd last node moves up as it is, which is the split of RFC 6962."""
    level = list(hashes)
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else EMPTY


def _above(level: Sequence[bytes]) -> list[bytes]:
    prefix = b"\1"
    above = [sha256(prefix + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
    return [*above, level[-1]] if len(level) % 2 else above


# --- proofs ------------------------------------------------------------------------------------------------------


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The digests that show leaf `index` to be in the tree over all `hashes`, lowest first (RFC 9162 section 2.1.3.1).

    Raises `ValueError` where there is no such leaf.
    """
    if not 0 <= index < len(hashes):
        raise ValueError(f"leaf {index} of {len(hashes)}")
    proof, level = [], list(hashes)
    while len(level) > 1:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        level, index = _above(level), index // 2
    return proof


def consistency_proof(hashes: Sequence[bytes], old: int) -> list[bytes]:
    """The digests that show the tree over the first `old` hashes to be a prefix of the whole (section 2.1.4.1)."""
    return [root(hashes[start:end]) for start, end in consistency_spans(old, len(hashes))]


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The leaves under each digest of an inclusion proof, for who can look up hashes of subtrees."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} of {size}")
    spans, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """The leaves under each digest of a consistency proof. Raises `ValueError` unless 0 < old <= new."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof leads from size {old} to {new}")
    spans, start, end = [], 0, new
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return ([(start, end)] if start else []) + spans[::-1] if spans else []


def _split(size: int) -> int:
    """The largest power of two below `size` (from 2 on)."""
    return 1 << ((size - 1).bit_length() - 1)


# --- verifiers ---------------------------------------------------------------------------------------------------


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> None:
    """Check that leaf hash `leaf` is number `index` of the `size` leaves under root `expected` (section 2.1.3.2)."""
    if not 0 <= index < size:
        raise IntegrityError(f"inclusion proof: leaf {index:,} does not exist in a tree of {size:,}")
    _check_digests("inclusion proof", (leaf, expected, *proof))
    node, last, came = index, size - 1, leaf
    for digest in proof:
        if last == 0:
            raise IntegrityError(f"inclusion proof: {len(proof)} digests are too many for leaf {index:,} of {size:,}")
        if node % 2 or node == last:
            came = node_hash(digest, came)
            while node % 2 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            came = node_hash(came, digest)
        node, last = node >> 1, last >> 1
    if last:
        raise IntegrityError(f"inclusion proof: {len(proof)} digests are too few for leaf {index:,} of {size:,}")
    _agree("inclusion proof", "root", came, expected)


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `old` leaves is a prefix of the tree of `new` leaves (section 2.1.4.2)."""
    if not 0 < old <= new:
        raise IntegrityError(f"consistency proof: none leads from size {old:,} to {new:,}")
    verify_subtree_consistency(0, old, new, old_root, new_root, proof)


def verify_subtree_inclusion(leaf: bytes, index: int, span: Span, proof: Sequence[bytes], expected: bytes) -> None:
    """Check that a leaf lies under the root of the subtree `span` (draft-ietf-plants-merkle-tree-certs, section 4.3).

    Of no use to this log; with it the reference vectors for subtrees bind these verifiers too.
    """
    start, end = span
    _check_subtree(start, end)
    verify_inclusion(leaf, index - start, end - start, proof, expected)


def verify_subtree_consistency(
    start: int, end: int, size: int, subtree_root: bytes, tree_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `size` leaves holds the subtree over leaves `start` to `end` (same draft, section 4.4).

    With `start` 0 it is the consistency proof of RFC 9162. An empty subtree is held by every tree, the proof is empty.
    """
    _check_subtree(start, end)
    if end > size:
        raise IntegrityError(f"consistency proof: leaf {end:,} is not in a tree of {size:,}")
    if start == end or (start, end) == (0, size):
        if proof:
            raise IntegrityError(f"consistency proof: {len(proof)} digests came where none are needed")
        _agree("consistency proof", "root", subtree_root, EMPTY if start == end else tree_root)
        return
    _check_digests("consistency proof", (subtree_root, tree_root, *proof))
    low, high, last = start, end - 1, size - 1
    while low != high and (high % 2 or high == last):
        low, high, last = low >> 1, high >> 1, last >> 1
    path = iter(proof)
    first = subtree_root if low == high else next(path, b"")
    small, large = _climb(first, path, (low, high, last))
    _agree("consistency proof", "older root", small, subtree_root)
    _agree("consistency proof", "newer root", large, tree_root)


def _climb(first: bytes, path: Iterator[bytes], position: tuple[int, int, int]) -> tuple[bytes, bytes]:
    """Hash a consistency proof upwards from `first`; returns the roots of the smaller and of the larger tree."""
    low, high, last = position
    small = large = first
    for digest in path:
        if last == 0:
            raise IntegrityError("consistency proof: it has too many digests")
        if high % 2 or high == last:
            if low < high:
                small = node_hash(digest, small)
            large = node_hash(digest, large)
            while high % 2 == 0 and high:
                low, high, last = low >> 1, high >> 1, last >> 1
        else:
            large = node_hash(large, digest)
        low, high, last = low >> 1, high >> 1, last >> 1
    if last or not first:
        raise IntegrityError("consistency proof: it has too few digests")
    return small, large


def _check_subtree(start: int, end: int) -> None:
    if not 0 <= start <= end or start % (1 << max(end - start - 1, 0).bit_length()):
        raise IntegrityError(f"subtree proof: leaves {start:,} to {end:,} are no subtree")


def _check_digests(what: str, digests: Sequence[bytes]) -> None:
    for digest in digests:
        if len(digest) != DIGEST_BYTES:
            raise IntegrityError(f"{what}: a digest of {len(digest)} bytes; expected {DIGEST_BYTES}")


def _agree(what: str, name: str, came: bytes, expected: bytes) -> None:
    if came != expected:
        raise IntegrityError(f"{what}: it leads to the {name} {came.hex()[:16]}..., expected {expected.hex()[:16]}...")


# --- growing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frontier:
    """The least that a tree must remember to grow: the roots of its complete subtrees, from the largest down."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, size: int, subtree: Callable[[int, int], bytes]) -> Frontier:
        """Of a tree of `size` leaves; `subtree(start, end)` gives the root over complete, aligned leaves."""
        return cls(size, tuple(subtree(start, end) for start, end in complete_spans(0, size)))

    def add(self, leaf: bytes) -> Frontier:
        """The frontier after one more leaf hash."""
        nodes, size = [*self.nodes, leaf], self.size
        while size % 2:
            right = nodes.pop()
            nodes[-1] = node_hash(nodes[-1], right)
            size >>= 1
        return Frontier(self.size + 1, tuple(nodes))

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return fold(self.nodes)


def fold(nodes: Sequence[bytes]) -> bytes:
    """The root over the roots of complete subtrees that shrink from left to right."""
    if not nodes:
        return EMPTY
    came = nodes[-1]
    for node in reversed(nodes[:-1]):
        came = node_hash(node, came)
    return came


def complete_spans(start: int, end: int) -> list[Span]:
    """Cut a span of a tree into complete, aligned subtrees, left to right.

    Of a span that is itself a subtree (any that a proof asks for) they shrink from left to right, as `fold` wants them.
    """
    spans = []
    while start < end:
        width = 1 << ((end - start).bit_length() - 1)
        if start:
            width = min(width, start & -start)
        spans.append((start, start + width))
        start += width
    return spans
