"""From disclosures in columns to reads: what watch looks at, without a reason to look at anything else.

Rules
1. A read is a record of a disclosure that was received: what was refused gave nothing away.
2. An account is the acting account, or the recipient where none is named: what the gate charges by.
3. A disclosure that only counts (rows that nobody can be named for, a foreign log without keys) is no read; it is
   counted, by channel, so that the report says what could not be watched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.disclosure import Outcome, Party, Template
from muniment.watch.reads import Reads, Spaces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from muniment.ledger.batch import Batch

HIGHEST: Final = 63
"""Column numbers from here on share this bit."""


@dataclass(slots=True)
class Counts:
    """What was passed over. `counted`: disclosures and rows that only counts are known of, by channel. `unwatched`:
    disclosures by ways that the settings leave out."""

    counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    unwatched: int = 0

    def add(self, other: Counts) -> None:
        """Add what another batch passed over."""
        for channel, (events, rows) in other.counted.items():
            before = self.counted.get(channel, (0, 0))
            self.counted[channel] = (before[0] + events, before[1] + rows)
        self.unwatched += other.unwatched

    def to_json(self) -> Mapping[str, object]:
        """As a JSON value."""
        return {"counted": {name: list(both) for name, both in sorted(self.counted.items())},
                "unwatched": self.unwatched}  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Counts:
        """Undo `to_json`."""
        counted = value["counted"]
        assert isinstance(counted, dict)
        return cls({name: (both[0], both[1]) for name, both in counted.items()}, int(str(value["unwatched"])))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Terms:
    """What the distinct templates of a batch say, one row a template."""

    register: NDArray[np.int32]
    columns: NDArray[np.uint64]
    watched: NDArray[np.bool_]
    received: NDArray[np.bool_]
    channel: Sequence[str]


def reads_of(batch: Batch, spaces: Spaces, channels: Collection[str]) -> tuple[Reads, Counts]:
    """The reads of disclosures with their records (`LedgerReader.batch(..., records=True)`), in their order.

    `channels`: the ways that are watched. Texts that did not come before get codes in the order of the disclosures.
    """
    terms, (account, device) = _terms(batch, spaces, channels), _parties(batch, spaces)
    template = batch.template.codes
    watched, counts = terms.watched[template], batch.counts
    chosen = watched & terms.received[template] & (counts > 0)
    rows = np.flatnonzero(chosen)
    repeated = np.repeat(rows, counts[rows])
    case = _in_order(batch.case.codes[rows], batch.case.values, spaces.case.code)
    moments = np.where(batch.occurred > 0, batch.occurred, batch.time)
    reads = Reads(
        sequence=batch.sequence[repeated],
        moment=moments[repeated],
        recorded=batch.time[repeated],
        account=account[batch.party.codes][repeated],
        record=batch.ordinals[np.repeat(chosen, counts)],
        case=case[batch.case.codes][repeated],
        device=device[batch.party.codes][repeated],
        register=terms.register[template][repeated],
        columns=terms.columns[template][repeated],
    )
    only = watched & (counts == 0) & terms.received[template]
    return reads, Counts(_by_channel(batch, terms, np.flatnonzero(only)), int((~watched).sum()))


def _by_channel(batch: Batch, terms: _Terms, rows: NDArray[np.int64]) -> dict[str, tuple[int, int]]:
    """Disclosures and rows that only counts are known of; one that gave nothing is left out."""
    found: dict[str, tuple[int, int]] = {}
    for row in rows.tolist():
        given = max(int(batch.rows[row]), int(batch.released[row]))
        if given:
            channel = terms.channel[int(batch.template.codes[row])]
            events, total = found.get(channel, (0, 0))
            found[channel] = (events + 1, total + given)
    return found


def _terms(batch: Batch, spaces: Spaces, channels: Collection[str]) -> _Terms:
    told = [Template.from_text(text) for text in batch.template.values]
    registers = [one.register for one in told]
    return _Terms(
        register=_in_order(batch.template.codes, registers, spaces.register.code),
        columns=np.array([_bitmap(one.columns) for one in told], np.uint64),
        watched=np.array([one.channel.value in channels for one in told], np.bool_),
        received=np.array([one.outcome is not Outcome.REFUSED for one in told], np.bool_),
        channel=[one.channel.value for one in told],
    )


def _parties(batch: Batch, spaces: Spaces) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    told = [Party.from_text(text) for text in batch.party.values]
    accounts = [one.account or one.recipient for one in told]
    devices = [one.device for one in told]
    return (
        _in_order(batch.party.codes, accounts, spaces.account.code),
        _in_order(batch.party.codes, devices, spaces.device.code),
    )


def _in_order(codes: NDArray[np.uint32], values: Sequence[str], code: Callable[[str], int]) -> NDArray[np.int32]:
    """Our code of each distinct text, given in the order in which rows use them: a batch may be cut anywhere."""
    found = np.full(max(1, len(values)), -1, np.int32)
    used, first = np.unique(codes, return_index=True)
    for one in used[np.argsort(first)].tolist():
        found[one] = code(values[one])
    return found


def _bitmap(columns: Sequence[int]) -> int:
    found = 0
    for number in columns:
        found |= 1 << min(number, HIGHEST)
    return found
