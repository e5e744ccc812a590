"""What a login is bound to (RFC 5929), and contexts that take nothing old."""

from __future__ import annotations

import ssl
from hashlib import sha256, sha384, sha512
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA384, SHA512

from language.servers import make_certificate
from muniment.errors import InputError, UnreachableError
from muniment.gate.server.tls import certificate_hash, server_tls, upstream_tls

CASES: dict[str, tuple[dict[str, Any], Any]] = {
    "ec sha256": ({}, sha256),
    "rsa sha384": ({"kind": "rsa", "algorithm": SHA384()}, sha384),
    "ec sha512": ({"algorithm": SHA512()}, sha512),
    "rsa pss sha384": ({"kind": "rsa", "algorithm": SHA384(), "pss": True}, sha384),
}


@pytest.mark.parametrize("case", CASES)
def test_the_hash_is_that_of_the_signature(tmp_path: Path, case: str) -> None:
    arguments, hashed = CASES[case]
    made = make_certificate(tmp_path, **arguments)
    assert certificate_hash(made.der) == hashed(made.der).digest()
    assert server_tls(made.path, made.key).certificate_hash == hashed(made.der).digest()


def test_a_sha1_signature_is_hashed_with_sha256() -> None:
    from unittest.mock import Mock

    from cryptography.hazmat.primitives.hashes import SHA1

    from muniment.gate.server.tls import _hash_of

    old = Mock(signature_hash_algorithm=SHA1(), public_bytes=lambda _: b"der")
    assert _hash_of(old) == sha256(b"der").digest()


def test_ed25519_has_no_binding(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, kind="ed25519")
    assert server_tls(made.path, made.key).certificate_hash == b"" == certificate_hash(b"")


def test_nothing_old_is_spoken(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    ours, theirs = server_tls(made.path, made.key).context, upstream_tls("require")
    assert theirs is not None
    for context in (ours, theirs):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.options & ssl.OP_NO_RENEGOTIATION and context.options & ssl.OP_NO_COMPRESSION


def test_modes_of_the_upstream(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    full = upstream_tls("verify-full", made.path)
    assert upstream_tls("off") is None
    assert full is not None and full.check_hostname and full.verify_mode == ssl.CERT_REQUIRED
    with pytest.raises(InputError, match="verify-full"):
        upstream_tls("prefer")
    with pytest.raises(InputError):
        upstream_tls("verify-full", made.key.with_suffix(".nowhere"))


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    with pytest.raises(InputError):
        server_tls(first.path, second.key)
    with pytest.raises(UnreachableError):
        server_tls(tmp_path / "nowhere", second.key)
