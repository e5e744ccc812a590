"""Keys to ordinals: what the workspace would give, remembered or not, in time or not at all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from language.appends import Table
from language.ledgers import LedgerFolder
from language.servers import PSEUDONYM_KEYS
from muniment.disclosure import canonical_keys
from muniment.errors import IntegrityError, UnreachableError
from muniment.gate.server.persons import FEW, PROVISIONAL, REMEMBERED, SMALL, KeptPersons, SpooledPersons
from muniment.pseudonym import pseudonyms

TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)


class Asked:
    """An appender that counts what it is asked."""

    def __init__(self) -> None:
        self.table = Table()
        self.calls: list[int] = []
        self.broken: Exception | None = None
        self.hang: threading.Event | None = None

    def ordinals(self, newest: NDArray[np.uint64], older: Sequence[NDArray[np.uint64]] = ()) -> NDArray[np.uint32]:
        if self.hang is not None:
            self.hang.wait(10)
        if self.broken is not None:
            raise self.broken
        self.calls.append(len(newest))
        return self.table.allocate(newest, older)


def persons(asked: Asked, **more: object) -> KeptPersons:
    return KeptPersons(PSEUDONYM_KEYS, lambda: asked, **more)  # type: ignore[arg-type,return-value]


@settings(max_examples=40)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=2 * FEW))
def test_pseudonyms_are_those_of_the_workspace_under_every_epoch(rows: list[tuple[str, str]]) -> None:
    columns = list(zip(*rows, strict=True))
    found = persons(Asked()).pseudonyms("persons", columns)
    meant = [pseudonyms(key, "persons", canonical_keys(columns)) for key in PSEUDONYM_KEYS]
    assert [one.tolist() for one in found] == [one.tolist() for one in meant]


@pytest.mark.parametrize("count", [1, FEW + 1, SMALL, SMALL + 1])
def test_each_gets_one_ordinal_whatever_the_size_of_the_call(count: int) -> None:
    asked = Asked()
    kept = persons(asked)
    column = [f"人{number % 97}" for number in range(count)]
    together = kept.ordinals("persons", [column]).tolist()
    assert together == [kept.ordinals("persons", [[one]])[0] for one in column]
    assert kept.ordinals("others", [column[:1]])[0] not in together, "registers have persons of their own"
    as_bytes = np.array([one.encode() for one in column])
    assert kept.ordinals("persons", [as_bytes]).tolist() == together


def test_who_came_before_costs_no_question() -> None:
    asked = Asked()
    kept = persons(asked)
    kept.ordinals("persons", [["a", "b", "a"]])
    kept.ordinals("persons", [["b", "a"]])
    assert asked.calls == [2]
    kept.ordinals("persons", [["a", "c"]])
    assert asked.calls == [2, 1]


def test_what_is_remembered_is_bounded() -> None:
    kept = persons(Asked())
    for start in range(0, 3 * REMEMBERED, SMALL):
        kept.ordinals("persons", [[str(number) for number in range(start, start + SMALL)]])
    assert len(kept._young) + len(kept._old) <= 2 * REMEMBERED


def test_nobody_at_all() -> None:
    assert persons(Asked()).ordinals("persons", [[]]).tolist() == []


@pytest.mark.parametrize("error", [UnreachableError("gone"), IntegrityError("altered")])
def test_a_ledger_that_cannot_be_asked_is_unreachable(error: Exception) -> None:
    asked = Asked()
    asked.broken = error
    with pytest.raises(UnreachableError):
        persons(asked).ordinals("persons", [["a"]])


def test_a_writer_that_hangs_is_waited_for_once() -> None:
    asked = Asked()
    asked.hang = threading.Event()
    kept = persons(asked, remote=lambda: True, seconds=0.05)
    for _ in range(3):
        with pytest.raises(UnreachableError, match="does not answer"):
            kept.ordinals("persons", [["a"]])
    assert asked.calls == []
    asked.hang.set()
    while kept._given_up is not None and not kept._given_up.done():
        pass
    asked.hang = None
    assert kept.ordinals("persons", [["a"]]).tolist() == [0]
    kept.close()


def test_in_the_second_place_known_persons_keep_their_ordinals(tmp_path: Path) -> None:
    made = LedgerFolder.made(tmp_path)
    with made.open().writing() as appender:
        known = persons(appender).ordinals("persons", [["a", "b"]])  # type: ignore[arg-type]
    asked = Asked()
    asked.broken = UnreachableError("down")
    spooled = SpooledPersons(persons(asked), lambda: made.open().table(), worker=1, workers=2)
    found = spooled.ordinals("persons", [["new", "a", "b", "newer", "new"]])
    assert found[1:3].tolist() == known.tolist()
    assert found[[0, 3, 4]].tolist() == [2**32 - 3, 2**32 - 5, 2**32 - 3]
    register, under = spooled.pseudonyms([2**32 - 5])[2**32 - 5]
    assert register == "persons"
    assert under == tuple(int(pseudonyms(key, "persons", canonical_keys([["newer"]]))[0]) for key in PSEUDONYM_KEYS)
    spooled._next = PROVISIONAL - 1
    with pytest.raises(UnreachableError, match="no provisional ordinals"):
        spooled.ordinals("persons", [["one more"]])
    spooled._table.close()  # type: ignore[union-attr]
