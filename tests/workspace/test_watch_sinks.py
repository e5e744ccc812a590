"""The sinks of watch.toml: made as they are declared, secrets read from files alone, and rates told beside alerts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from language.offices import Office
from muniment.errors import InputError
from muniment.watch.alerts import Pseudonyms
from muniment.watch.reads import Spaces
from muniment.watch.settings import parse
from muniment.watch.sinks import FileSink, MailSink, StreamSink, SyslogSink, WebhookSink
from muniment.watch.tally import Tally
from muniment.workspace import watch_sinks

TOML = """
[sinks.a]
kind = "stdout"
[sinks.b]
kind = "file"
path = "alerts.jsonl"
[sinks.c]
kind = "syslog"
host = "127.0.0.1"
transport = "tcp"
[sinks.d]
kind = "webhook"
url = "https://hooks.example/x"
secret_file = "hook.secret"
[sinks.e]
kind = "email"
host = "mail.example"
sender = "watch@office.example"
recipients = ["dpo@office.example"]
login = "watch"
password_file = "mail.password"
"""


def test_every_kind_is_made(office: Office) -> None:
    settings = parse(TOML, Path("watch.toml"))
    with pytest.raises(InputError, match=r"hook\.secret"):
        watch_sinks.sinks_of(office.parts, settings)
    folder = office.folder / "office"
    (folder / "hook.secret").write_text("a secret of more than enough bytes\nmore\n", encoding="utf-8")
    (folder / "mail.password").write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"mail\.password"):
        watch_sinks.sinks_of(office.parts, settings)
    (folder / "mail.password").write_text("hunter2\n", encoding="utf-8")
    made = watch_sinks.sinks_of(office.parts, settings)
    assert [type(one) for one in made.values()] == [StreamSink, FileSink, SyslogSink, WebhookSink, MailSink]
    assert "hunter2" not in repr(made) and "more than enough" not in repr(made)


def test_a_view_holds_the_rates_of_each_office_and_of_all() -> None:
    spaces, names = Spaces(), Pseudonyms(bytes(32))
    spaces.office.codes(["tax", "care"])
    months = {(0, "2026-01", "account_days"): 900, (0, "2026-02", "account_days"): 100, (0, "2026-02", "estimated"): 2,
              (1, "2026-02", "account_days"): 50, (-1, "2026-02", "account_days"): 10}  # fmt: skip
    view = watch_sinks.view_of(
        parse("[watch]\nalerts_per_1000 = 2", Path("w")), Tally(months=Counter(months)), spaces, names
    )
    tax = view.seen[names.of("office", "tax")]
    assert view.alpha == 0.002
    assert (tax.alerts, tax.account_days) == (2, 1_000) and tax.upper is not None and 0.007 < tax.upper < 0.0073
    assert (view.seen[""].alerts, view.seen[""].account_days) == (2, 1_060)
    assert not view.names
