"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides, as pure exchanges (RFC 5802, RFC 7677, RFC 5929).

Rules
1. The server's side recovers the client's key from the proof: ClientKey = proof XOR HMAC(StoredKey, AuthMessage). With
   it the gate logs in upstream as the client, against the same stored secret. It is worth as much as the password:
   session memory only, never in a repr, a log or a file.
2. An account without a secret gets a mock one: the same salt each time it asks, the same steps, the same refusal at the
   same place. Nobody learns from an exchange whether an account exists.
3. Downgrade: a client that says "I could bind the channel, but you cannot" (`y`) while binding was offered is refused;
   so is a binding (`p=`) under the mechanism without it, and no binding under the one with it.
4. Secrets are compared in constant time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from muniment.errors import InputError, LimitError
from muniment.gate.identity.saslprep import password_bytes

PLAIN: Final = "SCRAM-SHA-256"
PLUS: Final = "SCRAM-SHA-256-PLUS"
BINDING: Final = "tls-server-end-point"
"""The one channel binding that PostgreSQL speaks: the hash of the server's certificate."""
ITERATIONS: Final = 4_096
"""Of a mock secret: PostgreSQL's default for `scram_iterations`."""
MOST_ITERATIONS: Final = 1_000_000
"""A peer may make us hash no longer than this: some 0.3 s."""
MESSAGE_BYTES: Final = 4_096
"""Bytes of one SCRAM message; honest ones have below 400."""
_NONCE_BYTES = 18
_HASH_BYTES = 32
_SECRET = re.compile(r"SCRAM-SHA-256\$(\d{1,10}):([A-Za-z0-9+/=]{1,1024})\$([A-Za-z0-9+/=]{44}):([A-Za-z0-9+/=]{44})")
_NONCE = re.compile(rb"[\x21-\x2b\x2d-\x7e]{1,1024}")
"""RFC 5802 section 7: printable ASCII without the comma."""
RandomBytes = Callable[[int], bytes]


class ScramError(InputError):
    """A message of the exchange is malformed or breaks a rule of it. Never holds what was sent."""


class ProofError(ScramError):
    """The proof is not that of the password, or there is no such account."""


class BindingError(ScramError):
    """The two sides do not see the same channel: somebody stands between them, or one of them is misled."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A role's stored secret (`pg_authid.rolpassword`). `real` is false for a mock: its exchange always fails."""

    iterations: int
    salt: bytes = field(repr=False)
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)
    real: bool = True

    @classmethod
    def parse(cls, text: str) -> Secret:
        """Read `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`; `InputError` for anything else."""
        match = _SECRET.fullmatch(text)
        if match is None:
            raise InputError("a stored secret is not of the form SCRAM-SHA-256$iterations:salt$stored:server")
        iterations = int(match[1])
        salt, stored, server = (_decoded(part.encode(), "a stored secret") for part in match.groups()[1:])
        if not iterations or len(stored) != _HASH_BYTES or len(server) != _HASH_BYTES:
            raise InputError("a stored secret has no iterations, or keys that are not 32 bytes long")
        return cls(iterations, salt, stored, server)

    @classmethod
    def of_password(cls, password: str | bytes, salt: bytes, iterations: int = ITERATIONS) -> Secret:
        """The secret that PostgreSQL would store for a password."""
        salted = salted_password(password, salt, iterations)
        return cls(iterations, salt, _hash(_hmac(salted, b"Client Key")), _hmac(salted, b"Server Key"))

    @classmethod
    def mock(cls, account: str, server_key: bytes, iterations: int = ITERATIONS) -> Secret:
        """What an account without a secret is answered from; the same for the same account (rule 2).

        `iterations` should be the server's `scram_iterations`: another number than real accounts have tells them apart.
        """
        salt, stored, server = (
            _hmac(server_key, b"muniment mock " + part + b"\0" + account.encode(errors="surrogateescape"))
            for part in (b"salt", b"stored", b"server")
        )
        return cls(iterations, salt[:16], stored, server, real=False)

    @classmethod
    def stored_or_mock(
        cls, text: str | None, account: str, server_key: bytes, iterations: int = ITERATIONS
    ) -> Secret:
        """The stored secret where it is a SCRAM one, else a mock. Both are made and read, to take equally long."""
        mock = cls.mock(account, server_key, iterations)
        mock_text = mock.to_text()
        try:
            found = cls.parse(text or mock_text)
        except InputError:
            return mock
        return found if text else mock

    def to_text(self) -> str:
        """The form that `parse` reads."""
        salt, stored, server = map(_encoded, (self.salt, self.stored_key, self.server_key))
        return f"SCRAM-SHA-256${self.iterations}:{salt}${stored}:{server}"

    def client_key(self, password: str | bytes) -> bytes | None:
        """The client's key where `password` is the right one, else `None`; equally long for a mock."""
        key = _hmac(salted_password(password, self.salt, self.iterations), b"Client Key")
        same = hmac.compare_digest(_hash(key), self.stored_key)
        return key if same and self.real else None


@dataclass(frozen=True, slots=True)
class ClientKeys:
    """What proves a client, and what proves a server to it, instead of a password (rule 1)."""

    client_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


class ServerExchange:
    """The server's side of one exchange: `first`, then `final`. Any error ends it.

    `channel_binding`: hash of the server's certificate where TLS stands, else `None`. `plain`: whether the mechanism
    without binding is offered too.
    """

    def __init__(
        self, secret: Secret, channel_binding: bytes | None, random_bytes: RandomBytes, *, plain: bool = True
    ) -> None:
        self.client_key: bytes | None = None
        """Recovered from the proof; `None` until `final` succeeded."""
        self._secret = secret
        self._binding = channel_binding
        self._plain = plain
        self._server_nonce = _encoded(random_bytes(_NONCE_BYTES)).encode()
        self._header = self._first_bare = self._server_first = self._nonce = b""

    def mechanisms(self) -> tuple[str, ...]:
        """What is offered, the better one first."""
        plus = (PLUS,) if self._binding is not None else ()
        return (*plus, PLAIN) if self._plain else plus

    def first(self, mechanism: str, client_first: bytes) -> bytes:
        """Take the client's first message, give the server's: nonce, salt, iterations.

        Raises `BindingError` for a downgrade (rule 3), `ScramError` for a mechanism not offered or a malformed message.
        """
        if mechanism not in self.mechanisms():
            raise ScramError("the client chose a mechanism that was not offered")
        flag, authorization, bare = _parts(client_first, 2)
        self._check_flag(flag, bound=mechanism == PLUS)
        if authorization:
            raise ScramError("another identity to act as was asked for, which is not supported")
        attributes = bare.split(b",")
        if len(attributes) < 2 or not attributes[0].startswith(b"n="):
            raise ScramError("the client's first message has no user name; expected n=")
        client_nonce = _attribute(attributes[1], b"r")
        if _NONCE.fullmatch(client_nonce) is None:
            raise ScramError("the client's nonce is not printable ASCII")
        self._header = flag + b",,"
        self._first_bare = bare
        self._nonce = client_nonce + self._server_nonce
        salt = _encoded(self._secret.salt).encode()
        self._server_first = b"r=%s,s=%s,i=%d" % (self._nonce, salt, self._secret.iterations)
        return self._server_first

    def final(self, client_final: bytes) -> bytes:
        """Check the client's proof, give the server's signature.

        Raises `ProofError` for a wrong password or a mock secret, `BindingError` where the client saw another
        certificate, `ScramError` for a malformed message.
        """
        if not self._server_first:
            raise ScramError("the client's last message came before its first")
        without_proof, proof_text = _last_attribute(client_final)
        attributes = without_proof.split(b",")
        if len(attributes) < 2:
            raise ScramError("the client's last message has no nonce; expected c=, r= and p=")
        seen = _decoded(_attribute(attributes[0], b"c"), "the channel binding")
        if not hmac.compare_digest(seen, self._header + self._bound_data()):
            raise BindingError("the client's channel binding is not that of this connection")
        if not hmac.compare_digest(_attribute(attributes[1], b"r"), self._nonce):
            raise ScramError("the client's last message has another nonce")
        proof = _decoded(proof_text, "the proof")
        message = b",".join((self._first_bare, self._server_first, without_proof))
        self._server_first = b""  # one proof a challenge
        return self._check_proof(proof, message)

    def _check_flag(self, flag: bytes, *, bound: bool) -> None:
        if bound:
            if flag != b"p=" + BINDING.encode():
                raise BindingError(f"{PLUS} without {BINDING}: the channel would not be bound")
        elif flag == b"y" and self._binding is not None:
            raise BindingError("the client can bind the channel but was told that the server cannot")
        elif flag not in {b"n", b"y"}:
            raise BindingError("channel binding under a mechanism without it")

    def _bound_data(self) -> bytes:
        return (self._binding or b"") if self._header.startswith(b"p=") else b""

    def _check_proof(self, proof: bytes, message: bytes) -> bytes:
        if len(proof) != _HASH_BYTES:
            raise ScramError(f"the proof is {len(proof)} bytes long; expected {_HASH_BYTES}")
        key = _xor(proof, _hmac(self._secret.stored_key, message))
        same = hmac.compare_digest(_hash(key), self._secret.stored_key)
        signature = _hmac(self._secret.server_key, message)
        if not (same and self._secret.real):
            raise ProofError("the proof does not match")
        self.client_key = key
        return b"v=" + _encoded(signature).encode()


class ClientExchange:
    """The client's side of one exchange: `first`, `final`, `check`. Any error ends it.

    `mechanisms`: what the server offers; `credential`: a password, or keys recovered from another exchange; `binding`:
    hash of the server's certificate where TLS stands; `name` stays empty for PostgreSQL, which takes that of the
    startup packet. Raises `ScramError` where no mechanism fits.
    """

    def __init__(
        self,
        mechanisms: Sequence[str],
        credential: str | ClientKeys,
        binding: bytes | None,
        random_bytes: RandomBytes,
        *,
        name: str = "",
    ) -> None:
        bound = binding is not None and PLUS in mechanisms
        if not bound and PLAIN not in mechanisms:
            raise ScramError(f"the server offers no mechanism that fits; expected {PLAIN}, or {PLUS} over TLS")
        self.mechanism = PLUS if bound else PLAIN
        self._credential = credential
        self._binding = (binding or b"") if bound else b""
        self._header = f"p={BINDING},,".encode() if bound else b"y,," if binding is not None else b"n,,"
        self._nonce = _encoded(random_bytes(_NONCE_BYTES)).encode()
        escaped = name.replace("=", "=3D").replace(",", "=2C").encode()
        self._first_bare = b"n=" + escaped + b",r=" + self._nonce
        self._signature = b""

    def first(self) -> bytes:
        """The client's first message."""
        return self._header + self._first_bare

    def final(self, server_first: bytes) -> bytes:
        """Take the server's challenge, give the proof. `ScramError` for a malformed one or a nonce that is not ours."""
        attributes = _checked(server_first).split(b",")
        if len(attributes) < 3:
            raise ScramError("the server's first message has fewer than three parts; expected r=, s= and i=")
        nonce, salt_text, count = (
            _attribute(text, name) for text, name in zip(attributes, (b"r", b"s", b"i"), strict=False)
        )
        if not nonce.startswith(self._nonce) or nonce == self._nonce or _NONCE.fullmatch(nonce) is None:
            raise ScramError("the server's nonce does not carry on the client's")
        if re.fullmatch(rb"[1-9][0-9]{0,9}", count) is None:
            raise ScramError("the server's count of iterations is no number")
        keys = self._keys(_decoded(salt_text, "the salt"), _bounded(int(count)))
        channel = _encoded(self._header + self._binding).encode()
        without_proof = b"c=" + channel + b",r=" + nonce
        message = b",".join((self._first_bare, server_first, without_proof))
        proof = _xor(keys.client_key, _hmac(_hash(keys.client_key), message))
        self._signature = _hmac(keys.server_key, message)
        return without_proof + b",p=" + _encoded(proof).encode()

    def check(self, server_final: bytes) -> None:
        """Check that the server knows the secret too; `ProofError` where it does not, or says that we do not."""
        first = _checked(server_final).split(b",")[0]
        if first.startswith(b"e="):
            raise ProofError("the server refused the proof")
        signature = _decoded(_attribute(first, b"v"), "the server's signature")
        if not self._signature or not hmac.compare_digest(signature, self._signature):
            raise ProofError("the server does not know the secret of this account")

    def _keys(self, salt: bytes, iterations: int) -> ClientKeys:
        if isinstance(self._credential, ClientKeys):
            return self._credential
        salted = salted_password(self._credential, salt, iterations)
        return ClientKeys(_hmac(salted, b"Client Key"), _hmac(salted, b"Server Key"))


def salted_password(password: str | bytes, salt: bytes, iterations: int) -> bytes:
    """RFC 5802's SaltedPassword, 32 bytes; `LimitError` above `MOST_ITERATIONS`."""
    return hashlib.pbkdf2_hmac("sha256", password_bytes(password), salt, _bounded(iterations))


def _bounded(iterations: int) -> int:
    if iterations > MOST_ITERATIONS:
        raise LimitError(f"{iterations:,} iterations of SCRAM; expected at most {MOST_ITERATIONS:,}")
    return iterations


def _checked(message: bytes) -> bytes:
    if len(message) > MESSAGE_BYTES or b"\0" in message:
        raise ScramError(f"a message of SCRAM is longer than {MESSAGE_BYTES:,} bytes or holds a NUL")
    return message


def _parts(message: bytes, commas: int) -> list[bytes]:
    parts = _checked(message).split(b",", commas)
    if len(parts) <= commas:
        raise ScramError("the client's first message has fewer than three parts")
    return parts


def _last_attribute(message: bytes) -> tuple[bytes, bytes]:
    without_proof, found, proof = _checked(message).rpartition(b",p=")
    if not found:
        raise ScramError("the client's last message has no proof; expected p= at its end")
    return without_proof, proof


def _attribute(text: bytes, name: bytes) -> bytes:
    found, _, value = text.partition(b"=")
    if found != name:
        raise ScramError(f"a message of SCRAM lacks {name.decode()}= where it belongs")
    return value


def _decoded(text: bytes, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ScramError(f"{what} is not base64") from error


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(_HASH_BYTES)
