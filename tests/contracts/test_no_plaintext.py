"""Whoever steals the folder learns no recipient, purpose, query, record key, secret or passphrase from it."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

from language.rings import CUSTODIANS, NOW, PASSPHRASE
from muniment.disclosure import Kind, canonical_key
from muniment.keys import KeyRing
from muniment.ledger.copies import JournalCopies, PlannedCopy
from muniment.ledger.declarations import declare_register, log_commitments
from muniment.ledger.examinations import begin_examination, record_opened
from muniment.ledger.journal import Journal
from muniment.ledger.sets import SealedSets
from muniment.pseudonym import pseudonyms

RECIPIENT, PURPOSE, WHERE = "Östliche Behörde 王小明", "yearly audit of pensions", "town = 'Oststadt'"
RECORD_KEYS = [f"A1234{n:05}" for n in range(50)]
COLUMN, REGISTER, LEAK = "maiden_name", "household_register", "fe" * 32


def _forms(word: str | bytes) -> set[bytes]:
    """The bytes in which a word could be found: UTF-8, UTF-16, hex, JSON escapes, base64 at each of three offsets."""
    data = word if isinstance(word, bytes) else word.encode()
    texts = set() if isinstance(word, bytes) else {word.encode("utf-16-le"), word.encode("unicode_escape")}
    shifted = {b64encode(bytes(n) + data)[4 * (n > 0) : -4] for n in range(3)}
    return {data, data.hex().encode(), *texts, *shifted}


def test_no_word_of_a_disclosure_is_in_any_file(tmp_path: Path) -> None:
    ring = KeyRing.create(
        tmp_path / "keys" / "ring.json", PASSPHRASE, custodians=CUSTODIANS, now=NOW, random_bytes=os.urandom
    )
    keys = ring.all("segment")
    journal = Journal.create(tmp_path / "ledger" / "journal.bin", keys)
    sets = SealedSets(tmp_path / "ledger" / "records", keys)
    log_commitments(journal, ring.commitments(), NOW)
    columns = [(COLUMN, Kind.NAME)]
    declare_register(journal, REGISTER, key=["id"], columns=columns, coalition=10, law="arcsine 1", now=NOW)
    records = pseudonyms(ring.current("pseudonym"), REGISTER, [canonical_key([key]) for key in RECORD_KEYS])
    ledger = JournalCopies(journal, sets)
    stored = ledger.store_records(records)
    recipient = ledger.recipient(RECIPIENT, NOW)
    ledger.record(
        PlannedCopy(recipient, REGISTER, PURPOSE, WHERE, (COLUMN,), 50, 99, "mark-1", "ab" * 32, stored), NOW
    )
    begin_examination(journal, keys[0], file_digest=LEAK, aligned={REGISTER: records}, now=NOW)
    record_opened(journal, sets, [(1, records[:5])], bundle_digest="bb" * 32, now=NOW)

    words: list[str | bytes] = [RECIPIENT, PURPOSE, WHERE, COLUMN, REGISTER, PASSPHRASE, *CUSTODIANS, *RECORD_KEYS]
    words += [bytes.fromhex(LEAK), *(ring.current(purpose).secret for purpose in ("mark", "pseudonym", "segment"))]
    words += [int(value).to_bytes(8, order) for value in records for order in ("big", "little")]  # type: ignore[arg-type]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 6
    for path in files:
        content = path.read_bytes() + path.name.encode()
        for word in words:
            assert not any(form in content for form in _forms(word) if len(form) >= 6), (path.name, word)
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_the_search_would_find_a_word() -> None:
    for offset in range(3):
        packed = b64encode(b"x" * offset + RECIPIENT.encode() + b"tail")
        assert any(form in packed for form in _forms(RECIPIENT))
