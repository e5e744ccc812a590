"""A webhook: CloudEvents 1.0 as JSON (structured mode), signed with HMAC-SHA256 as Standard Webhooks has it.

Signed is `ID.SECONDS.BODY`; the heads are `webhook-id`, `webhook-timestamp` (seconds since 1970, when it is sent) and
`webhook-signature` (`v1,` and base64). A receiver checks the signature, refuses old timestamps, and drops ids that it
has: libraries for that exist in most languages.

Rules
1. TLS, unless the host is this machine. No redirection is followed, no proxy is asked: the address is where it goes.
2. An answer of 200 to 299 is a receipt. Everything else is sent again later, a refusal too: receivers are mended.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import http.client
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from muniment.errors import InputError, UnreachableError
from muniment.watch.alerts.text import moment
from muniment.watch.sinks.message import Message
from muniment.watch.sinks.sink import SECONDS, is_loopback, network_faults, tls_context

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
SECRET_BYTES: Final = 24
"""Fewest bytes of a secret (Standard Webhooks: 24 to 64)."""
_PREFIX: Final = "whsec_"
_VISIBLE: Final = re.compile(r"[!-~]+")
"""What an address consists of: no blank, no line end, nothing that would need to be encoded."""
_ANSWER_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class WebhookSink:
    """`url`: https (http for this machine alone). `secret`: as `parse_secret` gives it. `source`: of the events."""

    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    source: str = "urn:muniment:watch"
    authority: Path | None = None
    clock: Callable[[], float] = field(default=time.time, repr=False)

    def __post_init__(self) -> None:
        """`InputError` for an address that is none, that holds a password, or that is not safe; or a short secret."""
        _checked(self.url)
        if len(self.secret) < SECRET_BYTES:
            raise InputError(f"webhook: the secret has {len(self.secret)} bytes; expected at least {SECRET_BYTES}")

    def send(self, message: Message) -> None:
        """Post it. Raises `UnreachableError` where no receipt came."""
        parts = _checked(self.url)
        where = f"webhook at {parts.hostname}"
        body = cloud_event(message, self.source)
        heads = {"Content-Type": CONTENT_TYPE, "User-Agent": "muniment"}
        heads |= signature(self.secret, message.id, int(self.clock()), body)
        connection = self._connection(parts)
        try:
            with network_faults(where):
                path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request("POST", path, body, heads)
                answer = connection.getresponse()
                answer.read(_ANSWER_BYTES)
        except http.client.HTTPException as error:
            raise UnreachableError(f"{where}: its answer is not HTTP") from error
        finally:
            connection.close()
        if not 200 <= answer.status <= 299:
            raise UnreachableError(f"{where}: answered {answer.status}; expected 200 to 299")

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host = parts.hostname or ""
        if parts.scheme == "https":
            return http.client.HTTPSConnection(
                host, parts.port, timeout=SECONDS, context=tls_context(self.authority)
            )
        return http.client.HTTPConnection(host, parts.port, timeout=SECONDS)


def parse_secret(text: str) -> bytes:
    """The secret in a file: `whsec_` and base64, or any text of 24 bytes or more. Raises `InputError` for another."""
    text = text.strip()
    if not text.startswith(_PREFIX):
        secret = text.encode()
    else:
        try:
            secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputError(f"webhook: what stands behind {_PREFIX} in the secret is not base64") from error
    if len(secret) < SECRET_BYTES:
        raise InputError(f"webhook: the secret has {len(secret)} bytes; expected at least {SECRET_BYTES}")
    return secret


def cloud_event(message: Message, source: str) -> bytes:
    """The body: a CloudEvent whose data is subject, lines, fields, and the OCSF event where it is an alert."""
    data: dict[str, Any] = {"subject": message.subject, "lines": list(message.lines), **message.fields}
    if message.event:
        data["ocsf"] = dict(message.event)
    event = {
        "specversion": "1.0",
        "id": message.id,
        "source": source,
        "type": f"org.muniment.watch.{message.kind}",
        "time": moment(message.at),
        "subject": message.fields.get("alert", message.kind),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def signature(secret: bytes, id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three heads that sign a body."""
    signed = hmac.digest(secret, f"{id}.{seconds}.".encode() + body, "sha256")
    return {
        "webhook-id": id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def _checked(url: str) -> SplitResult:
    """The parts of an address that may be used; errors name no more of it than its host."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise InputError("webhook: the address is none; expected https://HOST/PATH") from error
    if parts.scheme not in {"https", "http"} or not host or not _VISIBLE.fullmatch(url):
        raise InputError("webhook: the address is none; expected https://HOST/PATH")
    if "@" in parts.netloc:
        raise InputError(f"webhook at {host}: the address holds a password; put secrets into a file")
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(f"webhook at {host}: expected https")
    return parts
