"""SCRAM: the example of RFC 7677, both sides against each other, downgrades, and what a stranger may learn."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language.logins import PASSWORD, SALT, SERVER_KEY, counted
from muniment.errors import InputError, LimitError
from muniment.gate.identity.scram import (
    MESSAGE_BYTES,
    MOST_ITERATIONS,
    PLAIN,
    PLUS,
    BindingError,
    ClientExchange,
    ClientKeys,
    ProofError,
    ScramError,
    Secret,
    ServerExchange,
)

SECRET = Secret.of_password(PASSWORD, SALT)
HASH = hashlib.sha256(b"a certificate").digest()
VECTOR_SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
VECTOR_CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
VECTOR_SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def exchanged(
    credential: str | ClientKeys, secret: Secret = SECRET, client: bytes | None = None, server: bytes | None = None
) -> tuple[ServerExchange, str]:
    """A whole exchange; the server's side and the mechanism that was used."""
    serving = ServerExchange(secret, server, counted)
    asking = ClientExchange(serving.mechanisms(), credential, client, bytes)
    challenge = serving.first(asking.mechanism, asking.first())
    asking.check(serving.final(asking.final(challenge)))
    return serving, asking.mechanism


# --- RFC 7677, section 3 ---


def test_the_example_of_rfc_7677_comes_out_to_the_byte() -> None:
    nonce = base64.b64decode("rOprNGfwEbeRWgbNEkqO")
    client = ClientExchange((PLAIN,), "pencil", None, lambda _: nonce, name="user")
    assert client.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert client.final(VECTOR_SERVER_FIRST) == VECTOR_CLIENT_FINAL
    client.check(VECTOR_SERVER_FINAL)


def test_a_name_with_comma_and_equals_sign_is_escaped() -> None:
    client = ClientExchange((PLAIN,), "pencil", None, counted, name="a=b,c")
    assert client.first().startswith(b"n,,n=a=3Db=2Cc,r=")


# --- the exchange ---


@pytest.mark.parametrize(
    ("client", "server", "mechanism"),
    [(None, None, PLAIN), (HASH, HASH, PLUS), (None, HASH, PLAIN), (HASH, None, PLAIN)],
    ids=["no TLS", "bound", "client cannot bind", "server does not offer it"],
)
def test_the_right_password_gives_the_clients_key(client: bytes | None, server: bytes | None, mechanism: str) -> None:
    serving, used = exchanged(PASSWORD, client=client, server=server)
    assert used == mechanism
    assert serving.client_key is not None
    assert hashlib.sha256(serving.client_key).digest() == SECRET.stored_key


def test_the_recovered_key_logs_in_where_the_same_secret_is_stored() -> None:
    serving, _ = exchanged(PASSWORD, server=HASH, client=HASH)
    assert serving.client_key is not None
    again, _ = exchanged(ClientKeys(serving.client_key, SECRET.server_key))
    assert again.client_key == serving.client_key


def test_a_wrong_password_and_an_unknown_account_end_at_the_same_place() -> None:
    mock = Secret.stored_or_mock(None, "nobody", SERVER_KEY)
    for secret in (SECRET, mock):
        with pytest.raises(ProofError, match=r"^the proof does not match$"):
            exchanged("guess", secret)


def test_a_mock_secret_fails_even_for_who_knows_its_key() -> None:
    mock = Secret.of_password(PASSWORD, SALT)
    doomed = Secret(mock.iterations, mock.salt, mock.stored_key, mock.server_key, real=False)
    with pytest.raises(ProofError):
        exchanged(PASSWORD, doomed)
    assert doomed.client_key(PASSWORD) is None
    assert mock.client_key(PASSWORD) is not None


def test_a_mock_is_the_same_for_an_account_and_another_for_another() -> None:
    one, same, other = (Secret.mock(name, SERVER_KEY) for name in ("a", "a", "b"))
    assert one == same
    assert one.salt != other.salt and one.stored_key != other.stored_key
    assert Secret.mock("a", bytes(32)).salt != one.salt


def test_a_server_that_does_not_know_the_secret_is_found_out() -> None:
    client = ClientExchange((PLAIN,), PASSWORD, None, counted)
    serving = ServerExchange(SECRET, None, counted)
    client.final(serving.first(PLAIN, client.first()))
    for lie in (b"v=" + base64.b64encode(bytes(32)), b"e=other-error"):
        with pytest.raises(ProofError):
            client.check(lie)


def test_a_signature_before_the_proof_is_refused() -> None:
    with pytest.raises(ProofError):
        ClientExchange((PLAIN,), PASSWORD, None, counted).check(b"v=")


def test_one_proof_a_challenge() -> None:
    serving = ServerExchange(SECRET, None, counted)
    client = ClientExchange((PLAIN,), PASSWORD, None, counted)
    proof = client.final(serving.first(PLAIN, client.first()))
    serving.final(proof)
    with pytest.raises(ScramError):
        serving.final(proof)


# --- downgrades and bindings ---


@pytest.mark.parametrize(
    ("binding", "mechanism", "header"),
    [
        (HASH, PLAIN, b"y,,"),
        (HASH, PLUS, b"n,,"),
        (HASH, PLUS, b"y,,"),
        (HASH, PLUS, b"p=tls-unique,,"),
        (HASH, PLAIN, b"p=tls-server-end-point,,"),
        (None, PLAIN, b"p=tls-server-end-point,,"),
    ],
)
def test_downgrades_and_false_bindings_are_refused(binding: bytes | None, mechanism: str, header: bytes) -> None:
    with pytest.raises(BindingError):
        ServerExchange(SECRET, binding, counted).first(mechanism, header + b"n=,r=abc")


def test_a_client_that_sees_another_certificate_is_refused() -> None:
    with pytest.raises(BindingError, match="not that of this connection"):
        exchanged(PASSWORD, client=hashlib.sha256(b"another").digest(), server=HASH)


def test_a_header_that_changes_on_the_way_is_refused() -> None:
    serving = ServerExchange(SECRET, HASH, counted)
    client = ClientExchange((PLAIN,), PASSWORD, None, counted)
    proof = client.final(serving.first(PLAIN, client.first()))
    with pytest.raises(BindingError):
        serving.final(proof.replace(b"c=biws", b"c=eSws"))


def test_the_plain_mechanism_can_be_left_out() -> None:
    only_plus = ServerExchange(SECRET, HASH, counted, plain=False)
    assert only_plus.mechanisms() == (PLUS,)
    with pytest.raises(ScramError, match="not offered"):
        only_plus.first(PLAIN, b"n,,n=,r=abc")


def test_a_client_takes_no_mechanism_that_does_not_fit() -> None:
    for offered in ((), (PLUS,), ("SCRAM-SHA-1",)):
        with pytest.raises(ScramError, match="no mechanism"):
            ClientExchange(offered, PASSWORD, None, counted)


# --- hostile messages ---


@pytest.mark.parametrize(
    "message",
    [
        b"", b"n", b"n,,", b"n,,n=", b"n,,n=,", b"n,,r=abc,n=", b"n,,m=x,n=,r=abc", b"n,a=boss,n=,r=abc",
        b"n,,n=,r=", b"n,,n=,r=a\x7fb", b"n,,n=,r=\xff", b"n,,n=,s=abc", b"x,,n=,r=abc", b"n,,n=\0,r=abc",
        b"n,,n=,r=" + b"a" * MESSAGE_BYTES,
    ],
)  # fmt: skip
def test_a_malformed_first_message_is_refused(message: bytes) -> None:
    with pytest.raises(ScramError):
        ServerExchange(SECRET, None, counted).first(PLAIN, message)


@pytest.mark.parametrize(
    "message",
    [
        b"", b"p=", b"c=biws,p=AAAA", b"c=biws,r=other,p=" + base64.b64encode(bytes(32)), b"c=biws,r=NONCE",
        b"r=NONCE,c=biws,p=AAAA", b"c=biws,r=NONCE,p=AAAA", b"c=biws,r=NONCE,p=!!!!", b"c=!,r=NONCE,p=AAAA",
    ],
)  # fmt: skip
def test_a_malformed_last_message_is_refused(message: bytes) -> None:
    serving = ServerExchange(SECRET, None, counted)
    nonce = serving.first(PLAIN, b"n,,n=,r=abc").split(b",")[0].removeprefix(b"r=")
    with pytest.raises(ScramError):
        serving.final(message.replace(b"NONCE", nonce))


@pytest.mark.parametrize(
    "challenge",
    [
        b"", b"r=abc", b"r=NONCE,s=AAAA,i=4096", b"r=other,s=AAAA,i=4096", b"r=NONCEx,s=!,i=4096",
        b"r=NONCEx,s=AAAA,i=0", b"r=NONCEx,s=AAAA,i=-1", b"r=NONCEx,s=AAAA,i=99999999999", b"r=NONCEx,i=1,s=AAAA",
    ],
)  # fmt: skip
def test_a_malformed_challenge_is_refused(challenge: bytes) -> None:
    client = ClientExchange((PLAIN,), PASSWORD, None, counted)
    nonce = client.first().rpartition(b"r=")[2]
    with pytest.raises(ScramError):
        client.final(challenge.replace(b"NONCE", nonce))


def test_a_server_cannot_make_the_gate_hash_for_minutes() -> None:
    client = ClientExchange((PLAIN,), PASSWORD, None, counted)
    nonce = client.first().rpartition(b"r=")[2]
    with pytest.raises(LimitError):
        client.final(b"r=%sx,s=AAAA,i=%d" % (nonce, MOST_ITERATIONS + 1))


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_end_in_a_refusal(first: bytes, last: bytes) -> None:
    serving = ServerExchange(SECRET, HASH, counted)
    for step in (lambda: serving.first(PLAIN, first), lambda: serving.final(last)):
        with pytest.raises(ScramError):
            step()
    assert serving.client_key is None


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_flipped_byte_of_a_proof_is_let_through(place: int, flip: int) -> None:
    serving = ServerExchange(SECRET, None, counted)
    client = ClientExchange((PLAIN,), PASSWORD, None, counted)
    proof = bytearray(client.final(serving.first(PLAIN, client.first())))
    proof[place % (len(proof) - 2)] ^= flip  # the last letter of base64 carries two bits that mean nothing
    with pytest.raises(ScramError):
        serving.final(bytes(proof))
    assert serving.client_key is None


# --- stored secrets ---


def test_a_stored_secret_survives_the_round() -> None:
    assert Secret.parse(SECRET.to_text()) == SECRET


@pytest.mark.parametrize(
    "text",
    [
        "", "md5" + "0" * 32, "plain", "SCRAM-SHA-256$0:AAAA$" + "A" * 43 + "=:" + "A" * 43 + "=",
        "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA", SECRET.to_text() + "x", SECRET.to_text().replace("256$4096", "1$4096"),
    ],
)  # fmt: skip
def test_another_form_is_no_secret_and_is_not_repeated(text: str) -> None:
    with pytest.raises(InputError) as refused:
        Secret.parse(text)
    assert not text or text not in refused.value.message
    assert not Secret.stored_or_mock(text, "a", SERVER_KEY).real


def test_no_repr_shows_a_key() -> None:
    keys = ClientKeys(b"client secret", b"server secret")
    assert "secret" not in repr(keys).removeprefix("ClientKeys")
    assert repr(SECRET.stored_key) not in repr(SECRET) and repr(SALT) not in repr(SECRET)
