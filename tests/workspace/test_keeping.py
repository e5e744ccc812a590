"""Kept classes: sealed beside the ledger, found again by who received them, made up for what was never kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from language.offices import Office
from muniment.errors import IntegrityError
from muniment.workspace.keeping import FOLDER, digest_key, exposed_columns, forget_pruned, held_by, keep_release
from muniment.workspace.parts import Parts


@pytest.fixture
def released(office: Office) -> Office:
    """A copy each for two recipients in one release, and one for the first of them again."""
    office.release("A", "B")
    office.release("A", prefix="again-")
    return office


def numbers(parts: Parts, *names: str, but: tuple[int, ...] = ()) -> list[int]:
    held = held_by(parts, parts.register("persons"), names, but=but)
    return sorted(number for one in held for number in one.disclosures)


def test_each_finds_what_it_received_and_nobody_else_does(released: Office) -> None:
    parts = released.parts
    of_a, of_b = numbers(parts, "A"), numbers(parts, "B")
    assert (len(of_a), len(of_b)) == (2, 1) and not set(of_a) & set(of_b)
    assert numbers(parts, "A", "B") == sorted([*of_a, *of_b])
    assert numbers(parts, "C") == []
    assert numbers(parts, "A", but=(of_a[0],)) == of_a[1:] and numbers(parts, "A", but=tuple(of_a)) == []


def test_what_was_never_kept_is_made_up_with_the_same_records_and_classes(released: Office) -> None:
    parts = released.parts
    register = parts.register("persons")
    (before,) = held_by(parts, register, ["B"])
    for path in (parts.folder / FOLDER).glob("*.bin"):
        path.unlink()
    (made,) = held_by(parts, register, ["B"])
    assert made.made_up and made.disclosures == before.disclosures
    assert made.kept.columns == before.kept.columns
    assert np.array_equal(made.kept.records, before.kept.records) and made.kept.rows == 150
    assert np.array_equal(made.kept.keys[made.kept.ids], before.kept.keys[before.kept.ids])


def kept_file(office: Office) -> Path:
    """Keep the classes of one release to two recipients by hand; where they lie."""
    parts = office.parts
    (made,) = held_by(parts, parts.register("persons"), ["B"])
    copies = [copy for copy in office.workspace.copies() if copy.disclosure <= made.disclosures[0] + 1]
    for path in (parts.folder / FOLDER).glob("*.bin"):
        path.unlink()
    keep_release(parts, [replace(copy, columns=()) for copy in copies], made.kept)
    (path,) = (parts.folder / FOLDER).glob("*.bin")
    return path


def test_a_kept_file_is_sealed_bound_to_its_name_and_stays_while_a_disclosure_does(released: Office) -> None:
    path, parts = kept_file(released), released.parts
    assert not [one for one in held_by(parts, parts.register("persons"), ["B"]) if one.made_up]
    data = path.read_bytes()
    assert b"persons" not in data and b"birth_date" not in data
    assert forget_pruned(parts) == 0 and path.exists()
    moved = path.rename(path.with_name(f"{int(path.stem) + 1:012}.bin"))
    with pytest.raises(IntegrityError):
        numbers(parts, "B")
    moved.rename(path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(IntegrityError):
        numbers(parts, "B")


def test_columns_that_expose_are_all_but_key_and_sensitive_in_the_order_asked(office: Office) -> None:
    parts = office.parts
    register = parts.register("persons")
    assert exposed_columns(parts, register, ("sex", "person_id", "birth_date")) == (("sex", "birth_date"), "")
    assert exposed_columns(parts, register, ("person_id",)) == ((), "")


def test_the_key_of_digests_is_no_key_on_disk(office: Office) -> None:
    key = digest_key(office.parts)
    assert len(key) == 32 and key == digest_key(office.parts)
    assert key not in {one.secret for one in office.parts.ring.all("segment")}
