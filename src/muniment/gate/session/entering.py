"""The gate's own start with PostgreSQL: from a connection that stands to the first ReadyForQuery.

Rules
1. The versions of the two sides are independent: PostgreSQL is asked for 3.2, takes less, or refuses; who refuses, or
   hangs up without a word, is asked once more for 3.0 on a new connection.
2. What PostgreSQL reports is passed on as it came, but for its cancel key: that is kept, the client gets the gate's.
3. Nothing but authentication comes before `AuthenticationOk`, and nothing but the reports of a start comes after it.
   Anything else is `ProtocolError`: an upstream that lies is not relayed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from muniment.gate.identity.login import UpstreamLogin
from muniment.gate.protocol import ProtocolError
from muniment.gate.protocol.backend import (
    Authentication,
    BackendKeyData,
    ErrorResponse,
    NoticeResponse,
    ParameterStatus,
    ReadyForQuery,
)
from muniment.gate.protocol.framing import Frame
from muniment.gate.protocol.startup import VERSION_3_0, NegotiateProtocolVersion, StartupMessage
from muniment.gate.protocol.wire import shown
from muniment.gate.session.incoming import Incoming

MESSAGE_BYTES: Final = 1024**2
"""Bytes of one message of PostgreSQL while a session opens; an error with its context has some kilobytes."""
PARAMETERS: Final = 1_000
"""Settings that are reported at the start; PostgreSQL 18 reports 15, extensions add some."""
_UNSUPPORTED = frozenset(("0A000", "08P01"))
"""How servers and poolers refuse a protocol version."""


class UpstreamRefused(Exception):
    """PostgreSQL ended the start with an error; `authenticated`: whether it had accepted the login before."""

    def __init__(self, error: ErrorResponse, *, authenticated: bool) -> None:
        super().__init__(error.sqlstate)
        self.error = error
        self.authenticated = authenticated


class OlderWanted(Exception):
    """PostgreSQL does not speak the version that was asked for: connect anew and ask for 3.0 (rule 1)."""


@dataclass(slots=True)
class Received:
    """What one chunk led to. `reply` is for PostgreSQL, `forward` for the client; both whole messages."""

    reply: bytearray = field(default_factory=bytearray, repr=False)
    forward: bytearray = field(default_factory=bytearray, repr=False)


class Entering:
    """One start with PostgreSQL: send `hello`, then `receive` until `ready`.

    `key`: what the client gets for PostgreSQL's cancel key. `notices`: whether notices are passed on.
    """

    def __init__(self, startup: StartupMessage, login: UpstreamLogin, key: BackendKeyData, *, notices: bool) -> None:
        self.ready = False
        self.version = startup.version
        """The version that is spoken with PostgreSQL; right from the first authentication message on."""
        self.parameters: dict[str, str] = {}
        self.key: tuple[int, bytes] | None = None
        """PostgreSQL's cancel key; `None` where it gave none (some poolers)."""
        self._startup = startup
        self._login = login
        self._client_key = key
        self._notices = notices
        self._incoming = Incoming(MESSAGE_BYTES)
        self._answered = False
        self._steps: Mapping[int, Callable[[Frame, Received], None]] = {
            Authentication.KIND: self._authentication,
            NegotiateProtocolVersion.KIND: self._negotiated,
            ErrorResponse.KIND: self._error,
            NoticeResponse.KIND: self._notice,
            ParameterStatus.KIND: self._parameter,
            BackendKeyData.KIND: self._key,
            ReadyForQuery.KIND: self._ready,
        }

    def hello(self) -> bytes:
        """The packet that begins the session."""
        return self._startup.build()

    def receive(self, data: bytes) -> Received:
        """Take bytes of PostgreSQL's; what stands after ReadyForQuery stays for `rest`.

        Raises `UpstreamRefused`, `OlderWanted`, `LoginRefused` (the login failed), `ProtocolError` (rule 3).
        """
        self._incoming.feed(data)
        received = Received()
        while not self.ready and (frame := self._incoming.message()) is not None:
            step = self._steps.get(frame.kind)
            if step is None:
                raise ProtocolError(f"PostgreSQL sent a message of type {shown(frame.kind)} before the session began")
            step(frame, received)
        return received

    def closed(self) -> None:
        """The connection ended. `OlderWanted` where nothing was said to a newer version (rule 1)."""
        if not self._answered and not len(self._incoming) and self.version > VERSION_3_0:
            raise OlderWanted

    def rest(self) -> bytes:
        """What came after ReadyForQuery."""
        return self._incoming.rest()

    def _authentication(self, frame: Frame, received: Received) -> None:
        self._answered = True
        answer = self._login.receive(frame.body)
        if answer is not None:
            received.reply += answer

    def _negotiated(self, frame: Frame, _: Received) -> None:
        version = NegotiateProtocolVersion.parse(frame.body).version
        if self._answered or not VERSION_3_0 <= version <= self.version:
            raise ProtocolError("PostgreSQL negotiates a version that was not asked for, or too late")
        self.version = version
        self._answered = True

    def _error(self, frame: Frame, _: Received) -> None:
        error = ErrorResponse.parse(frame.body)
        if not self._answered and self.version > VERSION_3_0 and error.sqlstate in _UNSUPPORTED:
            raise OlderWanted
        raise UpstreamRefused(error, authenticated=self._login.done)

    def _notice(self, frame: Frame, received: Received) -> None:
        NoticeResponse.parse(frame.body)
        if self._notices:
            received.forward += frame.build()

    def _parameter(self, frame: Frame, received: Received) -> None:
        self._after_login()
        status = ParameterStatus.parse(frame.body)
        self.parameters[status.name] = status.value
        if len(self.parameters) > PARAMETERS:
            raise ProtocolError(f"PostgreSQL reports more than {PARAMETERS:,} settings at the start of a session")
        received.forward += frame.build()

    def _key(self, frame: Frame, received: Received) -> None:
        self._after_login()
        if self.key is not None:
            raise ProtocolError("PostgreSQL gave a second cancel key; expected one")
        key = BackendKeyData.parse(frame.body)
        self.key = (key.process, key.secret)
        received.forward += self._client_key.build()

    def _ready(self, frame: Frame, received: Received) -> None:
        self._after_login()
        if ReadyForQuery.parse(frame.body).status != "I":
            raise ProtocolError("PostgreSQL begins a session inside a transaction; expected status I")
        self.ready = True
        if self.key is None:
            received.forward += self._client_key.build()
        received.forward += frame.build()

    def _after_login(self) -> None:
        if not self._login.done:
            raise ProtocolError("PostgreSQL reports before it accepted the login")
