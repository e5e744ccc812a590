"""Random challenges: which reads must be justified, the worklist of those that wait, and what became of them. Pure.

Rules
1. The coin is a pseudo-random function of the sequence number of a disclosure in the ledger: it falls after the read is
   committed, the same in every replay, and nobody without the key can tell beforehand. The key never leaves the keeper.
2. A challenge is open until a human finds its justification good (justified) or not (failed). Both are final.
3. What is open when due has failed; a read that was ended because of its challenge has failed.
4. The chance may depend on what was known before the read (how long an account slept), never on the read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from muniment.errors import InputError, IntegrityError
from muniment.prf import BlockFunction, first_64_bits, hkdf

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANCE: Final = 0.02
"""Chance of a challenge: each fiftieth read, as the state that checks most often does by count."""
DORMANT_DAYS: Final = 60
"""Days without a read after which the first one is always challenged: longer than any leave."""
ENDED: Final = "read ended"
"""The reason of a challenge that failed because its read was ended."""
LAPSED: Final = "not answered in time"
"""The reason of a challenge that failed because its term ran out."""
_FIELDS: Final = {"sequence": int, "account": int, "due": int, "state": str, "by": str, "reason": str, "at": int}


class Coin:
    """The keeper's coin. The key never shows in `repr`."""

    __slots__ = ("_function",)

    def __init__(self, key: bytes) -> None:
        """`key`: a secret of the workspace; what is used is derived from it under a label of its own.

        Raises:
            InputError: a key of fewer than 16 bytes.
        """
        if len(key) < 16:
            raise InputError("the key of the challenges is too short: expected 16 bytes or more")
        self._function = BlockFunction(hkdf(key, "muniment watch challenge coin"))

    def __repr__(self) -> str:
        return "Coin()"

    def challenged(self, sequence: NDArray[np.int64], chance: NDArray[np.float64] | float) -> NDArray[np.bool_]:
        """Which disclosures must be justified: those whose 53 drawn bits are below `chance`. Shape (n,).

        `chance`: one for all or one each, from 0 (never) to 1 (always).

        Raises:
            InputError: a chance outside [0, 1].
        """
        wanted = np.asarray(chance, np.float64)
        if bool(np.any(~((wanted >= 0.0) & (wanted <= 1.0)))):
            raise InputError("the chance of a challenge is outside 0 to 1")
        blocks = np.zeros((len(sequence), 2), ">i8")
        blocks[:, 1] = sequence
        drawn = first_64_bits(self._function(blocks.view(np.uint8).reshape(-1, 16))) >> np.uint64(11)
        return np.asarray(drawn.astype(np.float64) * 2.0**-53 < wanted)


def chances(idle: NDArray[np.int64], chance: float = CHANCE) -> NDArray[np.float64]:
    """The chance of each disclosure by the days its account slept before it (-1: never active before). Shape (n,)."""
    return np.where(idle >= DORMANT_DAYS, 1.0, chance)


class Standing(StrEnum):
    """How a challenge stands."""

    OPEN = "open"
    JUSTIFIED = "justified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, repr=False)
class Challenge:
    """One read that must be justified.

    `sequence`: of its disclosure; `account`: code; `due`: when its term ends and it counts (ms since 1970, UTC). `by`:
    who judged it and `reason`: why, both empty while open; `at`: when, 0 while open.
    """

    sequence: int
    account: int
    due: int
    state: Standing = Standing.OPEN
    by: str = ""
    reason: str = ""
    at: int = 0

    def justified(self, by: str, reason: str, at: int) -> Challenge:
        """The challenge after a human found its justification good.

        Raises:
            InputError: already judged, past its term, or no name or reason given.
        """
        return self._judged(Standing.JUSTIFIED, by, reason, at)

    def failed(self, by: str, reason: str, at: int) -> Challenge:
        """The challenge after a human found its justification bad. Raises as `justified`."""
        return self._judged(Standing.FAILED, by, reason, at)

    def ended(self, at: int) -> Challenge:
        """The challenge after its read was ended because of it: failed. One that was judged stays as it was."""
        if self.state is not Standing.OPEN:
            return self
        return replace(self, state=Standing.FAILED, reason=ENDED, at=at)

    def as_of(self, now: int) -> Challenge:
        """The challenge as it stands at `now`: failed where it was still open when due."""
        if self.state is not Standing.OPEN or now < self.due:
            return self
        return replace(self, state=Standing.FAILED, reason=LAPSED, at=self.due)

    def to_json(self) -> dict[str, object]:
        """As plain values, for the journal."""
        return {name: kind(getattr(self, name)) for name, kind in _FIELDS.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Challenge:
        """What `to_json` gave.

        Raises:
            IntegrityError: a value is missing, of another type, or no standing.
        """
        if any(type(values.get(name)) is not kind for name, kind in _FIELDS.items()):
            raise IntegrityError(f"a challenge in the journal does not have {', '.join(_FIELDS)}")
        try:
            return cls(**{name: values[name] for name in _FIELDS} | {"state": Standing(values["state"])})
        except ValueError as error:
            raise IntegrityError("a challenge in the journal has a standing that is none") from error

    def _judged(self, state: Standing, by: str, reason: str, at: int) -> Challenge:
        """The challenge after a human's judgement."""
        if self.state is not Standing.OPEN:
            raise InputError(f"challenge {self.sequence} is {self.state} already: a judgement is final")
        if at >= self.due:
            raise InputError(f"challenge {self.sequence} is past its term: it counts as failed")
        if not by.strip() or not reason.strip():
            raise InputError(f"challenge {self.sequence}: expected who judged it and why")
        return replace(self, state=state, by=by, reason=reason, at=at)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Outcomes:
    """Challenges that became due, by account: codes int64 ascending, how many, how many of them failed. Shape (u,)."""

    account: NDArray[np.int64]
    judged: NDArray[np.int64]
    failed: NDArray[np.int64]


def outcomes(challenges: Iterable[Challenge], since: int, until: int) -> Outcomes:
    """What became of the challenges due in [since, until) (ms since 1970, UTC): each counts when due, never sooner.

    What is still open then has failed. An answer cannot come after its term, so that a replay counts the same.
    """
    due = [one for one in challenges if since <= one.due < until]
    account = np.array([one.account for one in due], np.int64)
    lost = np.array([one.state is not Standing.JUSTIFIED for one in due], np.bool_)
    units, place = np.unique(account, return_inverse=True)
    judged = np.bincount(place, minlength=len(units)).astype(np.int64)
    return Outcomes(units, judged, np.bincount(place[lost], minlength=len(units)).astype(np.int64))
