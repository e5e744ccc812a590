"""The options by which disclosures are chosen, for every command that takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

if TYPE_CHECKING:
    from muniment.workspace.bookkeeping import Selection

Recipient: TypeAlias = Annotated[str | None, typer.Option(help="Only disclosures to this recipient.")]
Account: TypeAlias = Annotated[str | None, typer.Option(help="Only those of this acting account.")]
Case: TypeAlias = Annotated[str | None, typer.Option(help="Only those of this case or ticket.")]
Channel: TypeAlias = Annotated[
    Literal["gate", "file", "application", "imported"] | None, typer.Option(help="Only those by this way.")
]
Since: TypeAlias = Annotated[
    str | None, typer.Option(metavar="DATE", help="Only from this date or time on, in local time.")
]
Until: TypeAlias = Annotated[
    str | None, typer.Option(metavar="DATE", help="Only up to this time; a date alone counts to its end.")
]


def selection(
    recipient: str | None,
    account: str | None,
    case: str | None,
    channel: str | None,
    since: str | None,
    until: str | None,
) -> Selection:
    """The options as one value; `InputError` for a date that is none."""
    from muniment.cli.arguments import moment
    from muniment.workspace.bookkeeping import Selection

    return Selection(
        recipient=recipient,
        account=account,
        case=case,
        channel=channel,
        since=moment(since, start=True) if since is not None else None,
        until=moment(until) if until is not None else None,
    )
