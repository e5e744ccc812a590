"""Commitments: one Merkle root over the events of a segment, such that each can be opened without any other. Pure.

H is SHA-256, C = HKDF(secret of the segment, "muniment commit 1"); integers are big endian, rows count from 0 in the
order of the file.

Rules
1. Salts: of a record, AES-128 under HKDF(C, "record salt") of row (u64) | position (u64); of an event, AES-128 under
   HKDF(C, "event salt") of row (u64) | 0; of a field, HKDF(C, "field", name, length 16), one for the segment.
2. Records: leaf = H(0x10 | salt | ordinal u32); chunk = H(0x11 | 64 leaves, the last chunk shorter); the set root is
   the Merkle root over its chunks (inner nodes H(0x01 | left | right) as in RFC 6962; of one chunk, the chunk; of none,
   H(0x15)). Position: place in the ascending set.
3. Dumps: chunk j stands for the ordinals 64 j to 64 j + 63, up to the span rounded up to 64; leaf = H(0x12 | salt |
   ordinal u32 | bit u8); position: the ordinal. So absence from a dump can be opened too.
4. Fields: digest = H(0x13 | salt | UTF-8); party = H(0x14 | recipient | account | device digests).
5. Event = salt | sequence, time, rows, size, released, occurred (i64 each) | party, template, case, fingerprint
   digests | shape u8 (0 empty, 1 records, 2 dump) | span u64 (of a dump, else 0) | set root; leaf = H(0x00 | event),
   and over the leaves stands the tree of RFC 6962.

Trees are kept by *pages* of 1,024 leaves: the roots of the pages lie in the segment, so that a proof hashes one page
and not the whole. They are a convenience: whoever checks a segment in full computes them anew.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.disclosure import Party
from muniment.errors import IntegrityError
from muniment.ledger.batch import NUMBERS, Batch, Texts
from muniment.ledger.log import tree
from muniment.ledger.segments.manifest import Dump
from muniment.ledger.segments.shapes import Shape, shapes_of
from muniment.prf import BlockFunction, hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK: Final = 64
"""Leaves of a chunk."""
PAGE: Final = 1_024
"""Leaves (events or chunks) of a page."""
PARTY_FIELDS: Final = ("recipient", "account", "device")
TEXT_FIELDS: Final = ("template", "case", "fingerprint")
FIELDS: Final = PARTY_FIELDS + TEXT_FIELDS
"""What can be opened of an event one by one."""
DIGEST: Final = 32
SALT: Final = 16
_FIELDS_AT: Final = 1 + SALT + 8 * len(NUMBERS)
_SHAPE_AT: Final = _FIELDS_AT + 4 * DIGEST  # party, template, case, fingerprint
_EVENT: Final = _SHAPE_AT + 1 + 8 + DIGEST
"""Bytes of an event with 0x00 in front, and where its field digests and its shape stand (rule 5)."""
EMPTY_SET: Final = sha256(b"\x15").digest()
_WINDOW: Final = 2**17
"""Records hashed at a time: some 20 MB while it lasts."""


@dataclass(frozen=True, slots=True)
class PagedTree:
    """A Merkle tree of which the roots of all pages are known."""

    size: int
    pages: tuple[bytes, ...]

    @classmethod
    def of(cls, hashes: Sequence[bytes]) -> PagedTree:
        """Over all leaves."""
        return cls(len(hashes), tuple(tree.root(hashes[at : at + PAGE]) for at in range(0, len(hashes), PAGE)))

    @property
    def root(self) -> bytes:
        """The root: a partial last page moves up as an odd node does, so this is the root over the leaves."""
        return tree.root(self.pages)

    def path(self, index: int, page: Sequence[bytes]) -> list[bytes]:
        """The inclusion path of leaf `index`, given the leaf hashes of its page.

        Raises `IntegrityError` where they do not hash to the page that was stored.
        """
        if tree.root(page) != self.pages[index // PAGE]:
            raise IntegrityError("a segment does not hash to the commitments that are stored in it")
        return tree.inclusion_proof(page, index % PAGE) + tree.inclusion_proof(self.pages, index // PAGE)


@dataclass(frozen=True, slots=True)
class Commitments:
    """The trees of a segment: over its events, and over the chunks of each dump by row."""

    span: int
    events: PagedTree
    dumps: Mapping[int, PagedTree]

    def dump_list(self) -> tuple[Dump, ...]:
        """The dumps as a manifest lists them."""
        return tuple(Dump(row, self.span, chunks.root.hex()) for row, chunks in sorted(self.dumps.items()))

    def to_text(self) -> str:
        """JSON: sizes, and the roots of pages in base64."""
        trees = {"events": self.events} | {str(row): chunks for row, chunks in self.dumps.items()}
        value = {name: [one.size, base64.b64encode(b"".join(one.pages)).decode()] for name, one in trees.items()}
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str, span: int) -> Commitments:
        """Undo `to_text`; `IntegrityError` where it is another shape."""
        try:
            stored = json.loads(text).items()
            trees = {name: _paged(int(size), base64.b64decode(nodes)) for name, (size, nodes) in stored}
            events = trees.pop("events")
            found = cls(span, events, {int(row): chunks for row, chunks in trees.items()})
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error) as error:
            raise IntegrityError("the commitments of a segment are malformed") from error
        if found.to_text() != text:
            raise IntegrityError("the commitments of a segment are malformed")
        return found


def _paged(size: int, nodes: bytes) -> PagedTree:
    pages = tuple(nodes[at : at + DIGEST] for at in range(0, len(nodes), DIGEST))
    if len(nodes) != DIGEST * -(-size // PAGE):
        raise ValueError("pages")
    return PagedTree(size, pages)


class Salts:
    """The salts of one segment; none of them shows in `repr`."""

    def __init__(self, secret: bytes) -> None:
        self._root = hkdf(secret, "muniment commit 1", length=32)
        self._records = BlockFunction(hkdf(self._root, "record salt"))
        self._events = BlockFunction(hkdf(self._root, "event salt"))

    def records(self, rows: NDArray[np.int64] | int, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Salts of records, shape (n, 16)."""
        return self._records(_blocks(rows, positions))

    def events(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Salts of events, shape (n, 16)."""
        return self._events(_blocks(rows, np.zeros(len(rows), np.int64)))

    def field(self, name: str) -> bytes:
        """The salt of a field of `FIELDS`."""
        return hkdf(self._root, "field", name, length=SALT)


def _blocks(rows: NDArray[np.int64] | int, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
    blocks = np.empty((len(positions), 2), ">u8")
    blocks[:, 0] = rows
    blocks[:, 1] = positions
    return blocks.view(np.uint8)


def field_digest(salt: bytes, text: str) -> bytes:
    """The digest of one field (rule 4)."""
    return sha256(b"\x13" + salt + text.encode()).digest()


def party_digest(recipient: bytes, account: bytes, device: bytes) -> bytes:
    """The digest of a party from those of its fields."""
    return sha256(b"\x14" + recipient + account + device).digest()


class _Digests:
    """The digests of a column of texts: of each distinct one once, and only when a row that has it is hashed."""

    def __init__(self, column: Texts, digest: Callable[[str], bytes]) -> None:
        self._column = column
        self._digest = digest
        self._known = np.zeros(len(column.values), np.bool_)
        self._table = np.empty((len(column.values), DIGEST), np.uint8)

    def rows(self, start: int, stop: int) -> NDArray[np.uint8]:
        """The digests of some rows, shape (n, 32)."""
        codes = self._column.codes[start:stop]
        new = codes[~self._known[codes]]
        if len(new):
            new = np.unique(new)
            self._table[new] = _table([self._digest(self._column.values[code]) for code in new.tolist()])
            self._known[new] = True
        found: NDArray[np.uint8] = self._table[codes]
        return found


class Committer:
    """Hashes the rows of an arranged batch; what it computes depends on nothing else but span and secret."""

    def __init__(self, batch: Batch, span: int, secret: bytes) -> None:
        """Raises `ValueError` where an ordinal lies beyond the span, or the rows are not arranged by shape."""
        shapes = shapes_of(batch.counts, span)
        if (np.diff(shapes) < 0).any():
            raise ValueError("the rows of a segment are not arranged by shape")
        if len(batch.ordinals) and int(batch.ordinals.max()) >= span:
            raise ValueError(f"an ordinal lies beyond the {span:,} that are reserved")
        self.batch = batch
        self.span = span
        self.salts = Salts(secret)
        self._first_dump = int(np.searchsorted(shapes, Shape.DUMP))
        field_salts = {name: self.salts.field(name) for name in FIELDS}
        self._digests = {"party": _Digests(batch.party, lambda text: _party(text, field_salts))}
        for name in TEXT_FIELDS:
            self._digests[name] = _Digests(getattr(batch, name), partial(field_digest, field_salts[name]))

    @property
    def dump_rows(self) -> range:
        """The rows that are dumps: the last ones."""
        return range(self._first_dump, len(self.batch))

    def commitments(self) -> Commitments:
        """All trees of the segment. Raises `ValueError` where a party is no canonical text."""
        dumps = {row: PagedTree(*self._dump_pages(row)) for row in self.dump_rows}
        pages = [tree.root(self.event_page(page, dumps)) for page in range(-(-len(self.batch) // PAGE))]
        return Commitments(self.span, PagedTree(len(self.batch), tuple(pages)), dumps)

    def event_page(self, page: int, dumps: Mapping[int, PagedTree]) -> list[bytes]:
        """The leaf hashes of one page of events."""
        start, stop = page * PAGE, min((page + 1) * PAGE, len(self.batch))
        return _hashed(self._events(start, stop, dumps))

    def set_root(self, row: int, dumps: Mapping[int, PagedTree]) -> bytes:
        """The set root of one row."""
        return self._set_roots(row, row + 1, dumps)[0]

    def _dump_pages(self, row: int) -> tuple[int, tuple[bytes, ...]]:
        chunks = -(-self.span // CHUNK)
        return chunks, tuple(tree.root(self.dump_page(row, page)) for page in range(-(-chunks // PAGE)))

    def dump_page(self, row: int, page: int) -> list[bytes]:
        """The chunk digests of one page of a dump."""
        start, stop = page * PAGE * CHUNK, min((page + 1) * PAGE, -(-self.span // CHUNK)) * CHUNK
        return _chunks(self.dump_leaves(row, start, stop), range(0, stop - start, CHUNK))

    def dump_leaves(self, row: int, start: int, stop: int) -> list[bytes]:
        """The leaves of the ordinals `start` to `stop` of a dump."""
        records = self.batch.records(row)
        # Bounds of the same type as the records: else every call would copy them all.
        low, high = np.searchsorted(records, np.array([start, stop], np.uint32))
        positions = np.arange(start, stop)
        messages = np.empty((stop - start, 22), np.uint8)
        messages[:, 0] = 0x12
        messages[:, 1:17] = self.salts.records(row, positions)
        messages[:, 17:21] = _bytes_of(positions.astype(">u4"), 4)
        messages[:, 21] = 0
        messages[records[low:high].astype(np.int64) - start, 21] = 1
        return _hashed(messages)

    def record_leaves(self, start: int, stop: int) -> list[bytes]:
        """The leaves of the records of some rows, back to back."""
        starts = self.batch.starts[start : stop + 1]
        counts = np.diff(starts)
        ordinals = self.batch.ordinals[starts[0] : starts[-1]]
        rows = np.repeat(np.arange(start, stop), counts)
        positions = np.arange(len(ordinals)) - np.repeat(starts[:-1] - starts[0], counts)
        messages = np.empty((len(ordinals), 21), np.uint8)
        messages[:, 0] = 0x10
        messages[:, 1:17] = self.salts.records(rows, positions)
        messages[:, 17:21] = _bytes_of(ordinals.astype(">u4"), 4)
        return _hashed(messages)

    @staticmethod
    def chunks_of(leaves: Sequence[bytes]) -> list[bytes]:
        """The chunk digests over the leaves of one set."""
        return _chunks(leaves, range(0, len(leaves), CHUNK))

    def party(self, row: int) -> Party:
        """The party of a row."""
        return Party.from_text(self.batch.party[row])

    def _set_roots(self, start: int, stop: int, dumps: Mapping[int, PagedTree]) -> list[bytes]:
        return [root for a, b in self._windows(start, stop) for root in self._window_roots(a, b, dumps)]

    def _windows(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Rows of some `_WINDOW` records together; a dump, which stands behind all other rows, on its own."""
        starts = self.batch.starts
        while start < stop:
            end = start + 1
            if start < self._first_dump:
                full = int(np.searchsorted(starts, starts[start] + _WINDOW, side="right")) - 1
                end = min(stop, self._first_dump, max(full, end))
            yield start, end
            start = end

    def _window_roots(self, start: int, stop: int, dumps: Mapping[int, PagedTree]) -> list[bytes]:
        if start >= self._first_dump:
            return [dumps[start].root]
        leaves = self.record_leaves(start, stop)
        at, roots = 0, []
        for count in np.diff(self.batch.starts[start : stop + 1]).tolist():
            roots.append(_set_root(leaves, at, count))
            at += count
        return roots

    def _events(self, start: int, stop: int, dumps: Mapping[int, PagedTree]) -> NDArray[np.uint8]:
        """The messages (rule 5, with 0x00 in front) of some rows, shape (n, _EVENT)."""
        batch, rows = self.batch, np.arange(start, stop)
        out = np.zeros((stop - start, _EVENT), np.uint8)
        out[:, 1:17] = self.salts.events(rows)
        for i, name in enumerate(NUMBERS):
            out[:, 17 + 8 * i : 25 + 8 * i] = _bytes_of(getattr(batch, name)[start:stop].astype(">i8"), 8)
        for i, digests in enumerate(self._digests.values()):
            out[:, _FIELDS_AT + 32 * i : _FIELDS_AT + 32 + 32 * i] = digests.rows(start, stop)
        out[:, _SHAPE_AT] = np.diff(batch.starts[start : stop + 1]) > 0
        dumps_from = max(0, self._first_dump - start)
        out[dumps_from:, _SHAPE_AT] = 2
        out[dumps_from:, _SHAPE_AT + 1 : _SHAPE_AT + 9] = np.frombuffer(self.span.to_bytes(8, "big"), np.uint8)
        roots = b"".join(self._set_roots(start, stop, dumps))
        out[:, _SHAPE_AT + 9 :] = np.frombuffer(roots, np.uint8).reshape(-1, DIGEST)
        return out


def _party(text: str, salts: Mapping[str, bytes]) -> bytes:
    party = Party.from_text(text)
    return party_digest(*(field_digest(salts[name], getattr(party, name)) for name in PARTY_FIELDS))


def _table(digests: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, DIGEST)


def _bytes_of(values: NDArray[np.generic], size: int) -> NDArray[np.uint8]:
    return values.view(np.uint8).reshape(-1, size)


def _hashed(messages: NDArray[np.uint8]) -> list[bytes]:
    """H of each row."""
    whole = np.ascontiguousarray(messages).view(f"V{messages.shape[1]}").reshape(-1)
    return [sha256(message).digest() for message in whole.tolist()]


def _chunks(leaves: Sequence[bytes], starts: range) -> list[bytes]:
    return [sha256(b"\x11" + b"".join(leaves[at : at + CHUNK])).digest() for at in starts]


def _set_root(leaves: Sequence[bytes], at: int, count: int) -> bytes:
    if count == 1:  # most rows by far
        return sha256(b"\x11" + leaves[at]).digest()
    if count == 0:
        return EMPTY_SET
    return tree.root(_chunks(leaves[at : at + count], range(0, count, CHUNK)))
