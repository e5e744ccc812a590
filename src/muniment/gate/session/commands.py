"""What a session wants done, as frozen values: the server does them in order, and answers with events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from muniment.disclosure import Party, Template

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StartTls:
    """Answer with TLS on the client's side; the answer `S` is sent already. Ends in `TlsStarted` or `ClientClosed`."""


@dataclass(frozen=True, slots=True, repr=False)
class ToClient:
    """Bytes that may leave now."""

    data: bytes | memoryview


@dataclass(frozen=True, slots=True, repr=False)
class ToUpstream:
    """Bytes for PostgreSQL."""

    data: bytes | memoryview


@dataclass(frozen=True, slots=True)
class OpenUpstream:
    """Connect to PostgreSQL. Ends in `UpstreamOpened` or `UpstreamClosed`."""


@dataclass(frozen=True, slots=True)
class FindVerifier:
    """Read an account's stored secret and roles over the control connection. Ends in `VerifierFound`."""

    account: str


@dataclass(frozen=True, slots=True)
class PrepareAccount:
    """Load what `account` received before into the budgets. Ends in `AccountReady`, or in `UpstreamClosed`."""

    account: str


@dataclass(frozen=True, slots=True, repr=False)
class CancelUpstream:
    """Deliver CancelRequest on a second connection with this body, wait until it is closed. Ends in `Cancelled`."""

    process: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class CancelSession:
    """A client asks by CancelRequest that the session with this gate key be cancelled; then this connection closes."""

    process: int
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """One disclosure as the session knows it. `ordinals` ascending, each once, shape (n,).

    For rows that nobody could be named for, `template.outcome` is UNATTRIBUTED, `ordinals` is empty, `released` is the
    rows that leave, `size` their bytes, and `rows` the persons that they are charged as.
    """

    party: Party
    template: Template
    ordinals: NDArray[np.uint32]
    case: str
    fingerprint: str
    rows: int
    size: int
    released: int


@dataclass(frozen=True, slots=True, repr=False)
class Append:
    """Record these before anything that stands behind `token` leaves. Ends in `Appended` or `AppendFailed`.

    `spool`: where the ledger is down, the second place will do (break-glass, or by choice in the settings).
    """

    token: int
    entries: tuple[Entry, ...]
    spool: bool = False


@dataclass(frozen=True, slots=True)
class Wake:
    """Come back with `Woken` in so many seconds (throttling)."""

    token: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RefreshCatalogue:
    """Something changed the tables (DDL was seen, or a table is not known): read the map anew -> `CatalogueChanged`."""


@dataclass(frozen=True, slots=True)
class Report:
    """One line for the structured log and the counters: `event` is a fixed word, `fields` hold no cell and no key.

    `alarm`: somebody must be told at once (stop, break-glass, decoy, gap).
    """

    event: str
    fields: tuple[tuple[str, str | int], ...] = ()
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class CloseUpstream:
    """End the connection to PostgreSQL."""


@dataclass(frozen=True, slots=True)
class CloseClient:
    """End the client's connection once everything before is sent."""


Command: TypeAlias = (
    StartTls | ToClient | ToUpstream | OpenUpstream | FindVerifier | PrepareAccount | CancelUpstream | CancelSession
    | Append | Wake | RefreshCatalogue | Report | CloseUpstream | CloseClient
)  # fmt: skip
