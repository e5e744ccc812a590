"""What the past says a daily count will be: negative binomials, levels learned over accounts, and p-values as e-values.

Rules
1. numpy alone: no special function here needs more than a dozen lines, and each is tested against exact sums.
2. Everything learned is *predictable*: `Level.expect` reads the state as it stood before the day, `Level.learn` adds
   the day afterwards.
3. Who wants an e-value divides by a null that is wider than the best guess. Wide costs days; narrow costs innocents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.watch.days import DayKind
from muniment.watch.signals import Shape
from muniment.watch.signals.sums import total

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.watch.days import Day, Prefix
    from muniment.watch.signals import State

_SHIFT: Final = 8
"""Stirling's series is used from here on: its first four terms are then good to 1e-11."""
_MOST: Final = 1e6
"""Sizes above this are read as this: such a negative binomial is a Poisson to six digits."""
_LEAST: Final = 1e-12
"""Means below this are read as this, so that a count of a thing that never came is rare but not impossible."""
_TURNS: Final = 2_000
"""Steps of the continued fraction; it needs about the square root of the larger parameter, so 1,000 at `_MOST`."""

OWN: Final = 5.0
"""Workdays that the colleagues' mean is worth against an account's own past: one week."""
GROUP: Final = 20.0
"""Account-days (or expected counts) that a wider level is worth against a narrower one: one account, one month."""
MEMORY: Final = 180.0
"""Calendar days after which what is known counts half: half a year, longer than any harvest that is to be found in a
quarter, short enough to follow a change of work."""
BLOCK: Final = 20
"""Active days in a block. An account's own past counts from two blocks before: what it did in the last one to two
months moves nobody's expectation of it, so that a harvest does not teach the null by which it is judged."""
RECENT: Final = 4.0
"""Calendar days after which the tide of an office counts half: it follows a busy week within that week."""
TIDE: Final = 30.0
"""Expected counts that "as usual" is worth against the tide of an office, so that small offices have little tide."""
TIDES: Final = (0.5, 3.0)
"""Bounds of the tide: beyond, it is no longer the same work."""
OVERS: Final = (0.1, 4.0)
"""Bounds of an over-dispersion: counts of people's work are never Poisson, and wider than 4 nothing is seen."""
PRIOR: Final = 0.5
"""Shape of the gamma law of levels about the mean of their office: a half, so that of a new account well over twice
that mean is within one standard deviation."""
WINSOR: Final = 4.0
"""Standard deviations above the expectation up to which a count is learned."""


def log_gamma(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the gamma function of numbers above 0, any shape (Abramowitz and Stegun 6.1.15 and 6.1.41)."""
    low = values < _SHIFT
    base = np.where(low, values, 1.0)
    passed = np.ones_like(base)
    for step in range(_SHIFT):
        passed = passed * (base + step)
    high = np.where(low, values + _SHIFT, values)
    square = 1.0 / (high * high)
    series = (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680))) / high
    result = (high - 0.5) * np.log(high) - high + 0.5 * np.log(2.0 * np.pi) + series
    return np.asarray(np.where(low, result - np.log(passed), result))


def nb_log_pmf(
    counts: NDArray[np.int64] | NDArray[np.float64],
    mean: NDArray[np.float64] | float,
    size: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """log P(X = count), X negative binomial with the given mean and variance mean + mean^2 / size. Broadcasts."""
    many, centre, spread = _floats(counts, mean, size)
    ways = log_gamma(many + spread) - log_gamma(spread) - log_gamma(many + 1.0)
    total = np.log(spread + centre)
    return np.asarray(ways + spread * (np.log(spread) - total) + many * (np.log(centre) - total))


def nb_log_tail(
    counts: NDArray[np.int64] | NDArray[np.float64],
    mean: NDArray[np.float64] | float,
    size: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """log P(X >= count) of the same, exact also where the tail is far below the smallest float. Broadcasts.

    P(X >= k) is the regularised incomplete beta function I(k, size) at mean / (mean + size): its continued fraction in
    the logarithm (Press et al., Numerical Recipes, 6.4; Abramowitz and Stegun 26.5.8 and 6.6.1).
    """
    many, centre, spread = _floats(counts, mean, size)
    one = np.maximum(many, 1.0)
    hit = centre / (centre + spread)
    turned = hit > (one + 1.0) / (one + spread + 2.0)
    a, b = np.where(turned, spread, one), np.where(turned, one, spread)
    at = np.where(turned, spread / (centre + spread), hit)
    front = log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * np.log(at) + b * np.log1p(-at) - np.log(a)
    part = np.minimum(front + np.log(_fraction(a, b, at)), 0.0)
    with np.errstate(divide="ignore"):
        result = np.where(turned, np.log(-np.expm1(part)), part)
    return np.asarray(np.where(many <= 0.0, 0.0, result))


def calibrated(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """A p-value as an e-value, both as natural logarithms: the mean over kappa of kappa p^(kappa - 1).

    With x = -log p it is (e^x - 1 - x) / x^2: 1/2 at p = 1, and close to 1 / (p x^2) for small p. Its integral over p
    is 1, so that any p-value that is not too small too often becomes a valid e-value (Vovk and Wang 2021, appendix B).
    """
    x = np.maximum(-np.asarray(log_p, np.float64), 0.0)
    small = x < 1e-2
    large = np.where(small, 1.0, x)
    far = large + np.log1p(-(1.0 + large) * np.exp(-large)) - 2.0 * np.log(large)
    near = np.log(0.5 + x * (1.0 / 6 + x * (1.0 / 24 + x / 120)))
    return np.asarray(np.where(small, near, far))


def _floats(*numbers: NDArray[np.int64] | NDArray[np.float64] | float) -> tuple[NDArray[np.float64], ...]:
    """Count, mean and size as floats of one shape, within the bounds above."""
    many, centre, spread = np.broadcast_arrays(*(np.asarray(one, np.float64) for one in numbers))
    return many, np.maximum(centre, _LEAST), np.clip(spread, _LEAST, _MOST)


def _fraction(a: NDArray[np.float64], b: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The continued fraction of the incomplete beta function by Lentz's method, all elements at once."""
    tiny = 1e-300
    c = np.ones_like(at)
    d = 1.0 - (a + b) * at / (a + 1.0)
    d = 1.0 / np.where(np.abs(d) < tiny, tiny, d)
    value = d.copy()
    for m in range(1, _TURNS):
        even = m * (b - m) * at / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * at / ((a + 2 * m) * (a + 2 * m + 1.0))
        for step in (even, odd):
            d = 1.0 + step * d
            d = 1.0 / np.where(np.abs(d) < tiny, tiny, d)
            c = 1.0 + step / c
            c = np.where(np.abs(c) < tiny, tiny, c)
            value = value * (d * c)
        if float(np.abs(d * c - 1.0).max(initial=0.0)) < 1e-12:
            break
    return value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expected:
    """What is expected of m account-days, shape (m,) each: a negative binomial of `mean` and `size`.

    `level`: the account's level on a plain workday; `kind`: the factor of this kind of day; `tide`: the factor by which
    the others of the office are above their own levels these days. `mean` is their product. `doubt`: standard deviation
    of what is not known of the mean.
    """

    mean: NDArray[np.float64]
    size: NDArray[np.float64]
    level: NDArray[np.float64]
    kind: NDArray[np.float64]
    tide: NDArray[np.float64]
    doubt: NDArray[np.float64]

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation of the count, shape (m,)."""
        return np.asarray(np.sqrt(self.mean + self.mean**2 / self.size))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Who:
    """Whose count of which local day is asked for: codes and kinds, shape (m,)."""

    day: int
    account: NDArray[np.int32]
    office: NDArray[np.int32]
    kind: NDArray[np.uint8]

    @classmethod
    def of(cls, days: Day | Prefix) -> Who:
        """The account-days of a day, or those of the disclosures of an open one."""
        return cls(days.day, days.account, days.office, days.kind)


_EXPOSURE, _COUNT, _OVER, _SCALE = range(4)
_SUMS: Final = 4
_SPECIAL: Final = (DayKind.REST, DayKind.BUSY)
"""Kinds of days that are compared with plain workdays."""


@dataclass(frozen=True, slots=True)
class Level:
    """A daily count of each account, learned on three levels: own past, colleagues of the office, all.

    expected count = own level x factor of the kind of day x tide of the office

    - *Own level*: count over exposure, exposure in plain workdays, shrunk to the mean of the colleagues by `OWN` days;
      theirs to the mean of all by `GROUP` days; that to `start`. An account is never its own colleague: what it does
      moves no other expectation of it than this one.
    - *Kind*: a busy day or a weekend against a plain workday, from colleagues and all.
    - *Tide*: the colleagues' last days against their own levels. It carries what a calendar did not announce.
    - *Size*: over-dispersion about the expectation (by moments; own, shrunk to that of all others).
    - *Doubt*: what is not known of the level (gamma-Poisson credibility, Buhlmann and Straub 1970), and `start` itself
      for an account without a past, whose colleagues may do other work. It is the same error every day, and so stands
      beside the mean: as dispersion it would count as chance that evens out.

    Who moves with its office keeps its own past; a colleague is who was last seen in the same office.

    Poisoning. A count is learned up to `WINSOR` standard deviations only. Own past counts from two blocks of `BLOCK`
    active days before, dispersion too, which an attacker would else raise first. What is known fades with `MEMORY`, so
    that the level lags behind a ramp. A new account is expected to be like its colleagues, whom it cannot move.

    `start` and `over`: level and over-dispersion (1 / size) of a world of which nothing is known.
    """

    start: float = 2.0
    over: float = 1.0

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """State: 21 numbers an account, sums that fade.

        `seen`: last day, office, and active days in the newest block. `blocks`: exposure, count, excess of the squared
        residual and squared expectation, for the oldest, the middle and the newest block. `recent`: count and what was
        hoped for. `kinds`: the same for weekends and for busy days.
        """
        return {
            "seen": Shape(3, -1.0),
            "blocks": Shape(3 * _SUMS),
            "recent": Shape(2),
            "kinds": Shape(2 * len(_SPECIAL)),
        }

    def expect(self, who: Who, state: State) -> Expected:
        """What each account's count of this day is, before the day is looked at; the state stays as it is."""
        blocks, recent, kinds = _faded(who.day, state)
        pool = _Pool(who.account, who.office, state["seen"][:, 1])
        every = blocks.reshape(len(blocks), 3, _SUMS).sum(axis=1)
        mine = blocks[who.account, :_SUMS]
        prior = pool.ratio(every[:, _COUNT], every[:, _EXPOSURE], GROUP, self.start)
        level = (OWN * prior + mine[:, _COUNT]) / (OWN + mine[:, _EXPOSURE])
        shared = pool.everyone(every[:, _OVER], every[:, _SCALE], GROUP * self.start**2, self.over)
        weight = GROUP * level**2 + _LEAST
        own = (weight * np.clip(shared, *OVERS) + mine[:, _OVER]) / (weight + mine[:, _SCALE])
        over = np.clip(own, *OVERS)
        tide = np.clip(pool.ratio(recent[:, 0], recent[:, 1], TIDE, 1.0), *TIDES)
        kind = self._kind(who, kinds, pool)
        mean = np.maximum(level * kind * tide, _LEAST)
        doubt = mean / np.sqrt(PRIOR + mine[:, _COUNT] / (1.0 + over * level))
        doubt += self.start * OWN / (OWN + mine[:, _EXPOSURE])
        return Expected(mean, 1.0 / over, level, kind, tide, doubt)

    def learn(self, who: Who, counts: NDArray[np.int64], expected: Expected, state: State) -> None:
        """Add a day's counts (shape (m,), accounts distinct) to the state, given what was expected of them."""
        blocks, recent, kinds = _faded(who.day, state)
        seen = state["seen"]
        seen[who.account, :2] = np.stack([np.full(len(who.account), float(who.day)), who.office], axis=1)
        seen[who.account, 2] = np.maximum(seen[who.account, 2], 0.0) + 1.0
        capped = np.minimum(counts, expected.mean + WINSOR * expected.deviation)
        over = (capped - expected.mean) ** 2 - expected.mean
        blocks[who.account, 2 * _SUMS :] += np.stack(
            [expected.kind * expected.tide, capped, over, expected.mean**2], axis=1
        )
        recent[who.account] += np.stack([capped, expected.level * expected.kind], axis=1)
        for place, kind in enumerate(_SPECIAL):
            mine = who.kind == kind
            kinds[who.account[mine], 2 * place] += capped[mine]
            kinds[who.account[mine], 2 * place + 1] += (expected.level * expected.tide)[mine]
        self._promote(blocks, seen)
        state["blocks"][:], state["recent"][:], state["kinds"][:] = blocks, recent, kinds

    @staticmethod
    def _kind(who: Who, kinds: NDArray[np.float64], pool: _Pool) -> NDArray[np.float64]:
        """The factor of each account-day's kind against a plain workday, shape (m,)."""
        factor = np.ones(len(who.account))
        for place, kind in enumerate(_SPECIAL):
            of_kind = pool.ratio(kinds[:, 2 * place], kinds[:, 2 * place + 1], GROUP, 1.0)
            factor = np.where(who.kind == kind, of_kind, factor)
        return factor

    @staticmethod
    def _promote(blocks: NDArray[np.float64], seen: NDArray[np.float64]) -> None:
        """Move full blocks on: the middle into the oldest, the newest into the middle."""
        full = np.flatnonzero(seen[:, 2] >= BLOCK)
        blocks[full, :_SUMS] += blocks[full, _SUMS : 2 * _SUMS]
        blocks[full, _SUMS : 2 * _SUMS] = blocks[full, 2 * _SUMS :]
        blocks[full, 2 * _SUMS :] = 0.0
        seen[full, 2] = 0.0


def _faded(day: int, state: State) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """`blocks`, `recent` and `kinds` as they weigh on a day: copies."""
    last = float(state["seen"][:, 0].max(initial=-1.0))
    gone = max(day - last, 0.0) if last >= 0 else 0.0
    slow, fast = 0.5 ** (gone / MEMORY), 0.5 ** (gone / RECENT)
    return state["blocks"] * slow, state["recent"] * fast, state["kinds"] * slow


CAP: Final = float(np.log(10.0))
"""Logarithm of the largest factor of one day: a single day is never worth more than 10, so that a detector takes a week
to cross. One day of bulk is what `burst` is for, and one day of unannounced mass work is no harvest."""


def raised(counts: NDArray[np.int64], expected: Expected, added: tuple[float, ...]) -> NDArray[np.float64]:
    """Bets that counts are raised by so many above what was expected: logarithms of factors, shape (m, k).

    Each is a ratio of two negative binomials of one size, p(count | null + added) / p(count | null), at most `CAP`. The
    null is the expectation and its doubt: one standard deviation of the level above it. The ratio grows with the
    count, and negative binomials of one size are ordered by their mean: so its mean is at most 1 for *every* mean up to
    the null's, not only for the null's, and also where it is looked at before the day is over. Cutting it down to `CAP`
    only lowers it.
    """
    null = (expected.mean + expected.doubt)[:, None]
    other, size = null + np.array(added), expected.size[:, None]
    total = np.log((size + null) / (size + other))
    return np.asarray(np.minimum(counts[:, None] * (np.log(other / null) + total) + size * total, CAP))


class _Pool:
    """Sums over the colleagues of each of m accounts: its office without itself, and all without itself."""

    def __init__(self, account: NDArray[np.int32], office: NDArray[np.int32], seen: NDArray[np.float64]) -> None:
        """`seen`: the office in which each account known was last seen, shape (rows,), `NOBODY` where in none."""
        self._account = account
        self._group = seen.astype(np.int64) + 1
        self._mine = office.astype(np.int64) + 1
        self._size = int(max(self._group.max(initial=0), self._mine.max(initial=0))) + 1
        self._within = self._group[account] == self._mine

    def everyone(
        self, top: NDArray[np.float64], bottom: NDArray[np.float64], weight: float, start: float
    ) -> NDArray[np.float64]:
        """top / bottom over all others, shrunk by `weight` of bottom to `start`; sums by account, shape (rows,)."""
        own_top, own_bottom = top[self._account], bottom[self._account]
        return np.asarray((weight * start + total(top) - own_top) / (weight + total(bottom) - own_bottom))

    def ratio(
        self, top: NDArray[np.float64], bottom: NDArray[np.float64], weight: float, start: float
    ) -> NDArray[np.float64]:
        """top / bottom over colleagues, shrunk by `weight` of bottom to that over all others, that to `start`."""
        everyone = self.everyone(top, bottom, weight, start)
        office_top = np.bincount(self._group, top, self._size)[self._mine] - self._within * top[self._account]
        office_bottom = np.bincount(self._group, bottom, self._size)[self._mine] - self._within * bottom[self._account]
        return np.asarray((weight * everyone + office_top) / (weight + office_bottom))
