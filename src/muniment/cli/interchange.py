"""`muniment ledger export|import|prove|open`: what leaves the ledger in a form for others, and what comes from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command
from muniment.cli.selecting import Account, Case, Channel, Recipient, Since, Until, selection

if TYPE_CHECKING:
    from muniment.workspace.exchanging import ImportResult

Key: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="KEY", help="The person's record key: one word for each column of the key.")
]
OfRegister: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help="The register; not needed where there is only one.")
]


def add_to(noun: typer.Typer) -> None:
    """Add the commands to `muniment ledger`."""
    command(noun, "export")(export)
    command(noun, "import")(import_log)
    command(noun, "prove")(prove)
    command(noun, "open")(open_segment)


def export(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file.")],
    form: Annotated[
        Literal["ocsf", "fhir", "csv"], typer.Option(help="OCSF 6005 or FHIR AuditEvent (one JSON a line), or CSV.")
    ],
    recipient: Recipient = None,
    account: Account = None,
    case: Case = None,
    channel: Channel = None,
    since: Since = None,
    until: Until = None,
    staff: Annotated[
        Literal["pseudonymous", "named"], typer.Option(help="Accounts under a pseudonym of this export, or by name.")
    ] = "pseudonymous",
) -> None:
    """Write disclosures to a file in a form that other systems read.

    No record key leaves: records appear as counts and keyed references. What an order withholds is left out.
    """
    chosen = selection(recipient, account, case, channel, since, until)
    office = desk.open()
    with desk.working("exporting", file=file.name):
        count = office.export_log(form, file, chosen, staff_named=staff == "named")
    value = {"file": str(file), "form": form, "staff": staff, "disclosures": count}
    desk.result(value, desk.text("exported", count=count, file=file))


def import_log(
    desk: Desk,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The audit log; packed with gzip or not.")],
    form: Annotated[
        Literal["pg-csvlog", "pg-jsonlog", "fhir", "ocsf", "csv"],
        typer.Option(help="PostgreSQL csvlog or jsonlog (pgaudit lines in it), FHIR AuditEvent, OCSF 6005, CSV."),
    ],
    register: Annotated[str | None, typer.Option(metavar="NAME", help="The register that the log is about.")] = None,
    relation: Annotated[
        str | None, typer.Option(metavar="TABLE", help="What the database calls it; the register's name by default.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(metavar="TOML", help="Which column of a CSV holds what; it names the register too.")
    ] = None,
    recipient: Annotated[str, typer.Option(help="Recipient of entries that name none.")] = "",
    purpose: Annotated[str, typer.Option(help="Purpose of entries that name none.")] = "",
    zone: Annotated[
        str | None, typer.Option(help="Zone of times that have none: +08:00, or a name such as Asia/Taipei.")
    ] = None,
    skip: Annotated[
        bool, typer.Option("--skip", help="Count lines that cannot be read instead of ending at the first.")
    ] = False,
) -> None:
    """Append the disclosures of an audit log from elsewhere.

    A log that only counts is taken too, and what it leaves open is said. A log that is imported twice stands in the
    ledger twice.
    """
    from muniment.cli.arguments import zone as parsed
    from muniment.workspace.exchanging import Import

    wanted = Import(
        file=file,
        form=form,
        register=register,
        relation=relation,
        mapping=mapping,
        recipient=recipient,
        purpose=purpose,
        zone=parsed(zone) if zone is not None else None,
        skip=skip,
    )
    office = desk.open()
    with desk.working("importing", file=file.name) as update:
        result = office.import_log(wanted, progress=lambda done: update(f"{done:,}"))
    lines = list(_imported(desk, result))
    desk.result(result.to_json(), lines, brief=lines[0])


def _imported(desk: Desk, result: ImportResult) -> Iterator[str]:
    """How many entries, then what was passed over, then what the log leaves open."""
    summary = result.summary
    if result.first is None or result.last is None:
        yield desk.text("imported_none")
    else:
        yield desk.text("imported", count=result.appended, first=str(result.first), last=str(result.last))
        yield "  " + desk.text("imported_keys", keyed=summary.keyed, counted=summary.counted)
    if summary.other + summary.unclear + summary.unnamed:
        yield "  " + desk.text(
            "imported_passed", other=summary.other, unclear=summary.unclear, unnamed=summary.unnamed
        )
    if summary.lost_lines:
        yield "  " + desk.text("imported_lost", count=summary.lost_lines)
        yield from (f"    {count:,}: {reason}" for reason, count in summary.reasons)
    if summary.unanswered:
        yield "  " + desk.text("imported_open")
        for question, count in summary.unanswered:
            yield "    " + desk.text(f"question.{question.value}", count=count)


def prove(
    desk: Desk,
    key: Key,
    purpose: Annotated[str, typer.Option(help="Why it is asked for; it goes on record.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The new file of the proof (JSON).")],
    register: OfRegister = None,
) -> None:
    """Write a proof, for others, that these are all disclosures of one person.

    It opens no other person, and leaves accounts and devices closed. Asking is itself on record.
    """
    import json

    from muniment.durable import check_target, replace_file

    check_target(out, "--out")  # before the question goes on record
    office = desk.open()
    with desk.working("proving"):
        proof = office.prove(key, purpose=purpose, register=register)
    replace_file(out, [json.dumps(proof, ensure_ascii=False).encode(), b"\n"])
    events, keys = proof["events"], office.ledger.head()["verifiers"]
    assert isinstance(events, list) and isinstance(keys, list)
    claim = claim_text(desk, str(proof["statement"]))
    value = {"file": str(out), "disclosures": len(events), "statement": proof["statement"], "verifiers": keys}
    desk.result(value, [desk.text("proof_written", file=out, count=len(events)), f"  {claim}"])
    desk.remark("proof_check", file=out, keys=" ".join(f"--key {key}" for key in keys))


def claim_text(desk: Desk, statement: str) -> str:
    """What an answer claims, in the language of the desk; "" is the statement where no index was logged yet."""
    if not statement:
        return desk.text("complete_without_index")
    return desk.text("complete", date=statement.rpartition(" ")[2])


def open_segment(
    desk: Desk,
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="Its id, or the beginning of it.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The new Parquet file, not encrypted.")],
    key_out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the key of this one segment, for open_segment.py.")
    ] = None,
) -> None:
    """Decrypt one segment to a Parquet file, for any tool that reads Parquet."""
    from muniment.cli.ledger import segment_value

    office = desk.open()
    with desk.working("opening", segment=segment):
        if key_out is not None:
            office.ledger.segment_key(segment, key_out)
        made = office.ledger.open_segment(segment, out)
    value = {"file": str(out), **segment_value(made)}
    desk.result(value, desk.text("opened", file=out, disclosures=made.rows, records=made.records))
    desk.remark("opened_plain")
