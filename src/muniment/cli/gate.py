"""`muniment gate`: set up, check and run the gate before PostgreSQL, and try other rules on what it let through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command
from muniment.cli.selecting import Account

if TYPE_CHECKING:
    from muniment.gate.policy.explain import Finding

FINDING: Final = 1
"""Exit code where something is to be put right, or where rules would have stopped somebody."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    noun = typer.Typer(
        help="The gate before PostgreSQL: who received whom, on record, and no more than the rules allow.",
        rich_markup_mode=None,
    )
    app.add_typer(noun, name="gate")
    for action in (init, check, run, explain):
        command(noun, action.__name__)(action)
    command(noun, "actor-key")(actor_key)


def init(
    desk: Desk,
    upstream: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where PostgreSQL is.")] = "",
    control: Annotated[
        str, typer.Option(metavar="CONNINFO", help="The gate's own connection, without a password.")
    ] = "",
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="REGISTER=SCHEMA.TABLE", help="The live table of a register; may be repeated."),
    ] = None,
    database: Annotated[str, typer.Option(metavar="NAME", help="The one database behind the gate.")] = "",
    listen: Annotated[
        list[str] | None, typer.Option(metavar="HOST:PORT", help="Where clients connect; may be repeated.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(metavar="PEM", help="The gate's certificate chain.")] = None,
    certificate_key: Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")] = None,
) -> None:
    """Write gate.toml, commented, beside muniment.toml.

    What is not given is taken from the registers whose source is a PostgreSQL table. The new gate watches and stops
    nobody, until its mode is changed.
    """
    from muniment.cli.arguments import pairs
    from muniment.workspace.gating import NewGate

    office = desk.open()
    tables = tuple(pairs("--table", table).items())
    pem = [str(path.resolve()) if path is not None else "" for path in (certificate, certificate_key)]
    asked = NewGate(tuple(listen or ("127.0.0.1:6432",)), upstream, control, tables, database, *pem)
    path = office.gate.init(asked)
    guarded = sorted(office.gate.settings().registers)
    desk.result({"settings": str(path), "registers": guarded}, desk.text("gate_begun", path=path))


def check(desk: Desk) -> int:
    """See whether the gate would start and do its work.

    Settings, certificate, PostgreSQL, the control role, the tables, the accounts' secrets; nothing is changed.
    `muniment doctor` looks for ways past the gate.

    Exit code 1 where something is to be put right.
    """
    from muniment.cli.aligned import aligned
    from muniment.cli.doctor import row_of
    from muniment.workspace.gate_checking import check as checked

    office = desk.open()
    with desk.working("examining"):
        found = checked(office.gate.parts)
    code = int(any(one.state != "ok" for one in found)) * FINDING
    head = [desk.text(f"head_{name}") for name in ("state", "check", "finding")]
    lines = aligned(head, [row_of(desk, one, gate=True) for one in found])
    brief = aligned(head, [row_of(desk, one, gate=True) for one in found if one.state != "ok"]) if code else []
    desk.result({"ok": not code, "checks": [one.to_json() for one in found]}, lines, brief=brief)
    return code


def run(
    desk: Desk,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for the log; standard error by default.")
    ] = None,
) -> int:
    """Run the gate until it is told to end (SIGTERM or Ctrl-C).

    It takes no new clients then, lets statements and transactions end, and seals the ledger. SIGHUP reads gate.toml and
    the certificate anew.
    """
    from muniment.workspace.gating import marks_wanted

    office = desk.open()
    if marks_wanted(office.gate.settings()) and office.locked:
        office = desk.open(marks=True)
    code = office.gate.run(log=log)
    desk.result({"code": code}, ())
    return code


def explain(
    desk: Desk,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="A key of gate.toml, such as accounts.NAME.mode.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another gate.toml to be tried; the one in use by default.")
    ] = None,
    account: Account = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only from this date or time on, as if nothing was before.")
    ] = None,
) -> int:
    """Say what rules would have stopped, or with KEY what a key of gate.toml means.

    Everything that the gate gave out, as the ledger has it, is charged again by the rules of FILE. Nobody is stopped by
    it. What was refused at the time is not in it, so that looser rules are told from below only.

    Exit code 1 where somebody would have been stopped.
    """
    if key is not None:
        _meaning(desk, key)
        return 0
    from muniment.cli.arguments import moment

    house = desk.open().gate
    start = moment(since, start=True) if since is not None else None
    with desk.working("replaying"):
        found = house.explain(rules, account=account, since=start)
    stopped = [one for one in found if one.stopped]
    desk.result({"accounts": [_value(one) for one in found]}, _told(desk, found), brief=_told(desk, stopped))
    return int(bool(stopped)) * FINDING


def _meaning(desk: Desk, key: str) -> None:
    from muniment.gate.policy.settings import explain as explained

    told = explained(key, desk.lang)
    desk.result({"key": key, "text": told}, told, brief=told)


def _told(desk: Desk, found: Sequence[Finding]) -> list[str]:
    """A table of accounts, those from which most would have been withheld first; nothing for nobody."""
    from muniment.cli.aligned import aligned

    names = ("account", "disclosures", "persons", "stopped", "kept_back", "first", "reasons")
    if not found:
        return [] if desk.quiet else [desk.text("no_disclosures")]
    rows = [
        (
            one.account, one.disclosures, one.persons, one.stopped, one.withheld, _first(one) or "-",
            ", ".join(f"{reason} {count:,}" for reason, count in sorted(one.reasons.items())) or "-",
        )
        for one in found
    ]  # fmt: skip
    return aligned([desk.text(f"head_{name}") for name in names], rows)


def _first(one: Finding) -> str | None:
    return datetime.fromtimestamp(one.first / 1_000, UTC).isoformat(timespec="seconds") if one.first >= 0 else None


def _value(one: Finding) -> dict[str, object]:
    names = ("account", "disclosures", "persons", "stopped", "withheld")
    return {name: getattr(one, name) for name in names} | {"first": _first(one), "reasons": dict(one.reasons)}


def actor_key(
    desk: Desk,
    out: Annotated[Path, typer.Option(metavar="FILE", help="New file for the private key, for the application alone.")],
) -> None:
    """Make a key pair for an application that names its acting person by `SET muniment.actor`.

    The private key goes into a new file that its owner alone may read (PEM, PKCS #8, Ed25519). The public key is
    printed: write it into gate.toml as `actor_key` of the application's account.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from muniment.durable import check_target, replace_file

    check_target(out, "--out")
    key = Ed25519PrivateKey.generate()
    replace_file(out, [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())])
    public = key.public_key().public_bytes_raw().hex()
    told = desk.text("actor_key", public=public, path=out)
    desk.result({"public": public, "private_file": str(out)}, told, brief=public)
