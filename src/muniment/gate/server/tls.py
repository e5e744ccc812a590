"""TLS on both sides of the gate, and what a certificate binds a login to.

Rules
1. TLS 1.2 and newer; no compression, no renegotiation, no tickets (a session is never resumed).
2. `tls-server-end-point` is the hash of the certificate under the hash of its own signature; MD5 and SHA-1 give way to
   SHA-256 (RFC 5929, section 4.1). A signature without a hash (Ed25519) has no such binding.
3. Direct TLS is taken only where ALPN agreed on `postgresql` (PostgreSQL 17, "SSL Session Encryption").
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from muniment.errors import InputError, UnreachableError

ALPN: Final = "postgresql"
_MODES = ("require", "verify-full")


@dataclass(frozen=True, slots=True, repr=False)
class ServerTls:
    """What the gate shows to clients: its context, and the hash of its certificate (empty: cannot be bound to)."""

    context: ssl.SSLContext = field(repr=False)
    certificate_hash: bytes


def server_tls(certificate: Path, key: Path, client_ca: Path | None = None) -> ServerTls:
    """Read the gate's certificate chain and key. With `client_ca`, clients may show a certificate of that authority.

    Raises `InputError` where they do not fit together or are no PEM, `UnreachableError` where they cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    context.num_tickets = 0
    try:
        chain = certificate.read_bytes()
        # an empty passphrase: OpenSSL must not ask for one on the terminal of a server
        context.load_cert_chain(certificate, key, password="")
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        own = x509.load_pem_x509_certificate(chain)
    except (ssl.SSLError, ValueError) as error:
        raise InputError(
            f"{certificate}: the certificate, its key and the client authority do not fit together or are no PEM",
            hint="muniment gate check",
        ) from error
    except OSError as error:
        raise UnreachableError(f"{certificate}: could not read it, or its key {key} or the client authority") from error
    return ServerTls(context, _hash_of(own))


def upstream_tls(mode: str, ca: Path | None = None) -> ssl.SSLContext | None:
    """The context for PostgreSQL: `None` for `off`; `require` encrypts, `verify-full` checks name and authority too.

    Raises `InputError` for another mode, or an authority that is no PEM.
    """
    if mode == "off":
        return None
    if mode not in _MODES:
        raise InputError(f"upstream_tls is {mode!r}; expected off, require or verify-full")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context)
    if mode == "require":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    try:
        context.load_verify_locations(ca) if ca is not None else context.load_default_certs()
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"{ca}: the authority of PostgreSQL's certificate could not be read") from error
    return context


def certificate_hash(der: bytes) -> bytes:
    """`tls-server-end-point` of a certificate in DER (rule 2); empty where there is no certificate or no hash."""
    return _hash_of(x509.load_der_x509_certificate(der)) if der else b""


def peer_of(tls: ssl.SSLObject | None) -> str:
    """The common name of the verified certificate that the peer showed; empty without one, or with several names."""
    der = tls.getpeercert(True) if tls is not None else None
    if not der:
        return ""
    names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def _hash_of(certificate: x509.Certificate) -> bytes:
    try:
        named = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return b""
    if named is None:
        return b""
    algorithm: HashAlgorithm = SHA256() if isinstance(named, MD5 | SHA1) else named
    digest = Hash(algorithm)
    digest.update(certificate.public_bytes(Encoding.DER))
    return digest.finalize()


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols([ALPN])

