"""CSV (RFC 4180), one row a disclosure, UTF-8, for spreadsheets and for people.

A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a line end) gets an
apostrophe in front, as OWASP advises: whoever chose an account's name must not run code at the keeper's desk. So a
text may differ from the ledger's by that one character; the JSON forms do not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Final

from muniment.ledger.export.entry import Entry, View

HEADER: Final = (
    "sequence", "time", "recipient", "account", "device", "register", "schema", "channel", "columns",
    "purpose", "basis", "case", "fingerprint", "mark_key", "outcome", "delivery", "rows", "released",
    "size", "records", "references",
)  # fmt: skip
"""The columns, in their order."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def lines(entries: Iterable[Entry], view: View) -> Iterator[str]:
    """The header and one row an entry, each with its line end (CR LF); lists have blanks between their items."""
    yield _line(HEADER)
    for entry in entries:
        yield _line(_row(entry, view))


def _row(entry: Entry, view: View) -> tuple[str, ...]:
    disclosure, template = entry.disclosure, entry.disclosure.template
    texts = (
        str(entry.sequence),
        entry.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        disclosure.party.recipient,
        view.account(disclosure.party.account),
        view.device(disclosure.party.device),
        template.register,
        str(template.schema),
        template.channel.value,
        " ".join(entry.columns),
        template.purpose,
        template.basis,
        disclosure.case,
        disclosure.fingerprint,
        template.mark_key,
        template.outcome.value,
        template.delivery.value,
    )
    numbers = (disclosure.rows, disclosure.released, disclosure.size, entry.records)
    return (*map(_harmless, texts), *map(str, numbers), " ".join(view.records(disclosure)))


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(row: tuple[str, ...]) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow(row)
    return stream.getvalue()
