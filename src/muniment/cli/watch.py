"""`muniment watch`: which account harvests a register - set up, led, replayed, and what people do with its alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from muniment.cli.desk import Desk
from muniment.cli.options import command
from muniment.config.settings import toml_key

if TYPE_CHECKING:
    from muniment.watch.alerts import Alert
    from muniment.workspace.watch_handling import Handling, Step, Verdict
    from muniment.workspace.watching import Led

FINDING: Final = 1
"""Exit code where an alert is open, a replay differs, or something is to be put right."""
Id = Annotated[str, typer.Argument(metavar="ALERT", help="Id of an alert, such as A-EEHMCSFK6J.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept with your name.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    noun = typer.Typer(
        help="Which account harvests a register, although every single read looks normal.", rich_markup_mode=None
    )
    app.add_typer(noun, name="watch")
    names = {"take": "import", "acknowledge": "ack", "try_sinks": "test-alert"}
    for action in (
        init, take, check, run, replay, alerts, alert, acknowledge, explain, confirm, reopen, shown, exceptions,
        try_sinks, unmask, suggest, audit, haul, challenges, justify, sigma,
    ):  # fmt: skip
        command(noun, names.get(action.__name__, action.__name__))(action)


# --- setting up and leading ------------------------------------------------------------------------------------------


def init(
    desk: Desk,
    time_zone: Annotated[str, typer.Option(metavar="ZONE", help="Where days begin and end, such as Asia/Taipei.")] = "",
) -> None:
    """Write watch.toml, commented, beside muniment.toml.

    A watch works without any further table; each that is imported lets it see more (`muniment watch check`).
    """
    watch = desk.open().watch
    path = watch.init(**({"time_zone": time_zone} if time_zone else {}))
    desk.result({"settings": str(path)}, desk.text("watch_begun", path=path))


def take(
    desk: Desk,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="What it is: staff, cases, covers, ... or decoys.")],
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A CSV, Parquet or database file; PostgreSQL.")] = "",
    register: Annotated[
        str | None, typer.Option(metavar="NAME", help="The register whose records it speaks of, if there are several.")
    ] = None,
) -> int:
    """Take up a table of context: who works where, which case covers whom, households, calendars, declared jobs.

    docs/watch-context.md says what each table holds. It takes the place of the one that was imported before. With
    `decoys` the decoys of this workspace are made known. What is wrong with single rows is counted and said.

    Exit code 1 where something was wrong.
    """
    from muniment.errors import InputError

    watch = desk.open().watch
    if table != "decoys" and not source:
        raise InputError("where the table is, is missing", hint=f"muniment watch import {table} SOURCE")
    with desk.working("importing", file=source or table):
        found = watch.take_up_decoys() if table == "decoys" else [watch.import_table(table, source, register)]
    lines = [
        line
        for one in found
        for line in (
            desk.text("watch_imported", table=one.table, kept=one.kept, rows=one.rows, version=one.version),
            *(f"  {fault}" for fault in one.faults),
        )
    ]
    desk.result({"imported": [one.to_json() for one in found]}, lines)
    return int(any(one.faults for one in found)) * FINDING


def check(desk: Desk) -> int:
    """See whether the watch sees what it could, keeps up, and gets its alerts out; and what it cannot see.

    Exit code 1 where something is to be put right.
    """
    from muniment.cli.aligned import aligned
    from muniment.workspace.watch_checking import check as checked

    watch = desk.open().watch
    with desk.working("examining"):
        found = checked(watch)
    states = {one.state for one in found}
    code = 3 if "broken" in states else int(states != {"ok"}) * FINDING
    head = [desk.text(f"head_{name}") for name in ("state", "check", "finding")]
    rows = [
        (
            desk.text(f"state.{one.state}"),
            desk.text(f"watch_check.{one.name}.name"),
            desk.text(
                "doctor.broken" if one.state in ("fault", "broken") else f"watch_check.{one.name}.{one.state}",
                **one.values,
            ),
        )
        for one in found
    ]
    wrong = [row for row, one in zip(rows, found, strict=True) if one.state != "ok"]
    brief = aligned(head, wrong) if wrong else []
    desk.result({"ok": not code, "checks": [one.to_json() for one in found]}, aligned(head, rows), brief=brief)
    return code


def run(
    desk: Desk,
    once: Annotated[bool, typer.Option("--once", help="Take up what there is, and end.")] = False,
) -> int:
    """Follow the ledger, and tell of what stands out, until told to end (SIGTERM or Ctrl-C).

    Read it as often as you like: what was told is not told again. Exit code 1 where an alert is open.
    """
    watch = desk.open().watch

    def told(led: Led) -> None:
        for change in led.changes:
            if change.telling and not desk.options.json:
                desk.line(_line(desk, change.after))
        if led.fault:
            desk.remark("watch_not_sent", reason=led.fault)

    with desk.working("watching"):
        led = watch.run(follow=not once, told=told)
    waiting = len(watch.handling.listed())
    value = {"reads": led.reads, "opened": led.opened, "sent": led.sent, "open": waiting}
    desk.result(value, desk.text("watch_led", **value))
    return int(waiting > 0) * FINDING


def replay(
    desk: Desk,
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day; else the oldest.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day; else the newest.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Begin at the beginning of the ledger.")] = False,
) -> int:
    """Find again what was found, from the ledger alone, and compare. Nothing is changed.

    Exit code 1 where it differs from what is on file.
    """
    from muniment.cli.arguments import day
    from muniment.watch.context.calendar import day_of

    watch = desk.open().watch
    window = {
        name: day_of(day(f"--{option}", typed).isoformat())
        for name, option, typed in (("since", "from", since), ("until", "to", until))
        if typed is not None
    }
    with desk.working("replaying"):
        found = watch.replay(**window, whole=whole)
    value = {
        "equal": found.equal, "findings": len(found.sightings), "same": found.same, "missing": list(found.missing),
        "new": list(found.new), "began": found.began,
    }  # fmt: skip
    text = "watch_replay_equal" if found.equal else "watch_replay_differs"
    counts = {"findings": len(found.sightings), "missing": len(found.missing), "new": len(found.new)}
    desk.result(value, desk.text(text, **counts))
    return int(not found.equal) * FINDING


# --- alerts ----------------------------------------------------------------------------------------------------------


def alerts(
    desk: Desk,
    every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
) -> int:
    """List the open alerts: what is guaranteed first, then by what is at stake.

    Accounts stand under pseudonyms; `muniment watch unmask` tells whose one is, for a reason. Exit code 1 where one is
    open.
    """
    from muniment.cli.aligned import aligned

    handling = desk.open().watch.handling
    found = handling.listed(closed=every)
    head = [desk.text(f"head_{name}") for name in ("alert", "state", "kind", "unit", "pattern", "records", "since")]
    rows = [_row(one) for one in found]
    lines = aligned(head, rows) if rows else [desk.text("watch_no_alerts")]
    lines.append(desk.text("watch_share", share=_share(handling)))
    desk.result({"alerts": [_value(one) for one in found]}, lines, brief=aligned(head, rows) if rows else [])
    return int(any(one.open for one in found)) * FINDING


def alert(desk: Desk, id: Id) -> int:
    """Show one alert: five lines, how sure it is, what is at stake, and what was done about it.

    Exit code 1 where it is open.
    """
    handling = desk.open().watch.handling
    one = handling.alert(id)
    lines = handling.page(id, desk.lang)
    desk.result(_value(one) | {"page": list(lines)}, lines, brief=lines)
    return int(one.open) * FINDING


def acknowledge(desk: Desk, id: Id, reason: Reason) -> None:
    """Say that you look into an alert."""
    _say(desk, "acknowledged", id, reason)


def explain(
    desk: Desk,
    what: Annotated[str, typer.Argument(metavar="ALERT|KEY", help="Id of an alert, or a key of watch.toml.")],
    reason: Reason = "",
) -> None:
    """End an alert as explained: there was a good reason. With a KEY, say what a key of watch.toml means.

    What it lowered at the gate is lifted.
    """
    if what.upper().startswith("A-"):
        _say(desk, "explained", what, reason)
        return
    from muniment.watch.settings import explain as explained

    told = explained(what, desk.lang)
    desk.result({"key": what, "text": told}, told, brief=told)


def confirm(desk: Desk, id: Id, reason: Reason) -> None:
    """End an alert as confirmed: there was no good reason. What it lowered at the gate stays so until it is lifted."""
    _say(desk, "confirmed", id, reason)


def reopen(desk: Desk, id: Id, reason: Reason) -> None:
    """Take up an alert again that was ended."""
    _say(desk, "reopened", id, reason)


def shown(
    desk: Desk,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account whose owner asks.")],
) -> None:
    """Show the closed alerts on an account to its owner, without the names of those who handled them."""
    handling = desk.open().watch.handling
    found = handling.shown(account)
    lines = [line for one in found for line in (*handling.lines(one, desk.lang), "")]
    desk.result({"alerts": [_value(one) for one in found]}, lines or [desk.text("watch_no_alerts")])


def exceptions(
    desk: Desk,
    unit: Annotated[str, typer.Option(metavar="PSEUDONYM", help="A new one: for this account or office.")] = "",
    office: Annotated[str, typer.Option(metavar="PSEUDONYM", help="For all accounts of this office.")] = "",
    pattern: Annotated[str, typer.Option(metavar="PATTERN", help="For this pattern alone, such as volume.")] = "",
    case_type: Annotated[str, typer.Option(metavar="TYPE", help="For reads of cases of this type alone.")] = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="Days for which it holds.")] = 90,
    reason: Reason = "",
    end: Annotated[str, typer.Option(metavar="ID", help="End this one now.")] = "",
) -> None:
    """List exceptions, or save a new one. What it would have hidden in the last 90 days is shown before."""
    from muniment.watch.alerts.text import hidden_text

    handling = desk.open().watch.handling
    if end:
        handling.end(end)
    elif unit or office or pattern or case_type:
        asked, hidden = handling.exemption(reason, days, unit=unit, office=office, pattern=pattern, case_type=case_type)
        desk.remark("watch_hidden", text=hidden_text(hidden, desk.lang))
        desk.confirm("watch_save", text=hidden_text(hidden, desk.lang))
        handling.save(asked)
    found = handling.exemptions()
    lines = [
        desk.text("watch_exception", id=one.id, who=one.unit or one.office, pattern=one.pattern or "-",
                  until=_time(one.until), reason=one.reason)
        for one in found
    ]  # fmt: skip
    value = [one.to_json() for one in found]
    desk.result({"exceptions": value}, lines or [desk.text("watch_no_exceptions")], brief=lines)


def try_sinks(desk: Desk) -> int:
    """Send a test to every sink, and say which of them took it. Exit code 1 where one did not."""
    found = desk.open().watch.handling.test()
    lines = [desk.text("watch_sink_failed" if said else "watch_sink_took", sink=name, reason=said)
             for name, said in found.items()]  # fmt: skip
    desk.result({"sinks": {name: said or None for name, said in found.items()}}, lines, brief=lines)
    return int(any(found.values())) * FINDING


def unmask(
    desk: Desk,
    id: Id,
    reason: Reason = "",
    agree: Annotated[bool, typer.Option("--agree", help="Agree to what another person asked for.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="End what was asked for.")] = False,
) -> None:
    """Say whose account an alert is about; logged, for a reason, with two persons where watch.toml says so."""
    step: Step = "agree" if agree else "refuse" if refuse else "ask"
    found = desk.open().watch.handling.unmask(id, reason, step=step)
    value = {"alert": found.alert, "pseudonym": found.pseudonym, "account": found.account or None,
             "missing": found.missing}  # fmt: skip
    key = "watch_unmasked" if found.account else "watch_refused" if refuse else "watch_asked"
    desk.result(value, desk.text(key, **value), brief=found.account)


# --- figures and challenges ------------------------------------------------------------------------------------------


def audit(desk: Desk) -> int:
    """Compare the rate of alerts that is declared with the one that was seen, by office and month.

    Exit code 1 where a rate exceeds what was declared.
    """
    from muniment.cli.aligned import aligned

    lines, course = desk.open().watch.handling.audit()
    offices = course.watch.spaces.office
    names = ("kind", "office", "month", "account_days", "alerts", "seen", "interval", "verdict")
    rows = [
        (
            one.kind, "-" if one.office is None else offices.text(one.office) or "?", one.month or "-",
            one.account_days, one.alerts, f"{1000 * one.seen:.2f}", f"{1000 * one.low:.2f} - {1000 * one.high:.2f}",
            one.verdict,
        )
        for one in lines
    ]  # fmt: skip
    value = [dict(zip(names, row, strict=True)) for row in rows]
    told = aligned([desk.text(f"head_{name}") for name in names], rows) if rows else [desk.text("watch_no_days")]
    desk.result({"lines": value}, told)
    return int(any(one.verdict == "exceeded" for one in lines)) * FINDING


def suggest(desk: Desk) -> None:
    """Suggest budgets of unexplained first reads a day, by what was read so far: lines for watch.toml.

    An office gets half as much again as its median account had, an account that needs more a budget of its own. Look
    at those before you declare them: a harvest that was under way would be among them.
    """
    from muniment.workspace.watch_checking import budgets_of

    found = budgets_of(desk.open().watch.course())
    lines = [
        desk.text("watch_suggested", office=one.name, known=one.known, median=f"{one.mean:.1f}", own=len(one.accounts))
        for one in found
    ]
    toml = [line for one in found for line in _budget("offices", one.name, one.a_day)]
    toml += [line for one in found for name, a_day in one.accounts for line in _budget("accounts", name, a_day)]
    value = [
        {"office": one.name, "known": one.known, "median": one.mean, "a_day": one.a_day, "accounts": dict(one.accounts)}
        for one in found
    ]
    desk.result({"offices": value}, [*lines, "", *toml] if lines else desk.text("watch_no_days"), brief=toml)


def _budget(table: str, name: str, a_day: float) -> tuple[str, str]:
    return f"[{table}.{toml_key(name)}]", f"a_day = {a_day:g}"


def haul(desk: Desk) -> None:
    """Say how many records an insider who knows everything could take before the first alert, gate off and on."""
    from muniment.workspace.watch_checking import haul_of

    watch = desk.open().watch
    course = watch.course()
    with desk.working("computing"):
        found = haul_of(watch.parts, watch.settings(), course)
    value = [
        {"workdays": one.horizon, "gate": one.gated, "records": one.records, "missing": list(one.why)} for one in found
    ]
    lines = [
        desk.text("watch_haul_gate" if one.gated else "watch_haul", days=one.horizon, records=one.text,
                  why=", ".join(one.why) or "-")
        for one in found
    ]  # fmt: skip
    desk.result({"hauls": value}, lines)


def challenges(
    desk: Desk,
    every: Annotated[bool, typer.Option("--all", help="Those that are judged too.")] = False,
) -> None:
    """List the reads that must be justified: first due first."""
    from muniment.cli.aligned import aligned

    found = desk.open().watch.handling.challenges(closed=every)
    head = [desk.text(f"head_{name}") for name in ("disclosure", "unit", "state", "due")]
    rows = [(one.sequence, one.account, one.state, _time(one.due)) for one in found]
    value = [
        {"disclosure": one.sequence, "account": one.account, "state": one.state, "due": _time(one.due)} for one in found
    ]
    desk.result({"challenges": value}, aligned(head, rows) if rows else [desk.text("watch_no_challenges")])


def justify(
    desk: Desk,
    disclosure: Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the disclosure.")],
    reason: Reason,
    verdict: Annotated[
        Literal["good", "bad"], typer.Option("--verdict", help="What the check of the justification came to.")
    ] = "good",
) -> None:
    """Say, after a check by a person, whether a challenged read was justified. It is final."""
    one = desk.open().watch.handling.answer(disclosure, verdict == "good", reason)
    value = {"disclosure": one.sequence, "state": str(one.state)}
    desk.result(value, desk.text("watch_judged", **value))


def sigma(
    desk: Desk,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="New file; standard output by default.")] = None,
    staff_named: Annotated[
        bool, typer.Option("--staff-named", help="For an export that names staff and devices.")
    ] = False,
) -> None:
    """Write Sigma rules for what a SIEM can find by itself over `muniment ledger export --form ocsf`."""
    from muniment.durable import check_target, replace_file
    from muniment.watch.rules_export.sigma import rules

    text = rules(staff_named=staff_named)
    if out is None:
        desk.result({"rules": text}, text.rstrip("\n"), brief=text.rstrip("\n"))
        return
    check_target(out, "--out")
    replace_file(out, [text.encode()])
    desk.result({"file": str(out)}, desk.text("watch_sigma", path=out))


# --- told ------------------------------------------------------------------------------------------------------------


def _say(desk: Desk, verdict: Verdict, id: str, reason: str) -> None:
    one = desk.open().watch.handling.say(verdict, id, reason)
    desk.result(_value(one), _line(desk, one))


def _line(desk: Desk, one: Alert) -> str:
    from muniment.watch.alerts import View
    from muniment.watch.alerts.text import subject

    return desk.text("watch_line", id=one.id, state=one.state, subject=subject(one, desk.lang, View()))


def _row(one: Alert) -> Sequence[object]:
    from muniment.watch.context.calendar import date_of

    return one.id, one.state, one.kind, one.pseudonym or "-", one.pattern, one.records, date_of(one.since)


def _value(one: Alert) -> dict[str, object]:
    from muniment.watch.context.calendar import date_of

    names = ("id", "state", "kind", "unit", "pseudonym", "pattern", "records", "weighted", "count")
    value = {name: getattr(one, name) for name in names}
    return value | {"since": date_of(one.since), "day": date_of(one.day)}


def _share(handling: Handling) -> str:
    from muniment.messages import percent
    from muniment.watch.alerts import share_flagged

    return percent(share_flagged(handling.view().alpha))


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1_000, UTC).isoformat(timespec="minutes")
