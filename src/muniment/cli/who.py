"""`muniment who`: every disclosure of one person, as that person may be told, or as the keeper sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from muniment.cli.desk import Desk
from muniment.cli.interchange import Key, OfRegister, claim_text
from muniment.cli.options import command

if TYPE_CHECKING:
    from muniment.workspace.subjects import WhoResult


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "who")(who)


def who(
    desk: Desk,
    key: Key,
    purpose: Annotated[str, typer.Option(help="Why it is asked; it goes on record.")],
    register: OfRegister = None,
    keeper: Annotated[
        bool, typer.Option("--keeper", help="Name accounts and devices, and show what an order withholds.")
    ] = False,
) -> None:
    """Say who received one person's record.

    All of them, bulk copies included, as the person may be told: recipients by name, staff under a pseudonym that stays
    the same. The look-up is itself a disclosure: it is on record before it is answered, and stands in the answer.
    """
    office = desk.open()
    with desk.working("looking"):
        result = office.who(key, purpose=purpose, register=register, keeper=keeper)
    lines = _events(desk, result.disclosures, keeper=keeper)
    desk.result(result.to_json(), [*lines, *_claims(desk, result)], brief=lines)


def _events(desk: Desk, events: Sequence[dict[str, object]], *, keeper: bool) -> list[str]:
    """A table. The person's holds only what stands in the person's view: no number, no gap, no state."""
    from muniment.cli.aligned import aligned
    from muniment.cli.ledger import moment_text

    if not events:
        return [desk.text("nobody_received")]
    names = ["time", "recipient", "staff", "register", "channel", "purpose", "basis", "outcome", "columns"]
    if keeper:
        names = ["sequence", *names, "case", "device", "withheld"]
        names[names.index("staff")] = "account"
    shown = [
        event
        | {
            "time": moment_text(event["time"]),
            "sequence": str(event.get("sequence", "")),
            "channel": desk.text(f"channel.{event['channel']}"),
            "outcome": desk.text(f"outcome.{event['outcome']}"),
            "withheld": desk.text("state_withheld") if event.get("withheld") else "",
            "columns": desk.text("common.list_separator").join(_texts(event["columns"])),
        }
        for event in events
    ]
    return aligned([desk.text(f"head_{name}") for name in names], [[event[name] for name in names] for event in shown])


def _claims(desk: Desk, result: WhoResult) -> list[str]:
    from muniment.cli.ledger import checkpoint_text

    return [
        "",
        desk.text("received", count=len(result.disclosures)),
        claim_text(desk, result.statement),
        *([desk.text("received_unsealed", count=result.unsealed)] if result.unsealed else []),
        checkpoint_text(desk, result.checkpoint),
    ]


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
