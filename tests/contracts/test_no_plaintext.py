"""Whoever steals the folder learns no recipient, purpose, query, record key, cell, secret or passphrase from it.

A workspace with the demo's register is used as an office uses it; then every file of it is searched, and the bytes of
what is encrypted are held against chance.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterator

import numpy as np
import pytest

import muniment as mu
from language.offices import people, without, write_table
from language.rings import PASSPHRASE
from muniment.notice.envelope import new_notice_key
from muniment.workspace.bookkeeping import Selection
from muniment.workspace.office import Workspace

RECIPIENT, PURPOSE, WHERE = "Östliche Behörde 王小明", "yearly audit of pensions", "sex = 'F'"
CASE, BASIS, ORDER = "case-2026-0815", "section 5 of the pensions act", "district court, file 9/2026"
PERSONS = 1_500
LEAST = 6
"""Characters from which on a cell is searched for: shorter ones stand in random bytes by chance."""
PUBLIC = ("ledger/log/", "ledger/second/checkpoint")
"""What is meant to be read: the log and its checkpoint."""
DEVIATIONS = 6.0


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An office that released, looked up, traced, proved, suspended, and listed who is affected."""
    folder = tmp_path_factory.mktemp("used")
    table = people(PERSONS, seed=3)
    public = new_notice_key(folder / "notice.key", PASSPHRASE, os.urandom)
    ws = mu.init(folder / "office", PASSPHRASE)
    settings = folder / "office" / "muniment.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[ledger]\n", f'[ledger]\nnotice_key = "{public.hex()}"\n', 1), encoding="utf-8")
    ws.register("people", write_table(folder / "people.csv", table), key="person_id", accept="equivalent")
    ws = mu.open(folder / "office", PASSPHRASE)
    to = {name: folder / f"copy-{number}.csv" for number, name in enumerate((RECIPIENT, "Clinic of the north"))}
    ws.release_many("people", to=to, purpose=PURPOSE, where=WHERE, basis=BASIS, case=CASE)
    leak = write_table(folder / "leak.csv", without(table.take(range(200)), ["person_id"]))
    key = str(table["person_id"][0])
    ws.who(key, purpose="subject access 4711")
    ws.ledger.suspend([1], until=ws._parts.clock().replace(year=2100), order=ORDER)
    ws.trace(leak)
    ws.affected(leak, incident="incident-2026-7", out=folder / "office" / "list.sealed")
    ws.prove(str(table["person_id"][1]), purpose="court order 12")
    return ws


def _files(ws: Workspace) -> Iterator[tuple[str, bytes]]:
    for path in sorted(ws.folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(ws.folder)), path.read_bytes()


def _forms(word: str) -> set[bytes]:
    """The bytes in which a word could be found: UTF-8, UTF-16, hex, JSON escapes, base64 at each of three offsets."""
    data = word.encode()
    shifted = {b64encode(bytes(n) + data)[4 * (n > 0) : -4] for n in range(3)}
    return {data, data.hex().encode(), word.encode("utf-16-le"), word.encode("unicode_escape"), *shifted}


def test_no_word_of_the_office_is_in_any_file(used: Workspace) -> None:
    words = [RECIPIENT, "Clinic of the north", PURPOSE, WHERE, CASE, BASIS, ORDER, PASSPHRASE]
    words += ["subject access 4711", "incident-2026-7", "court order 12"]
    forms = {form for word in words for form in _forms(word) if len(form) >= LEAST}
    files = dict(_files(used))
    assert len(files) > 25
    for name, content in files.items():
        if name != "muniment.toml":
            assert not [form for form in forms if form in content], name


def test_no_key_and_no_cell_of_the_register_is_in_any_file(used: Workspace) -> None:
    table = people(PERSONS, seed=3)
    cells = {cell for column in table.cells for cell in column if cell is not None and len(cell) >= LEAST}
    assert set(table["person_id"]) <= cells
    values = {cell.encode() for cell in cells}
    joined = {name: content for name, content in _files(used) if name != "muniment.toml"}
    for name, content in joined.items():
        found = [value for value in values if value in content]
        assert not found, (name, found[:3])


def test_no_secret_and_no_pseudonym_is_in_any_file(used: Workspace) -> None:
    ring = used._parts.ring
    secrets = [key.secret for purpose in ("mark", "pseudonym", "segment", "signing") for key in ring.all(purpose)]
    with used._parts.ledger.table() as opened:
        pseudonyms, _ = opened.entries()
    forms = [form for secret in secrets for form in (secret, secret.hex().encode())]
    forms += [int(value).to_bytes(8, order) for value in pseudonyms[:500] for order in ("big", "little")]  # type: ignore[arg-type]
    for name, content in _files(used):
        assert not any(form in content for form in forms), name


def test_the_public_log_speaks_of_segments_only(used: Workspace) -> None:
    names = set()
    for leaf in used._parts.ledger.log().leaves():
        names |= set(json.loads(leaf))
    assert names <= {
        "kind", "id", "file", "sha256", "bytes", "rows", "records", "first", "last", "from", "to", "key", "events",
        "dumps", "chain", "journal", "segments", "runs", "ordinals", "time",
    }  # fmt: skip


def test_what_is_encrypted_looks_like_chance(used: Workspace) -> None:
    """Chi-square over bytes, for each file of 4 KiB or more and for all small ones together.

    Headers are left out, and the lengths of the journal's entries, which stand in front of each: totals, as sizes are.
    """
    small, looked_at = b"", 0
    for name, content in _files(used):
        if name.startswith(PUBLIC) or name.endswith(("muniment.toml", "lock", "ring.json")):
            continue
        body = _entries(content) if name == "ledger/journal.bin" else content[96:]
        if len(body) >= 4_096:
            looked_at += 1
            assert _excess(body) < DEVIATIONS, name
        else:
            small += body
    assert looked_at >= 4
    assert len(small) > 4_096
    assert _excess(small) < DEVIATIONS


def test_the_statistic_would_see_what_is_not_encrypted(used: Workspace) -> None:
    assert _excess(os.urandom(8_192)) < DEVIATIONS
    segment = used._parts.ledger.segments()[0].segment
    assert _excess(b"".join(segment.parquet())) > 10 * DEVIATIONS
    assert _excess(np.arange(2_000, dtype="<u4").tobytes()) > 10 * DEVIATIONS


def test_the_search_would_find_a_word() -> None:
    for offset in range(3):
        packed = b64encode(b"x" * offset + RECIPIENT.encode() + b"tail")
        assert any(form in packed for form in _forms(RECIPIENT))


def test_nobody_else_may_read_the_files(used: Workspace) -> None:
    for path in used.folder.rglob("*"):
        if path.is_file() and path.name != "muniment.toml":
            assert path.stat().st_mode & 0o077 == 0, path.name


def test_the_view_of_the_keeper_reads_it_all(used: Workspace) -> None:
    """The words are there, once it is opened: the search above looked for the right ones."""
    shown = json.dumps(used.ledger.show(Selection()), ensure_ascii=False)
    assert all(word in shown for word in (RECIPIENT, PURPOSE, CASE, BASIS, "subject access 4711", "incident-2026-7"))


def _entries(journal: bytes) -> bytes:
    """The encrypted entries of a journal, without length and key number in front of each."""
    boxes, offset = [], 32
    while offset < len(journal):
        end = offset + 4 + int.from_bytes(journal[offset : offset + 4], "big")
        boxes.append(journal[offset + 8 : end])
        offset = end
    return b"".join(boxes)


def _excess(data: bytes) -> float:
    """How many standard deviations the chi-square statistic of the bytes lies above that of chance (255 degrees)."""
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    expected = len(data) / 256
    chi = float(((counts - expected) ** 2 / expected).sum())
    return (chi - 255) / np.sqrt(2 * 255)
