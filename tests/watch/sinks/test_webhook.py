"""Webhooks: CloudEvents, signatures that a receiver can check, and servers that refuse, redirect or lie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from language.alerting import ACCOUNT, Taken, message, stream_syslog, webhook
from muniment.errors import InputError, UnreachableError
from muniment.watch.sinks import WebhookSink, trial_message
from muniment.watch.sinks.webhook import parse_secret, signature

SECRET = b"correct horse battery staple"


def sink(taken: Taken, path: str = "/hook?x=1", **values: object) -> WebhookSink:
    scheme = "https" if taken.certificate else "http"
    authority = taken.certificate.path if taken.certificate else None
    given = {"authority": authority, "clock": lambda: 1_760_000_777.9} | values
    return WebhookSink(f"{scheme}://localhost:{taken.port}{path}", SECRET, **given)  # type: ignore[arg-type]


def test_an_alert_as_a_cloud_event() -> None:
    with webhook() as taken:
        sink(taken).send(message())
        event, heads = json.loads(taken.wait()[0]), taken.heads[0]
    assert heads["content-type"] == "application/cloudevents+json; charset=utf-8" and heads[":path"] == "/hook?x=1"
    assert {key: event[key] for key in ("specversion", "id", "type", "time", "datacontenttype")} == {
        "specversion": "1.0", "id": message().id, "type": "org.muniment.watch.alert",
        "time": "2025-10-09T08:53:20Z", "datacontenttype": "application/json",
    }  # fmt: skip
    assert event["source"] == "urn:muniment:watch" and event["subject"] == message().fields["alert"]
    assert event["data"]["ocsf"]["class_uid"] == 2004 and event["data"]["lines"] == list(message().lines)
    assert ACCOUNT not in json.dumps(event)


def test_the_receiver_can_check_the_signature() -> None:
    with webhook() as taken:
        sink(taken).send(message())
        body, heads = taken.wait()[0], taken.heads[0]
    signed = f"{heads['webhook-id']}.{heads['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert heads["webhook-signature"] == f"v1,{expected}" and heads["webhook-timestamp"] == "1760000777"
    assert signature(b"x" * 24, "a", 1, body) != signature(SECRET, "a", 1, body)


def test_the_published_example_of_standard_webhooks() -> None:
    # The example of the specification's libraries: secret, id, time and body as they print them.
    secret = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    heads = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert heads["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_over_tls(tmp_path: Path) -> None:
    with webhook(tmp_path) as taken:
        sink(taken).send(trial_message("zh-TW", 0))
        assert json.loads(taken.wait()[0])["type"] == "org.muniment.watch.test"
        with pytest.raises(UnreachableError, match="webhook at localhost: the certificate is not accepted"):
            sink(taken, authority=None).send(message())
        assert len(taken.bodies) == 1


@pytest.mark.parametrize("answer", [302, 307, 400, 404, 410, 500, 503])
def test_everything_else_than_a_receipt_is_a_fault(answer: int) -> None:
    with webhook(answers=(answer, 200)) as taken:
        with pytest.raises(UnreachableError, match=f"webhook at localhost: answered {answer}"):
            sink(taken, "/SECRETPATH").send(message())
        sink(taken).send(message())
        assert len(taken.wait(2)) == 2


def test_a_server_that_speaks_no_http() -> None:
    with stream_syslog() as taken, pytest.raises(UnreachableError, match="webhook at localhost"):
        sink(taken).send(message())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.org/x", "expected https"),
        ("http://localhost.example.org/x", "expected https"),
        ("https://me:pw@example.org/", "holds a password"),
        ("https://example.org/a b", "expected https://HOST/PATH"),
        ("https://example.org/\r\nX: y", "expected https://HOST/PATH"),
        ("https://example.org:99999/", "expected https://HOST/PATH"),
        ("https://[::1/", "expected https://HOST/PATH"),
        ("file:///etc/passwd", "expected https://HOST/PATH"),
        ("", "expected https://HOST/PATH"),
    ],
)
def test_addresses_that_are_refused(url: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        WebhookSink(url, SECRET)
    assert "pw" not in caught.value.message and "SECRET" not in caught.value.message


def test_secrets_and_paths_show_nowhere() -> None:
    one = WebhookSink("https://hooks.example.org/T0KEN", SECRET)
    assert "T0KEN" not in repr(one) and "horse" not in repr(one)
    with webhook(answers=(500,)) as taken, pytest.raises(UnreachableError) as caught:
        sink(taken, "/T0KEN").send(message())
    assert "T0KEN" not in caught.value.message


def test_secrets_in_a_file() -> None:
    assert parse_secret(" correct horse battery staple\n") == SECRET
    assert parse_secret("whsec_" + base64.b64encode(SECRET).decode()) == SECRET
    for text, said in (("short", "at least 24"), ("whsec_!", "not base64"), ("whsec_c2hvcnQ=", "at least 24")):
        with pytest.raises(InputError, match=said) as caught:
            parse_secret(text)
        assert "short" not in caught.value.message
    with pytest.raises(InputError, match="at least 24"):
        WebhookSink("https://example.org/", b"short")
