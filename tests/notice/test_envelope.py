"""Envelopes: only the notice key opens one, and nothing altered opens at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from muniment.errors import InputError, IntegrityError, PassphraseError
from muniment.notice.envelope import MAGIC, NoticeKey, new_notice_key, open_envelope, open_notice_key, seal_to

PASSPHRASE = "a passphrase for tests only"
LIST = "王小明\nrec-17\n".encode()


@pytest.fixture
def key(tmp_path: Path) -> NoticeKey:
    public = new_notice_key(tmp_path / "notice.key", PASSPHRASE, os.urandom)
    opened = open_notice_key(tmp_path / "notice.key", PASSPHRASE)
    assert opened.public == public
    return opened


def test_only_the_holder_reads_it(key: NoticeKey, tmp_path: Path) -> None:
    envelope = seal_to(key.public, LIST, os.urandom)
    assert open_envelope(envelope, key) == LIST
    assert seal_to(key.public, LIST, os.urandom) != envelope
    new_notice_key(tmp_path / "other.key", PASSPHRASE, os.urandom)
    with pytest.raises(IntegrityError, match="another notice key"):
        open_envelope(envelope, open_notice_key(tmp_path / "other.key", PASSPHRASE))
    assert key.secret.hex() not in repr(key)


def test_every_flipped_bit_and_every_cut_is_found(key: NoticeKey) -> None:
    envelope = seal_to(key.public, LIST, os.urandom)
    for at in range(len(envelope)):
        with pytest.raises(IntegrityError):
            open_envelope(envelope[:at], key)
        with pytest.raises(IntegrityError):
            open_envelope(envelope[:at] + bytes([envelope[at] ^ 1]) + envelope[at + 1 :], key)


def test_a_key_of_low_order_is_refused(key: NoticeKey) -> None:
    with pytest.raises(InputError, match="usable"):
        seal_to(bytes(32), LIST, os.urandom)
    with pytest.raises(IntegrityError):
        open_envelope(MAGIC + bytes(32) + bytes(40), key)


def test_the_file_of_a_key(key: NoticeKey, tmp_path: Path) -> None:
    path = tmp_path / "notice.key"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="already"):
        new_notice_key(path, PASSPHRASE, os.urandom)
    with pytest.raises(PassphraseError, match="notice key is wrong"):
        open_notice_key(path, PASSPHRASE + "x")
    with pytest.raises(InputError, match="no such file"):
        open_notice_key(tmp_path / "none", PASSPHRASE)
    text = path.read_text()
    path.write_text(text.replace(key.public.hex(), bytes(32).hex()))
    with pytest.raises(IntegrityError, match="does not verify"):
        open_notice_key(path, PASSPHRASE)
    path.write_text("{}")
    with pytest.raises(IntegrityError, match="not a notice key"):
        open_notice_key(path, PASSPHRASE)
