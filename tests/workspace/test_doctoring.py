"""Doctor: each check in each state that it can have, on a real workspace."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from language.disclosed import give, key_of, without_signing
from language.offices import Office
from language.rings import NOW, PASSPHRASE
from muniment.errors import UnreachableError
from muniment.workspace import doctoring
from muniment.workspace.doctoring import CHECKS, Check
from muniment.workspace.office import init


@pytest.fixture
def still(office: Office) -> Office:
    """An office whose clock stands still, at an hour after everything that was recorded."""
    office.clock = lambda: NOW + timedelta(hours=1)  # type: ignore[assignment]
    return office


def seen(office: Office, name: str) -> Check:
    """What one check says; it is there once."""
    (found,) = [check for check in office.reopen().examine() if check.name == name]
    return found


def set_up(office: Office, line: str) -> None:
    """Put a line under [ledger] in muniment.toml."""
    settings = office.folder / "office" / "muniment.toml"
    text = settings.read_text(encoding="utf-8")
    head = "[ledger]\n"
    settings.write_text(
        text.replace(head, f"{head}{line}\n") if head in text else f"{text}\n{head}{line}\n", encoding="utf-8"
    )


# --- all of them ---------------------------------------------------------------------------------------------------


def test_a_new_office_is_in_order_but_for_the_second_disk(still: Office) -> None:
    found = still.workspace.examine()
    assert [check.name for check in found] == list(CHECKS)
    assert {check.name: check.state for check in found if check.state != "ok"} == {"checkpoint": "warn"}
    assert found[0].to_json() == {"check": "keys", "state": "ok", "count": 4}


def test_a_check_changes_nothing(still: Office) -> None:
    give(still, [key_of(still, 0)])
    folder = still.folder / "office"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    still.workspace.examine()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_every_text_that_a_check_can_ask_for_is_written() -> None:
    """A state that no message stands for would end the command."""
    import tomllib

    states = {
        "keys": "ok warn", "signing": "ok warn", "clock": "ok fault", "disk": "ok warn", "sync": "ok warn fault",
        "permissions": "ok warn", "checkpoint": "ok warn", "tail": "ok warn", "index": "ok warn",
        "retention": "ok warn", "leftovers": "ok warn",
    }  # fmt: skip
    assert set(states) == set(CHECKS)
    messages = Path(doctoring.__file__).parents[1] / "messages"
    for path in messages.glob("*.toml"):
        texts = tomllib.loads(path.read_text(encoding="utf-8"))["doctor"]
        for name, known in states.items():
            missing = [state for state in known.split() if f"{name}.{state}" not in texts]
            assert not missing, f"{path.name}: {name}: {missing}"


def test_a_ledger_that_does_not_verify_is_broken_in_every_check_that_reads_it(still: Office) -> None:
    give(still, [key_of(still, 0)])
    log = still.folder / "office" / "ledger" / "log"
    shutil.copytree(log, still.folder / "backup")
    give(still, [key_of(still, 1)])
    shutil.rmtree(log)
    shutil.move(still.folder / "backup", log)
    found = {check.name: check for check in still.reopen().examine()}
    assert {name for name, check in found.items() if check.state == "broken"} == {
        "checkpoint", "tail", "index", "retention"
    } - ({"retention"} if found["retention"].state == "ok" else set())  # fmt: skip
    assert "restored from a backup" in str(found["checkpoint"].values["reason"])


def test_a_disk_that_cannot_be_reached_ends_the_examination(still: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: object) -> Any:
        raise UnreachableError("the disk went away")

    monkeypatch.setitem(CHECKS, "tail", gone)
    with pytest.raises(UnreachableError, match="the disk went away"):
        still.workspace.examine()


# --- keys, signing -------------------------------------------------------------------------------------------------


def test_keys_that_the_journal_does_not_know(still: Office) -> None:
    """A rotation that was cut short between ring and journal."""
    still.parts.ring.rotate("mark", now=NOW, random_bytes=os.urandom)
    found = seen(still, "keys")
    assert (found.state, found.values) == ("warn", {"keys": "mark-2"})
    still.workspace.release("persons", to="Tax", purpose="check", out=still.out("a.csv"))
    assert seen(still, "keys").state == "ok", "the next release makes it good"


def test_an_older_key_ring(still: Office) -> None:
    ring = still.folder / "office" / "keys" / "ring.json"
    old = ring.read_bytes()
    still.workspace.rotate("pseudonym")
    ring.write_bytes(old)
    found = seen(still, "keys")
    assert found.state == "broken"
    assert "pseudonym-2: in use, but not in this key ring" in str(found.values["reason"])


def test_keys_of_another_ring(still: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    commitments = dict(still.parts.ring.commitments()) | {"mark-1": "0" * 64}
    monkeypatch.setattr(type(still.parts.ring), "commitments", lambda self: commitments)
    found = seen(still, "keys")
    assert found.state == "broken"
    assert "mark-1: not the key that the journal committed to" in str(found.values["reason"])


def test_a_ring_that_cannot_sign(still: Office) -> None:
    assert seen(still, "signing").state == "ok"
    without_signing(still)
    assert seen(still, "signing").state == "warn"


# --- clock ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["journal", "ledger"])
def test_a_clock_behind_what_was_recorded(still: Office, what: str) -> None:
    if what == "journal":
        still.parts.journal.append("note", {}, NOW + timedelta(hours=2))
    else:
        still.clock = lambda: NOW + timedelta(hours=2)  # type: ignore[assignment]
        still.reopen()
        give(still, [key_of(still, 0)])
    still.clock = lambda: NOW + timedelta(hours=1)  # type: ignore[assignment]
    found = seen(still, "clock")
    assert (found.state, found.values) == ("fault", {"seconds": 3600})
    still.clock = lambda: NOW + timedelta(hours=2) - doctoring.CLOCK_SLACK  # type: ignore[assignment]
    assert seen(still, "clock").state == "ok"


# --- disk ----------------------------------------------------------------------------------------------------------


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(("free", "state"), [(doctoring.LEAST_FREE, "ok"), (doctoring.LEAST_FREE - 1, "warn")])
def test_room_on_the_disk(still: Office, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, free))
    found = seen(still, "disk")
    assert found.state == state
    assert str(found.values["free"]) == ("2 GiB" if state == "ok" else "2,048 MiB")


@pytest.mark.parametrize(("seconds", "state"), [(0.001, "ok"), (0.2, "warn")])
def test_how_long_a_sync_takes(still: Office, monkeypatch: pytest.MonkeyPatch, seconds: float, state: str) -> None:
    ticks = iter(range(1_000_000))
    monkeypatch.setattr(doctoring.time, "perf_counter", lambda: next(ticks) * seconds)
    found = seen(still, "sync")
    assert (found.state, found.values["milliseconds"]) == (state, 1000 * seconds)


@pytest.mark.parametrize("call", ["open", "pwrite"])
def test_a_folder_that_cannot_be_written(still: Office, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    real: Callable[..., Any] = getattr(os, call)

    def refused(*arguments: Any, **options: Any) -> Any:
        if call == "pwrite" or ".doctor." in str(arguments[0]):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(*arguments, **options)

    workspace = still.reopen()
    monkeypatch.setattr(os, call, refused)
    (found,) = [check for check in workspace.examine() if check.name == "sync"]
    assert (found.state, found.values) == ("fault", {"reason": "read-only file system"})
    assert not list((still.folder / "office" / "ledger").glob(".doctor*"))


# --- permissions, leftovers ----------------------------------------------------------------------------------------


def test_files_that_others_may_read(still: Office) -> None:
    still.workspace.release("persons", to="Tax", purpose="check", out=still.out("a.csv"))
    assert seen(still, "permissions").state == "ok", "nothing that we write is"
    (still.folder / "office" / "keys" / "ring.json").chmod(0o640)
    (still.folder / "office" / "ledger" / "log").chmod(0o701)
    found = seen(still, "permissions")
    assert (found.state, found.values) == ("warn", {"count": 2, "first": "keys/ring.json"})


def test_what_a_killed_process_left(still: Office) -> None:
    assert seen(still, "leftovers").values == {"files": 0, "first": ""}
    left = still.folder / "office" / "ledger" / ".x.seg.1234.partial"
    left.write_bytes(b"")
    left.chmod(0o600)
    found = seen(still, "leftovers")
    assert (found.state, found.values) == ("warn", {"files": 1, "first": f"ledger/{left.name}"})


# --- checkpoint ----------------------------------------------------------------------------------------------------


def test_a_second_place_on_another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    away = (tmp_path / "away").resolve()
    init(tmp_path / "office", PASSPHRASE, second=away, clock=lambda: NOW)
    office = Office(tmp_path, clock=lambda: NOW)  # type: ignore[arg-type]
    assert seen(office, "checkpoint").state == "warn", "both lie on the disk of the tests"
    real = Path.stat

    def stat(path: Path, **options: Any) -> Any:
        found = real(path, **options)
        if path != away:
            return found
        return os.stat_result([*found[:2], found.st_dev + 1, *found[3:10]])

    monkeypatch.setattr(Path, "stat", stat)
    assert seen(office, "checkpoint") == Check("checkpoint", "ok", {"size": 0})


def test_a_second_place_that_is_not_there(tmp_path: Path) -> None:
    away = tmp_path / "away"
    init(tmp_path / "office", PASSPHRASE, second=away, clock=lambda: NOW)
    office = Office(tmp_path, clock=lambda: NOW)  # type: ignore[arg-type]
    give_nothing = office.reopen().ledger.head()
    assert give_nothing["size"] == 0
    shutil.rmtree(away)
    assert seen(office, "checkpoint").state == "broken"


# --- tail, index, retention ----------------------------------------------------------------------------------------


def test_disclosures_that_wait_for_sealing(still: Office) -> None:
    without_signing(still)
    give(still, [key_of(still, 0)])
    found = seen(still, "tail")
    assert (found.state, found.values) == ("ok", {"disclosures": 1}), "just recorded"
    still.clock = lambda: NOW + timedelta(hours=1, seconds=61)  # type: ignore[assignment]
    found = seen(still, "tail")
    assert (found.state, found.values) == ("warn", {"disclosures": 1})


def test_segments_that_the_index_does_not_cover(still: Office) -> None:
    assert seen(still, "index") == Check("index", "ok", {"segments": 0})
    give(still, [key_of(still, 0)])
    assert seen(still, "index") == Check("index", "warn", {"segments": 1})
    give(still, [key_of(still, 1)])
    assert seen(still, "index") == Check("index", "warn", {"segments": 2})
    still.workspace.ledger.reindex()
    assert seen(still, "index") == Check("index", "ok", {"segments": 0})


def test_an_index_about_segments_that_were_pruned(still: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the notice and the new index: nothing of the old one is used."""
    give(still, [key_of(still, 0)])
    still.clock = lambda: NOW + timedelta(hours=3)  # type: ignore[assignment]
    still.reopen()
    give(still, [key_of(still, 1)])
    still.workspace.ledger.reindex()
    with monkeypatch.context() as patch:
        patch.setattr(type(still.parts.ledger), "reindex", lambda self, **_: None)
        still.workspace.ledger.prune(NOW + timedelta(hours=2), reason="term")
    assert seen(still, "index") == Check("index", "warn", {"segments": 1})
    still.workspace.ledger.reindex()
    assert seen(still, "index") == Check("index", "ok", {"segments": 0})


def test_an_index_that_does_not_verify(still: Office) -> None:
    give(still, [key_of(still, 0)])
    still.workspace.ledger.reindex()
    for path in (still.folder / "office" / "ledger" / "index").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-7] + b"altered")
    assert seen(still, "index").state == "broken"


def test_segments_past_their_term(still: Office) -> None:
    give(still, [key_of(still, 0)])
    assert seen(still, "retention") == Check("retention", "ok", {"segments": 0})
    set_up(still, "retention_days = 30")
    assert seen(still, "retention") == Check("retention", "ok", {"segments": 0})
    still.clock = lambda: NOW + timedelta(days=31)  # type: ignore[assignment]
    assert seen(still, "retention") == Check("retention", "warn", {"segments": 1})
    still.workspace.ledger.prune(reason="term")
    assert seen(still, "retention").state == "ok"
