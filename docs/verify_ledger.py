"""Check a ledger folder, or the proof for one person, without muniment: Python 3.11 and `pip install cryptography`.

    python verify_ledger.py FOLDER --key VKEY          the folder `ledger` of a workspace, or a copy of it
    python verify_ledger.py PROOF.json --key VKEY      a proof from `muniment ledger prove`

VKEY is the verifier key that the keeper gave you (`muniment ledger head` prints it); give --key once for each key that
ever signed. What is checked is numbered in `check_folder` and `check_proof`. No secret is needed, and nothing is
written. Exit code: 0 everything verifies, 3 something does not (it is named), 2 the command is wrong.

What this cannot see: whether the checkpoint is the newest that the keeper ever signed. Compare its size and root with
one that you, a witness or another party kept.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256  # hashes in a tile, leaves in a bundle (C2SP tlog-tiles)
NOTE_BYTES, LEAF_BYTES, PROOF_BYTES = 64 * 1024, 65_535, 256 * 1024**2
HEX = re.compile("([0-9a-f]{2})+")


class Fault(Exception):
    """Something does not verify; the text says what."""


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def need(condition: bool, fault: str) -> None:
    if not condition:
        raise Fault(fault)


# --- signed notes and checkpoints (C2SP signed-note, tlog-checkpoint) --------------------------------------------


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes


def parse_key(text: str) -> tuple[str, bytes, bytes]:
    """Name, key id and Ed25519 public key of a vkey."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if len(key) != 33 or key[0] != 1 or sha256(name.encode(), b"\n", key)[:4].hex() != key_id:
        raise SystemExit(f"verify_ledger: {text[:80]!r} is no verifier key (expected NAME+8 hex digits+BASE64)")
    return name, bytes.fromhex(key_id), key[1:]


def open_checkpoint(note: bytes, keys: list[tuple[str, bytes, bytes]]) -> Checkpoint:
    """The checkpoint in a note that one of the keys has signed; a bad signature of a given key refuses the note."""
    need(len(note) <= NOTE_BYTES, "the checkpoint is too long")
    try:
        text, _, signatures = note.decode().rpartition("\n\n")
    except UnicodeDecodeError as error:
        raise Fault("the checkpoint is not UTF-8") from error
    text, signed = text + "\n", False
    for line in signatures.splitlines():
        found = re.fullmatch(r"— (\S+) ([A-Za-z0-9+/]+={0,2})", line)
        if found is None:
            raise Fault("a signature line of the checkpoint is malformed")
        signature = base64.b64decode(found[2] + "==")
        for name, key_id, public in keys:
            if (name, key_id) == (found[1], signature[:4]):
                try:
                    Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], text.encode())
                except InvalidSignature as error:
                    raise Fault(f"the checkpoint's signature of {name} does not verify: altered or forged") from error
                signed = True
    need(signed, "the checkpoint is not signed by any of the keys given with --key: another keeper's log, or forged")
    lines = text.splitlines()
    need(len(lines) >= 3 and re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]) is not None, "the checkpoint is malformed")
    need(lines[0] in {name for name, _, _ in keys}, f"the checkpoint is of another log, {lines[0][:80]!r}")
    root = base64.b64decode(lines[2])
    need(len(root) == 32, "the checkpoint has no root hash")
    return Checkpoint(lines[0], int(lines[1]), root)


# --- the tree (RFC 6962) -----------------------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1", left, right)


def path_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root to which an inclusion path leads, by the recursion of RFC 6962 section 2.1.1."""
    need(0 <= index < size, f"an inclusion path is for leaf {index}, which a tree of {size} has not")
    if size == 1:
        need(not path, "an inclusion path is too long")
        return leaf
    need(bool(path), "an inclusion path is too short")
    middle = 1 << (size - 1).bit_length() - 1
    if index < middle:
        return node(path_root(leaf, index, middle, path[:-1]), path[-1])
    return node(path[-1], path_root(leaf, index - middle, size - middle, path[:-1]))


class Tower:
    """A growing tree that keeps one unfinished tile a level, and hands out each tile when it is complete."""

    def __init__(self) -> None:
        self.levels: list[list[bytes]] = []
        self.counts: list[int] = []

    def add(self, digest: bytes, level: int = 0) -> Iterator[tuple[int, int, list[bytes]]]:
        """One more hash on a level; yields (level, number, hashes) of the tiles that it completes."""
        if level == len(self.levels):
            self.levels.append([])
            self.counts.append(0)
        tile = self.levels[level]
        tile.append(digest)
        if len(tile) == WIDTH:
            yield level, self.counts[level], tile
            self.levels[level] = []
            self.counts[level] += 1
            while len(tile) > 1:
                tile = [node(tile[i], tile[i + 1]) for i in range(0, len(tile), 2)]
            yield from self.add(tile[0], level + 1)

    def root(self) -> bytes:
        """The root: what is unfinished, from the lowest level up, each complete subtree to the left of the rest."""
        came: bytes | None = None
        for tile in self.levels:
            end = len(tile)
            while end:
                width = end & -end
                part = tile[end - width : end]
                while len(part) > 1:
                    part = [node(part[i], part[i + 1]) for i in range(0, len(part), 2)]
                came = part[0] if came is None else node(part[0], came)
                end -= width
        return sha256() if came is None else came


# --- a ledger folder ---------------------------------------------------------------------------------------------


def tile_path(level: str, number: int, width: int) -> str:
    groups = f"{number:0{3 * max(1, -(-len(str(number)) // 3))}d}"
    parts = [groups[i : i + 3] for i in range(0, len(groups), 3)]
    name = "/".join([*("x" + part for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < WIDTH else "")


def read_tile(log: Path, level: str, number: int, width: int, at_most: int) -> tuple[bytes, int]:
    """A tile or bundle and how many places it fills: once the full one is there, a partial one may be gone."""
    for candidate in (width, WIDTH):
        path = log / tile_path(level, number, candidate)
        if path.is_file():
            with path.open("rb") as file:
                return file.read(at_most + 1), candidate
    raise Fault(f"{tile_path(level, number, width)} is missing")


def leaves_of(log: Path, size: int) -> Iterator[bytes]:
    for number in range(-(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        data, filled = read_tile(log, "entries", number, width, WIDTH * (2 + LEAF_BYTES))
        name, offset = tile_path("entries", number, filled), 0
        for place in range(filled):
            start = offset + 2
            offset = start + int.from_bytes(data[offset:start], "big")
            need(start <= offset <= len(data), f"{name} is cut short")
            if place < width:
                yield data[start:offset]
        need(offset == len(data), f"{name} has bytes too many")


def check_tile(log: Path, level: int, number: int, hashes: list[bytes]) -> None:
    data, filled = read_tile(log, str(level), number, len(hashes), WIDTH * 32)
    same = len(data) == 32 * filled and data.startswith(b"".join(hashes))
    need(same, f"{tile_path(str(level), number, len(hashes))} does not hold the hashes of the leaves")


def check_log(log: Path, checkpoint: Checkpoint) -> Iterator[bytes]:
    """Every leaf, in order; after the last one tiles and root have been checked too."""
    tower = Tower()
    for leaf in leaves_of(log, checkpoint.size):
        for tile in tower.add(sha256(b"\0", leaf)):
            check_tile(log, *tile)
        yield leaf
    for level, hashes in enumerate(tower.levels):
        if hashes:
            check_tile(log, level, tower.counts[level], hashes)
    need(tower.root() == checkpoint.root, "the leaves of the log do not hash to the root in its checkpoint")


def canonical(leaf: bytes, what: str) -> dict[str, Any]:
    """A leaf as JSON, which must be written in its one form."""
    try:
        value = json.loads(leaf)
        same = json.dumps(value, sort_keys=True, separators=(",", ":")).encode() == leaf
    except (ValueError, RecursionError) as error:
        raise Fault(f"{what} is no JSON") from error
    need(same and isinstance(value, dict), f"{what} is not in canonical form")
    return dict(value)


def number(value: Any, what: str, least: int = 0) -> int:
    need(type(value) is int and least <= value < 1 << 63, f"{what}: a number is missing or out of range")
    return int(value)


def digest(value: Any, what: str, size: int = 32) -> bytes:
    fits = isinstance(value, str) and len(value) == 2 * size and HEX.fullmatch(value)
    need(bool(fits), f"{what}: {size} bytes in hex expected")
    return bytes.fromhex(value)


@dataclass(frozen=True)
class Manifest:
    """What a leaf of kind `segment` says of a file."""

    id: str
    sha256: bytes
    size: int
    rows: int
    first: int
    last: int
    events: bytes
    dumps: Any
    journal: int

    @classmethod
    def parse(cls, leaf: bytes, what: str) -> Manifest:
        value = canonical(leaf, what)
        need(value.get("kind") == "segment", f"{what} is no manifest of a segment")
        name = digest(value.get("id"), what, 16).hex()
        need(value.get("file") == f"{name}.seg", f"{what} names another file than its segment's")
        size, rows, first, last = (number(value.get(field), what) for field in ("bytes", "rows", "first", "last"))
        need(1 <= rows <= last - first + 1, f"{what}: rows and sequence numbers do not fit")
        need(isinstance(value.get("journal"), dict), f"{what}: no journal head")
        journal = number(value["journal"].get("sequence"), what)
        file, events = (digest(value.get(field), what) for field in ("sha256", "events"))
        return cls(name, file, size, rows, first, last, events, value.get("dumps"), journal)


def check_folder(folder: Path, keys: list[tuple[str, bytes, bytes]]) -> str:
    """Check a ledger folder: 1. the checkpoint is signed, 2. bundles and tiles hash to its root, 3. every manifest is
    well-formed and follows the one before, 4. every segment file is there, or named by a prune notice of the log, and
    has the size and SHA-256 that its manifest says. What is in the files only a holder of the keys can read.
    """
    log = folder / "log"
    need((log / "checkpoint").is_file(), f"{log / 'checkpoint'} is missing")
    with (log / "checkpoint").open("rb") as file:
        checkpoint = open_checkpoint(file.read(NOTE_BYTES + 1), keys)  # 1.
    manifests: list[Manifest] = []
    pruned: set[str] = set()
    for index, leaf in enumerate(check_log(log, checkpoint)):  # 2.
        what = f"leaf {index}"
        value = canonical(leaf, what)
        if value.get("kind") == "segment":
            manifests.append(Manifest.parse(leaf, what))
        elif value.get("kind") == "prune":
            need(isinstance(value.get("segments"), list), f"{what} is no prune notice")
            pruned |= {digest(name, what, 16).hex() for name in value["segments"]}
    for before, after in pairwise(manifests):  # 3.
        need(before.last < after.first, f"segment {after.id} repeats sequence numbers of the one before it")
        need(before.journal <= after.journal, f"segment {after.id} is tied to an older journal than the one before it")
    need(len({manifest.id for manifest in manifests}) == len(manifests), "two leaves are about one segment")
    present = [manifest for manifest in manifests if check_file(folder / "segments", manifest, pruned)]  # 4.
    rows = sum(manifest.rows for manifest in present)
    return (
        f"checkpoint of {checkpoint.origin}: {checkpoint.size} leaves, root {checkpoint.root.hex()}\n"
        f"{len(present)} segments with {rows} disclosures verify; {len(manifests) - len(present)} were pruned"
    )


def check_file(segments: Path, manifest: Manifest, pruned: set[str]) -> bool:
    """Whether the file is there, as it was logged; a missing one must have been pruned."""
    path = segments / f"{manifest.id}.seg"
    if not path.is_file():
        need(manifest.id in pruned, f"{path} is missing, and no notice in the log says that it was pruned")
        return False
    size = path.stat().st_size
    need(size == manifest.size, f"{path} has {size} bytes; {manifest.size} were logged")
    with path.open("rb") as file:
        came = hashlib.file_digest(file, "sha256").digest()
    need(came == manifest.sha256, f"{path} is not the file that was logged: its SHA-256 differs")
    return True


# --- a proof for one person --------------------------------------------------------------------------------------

FIELDS = ("recipient", "account", "device", "template", "case", "fingerprint")
NUMBERS = ("sequence", "time", "rows", "size", "released", "occurred")
DUMP = 2


def members(value: Any, names: str, what: str) -> dict[str, Any]:
    need(isinstance(value, dict) and sorted(value) == sorted(names.split()), f"{what} is malformed; expected {names}")
    return dict(value)


def listed(value: Any, what: str, most: int = 1_000_000) -> list[Any]:
    need(isinstance(value, list) and len(value) <= most, f"{what}: a list of at most {most} expected")
    return list(value)


def utf8(value: Any, what: str) -> bytes:
    need(isinstance(value, str), f"{what}: a text expected")
    try:
        return str(value).encode()
    except UnicodeEncodeError as error:
        raise Fault(f"{what}: a text has no UTF-8 form") from error


def path_of(value: Any, what: str) -> list[bytes]:
    return [digest(one, what) for one in listed(value, what, 64)]


def in_log(value: Any, checkpoint: Checkpoint, what: str) -> tuple[int, bytes]:
    """Index and bytes of a leaf that is in the log."""
    part = members(value, "index leaf path", what)
    index, leaf = number(part["index"], what), utf8(part["leaf"], what)
    came = path_root(sha256(b"\0", leaf), index, checkpoint.size, path_of(part["path"], what))
    need(came == checkpoint.root, f"{what} is not in the log")
    return index, leaf


def looked_up(value: Any, key: bytes, logged: dict[str, Any], what: str) -> bytes | None:
    """The value of a key in a logged map; None where its neighbours in the map show that it is absent."""
    root, size = digest(logged.get("root"), what), number(logged.get("entries"), what)
    leaves, before, after = listed(value, what, 2), -1, size
    for one in leaves:
        part = members(one, "index key value path", what)
        index, own, held = number(part["index"], what), digest(part["key"], what), digest(part["value"], what)
        came = path_root(sha256(b"\x20", own, held), index, size, path_of(part["path"], what))
        need(came == root, f"{what}: an entry is not in the map that was logged")
        if own == key:
            need(len(leaves) == 1, f"{what}: more entries than needed")
            return held
        before, after = (max(before, index), after) if own < key else (before, min(after, index))
    need(after == before + 1 and (size > 0 or root == sha256()), f"{what}: neither presence nor absence is shown")
    return None


@dataclass(frozen=True)
class Event:
    row: int
    numbers: dict[str, int]
    fields: dict[str, str]
    shape: int
    span: int
    root: bytes


def open_event(value: Any, manifest: Manifest) -> Event:
    what = "an event"
    part = members(value, "row events salt numbers fields shape span root path", what)
    numbers = {
        name: number(one, what, -(1 << 63)) for name, one in members(part["numbers"], " ".join(NUMBERS), what).items()
    }
    texts, digests = {}, {}
    for name, one in members(part["fields"], " ".join(FIELDS), what).items():
        if isinstance(one, dict) and "value" in one:
            opened = members(one, "salt value", what)
            texts[name] = str(opened["value"])
            digests[name] = sha256(b"\x13", digest(opened["salt"], what, 16), utf8(opened["value"], what))
        else:
            digests[name] = digest(members(one, "digest", what)["digest"], what)
    row, shape, span = (number(part[name], what) for name in ("row", "shape", "span"))
    fits = number(part["events"], what) == manifest.rows and shape <= DUMP and (shape == DUMP) == (span > 0)
    need(fits, "an event does not fit the manifest of its segment")
    root = digest(part["root"], what)
    message = b"".join((
        digest(part["salt"], what, 16), *(numbers[name].to_bytes(8, "big", signed=True) for name in NUMBERS),
        sha256(b"\x14", *(digests[name] for name in FIELDS[:3])), *(digests[name] for name in FIELDS[3:]),
        bytes([shape]), span.to_bytes(8, "big"), root,
    ))  # fmt: skip
    came = path_root(sha256(b"\0", message), row, manifest.rows, path_of(part["path"], what))
    need(came == manifest.events, f"event {row} is not in the segment {manifest.id}")
    return Event(row, numbers, texts, shape, span, root)


def open_record(value: Any, ordinal: int, span: int, root: bytes) -> bool:
    """Whether a set of records holds the ordinal: a list always does; of a dump (span > 0) a bit says it."""
    what = "a record"
    part = members(value, "ordinal position leaves salt others path" + (" bit" if span else ""), what)
    position, leaves = number(part["position"], what), number(part["leaves"], what)
    bit = number(part["bit"], what) if span else 1
    fits = number(part["ordinal"], what) == ordinal and position < leaves and bit <= 1
    if span:
        fits = fits and position == ordinal < span and leaves == -(-span // 64) * 64
    need(fits, "a record is opened that is not the person's, or does not fit its set")
    head = (b"\x12" if span else b"\x10") + digest(part["salt"], what, 16) + ordinal.to_bytes(4, "big")
    chunk, place = divmod(position, 64)
    others = [digest(one, what) for one in listed(part["others"], what, 63)]
    need(len(others) == min(64, leaves - 64 * chunk) - 1, "a record has too many or too few neighbours")
    others.insert(place, sha256(head + bytes([bit]) if span else head))
    came = path_root(sha256(b"\x11", *others), chunk, -(-leaves // 64), path_of(part["path"], what))
    need(came == root, "a record is not in the set of its disclosure")
    return bit == 1


def check_dumps(values: Any, ordinal: int, logged: Any, manifests: dict[int, Manifest]) -> dict[tuple[int, int], Any]:
    """The dumps that hold the ordinal, by leaf and row; all that the index counts must be there, as logged."""
    what, joined, held = "a dump", hashlib.sha256(), {}
    of_leaf: dict[int, list[tuple[int, int, bytes]]] = {leaf: [] for leaf in manifests}
    for one in listed(values, what):
        part = members(one, "leaf row span root opening", what)
        leaf, row, span = (number(part[name], what) for name in ("leaf", "row", "span"))
        root = digest(part["root"], what)
        need(leaf in of_leaf, "the manifest of a segment with a dump is missing")
        of_leaf[leaf].append((row, span, root))
        joined.update(b"".join(n.to_bytes(8, "big") for n in (leaf, row, span)) + root)
        if ordinal >= span:
            need(part["opening"] is None, "an ordinal beyond the span of a dump is opened")
        elif open_record(part["opening"], ordinal, span, root):
            held[leaf, row] = span, root
    count = sum(map(len, of_leaf.values()))
    same = isinstance(logged, dict) and logged == {"count": count, "digest": joined.hexdigest()}
    need(same, "the dumps are not those that the index leaf counts")
    for leaf, own in of_leaf.items():
        rows = [[row, span, root.hex()] for row, span, root in own]
        packed = b"".join(row.to_bytes(8, "big") + span.to_bytes(8, "big") + root for row, span, root in own)
        digested = {"count": len(own), "digest": sha256(packed).hex()}
        need(manifests[leaf].dumps in (rows, digested), f"the dumps are not those of the manifest at leaf {leaf}")
    return held


def logged_salt(value: Any, logged: dict[str, Any], what: str) -> bytes:
    """The salt of a map, as logged: under a salt of his choice a prover could make any key fall where none is."""
    salt = digest(value, what, 32)
    need(sha256(salt).hex() == logged.get("salt"), f"{what} uses another map salt than the one that was logged")
    return salt


def check_runs(values: Any, ordinal: int, runs: list[Any]) -> list[tuple[int, int]]:
    """Leaf and row of every posting of the ordinal."""
    found: list[tuple[int, int]] = []
    what = "a run of the index"
    need(len(listed(values, what)) == len(runs), f"{len(values)} runs of the index; {len(runs)} were logged")
    for one, run in zip(values, runs, strict=True):
        part = members(one, "map_salt salt postings proof", what)
        key = sha256(b"\x30", logged_salt(part["map_salt"], run, what), ordinal.to_bytes(4, "big"))
        own = [tuple(number(n, what) for n in listed(pair, what, 2)) for pair in listed(part["postings"], what)]
        fits = all(len(pair) == 2 and run["first"] <= pair[0] <= run["last"] for pair in own)
        need(fits, f"{what} names segments that it is not about")
        packed = b"".join(n.to_bytes(8, "big") for pair in own for n in pair)
        salt = None if part["salt"] is None else digest(part["salt"], what, 16)
        expected = None if salt is None else sha256(b"\x31", salt, packed)
        same = looked_up(part["proof"], key, run, what) == expected and (salt is None) == (not own)
        need(same, f"{what} does not list these postings")
        found += [(leaf, row) for leaf, row in own]
    return found


def check_person(value: Any, logged: dict[str, Any]) -> int | None:
    what = "the person"
    part = members(value, "map_salt pseudonym ordinal salt proof", what)
    key = sha256(b"\x21", logged_salt(part["map_salt"], logged, what), digest(part["pseudonym"], what, 8))
    expected = ordinal = None
    if part["ordinal"] is not None:
        ordinal = number(part["ordinal"], what)
        need(ordinal < 1 << 32, "the person's ordinal is out of range")
        expected = sha256(b"\x22", digest(part["salt"], what, 16), ordinal.to_bytes(4, "big"))
    need(expected is not None or part["salt"] is None, "the person has a salt and no ordinal")
    need(looked_up(part["proof"], key, logged, what) == expected, "the person has not this ordinal in the logged table")
    return ordinal


def check_proof(path: Path, keys: list[tuple[str, bytes, bytes]]) -> str:
    """Check the proof for one person: 1. the checkpoint is signed, 2. the index leaf is in the log, 3. the pseudonym
    has this ordinal in the logged table, or none (then nothing else may be named), 4. every manifest is in the log
    before the index leaf, 5. each logged run of the index lists these postings and no others, 6. the dumps are all
    that were logged, and each shows its bit of the ordinal, 7. there is one event for each posting and each dump that
    holds the ordinal; each is in its segment and holds it, 8. the statement is what this shows. That the pseudonym is
    the person's, only the keeper's pseudonym key can say.
    """
    with path.open("rb") as file:
        data = file.read(PROOF_BYTES + 1)
    try:
        value = json.loads(data) if len(data) <= PROOF_BYTES else None
    except (ValueError, RecursionError) as error:
        raise Fault(f"{path} is neither a folder nor JSON") from error
    proof = members(value, "format checkpoint index person runs manifests dumps events statement", "the proof")
    need(proof["format"] == "muniment person proof 1", "the proof is of another format than 'muniment person proof 1'")
    checkpoint = open_checkpoint(utf8(proof["checkpoint"], "the checkpoint"), keys)  # 1.
    place, leaf = in_log(proof["index"], checkpoint, "the index leaf")  # 2.
    index = members(canonical(leaf, "the index leaf"), "kind segments runs ordinals dumps time", "the index leaf")
    need(index["kind"] == "index", "the index leaf is about something else")
    ordinal = check_person(proof["person"], index["ordinals"])  # 3.
    manifests: dict[int, Manifest] = {}
    for one in listed(proof["manifests"], "the manifests"):  # 4.
        at, leaf = in_log(one, checkpoint, "a manifest")
        need(at < place and at not in manifests, "a manifest comes twice, or stands behind the index leaf")
        manifests[at] = Manifest.parse(leaf, "a manifest")
    events: list[tuple[int, Event]] = []
    if ordinal is None:
        nothing = not (proof["runs"] or proof["dumps"] or proof["events"] or manifests)
        need(nothing, "the person has no ordinal, and yet disclosures are named")
    else:
        named = check_runs(proof["runs"], ordinal, index["runs"])  # 5.
        held = check_dumps(proof["dumps"], ordinal, index["dumps"], manifests)  # 6.
        for one in listed(proof["events"], "the events"):  # 7.
            part = members(one, "leaf event record", "an event")
            at = number(part["leaf"], "an event")
            need(at in manifests, "the manifest of an event is missing")
            event = open_event(part["event"], manifests[at])
            if (at, event.row) in held:
                same = part["record"] is None and (event.span, event.root) == held[at, event.row]
                need(same, "an event is not the dump that it stands for")
            else:
                need(event.shape == 1, "an event without records, or a dump, is said to hold the person")
                open_record(part["record"], ordinal, 0, event.root)
            events.append((at, event))
        complete = sorted((at, event.row) for at, event in events) == sorted([*named, *held])
        need(complete, "the events are not those that index and dumps name")
    day = datetime.fromisoformat(str(index["time"])).astimezone(UTC).date().isoformat()
    statement = f"complete relative to the pseudonym key; index checked against segments on {day}"
    need(proof["statement"] == statement, "the statement is not the one that the proof shows")  # 8.
    lines = [f"checkpoint of {checkpoint.origin}: {checkpoint.size} leaves, root {checkpoint.root.hex()}"]
    for _, event in sorted(events, key=lambda one: one[1].numbers["sequence"]):
        time = datetime.fromtimestamp(event.numbers["time"] / 1000, UTC).isoformat(timespec="milliseconds")
        lines.append(f"{event.numbers['sequence']}  {time}  {json.dumps(event.fields, sort_keys=True)}")
    return "\n".join([*lines, f"{len(events)} disclosures; {statement}"])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verify_ledger", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("path", type=Path, metavar="FOLDER|PROOF.json")
    parser.add_argument("--key", action="append", required=True, metavar="VKEY", help="a verifier key of the log")
    given = parser.parse_args(arguments)
    if not given.path.exists():
        parser.error(f"{given.path}: there is no such folder or file")
    keys = [parse_key(text) for text in given.key]
    try:
        print((check_folder if given.path.is_dir() else check_proof)(given.path, keys))
    except Fault as fault:
        print(f"verify_ledger: {fault}", file=sys.stderr)
        return 3
    except (LookupError, TypeError, ValueError, OverflowError) as error:  # a shape that no check above has in mind
        print(f"verify_ledger: malformed ({type(error).__name__})", file=sys.stderr)
        return 3
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
