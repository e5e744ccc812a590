"""Sending: the sinks of watch.toml, the outbox on disk, and messages about alerts.

Rules
1. A message is put into the file of alerts together with what it is about (`watch_alerts`), and moved from there into
   the outbox; each step is durable before the next, and none doubles a message that waits.
2. Only whoever leads the watch works the outbox. A test of the sinks goes past it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from muniment.durable import read_file
from muniment.errors import InputError
from muniment.limits import CONFIG_BYTES
from muniment.sealed import read_sealed, write_sealed
from muniment.watch.alerts import Seen, View
from muniment.watch.audit import interval
from muniment.watch.sinks import (
    FileSink,
    MailSink,
    Message,
    Outbox,
    Sink,
    SinkFault,
    StreamSink,
    SyslogSink,
    WebhookSink,
    message_of,
)
from muniment.watch.sinks.webhook import parse_secret
from muniment.workspace import watch_files

if TYPE_CHECKING:
    from pathlib import Path

    from muniment.watch.alerts import Pseudonyms
    from muniment.watch.reads import Spaces
    from muniment.watch.settings import SinkSettings, WatchSettings
    from muniment.watch.tally import Tally
    from muniment.workspace.parts import Parts
    from muniment.workspace.watch_alerts import Alerts, Change, Kept

_PURPOSE: Final = "muniment watch outbox 1"


def sinks_of(parts: Parts, settings: WatchSettings) -> dict[str, Sink]:
    """The sinks by name. Raises `InputError` where a file that one needs is not there, or it could not work."""
    return {name: _MADE[one.kind](parts.folder, one) for name, one in settings.sinks.items()}


def queue(parts: Parts, settings: WatchSettings, kept: Kept, changes: Sequence[Change], view: View) -> None:
    """Put what people are to be told of these changes beside them (rule 1)."""
    names = tuple(settings.sinks)
    if names:
        lang = parts.config.workspace.lang
        kept.unsent += [(message_of(one.after, one.event, lang, view), names) for one in changes if one.telling]


def work(parts: Parts, settings: WatchSettings, alerts: Alerts, now: int) -> int:
    """Move what is unsent into the outbox, and send what is due; how many messages were taken."""
    box = outbox(parts)
    if alerts.kept().unsent:
        with alerts.editing() as kept:
            for message, names in kept.unsent:
                box.put(message, [name for name in names if name in settings.sinks], now)
            kept.unsent.clear()
    return box.work(sinks_of(parts, settings), now) if box.waiting else 0


def outbox(parts: Parts) -> Outbox:
    """The outbox as it is on disk. Raises `IntegrityError` where it does not verify."""
    path, secret = _path(parts), parts.ring.all("segment")[0].secret
    stored = read_sealed(path, secret, _PURPOSE) if path.exists() else b""
    return Outbox(lambda data: write_sealed(path, secret, [data], _PURPOSE), stored, lang=parts.config.workspace.lang)


def faults(parts: Parts) -> tuple[SinkFault, ...]:
    """Sinks that fail just now."""
    return outbox(parts).faults()


def view_of(settings: WatchSettings, tally: Tally, spaces: Spaces, names: Pseudonyms) -> View:
    """What the settings promise, and what was seen in each office so far (with its exact upper 95 % limit)."""
    days: dict[str, list[int]] = {}
    for (office, _, division), count in tally.months.items():
        for pseudonym in {"", names.of("office", spaces.office.text(office))}:
            both = days.setdefault(pseudonym, [0, 0])
            both[division == "account_days"] += count
    seen = {
        pseudonym: Seen(alerts, account_days, interval(alerts, account_days)[1])
        for pseudonym, (alerts, account_days) in days.items()
        if account_days
    }
    return View(alpha=settings.alpha, seen=seen)


def test(sinks: Mapping[str, Sink], message: Message) -> dict[str, str]:
    """Send a message to every sink at once; what went wrong by name, empty for what worked."""
    from muniment.errors import MunimentError

    found = {}
    for name, sink in sinks.items():
        try:
            sink.send(message)
            found[name] = ""
        except MunimentError as error:
            found[name] = error.message
    return found


def _stdout(folder: Path, one: SinkSettings) -> Sink:
    return StreamSink(sys.stdout)


def _file(folder: Path, one: SinkSettings) -> Sink:
    return FileSink(folder / one.get("path"))


def _syslog(folder: Path, one: SinkSettings) -> Sink:
    return SyslogSink(one.get("host"), one.get("port"), one.get("transport"), _authority(folder, one))


def _webhook(folder: Path, one: SinkSettings) -> Sink:
    secret = parse_secret(_line(folder / one.get("secret_file")))
    return WebhookSink(one.get("url"), secret, authority=_authority(folder, one))


def _email(folder: Path, one: SinkSettings) -> Sink:
    password = _line(folder / one.get("password_file")) if one.get("password_file") else ""
    return MailSink(
        one.get("host"), one.get("sender"), tuple(one.get("recipients")), one.get("port"), one.get("security"),
        one.get("login"), password, _authority(folder, one),
    )  # fmt: skip


_MADE: Final[Mapping[str, Callable[[Path, SinkSettings], Sink]]] = {
    "stdout": _stdout, "file": _file, "syslog": _syslog, "webhook": _webhook, "email": _email,
}  # fmt: skip


def _authority(folder: Path, one: SinkSettings) -> Path | None:
    return folder / one.get("ca") if one.get("ca") else None


def _line(path: Path) -> str:
    """The first line of a file that holds a secret; the error never shows it."""
    data = read_file(path, CONFIG_BYTES)
    lines = [] if data is None else data.decode("utf-8", "replace").splitlines()
    if not lines or not lines[0].strip():
        raise InputError(f"{path}: there is no such file, or it is empty; expected a secret on its first line")
    return lines[0].strip()


def _path(parts: Parts) -> Path:
    return parts.folder / watch_files.FOLDER / "outbox.bin"
