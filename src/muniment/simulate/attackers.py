"""Attackers: how they harvest, from published cases, and which patterns would be the right reason for an alert.

Sources: Copenhagen (CPR, 2023 to 2024, about 7 a workday along families); Helsinki, Haartman (188 in 4 months) and
Colchester (29 in 18 months); Hesse (83 look-ups of one singer in a night); bulk export, enumeration, division of
labour, take-over and padding from the evaluation protocol of the research page, section 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from muniment.simulate.targets import Pick, anybody, half_hidden, in_work, relatives, stretch

Trick: TypeAlias = Literal["", "takeover", "waking", "padding", "one record"]
PATTERNS: Final = (
    "budget", "share", "expected", "caseload", "challenge", "decoy", "volume", "burst", "takeover", "waking",
    "coverage", "pursuit", "split", "crowd",
)  # fmt: skip
"""Names of patterns that an alert may give."""
_LEVEL: Final = frozenset({"budget", "share", "expected", "challenge", "decoy"})
"""What speaks of reads without reason."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to harvest.

    `daily`: mean records an account and workday (Poisson; exact where `exact`); `growing`: the mean grows from a
    tenth of `daily` to twice of it. `workdays`: days on which the account works and harvests. `accounts`: how many of
    one office. `pick`: whom. `list`: records of one disclosure. `trick`: what else is done. `expected_pattern`: the
    right reasons.
    """

    name: str
    daily: float
    workdays: int
    pick: Pick
    expected_pattern: frozenset[str]
    exact: bool = False
    growing: bool = False
    accounts: int = 1
    list: int = 1
    trick: Trick = ""


_ALL: Final = (
    Attack("bulk500", 500, 1, anybody, _LEVEL | {"burst", "volume"}, exact=True, list=100),
    Attack("fifty", 50, 30, anybody, _LEVEL | {"burst", "volume"}),
    Attack("ten", 10, 30, anybody, _LEVEL),
    Attack("three", 3, 60, anybody, _LEVEL),
    Attack("copenhagen", 7, 240, relatives, _LEVEL | {"pursuit"}),
    Attack("half_hidden", 7, 240, half_hidden, _LEVEL | {"caseload"}),
    Attack("in_work", 10, 60, in_work, frozenset({"caseload", "challenge"})),
    Attack("split5", 4, 60, anybody, _LEVEL | {"split"}, accounts=5),
    Attack("enumerate", 20, 25, stretch, _LEVEL | {"coverage", "volume"}, list=4),
    Attack("takeover", 40, 5, anybody, _LEVEL | {"takeover", "volume", "burst"}, trick="takeover"),
    Attack("waking", 10, 20, anybody, _LEVEL | {"waking"}, trick="waking"),
    Attack("padding", 10, 60, anybody, frozenset({"caseload", "challenge", "decoy"}), trick="padding"),
    Attack("random7", 7, 240, anybody, _LEVEL),
    Attack("ramp", 8, 120, anybody, _LEVEL, growing=True),
    Attack("haartman", 2.2, 85, anybody, _LEVEL),
    Attack("colchester", 0.1, 240, relatives, _LEVEL | {"pursuit"}),
    Attack("singer", 1, 1, anybody, frozenset({"crowd"}), exact=True, accounts=12, trick="one record"),
)
ATTACKS: Final[Mapping[str, Attack]] = MappingProxyType({attack.name: attack for attack in _ALL})
"""All attacks by name. `padding`: opens cases of its own, some the same day, and names a colleague's case at times.
`takeover`: at night, from a device never seen, with all columns. `waking`: the account was silent for 60 days before,
its own reads are gone. `singer`: one person, read once by each of many accounts of any office."""
