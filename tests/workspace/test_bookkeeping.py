"""The ledger as its keeper handles it, on real workspaces: shown, verified, pruned, suspended, opened."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet
import pytest

from language.disclosed import TOLD, give, key_of, ordinals_of, without_signing
from language.offices import PURPOSE, Office, read_table
from language.rings import NOW
from muniment.disclosure import Party
from muniment.errors import InputError, IntegrityError, LimitError
from muniment.ledger.pruning import PruneNotice, is_prune_notice
from muniment.workspace import bookkeeping
from muniment.workspace.bookkeeping import Selection

WHY = "request of the person"
WU = replace(TOLD, party=Party("Clinic", "wu"), case="2026-99", fingerprint="")


@pytest.fixture
def busy(office: Office) -> Office:
    """A copy for Tax, then a read by chen of Tax, then one by wu of the Clinic."""
    office.release("Tax", case="2026-17")
    give(office, [key_of(office, 0), key_of(office, 1)])
    give(office, [key_of(office, 1)], WU)
    return office


def shown(office: Office, **chosen: object) -> list[object]:
    found = office.workspace.ledger.show(Selection(**chosen))  # type: ignore[arg-type]
    return [one["sequence"] for one in found]


# --- show ----------------------------------------------------------------------------------------------------------


def test_everything_is_shown_oldest_first_with_its_counts(busy: Office) -> None:
    found = busy.workspace.ledger.show(Selection())
    assert [(one["sequence"], one["recipient"], one["rows"], one["records"]) for one in found] == [
        (1, "Tax", 150, 150), (2, "Tax", 2, 2), (3, "Clinic", 1, 1),
    ]  # fmt: skip
    assert [one["case"] for one in found] == ["2026-17", "2026-17", "2026-99"]
    assert {one["sealed"] for one in found} == {True}
    assert not {one["withheld"] for one in found} - {False}


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        ({"recipient": "Tax"}, [1, 2]),
        ({"account": "chen"}, [2]),
        ({"recipient": "Clinic", "account": "wu"}, [3]),
        ({"recipient": "Tax", "account": "wu"}, []),
        ({"case": "2026-17"}, [1, 2]),
        ({"channel": "file"}, [1]),
        ({"channel": "application", "case": "2026-99"}, [3]),
        ({"recipient": "Nobody"}, []),
    ],
)
def test_only_what_is_meant_is_shown(busy: Office, chosen: dict[str, object], numbers: list[int]) -> None:
    assert shown(busy, **chosen) == numbers


def test_times_are_inclusive_at_the_start_and_exclusive_at_the_end(busy: Office) -> None:
    times = [datetime.fromisoformat(str(one["time"])) for one in busy.workspace.ledger.show(Selection())]
    assert times == sorted(set(times))
    assert shown(busy, since=times[1]) == [2, 3]
    assert shown(busy, until=times[1]) == [1]
    assert shown(busy, since=times[1], until=times[2]) == [2]
    zone = times[1].astimezone(UTC) + timedelta(milliseconds=1)
    assert shown(busy, since=zone) == [3]


def test_the_newest_only_and_in_parts(busy: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    books = busy.workspace.ledger
    assert [one["sequence"] for one in books.show(Selection(), newest=2)] == [2, 3]
    assert len(books.show(Selection(), newest=20)) == 3
    whole = books.show(Selection())
    monkeypatch.setattr(bookkeeping, "SHOWN", 2)
    assert books.show(Selection()) == whole


def test_records_come_with_small_disclosures_where_they_are_asked_for(busy: Office) -> None:
    events = list(busy.workspace.ledger.events(Selection(), named=2))
    assert [len(event.disclosure.records) for event in events] == [0, 2, 1]
    assert [event.records for event in events] == [150, 2, 1]
    assert list(events[2].disclosure.records) == ordinals_of(busy, [key_of(busy, 1)])


def test_the_unsealed_tail_is_shown_as_such(busy: Office) -> None:
    without_signing(busy)
    give(busy, [key_of(busy, 5)])
    assert [one["sealed"] for one in busy.workspace.ledger.show(Selection())] == [True, True, True, False]
    head = busy.workspace.ledger.head()
    assert (head["size"], head["unsealed"]) == (3, 1)


def test_an_empty_ledger_shows_nothing(office: Office) -> None:
    assert office.workspace.ledger.show(Selection(recipient="Tax")) == []
    head = office.workspace.ledger.head()
    assert (head["size"], head["unsealed"], head["witnessed"]) == (0, 0, {})
    assert office.workspace.ledger.verify(full=True).ok


# --- verify --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("full", [False, True])
def test_a_sound_ledger_verifies(busy: Office, full: bool) -> None:
    busy.workspace.ledger.reindex()
    done: list[tuple[int, int]] = []
    found = busy.workspace.ledger.verify(full=full, progress=lambda *at: done.append(at))
    assert found.faults == ()
    assert (found.segments, found.disclosures, found.records, found.unsealed, found.indexed) == (3, 3, 153, 0, 3)
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert found.to_json()["ok"] is True
    assert found.checkpoint == busy.workspace.ledger.head()["checkpoint"]


def test_a_missing_and_an_altered_segment_are_named(busy: Office) -> None:
    folder = busy.folder / "office" / "ledger" / "segments"
    first, second, _ = (one.manifest.file for one in busy.parts.ledger.segments())
    (folder / first).unlink()
    data = bytearray((folder / second).read_bytes())
    data[-20] ^= 1
    (folder / second).write_bytes(data)
    found = busy.reopen().ledger.verify()
    assert not found.ok
    assert len(found.faults) == 2
    assert first in found.faults[0] and second in found.faults[1]


def test_a_write_ahead_file_that_is_gone_is_a_fault(busy: Office) -> None:
    without_signing(busy)
    give(busy, [key_of(busy, 5)])
    for path in (busy.folder / "office" / "ledger" / "wal").glob("*.wal"):
        path.unlink()
    found = busy.workspace.ledger.verify()
    assert [fault for fault in found.faults if "4 were acknowledged" in fault]


def test_a_journal_from_a_backup_is_a_fault(busy: Office) -> None:
    ledger = busy.folder / "office" / "ledger"
    kept = {name: (ledger / name).read_bytes() for name in ("journal.bin", "head")}
    busy.release("Health")
    for name, data in kept.items():
        (ledger / name).write_bytes(data)
    found = busy.reopen().ledger.verify()
    assert not found.ok


# --- prune ---------------------------------------------------------------------------------------------------------


def test_pruning_leaves_a_notice_a_ledger_that_verifies_and_answers(busy: Office) -> None:
    busy.workspace.ledger.reindex()
    books, segments = busy.workspace.ledger, busy.parts.ledger.segments()
    limit = datetime.fromtimestamp(segments[1].manifest.start / 1000, UTC)
    assert [one.id for one in books.prunable(limit)] == [segments[0].manifest.id]
    gone = books.prune(limit, reason="retention of three years")
    assert [one.id for one in gone] == [segments[0].manifest.id]
    folder = busy.folder / "office" / "ledger" / "segments"
    assert {path.name for path in folder.iterdir()} == {one.manifest.file for one in segments[1:]}
    (notice,) = [PruneNotice.from_leaf(leaf) for leaf in busy.parts.ledger.log().leaves() if is_prune_notice(leaf)]
    assert (notice.segments, notice.reason, notice.before) == ((gone[0].id,), "retention of three years", limit)
    for full in (False, True):
        assert busy.workspace.ledger.verify(full=full).faults == ()
    told = busy.workspace.who(key_of(busy, 1), purpose=WHY)
    assert [one["purpose"] for one in told.disclosures][:2] == ["assessment", "assessment"]
    assert busy.workspace.prove(key_of(busy, 1), purpose=WHY)["events"]
    assert books.prune(limit, reason="again") == ()


def test_everything_may_go_and_the_numbers_go_on(busy: Office) -> None:
    assert len(busy.workspace.ledger.prune(NOW + timedelta(days=1), reason="closed")) == 3
    assert shown(busy) == []
    assert busy.workspace.ledger.verify(full=True).faults == ()
    assert give(busy, [key_of(busy, 0)]).first == 4
    assert shown(busy) == [4]


def test_a_copy_whose_disclosure_was_pruned_is_still_traced(busy: Office) -> None:
    busy.release("Health")
    busy.workspace.ledger.prune(NOW + timedelta(days=1), reason="closed")
    verdict = busy.trace(busy.out("Tax.csv"))
    assert [(named.recipient, named.copies) for named in verdict.named] == [("Tax", ())]


def test_a_segment_stays_until_its_newest_disclosure_is_past_the_term(office: Office) -> None:
    without_signing(office)
    first = give(office, [key_of(office, 0)]).time
    last = give(office, [key_of(office, 1)]).time
    office.parts  # noqa: B018 - opened with the clerk's ring
    moment = datetime.fromtimestamp(last / 1000, UTC)
    assert first < last
    assert office.workspace.ledger.prunable(moment) == (), "nothing is sealed yet"


def test_the_term_is_that_of_the_settings_unless_a_date_is_given(busy: Office) -> None:
    with pytest.raises(InputError, match="no term") as raised:
        busy.workspace.ledger.prunable()
    assert raised.value.hint == "muniment ledger prune --before DATE"
    settings = busy.folder / "office" / "muniment.toml"
    text = settings.read_text(encoding="utf-8")
    line = "[ledger]\nretention_days = 30\n"
    settings.write_text(text.replace("[ledger]\n", line) if "[ledger]" in text else f"{text}\n{line}", encoding="utf-8")
    busy.reopen()
    assert busy.workspace.ledger.prunable() == ()
    busy.clock = lambda: NOW + timedelta(days=31, hours=1)  # type: ignore[assignment]
    busy.reopen()
    assert len(busy.workspace.ledger.prune(reason="term")) == 3


@pytest.mark.parametrize("reason", ["", "  ", "x" * 20_000])
def test_a_notice_says_why(busy: Office, reason: str) -> None:
    with pytest.raises((InputError, LimitError), match="says why"):
        busy.workspace.ledger.prune(NOW + timedelta(days=1), reason=reason)
    assert len(busy.parts.ledger.segments()) == 3


def test_a_date_needs_its_zone(busy: Office) -> None:
    with pytest.raises(InputError, match="without its time zone"):
        busy.workspace.ledger.prunable(datetime(2026, 11, 24))


def test_a_clerk_who_cannot_sign_prunes_nothing(busy: Office) -> None:
    without_signing(busy)
    before = [one.manifest.file for one in busy.parts.ledger.segments()]
    with pytest.raises(InputError):
        busy.workspace.ledger.prune(NOW + timedelta(days=1), reason="closed")
    folder = busy.folder / "office" / "ledger" / "segments"
    assert sorted(path.name for path in folder.iterdir()) == sorted(before)


def test_files_left_by_a_crash_after_the_notice_are_swept(busy: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bookkeeping, "remove", crash)
        with pytest.raises(KeyboardInterrupt):
            busy.workspace.ledger.prune(NOW + timedelta(days=1), reason="closed")
    assert busy.workspace.ledger.verify().ok
    assert shown(busy) == []
    give(busy, [key_of(busy, 0)])
    assert len(list((busy.folder / "office" / "ledger" / "segments").iterdir())) == 1


# --- suspend -------------------------------------------------------------------------------------------------------


def test_an_order_is_shown_to_the_keeper_and_may_be_ended(busy: Office) -> None:
    books = busy.workspace.ledger
    order = books.suspend([2, 3], until=NOW + timedelta(days=30), order="prosecutor 7/26")
    assert (order.sequences, order.key) == ((2, 3), "signing-1")
    assert [one["withheld"] for one in books.show(Selection())] == [False, True, True]
    books.suspend([3], until=NOW, order="prosecutor 7/26, lifted")
    assert [one["withheld"] for one in books.show(Selection())] == [False, True, False]
    assert [one.order for one in books.suspensions()] == ["prosecutor 7/26", "prosecutor 7/26, lifted"]


@pytest.mark.parametrize("sequence", [0, 4, 10**9])
def test_an_order_about_no_disclosure_is_a_mistake(busy: Office, sequence: int) -> None:
    with pytest.raises((InputError, IntegrityError)):
        busy.workspace.ledger.suspend([2, sequence], until=NOW + timedelta(days=30), order="prosecutor 7/26")
    assert busy.workspace.ledger.suspensions() == ()


# --- head, seal, open ----------------------------------------------------------------------------------------------


def test_the_head_is_the_signed_checkpoint_and_who_signs(busy: Office) -> None:
    head = busy.workspace.ledger.head()
    name, key, _ = str(head["verifiers"][0]).split("+", 2)  # type: ignore[index]
    assert name == busy.parts.ledger.origin
    assert len(key) == 8
    assert str(head["checkpoint"]).splitlines()[:2] == [name, "3"]


def test_what_a_clerk_left_is_sealed_by_who_may_sign(busy: Office) -> None:
    ring = busy.folder / "office" / "keys" / "ring.json"
    whole = ring.read_bytes()
    without_signing(busy)
    give(busy, [key_of(busy, 5)])
    with pytest.raises(InputError, match="no signing key"):
        busy.workspace.ledger.seal()
    ring.write_bytes(whole)
    (manifest,) = busy.reopen().ledger.seal()
    assert (manifest.first, manifest.last, manifest.rows) == (4, 4, 1)
    assert busy.workspace.ledger.seal() == ()


def test_an_opened_segment_reads_in_pyarrow_and_duckdb(busy: Office) -> None:
    crowd = [f"Z{number:05}" for number in range(5_000)]
    give(busy, crowd)
    for logged in busy.parts.ledger.segments():
        out = busy.out(f"{logged.manifest.id}.parquet")
        manifest = busy.workspace.ledger.open_segment(logged.manifest.id[:10], out)
        assert out.stat().st_mode & 0o077 == 0
        table = pyarrow.parquet.read_table(out)
        assert table.num_rows == manifest.rows
        assert table.column("sequence").to_pylist() == logged.batch().sequence.tolist()
        query = "SELECT sequence, case, len(records) + coalesce(list_sum(run_length), 0) FROM read_parquet(?)"
        found = duckdb.execute(query.replace("case", '"case"'), [str(out)]).fetchall()
        batch = logged.batch()
        cases = [batch.case[row] for row in range(len(batch))]
        assert found == list(zip(batch.sequence.tolist(), cases, batch.counts.tolist(), strict=True))


def test_the_short_script_opens_the_same_bytes_with_the_key_of_that_segment(busy: Office) -> None:
    logged, other, _ = busy.parts.ledger.segments()
    out, key = busy.out("ours.parquet"), busy.out("key.hex")
    busy.workspace.ledger.open_segment(logged.manifest.id, out)
    busy.workspace.ledger.segment_key(logged.manifest.id, key)
    assert key.stat().st_mode & 0o077 == 0
    script = Path(__file__).resolve().parents[2] / "docs" / "open_segment.py"
    folder = busy.folder / "office" / "ledger" / "segments"
    for one, code, data in ((logged, 0, out.read_bytes()), (other, 1, b"")):
        command = [sys.executable, str(script), str(key), str(folder / one.manifest.file)]
        result = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert (result.returncode, result.stdout) == (code, data), result.stderr


@pytest.mark.parametrize("start", ["", "zz", "not an id"])
def test_a_segment_has_to_be_named_clearly(busy: Office, start: str) -> None:
    with pytest.raises(InputError, match="expected one"):
        busy.workspace.ledger.open_segment(start, busy.out("x.parquet"))
    assert not busy.out("x.parquet").exists()


def test_an_altered_segment_is_not_opened(busy: Office) -> None:
    logged = busy.parts.ledger.segments()[0]
    path = busy.folder / "office" / "ledger" / "segments" / logged.manifest.file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError):
        busy.reopen().ledger.open_segment(logged.manifest.id, busy.out("x.parquet"))
    assert os.listdir(busy.folder / "out") == ["Tax.csv"]
    assert read_table(busy.out("Tax.csv")).rows == 150


def test_repr_shows_the_folder_only(busy: Office) -> None:
    assert repr(busy.workspace.ledger) == f"Books({str(busy.folder / 'office')!r})"
    assert PURPOSE not in repr(busy.workspace.ledger)
