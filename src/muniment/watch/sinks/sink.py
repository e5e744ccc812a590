"""What a sink is, and how faults of the network become faults of muniment."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from muniment.errors import InputError, UnreachableError

if TYPE_CHECKING:
    from muniment.watch.sinks.message import Message

SECONDS: Final = 10.0
"""Seconds that a sink may take for one step of a conversation: a slow server answers, a dead one holds nobody up."""


class PartlyTakenError(UnreachableError):
    """Some of those whom a message was for have it, the others were refused: sent again, some would get it twice."""


class Sink(Protocol):
    """One place for messages."""

    def send(self, message: Message) -> None:
        """Hand a message over. Raises `UnreachableError` where that is not certain; it is sent again then, unless the
        fault is a `PartlyTakenError`."""
        ...


@contextmanager
def network_faults(what: str) -> Iterator[None]:
    """Turn faults of the block into `UnreachableError`: "WHAT: reason". `what` names host and port, and no secret."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        reason = (error.verify_message or "it does not verify").lower()
        raise UnreachableError(f"{what}: the certificate is not accepted: {reason}") from error
    except TimeoutError as error:
        raise UnreachableError(f"{what}: no answer within {SECONDS:g} s") from error
    except UnicodeError as error:
        raise UnreachableError(f"{what}: there can be no host of this name") from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UnreachableError(f"{what}: could not be reached: {reason}") from error


def tls_context(authority: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificates verified: by `authority` (a PEM file) alone where given, else by the system's.

    Raises `InputError` where the file holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=None if authority is None else str(authority))
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"{authority}: expected certificates of authorities as PEM") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name: only there is TLS not asked for."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
