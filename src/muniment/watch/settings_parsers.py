"""From a TOML value of watch.toml to what watch uses, or `ValueError`; what was expected stands in the table."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Final

from muniment.config import values
from muniment.config.values import MOST, number, whole

WINDOWS: Final = ("minute", "hour", "day", "month", "lifetime")
"""Windows of the gate's budgets, as gate.toml names them."""


def texts(value: object) -> tuple[str, ...]:
    """A list of texts, one at least, each once."""
    found = values.texts(value)
    if not found:
        raise ValueError
    return found


def weight(value: object) -> float:
    """A weight: a number from 0 to 1000."""
    found = number(0, 1_000)(value)
    if not isfinite(found):
        raise ValueError
    return float(found)


def persons(value: object) -> Mapping[str, int]:
    """Limits by window, one at least."""
    if not isinstance(value, dict) or not value or not value.keys() <= set(WINDOWS):
        raise ValueError
    return MappingProxyType({name: whole(0, MOST)(one) for name, one in value.items()})
