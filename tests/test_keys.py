"""The key ring: opens with its passphrase, tells tampering from typing errors, and never loses an old key."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from language.faults import Faults
from language.rings import CUSTODIANS, NOW, PASSPHRASE
from muniment.errors import InputError, IntegrityError, PassphraseError, UnreachableError
from muniment.keys import Key, KeyRing, Purpose

PURPOSES = ("mark", "pseudonym", "segment", "signing")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plain ring and one under custody, made once: scrypt takes a tenth of a second each time."""
    folder = tmp_path_factory.mktemp("rings")
    KeyRing.create(folder / "ring.json", PASSPHRASE, now=NOW, random_bytes=os.urandom)
    KeyRing.create(folder / "held.json", PASSPHRASE, custodians=CUSTODIANS, now=NOW, random_bytes=os.urandom)
    return folder


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    shutil.copy(made / "ring.json", tmp_path / "ring.json")
    return tmp_path / "ring.json"


@pytest.fixture
def held(made: Path, tmp_path: Path) -> Path:
    shutil.copy(made / "held.json", tmp_path / "held.json")
    return tmp_path / "held.json"


def test_new_ring_has_one_key_of_each_purpose(path: Path) -> None:
    ring = KeyRing.open(path, PASSPHRASE)
    keys = [ring.current(purpose) for purpose in PURPOSES]
    assert [key.id for key in keys] == ["mark-1", "pseudonym-1", "segment-1", "signing-1"]
    assert len({key.secret for key in keys}) == 4
    assert {len(key.secret) for key in keys} == {32}
    assert path.stat().st_mode & 0o777 == 0o600
    assert not ring.has_custodians


def test_secrets_come_from_the_given_source_and_show_nowhere(tmp_path: Path) -> None:
    drawn: list[bytes] = []

    def draw(size: int) -> bytes:
        drawn.append(os.urandom(size))
        return drawn[-1]

    ring = KeyRing.create(tmp_path / "keys" / "ring.json", PASSPHRASE, now=NOW, random_bytes=draw)
    key = ring.current("mark")
    assert key.secret in drawn
    assert repr(key.secret) not in repr(key)
    assert key.secret.hex() not in repr(key) + repr(ring) + (tmp_path / "keys" / "ring.json").read_text()


def test_create_never_overwrites(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InputError, match="already"):
        KeyRing.create(path, PASSPHRASE, now=NOW, random_bytes=os.urandom)
    assert path.read_bytes() == before


def test_mistyped_passphrase_is_told_and_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(PassphraseError, match="the key ring is wrong; nothing was changed"):
        KeyRing.open(path, PASSPHRASE + " ")
    assert path.read_bytes() == before
    with pytest.raises(InputError, match="no key ring"):
        KeyRing.open(path.with_name("none.json"), PASSPHRASE)


def _alter(path: Path, change) -> None:  # type: ignore[no-untyped-def]
    stored = json.loads(path.read_bytes())
    change(stored)
    path.write_text(json.dumps(stored))


def _exchange_boxes(stored: dict) -> None:  # type: ignore[type-arg]
    first, second = stored["keys"][0], stored["keys"][1]
    first["box"], second["box"] = second["box"], first["box"]


ALTERATIONS = {
    "key taken out": lambda stored: stored["keys"].pop(0),
    "boxes exchanged": _exchange_boxes,
    "commitment altered": lambda stored: stored["keys"][0].update(commitment="0" * 64),
    "box taken out": lambda stored: stored["keys"][0].update(box=None),
    "box of the signing key exchanged": lambda stored: stored["keys"][3].update(box=stored["keys"][0]["box"]),
    "time altered": lambda stored: stored["keys"][0].update(made="2020-01-01T00:00:00+00:00"),
    "seal taken out": lambda stored: stored.pop("seal"),
    "format of a later version": lambda stored: stored.update(format="muniment key ring 2"),
    "weak scrypt": lambda stored: stored["scrypt"].update(n=2),
    "no list of keys": lambda stored: stored.update(keys=3),
}


@pytest.mark.parametrize("change", ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_altered_ring_is_no_passphrase_error(path: Path, change) -> None:  # type: ignore[no-untyped-def]
    _alter(path, change)
    with pytest.raises(IntegrityError):
        KeyRing.open(path, PASSPHRASE)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"format": "muniment key ring 1"}']
)
def test_damaged_ring_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="not a key ring"):
        KeyRing.open(path, PASSPHRASE)


def test_rotation_adds_and_keeps(path: Path) -> None:
    ring = KeyRing.open(path, PASSPHRASE)
    old = ring.current("mark")
    new = ring.rotate("mark", now=NOW, random_bytes=os.urandom)
    again = KeyRing.open(path, PASSPHRASE)
    assert new.id == "mark-2"
    assert new.number == 2
    assert ring.all("mark") == again.all("mark") == (old, new)
    assert again.current("mark") == new
    assert again.current("segment").id == "segment-1"


def test_two_open_rings_do_not_lose_each_others_rotation(path: Path) -> None:
    first, second = KeyRing.open(path, PASSPHRASE), KeyRing.open(path, PASSPHRASE)
    first.rotate("mark", now=NOW, random_bytes=os.urandom)
    assert second.rotate("mark", now=NOW, random_bytes=os.urandom).id == "mark-3"
    assert len(KeyRing.open(path, PASSPHRASE).all("mark")) == 3


@pytest.mark.parametrize("mode", ["undone", "done"])
def test_failed_rotation_leaves_a_ring_that_opens(path: Path, mode: str) -> None:
    ring = KeyRing.open(path, PASSPHRASE)
    with pytest.MonkeyPatch.context() as patch:
        steps = Faults(patch, None, mode)
        ring.rotate("mark", now=NOW, random_bytes=os.urandom)
    for step in range(len(steps.calls)):
        known = ring.all("mark")
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, step, mode)
            with contextlib.suppress(UnreachableError):
                ring.rotate("mark", now=NOW, random_bytes=os.urandom)
        # A key whose rename was done but reported failed may be there, and is taken up by the next rotation.
        assert ring.all("mark")[: len(known)] == known
    on_disk = KeyRing.open(path, PASSPHRASE).all("mark")
    assert on_disk[: len(known)] == known
    ring.rotate("mark", now=NOW, random_bytes=os.urandom)
    assert ring.all("mark") == KeyRing.open(path, PASSPHRASE).all("mark")


def test_commitment_fixes_id_and_secret(path: Path) -> None:
    ring = KeyRing.open(path, PASSPHRASE)
    key = ring.current("mark")
    label = b"muniment key commitment 1"
    parts = [label, b"mark-1", key.secret]
    expected = sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()
    assert key.commitment == ring.commitments()["mark-1"] == expected
    assert list(ring.commitments()) == ["mark-1", "pseudonym-1", "segment-1", "signing-1"]
    assert Key("mark-2", Purpose.MARK, key.secret).commitment != expected


def test_change_of_passphrase(path: Path) -> None:
    ring = KeyRing.open(path, PASSPHRASE)
    other = KeyRing.open(path, PASSPHRASE)
    ring.change_passphrase("another passphrase", random_bytes=os.urandom)
    with pytest.raises(PassphraseError):
        KeyRing.open(path, PASSPHRASE)
    assert KeyRing.open(path, "another passphrase").all("mark") == ring.all("mark")
    ring.rotate("mark", now=NOW, random_bytes=os.urandom)
    with pytest.raises(PassphraseError, match="changed meanwhile"):
        other.rotate("mark", now=NOW, random_bytes=os.urandom)
    with pytest.raises(PassphraseError, match="too short"):
        ring.change_passphrase("short", random_bytes=os.urandom)
    assert len(KeyRing.open(path, "another passphrase").all("mark")) == 2


def test_ring_without_signing_does_everything_else(path: Path, tmp_path: Path) -> None:
    whole = KeyRing.open(path, PASSPHRASE)
    whole.write_without_signing(tmp_path / "clerk.json")
    clerk = KeyRing.open(tmp_path / "clerk.json", PASSPHRASE)
    assert clerk.current("mark") == whole.current("mark")
    assert clerk.commitments() == whole.commitments()
    with pytest.raises(InputError, match="no signing key"):
        clerk.current("signing")
    with pytest.raises(InputError, match="no signing key"):
        clerk.rotate("signing", now=NOW, random_bytes=os.urandom)
    assert clerk.rotate("mark", now=NOW, random_bytes=os.urandom).id == "mark-2"


def test_custody_locks_the_mark_keys_only(held: Path) -> None:
    ring = KeyRing.open(held, PASSPHRASE)
    assert ring.has_custodians
    assert ring.current("pseudonym").id == "pseudonym-1"
    assert "mark-1" in ring.commitments()
    for locked in (lambda: ring.current("mark"), lambda: ring.rotate("mark", now=NOW, random_bytes=os.urandom)):
        with pytest.raises(PassphraseError, match="custodian 1 and custodian 2 are missing") as caught:
            locked()
        assert "MUNIMENT_CUSTODIAN_1" in caught.value.hint
    assert ring.rotate("segment", now=NOW, random_bytes=os.urandom).id == "segment-2"


def test_custody_opens_with_both(held: Path) -> None:
    ring = KeyRing.open(held, PASSPHRASE)
    with pytest.raises(PassphraseError, match="custodian 2 is wrong"):
        ring.unlock_custody(CUSTODIANS[0], "wrong")
    with pytest.raises(PassphraseError, match="custodian 1 is missing"):
        ring.unlock_custody(None, CUSTODIANS[1])
    with pytest.raises(PassphraseError, match="missing"):
        ring.current("mark")
    ring.unlock_custody(*CUSTODIANS)
    assert ring.current("mark").commitment == ring.commitments()["mark-1"]
    ring.rotate("mark", now=NOW, random_bytes=os.urandom)
    ring.change_passphrase("another passphrase", random_bytes=os.urandom)
    again = KeyRing.open(held, "another passphrase")
    again.unlock_custody(*CUSTODIANS)
    assert again.all("mark") == ring.all("mark")
    assert len(again.all("mark")) == 2


def test_passphrase_of_a_locked_ring_can_be_changed(held: Path) -> None:
    KeyRing.open(held, PASSPHRASE).change_passphrase("another passphrase", random_bytes=os.urandom)
    ring = KeyRing.open(held, "another passphrase")
    ring.unlock_custody(*CUSTODIANS)
    assert ring.current("mark").id == "mark-1"


def test_plain_ring_has_no_custody_to_unlock(path: Path) -> None:
    with pytest.raises(InputError, match="no custodians"):
        KeyRing.open(path, PASSPHRASE).unlock_custody(*CUSTODIANS)


def test_public_keys_are_those_of_the_signing_keys_alone(tmp_path: Path) -> None:
    ring = KeyRing.create(tmp_path / "ring.json", PASSPHRASE, now=NOW, random_bytes=os.urandom)
    (signing,) = ring.all("signing")
    public = Ed25519PrivateKey.from_private_bytes(signing.secret).public_key().public_bytes_raw()
    assert ring.public_keys() == {"signing-1": public.hex()}
    ring.write_without_signing(tmp_path / "other.json")
    assert KeyRing.open(tmp_path / "other.json", PASSPHRASE).public_keys() == {}
