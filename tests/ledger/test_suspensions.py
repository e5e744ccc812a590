"""Orders not to tell: signed, dated, and the newest one counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from language.rings import NOW, segment_keys
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.keys import Key, Purpose
from muniment.ledger.journal import Journal
from muniment.ledger.suspensions import suspend, suspensions, withheld
from muniment.limits import PURPOSE_CHARACTERS

SIGNING = Key("signing-1", Purpose.SIGNING, bytes([9]) * 32)
DAY = timedelta(days=1)


def _public(key: Key) -> bytes:
    public = Ed25519PrivateKey.from_private_bytes(key.secret).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


PUBLIC = {SIGNING.id: _public(SIGNING)}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.create(tmp_path / "journal.bin", segment_keys())


def test_an_order_withholds_until_its_date_and_the_newest_counts(journal: Journal) -> None:
    made = suspend(journal, [5, 3, 5], until=NOW + DAY, order="prosecutor, file 17", key=SIGNING, now=NOW)
    assert made.sequences == (3, 5)
    assert suspensions(journal, PUBLIC) == (made,)
    assert withheld((made,), NOW) == {3, 5}
    assert withheld((made,), NOW + DAY) == frozenset()
    suspend(journal, [5], until=NOW, order="prosecutor, file 17: lifted", key=SIGNING, now=NOW)
    assert withheld(suspensions(journal, PUBLIC), NOW) == {3}


def test_a_signature_of_another_key_is_refused(journal: Journal) -> None:
    suspend(journal, [5], until=NOW + DAY, order="x", key=SIGNING, now=NOW)
    other = Key("signing-1", Purpose.SIGNING, bytes([8]) * 32)
    for keys in ({}, {"signing-1": _public(other)}):
        with pytest.raises(IntegrityError, match="entry 1: the signature of a suspension"):
            suspensions(journal, keys)


def test_what_is_no_order(journal: Journal) -> None:
    with pytest.raises(InputError, match="at least one disclosure"):
        suspend(journal, [], until=NOW, order="x", key=SIGNING, now=NOW)
    with pytest.raises(InputError, match="who gave it"):
        suspend(journal, [1], until=NOW, order=" ", key=SIGNING, now=NOW)
    with pytest.raises(InputError, match="zone"):
        suspend(journal, [1], until=NOW.replace(tzinfo=None), order="x", key=SIGNING, now=NOW)
    with pytest.raises(LimitError, match="at most"):
        suspend(journal, [1], until=NOW, order="x" * (PURPOSE_CHARACTERS + 1), key=SIGNING, now=NOW)
    with pytest.raises(ValueError, match="signing key"):
        suspend(journal, [1], until=NOW, order="x", key=segment_keys()[0], now=NOW)
    assert not journal.entries()
