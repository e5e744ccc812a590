"""Who received one person's record: asked for a purpose, and itself a disclosure of whoever asks.

Steps: 1. the purpose and the key are checked; 2. the question goes on record, durable; 3. only then is it answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from muniment.disclosure import Channel, Disclosure, Party, Register, Template, canonical_key
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.ledger.completeness import statement_of
from muniment.ledger.declarations import registers, schema_version
from muniment.ledger.reader import LedgerReader
from muniment.ledger.suspensions import suspensions, withheld
from muniment.limits import PURPOSE_CHARACTERS
from muniment.notice.subject import Event, Names, for_keeper, for_person, staff_pseudonyms
from muniment.workspace.ordinals import Seen, known_ordinals
from muniment.workspace.parts import Parts


@dataclass(frozen=True, slots=True)
class WhoResult:
    """The disclosures of one person as JSON values. `complete`: every segment, dump and unsealed entry was looked at.

    `unsealed` of the disclosures are not in the log yet. `checkpoint` is the signed note that the answer goes with.
    """

    disclosures: tuple[dict[str, object], ...]
    complete: bool
    statement: str
    unsealed: int
    checkpoint: str
    view: str

    def to_json(self) -> dict[str, object]:
        """The JSON of `muniment who --json`."""
        return {
            "disclosures": list(self.disclosures),
            "complete": self.complete,
            "statement": self.statement,
            "unsealed": self.unsealed,
            "checkpoint": self.checkpoint,
            "view": self.view,
        }


def who(parts: Parts, key: Sequence[str], *, register: str | None, purpose: str, keeper: bool) -> WhoResult:
    """Every disclosure of one person, dumps and the unsealed tail included; see `notice.subject` for the two views.

    Raises `InputError` for a missing purpose or a key of another shape, `IntegrityError` where the ledger does not
    verify, `UnreachableError` where the question cannot be put on record: then it is not answered.
    """
    chosen = _register(parts, register)
    canonical = _checked(chosen, key, purpose)
    ordinals = known_ordinals(parts, chosen, [canonical])
    _on_record(parts, chosen, purpose, ordinals)
    reader = parts.ledger.reader()
    events = _events(reader, ordinals)
    orders = withheld(suspensions(parts.journal, parts.ledger.public_keys), parts.clock())
    names = column_names(parts)
    if keeper:
        told = for_keeper(events, orders, names)
    else:
        told = for_person(events, orders, staff_pseudonyms(parts.ring.all("segment")[0].secret), names)
    index = parts.ledger.logged_index()
    return WhoResult(
        disclosures=tuple(told),
        complete=True,
        statement=statement_of(index) if index is not None else "",
        unsealed=sum(not event.sealed and (keeper or event.sequence not in orders) for event in events),
        checkpoint=parts.ledger.log().note().decode(),
        view="keeper" if keeper else "person",
    )


def prove(parts: Parts, key: Sequence[str], *, register: str | None, purpose: str) -> dict[str, object]:
    """A proof that these are all disclosures of one person (`ledger.completeness`), accounts and devices left closed.

    Puts the question on record, and logs the index where it is behind; errors as `who`, and `InputError` where an order
    forbids to tell: a proof would show what is withheld.
    """
    chosen = _register(parts, register)
    canonical = _checked(chosen, key, purpose)
    ordinals = known_ordinals(parts, chosen, [canonical])
    _on_record(parts, chosen, purpose, ordinals)  # that no proof is given is an answer too
    orders = withheld(suspensions(parts.journal, parts.ledger.public_keys), parts.clock())
    if any(event.sequence in orders for event in _events(parts.ledger.reader(), ordinals)):
        raise InputError("no proof can be given now", hint="muniment who answers in the form that may be told")
    if len(ordinals) > 1:
        raise IntegrityError("this person has two ordinals: a proof about one of them would not be complete")
    with parts.ledger.prover() as prover:
        return prover.prove(_pseudonym(parts, chosen, canonical), ("recipient", "template"))


def _pseudonym(parts: Parts, register: Register, key: bytes) -> int:
    """The newest pseudonym of a person that is in the table; that of the newest epoch where none is."""
    seen = Seen(parts, register.name)
    seen.add([key])
    columns = seen.columns()
    with parts.ledger.table() as table:
        found = [column for column in columns if table.lookup(column)[1][0]]
    return int((found or columns)[-1][0])


def own_disclosure(
    parts: Parts, register: Register, purpose: str, ordinals: Sequence[int] | np.ndarray, *, case: str = ""
) -> Disclosure:
    """What this office looks up here, as a disclosure to itself: no columns leave, but who was looked at is known."""
    return Disclosure(
        party=Party(parts.office, parts.account),
        template=Template(
            register=register.name,
            schema=schema_version(parts.journal, register.name),
            channel=Channel.APPLICATION,
            columns=(),
            purpose=purpose,
        ),
        records=tuple(int(ordinal) for ordinal in ordinals),
        case=case,
        rows=len(ordinals),
        released=len(ordinals),
    )


def check_purpose(purpose: str) -> None:
    """Refuse a missing or endless purpose before anything is looked up."""
    if not purpose.strip():
        raise InputError("a look-up needs a purpose, which goes on record", hint="--purpose TEXT")
    if len(purpose) > PURPOSE_CHARACTERS:
        raise LimitError(f"the purpose has {len(purpose):,} characters: expected at most {PURPOSE_CHARACTERS:,}")


def _on_record(parts: Parts, register: Register, purpose: str, ordinals: np.ndarray) -> None:
    with parts.ledger.writing() as appender:
        appender.append(own_disclosure(parts, register, purpose, ordinals)).result()


def _register(parts: Parts, name: str | None) -> Register:
    known = [one.name for one in parts.config.registers]
    if name is None and len(known) != 1:
        listed = ", ".join(known) or "none"
        raise InputError(f"which register is meant? the registers are: {listed}", hint="--register NAME")
    return parts.register(name if name is not None else known[0])


def _checked(register: Register, key: Sequence[str], purpose: str) -> bytes:
    check_purpose(purpose)
    if len(key) != len(register.key) or not all(key):
        raise InputError(
            f"register {register.name!r}: its key has {len(register.key)} part(s) ({', '.join(register.key)}); "
            f"{len(key)} came"
        )
    return canonical_key(key)


def _events(reader: LedgerReader, ordinals: np.ndarray) -> list[Event]:
    rows = reader.history(ordinals)
    batch = reader.batch(rows)
    sealed = [reader.sources[number].leaf >= 0 for number in rows.source.tolist()]
    return [
        Event(int(batch.sequence[row]), int(batch.time[row]), batch.disclosure(row), sealed[row])
        for row in range(len(batch))
    ]


def column_names(parts: Parts) -> Names:
    """From register and column numbers to the names under which they were logged."""
    declared = registers(parts.journal)

    def names(register: str, numbers: Sequence[int]) -> list[str]:
        known = {column.number: column.name for column in declared[register].columns} if register in declared else {}
        return [known.get(number, f"column {number}") for number in numbers]

    return names
