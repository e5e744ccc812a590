"""Exposure at work: take an extract, see whether the question may be asked, put it on record, and only then measure.

    Question --take--> Taken (extract, ordinals, classes) --judge--> Cumulative, on top of what recipients hold
    run(parts, question, measure)    the whole of it; `measure` is whatever is worked out once it is on record
    before_release                   the same for a copy about to be handed out, by the policy of muniment.toml

Rules
1. Exposure is an oracle: each run is a disclosure of the persons in it to whoever ran it, durable before the answer.
2. Refused, and recorded as refused: inputs of fewer rows than the floor, and inputs that differ from an earlier one of
   the same runner in fewer persons than the floor (set-size and overlap control: Denning 1980).
3. Decided without the secret values: a condition may not name a sensitive column, so that who is in the input hangs on
   nothing secret; only the sets are compared (simulatable auditing: Kenthapadi, Mishra, Nissim, PODS 2005).
4. Rows are tied to persons in memory only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from muniment.disclosure import Copy, Disclosure, Register
from muniment.errors import InputError
from muniment.exposure.cumulative import Cumulative, accumulate
from muniment.exposure.extract import Extract
from muniment.exposure.floor import FLOOR, check_rows
from muniment.exposure.kept import Kept, keep
from muniment.workspace.keeping import Held, digest_key, exposed_columns, held_by, keep_release
from muniment.workspace.parts import Parts
from muniment.workspace.registered import check_columns, read_registered
from muniment.workspace.spending import refused
from muniment.workspace.subjects import check_purpose, own_disclosure

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN: Final = "exposure"
"""The fingerprint of a disclosure that is an exposure run."""
FILE_RUN: Final = "exposure-run"
"""The kind of a journal entry: a run over a file that is of no register here."""
_RELEASE: Final = re.compile(r"release:([0-9]{1,9})")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `what`: the name of a register, `release:NUMBER`, or the location of a file.

    `columns`: what the extract would hold (all but the key if `None`); `quasi` and `sensitive`: as muniment.toml has
    them where they are empty. `to`: who would receive it; several are a coalition that pools what it holds.
    """

    what: str
    purpose: str
    where: str | None = None
    columns: tuple[str, ...] | None = None
    quasi: tuple[str, ...] = ()
    sensitive: str = ""
    to: tuple[str, ...] = ()
    case: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Taken:
    """An extract that was read for a question. `register` is `None` for a file; nothing of it is ever shown."""

    what: str
    register: Register | None
    extract: Extract
    quasi: tuple[str, ...]
    sensitive: str
    release: Copy | None = None


def run(parts: Parts, question: Question, measure: Callable[[Taken, Cumulative | None], T]) -> T:
    """Answer a question: `measure` gets the extract, and what it adds to what `to` holds (`None` where `to` is empty).

    Raises `InputError` where it may not be asked or names what is not there, `IntegrityError` where the ledger or kept
    classes do not verify, `UnreachableError` where it cannot be put on record: then it is not answered.
    """
    taken = take(parts, question)
    return measure(taken, judge(parts, taken, question.to) if question.to else None)


def take(parts: Parts, question: Question) -> Taken:
    """Read an extract, apply rules 2 and 3, and put the run on record; errors as `run`."""
    check_purpose(question.purpose)
    copy = _release(parts, question.what)
    known = {register.name for register in parts.config.registers}
    if copy is None and question.what not in known:
        return _of_file(parts, question)
    return _of_register(parts, question, copy)


def judge(parts: Parts, taken: Taken, recipients: Sequence[str]) -> Cumulative:
    """What the extract adds to what these recipients hold, by the ledger. Call after `take`.

    `InputError` for a recipient that the ledger does not know, and for rows that are of no register.
    """
    _check_recipients(parts, recipients)
    if taken.register is None:
        raise InputError(
            f"{taken.what}: a file of no register: what its persons have in common with earlier copies is not known",
            hint="ask about the register, with --where and --columns",
        )
    but = () if taken.release is None else (taken.release.disclosure,)
    held = held_by(parts, taken.register, recipients, but=but)
    return _accumulated(parts, _kept(parts, taken), held)


# --- reading ---------------------------------------------------------------------------------------------------------


def _of_register(parts: Parts, question: Question, copy: Copy | None) -> Taken:
    register = parts.register(copy.register if copy is not None else question.what)
    where = _both(copy.where if copy is not None else None, question.where)
    check_condition(parts, register, question.where, question.sensitive)
    columns, quasi, sensitive = _columns(parts, register, question, copy)
    extract = read_registered(parts, register, columns, where)
    assert extract.record is not None  # read from a register
    _on_record(parts, register, question, extract.record)
    return Taken(question.what, register, extract, quasi, sensitive, copy)


def _of_file(parts: Parts, question: Question) -> Taken:
    """A file is its runner's already: the floor holds, and the run is an entry of the journal."""
    from muniment.exposure.reading import read_extract
    from muniment.ingest.sources import open_source

    source = open_source(question.what)
    columns = question.columns or tuple(source.columns)
    extract = read_extract(source, columns, where=question.where, labels=True)
    check_rows(extract.rows, question.what)
    quasi = question.quasi or tuple(name for name in columns if name != question.sensitive)
    extract.chosen((*quasi, question.sensitive) if question.sensitive else quasi)
    file = Path(question.what).name
    body = {"file": file, "rows": extract.rows, "purpose": question.purpose, "account": parts.account}
    parts.journal.append(FILE_RUN, body, parts.clock())
    return Taken(question.what, None, extract, quasi, question.sensitive)


def _columns(
    parts: Parts, register: Register, question: Question, copy: Copy | None
) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """What is read, the quasi-identifiers, and the sensitive column or ""."""
    source = parts.source(register)
    given = question.columns or (copy.columns if copy is not None else source.columns)
    columns = tuple(name for name in given if name not in register.key or name in question.quasi)
    quasi, sensitive = exposed_columns(parts, register, columns)
    sensitive = question.sensitive or sensitive
    quasi = question.quasi or tuple(name for name in quasi if name != sensitive)
    if not quasi:
        raise InputError(
            f"register {register.name!r}: no quasi-identifier among {', '.join(given)}", hint="--quasi COLUMN,..."
        )
    read = tuple(dict.fromkeys((*columns, *quasi, *([sensitive] if sensitive else []))))
    check_columns(source, quasi, register)
    check_columns(source, read, register)
    return read, quasi, sensitive


def _release(parts: Parts, what: str) -> Copy | None:
    """The copy of `release:NUMBER`; `None` where something else is meant."""
    found = _RELEASE.fullmatch(what)
    if found is None:
        return None
    for copy in parts.copies.copies():
        if copy.number == int(found[1]):
            return copy
    raise InputError(f"there is no release {found[1]} on record", hint="muniment ledger show --channel file")


def _both(first: str | None, second: str | None) -> str | None:
    conditions = [condition for condition in (first, second) if condition is not None]
    return " AND ".join(f"({condition}\n)" for condition in conditions) if len(conditions) > 1 else (first or second)


# --- may it be asked (rules 1 to 3) --------------------------------------------------------------------------------


def check_condition(parts: Parts, register: Register, where: str | None, sensitive: str = "") -> None:
    """Refuse a condition that names a sensitive column, or could without saying so (`InputError`).

    The text decides, also inside of quotes and longer names: rather one condition too many is refused.
    """
    if where is None:
        return
    text = where.casefold()
    secret = [*parts.config.register(register.name).sensitive, *([sensitive] if sensitive else [])]
    if not secret:
        return
    hidden = re.search(r"\bcolumns\s*\(|\bu&\s*\"|\bselect\b|\*", text)
    if hidden or any(name.casefold() in text for name in secret):
        raise InputError(
            f"register {register.name!r}: the condition may not use {', '.join(secret)}, nor *, COLUMNS, U& or SELECT: "
            "who is chosen must not hang on what is secret",
            hint="choose by other columns",
        )


def _on_record(parts: Parts, register: Register, question: Question, records: NDArray[np.uint32]) -> None:
    """Rules 1 and 2, under the writer's lock: two runs at a time see one another."""
    disclosure = replace(
        own_disclosure(parts, register, f"exposure: {question.purpose}", np.unique(records), case=question.case),
        fingerprint=RUN,
    )
    with parts.ledger.writing() as appender:
        try:
            check_rows(len(records), f"register {register.name!r}")
            _refuse_near(parts, register, np.unique(records))
        except InputError:
            appender.append(refused(disclosure)).result()
            raise
        appender.append(disclosure).result()


def _refuse_near(parts: Parts, register: Register, records: NDArray[np.uint32]) -> None:
    for earlier in _earlier(parts, register, len(records)):
        if 0 < len(np.setxor1d(records, earlier, assume_unique=True)) < FLOOR:
            raise InputError(
                f"register {register.name!r}: these rows differ from those of an earlier run of {parts.account!r} in "
                f"fewer than {FLOOR} persons: the difference of two answers would tell of them",
                hint="ask about the same rows again, or about others",
            )


def _earlier(parts: Parts, register: Register, size: int) -> list[NDArray[np.uint32]]:
    """The inputs of earlier runs of who runs this one; where sizes differ by the floor, the sets do anyway."""
    from muniment.disclosure import Template

    reader = parts.ledger.reader()
    rows = reader.select(account=parts.account, recipient=parts.office)
    near = np.flatnonzero(np.abs(reader.counts(rows) - size) < FLOOR)
    rows = rows.take(near)
    batch = reader.batch(rows)
    mine = [
        row
        for row in range(len(batch))
        if batch.fingerprint[row] == RUN and Template.from_text(batch.template[row]).register == register.name
    ]
    found = reader.batch(rows.take(np.array(mine, np.int64)), records=True)
    return [found.records(row) for row in range(len(found)) if len(found.records(row))]


def _check_recipients(parts: Parts, recipients: Sequence[str]) -> None:
    known = {recipient.name for recipient in parts.copies.known_recipients()}
    reader = parts.ledger.reader()
    for name in recipients:
        if name not in known and not len(reader.select(recipient=name)):
            raise InputError(f"the ledger knows no recipient {name!r}", hint="muniment ledger show lists who received")


# --- judging ---------------------------------------------------------------------------------------------------------


def _kept(parts: Parts, taken: Taken) -> Kept:
    return keep(taken.extract, taken.quasi, digest_key(parts), sensitive=taken.sensitive)


def _accumulated(parts: Parts, new: Kept, held: Sequence[Held]) -> Cumulative:
    return accumulate(new, [one.kept for one in held], k=parts.config.exposure.k)


# --- releases ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Judged:
    """A release that was judged: what is kept of it, and one warning for each recipient to whom it gives too much."""

    kept: Kept
    warnings: dict[str, str]

    def keep(self, parts: Parts, copies: Sequence[Copy]) -> None:
        """Keep the classes of copies that are on record, before their files appear; errors as `keep_release`."""
        keep_release(parts, copies, self.kept)


def before_release(
    parts: Parts, register: Register, recipients: Sequence[str], columns: Sequence[str], where: str | None
) -> Judged | None:
    """Judge a release for each recipient by the policy of muniment.toml; `None` where it is "off" or no column counts.

    Under "refuse", `InputError` for the first recipient to whom it would give too much.
    """
    settings = parts.config.exposure
    quasi, sensitive = exposed_columns(parts, register, tuple(columns))
    if settings.on_release == "off" or not quasi:
        return None
    read = (*quasi, sensitive) if sensitive else quasi
    extract = read_registered(parts, register, read, where)
    kept = keep(extract, quasi, digest_key(parts), sensitive=sensitive)
    warnings = {}
    for recipient in recipients:
        found = accumulate(kept, [one.kept for one in held_by(parts, register, [recipient])], k=settings.k)
        if found.together.share_below > settings.share_below_k:
            warnings[recipient] = told = _warning(register, recipient, found, settings.share_below_k)
            if settings.on_release == "refuse":
                _record_refusal(parts, register, recipient)
                raise InputError(told, hint="fewer or coarser columns: muniment exposure, muniment protect")
    return Judged(kept, warnings)


def _warning(register: Register, recipient: str, found: Cumulative, most: float) -> str:
    """Whole per cents only: the sentence must not serve to count persons."""
    before, after = round(100 * found.itself.share_below), round(100 * found.together.share_below)
    held = f" ({before} % without the {found.held} that they hold already)" if found.held else ""
    return (
        f"register {register.name!r}: of the persons of this release some {after} % would be in a class of fewer than "
        f"{found.k} for {recipient!r}{held}: expected at most {100 * most:g} %"
    )


def _record_refusal(parts: Parts, register: Register, recipient: str) -> None:
    asked: Disclosure = own_disclosure(parts, register, f"exposure: release to {recipient}", ())
    with parts.ledger.writing() as appender:
        appender.append(refused(replace(asked, fingerprint=RUN))).result()
