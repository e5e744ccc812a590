"""`muniment gate`: the proxy before PostgreSQL that knows which persons each account received."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command
from muniment.cli.selecting import Account, Since
from muniment.errors import InputError

if TYPE_CHECKING:
    from muniment.gate.policy.explain import Finding
    from muniment.workspace.gating import GateCheck

FINDING: Final = 1
"""Exit code where something is to be put right, or changed rules would have stopped somebody."""
SECRET_MODE: Final = 0o600


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    noun = typer.Typer(help="The gate before PostgreSQL: who receives which persons.", rich_markup_mode=None)
    app.add_typer(noun, name="gate")
    command(noun, "init")(init)
    command(noun, "check")(check)
    command(noun, "run")(run)
    command(noun, "explain")(explain)
    command(noun, "key")(key)
    command(noun, "actor-key")(actor_key)


def init(
    desk: Desk,
    upstream: Annotated[str, typer.Option(metavar="HOST[:PORT]", help="Where PostgreSQL listens.")],
    control: Annotated[str, typer.Option(metavar="CONNINFO", help="How the gate itself logs in, without a password.")],
    database: Annotated[str, typer.Option(metavar="NAME", help="The one database behind the gate.")],
    table: Annotated[
        list[str], typer.Option("--table", metavar="REGISTER=SCHEMA.TABLE", help="The live table of a register.")
    ],
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where clients connect.")] = "127.0.0.1:6432",
    certificate: Annotated[Path | None, typer.Option(metavar="PEM", help="The gate's certificate chain.")] = None,
    certificate_key: Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")] = None,
) -> None:
    """Write a commented gate.toml beside muniment.toml.

    The new policy observes and stops nobody. Look at it, run the gate, see with `muniment gate explain` what it would
    have stopped, and only then set mode = "stop".
    """
    from muniment.workspace.gating import begin

    office = desk.open()
    host, colon, port = upstream.rpartition(":")
    values: dict[str, object] = {
        "listen": (listen,), "upstream_host": host if colon else upstream, "control": control, "database": database,
    }  # fmt: skip
    if colon:
        if not port.isdecimal():
            raise InputError(f"--upstream is {upstream!r}; expected HOST:PORT", hint="--upstream db.example:5432")
        values["upstream_port"] = int(port)
    if certificate is not None:
        values["certificate"] = str(certificate.resolve())
    if certificate_key is not None:
        values["certificate_key"] = str(certificate_key.resolve())
    path = begin(office.ledger.parts, values, _tables(table))
    desk.result({"settings": str(path)}, [desk.text("gate_begun", path=str(path))])


def _tables(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        register, equals, name = one.partition("=")
        if not (register and equals and name):
            raise InputError(f"--table is {one!r}; expected REGISTER=SCHEMA.TABLE", hint="--table people=public.people")
        found[register] = name
    return found


def check(desk: Desk) -> int:
    """See whether the gate could run.

    Settings, certificate, control connection, register tables, secrets of accounts. Nothing is changed.
    """
    from muniment.cli.aligned import aligned
    from muniment.workspace.gating import check as checked

    office = desk.open()
    with desk.working("examining"):
        found = checked(office.ledger.parts)
    code = FINDING if any(one.state != "ok" for one in found) else 0
    head = [desk.text(f"head_{name}") for name in ("state", "check", "finding")]
    lines = aligned(head, [_row(desk, one) for one in found])
    brief = aligned(head, [_row(desk, one) for one in found if one.state != "ok"]) if code else []
    desk.result({"ok": not code, "checks": [one.to_json() for one in found]}, lines, brief=brief)
    return code


def _row(desk: Desk, one: GateCheck) -> tuple[str, str, str]:
    key = f"gate_check.{one.name}.{one.state}"
    return desk.text(f"state.{one.state}"), desk.text(f"gate_check.{one.name}.name"), desk.text(key, **one.values)


def run(
    desk: Desk,
    log: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the log goes; else standard error.")] = None,
) -> int:
    """Run the gate until SIGTERM or Ctrl-C.

    SIGHUP reads settings and certificates anew. At the end nobody is taken any more, statements under way may end, and
    the ledger is sealed.
    """
    from muniment.workspace.gating import run as serve

    return serve(desk.open().ledger.parts, log_file=log)


def explain(
    desk: Desk,
    rules: Annotated[Path | None, typer.Option(metavar="FILE", help="Settings to try; else those in use.")] = None,
    account: Account = None,
    since: Since = None,
) -> int:
    """Replay the recorded traffic against changed rules.

    Shows by account what they would have stopped, and when it would have begun. Nobody is stopped by it. Exit code 1
    where somebody would have been.
    """
    from muniment.cli.aligned import aligned
    from muniment.cli.arguments import moment
    from muniment.workspace.gating import replayed

    office = desk.open()
    start = moment(since, start=True) if since is not None else None
    with desk.working("replaying"):
        found = replayed(office.ledger.parts, rules, account=account, since=start)
    names = ("account", "disclosures", "persons", "stopped", "withheld", "first", "reasons")
    rows = [_finding(desk, one) for one in found]
    lines = aligned([desk.text(f"head_{name}") for name in names], rows) if rows else [desk.text("no_disclosures")]
    stopped = any(one.stopped for one in found)
    desk.result({"accounts": [_finding_json(one) for one in found]}, lines, brief=lines if stopped else [])
    return FINDING if stopped else 0


def _finding(desk: Desk, one: Finding) -> tuple[str, ...]:
    first = "" if one.first < 0 else f"{datetime.fromtimestamp(one.first / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"
    reasons = ", ".join(f"{reason} {number}" for reason, number in one.reasons.items())
    return (one.account, *(f"{n:,}" for n in (one.disclosures, one.persons, one.stopped, one.withheld)), first, reasons)


def _finding_json(one: Finding) -> dict[str, object]:
    first = None if one.first < 0 else datetime.fromtimestamp(one.first / 1000, UTC).isoformat()
    return {
        "account": one.account,
        "disclosures": one.disclosures,
        "persons": one.persons,
        "stopped": one.stopped,
        "withheld": one.withheld,
        "first": first,
        "reasons": dict(one.reasons),
    }


def key(
    desk: Desk, name: Annotated[str, typer.Argument(metavar="KEY", help="A key of gate.toml, such as persons.")]
) -> None:
    """Say what a key of gate.toml means."""
    from muniment.gate.policy.settings import explain as explained

    told = explained(name, desk.lang)
    desk.result({"key": name, "text": told}, [told], brief=[told])


def actor_key(
    desk: Desk,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the private key goes; it must be a new file.")],
) -> None:
    """Make the pair of keys by which an application says who acts through its account.

    The private half signs `SET muniment.actor`; the public half goes into gate.toml as actor_key.
    """
    import os

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from muniment.durable import storage_faults

    private = Ed25519PrivateKey.generate()
    with storage_faults(out, "write"):
        try:
            descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
        except FileExistsError as error:
            raise InputError(f"{out}: there is a file already; it stays", hint="choose another --out") from error
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(private.private_bytes_raw().hex() + "\n")
    public = private.public_key().public_bytes_raw().hex()
    desk.result({"public": public, "private_file": str(out)}, [desk.text("actor_key", public=public, path=str(out))])
