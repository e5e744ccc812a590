"""The watch as a fold over the ledger: reads in, findings out. Pure, and exact: any batching gives the same findings.

Rules
1. The clock is the latest moment that was read. A local day is closed once the clock is `lag_ms` past its end, by
   default at six in the morning: cases are imported at night, and a read is judged with the cases of its day.
2. Reads of a closed day are late: counted, and not judged. Where they were recorded as they happened, it is the clock
   that was wrong: it goes back, and nothing is lost.
3. A moment after its recording, or none, is that of recording.
4. What is kept over a restart is `state`; which pairs are known, and the reads of open days, follow from the ledger
   (`recall`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.watch.closing import close
from muniment.watch.context.calendar import day_start, local_days
from muniment.watch.context.index import ContextIndex
from muniment.watch.context.jobs import JobUse
from muniment.watch.context.tables import DAY_MS, Context
from muniment.watch.days import MEMORY_DAYS
from muniment.watch.detector import Detector
from muniment.watch.memory import PairMemory, pairs
from muniment.watch.opening import OpenDays
from muniment.watch.reads import Names, Reads, Spaces
from muniment.watch.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.findings import Finding
    from muniment.watch.signals import Signal, State
    from muniment.watch.signals.crowd import CrowdFinding, RecordCentred

LAG_MS: Final = DAY_MS // 4
_NEVER: Final = -1
_SPACES: Final = ("account", "office", "role", "case", "type", "device", "register")


@dataclass(frozen=True, slots=True)
class Crowding:
    """The signal about records, and what seals a record for the officer who alone may know which it is.

    `seal` is given the local day and the record. It must be a function of the two, so that a replay gives the same
    findings, and differ from day to day, so that nobody can tell whether two findings are about one person.
    """

    rule: RecordCentred
    seal: Callable[[int, bytes], bytes] = field(repr=False)

    def state(self) -> State:
        """Its arrays before the first day: no rows."""
        return {name: np.zeros((0, shape.width)) for name, shape in self.rule.shapes.items()}


@dataclass(frozen=True, slots=True)
class FoldRules:
    """`alpha`: alerts per account-day, at most, both kinds together. `lag_ms`: see rule 1."""

    alpha: float = 0.001
    lag_ms: int = LAG_MS


class Watch:
    """One watch. It belongs to one thread."""

    def __init__(
        self, signals: Sequence[Signal], rules: FoldRules, spaces: Spaces, crowd: Crowding | None = None
    ) -> None:
        """Begins with no context: `use` gives one."""
        self.rules = rules
        self.spaces = spaces
        self.signals = tuple(signals)
        self.tally = Tally()
        self.sequence = 0
        """The newest disclosure taken."""
        self.closed = _NEVER
        """The newest local day that is closed."""
        self._clock = 0
        self._detectors = [Detector("account", signals, rules.alpha), Detector("office", signals, rules.alpha)]
        self._memory = PairMemory()
        self._open = OpenDays()
        self._closings: dict[int, int] = {}
        self._active = np.full((0, 2), _NEVER, np.int64)
        """The latest day on which each account was active, and the one before."""
        self.worked = np.zeros((0, 2), np.float32)
        """Closed days on which each account was active, and its unexplained first reads on them; for `suggest`."""
        self.crowds: list[CrowdFinding] = []
        """Records that many read without a reason, since whoever reads this emptied it."""
        self._crowd = crowd
        self._crowd_state: State = {} if crowd is None else crowd.state()
        self._confirmed: set[int] = set()
        self._used = JobUse()
        """What was read under declared jobs on days that are closed."""
        self.use(Context())

    def __repr__(self) -> str:
        return f"Watch(sequence={self.sequence}, closed={self.closed})"

    def use(self, context: Context) -> None:
        """Judge by this context from now on."""
        self._context = context
        self._index = ContextIndex(context)

    def confirm(self, sequences: Iterable[int]) -> None:
        """Take the reads of these disclosures as explained: their challenge was answered well."""
        self._confirmed.update(sequences)

    # --- the fold --------------------------------------------------------------------------------------------------

    def take(self, reads: Reads) -> list[Finding]:
        """Reads that follow those taken before, in the order of the ledger; a disclosure is never split."""
        if not len(reads):
            return []
        reads = self._dated(reads)
        self.tally.reads += len(reads)
        self._grow()
        days, live = local_days(self._context.calendar, reads.moment), reads.moment == reads.recorded
        found: list[Finding] = []
        at, clock, due = 0, *self._clocks(reads, 0)
        while at < len(reads):
            if live[at] and days[at] <= self.closed:
                self._set_back(int(days[at]), int(reads.moment[at]))
                clock[at:], due[at:] = self._clocks(reads, at)
            found += self.close_until(int(due[at]))
            cut = at + int(np.searchsorted(due[at:], due[at], "right"))
            back = np.flatnonzero(live[at:cut] & (days[at:cut] <= self.closed))
            cut = at + int(back[0]) if len(back) else cut
            found += self._run(reads.take(slice(at, cut)), days[at:cut])
            self._clock, self.sequence, at = int(clock[cut - 1]), int(reads.sequence[cut - 1]), cut
        return found

    def _clocks(self, reads: Reads, begin: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The clock at each read from `begin` on, and the newest day that is due by then."""
        clock = np.maximum.accumulate(np.maximum(reads.moment[begin:], self._clock))
        return clock, local_days(self._context.calendar, clock - self.rules.lag_ms) - 1

    def close_until(self, day: int) -> list[Finding]:
        """Close every open day up to this one; what was recorded of them is judged now."""
        found: list[Finding] = []
        if day <= self.closed:
            return found
        for one in self._open.days:
            if one <= day:
                found += self._close(one)
        self.closed = day
        return found

    def finish(self) -> list[Finding]:
        """Close every day that has reads."""
        return self.close_until(max((self.closed, *self._open.days)))

    @property
    def clock(self) -> int:
        """The latest moment that was read, ms since 1970, UTC."""
        return self._clock

    @property
    def due(self) -> int:
        """The newest day that may be closed by what was read so far."""
        return int(local_days(self._context.calendar, np.array([self._clock - self.rules.lag_ms]))[0]) - 1

    def _dated(self, reads: Reads) -> Reads:
        """The reads with moments that can be (rule 3)."""
        odd = (reads.moment > reads.recorded) | (reads.moment <= 0)
        if not odd.any():
            return reads
        self.tally.ahead += int(odd.sum())
        moment = np.where(odd, reads.recorded, reads.moment)
        return Reads(
            reads.sequence, moment, reads.recorded, reads.account, reads.record, reads.case, reads.device,
            reads.register, reads.columns,
        )  # fmt: skip

    def _set_back(self, day: int, moment: int) -> None:
        """Put the clock right: a read of this moment and local day shows that it was wrong (rule 2)."""
        self.closed, self._clock = day - 1, moment
        self._detectors[0].set_back(day)
        self.tally.rewound += 1

    def _run(self, reads: Reads, days: NDArray[np.int64]) -> list[Finding]:
        """Take reads between two closings. `days`: the local day of each."""
        late = days <= self.closed
        self.tally.late += int(late.sum())
        reads, days = reads.take(~late), days[~late]
        if not len(reads):
            return []
        heads = np.flatnonzero(np.append(True, days[1:] != days[:-1]))
        found: list[Finding] = []
        for begin, end in zip(heads.tolist(), [*heads[1:].tolist(), len(reads)], strict=True):
            found += self._run_day(reads.take(slice(begin, end)), int(days[begin]))
        return found

    def _run_day(self, reads: Reads, day: int) -> list[Finding]:
        latest, previous = self._active[:, 0], self._active[:, 1]
        before = np.where(latest < day, latest, previous)
        so_far = self._open.prefix(reads, day, self._context, self._index, self._memory, before)
        begun = np.unique(so_far.account[latest[so_far.account] < day])
        self._active[begun, 1] = latest[begun]
        self._active[begun, 0] = day
        found = self._detectors[0].run(so_far)
        self.tally.findings(found, dict(zip(so_far.account.tolist(), so_far.office.tolist(), strict=True)))
        return found

    def _close(self, day: int) -> list[Finding]:
        reads = self._open.pop(day)
        confirmed = np.array(sorted(self._confirmed), np.int64)
        made = close(reads, day, self._context.calendar, self._index, self._memory, confirmed, self._used)
        self._grow()
        found = [finding for one in self._detectors for finding in one.step(made, self._context)]
        if self._crowd is not None:
            self.crowds += self._crowd.rule.see(made, self._crowd_state, partial(self._crowd.seal, day))
        self.tally.day(made)
        self.worked[made.account] += np.stack([np.ones(len(made)), made.count(made.fresh)], axis=1)
        self.tally.findings(found, dict(zip(made.account.tolist(), made.office.tolist(), strict=True)))
        self._remember(made.account[made.owner], made.record, day)
        if self._context.jobs is not None and len(self._context.jobs.since):
            begun = int(self._context.jobs.since.min())
            self._used.forget(begun)
            self._open.used.forget(begun)
        self._closings[day] = self.sequence
        for old in [one for one in self._closings if one < day - MEMORY_DAYS]:
            del self._closings[old]
        return found

    def _remember(self, account: NDArray[np.int32], record: NDArray[np.uint32], day: int) -> None:
        self._memory.add(np.unique(pairs(account, record)), day)

    def _grow(self) -> None:
        """Make room for accounts and offices that came since."""
        accounts, offices = len(self.spaces.account), len(self.spaces.office)
        for one in self._detectors:
            one.grow(accounts, offices)
        more = accounts - len(self._active)
        if more > 0:
            self._active = np.vstack([self._active, np.full((more, 2), _NEVER, np.int64)])
            self.worked = np.vstack([self.worked, np.zeros((more, 2), np.float32)])

    # --- restarts --------------------------------------------------------------------------------------------------

    @property
    def recall_since(self) -> int:
        """Where a restored watch reads on from: the moment (ms) from which reads are to be recalled."""
        return day_start(self._context.calendar, max(0, self.closed - MEMORY_DAYS))

    def recall(self, reads: Reads) -> None:
        """After `restore`: take in again what was taken before, from `recall_since` to `sequence`; none is judged."""
        reads = self._dated(reads)
        days = local_days(self._context.calendar, reads.moment)
        for day in np.unique(days).tolist():
            mine = reads.take(days == day)
            if day > self.closed:
                self._open.take(day).remember(mine)
            elif day in self._closings:
                mine = mine.take(mine.sequence <= self._closings[day])
                self._remember(mine.account, mine.record, day)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that survives a restart but does not follow from the ledger, as arrays by name."""
        kept: dict[str, NDArray[Any]] = {
            f"{one.unit}/{name}": array for one in self._detectors for name, array in one.arrays().items()
        }
        kept |= {f"open/{day}": self._open.take(day).counts for day in self._open.days}
        kept |= {f"crowd/{name}": array for name, array in self._crowd_state.items()}
        for name, used in (("running", self._open.used), ("closed", self._used)):
            kept[f"jobs/{name}/pairs"], kept[f"jobs/{name}/moments"] = used.state()
        told = {
            "sequence": self.sequence,
            "closed": self.closed,
            "clock": self._clock,
            "closings": sorted(self._closings.items()),
            "confirmed": sorted(self._confirmed),
            "tally": self.tally.to_json(),
            "spaces": {name: list(getattr(self.spaces, name).texts) for name in _SPACES},
        }
        kept |= {"active": self._active, "worked": self.worked}
        return kept | {"told": np.frombuffer(json.dumps(told).encode(), np.uint8)}

    @classmethod
    def restore(
        cls,
        signals: Sequence[Signal],
        rules: FoldRules,
        state: dict[str, NDArray[Any]],
        crowd: Crowding | None = None,
    ) -> Watch:
        """A watch as `state` had it; `use` and `recall` are to follow, before anything else."""
        told = json.loads(state["told"].tobytes())
        watch = cls(signals, rules, Spaces(**{name: Names(told["spaces"][name]) for name in _SPACES}), crowd)
        watch.sequence, watch.closed, watch._clock = told["sequence"], told["closed"], told["clock"]
        watch._closings = dict(map(tuple, told["closings"]))
        watch._confirmed = set(told["confirmed"])
        watch.tally = Tally.from_json(told["tally"])
        watch._active, watch.worked = state["active"].copy(), state["worked"].copy()
        for one in watch._detectors:
            head = f"{one.unit}/"
            one.restore({name.removeprefix(head): a.copy() for name, a in state.items() if name.startswith(head)})
        watch._used = JobUse(state["jobs/closed/pairs"].copy(), state["jobs/closed/moments"].copy())
        watch._open.used = JobUse(state["jobs/running/pairs"].copy(), state["jobs/running/moments"].copy())
        watch._crowd_state |= {name[6:]: array.copy() for name, array in state.items() if name.startswith("crowd/")}
        for name, array in state.items():
            if name.startswith("open/"):
                watch._open.take(int(name.removeprefix("open/"))).counts = array.copy()
        watch._grow()
        return watch


__all__ = ["Crowding", "FoldRules", "Watch"]
