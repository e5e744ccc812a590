"""A file of encrypted pages in named sections, and the cache of decrypted pages that readers share.

Rules
1. File = magic (16) | file id (16) | key number u32 | pages | footer box | length of the footer u32; big endian.
2. Each page is AES-256-GCM under a key of its own file (HKDF over the file id), at most 64 KiB with its tag; nonce =
   page number (11 bytes) | 0, associated data = head of the file and nonce. The footer has number 0, flag 1, and
   the bytes before it in its associated data: a file cut short at the end of a page does not open.
3. All pages of a section but its last are equally long. The footer says which section each page belongs to, so that a
   file is written in one pass, whatever order its sections grow in.
4. Pages are decrypted to memory only. A page that does not verify is `IntegrityError`; what to do is always the same:
   build the index again from the segments.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muniment.durable import storage_faults
from muniment.errors import InputError, IntegrityError
from muniment.keys import Key, Purpose
from muniment.prf import hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

Item = TypeVar("Item", np.uint8, np.uint32, np.uint64)
MAGIC: Final = b"muniment index 1"
TAG: Final = 16
PAGE_BYTES: Final = 65_536 - TAG
"""Plaintext bytes of a page: with its tag it is 64 KiB on disk."""
FOOTER_BYTES: Final = 256 * 1024**2
"""Bytes of a footer that is read: one byte a page and a short description (limits.INDEX_FOOTER_BYTES)."""
CACHE_BYTES: Final = 1024**3
"""Bytes of decrypted pages that all readers of a process share by default (limits.INDEX_CACHE_BYTES)."""
LEAST_CACHE_PAGES: Final = 64
REINDEX: Final = "muniment ledger reindex builds the index again from the segments"
_FEW = 65_536
_HEAD = struct.Struct(">16s16sI")
_LENGTH = struct.Struct(">I")
_NUMBER = 11


class PageCache:
    """A pool of decrypted pages, the longest unused of which make room for new ones. Not for several threads."""

    def __init__(self, size: int = CACHE_BYTES) -> None:
        self._count = max(LEAST_CACHE_PAGES, size // PAGE_BYTES)
        # Untouched memory of this array costs nothing: the system gives a page of it when it is first written.
        self.pool = np.empty(self._count * PAGE_BYTES, np.uint8)
        self._used = np.zeros(self._count, np.int64)
        self._holder: list[tuple[NDArray[np.int32], int] | None] = [None] * self._count
        self._clock = 0
        self._free = 0

    def __len__(self) -> int:
        return self._count

    def touch(self, slots: NDArray[np.int32]) -> None:
        """Mark slots as used now."""
        self._clock += 1
        self._used[slots] = self._clock

    def take(self, table: NDArray[np.int32], pages: NDArray[np.int64]) -> list[int]:
        """Slots for pages that are in none; `table` (slot of each page, -1 for none) is kept up to date for them.

        Slots that were touched last are never given: touch the ones that are needed together with the new ones.
        """
        slots = list(range(self._free, min(self._count, self._free + len(pages))))
        self._free += len(slots)
        if missing := len(pages) - len(slots):
            oldest = np.argpartition(self._used, missing - 1)[:missing] if missing < self._count else np.arange(missing)
            slots += oldest.tolist()
        for slot, page in zip(slots, pages.tolist(), strict=True):
            holder = self._holder[slot]
            if holder is not None:
                holder[0][holder[1]] = -1
            self._holder[slot] = (table, page)
            table[page] = slot
        self._used[slots] = self._clock
        return slots

    def drop(self, table: NDArray[np.int32]) -> None:
        """Forget every page of one table: its file is closed, or a page of it did not verify."""
        for slot, holder in enumerate(self._holder[: self._free]):
            if holder is not None and holder[0] is table:
                self._holder[slot] = None
                self._used[slot] = 0
        table[:] = -1


class PageWriter:
    """Cuts sections into encrypted pages. Pure: feed it sections, take the bytes of the file from `drain`."""

    def __init__(self, key: Key, file_id: bytes, page_bytes: Mapping[str, int]) -> None:
        """`page_bytes`: the sections, and the plaintext bytes of their pages (at most `PAGE_BYTES`)."""
        self._head = _HEAD.pack(MAGIC, file_id, key.number)
        self._cipher = _cipher(key, file_id)
        self._names = list(page_bytes)
        self._page_bytes = dict(page_bytes)
        self._held = {name: bytearray() for name in page_bytes}
        self._sizes = dict.fromkeys(page_bytes, 0)
        self._order = bytearray()
        self._out = bytearray(self._head)

    def add(self, section: str, data: bytes) -> None:
        """Append to a section."""
        held, step = self._held[section], self._page_bytes[section]
        held += data
        self._sizes[section] += len(data)
        whole = len(held) - len(held) % step
        for start in range(0, whole, step):
            self._page(section, bytes(held[start : start + step]))
        del held[:whole]

    def drain(self) -> bytes:
        """The bytes of the file that are ready; call it often enough to keep memory flat."""
        ready = bytes(self._out)
        self._out.clear()
        return ready

    def finish(self, meta: Mapping[str, object]) -> bytes:
        """Write what is held and the footer; returns the last bytes of the file."""
        for section, held in self._held.items():
            if held:
                self._page(section, bytes(held))
        sections = [[name, self._sizes[name], self._page_bytes[name]] for name in self._names]
        text = json.dumps({"sections": sections, "meta": meta}, sort_keys=True).encode()
        footer = _LENGTH.pack(len(text)) + text + bytes(self._order)
        nonce = _nonce(0, footer=True)
        stored = sum(self._sizes.values()) + TAG * len(self._order)
        box = self._cipher.encrypt(nonce, footer, self._head + nonce + stored.to_bytes(8, "big"))
        self._out += box + _LENGTH.pack(len(box))
        return self.drain()

    def _page(self, section: str, plaintext: bytes) -> None:
        nonce = _nonce(len(self._order), footer=False)
        self._order.append(self._names.index(section))
        self._out += self._cipher.encrypt(nonce, plaintext, self._head + nonce)


class PageFile:
    """An open file of pages: read-only, its descriptor kept, so that a replaced file stays readable."""

    def __init__(self, path: Path, keys: Sequence[Key], cache: PageCache) -> None:
        """Open and verify head and footer.

        Raises `InputError` where there is no such file, `IntegrityError` where it does not verify.
        """
        self.path = path
        self._cache = cache
        with storage_faults(path, "read"):
            if not path.is_file():
                raise InputError(f"{path}: a file of the index is missing", hint=REINDEX)
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._open(keys)
        except BaseException:
            os.close(self._descriptor)
            self._descriptor = -1
            raise

    def __repr__(self) -> str:
        return f"PageFile({str(self.path)!r})"

    def close(self) -> None:
        """Let go of the file and of its pages in the cache."""
        if self._descriptor >= 0:
            self._cache.drop(self._table)
            os.close(self._descriptor)
            self._descriptor = -1

    def size(self, section: str) -> int:
        """Plaintext bytes of a section."""
        return self._sections[section][0]

    def read(self, section: str, start: int = 0, end: int | None = None) -> bytes:
        """Bytes `start` to `end` of a section, not kept in the cache: for what is read once, in order."""
        size, step = self._sections[section]
        stop = size if end is None else min(end, size)
        if start >= stop:
            return b""
        chosen = range(start // step, (stop - 1) // step + 1)
        joined = b"".join(self._decrypted(int(self._pages[section][page])) for page in chosen)
        return joined[start - chosen.start * step : stop - chosen.start * step]

    def peek(self, section: str, start: int, length: int) -> bytes:
        """A few bytes of a section, through the cache: for one list, where arrays would cost more than the answer."""
        out, step = b"", self._sections[section][1]
        while len(out) < length:
            page, at = divmod(start + len(out), step)
            number = self._pages[section][page : page + 1]
            self._load(number)
            place = int(self._table[number[0]]) * PAGE_BYTES + at
            out += self._cache.pool[place : place + min(length - len(out), step - at)].tobytes()
        return out

    def words(self, section: str, places: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The 64-bit words of a section at some places, through the cache."""
        return self._gather(section, places, self._cache.pool.view(np.uint64))

    def halves(self, section: str, places: NDArray[np.int64]) -> NDArray[np.uint32]:
        """The 32-bit words of a section at some places, through the cache."""
        return self._gather(section, places, self._cache.pool.view(np.uint32))

    def octets(self, section: str, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The bytes of a section at some places, through the cache."""
        return self._gather(section, places, self._cache.pool)

    def check(self) -> None:
        """Read every page once; `IntegrityError` names the first one that does not verify."""
        for page in range(len(self._offsets) - 1):
            self._decrypted(page)

    # --- pages ---------------------------------------------------------------------------------------------------

    def _gather(self, section: str, places: NDArray[np.int64], pool: NDArray[Item]) -> NDArray[Item]:
        step, room = self._sections[section][1] // pool.itemsize, PAGE_BYTES // pool.itemsize
        numbers = self._pages[section]
        pages = places // step
        if len(places) <= _FEW and (pages[1:] == pages[:1]).all():  # one list, one block: no table of pages is needed
            if not len(places):
                return np.zeros(0, pool.dtype)
            page = int(pages[0])
            self._load(numbers[page : page + 1])
            return pool[places + (int(self._table[numbers[page]]) * room - page * step)]
        wanted = np.zeros(len(numbers), bool)
        wanted[pages] = True
        distinct = np.flatnonzero(wanted)
        out = np.empty(len(places), pool.dtype)
        for start in range(0, len(distinct), len(self._cache)):
            part = distinct[start : start + len(self._cache)]
            self._load(numbers[part])
            shift = self._table[numbers].astype(np.int64) * room - np.arange(len(numbers)) * step
            if len(part) == len(distinct):
                return pool[places + shift[pages]]
            chosen = np.flatnonzero((pages >= part[0]) & (pages <= part[-1]))
            out[chosen] = pool[places[chosen] + shift[pages[chosen]]]
        return out

    def _load(self, pages: NDArray[np.int64]) -> None:
        """Bring pages into the cache, at most as many as it has room for."""
        slots = self._table[pages]
        self._cache.touch(slots[slots >= 0])
        missing = pages[slots < 0]
        if not missing.size:
            return
        pool = self._cache.pool
        try:
            for page, slot in zip(missing.tolist(), self._cache.take(self._table, missing), strict=True):
                plaintext = self._decrypted(page)
                start = slot * PAGE_BYTES
                pool[start : start + len(plaintext)] = np.frombuffer(plaintext, np.uint8)
        except BaseException:
            self._cache.drop(self._table)  # slots were given out for pages that never came
            raise

    def _decrypted(self, page: int) -> bytes:
        start, end = int(self._offsets[page]), int(self._offsets[page + 1])
        with storage_faults(self.path, "read"):
            data = os.pread(self._descriptor, end - start, start)
        nonce = _nonce(page, footer=False)
        try:
            return self._cipher.decrypt(nonce, data, self._head + nonce)
        except InvalidTag as error:
            raise IntegrityError(f"{self.path}: page {page} of the index does not verify", hint=REINDEX) from error

    # --- opening -------------------------------------------------------------------------------------------------

    def _open(self, keys: Sequence[Key]) -> None:
        with storage_faults(self.path, "read"):
            size = os.fstat(self._descriptor).st_size
            self._head = os.pread(self._descriptor, _HEAD.size, 0)
            tail = os.pread(self._descriptor, _LENGTH.size, max(0, size - _LENGTH.size))
        length = int.from_bytes(tail, "big")
        if size < _HEAD.size + TAG + _LENGTH.size or not self._head.startswith(MAGIC):
            raise IntegrityError(f"{self.path}: no index file of this version", hint=REINDEX)
        if not TAG + _LENGTH.size <= length <= min(FOOTER_BYTES, size - _HEAD.size - _LENGTH.size):
            raise IntegrityError(f"{self.path}: the index file is cut short or altered at its end", hint=REINDEX)
        _, file_id, number = _HEAD.unpack(self._head)
        self._cipher = _cipher(_key(keys, number, self.path), file_id)
        self.file_id = bytes(file_id)
        with storage_faults(self.path, "read"):
            box = os.pread(self._descriptor, length, size - _LENGTH.size - length)
        self._parse(box, size - _LENGTH.size - length)

    def _parse(self, box: bytes, end: int) -> None:
        """Open the footer; it was authenticated then, so its shape is ours."""
        footer = self._opened_footer(box, end - _HEAD.size)
        split = _LENGTH.size + int.from_bytes(footer[: _LENGTH.size], "big")
        stored = json.loads(footer[_LENGTH.size : split])
        order = np.frombuffer(footer, np.uint8, offset=split)
        self.meta: Mapping[str, object] = stored["meta"]
        self._sections: dict[str, tuple[int, int]] = {}
        self._pages: dict[str, NDArray[np.int64]] = {}
        lengths = np.zeros(len(order), np.int64)
        for code, (name, size, step) in enumerate(stored["sections"]):
            pages = np.flatnonzero(order == code)
            self._sections[name], self._pages[name] = (size, step), pages
            lengths[pages] = step + TAG
            if pages.size:
                lengths[pages[-1]] = size - (len(pages) - 1) * step + TAG
        self._offsets = np.concatenate(([_HEAD.size], _HEAD.size + np.cumsum(lengths))).astype(np.int64)
        self._table = np.full(len(order), -1, np.int32)
        if int(self._offsets[-1]) != end:
            raise IntegrityError(f"{self.path}: the index file is longer or shorter than it was written", hint=REINDEX)

    def _opened_footer(self, box: bytes, stored: int) -> bytes:
        nonce = _nonce(0, footer=True)
        try:
            return self._cipher.decrypt(nonce, box, self._head + nonce + stored.to_bytes(8, "big"))
        except InvalidTag as error:
            raise IntegrityError(
                f"{self.path}: the end of the index file does not verify: altered, cut short, or another key",
                hint=REINDEX,
            ) from error


def _cipher(key: Key, file_id: bytes) -> AESGCM:
    if key.purpose != Purpose.SEGMENT:
        raise ValueError("a segment key is needed")
    return AESGCM(hkdf(key.secret, "muniment index 1", file_id, length=32))


def _key(keys: Sequence[Key], number: int, path: Path) -> Key:
    for key in keys:
        if key.number == number:
            return key
    raise IntegrityError(f"{path}: written under segment-{number}, which this key ring does not hold")


def _nonce(number: int, *, footer: bool) -> bytes:
    return number.to_bytes(_NUMBER, "big") + bytes([footer])
