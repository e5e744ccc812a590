"""Stored data that somebody altered, cut, exchanged or took away, and passphrases that are wrong or lost.

Everything that is read back is verified before it is used: `IntegrityError`, exit code 3. What cannot be told from a
wrong passphrase (the parameters of scrypt) is `PassphraseError`. Nothing is ever repaired by leaving something out.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import muniment as mu
from language.places import PURPOSE, RECIPIENT, REGISTER, Place, copy_place, make_place
from language.program import muniment as program
from language.rings import CUSTODIANS, PASSPHRASE
from muniment.errors import InputError, IntegrityError, PassphraseError

ENVIRONMENT = {"MUNIMENT_PASSPHRASE": PASSPHRASE}
Spoil = Callable[[bytes], bytes]


def flipped(share: float) -> Spoil:
    """One bit of the byte at this share of the file."""

    def spoil(data: bytes) -> bytes:
        place = min(int(len(data) * share), len(data) - 1)
        return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]

    return spoil


SPOILT: dict[str, Spoil] = {
    "first byte": flipped(0),
    "a quarter in": flipped(0.25),
    "the middle": flipped(0.5),
    "last byte": flipped(1),
    "cut short": lambda data: data[:-20],
    "empty": lambda data: b"",
}
FILES = {
    "ledger/journal.bin": lambda place: place.open(),
    "ledger/head": lambda place: place.open(),
    "baseline/0000.bin": lambda place: place.release("out.csv"),
    "decoys/0000-0000.bin": lambda place: place.release("out.csv"),
    "ledger/segments/*": lambda place: place.open().trace(place.copy),
    "ledger/ordinals/*.key": lambda place: place.release("out.csv"),
    "ledger/log/checkpoint": lambda place: place.release("out.csv"),
}
"""Each sealed file, and what reads it first."""


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("how", sorted(SPOILT))
def test_an_altered_file(spoilt: Place, name: str, how: str) -> None:
    for path in sorted(spoilt.office.glob(name)):
        path.write_bytes(SPOILT[how](path.read_bytes()))
    with pytest.raises(IntegrityError) as caught:
        FILES[name](spoilt)
    assert caught.value.exit_code == 3
    assert name.rpartition("/")[0] in caught.value.message
    assert not (spoilt.folder / "out.csv").exists()


def test_every_byte_of_the_journal_counts(spoilt: Place) -> None:
    """Without the passphrase each time: the journal alone, a bit of every thirteenth byte."""
    from muniment.ledger.journal import Journal

    keys = mu.open(spoilt.office, PASSPHRASE)._parts.ring.all("segment")
    path = spoilt.office / "ledger/journal.bin"
    whole = path.read_bytes()
    for place in range(0, len(whole), 13):
        path.write_bytes(flipped(place / len(whole))(whole))
        with pytest.raises(IntegrityError):
            Journal.open(path, keys)
    path.write_bytes(whole)
    Journal.open(path, keys)


def test_a_file_that_is_missing(spoilt: Place) -> None:
    for name, kind in (
        ("ledger/head", IntegrityError), ("ledger/journal.bin", InputError), ("keys/ring.json", InputError),
        ("muniment.toml", InputError),
    ):  # fmt: skip
        path = spoilt.office / name
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(kind):
            spoilt.open()
        path.write_bytes(content)
    assert spoilt.open().copies()


def test_segments_that_are_missing(spoilt: Place) -> None:
    for path in (spoilt.office / "ledger/segments").iterdir():
        path.unlink()
    with pytest.raises(IntegrityError, match="is missing"):
        spoilt.open().trace(spoilt.copy)


def test_two_files_exchanged(spoilt: Place) -> None:
    sets = sorted((spoilt.office / "ledger/segments").iterdir())
    baseline, decoys = spoilt.office / "baseline/0000.bin", spoilt.office / "decoys/0000-0000.bin"
    shutil.copy(sets[0], baseline)
    with pytest.raises(IntegrityError, match=r"does not verify|no sealed file"):
        spoilt.release("out.csv")
    shutil.copy(baseline, decoys)
    with pytest.raises(IntegrityError, match=r"does not verify|no sealed file"):
        spoilt.release("out.csv")


def test_the_ledger_of_another_workspace(place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = make_place(tmp_path_factory.mktemp("other"))
    shutil.rmtree(place.office / "ledger")
    shutil.copytree(other.office / "ledger", place.office / "ledger")
    with pytest.raises(IntegrityError):
        place.open()


def test_a_journal_put_back_without_its_head(spoilt: Place, made: Place) -> None:
    """An older journal with the newer head: entries are gone, and that is seen."""
    path = spoilt.office / "ledger/journal.bin"
    whole = path.read_bytes()
    spoilt.release("later.csv", to="Somebody later")
    path.write_bytes(whole)
    with pytest.raises(IntegrityError, match="cut short"):
        spoilt.open()


# --- the key ring ----------------------------------------------------------------------------------------------------


def test_an_altered_key_ring(place: Place) -> None:
    path = place.office / "keys/ring.json"
    ring = json.loads(path.read_text())

    def altered(change: Callable[[dict[str, object]], object]) -> None:
        new = json.loads(json.dumps(ring))
        change(new)
        path.write_text(json.dumps(new))
        place.open()

    keys = range(len(ring["keys"]))
    attacks: list[Callable[[dict[str, object]], object]] = [
        lambda new: new["keys"].pop(),  # type: ignore[attr-defined]
        lambda new: new["keys"].reverse(),  # type: ignore[attr-defined]
        lambda new: new.update(seal=new["keys"][0]["box"]),  # type: ignore[index]
        lambda new: new.update(format="muniment key ring 0"),
        lambda new: new["scrypt"].update(n=2),  # type: ignore[attr-defined]
        lambda new: new["scrypt"].update(n=2**40),  # type: ignore[attr-defined]
        lambda new: new.pop("seal"),
        *[lambda new, i=i: new["keys"][i].update(box=new["keys"][i - 1]["box"]) for i in keys],  # type: ignore[index, misc]
        *[lambda new, i=i: new["keys"][i].update(commitment="0" * 64) for i in keys],  # type: ignore[index, misc]
        *[lambda new, i=i: new["keys"][i].update(id="mark-9") for i in keys],  # type: ignore[index, misc]
    ]
    for attack in attacks:
        with pytest.raises(IntegrityError) as caught:
            altered(attack)
        assert "ring.json" in caught.value.message
    for junk in ("", "{}", "[1]", "x" * 100, path.read_text()[:-200], "[" * 100_000):
        path.write_text(junk)
        with pytest.raises(IntegrityError):
            place.open()
    path.write_text(json.dumps(ring))
    assert place.open().copies()


def test_a_wrong_or_missing_passphrase(place: Place) -> None:
    with place.unchanged():
        for wrong in ("not this one", "", PASSPHRASE + " ", "x" * 2_000, "nul\0"):
            with pytest.raises(PassphraseError) as caught:
                mu.open(place.office, wrong)
            assert "cannot be recovered" in caught.value.hint
        for env, said in (({"MUNIMENT_PASSPHRASE": ""}, "no passphrase"), ({"MUNIMENT_PASSPHRASE": "no"}, "is wrong")):
            outcome = program("--workspace", place.office, "copies", env=env)
            assert outcome.code == 2
            assert outcome.out == ""
            assert said in outcome.err
            assert "\ntry: " in outcome.err


def test_a_new_passphrase_that_is_too_short(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError, match="too short"):
        mu.init(tmp_path / "office", "1234567")
    assert not list(tmp_path.rglob("*.json"))


def test_a_lost_custodian(tmp_path: Path) -> None:
    made = make_place(tmp_path, custodians=CUSTODIANS)
    for given, said in (
        (None, "custodian"),
        ((CUSTODIANS[0], None), "custodian 2 is missing"),
        ((None, CUSTODIANS[1]), "custodian 1 is missing"),
        ((CUSTODIANS[1], CUSTODIANS[0]), "custodian 1 is wrong"),
        ((CUSTODIANS[0], "somebody else's"), "custodian 2 is wrong"),
    ):
        with made.unchanged(), pytest.raises(PassphraseError, match=said):
            mu.open(made.office, PASSPHRASE, custodians=given).release(
                REGISTER, to="X", purpose=PURPOSE, out=made.folder / "out.csv"
            )
    # Without them everything that needs no mark key still works, and nothing that does.
    office = mu.open(made.office, PASSPHRASE)
    with made.unchanged(), pytest.raises(PassphraseError, match="are missing"):
        office.trace(made.copy)
    assert [copy.recipient.name for copy in office.copies()] == [RECIPIENT]
    assert office.check(REGISTER).rows == 300
    assert mu.open(made.office, PASSPHRASE, custodians=CUSTODIANS).trace(made.copy).verdict == "named"


# --- bundles and settings --------------------------------------------------------------------------------------------


def test_an_altered_bundle(place: Place) -> None:
    bundle = place.folder / "verdict.zip"
    place.open().trace(place.copy, bundle=bundle)
    assert program("recompute", bundle).code == 0
    whole = bundle.read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        regions = {info.filename: info.header_offset + 60 + info.file_size // 2 for info in archive.infolist()}
    assert len(regions) == 5
    for region in regions.values():
        bundle.write_bytes(flipped(region / len(whole))(whole))
        outcome = program("recompute", bundle)
        assert (outcome.code, outcome.out) == (3, ""), region
        assert outcome.err.startswith("error: ")
    bundle.write_bytes(whole[:-100])
    assert program("recompute", bundle).code == 3
    bundle.write_bytes(b"no zip at all")
    assert program("recompute", bundle).code in (2, 3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('lang = "en"', 'lang = "tlh"'),
        ("alpha = 1e-06", "alpha = 2"),
        ("alpha = 1e-06", "alpha = nan"),
        ('carriers = ["date-layout"]', 'carriers = ["no-such-carrier"]'),
        ('carriers = ["date-layout"]', 'carriers = ["../../x"]'),
        ("[workspace]", "[workspace"),
        ("[workspace]", "\0"),
        ("\ncoalition = 10", "\ncoalition = 1"),
        ("\ncoalition = 10", "\ncoalition = 3"),
        ('\nkey = ["person_id"]', '\nkey = ["household_id"]'),
    ],
)
def test_settings_that_are_none(place: Place, old: str, new: str) -> None:
    path = place.office / "muniment.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with place.unchanged(), pytest.raises(InputError, match=r"muniment\.toml|carrier") as caught:
        place.release("out.csv")
    assert caught.value.message.isprintable()


def test_copies_of_a_place_do_not_touch_it(furnished: Place, tmp_path: Path) -> None:
    copy_place(furnished, tmp_path).release("out.csv")
    assert len(furnished.open().copies()) == 2
