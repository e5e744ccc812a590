"""`muniment ledger`: the disclosure ledger as its keeper handles it; what crosses its border is in `interchange`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from muniment.cli import interchange
from muniment.cli.desk import Desk
from muniment.cli.options import command
from muniment.cli.selecting import Account, Case, Channel, Recipient, Since, Until, selection
from muniment.errors import IntegrityError

if TYPE_CHECKING:
    from muniment.ledger.fsck import Verification
    from muniment.ledger.segments.manifest import Manifest

SHOWN: Final = 100
"""Disclosures that `show` prints where nobody says how many: some screens, and not a ledger of millions."""
NOTE_BYTES: Final = 65_536
"""Bytes of a file with signature lines of witnesses: some hundreds of lines."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    noun = typer.Typer(help="The ledger: who received which records.", rich_markup_mode=None)
    app.add_typer(noun, name="ledger")
    command(noun, "show")(show)
    command(noun, "verify")(verify)
    command(noun, "seal")(seal)
    command(noun, "reindex")(reindex)
    command(noun, "prune")(prune)
    command(noun, "suspend")(suspend)
    command(noun, "head")(head)
    command(noun, "cosign")(cosign)
    interchange.add_to(noun)


# --- reading -------------------------------------------------------------------------------------------------------


def show(
    desk: Desk,
    recipient: Recipient = None,
    account: Account = None,
    case: Case = None,
    channel: Channel = None,
    since: Since = None,
    until: Until = None,
    newest: Annotated[int, typer.Option(metavar="N", min=1, help="How many of the newest.")] = SHOWN,
) -> None:
    """List disclosures, oldest first, in the keeper's view.

    Accounts are named, and what an order withholds is marked as such. For all of them: `muniment ledger export`.
    """
    from muniment.cli.aligned import aligned

    chosen = selection(recipient, account, case, channel, since, until)
    found = desk.open().ledger.show(chosen, newest=newest + 1)
    more, told = len(found) > newest, found[-newest:]
    names = ("sequence", "time", "recipient", "account", "channel", "register", "purpose", "rows", "state")
    shown = [
        one
        | {
            "sequence": str(one["sequence"]),  # as `suspend` takes it: a number without separators
            "time": moment_text(one["time"]),
            "channel": desk.text(f"channel.{one['channel']}"),
            "state": _state(desk, one),
        }
        for one in told
    ]
    rows = [[one[name] for name in names] for one in shown]
    lines = aligned([desk.text(f"head_{name}") for name in names], rows) if rows else [desk.text("no_disclosures")]
    desk.result({"disclosures": told, "more": more}, lines, brief=lines)
    if more:
        desk.remark("more_disclosures", count=newest)


def moment_text(iso: object) -> str:
    """A time of the ledger (ISO 8601, UTC) as a person reads it, to the second."""
    return f"{str(iso)[:19].replace('T', ' ')}Z"


def _state(desk: Desk, event: dict[str, object]) -> str:
    """What is out of the ordinary about a disclosure; nothing for most of them."""
    said = [] if event["outcome"] == "given" else [desk.text(f"outcome.{event['outcome']}")]
    said += [desk.text("state_withheld")] if event["withheld"] else []
    said += [] if event["sealed"] else [desk.text("state_unsealed")]
    return desk.text("common.list_separator").join(said)


def verify(
    desk: Desk,
    full: Annotated[
        bool, typer.Option("--full", help="Also compute every commitment, index and map anew; takes far longer.")
    ] = False,
) -> int:
    """Check the whole ledger from disk, against what was signed.

    Log, segments, journal, write-ahead files and ordinal table. Exit code 3 where something does not verify.
    """
    office = desk.open()
    with desk.working("verifying") as update:
        found = office.ledger.verify(full=full, progress=lambda done, of: update(f"{done:,}/{of:,}"))
    lines = list(_verified(desk, found))
    desk.result(found.to_json(), lines, brief=[lines[0], *found.faults])
    if found.ok and not full:
        desk.remark("verify_full")
    return 0 if found.ok else IntegrityError.exit_code


def _verified(desk: Desk, found: Verification) -> Iterator[str]:
    from muniment.messages.markup import plain

    yield desk.text("verified" if found.ok else "not_verified", count=len(found.faults))
    yield from (f"  {plain(fault)}" for fault in found.faults)
    yield "  " + desk.text(
        "verified_what", segments=found.segments, disclosures=found.disclosures, records=found.records
    )
    yield "  " + desk.text("verified_tail", unsealed=found.unsealed, indexed=found.indexed, witnessed=found.witnessed)
    yield "  " + checkpoint_text(desk, found.checkpoint)


def checkpoint_text(desk: Desk, note: str) -> str:
    """The line that says which checkpoint something goes with; `note` is the signed note."""
    origin, size, root = note.split("\n")[:3]
    return desk.text("goes_with", origin=origin, size=int(size), root=root)


def head(desk: Desk) -> None:
    """Print the newest checkpoint as a signed note, and the keys that verify it.

    Hand the note to a witness or to whoever is to hold it; with --quiet nothing else is printed. Give the verifier key
    by another way.
    """
    found = desk.open().ledger.head()
    note = str(found["checkpoint"]).removesuffix("\n")
    desk.result(found, [*_head(desk, note, found)], brief=note)


def _head(desk: Desk, note: str, found: dict[str, object]) -> Iterator[str]:
    keys, witnessed = found["verifiers"], found["witnessed"]
    assert isinstance(keys, list) and isinstance(witnessed, dict)
    yield note
    yield ""
    yield from (desk.text("verifier", key=key) for key in keys)
    yield from (desk.text("witnessed", name=name, size=seen["size"]) for name, seen in witnessed.items())
    yield desk.text("unsealed", count=found["unsealed"])


# --- writing -------------------------------------------------------------------------------------------------------


def seal(desk: Desk) -> None:
    """Seal the disclosures that are not in the log yet.

    Every command seals what it wrote; this is for what a program wrote that was killed, or had no signing key.
    """
    ledger = desk.open().ledger
    with desk.working("sealing"):
        made = ledger.seal()
    value = {"sealed": [segment_value(one) for one in made], "checkpoint": ledger.head()["checkpoint"]}
    desk.result(value, _segments(desk, "sealed", made), brief=[one.id for one in made])


def reindex(desk: Desk) -> None:
    """Build the index of records again from the segments, and log its root."""
    office = desk.open()
    with desk.working("indexing"):
        leaf = office.ledger.reindex()
    value = {
        "segments": leaf.segments,
        "runs": len(leaf.runs),
        "persons": leaf.ordinals.entries,
        "dumps": leaf.dumps,
        "time": leaf.time.isoformat(),
    }
    desk.result(value, desk.text("indexed", segments=leaf.segments, persons=leaf.ordinals.entries, dumps=leaf.dumps))


def prune(
    desk: Desk,
    reason: Annotated[str, typer.Option(help="Why; it goes into the log for good.")],
    before: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Only what lies before it; by default what is past retention_days."),
    ] = None,
) -> None:
    """Remove the segments whose term has passed, after a signed notice of it is in the log.

    Only whole segments go, the oldest ones: each stays until its newest disclosure is past the term.
    """
    from muniment.cli.arguments import moment

    ledger = desk.open().ledger
    term = ledger.term(moment(before, start=True) if before is not None else None)
    due = ledger.prunable(term)
    if due:
        desk.confirm("prune", segments=len(due), disclosures=_rows(due), before=f"{term.astimezone():%Y-%m-%d %H:%M}")
        due = ledger.prune(term, reason=reason)
    value = {"pruned": [segment_value(one) for one in due], "before": term.isoformat(), "reason": reason}
    desk.result(value, _segments(desk, "pruned", due), brief=[one.id for one in due])


def suspend(
    desk: Desk,
    sequences: Annotated[
        list[int], typer.Argument(metavar="NUMBER", help="Numbers of disclosures, as `ledger show` gives them.")
    ],
    until: Annotated[
        str, typer.Option(metavar="DATE", help="Last day on which they are withheld; a day that is past ends an order.")
    ],
    order: Annotated[str, typer.Option(help="What it rests on: the authority and its file number.")],
) -> None:
    """Withhold disclosures from answers to the persons concerned, by order.

    The person's view leaves them out without a gap; the keeper's view shows them and says so.
    """
    from muniment.cli.arguments import moment

    made = desk.open().ledger.suspend(sequences, until=moment(until), order=order)
    value = {
        "sequences": list(made.sequences),
        "until": made.until.isoformat(),
        "order": made.order,
        "key": made.key,
        "time": made.time.isoformat(),
    }
    when = f"{made.until.astimezone():%Y-%m-%d %H:%M}"
    key = "suspended" if made.until > made.time else "suspension_ended"
    desk.result(value, desk.text(key, count=len(made.sequences), until=when, order=made.order))


def cosign(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the witness answered: its signature lines.")],
) -> None:
    """Add the signatures of witnesses to the newest checkpoint.

    They must be among `witnesses` of muniment.toml, and have signed this checkpoint.
    """
    from muniment.durable import read_file
    from muniment.errors import InputError

    data = read_file(file, NOTE_BYTES)
    lines = [line for line in (data or b"").decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{file}: no signature line here; expected: — NAME BASE64")
    ledger = desk.open().ledger
    for line in lines:
        ledger.cosign(line)
    found = ledger.head()
    desk.result({"added": len(lines), **found}, desk.text("cosigned", count=len(lines)))


def segment_value(manifest: Manifest) -> dict[str, object]:
    """The JSON of one segment."""
    return {
        "segment": manifest.id,
        "first": manifest.first,
        "last": manifest.last,
        "disclosures": manifest.rows,
        "records": manifest.records,
    }


def _segments(desk: Desk, key: str, made: Sequence[Manifest]) -> list[str]:
    """What was done to how many segments, then one line a segment."""
    first = desk.text(key, segments=len(made), disclosures=_rows(made)) if made else desk.text(f"{key}_none")
    rest = (desk.text("segment", id=one.id, first=str(one.first), last=str(one.last)) for one in made)
    return [first, *(f"  {line}" for line in rest)]


def _rows(manifests: Sequence[Manifest]) -> int:
    return sum(one.rows for one in manifests)
