"""Spent privacy budget: what noisy counts have already cost a recipient, or those they pool with.

    Spend (one noisy answer) --total--> Budget --afford--> may the next one leave?

Rules
1. Losses add up (sequential composition: Dwork, McSherry, Nissim, Smith 2006); that answers over disjoint persons cost
   only the largest of them is not used, because who is in an answer is not known here.
2. Who pools, pools what was spent: the losses of a coalition on one register add up.
3. Exact decimals: a budget of 1 affords ten answers of 0.1, and not an eleventh. No noise is drawn here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from muniment.errors import InputError, IntegrityError

EPSILON: Final = "epsilon"
DELTA: Final = "delta"
MOST_EPSILON: Final = Decimal(1_000)
"""A loss beyond which nothing is protected: taken for a mistake."""
MOST_DELTA: Final = Decimal(1)
PLACES: Final = 30
"""Digits behind the point that a loss may have."""


@dataclass(frozen=True, slots=True)
class Spend:
    """The loss of one noisy answer that `recipient` has about persons of `register`; `mechanism` such as laplace."""

    recipient: str
    register: str
    epsilon: Decimal
    delta: Decimal = Decimal(0)
    mechanism: str = ""
    purpose: str = ""

    def to_body(self) -> dict[str, Any]:
        """The body of its entry in the journal."""
        return {
            "recipient": self.recipient,
            "register": self.register,
            EPSILON: format(self.epsilon, "f"),
            DELTA: format(self.delta, "f"),
            "mechanism": self.mechanism,
            "purpose": self.purpose,
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Spend:
        """Undo `to_body`; `IntegrityError` where it is anything else."""
        try:
            texts = {name: str(body[name]) for name in ("recipient", "register", "mechanism", "purpose")}
            return cls(epsilon=loss(body[EPSILON], EPSILON), delta=loss(body[DELTA], DELTA), **texts)
        except (KeyError, TypeError, InputError) as error:
            raise IntegrityError("an entry on privacy budget does not have the form of this version") from error


@dataclass(frozen=True, slots=True)
class Budget:
    """What was spent in sum, in `answers` answers."""

    epsilon: Decimal = Decimal(0)
    delta: Decimal = Decimal(0)
    answers: int = 0

    def and_also(self, spend: Spend) -> Budget:
        """The sum with one more answer."""
        return Budget(self.epsilon + spend.epsilon, self.delta + spend.delta, self.answers + 1)

    def to_json(self) -> dict[str, object]:
        """The JSON of `budget`."""
        return {EPSILON: float(self.epsilon), DELTA: float(self.delta), "answers": self.answers}


def loss(value: str | int | Decimal, what: str = EPSILON) -> Decimal:
    """A loss as an exact decimal, from a text such as "0.1".

    `InputError` for what is no number, negative, endless, or beyond all use (epsilon over 1,000, delta over 1).
    """
    most = MOST_DELTA if what == DELTA else MOST_EPSILON
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        number = Decimal("NaN")
    places = number.as_tuple().exponent
    if isinstance(value, bool | float) or not isinstance(places, int) or not 0 <= number <= most or places < -PLACES:
        raise InputError(
            f"{what} is {str(value)[:40]!r}: expected a decimal from 0 to {most}, of at most {PLACES} places, in quotes"
        )
    return number


def total(spends: Iterable[Spend], recipients: Iterable[str], register: str) -> Budget:
    """What a recipient, or a coalition of several, has spent on a register (rules 1 and 2)."""
    whose = frozenset(recipients)
    budget = Budget()
    for spend in spends:
        if spend.recipient in whose and spend.register == register:
            budget = budget.and_also(spend)
    return budget


def afford(spent: Budget, spend: Spend, epsilon: Decimal, delta: Decimal) -> Budget:
    """The budget after one more answer. `InputError` where it is over what is allowed: then nothing may leave."""
    if not spend.epsilon and not spend.delta:
        raise InputError("an answer without any loss tells nothing: expected epsilon above 0", hint='--epsilon "0.1"')
    after = spent.and_also(spend)
    for what, used, allowed in ((EPSILON, after.epsilon, epsilon), (DELTA, after.delta, delta)):
        if used > allowed:
            raise InputError(
                f"{spend.recipient!r} would have spent {what} {used} on register {spend.register!r}: "
                f"{allowed} is allowed; {spent.answers} answers before",
                hint=f"a larger {what} under [exposure] in muniment.toml, or no more answers",
            )
    return after
