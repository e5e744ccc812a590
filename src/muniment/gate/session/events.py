"""What happens to a session, as frozen values: the server turns sockets, futures and timers into these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from muniment.gate.attribution.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class TlsStarted:
    """TLS stands between client and gate. `certificate_hash`: RFC 5929 `tls-server-end-point` of the gate's own
    certificate; `subject`: common name of a verified client certificate, empty without one."""

    certificate_hash: bytes = field(repr=False)
    subject: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class FromClient:
    """Bytes from the client."""

    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class FromUpstream:
    """Bytes from PostgreSQL."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ClientClosed:
    """The client is gone; what was released and not confirmed is `receipt unknown`."""


@dataclass(frozen=True, slots=True)
class UpstreamOpened:
    """A connection to PostgreSQL stands, TLS included where it is configured; nothing was sent on it yet.

    `certificate_hash`: RFC 5929 `tls-server-end-point` of PostgreSQL's certificate, empty without TLS.
    """

    certificate_hash: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class UpstreamClosed:
    """PostgreSQL closed the connection, or it could not be opened. `reason` is for the log, never for a client."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Appended:
    """The disclosures of `Append` number `token` are durable (in the ledger, or spooled where that was asked for)."""

    token: int


@dataclass(frozen=True, slots=True)
class AppendFailed:
    """They are not, or not within the wait that is configured; nothing behind them may leave."""

    token: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The cancel request was delivered and its connection is closed by PostgreSQL (or could not be made)."""


@dataclass(frozen=True, slots=True, repr=False)
class VerifierFound:
    """The stored secret of an account (`pg_authid.rolpassword`), `None` where there is none.

    `roles`: the roles it is a member of, itself included.
    """

    account: str
    secret: str | None = field(repr=False)
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountReady:
    """What the account received before is known to the budgets: its session may begin."""


@dataclass(frozen=True, slots=True)
class CatalogueChanged:
    """A newer map of tables and views; holds from the next statement on."""

    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Woken:
    """The time of `Wake` number `token` has come."""

    token: int


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Somebody showed this session's gate key on a connection of his own (`CancelSession`): what runs here is to be
    cancelled, by `CancelUpstream` with the key that PostgreSQL gave."""


@dataclass(frozen=True, slots=True)
class Draining:
    """The gate is to stop: end when the statement and transaction under way end."""


Event: TypeAlias = (
    TlsStarted | FromClient | FromUpstream | ClientClosed | UpstreamOpened | UpstreamClosed | Appended | AppendFailed
    | Cancelled | VerifierFound | AccountReady | CatalogueChanged | Woken | CancelAsked | Draining
)  # fmt: skip
