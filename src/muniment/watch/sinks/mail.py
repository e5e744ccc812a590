"""E-mail over SMTP (RFC 5321), in TLS: STARTTLS (RFC 3207), or TLS from the first byte (RFC 8314).

Rules
1. Without TLS nothing is sent, unless the server is this machine. A password goes through TLS only.
2. The Message-ID is that of the message: what is sent twice is shown once by most programs. `Auto-Submitted` (RFC 3834)
   keeps leave notices from answering.
3. Where a server takes the message for some recipients and refuses others, it is not sent again (those who have it
   would get it every hour), but the fault is shown: `PartlyTakenError`.
"""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias

from muniment.errors import InputError, UnreachableError
from muniment.watch.sinks.message import Message
from muniment.watch.sinks.sink import SECONDS, PartlyTakenError, is_loopback, network_faults, tls_context

Security: TypeAlias = Literal["starttls", "tls", "none"]
PORTS: Final[Mapping[Security, int]] = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class MailSink:
    """`sender`, `recipients`: addresses. `account` and `password`: empty where the server asks for none."""

    host: str
    sender: str
    recipients: tuple[str, ...]
    port: int = 0
    security: Security = "starttls"
    account: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    authority: Path | None = None

    def __post_init__(self) -> None:
        """`InputError` for what cannot work or is not safe."""
        if self.security not in PORTS:
            raise InputError(f"mail: security {self.security!r}: expected one of {', '.join(PORTS)}")
        if self.security == "none" and not is_loopback(self.host):
            raise InputError(f"mail through {self.host}: expected TLS; only this machine's own server may go without")
        if self.security == "none" and self.account:
            raise InputError(f"mail through {self.host}: a password needs TLS")
        for address in (self.sender, *self.recipients):
            if address.count("@") != 1 or any(not "!" <= one <= "~" for one in address):
                raise InputError("mail: an address is none; expected NAME@HOST")
        if not self.recipients:
            raise InputError("mail: no recipient; expected one address at least")

    def send(self, message: Message) -> None:
        """Hand it to the server. Raises `UnreachableError` where it took it for nobody, `PartlyTakenError` for some."""
        where = f"mail through {self.host} port {self.port or PORTS[self.security]}"
        mail = composed(message, self.sender, self.recipients)
        with network_faults(where):
            try:
                refused = self._handed_over(mail)
            except smtplib.SMTPException as error:
                # Not its text: servers repeat addresses and what they were told.
                raise UnreachableError(f"{where}: {_reason(error)}") from None
        if refused:
            raise PartlyTakenError(f"{where}: {refused} of {len(self.recipients)} recipients were refused")

    def _handed_over(self, mail: EmailMessage) -> int:
        """One conversation with the server; how many recipients it refused."""
        with self._server() as server:
            if self.security == "starttls":
                server.starttls(context=tls_context(self.authority))
            if self.account:
                server.login(self.account, self.password)
            return len(server.send_message(mail, self.sender, list(self.recipients)))

    def _server(self) -> smtplib.SMTP:
        port = self.port or PORTS[self.security]
        if self.security == "tls":
            return smtplib.SMTP_SSL(self.host, port, timeout=SECONDS, context=tls_context(self.authority))
        return smtplib.SMTP(self.host, port, timeout=SECONDS)


def composed(message: Message, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """The mail, UTF-8."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.at / 1000, UTC))
    mail["Message-ID"] = f"<{message.id}@{sender.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n\n".join(message.lines) + "\n")
    return mail


def _reason(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the server does not accept account and password"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the server does not offer what is needed (STARTTLS or a way to log in)"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "the server refused every recipient"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server answered {error.smtp_code}"
    return "the server broke off the conversation"
