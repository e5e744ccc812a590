"""One shape of a statement, as the corpus of tests/gate/corpus holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from language.observer import Messages

Class = Literal["attributed", "digest-matched", "unattributed", "refused", "free", "error"]
"""What a shape's rows end as.

`attributed`: every person in it is recorded by name. `unattributed`: some rows are charged without a name. `refused`:
the gate gives nothing. `free`: nobody is recorded, for nobody's data is in it. `error`: PostgreSQL itself refuses.
"""
Account = Literal["clerk", "insider", "boss", "exporter"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is sent, by whom, and what is to come of it.

    `steps` run one after another in one session; a text is a Query of the simple protocol. `honest`: an application or
    a clerk might well send it. `expected`: the class, or several where any of them is right. `ends`: whether the
    gate or the server may end the session over it.
    """

    name: str
    steps: tuple[str | Messages, ...]
    honest: bool
    expected: tuple[Class, ...]
    account: Account = "clerk"
    ends: bool = False
    options: tuple[tuple[str, str], ...] = ()


def honest(
    name: str, *steps: str | Messages, expect: Class | tuple[Class, ...] = "attributed", account: Account = "clerk"
) -> Shape:
    """A shape that an application or a clerk would write."""
    return Shape(name, steps, True, (expect,) if isinstance(expect, str) else expect, account)


def hostile(
    name: str,
    *steps: str | Messages,
    expect: Class | tuple[Class, ...] = ("attributed", "unattributed", "refused"),
    account: Account = "insider",
    ends: bool = False,
    options: dict[str, str] | None = None,
) -> Shape:
    """A shape of somebody who wants more than he is charged for."""
    classes = (expect,) if isinstance(expect, str) else expect
    return Shape(name, steps, False, classes, account, ends, tuple((options or {}).items()))
