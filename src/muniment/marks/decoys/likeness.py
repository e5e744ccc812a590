"""Whether a decoy resembles a real record: asked before it is used, and again at every refresh of the register.

A decoy must not share with any record its number, a telephone number, a mail address, a name with the birth date, or a
name with an address; nor a code of its household, where the caller names such columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from muniment.disclosure import Kind, Register
from muniment.table import Table

_PHONE_DIGITS = 6
"""Digits below which a telephone cell is an extension or a note, and may well be shared."""


def recheck(
    decoys: Table, register: Register, batches: Iterable[Table], *, alone: Sequence[str] = ()
) -> list[int]:
    """The row numbers of decoys that now resemble a real record: take them out of use before the next release.

    `batches` stream the register as it is now; `alone` names columns (a household's code) whose values no record may
    have. A row that equals a decoy in all its columns is the decoy itself, lying in the live table: it does not count.
    """
    return [row for row, like in enumerate(like_records(decoys, register, batches, alone=alone)) if like]


def like_records(
    decoys: Table, register: Register, batches: Iterable[Table], *, alone: Sequence[str] = ()
) -> list[bool]:
    """For each decoy, whether it resembles a record in `batches`; one pass, in the memory of a batch."""
    marks = Likeness(register, decoys.columns, alone)
    rows = list(decoys.iter_rows())
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, row in enumerate(rows):
        for trait in marks.traits(row):
            holders.setdefault(trait, []).append(number)
    like = [False] * len(rows)
    own = set(rows)
    for batch in batches:
        for row in batch.select(decoys.columns).iter_rows():
            met = [number for trait in marks.traits(row) for number in holders.get(trait, ())]
            for number in met if row not in own else ():
                like[number] = True
    return like


def like_each_other(decoys: Table, register: Register) -> list[bool]:
    """For each decoy, whether it resembles an earlier one; a household may share its telephone and its code."""
    marks = Likeness(register, decoys.columns)
    seen: set[tuple[str, ...]] = set()
    like = []
    for row in decoys.iter_rows():
        traits = {trait for trait in marks.traits(row) if trait[0] != "phone"}
        like.append(not seen.isdisjoint(traits))
        seen |= traits
    return like


class Likeness:
    """What of a record must not come back in a decoy, in normal form."""

    def __init__(self, register: Register, columns: Sequence[str], alone: Sequence[str] = ()) -> None:
        kinds = [register.column(name).kind for name in columns]

        def of(kind: Kind) -> list[int]:
            return [at for at, found in enumerate(kinds) if found is kind]

        self._key = [at for at, name in enumerate(columns) if name in register.key]
        self._alone = [at for at, name in enumerate(columns) if name in alone]
        self._phones, self._mails = of(Kind.PHONE), of(Kind.EMAIL)
        self._names, self._beside = of(Kind.NAME), (("born", of(Kind.DATE)), ("lives", of(Kind.ADDRESS)))

    def traits(self, row: Sequence[str | None]) -> set[tuple[str, ...]]:
        """The traits of a row, each under a label of its own."""
        found = {("key", *(row[at] or "" for at in self._key))}
        found |= {("alone", str(at), row[at] or "") for at in self._alone if row[at]}
        found |= {("mail", (row[at] or "").casefold()) for at in self._mails if row[at]}
        digits = (re.sub(r"\D", "", row[at] or "") for at in self._phones)
        found |= {("phone", number) for number in digits if len(number) >= _PHONE_DIGITS}
        names = "|".join(_plain(row[at] or "") for at in self._names)
        for label, columns in self._beside:
            rest = "|".join(_plain(row[at] or "") for at in columns)
            if names.strip("|") and rest.strip("|"):
                found.add((label, names, rest))
        return found


def _plain(text: str) -> str:
    """Letters and digits in one case."""
    return re.sub(r"[\W_]", "", text).casefold()
