"""docs/verify_ledger.py: a second hand that shares no code with ours agrees with it, and refuses every corruption."""

from __future__ import annotations

import ast
import copy
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from language.proofs import SPAN, SealedLedger, sealed_ledger
from language.rings import NOW
from muniment.errors import IntegrityError
from muniment.ledger.completeness import verify_person_proof
from muniment.ledger.frames import Head
from muniment.ledger.log.checkpoint import Checkpoint, sign_checkpoint
from muniment.ledger.log.folder import LogFolder
from muniment.ledger.log.note import Kind, Signer
from muniment.ledger.log.second import FolderStore
from muniment.ledger.pruning import PruneNotice
from muniment.ledger.segments.manifest import Manifest

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "verify_ledger.py"
ORIGIN = "muniment/0123456789abcdef"
SIGNER = Signer(ORIGIN, bytes(range(32)))
KEY = str(SIGNER.verifier)


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_ledger", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_ledger"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _manifest(number: int, data: bytes) -> Manifest:
    digest = "%064x" % number  # noqa: UP031 - a digit a place
    return Manifest(
        id=sha256(b"%d" % number).hexdigest()[:32], sha256=sha256(data).hexdigest(), size=len(data), rows=10, records=5,
        first=number * 10 + 1, last=number * 10 + 10, start=number, end=number + 1, key="segment-1", events=digest,
        dumps=(), chain=digest, journal=Head(number, digest),
    )  # fmt: skip


def _append(folder: Path, leaves: list[bytes]) -> LogFolder:
    second = FolderStore(folder.with_name("second"), "checkpoint")
    if not (folder / "log").exists():
        LogFolder.create(folder / "log", ORIGIN, SIGNER, second)
    log = LogFolder(folder / "log", ORIGIN, SIGNER, [], second)
    log.append(leaves)
    return log


def _ledger(folder: Path, count: int, others: int = 0) -> Path:
    (folder / "segments").mkdir(parents=True)
    leaves = []
    for number in range(count):
        data = bytes([number % 256]) * (100 + number)
        manifest = _manifest(number, data)
        (folder / "segments" / manifest.file).write_bytes(data)
        leaves.append(manifest.to_leaf())
    for number in range(others):
        leaves.append(json.dumps({"kind": "index", "segments": number}, separators=(",", ":")).encode())
    _append(folder, leaves)
    return folder


def _run(verifier: ModuleType, *arguments: object) -> int:
    return int(verifier.main(list(map(str, arguments))))


def test_it_imports_nothing_of_ours_and_is_one_short_file() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).partition(".")[0]  # type: ignore[union-attr]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported - {"cryptography"} <= set(sys.stdlib_module_names)
    assert len(text.splitlines()) <= 600


def test_a_whole_ledger_verifies(
    verifier: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for count, others in ((0, 0), (1, 0), (5, 2), (255, 1), (300, 0)):
        folder = _ledger(tmp_path / f"{count}" / "ledger", count, others)
        assert _run(verifier, folder, "--key", KEY) == 0, capsys.readouterr().err
        out = capsys.readouterr().out
        assert f"{count + others} leaves" in out
        assert f"{count} segments with {count * 10} disclosures verify; 0 were pruned" in out
        assert out.endswith("ok\n")


def test_it_runs_as_a_script(tmp_path: Path) -> None:
    folder = _ledger(tmp_path / "ledger", 3)
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-I", str(SCRIPT), str(folder), "--key", KEY]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "log/checkpoint").write_bytes(b"garbage")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("verify_ledger: ")


def test_a_log_that_grew_bit_by_bit_verifies(verifier: ModuleType, tmp_path: Path) -> None:
    folder = _ledger(tmp_path / "ledger", 2)
    for number in (250, 5, 1):
        _append(folder, [b'{"kind":"index","n":%d}' % n for n in range(number)])
    assert _run(verifier, folder, "--key", KEY) == 0


def test_pruned_segments_need_a_notice(
    verifier: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _ledger(tmp_path / "ledger", 3)
    gone = _manifest(0, b"\0" * 100)
    (folder / "segments" / gone.file).unlink()
    assert _run(verifier, folder, "--key", KEY) == 3
    assert "no notice in the log says that it was pruned" in capsys.readouterr().err
    _append(folder, [PruneNotice((gone.id,), NOW, "term", NOW).to_leaf()])
    assert _run(verifier, folder, "--key", KEY) == 0
    assert "2 segments with 20 disclosures verify; 1 were pruned" in capsys.readouterr().out


def _rewritten(folder: Path, change: Callable[[list[Manifest]], list[bytes]]) -> Path:
    """A ledger whose log was written anew by the keeper himself, with other leaves."""
    manifests = [_manifest(number, bytes([number]) * (100 + number)) for number in range(3)]
    (folder / "segments").mkdir(parents=True)
    for number, manifest in enumerate(manifests):
        (folder / "segments" / manifest.file).write_bytes(bytes([number]) * (100 + number))
    _append(folder, change(manifests))
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: [m[1].to_leaf(), m[0].to_leaf()], "repeats sequence numbers"),
        (lambda m: [m[0].to_leaf(), m[0].to_leaf()], "repeats sequence numbers"),
        (lambda m: [m[0].to_leaf(), replace(m[0], first=11, last=20).to_leaf()], "two leaves are about one segment"),
        (lambda m: [m[1].to_leaf(), replace(m[2], journal=m[0].journal).to_leaf()], "tied to an older journal"),
        (lambda m: [m[0].to_leaf() + b" "], "leaf 0 is not in canonical form"),
        (lambda _: [b"\xff"], "leaf 0 is no JSON"),
        (lambda _: [b"[" * 60_000], "leaf 0 is no JSON"),
        (lambda _: [b"[]"], "leaf 0 is not in canonical form"),
        (lambda m: [m[0].to_leaf().replace(b'"bytes":100', b'"bytes":-1')], "number is missing"),
        (lambda m: [m[0].to_leaf().replace(b'"bytes":100', b'"bytes":true')], "number is missing"),
        (lambda m: [m[0].to_leaf().replace(b'.seg"', b'.zip"')], "names another file"),
        (lambda m: [m[0].to_leaf().replace(m[0].id.encode(), b"../../x")], "16 bytes in hex expected"),
        (lambda m: [m[0].to_leaf().replace(m[0].sha256.encode(), b"zz" * 32)], "32 bytes in hex expected"),
        (lambda m: [m[0].to_leaf().replace(b'"rows":10', b'"rows":11')], "do not fit"),
        (lambda _: [b'{"kind":"prune","segments":3}'], "no prune notice"),
    ],
)
def test_a_log_that_is_signed_but_wrong(
    verifier: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    change: Callable[[list[Manifest]], list[bytes]], message: str,
) -> None:  # fmt: skip
    folder = _rewritten(tmp_path / "ledger", change)
    assert _run(verifier, folder, "--key", KEY) == 3
    assert message in capsys.readouterr().err


def test_wrong_keys(verifier: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _ledger(tmp_path / "ledger", 1)
    for key in (Signer(ORIGIN, bytes(32)), Signer("muniment/other", bytes(range(32)))):
        assert _run(verifier, folder, "--key", key.verifier) == 3
        assert "not signed by any of the keys" in capsys.readouterr().err
    both = ("--key", Signer(ORIGIN, bytes(32)).verifier, "--key", KEY)
    assert _run(verifier, folder, *both) == 0
    witness = Signer("w", bytes(32), Kind.COSIGNATURE).verifier
    for bad in ("", "x", KEY[:-1], KEY.replace("muniment", "Muniment"), witness):
        with pytest.raises(SystemExit) as caught:
            _run(verifier, folder, "--key", bad)
        assert "no verifier key" in str(caught.value)
    with pytest.raises(SystemExit):
        _run(verifier, tmp_path / "nothing", "--key", KEY)
    # The same key may sign for another log: its checkpoint is not one of this origin.
    other = sign_checkpoint(Checkpoint("other", 0, sha256().digest()), SIGNER)
    (folder / "log/checkpoint").write_bytes(other)
    assert _run(verifier, folder, "--key", KEY) == 3
    assert "of another log, 'other'" in capsys.readouterr().err


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _ledger(tmp_path_factory.mktemp("whole") / "ledger", 300, 3)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_damage_to_any_file_is_found(
    verifier: ModuleType, whole: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    names = sorted(path for path in whole.rglob("*") if path.is_file() and path.name != "lock")
    path, other = (data.draw(st.sampled_from(names), name) for name in ("path", "other"))
    kind = data.draw(st.sampled_from(["bit", "cut", "longer", "missing", "exchanged"]), "kind")
    before = path.read_bytes()
    try:
        if kind == "bit":
            altered = bytearray(before)
            altered[data.draw(st.integers(0, len(before) - 1), "place")] ^= 1 << data.draw(st.integers(0, 7), "bit")
            path.write_bytes(altered)
        elif kind == "cut":
            path.write_bytes(before[: data.draw(st.integers(0, len(before) - 1), "length")])
        elif kind == "longer":
            path.write_bytes(before + bytes(data.draw(st.sampled_from([1, 2, 32]), "more")))
        elif kind == "missing":
            path.unlink()
        else:
            assume(other.read_bytes() != before)
            path.write_bytes(other.read_bytes())
        assert _run(verifier, whole, "--key", KEY) == 3, (path, kind)
    finally:
        path.write_bytes(before)
    assert capsys.readouterr().err.count("verify_ledger: ") == 1


def test_a_log_rewritten_under_an_old_checkpoint_is_found(
    verifier: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Segment, leaf, bundle and tiles all agree with one another; only what was signed says otherwise."""
    folder = _ledger(tmp_path / "one" / "ledger", 300)
    signed = (folder / "log/checkpoint").read_bytes()
    other = _rewritten(tmp_path / "two" / "ledger", lambda m: [one.to_leaf() for one in m[:2]])
    _append(other, [b'{"kind":"index","n":%d}' % n for n in range(298)])
    assert _run(verifier, other, "--key", KEY) == 0
    (other / "log/checkpoint").write_bytes(signed)
    assert _run(verifier, other, "--key", KEY) == 3
    assert "do not hash to the root in its checkpoint" in capsys.readouterr().err


def test_other_files_do_no_harm(verifier: ModuleType, tmp_path: Path) -> None:
    """What a failed append left (a partial tile that no checkpoint speaks of), and an unsealed rest, are no faults."""
    folder = _ledger(tmp_path / "ledger", 3)
    (folder / "log/tile/0/000.p/4").write_bytes(bytes(128))
    (folder / "segments" / ("f" * 32 + ".seg")).write_bytes(b"an interrupted sealing")
    shutil.copytree(folder / "log", folder / "wal")
    assert _run(verifier, folder, "--key", KEY) == 0


# --- proofs for one person ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> SealedLedger:
    return sealed_ledger(tmp_path_factory.mktemp("sealed"))


@pytest.fixture(scope="module")
def proof(sealed: SealedLedger) -> Any:
    """The proof of somebody in lists and in some of the dumps, but not in all of them."""
    rows = [set(sealed.batch.records(row).tolist()) for row in range(len(sealed.batch))]
    for number in range(SPAN):
        sizes = [len(row) for row in rows if number in row]
        if sum(size < 4096 for size in sizes) >= 3 and 1 <= sum(size >= 4096 for size in sizes) <= 2:
            return json.loads(json.dumps(sealed.prover().prove(3 * number + 1)))
    raise AssertionError("the generated ledger holds nobody of that kind")


def _check(verifier: ModuleType, sealed: SealedLedger, path: Path, value: object) -> int:
    path.write_text(json.dumps(value), encoding="utf-8")
    return _run(verifier, path, *(part for key in sealed.vkeys for part in ("--key", key)))


def test_a_proof_verifies_and_shows_what_ours_shows(
    verifier: ModuleType, sealed: SealedLedger, proof: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _check(verifier, sealed, tmp_path / "proof.json", proof) == 0, capsys.readouterr().err
    _, *shown, statement, ok = capsys.readouterr().out.splitlines()
    ours = verify_person_proof(proof, sealed.vkeys)
    assert [int(line.partition(" ")[0]) for line in shown] == [one.numbers["sequence"] for one in ours.disclosures]
    assert [json.loads(line.split("  ", 2)[2]) for line in shown] == [dict(one.fields) for one in ours.disclosures]
    assert statement == f"{len(ours.disclosures)} disclosures; {ours.statement}"
    assert ok == "ok"


def test_proofs_of_anybody_and_of_nobody(
    verifier: ModuleType, sealed: SealedLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prover = sealed.prover()
    for number in (0, 63, 64, 4_097, SPAN - 1):
        assert _check(verifier, sealed, tmp_path / "proof.json", prover.prove(3 * number + 1, ["recipient"])) == 0
        assert f"{len(sealed.holding(number))} disclosures; complete relative" in capsys.readouterr().out
    assert _check(verifier, sealed, tmp_path / "proof.json", prover.prove(2)) == 0
    assert "0 disclosures; complete relative" in capsys.readouterr().out


def _places(value: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a JSON value, lists and objects themselves too."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if place:
        yield place
    for key, inner in items:
        yield from _places(inner, (*place, key))


def _with(proof: Any, place: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    forged = copy.deepcopy(proof)
    inner = forged
    for step in place[:-1]:
        inner = inner[step]
    change(inner, place[-1])
    return forged


def _other(inner: Any, name: Any) -> None:
    value = inner[name]
    if isinstance(value, str):
        inner[name] = value[:-1] + ("0" if value[-1:] != "0" else "1")
    elif isinstance(value, int):
        inner[name] = value + 1
    elif isinstance(value, list) and value:
        value.pop()
    else:
        inner[name] = 0


CHANGES: dict[str, Callable[[Any, Any], None]] = {
    "another": _other,
    "gone": lambda inner, name: inner.pop(name),
    "null": lambda inner, name: inner.__setitem__(name, None),
    "twice": lambda inner, name: inner.insert(name, inner[name]) if isinstance(inner, list) else _other(inner, name),
    "true": lambda inner, name: inner.__setitem__(name, True),
    "nested": lambda inner, name: inner.__setitem__(name, [inner[name]]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_in_a_proof_can_be_changed(
    verifier: ModuleType, sealed: SealedLedger, proof: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    change: str,
) -> None:  # fmt: skip
    """Ours and the second hand refuse the same forgeries; neither trips over one.

    One number is not bound: `leaves`, the size of a set of records; nothing commits to it but the height of its tree.
    It is shown to nobody, and the record is in the set whatever it says.
    """
    places = [place for place in _places(proof) if place[-1] != "leaves"]
    assert len(places) > 500
    for place in [*places[:40], *places[40 :: max(1, len(places) // 150)]]:
        forged = _with(proof, place, CHANGES[change])
        if forged == proof and json.dumps(forged) == json.dumps(proof):
            continue
        assert _check(verifier, sealed, tmp_path / "proof.json", forged) == 3, place
        message = capsys.readouterr().err
        assert message.startswith("verify_ledger: ") and "malformed (" not in message, (place, message)
        with pytest.raises(IntegrityError):
            verify_person_proof(forged, sealed.vkeys)


def test_parts_of_two_proofs_do_not_mix(
    verifier: ModuleType, sealed: SealedLedger, proof: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = json.loads(json.dumps(sealed.prover().prove(1)))
    for name in ("person", "runs", "dumps", "events"):
        assert other[name] != proof[name]
        assert _check(verifier, sealed, tmp_path / "proof.json", proof | {name: other[name]}) == 3, name
    assert capsys.readouterr().out == ""


def test_a_known_person_cannot_be_said_to_be_unknown(
    verifier: ModuleType, sealed: SealedLedger, proof: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    persons = sealed.persons
    neighbours = [leaf for other in (1, 4, 2) for leaf in persons.prove(other).proof.to_json()]
    empty = {"runs": [], "manifests": [], "dumps": [], "events": []}
    for leaves in ([], neighbours[:1], neighbours[:2], neighbours[1:3], neighbours[-2:]):
        person = proof["person"] | {"ordinal": None, "salt": None, "proof": leaves}
        forged = proof | empty | {"person": person}
        assert _check(verifier, sealed, tmp_path / "proof.json", forged) == 3
        assert "neither presence nor absence is shown" in capsys.readouterr().err
        with pytest.raises(IntegrityError):
            verify_person_proof(forged, sealed.vkeys)


def test_a_map_salt_of_the_provers_choice_hides_nobody(
    verifier: ModuleType, sealed: SealedLedger, proof: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under some other salt the key of a person whom the map knows falls between two neighbours that it shows."""
    pseudonym = bytes.fromhex(proof["person"]["pseudonym"])
    shown = next(
        leaves for n in range(99) if len(leaves := sealed.persons.prove(2**63 + n).proof.to_json()) == 2
    )
    low, high = (bytes.fromhex(str(leaf["key"])) for leaf in shown)
    salts = (number.to_bytes(32, "big") for number in range(1_000_000))
    salt = next(salt for salt in salts if low < sha256(b"\x21" + salt + pseudonym).digest() < high)
    person = proof["person"] | {"ordinal": None, "salt": None, "proof": shown, "map_salt": salt.hex()}
    forged = proof | {"runs": [], "manifests": [], "dumps": [], "events": [], "person": person}
    assert _check(verifier, sealed, tmp_path / "proof.json", forged) == 3
    assert "another map salt than the one that was logged" in capsys.readouterr().err
    with pytest.raises(IntegrityError, match="salt"):
        verify_person_proof(forged, sealed.vkeys)


def test_a_dump_cannot_be_left_out_with_its_manifest(
    verifier: ModuleType, sealed: SealedLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prover = sealed.prover()
    found = 0
    for number in range(200):
        whole: Any = prover.prove(3 * number + 1)
        listed = {leaf for run in whole["runs"] for leaf, _ in run["postings"]}
        only = next((one["leaf"] for one in whole["dumps"] if one["leaf"] not in listed), None)
        if only is None:
            continue
        forged = whole | {name: [one for one in whole[name] if one["leaf"] != only] for name in ("dumps", "events")}
        forged["manifests"] = [one for one in whole["manifests"] if one["index"] != only]
        assert _check(verifier, sealed, tmp_path / "proof.json", forged) == 3
        assert "the dumps are not those that the index leaf counts" in capsys.readouterr().err
        with pytest.raises(IntegrityError):
            verify_person_proof(forged, sealed.vkeys)
        found += 1
        if found == 3:
            return
    raise AssertionError("the generated ledger holds too few persons who are in a segment by its dump alone")


def test_a_proof_of_another_log_or_none_at_all(
    verifier: ModuleType, sealed: SealedLedger, proof: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof), encoding="utf-8")
    assert _run(verifier, path, "--key", Signer(sealed.vkeys[0].name, bytes(32)).verifier) == 3
    assert "not signed by any of the keys" in capsys.readouterr().err
    for text in ("", "[]", "{}", "3", "[" * 100_000, '{"format": "muniment person proof 1"}', "\ufeff{}", "1" * 5_000):
        path.write_text(text, encoding="utf-8")
        assert _run(verifier, path, "--key", KEY) == 3, text[:20]
        assert "verify_ledger: " in capsys.readouterr().err
    path.write_bytes(b"\xff\xfe")
    assert _run(verifier, path, "--key", KEY) == 3


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_junk_in_a_proof_is_refused(
    verifier: ModuleType, sealed: SealedLedger, proof: Any, tmp_path: Path, data: st.DataObject
) -> None:
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=70)
    junk = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=8), scalars, max_size=3)
    place = data.draw(st.sampled_from(list(_places(proof))), "place")
    value = data.draw(junk, "junk")
    forged = _with(proof, place, lambda inner, name: inner.__setitem__(name, value))
    if forged != proof:
        assert _check(verifier, sealed, tmp_path / "proof.json", forged) == 3


def test_the_folder_of_real_segments_verifies(
    verifier: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ledger that such proofs come from, as it lies on disk."""
    made = sealed_ledger(tmp_path)
    assert _run(verifier, tmp_path, "--key", made.vkeys[0]) == 0
    assert f"3 segments with {len(made.batch)} disclosures verify" in capsys.readouterr().out
    one, other = (tmp_path / "segments" / segment.manifest.file for segment in made.segments[:2])
    one.write_bytes(other.read_bytes())
    assert _run(verifier, tmp_path, "--key", made.vkeys[0]) == 3
    assert f"{one} " in capsys.readouterr().err
