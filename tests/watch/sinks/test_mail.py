"""E-mail through a real server: in TLS, for every recipient or for none, and nothing secret in a fault."""

from __future__ import annotations

import base64
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from language.alerting import Taken, message, smtp
from muniment.errors import InputError, UnreachableError
from muniment.watch.sinks import MailSink, PartlyTakenError, trial_message

TO = ("dpo@example.org", "night@example.org")
LOGIN = base64.b64encode(b"\0keeper\0s3cret-pass").decode()


def sink(taken: Taken, security: str = "starttls", **values: object) -> MailSink:
    given = {"authority": taken.certificate.path if taken.certificate else None} | values
    return MailSink("localhost", "watch@example.org", TO, taken.port, security, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_in_tls(tmp_path: Path, at_once: bool, lang: str) -> None:
    with smtp(tmp_path, at_once=at_once) as taken:
        sink(taken, "tls" if at_once else "starttls").send(message(lang=lang))
        body = taken.wait()[0]
    assert taken.heads[0]["tls"] == "True"
    mail = message_from_bytes(body, policy=policy.default)
    assert mail["Subject"] == message(lang=lang).subject and mail["To"] == ", ".join(TO)
    assert mail["Message-ID"] == f"<{message().id}@example.org>" and mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n").strip().split("\n\n") == list(message(lang=lang).lines)


def test_without_tls_on_this_machine_alone() -> None:
    with smtp() as taken:
        sink(taken, "none").send(trial_message("en", 0))
        assert b"Subject: muniment watch: test alert" in taken.wait()[0]
        with pytest.raises(UnreachableError, match="does not offer what is needed"):
            sink(taken).send(message())
        assert len(taken.bodies) == 1


def test_another_certificate(tmp_path: Path) -> None:
    for at_once, security in ((False, "starttls"), (True, "tls")):
        with smtp(tmp_path, at_once=at_once) as taken:
            with pytest.raises(UnreachableError, match="certificate is not accepted"):
                sink(taken, security, authority=None).send(message())
            assert not taken.bodies


def test_account_and_password(tmp_path: Path) -> None:
    with smtp(tmp_path, login=LOGIN) as taken:
        sink(taken, account="keeper", password="s3cret-pass").send(message())
        assert len(taken.wait()) == 1
        with pytest.raises(UnreachableError, match="does not accept account and password") as caught:
            sink(taken, account="keeper", password="wr0ng-pass").send(message())
    assert "wr0ng" not in repr(caught.value) and caught.value.__cause__ is None
    assert "s3cret" not in repr(sink(taken, account="keeper", password="s3cret-pass"))


def test_recipients_that_are_refused() -> None:
    with smtp(refuses="night@") as taken:
        with pytest.raises(PartlyTakenError, match="1 of 2 recipients were refused") as caught:
            sink(taken, "none").send(message())
        assert len(taken.wait()) == 1 and "night@" not in caught.value.message
    with smtp(refuses="@example.org") as taken:
        with pytest.raises(UnreachableError, match="refused every recipient") as nobody:
            sink(taken, "none").send(message())
        assert not taken.bodies and not isinstance(nobody.value, PartlyTakenError)


def test_a_server_that_hangs_up_or_is_not_there() -> None:
    with smtp(drops=True) as taken, pytest.raises(UnreachableError, match="mail through localhost port"):
        sink(taken, "none").send(message())
    with pytest.raises(UnreachableError, match=r"could not be reached|broke off"):
        sink(taken, "none").send(message())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"host": "mx.example.org", "security": "none"}, "expected TLS"),
        ({"security": "none", "account": "a", "password": "b"}, "a password needs TLS"),
        ({"security": "hope"}, "expected one of starttls, tls, none"),
        ({"sender": "watch"}, "expected NAME@HOST"),
        ({"recipients": ("a@b\r\nBcc: x@y",)}, "expected NAME@HOST"),
        ({"recipients": ("王@example.org",)}, "expected NAME@HOST"),
        ({"recipients": ()}, "no recipient"),
    ],
)
def test_settings_that_are_refused(values: dict[str, object], said: str) -> None:
    given = {"host": "localhost", "sender": "a@b.org", "recipients": TO} | values
    with pytest.raises(InputError, match=said):
        MailSink(**given)  # type: ignore[arg-type]
