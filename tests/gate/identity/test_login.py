"""Logins as machines: each method, who is refused and with which words, and an upstream that lies."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable

import pytest

from language.logins import PASSWORD, SALT, SERVER_KEY, SETTINGS, counted, found
from muniment.errors import InputError
from muniment.gate.identity.login import ClientLogin, LoginRefused, LoginSettings, UpstreamLogin, md5_secret
from muniment.gate.identity.scram import MOST_ITERATIONS, PLUS, ClientKeys, Secret, ServerExchange
from muniment.gate.protocol.backend import Authentication
from muniment.gate.protocol.frontend import Password, SASLInitialResponse
from muniment.gate.session.events import TlsStarted, VerifierFound

TLS = TlsStarted(hashlib.sha256(b"the gate's certificate").digest())
OK = Authentication(Authentication.OK).build()
MD5_SECRET = md5_secret(b"old", "clerk").decode()
PASSWORD_KIND = ord("p")


def login(
    *methods: str, tls: TlsStarted | None = TLS, mapped: tuple[tuple[str, tuple[str, ...]], ...] = ()
) -> ClientLogin:
    """A login under these methods."""
    return ClientLogin(LoginSettings(methods, dict(mapped), SERVER_KEY), tls, counted)


def asked(message: bytes) -> Authentication:
    """The last authentication request of some messages."""
    (length,) = struct.unpack_from(">I", message, 1)
    assert message[:1] == b"R"
    return asked(message[1 + length :]) if len(message) > 1 + length else Authentication.parse(message[5:])


def scram(client: ClientLogin, request: bytes, upstream: UpstreamLogin) -> bytes:
    """Let the gate's own client side answer the gate's server side until it says OK; the last messages."""
    while not client.done:
        answer = upstream.receive(request[5:])
        assert answer is not None
        request = client.receive(answer[0], answer[5:])
    return request


def refusal(step: Callable[[], object]) -> LoginRefused:
    """The refusal that a step ends in."""
    with pytest.raises(LoginRefused) as refused:
        step()
    return refused.value


# --- SCRAM ---


@pytest.mark.parametrize("tls", [TLS, None], ids=["bound", "plain"])
def test_a_scram_login_gives_identity_roles_and_keys(tls: TlsStarted | None) -> None:
    client = ClientLogin(SETTINGS, tls, counted)
    binding = None if tls is None else tls.certificate_hash
    last = scram(client, client.begin("clerk", found()), UpstreamLogin("clerk", PASSWORD, counted, binding))
    assert last.endswith(OK)
    identity = client.identity
    assert identity is not None and identity.keys is not None
    assert (identity.account, identity.roles) == ("clerk", ("clerk", "readers"))
    assert identity.method == ("scram-sha-256-plus" if tls else "scram-sha-256")
    assert identity.client_key == Secret.of_password(PASSWORD, SALT).client_key(PASSWORD)
    assert repr(identity.client_key) not in repr(identity)


@pytest.mark.parametrize("verifier", [found(), found(password=None)], ids=["wrong password", "unknown account"])
def test_unknown_account_and_wrong_password_are_told_the_same(verifier: VerifierFound) -> None:
    client = ClientLogin(SETTINGS, TLS, counted)
    request = client.begin("clerk", verifier)
    assert asked(request).mechanisms == ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")
    upstream = UpstreamLogin("clerk", "guess", counted, TLS.certificate_hash)
    refused = refusal(lambda: scram(client, request, upstream))
    assert (refused.sqlstate, refused.message) == ("28P01", 'password authentication failed for user "clerk"')
    assert refused.reason == "wrong-password" and client.identity is None


def test_a_mock_has_as_many_iterations_as_real_secrets() -> None:
    client = ClientLogin(LoginSettings(server_key=SERVER_KEY, mock_iterations=10_000), None, counted)
    client.begin("nobody", found("nobody", password=None))
    response = SASLInitialResponse("SCRAM-SHA-256", b"n,,n=,r=abc").build()
    assert client.receive(PASSWORD_KIND, response[5:]).endswith(b",i=10000")


def test_nothing_follows_a_refusal() -> None:
    client = ClientLogin(SETTINGS, TLS, counted)
    client.begin("clerk", found())
    refusal(lambda: client.receive(PASSWORD_KIND, b"malformed"))
    assert refusal(lambda: client.receive(PASSWORD_KIND, b"malformed")).sqlstate == "08P01"


@pytest.mark.parametrize(
    "body",
    [b"", b"SCRAM-SHA-256\0", b"SCRAM-SHA-256\0\xff\xff\xff\xff", b"SCRAM-SHA-256\0\0\0\0\x09n,,", b"GSSAPI\0\0\0\0\0"],
)
def test_a_malformed_answer_breaks_the_protocol(body: bytes) -> None:
    client = ClientLogin(SETTINGS, TLS, counted)
    client.begin("clerk", found())
    assert refusal(lambda: client.receive(PASSWORD_KIND, body)).sqlstate == "08P01"


def test_another_message_than_a_password_breaks_the_protocol() -> None:
    client = ClientLogin(SETTINGS, TLS, counted)
    client.begin("clerk", found())
    assert refusal(lambda: client.receive(ord("Q"), b"select 1\0")).sqlstate == "08P01"


def test_a_downgraded_binding_has_its_own_code() -> None:
    client = ClientLogin(SETTINGS, TLS, counted)
    client.begin("clerk", found())
    answer = SASLInitialResponse("SCRAM-SHA-256", b"y,,n=,r=abc").build()
    assert refusal(lambda: client.receive(PASSWORD_KIND, answer[5:])).sqlstate == "28000"


def test_only_bound_logins_where_only_those_are_on() -> None:
    assert asked(login("scram-sha-256-plus").begin("clerk", found())).mechanisms == (PLUS,)
    refused = refusal(lambda: login("scram-sha-256-plus", tls=None).begin("clerk", found()))
    assert (refused.sqlstate, refused.reason) == ("28000", "tls-required")


# --- certificates ---


def test_a_certificate_that_names_the_account_settles_it() -> None:
    client = login("certificate", tls=TlsStarted(b"hash", "clerk"))
    assert client.begin("clerk", found()) == OK
    assert client.identity is not None and client.identity.method == "certificate"
    assert client.identity.keys is None


def test_a_certificate_may_be_mapped_to_accounts() -> None:
    mapped = (("reporting.example", ("clerk", "other")),)
    client = login("certificate", tls=TlsStarted(b"hash", "reporting.example"), mapped=mapped)
    assert client.begin("clerk", found()) == OK


@pytest.mark.parametrize(
    ("subject", "verifier"),
    [("other", found()), ("", found()), ("clerk", found(password=None))],
    ids=["another name", "no certificate", "no such account"],
)
def test_a_certificate_that_does_not_fit_is_refused_or_falls_back(subject: str, verifier: VerifierFound) -> None:
    tls = TlsStarted(b"hash", subject)
    refused = refusal(lambda: login("certificate", tls=tls).begin("clerk", verifier))
    assert (refused.sqlstate, refused.reason) == ("28000", "certificate")
    fallback = login("certificate", "scram-sha-256", tls=tls).begin("clerk", verifier)
    assert asked(fallback).code == Authentication.SASL


# --- passwords ---


@pytest.mark.parametrize("method", ["md5", "cleartext"])
def test_exposed_passwords_are_never_asked_for_without_tls(method: str) -> None:
    assert refusal(lambda: login(method, tls=None).begin("clerk", found())).reason == "tls-required"
    both = login(method, "scram-sha-256", tls=None).begin("clerk", found())
    assert asked(both).code == Authentication.SASL


def test_a_password_in_clear_gives_the_clients_key_too() -> None:
    client = login("cleartext")
    assert asked(client.begin("clerk", found())).code == Authentication.CLEARTEXT
    assert client.receive(PASSWORD_KIND, Password(PASSWORD).build()[5:]) == OK
    assert client.identity is not None
    assert client.identity.client_key == Secret.of_password(PASSWORD, SALT).client_key(PASSWORD)


@pytest.mark.parametrize("verifier", [found(), found(password=None), VerifierFound("clerk", MD5_SECRET, ("clerk",))])
@pytest.mark.parametrize("password", ["guess", "", "x" * 2_000])
def test_a_wrong_password_in_clear_is_refused(verifier: VerifierFound, password: str) -> None:
    client = login("cleartext")
    client.begin("clerk", verifier)
    refused = refusal(lambda: client.receive(PASSWORD_KIND, Password(password).build()[5:]))
    assert refused.sqlstate == "28P01"


def test_a_secret_that_takes_too_long_fits_nobody() -> None:
    client = login("cleartext")
    slow = Secret(MOST_ITERATIONS + 1, SALT, bytes(32), bytes(32)).to_text()
    client.begin("clerk", VerifierFound("clerk", slow, ("clerk",)))
    assert refusal(lambda: client.receive(PASSWORD_KIND, b"x\0")).sqlstate == "28P01"


@pytest.mark.parametrize("methods", [("md5",), ("md5", "scram-sha-256"), ("cleartext",)])
def test_an_old_md5_secret_logs_in_where_that_is_on(methods: tuple[str, ...]) -> None:
    client = login(*methods)
    request = asked(client.begin("clerk", VerifierFound("clerk", MD5_SECRET, ("clerk",))))
    answer = "old"
    if request.code == Authentication.MD5:
        answer = "md5" + hashlib.md5(MD5_SECRET[3:].encode() + request.data, usedforsecurity=False).hexdigest()
    assert client.receive(PASSWORD_KIND, Password(answer).build()[5:]) == OK


def test_md5_without_a_secret_for_it_never_succeeds() -> None:
    client = login("md5")
    request = asked(client.begin("clerk", found()))
    forged = "md5" + hashlib.md5(request.data, usedforsecurity=False).hexdigest()
    assert refusal(lambda: client.receive(PASSWORD_KIND, Password(forged).build()[5:])).sqlstate == "28P01"


def test_settings_that_cannot_work_are_refused() -> None:
    for methods, key in ((("ident",), SERVER_KEY), ((), SERVER_KEY), (("scram-sha-256",), b"short")):
        with pytest.raises(InputError):
            LoginSettings(methods, server_key=key)


# --- upstream ---


def request_of(code: int, data: bytes = b"") -> bytes:
    """The body of an authentication request."""
    return struct.pack(">I", code) + data


def test_a_trusting_upstream_is_taken_at_its_word() -> None:
    upstream = UpstreamLogin("clerk", None, counted, None)
    assert upstream.receive(request_of(Authentication.OK)) is None
    assert upstream.done


def test_upstream_with_keys_checks_the_servers_signature() -> None:
    secret = Secret.of_password(PASSWORD, SALT)
    key = secret.client_key(PASSWORD)
    assert key is not None
    upstream = UpstreamLogin("clerk", ClientKeys(key, secret.server_key), counted, None)
    server = ServerExchange(secret, None, bytes)
    first = upstream.receive(request_of(Authentication.SASL, b"SCRAM-SHA-256\0\0"))
    assert first is not None
    response = SASLInitialResponse.parse(first[5:])
    challenge = server.first(response.mechanism, response.data or b"")
    final = upstream.receive(request_of(Authentication.SASL_CONTINUE, challenge))
    assert final is not None
    assert "without proving" in refusal(lambda: upstream.receive(request_of(Authentication.OK))).message
    upstream.receive(request_of(Authentication.SASL_FINAL, server.final(final[5:])))
    upstream.receive(request_of(Authentication.OK))
    assert upstream.done
    refusal(lambda: upstream.receive(request_of(Authentication.OK)))


@pytest.mark.parametrize(
    ("body", "credential", "binding"),
    [
        (request_of(Authentication.CLEARTEXT), PASSWORD, None),
        (request_of(Authentication.MD5, b"salt"), PASSWORD, None),
        (request_of(Authentication.CLEARTEXT), ClientKeys(b"k", b"k"), b"hash"),
        (request_of(Authentication.SASL, b"SCRAM-SHA-256\0\0"), None, None),
        (request_of(Authentication.SASL, b"OAUTHBEARER\0\0"), PASSWORD, None),
        (request_of(Authentication.SASL_CONTINUE, b"r=a,s=AAAA,i=1"), PASSWORD, None),
        (request_of(Authentication.SASL_FINAL, b"v=AAAA"), PASSWORD, None),
        (request_of(7), PASSWORD, None),
        (b"\0", PASSWORD, None),
    ],
)
def test_requests_that_the_gate_does_not_answer(
    body: bytes, credential: str | ClientKeys | None, binding: bytes | None
) -> None:
    upstream = UpstreamLogin("clerk", credential, counted, binding)
    refused = refusal(lambda: upstream.receive(body))
    assert refused.sqlstate == "57P03" and PASSWORD not in refused.message
    assert not upstream.done


def test_upstream_passwords_over_tls() -> None:
    clear = UpstreamLogin("clerk", "old", counted, b"hash")
    assert clear.receive(request_of(Authentication.CLEARTEXT)) == Password("old").build()
    hashed = UpstreamLogin("clerk", "old", counted, b"hash")
    expected = "md5" + hashlib.md5(MD5_SECRET[3:].encode() + b"salt", usedforsecurity=False).hexdigest()
    assert hashed.receive(request_of(Authentication.MD5, b"salt")) == Password(expected).build()
