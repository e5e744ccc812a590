"""The opening of a session: from a client's first byte to the first ReadyForQuery that is handed to it.

    packets -> verifier -> login -> account -> upstream connection -> upstream login -> done

Rules
1. Nothing that came before encryption counts after it: bytes stuffed behind SSLRequest or GSSENCRequest close the
   connection, whatever the answer would have been (CVE-2021-23222).
2. Everybody who claims an account takes the same steps up to the refusal: its secret is looked up, one exchange runs.
   Unknown account and wrong password end in the same message.
3. The client's version and PostgreSQL's are independent. The client is negotiated down to 3.2, and told which protocol
   options (`_pq_.`) are not known; none of them goes upstream.
4. PostgreSQL's texts about the gate's own login are not for the client: it is told that the session cannot begin.
5. While nothing is asked of the client its bytes wait, at most `WAITING_BYTES` of them; see `hold`.
6. After `CloseUpstream` nothing more of that connection is told: the next `UpstreamClosed` is about the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, TypeAlias

from muniment.gate.identity.login import ClientLogin, Identity, LoginRefused, LoginSettings, UpstreamLogin
from muniment.gate.identity.scram import RandomBytes
from muniment.gate.protocol import ProtocolError, startup
from muniment.gate.protocol.backend import BackendKeyData, ErrorResponse
from muniment.gate.protocol.frontend import Terminate
from muniment.gate.protocol.startup import (
    VERSION_3_0,
    VERSION_3_2,
    CancelRequest,
    GSSENCRequest,
    NegotiateProtocolVersion,
    SSLRequest,
    StartupMessage,
)
from muniment.gate.session import events
from muniment.gate.session.commands import (
    CancelSession,
    CloseClient,
    CloseUpstream,
    Command,
    FindVerifier,
    OpenUpstream,
    PrepareAccount,
    Report,
    StartTls,
    ToClient,
    ToUpstream,
)
from muniment.gate.session.entering import Entering, OlderWanted, UpstreamRefused
from muniment.gate.session.incoming import Incoming

LOGIN_BYTES: Final = 65_535
"""Bytes of one message of a login, as PostgreSQL allows them."""
WAITING_BYTES: Final = 1024**2
"""Bytes of a client that may wait for the session to begin; one chunk more closes the connection."""
SECRET_BYTES: Final = (4, 32)
"""Bytes of the gate's cancel key for a client of 3.0, and of 3.2."""
_NO_REPLICATION = frozenset(("0", "f", "false", "off", "no", "n"))
_NOT_PASSED_ON = frozenset(("user", "database", "replication"))


@dataclass(frozen=True, slots=True)
class StoredCredential:
    """The role of PostgreSQL that the gate logs in as, and its password (`None`: asked for none)."""

    user: str
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Permit:
    """What the rules say to a client that is known. `credential`: `None` logs in upstream with the client's own key.

    `notices`: whether notices of PostgreSQL reach it before the session begins.
    """

    credential: StoredCredential | None = None
    replication: bool = False
    notices: bool = True


Permits: TypeAlias = Callable[[Identity, StartupMessage], Permit]
"""Asked once a client is known; raises `LoginRefused` to turn it away."""


def permit_all(_: Identity, __: StartupMessage) -> Permit:
    """The client's own key, no replication."""
    return Permit()


@dataclass(frozen=True, slots=True)
class OpeningSetup:
    """What an opening is given. `gate_key`: process number and 32 secret bytes, by which this session is cancelled.

    `certificate`: whether TLS can be offered; `tls`: TLS that stands already (direct TLS). `database`: the one whose
    tables the gate knows, empty for any: in another one the same numbers are other tables.
    """

    login: LoginSettings
    gate_key: tuple[int, bytes] = field(repr=False)
    certificate: bool = False
    tls_required: bool = False
    tls: events.TlsStarted | None = None
    database: str = ""
    permits: Permits = permit_all
    upstream_version: int = VERSION_3_2
    """Asked of PostgreSQL first."""


class _Phase(Enum):
    PACKETS = auto()
    TLS = auto()
    VERIFIER = auto()
    LOGIN = auto()
    ACCOUNT = auto()
    CONNECTING = auto()
    ENTERING = auto()
    DONE = auto()
    CLOSED = auto()


_WAITING: Final = frozenset((_Phase.VERIFIER, _Phase.ACCOUNT, _Phase.CONNECTING, _Phase.ENTERING))
"""Phases in which nothing is asked of the client."""
_ANY: Final = frozenset(_Phase) - {_Phase.DONE, _Phase.CLOSED}
_Steps: TypeAlias = Mapping[type[events.Event], tuple[frozenset[_Phase], Callable[..., list[Command]]]]


class Opening:
    """One opening: events in, commands out, until `done` or `closed`.

    Every failure is an ErrorResponse (28P01, 28000, 0A000, 08P01, 57P03) where the client can read one, a `Report`,
    and the end of both connections.
    """

    def __init__(self, setup: OpeningSetup, random_bytes: RandomBytes) -> None:
        self.identity: Identity | None = None
        self.startup: StartupMessage | None = None
        """What the client asked for; `application_name`, `muniment.case` and the like are among its parameters."""
        self.version = VERSION_3_0
        """Spoken with the client."""
        self._setup = setup
        self._random_bytes = random_bytes
        self._tls = setup.tls
        self._phase = _Phase.PACKETS
        self._client = Incoming(LOGIN_BYTES)
        self._asked: set[type[SSLRequest | GSSENCRequest]] = set()
        self._login = ClientLogin(setup.login, setup.tls, random_bytes)
        self._permit = Permit()
        self._upstream_version = setup.upstream_version
        self._upstream_open = False
        self._entering: Entering | None = None
        self._steps: _Steps = {
            events.FromClient: (_ANY, self._from_client),
            events.FromUpstream: (frozenset((_Phase.ENTERING,)), self._from_upstream),
            events.TlsStarted: (frozenset((_Phase.TLS,)), self._tls_started),
            events.VerifierFound: (frozenset((_Phase.VERIFIER,)), self._verifier_found),
            events.AccountReady: (frozenset((_Phase.ACCOUNT,)), self._account_ready),
            events.UpstreamOpened: (frozenset((_Phase.CONNECTING,)), self._upstream_opened),
            events.UpstreamClosed: (_WAITING, self._upstream_closed),
            events.ClientClosed: (_ANY, self._client_closed),
            events.Draining: (_ANY, self._draining),
        }

    # --- what there is to know ---

    @property
    def done(self) -> bool:
        """The session began: what follows belongs to the relay."""
        return self._phase is _Phase.DONE

    @property
    def closed(self) -> bool:
        """It ended before it began; events mean nothing any more."""
        return self._phase is _Phase.CLOSED

    @property
    def hold(self) -> bool:
        """The client should not be read: enough of it waits (rule 5)."""
        return self._phase in _WAITING and len(self._client) > LOGIN_BYTES

    @property
    def parameters(self) -> Mapping[str, str]:
        """Settings that PostgreSQL reported (ParameterStatus)."""
        return MappingProxyType({} if self._entering is None else self._entering.parameters)

    @property
    def upstream_key(self) -> tuple[int, bytes] | None:
        """PostgreSQL's cancel key, for `CancelUpstream`; `None` where it gave none."""
        return None if self._entering is None else self._entering.key

    @property
    def client_key(self) -> tuple[int, bytes]:
        """The gate's cancel key as this client has it: 4 secret bytes for 3.0, 32 for 3.2."""
        process, secret = self._setup.gate_key
        return process, secret[: SECRET_BYTES[self.version >= VERSION_3_2]]

    @property
    def left_client(self) -> bytes:
        """Taken once: the client's bytes after its login."""
        return self._client.rest()

    @property
    def left_upstream(self) -> bytes:
        """Taken once: PostgreSQL's bytes after its ReadyForQuery."""
        return b"" if self._entering is None else self._entering.rest()

    # --- events ---

    def receive(self, event: events.Event) -> list[Command]:
        """Take an event; what an opening has no use for leads to nothing."""
        phases, step = self._steps.get(type(event), (frozenset(), None))
        if step is None or self._phase not in phases:
            return []
        return self._guarded(step, event)

    def _guarded(self, step: Callable[..., list[Command]], event: events.Event) -> list[Command]:
        """Rule 4: what goes wrong on PostgreSQL's side is told to the log, and to the client in general terms."""
        upstream = isinstance(event, events.FromUpstream)
        try:
            return step(event)
        except LoginRefused as error:
            if upstream:
                return self._cannot(error.reason, error.message)
            return self._refuse(error.sqlstate, error.message, error.reason)
        except ProtocolError as error:
            if upstream:
                return self._cannot("upstream-protocol", error.message)
            return self._refuse("08P01", error.message, "protocol")

    # --- packets before the first message ---

    def _from_client(self, event: events.FromClient) -> list[Command]:
        if self._phase is _Phase.TLS:
            return self._close("stuffed-before-tls")
        self._client.feed(event.data)
        if self._phase is _Phase.PACKETS:
            return self._packet()
        if self._phase is _Phase.LOGIN:
            return self._login_message()
        if len(self._client) > WAITING_BYTES:
            raise ProtocolError("the client sends too much before its session began")
        return []

    def _packet(self) -> list[Command]:
        body = self._client.packet()
        if body is None:
            return []
        packet = startup.parse(body)
        match packet:
            case SSLRequest() | GSSENCRequest():
                return self._encryption(type(packet))
            case CancelRequest(process, secret):
                return [CancelSession(process, secret), *self._end()]
            case StartupMessage():
                return self._started(packet)

    def _encryption(self, request: type[SSLRequest | GSSENCRequest]) -> list[Command]:
        if len(self._client):
            return self._close("stuffed-before-tls")
        if request in self._asked or self._tls is not None:
            raise ProtocolError("encryption was asked for twice")
        self._asked.add(request)
        if request is GSSENCRequest or not self._setup.certificate:
            return [ToClient(b"N")]
        self._phase = _Phase.TLS
        return [ToClient(b"S"), StartTls()]

    def _tls_started(self, event: events.TlsStarted) -> list[Command]:
        self._tls = event
        self._login = ClientLogin(self._setup.login, event, self._random_bytes)
        self._phase = _Phase.PACKETS
        return []

    def _started(self, message: StartupMessage) -> list[Command]:
        if self._setup.tls_required and self._tls is None:
            raise LoginRefused("28000", "the gate takes connections over TLS only", "tls-required")
        if not message.user.isprintable():  # also what is not UTF-8: it stands there as lone surrogates
            raise LoginRefused("28000", "the user name is not printable UTF-8", "user-name")
        if self._setup.database and message.database != self._setup.database:
            raise LoginRefused("3D000", f'the gate serves database "{self._setup.database}" only', "database")
        self.startup = message
        self.version = min(message.version, VERSION_3_2)
        self._phase = _Phase.VERIFIER
        found: list[Command] = [FindVerifier(message.user)]
        if message.version > VERSION_3_2 or message.options:
            return [ToClient(NegotiateProtocolVersion(self.version, message.options).build()), *found]
        return found

    # --- the client's login ---

    def _verifier_found(self, event: events.VerifierFound) -> list[Command]:
        if self.startup is None or event.account != self.startup.user:
            return []
        self._phase = _Phase.LOGIN
        request = ToClient(self._login.begin(event.account, event))
        return [request, *(self._known() if self._login.done else self._login_message())]

    def _login_message(self) -> list[Command]:
        frame = self._client.message()
        if frame is None:
            return []
        if frame.kind == Terminate.KIND:
            return self._end()
        answer = ToClient(self._login.receive(frame.kind, frame.body))
        return [answer, *(self._known() if self._login.done else self._login_message())]

    def _known(self) -> list[Command]:
        assert self.startup is not None and self._login.identity is not None
        self.identity = self._login.identity
        self._permit = self._setup.permits(self.identity, self.startup)
        if self._replication() and not self._permit.replication:
            raise LoginRefused("0A000", "replication does not pass the gate", "replication")
        if self._permit.credential is None and self.identity.keys is None:
            message = f"a login by {self.identity.method} needs a credential of the gate's own, and there is none"
            raise LoginRefused("28000", message, "no-credential")
        self._phase = _Phase.ACCOUNT
        report = Report("login", (("account", self.identity.account), ("method", self.identity.method)))
        return [report, PrepareAccount(self.identity.account)]

    def _replication(self) -> str:
        """The value of `replication` where it asks for it."""
        assert self.startup is not None
        value = self.startup.parameters.get("replication", "")
        return "" if value.strip().lower() in _NO_REPLICATION else value

    # --- upstream ---

    def _account_ready(self, _: events.AccountReady) -> list[Command]:
        return self._connect()

    def _connect(self) -> list[Command]:
        self._phase = _Phase.CONNECTING
        return [OpenUpstream()]

    def _upstream_opened(self, event: events.UpstreamOpened) -> list[Command]:
        assert self.startup is not None and self.identity is not None
        stored = self._permit.credential
        user, credential = (
            (self.identity.account, self.identity.keys) if stored is None else (stored.user, stored.password)
        )
        parameters = {"user": user, "database": self.startup.database}
        if replication := self._replication():
            parameters["replication"] = replication
        parameters |= {
            name: value
            for name, value in self.startup.parameters.items()
            if name not in _NOT_PASSED_ON and name not in self.startup.options
        }
        self._upstream_open = True
        self._phase = _Phase.ENTERING
        self._entering = Entering(
            StartupMessage(self._upstream_version, parameters),
            UpstreamLogin(user, credential, self._random_bytes, event.certificate_hash or None),
            BackendKeyData(*self.client_key),
            notices=self._permit.notices,
        )
        return [ToUpstream(self._entering.hello())]

    def _from_upstream(self, event: events.FromUpstream) -> list[Command]:
        assert self._entering is not None and self.identity is not None
        try:
            received = self._entering.receive(event.data)
        except OlderWanted:
            return [CloseUpstream(), *self._reconnect()]
        except UpstreamRefused as refused:
            return self._upstream_refused(refused)
        found: list[Command] = []
        if received.reply:
            found.append(ToUpstream(bytes(received.reply)))
        if received.forward:
            found.append(ToClient(bytes(received.forward)))
        if self._entering.ready:
            self._phase = _Phase.DONE
            found.append(Report("session-opened", (("account", self.identity.account), ("version", self._spoken()))))
        return found

    def _reconnect(self) -> list[Command]:
        self._upstream_version = VERSION_3_0
        self._upstream_open = False
        return self._connect()

    def _upstream_refused(self, refused: UpstreamRefused) -> list[Command]:
        error = refused.error
        if error.sqlstate.startswith("28") and not refused.authenticated:
            return self._login_failed_upstream(error.sqlstate)
        report = Report("upstream-refused", (*self._account(), ("sqlstate", error.sqlstate)))
        shown = ErrorResponse({code: error.fields[code] for code in "SVCM" if code in error.fields})
        return [ToClient(shown.build()), report, *self._end()]

    def _login_failed_upstream(self, sqlstate: str) -> list[Command]:
        """Rule 4. With the client's own key the account itself may be at fault: expired, or not allowed to log in."""
        if self._permit.credential is not None:
            return self._cannot("upstream-login")
        return self._refuse(sqlstate, "PostgreSQL refused the login of this account", "upstream-login")

    def _upstream_closed(self, event: events.UpstreamClosed) -> list[Command]:
        self._upstream_open = False
        if self._phase is _Phase.ENTERING and self._entering is not None:
            try:
                self._entering.closed()
            except OlderWanted:
                return self._reconnect()
        return self._cannot("upstream-closed", event.reason)

    # --- ends ---

    def _client_closed(self, _: events.ClientClosed) -> list[Command]:
        return self._end()[:-1]

    def _draining(self, _: events.Draining) -> list[Command]:
        return self._refuse("57P01", "the gate is shutting down", "draining")

    def _cannot(self, reason: str, detail: str = "") -> list[Command]:
        message = "the session cannot begin: the gate has no working connection to PostgreSQL"
        return self._refuse("57P03", message, reason, detail=detail, alarm=True)

    def _refuse(
        self, sqlstate: str, message: str, reason: str, *, detail: str = "", alarm: bool = False
    ) -> list[Command]:
        told = ToClient(ErrorResponse.of("FATAL", sqlstate, message).build())
        fields = (*self._account(), ("reason", reason), ("sqlstate", sqlstate))
        fields = (*fields, ("detail", detail)) if detail else fields
        can_read = self._phase is not _Phase.TLS
        return [*([told] if can_read else []), Report("login-refused", fields, alarm), *self._end()]

    def _close(self, reason: str) -> list[Command]:
        """An end without a word: whoever reads the answer may not be who wrote the bytes."""
        return [Report("login-refused", (("reason", reason),), alarm=True), *self._end()]

    def _end(self) -> list[Command]:
        upstream: list[Command] = [CloseUpstream()] if self._upstream_open else []
        self._phase = _Phase.CLOSED
        self._upstream_open = False
        return [*upstream, CloseClient()]

    def _account(self) -> tuple[tuple[str, str | int], ...]:
        return () if self.startup is None else (("account", self.startup.user),)

    def _spoken(self) -> str:
        return f"{self.version >> 16}.{self.version & 0xFFFF}"
