"""What sinks share: faults of the network in our words, certificates that are verified, names of this machine."""

from __future__ import annotations

import errno
import ssl
from pathlib import Path

import pytest

from language.servers import make_certificate
from muniment.errors import InputError, UnreachableError
from muniment.watch.sinks.sink import PartlyTakenError, is_loopback, network_faults, tls_context


def refused(reason: str) -> ssl.SSLCertVerificationError:
    """As OpenSSL's handshake makes it."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = reason
    return error


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (TimeoutError(), "no answer within 10 s"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "could not be reached: connection refused"),
        (BrokenPipeError(), "could not be reached: brokenpipeerror"),
        (refused(""), "the certificate is not accepted: it does not verify"),
        (refused("Hostname mismatch"), "the certificate is not accepted: hostname mismatch"),
        (UnicodeError("label too long"), "there can be no host of this name"),
    ],
)
def test_a_fault_of_the_network_says_what_and_why(fault: Exception, said: str) -> None:
    with pytest.raises(UnreachableError) as caught, network_faults("syslog here:6514"):
        raise fault
    assert str(caught.value) == f"syslog here:6514: {said}"
    assert caught.value.__cause__ is fault


@pytest.mark.parametrize("fault", [KeyError("x"), PartlyTakenError("some have it"), InputError("no")])
def test_any_other_fault_stays_what_it_is(fault: Exception) -> None:
    with pytest.raises(type(fault)) as caught, network_faults("mail"):
        raise fault
    assert caught.value is fault


def test_an_authority_of_ones_own_is_the_only_one(tmp_path: Path) -> None:
    own = tls_context(make_certificate(tmp_path).path)
    assert own.verify_mode is ssl.CERT_REQUIRED and own.check_hostname
    assert own.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert len(own.get_ca_certs()) <= 1
    assert tls_context(None).verify_mode is ssl.CERT_REQUIRED


def test_what_holds_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("no certificate\n", encoding="utf-8")
    for path in (tmp_path / "text.pem", tmp_path / "none.pem"):
        with pytest.raises(InputError, match=r"\.pem: expected certificates"):
            tls_context(path)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True), ("LocalHost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True),
        ("localhost.example.org", False), ("127.0.0.1.example.org", False), ("10.0.0.1", False), ("::", False),
        ("0.0.0.0", False), ("", False),
    ],
)  # fmt: skip
def test_only_this_machine_by_its_very_name_is_here(host: str, here: bool) -> None:
    assert is_loopback(host) is here
