"""Syslog: the format of RFC 5424, and real receivers over UDP, TCP and TLS."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.alerting import WHO, message, stream_syslog, udp_syslog
from muniment.errors import InputError, UnreachableError
from muniment.watch.sinks import Message, SyslogSink, trial_message
from muniment.watch.sinks.syslog import encoded

GRAMMAR = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<host>[!-~]{1,255}) muniment - "
    rb"(?P<kind>[!-~]{1,32}) \[muniment@32473(?P<data>(?: [!-<>-\\^-~]{1,32}=\"(?:[^\"\\\]]|\\[\"\\\]])*\")*)\] "
    rb"\xef\xbb\xbf(?P<text>[^\n\r]*)",
    re.DOTALL,
)


def test_a_message_as_rfc_5424_has_it() -> None:
    found = GRAMMAR.fullmatch(encoded(message(), "keeper"))
    assert found is not None
    assert (found["pri"], found["time"], found["host"]) == (b"108", b"2025-10-09T08:53:20Z", b"keeper")
    assert f' pseudonym="{WHO}"'.encode() in found["data"] and b' pattern="budget"' in found["data"]
    assert found["text"].decode().count(" | ") == 8
    assert encoded(message("burst"), "keeper").startswith(b"<109>1 ")


@settings(max_examples=100)
@given(st.dictionaries(st.text(max_size=40), st.text(max_size=20), max_size=3), st.text(max_size=30), st.text())
def test_nothing_breaks_out_of_the_format(fields: dict[str, str], host: str, line: str) -> None:
    made = Message("x-1", "alert", 0, 5, "subject", (line,), fields)
    try:
        data = encoded(made, host)
    except UnicodeEncodeError:
        pytest.fail("a text that is no UTF-8 must not stop an alert")
    assert GRAMMAR.fullmatch(data)


def test_udp() -> None:
    with udp_syslog() as taken:
        SyslogSink("127.0.0.1", taken.port).send(message())
        assert GRAMMAR.fullmatch(taken.wait()[0])


def test_a_long_datagram_is_cut_between_characters() -> None:
    with udp_syslog() as taken:
        long = replace(message(), lines=("臺" * 3_000,))
        SyslogSink("127.0.0.1", taken.port).send(long)
        data = taken.wait()[0]
        assert 2_040 <= len(data) <= 2_048 and data.decode().endswith("臺")


@pytest.mark.parametrize("stays_open", [False, True])
def test_tcp_counts_octets(stays_open: bool) -> None:
    with stream_syslog(stays_open=stays_open) as taken:
        for lang in ("en", "zh-TW"):
            SyslogSink("127.0.0.1", taken.port, "tcp").send(message(lang=lang))
        assert all(GRAMMAR.fullmatch(one) for one in taken.wait(2))


def test_tls_with_the_authority_of_the_receiver(tmp_path: Path) -> None:
    with stream_syslog(tmp_path) as taken:
        assert taken.certificate is not None
        SyslogSink("localhost", taken.port, "tls", taken.certificate.path).send(message())
        assert GRAMMAR.fullmatch(taken.wait()[0])


def test_tls_with_another_certificate_sends_nothing(tmp_path: Path) -> None:
    with stream_syslog(tmp_path) as taken:
        with pytest.raises(UnreachableError, match="certificate is not accepted"):
            SyslogSink("localhost", taken.port, "tls").send(message())
        assert taken.certificate is not None
        with pytest.raises(UnreachableError, match="certificate is not accepted"):
            SyslogSink("127.0.0.1", taken.port, "tls", taken.certificate.path).send(message())
        assert taken.bodies == []


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(UnreachableError, match=f"port {port}: could not be reached: connection refused"):
            SyslogSink("127.0.0.1", port, "tcp").send(trial_message("en", 0))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 70 + ".example", "a..b"])
def test_no_host_of_this_name(host: str) -> None:
    with pytest.raises(UnreachableError):
        SyslogSink(host, 1, "tcp").send(trial_message("en", 0))


def test_settings_that_cannot_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected one of udp, tcp, tls"):
        SyslogSink("h", transport="pigeon")  # type: ignore[arg-type]
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(InputError, match="expected certificates"):
        SyslogSink("127.0.0.1", 1, "tls", tmp_path / "ca.pem").send(trial_message("en", 0))
