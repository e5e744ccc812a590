"""Logging in: a client to the gate, and the gate to PostgreSQL, as two machines of authentication messages.

Rules
1. What a client is asked for depends on the settings and on the form of the stored secret, never on whether there is
   an account: one that is not known goes through the same SCRAM exchange and ends in the same refusal. (With md5
   switched on, an account whose secret is md5 is told apart, as it is by PostgreSQL.)
2. A password in clear or hashed with md5 is asked for only where it is switched on *and* TLS stands; the gate answers
   upstream with one only over TLS.
3. A client certificate is compared by its common name: it names the account, or is mapped to it.
4. Upstream, an `AuthenticationOk` in the middle of an exchange is refused: who skips the proof of the server is none.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from muniment.errors import InputError, LimitError
from muniment.gate.identity.scram import (
    ITERATIONS,
    BindingError,
    ClientExchange,
    ClientKeys,
    ProofError,
    RandomBytes,
    ScramError,
    Secret,
    ServerExchange,
)
from muniment.gate.protocol import ProtocolError
from muniment.gate.protocol.backend import Authentication
from muniment.gate.protocol.frontend import Password, PasswordMessage, SASLInitialResponse, SASLResponse

METHODS: Final = ("certificate", "scram-sha-256-plus", "scram-sha-256", "md5", "cleartext")
"""What the settings may switch on, the better one first."""
SAFE_METHODS: Final = METHODS[:3]
PASSWORD_BYTES: Final = 1_024
"""Bytes of a password in clear."""
_MD5_SECRET = re.compile(r"md5[0-9a-f]{32}")
_SCRAM_METHODS = frozenset(("scram-sha-256-plus", "scram-sha-256"))
_NEEDS_TLS = frozenset(("certificate", "scram-sha-256-plus", "md5", "cleartext"))


class LoginRefused(InputError):
    """A login ends here. `sqlstate` and message are for the client; `reason` is a fixed word for the log."""

    def __init__(self, sqlstate: str, message: str, reason: str = "login-refused") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.reason = reason


class Channel(Protocol):
    """TLS between client and gate, as `session.events.TlsStarted` tells it."""

    @property
    def certificate_hash(self) -> bytes: ...

    @property
    def subject(self) -> str: ...


class Verifier(Protocol):
    """What PostgreSQL stores about an account, as `session.events.VerifierFound` tells it; no roles: no account."""

    @property
    def secret(self) -> str | None: ...

    @property
    def roles(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """How clients may log in. `methods` of `METHODS`; `certificate_accounts`: common name -> accounts it may take.

    `server_key`: 16 bytes or more of the gate's own, from which mock secrets are made, with as many iterations as
    PostgreSQL's `scram_iterations` says.
    """

    methods: tuple[str, ...] = SAFE_METHODS
    certificate_accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    server_key: bytes = field(default=b"", repr=False)
    mock_iterations: int = ITERATIONS

    def __post_init__(self) -> None:
        if unknown := set(self.methods) - set(METHODS):
            raise InputError(f"no login method is called {min(unknown)!r}; expected {', '.join(METHODS)}")
        if not self.methods:
            raise InputError(f"no login method is switched on; expected at least one of {', '.join(METHODS)}")
        if len(self.server_key) < 16:
            raise InputError(f"the gate's key for mock secrets has {len(self.server_key)} bytes; expected at least 16")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in, and how. `keys` log in upstream in the client's place; `None` where there is no SCRAM secret."""

    account: str
    roles: tuple[str, ...]
    method: str
    keys: ClientKeys | None = field(default=None, repr=False)

    @property
    def client_key(self) -> bytes | None:
        """The key recovered from the client's proof."""
        return None if self.keys is None else self.keys.client_key


class ClientLogin:
    """A client's login: `begin`, then `receive` for every answer until `done`. Raises `LoginRefused`, which ends it.

    `tls`: the channel, `None` without TLS. The bytes returned are whole messages for the client.
    """

    def __init__(self, settings: LoginSettings, tls: Channel | None, random_bytes: RandomBytes) -> None:
        self.identity: Identity | None = None
        """Set once the client is known."""
        self._settings = settings
        self._tls = tls
        self._random_bytes = random_bytes
        self._methods = tuple(m for m in METHODS if m in settings.methods and (tls is not None or m not in _NEEDS_TLS))
        self._account = ""
        self._roles: tuple[str, ...] = ()
        self._secret = Secret.mock("", settings.server_key)
        self._md5_secret = self._salt = b""
        self._scram: ServerExchange | None = None
        self._next: Callable[[bytes], bytes] | None = None

    @property
    def done(self) -> bool:
        """Whether the client is known: `AuthenticationOk` is the last message returned."""
        return self.identity is not None

    def begin(self, account: str, verifier: Verifier) -> bytes:
        """The first request; `AuthenticationOk` at once where a certificate settles it."""
        self._account, self._roles = account, tuple(verifier.roles)
        key, iterations = self._settings.server_key, self._settings.mock_iterations
        self._secret = Secret.stored_or_mock(verifier.secret, account, key, iterations)
        if verifier.secret and _MD5_SECRET.fullmatch(verifier.secret):
            self._md5_secret = verifier.secret.encode()
        if self._certified():
            return self._accept("certificate", None)
        if not _SCRAM_METHODS.isdisjoint(self._methods) and not self._has_md5_method():
            return self._ask_scram()
        if "md5" in self._methods and self._md5_secret:
            return self._ask_md5()
        if "cleartext" in self._methods:
            return self._ask_cleartext()
        return self._cannot_ask()

    def receive(self, kind: int, body: bytes) -> bytes:
        """Take the body of a message of the client's; only password messages ('p') are expected.

        Raises `LoginRefused` with 28P01 (wrong password, no such account), 28000 (channel binding) or 08P01.
        """
        step = self._next
        if kind != PasswordMessage.KIND or step is None:
            raise LoginRefused("08P01", f"expected a password message, came a message of type {kind}", "protocol")
        self._next = None
        try:
            return step(body)
        except (ProofError, LimitError) as error:  # a secret of more iterations than the gate may hash fits nobody
            raise self._wrong() from error
        except BindingError as error:
            raise LoginRefused("28000", error.message, "channel-binding") from error
        except (ScramError, ProtocolError) as error:
            raise LoginRefused("08P01", f"malformed login message: {error.message}", "protocol") from error

    # --- certificate ---

    def _certified(self) -> bool:
        """Rule 3. The account must exist: with a stored credential upstream, nothing else would notice."""
        subject = self._tls.subject if self._tls is not None else ""
        if "certificate" not in self._methods or not subject or self._account not in self._roles:
            return False
        return subject == self._account or self._account in self._settings.certificate_accounts.get(subject, ())

    def _cannot_ask(self) -> bytes:
        if self._tls is None:
            raise LoginRefused("28000", "the gate takes logins of this kind over TLS only", "tls-required")
        if self._methods == ("certificate",):
            message = f'certificate authentication failed for user "{self._account}"'
            raise LoginRefused("28000", message, "certificate")
        return self._ask_scram() if "md5" not in self._methods else self._ask_md5()

    # --- SCRAM ---

    def _has_md5_method(self) -> bool:
        return bool(self._md5_secret) and not {"md5", "cleartext"}.isdisjoint(self._methods)

    def _ask_scram(self) -> bytes:
        binding = self._tls.certificate_hash if self._tls is not None else None
        self._scram = ServerExchange(
            self._secret,
            binding if "scram-sha-256-plus" in self._methods else None,
            self._random_bytes,
            plain="scram-sha-256" in self._methods,
        )
        self._next = self._scram_first
        return Authentication.sasl(self._scram.mechanisms()).build()

    def _scram_first(self, body: bytes) -> bytes:
        assert self._scram is not None
        response = SASLInitialResponse.parse(body)
        if response.data is None:
            raise ScramError("the client's first response is empty")
        answer = self._scram.first(response.mechanism, response.data)
        self._mechanism = response.mechanism
        self._next = self._scram_final
        return Authentication(Authentication.SASL_CONTINUE, answer).build()

    def _scram_final(self, body: bytes) -> bytes:
        assert self._scram is not None
        answer = self._scram.final(body)
        key = self._scram.client_key
        assert key is not None
        return Authentication(Authentication.SASL_FINAL, answer).build() + self._accept(self._mechanism.lower(), key)

    # --- passwords that pass through the gate in clear, or nearly so ---

    def _ask_md5(self) -> bytes:
        self._salt = self._random_bytes(4)
        self._next = self._md5_answer
        return Authentication(Authentication.MD5, self._salt).build()

    def _md5_answer(self, body: bytes) -> bytes:
        expected = b"md5" + _md5(self._md5_secret[3:] + self._salt)
        if not hmac.compare_digest(_password(body), expected) or not self._md5_secret:
            raise self._wrong()
        return self._accept("md5", None)

    def _ask_cleartext(self) -> bytes:
        self._next = self._cleartext_answer
        return Authentication(Authentication.CLEARTEXT).build()

    def _cleartext_answer(self, body: bytes) -> bytes:
        password = _password(body)
        key = self._secret.client_key(password)
        if self._md5_secret and hmac.compare_digest(md5_secret(password, self._account), self._md5_secret):
            return self._accept("cleartext", None)
        if key is None or not password:
            raise self._wrong()
        return self._accept("cleartext", key)

    # --- ends ---

    def _accept(self, method: str, client_key: bytes | None) -> bytes:
        keys = None if client_key is None else ClientKeys(client_key, self._secret.server_key)
        self.identity = Identity(self._account, self._roles, method, keys)
        return Authentication(Authentication.OK).build()

    def _wrong(self) -> LoginRefused:
        return LoginRefused("28P01", f'password authentication failed for user "{self._account}"', "wrong-password")


class UpstreamLogin:
    """The gate's login to PostgreSQL: `receive` for the body of each authentication message until `done`.

    `credential`: keys recovered from the client, or a configured password; `None` answers no request at all.
    `binding`: hash of PostgreSQL's certificate where TLS stands, else `None`.
    """

    def __init__(
        self, account: str, credential: str | ClientKeys | None, random_bytes: RandomBytes, binding: bytes | None
    ) -> None:
        self.done = False
        self._account = account
        self._credential = credential
        self._random_bytes = random_bytes
        self._binding = binding
        self._scram: ClientExchange | None = None
        self._proven = True
        """False while an exchange is under way (rule 4)."""

    def receive(self, body: bytes) -> bytes | None:
        """Take the body of an authentication message ('R'); the bytes are the answer, `None` where there is none.

        Raises `LoginRefused` with 57P03: the fault lies between gate and PostgreSQL, never with the client.
        """
        steps: Mapping[int, Callable[[Authentication], bytes | None]] = {
            Authentication.OK: self._ok,
            Authentication.CLEARTEXT: self._cleartext,
            Authentication.MD5: self._md5,
            Authentication.SASL: self._offered,
            Authentication.SASL_CONTINUE: self._challenged,
            Authentication.SASL_FINAL: self._signed,
        }
        try:
            request = Authentication.parse(body)
            step = steps.get(request.code)
            if step is None or self.done:
                raise _upstream_fault(f"an authentication request that the gate does not answer (code {request.code})")
            return step(request)
        except (ScramError, LimitError, ProtocolError) as error:
            raise _upstream_fault(error.message) from error

    def _ok(self, _: Authentication) -> None:
        if not self._proven:
            raise _upstream_fault("it accepted the login without proving itself")
        self.done = True

    def _cleartext(self, _: Authentication) -> bytes:
        return Password(self._exposed("in clear")).build()

    def _md5(self, request: Authentication) -> bytes:
        secret = md5_secret(self._exposed("hashed with md5").encode(), self._account)
        return Password("md5" + _md5(secret[3:] + request.data).decode()).build()

    def _exposed(self, how: str) -> str:
        if self._binding is None:
            raise _upstream_fault(f"it asks for a password {how}, without TLS")
        if not isinstance(self._credential, str):
            raise _upstream_fault(f"it asks for a password {how}, and the gate has none")
        return self._credential

    def _offered(self, request: Authentication) -> bytes:
        if self._credential is None:
            raise _upstream_fault("it asks for a password, and the gate has none")
        if self._scram is not None:
            raise _upstream_fault("it began the login twice")
        self._scram = ClientExchange(request.mechanisms, self._credential, self._binding, self._random_bytes)
        self._proven = False
        return SASLInitialResponse(self._scram.mechanism, self._scram.first()).build()

    def _challenged(self, request: Authentication) -> bytes:
        if self._scram is None:
            raise _upstream_fault("a challenge came before the exchange began")
        return SASLResponse(self._scram.final(request.data)).build()

    def _signed(self, request: Authentication) -> None:
        if self._scram is None:
            raise _upstream_fault("a signature came before the exchange began")
        self._scram.check(request.data)
        self._proven = True


def md5_secret(password: bytes, account: str) -> bytes:
    """PostgreSQL's md5 secret of a password: `md5` and the hash of password and account."""
    return b"md5" + _md5(password + account.encode(errors="surrogateescape"))


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()


def _password(body: bytes) -> bytes:
    """The text of a PasswordMessage; empty for one that is too long, which no secret fits."""
    text = Password.parse(body).text.encode(errors="surrogateescape")
    return text if len(text) <= PASSWORD_BYTES else b""


def _upstream_fault(reason: str) -> LoginRefused:
    return LoginRefused("57P03", f"the gate could not log in to PostgreSQL: {reason}", "upstream-login")
