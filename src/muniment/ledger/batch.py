"""Disclosures in columns: what the write-ahead file carries, what a segment holds, and what a reader gets back.

Rules
1. One row is one disclosure, in the order of its sequence number; `ordinals[starts[i]:starts[i + 1]]` are the records
   of row i, ascending, each once.
2. Texts are coded: `values` are distinct, `codes` index them. Party and template are canonical JSON
   (`disclosure.Party.to_text`, `Template.to_text`).
3. `sequence` and `time` are zero until a writer has given them; time is milliseconds since 1970, UTC. `occurred` is the
   time of an event that was recorded later (an import), 0 where it is that of recording.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from muniment import limits
from muniment.disclosure import Disclosure, Party, Template
from muniment.errors import IntegrityError, LimitError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXTS = ("party", "template", "case", "fingerprint")
"""The text columns, in the order in which they are encoded."""
NUMBERS = ("sequence", "time", "rows", "size", "released", "occurred")
"""The numeric columns, 64 bits each, in the order in which they are encoded."""
_HEAD = struct.Struct(">QQ")
_TEXT_HEAD = struct.Struct(">IQ")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Texts:
    """A column of texts: `values[codes[i]]` is the text of row i. `codes` has shape (n,), uint32."""

    values: tuple[str, ...]
    codes: NDArray[np.uint32]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """Code a column; values in the order in which they first came."""
        numbers: dict[str, int] = {}
        codes = [numbers.setdefault(text, len(numbers)) for text in texts]
        return cls(tuple(numbers), np.array(codes, np.uint32))

    def __getitem__(self, row: int) -> str:
        text: str = self.values[int(self.codes[row])]
        return text

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[np.int64]) -> Texts:
        """The column of some rows; values that none of them uses are dropped."""
        chosen = self.codes[rows]
        used = np.flatnonzero(np.bincount(chosen, minlength=len(self.values)))
        table = np.zeros(len(self.values), np.uint32)
        table[used] = np.arange(len(used), dtype=np.uint32)
        return Texts(tuple(self.values[code] for code in used.tolist()), table[chosen])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Batch:
    """n disclosures in columns (see the rules above). Numeric columns have shape (n,), int64; `starts` (n + 1,)."""

    sequence: NDArray[np.int64]
    time: NDArray[np.int64]
    rows: NDArray[np.int64]
    size: NDArray[np.int64]
    released: NDArray[np.int64]
    occurred: NDArray[np.int64]
    party: Texts
    template: Texts
    case: Texts
    fingerprint: Texts
    starts: NDArray[np.int64]
    ordinals: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Records of each disclosure, shape (n,)."""
        return np.diff(self.starts)

    def records(self, row: int) -> NDArray[np.uint32]:
        """The ordinals of one row, ascending."""
        return self.ordinals[self.starts[row] : self.starts[row + 1]]

    def numbered(self, first: int, time: int) -> Batch:
        """The same disclosures with sequence numbers from `first` on, all at one time."""
        sequence = np.arange(first, first + len(self), dtype=np.int64)
        return self.stamped(sequence, np.full(len(self), time, np.int64))

    def stamped(self, sequence: NDArray[np.int64], time: NDArray[np.int64]) -> Batch:
        """The same disclosures under these numbers and times."""
        return Batch(
            sequence, time, self.rows, self.size, self.released, self.occurred,
            self.party, self.template, self.case, self.fingerprint, self.starts, self.ordinals,
        )  # fmt: skip

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """Some rows, in the order given."""
        counts = self.counts[rows]
        starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        shift = np.repeat(self.starts[rows] - starts[:-1], counts)
        return assembled(
            {name: getattr(self, name)[rows] for name in NUMBERS},
            {name: getattr(self, name).take(rows) for name in TEXTS},
            starts,
            self.ordinals[shift + np.arange(starts[-1])],
        )

    def disclosure(self, row: int) -> Disclosure:
        """One row as a value."""
        return Disclosure(
            party=Party.from_text(self.party[row]),
            template=Template.from_text(self.template[row]),
            records=tuple(self.records(row).tolist()),
            case=self.case[row],
            fingerprint=self.fingerprint[row],
            rows=int(self.rows[row]),
            size=int(self.size[row]),
            released=int(self.released[row]),
            occurred=int(self.occurred[row]),
        )

    @classmethod
    def of(cls, disclosures: Sequence[Disclosure]) -> Batch:
        """Disclosures in columns, not yet numbered.

        Raises `ValueError` for records that are not ascending, `LimitError` for a text that is too long.
        """
        counts = np.fromiter((len(one.records) for one in disclosures), np.int64, len(disclosures))
        ordinals = np.array([ordinal for one in disclosures for ordinal in one.records], np.uint32)
        starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        zero = np.zeros(len(disclosures), np.int64)
        batch = cls(
            sequence=zero,
            time=zero,
            rows=np.array([one.rows for one in disclosures], np.int64),
            size=np.array([one.size for one in disclosures], np.int64),
            released=np.array([one.released for one in disclosures], np.int64),
            occurred=np.array([one.occurred for one in disclosures], np.int64),
            party=Texts.of(_rendered(one.party for one in disclosures)),
            template=Texts.of(_rendered(one.template for one in disclosures)),
            case=Texts.of([one.case for one in disclosures]),
            fingerprint=Texts.of([one.fingerprint for one in disclosures]),
            starts=starts,
            ordinals=ordinals,
        )
        batch.check()
        return batch

    def check(self) -> None:
        """`ValueError` where records are not ascending, `LimitError` where a text or set is too long."""
        rising = self.ordinals[1:] > self.ordinals[:-1]
        inner = self.starts[1:-1]
        rising[inner[(inner > 0) & (inner < len(self.ordinals))] - 1] = True
        if not bool(rising.all()):
            raise ValueError("the records of a disclosure must be ascending, each once")
        for name in TEXTS:
            longest = max(map(len, getattr(self, name).values), default=0)
            if longest > limits.LEDGER_TEXT_CHARACTERS:
                most = limits.LEDGER_TEXT_CHARACTERS
                raise LimitError(f"the {name} of a disclosure has {longest:,} characters; expected at most {most:,}")


def _rendered(values: Iterable[Party | Template]) -> list[str]:
    return list(map(_text_of, values))


@lru_cache(maxsize=4_096)
def _text_of(value: Party | Template) -> str:
    """A canonical text, made once: the accounts and templates of a busy office come again and again."""
    return value.to_text()


def assembled(
    numbers: Mapping[str, NDArray[np.int64]],
    texts: Mapping[str, Texts],
    starts: NDArray[np.int64],
    ordinals: NDArray[np.uint32],
) -> Batch:
    """A batch from its columns by name (`NUMBERS`, `TEXTS`)."""
    sequence, time, rows, size, released, occurred = (numbers[name] for name in NUMBERS)
    party, template, case, fingerprint = (texts[name] for name in TEXTS)
    return Batch(
        sequence, time, rows, size, released, occurred, party, template, case, fingerprint, starts, ordinals
    )  # fmt: skip


def concatenated(batches: Sequence[Batch]) -> Batch:
    """Several batches as one; their rows must follow one another."""
    if len(batches) == 1:
        return batches[0]
    shifts = np.cumsum([0, *(len(batch.ordinals) for batch in batches)])
    starts = [batch.starts[:-1] + shift for batch, shift in zip(batches, shifts, strict=False)]
    return assembled(
        {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in NUMBERS},
        {name: _joined([getattr(batch, name) for batch in batches]) for name in TEXTS},
        np.concatenate([*starts, shifts[-1:]]).astype(np.int64),
        np.concatenate([batch.ordinals for batch in batches]),
    )


def _joined(columns: Sequence[Texts]) -> Texts:
    numbers: dict[str, int] = {}
    codes = []
    for column in columns:
        table = np.array([numbers.setdefault(text, len(numbers)) for text in column.values], np.uint32)
        codes.append(table[column.codes])
    return Texts(tuple(numbers), np.concatenate(codes))


def encode(batch: Batch) -> bytes:
    """The bytes of a batch: counts, numeric columns, text columns, sets; all integers little endian but the heads."""
    parts = [_HEAD.pack(len(batch), len(batch.ordinals))]
    parts += [np.ascontiguousarray(getattr(batch, name), "<i8").tobytes() for name in NUMBERS]
    parts += [_encoded_texts(getattr(batch, name)) for name in TEXTS]
    parts += [batch.counts.astype("<u4").tobytes(), np.ascontiguousarray(batch.ordinals, "<u4").tobytes()]
    return b"".join(parts)


def decode(data: bytes) -> Batch:
    """Undo `encode`. The bytes were authenticated before; a malformed batch is `IntegrityError` all the same."""
    try:
        rows, records = _HEAD.unpack_from(data)
        if max(rows, records) > len(data):  # a row takes more than one byte, and so does a record
            raise ValueError("counts")
        offset = _HEAD.size
        numbers = {}
        for name in NUMBERS:
            numbers[name] = np.frombuffer(data, "<i8", rows, offset)
            offset += 8 * rows
        texts = {}
        for name in TEXTS:
            texts[name], offset = _decoded_texts(data, offset, rows)
        counts = np.frombuffer(data, "<u4", rows, offset)
        ordinals = np.frombuffer(data, "<u4", records, offset + 4 * rows)
        if offset + 4 * rows + 4 * records != len(data) or int(counts.sum(dtype=np.int64)) != records:
            raise ValueError("length")
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise IntegrityError("a batch of disclosures is malformed") from error
    starts = np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64)
    return assembled(numbers, texts, starts, ordinals)


def _encoded_texts(column: Texts) -> bytes:
    encoded = [value.encode() for value in column.values]
    lengths = np.array([len(value) for value in encoded], "<u4").tobytes()
    head = _TEXT_HEAD.pack(len(encoded), sum(map(len, encoded)))
    return b"".join([head, lengths, *encoded, np.ascontiguousarray(column.codes, "<u4").tobytes()])


def _decoded_texts(data: bytes, offset: int, rows: int) -> tuple[Texts, int]:
    count, size = _TEXT_HEAD.unpack_from(data, offset)
    offset += _TEXT_HEAD.size
    ends = np.cumsum(np.frombuffer(data, "<u4", count, offset), dtype=np.int64).tolist()
    offset += 4 * count
    if (ends[-1] if ends else 0) != size or offset + size > len(data):
        raise ValueError("text length")
    joined = data[offset : offset + size]
    values = tuple(joined[start:end].decode() for start, end in zip([0, *ends[:-1]], ends, strict=False))
    codes = np.frombuffer(data, "<u4", rows, offset + size)
    if rows and (not count or int(codes.max()) >= count):
        raise ValueError("text code")
    return Texts(values, codes), offset + size + 4 * rows
