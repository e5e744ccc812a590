"""Nothing that is printed, raised or stored by the way shows a key, a value of a register, or whose record a row is.

The static half looks at every dataclass of the package, so that a new one cannot forget the rule; the other half runs a
release and a trace and searches what came of it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import traceback
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import muniment as mu
from language.places import OWNER, PURPOSE, RECIPIENT, REGISTER, Place, demo_table, furnish, make_place, write_csv
from language.rings import PASSPHRASE
from muniment.errors import MunimentError
from muniment.ingest.leaks import read_leak
from muniment.workspace.aligning import align_leak
from muniment.workspace.decoying import plans
from muniment.workspace.tracing import Question, trace

PACKAGE = Path(mu.__file__).parent

BULK = re.compile(r"NDArray|ndarray|\bTable\b|\bCells\b|\bbytes\b|\bReadings\b|Hashes|Numbers")
"""Annotations of fields that hold arrays, cells or raw bytes: no generated repr may print one."""
HARMLESS = {
    # Public by construction, or invented.
    ("PassphraseLock", "salt"),
    ("Chain", "digest"),
    ("Signer", "public_key"),
    ("Signer", "sign"),
    ("Dwellings", "district"),
    # Digests, public keys and signatures of the public log and of proofs, and ids: they open nothing.
    ("IndexLeaf", "dump_digest"),
    ("LoggedDump", "root"),
    ("MapRoot", "root"),
    ("MapRoot", "salt"),
    ("Checkpoint", "root"),
    ("Signed", "note"),
    ("Signature", "key_id"),
    ("Signature", "value"),
    ("VerifierKey", "public"),
    ("Frontier", "nodes"),
    ("MapLeaf", "key"),
    ("MapLeaf", "value"),
    ("MapLeaf", "path"),
    ("PagedTree", "pages"),
    ("SegmentKey", "id"),
    ("OpenedEvent", "root"),
    ("Header", "salt"),
    ("Point", "chain"),
    ("Point", "digest"),
    ("NoticeKey", "public"),
}


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(mu.__path__, "muniment."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def dataclasses_of_the_package() -> dict[str, type]:
    return {
        f"{value.__module__}.{value.__qualname__}": value
        for module in modules()
        for value in vars(module).values()
        if inspect.isclass(value) and is_dataclass(value) and value.__module__.startswith("muniment.")
    }


def prints_its_fields(cls: type) -> bool:
    """Whether the repr is the generated one."""
    return getattr(cls.__repr__, "__wrapped__", None) is not None and "__repr__" in vars(cls)


def test_no_generated_repr_prints_arrays_cells_or_bytes() -> None:
    found = dataclasses_of_the_package()
    assert len(found) > 60
    loud = [
        f"{name}.{field.name}: {field.type}"
        for name, cls in sorted(found.items())
        if prints_its_fields(cls)
        for field in fields(cls)
        if field.repr and BULK.search(str(field.type)) and (cls.__name__, field.name) not in HARMLESS
    ]
    assert not loud, "\n".join(loud)


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield str(path.relative_to(PACKAGE)), path.read_text(encoding="utf-8")


def test_nothing_is_logged_or_printed_by_the_way() -> None:
    for name, text in sources():
        assert not re.search(r"^\s*(import logging|from logging|warnings\.warn\()", text, re.MULTILINE), name
        calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        assert not any(isinstance(call, ast.Name) and call.id == "print" for call in calls), name


def test_secrets_are_compared_in_constant_time() -> None:
    """`==` on a secret stops at the first byte that differs; how long that takes can be measured."""
    secret = re.compile(r"\b(secret|_?kek|commitment|passphrase|codeword)\b")
    public = {
        # Commitments are printed; lengths, emptiness and `None` are no comparison of content.
        ("ledger/declarations.py", "commitment"),
        ("workspace/doctoring.py", "commitment"),
    }
    for name, text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                for side in (node.left, *node.comparators):
                    found = secret.search(ast.unparse(side))
                    plain = isinstance(side, ast.Attribute | ast.Name) and found
                    assert not plain or (name, found[1]) in public, f"{name}:{node.lineno}: {ast.unparse(node)}"


# --- a release and a trace -------------------------------------------------------------------------------------------

WHERE = "sex IN ('F', 'M')"
OTHER = "Amt für Statistik 統計處"
WHY_LEADS = "who had the file of the flood victims"


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A workspace that did everything: decoys, omission and order of rows, two recipients, leads, a sealed bundle."""
    place = make_place(tmp_path_factory.mktemp("used"))
    furnish(place)
    office = place.open()
    for to, out in ((RECIPIENT, "copy-4.csv"), (OTHER, "copy-3.csv")):
        office.release(REGISTER, to=to, purpose=PURPOSE, out=place.folder / out, where=WHERE)
    bundle = place.folder / "verdict.zip"
    verdict = office.trace(place.folder / "copy-4.csv", bundle=bundle, leads_purpose=WHY_LEADS)
    assert [named.recipient for named in verdict.named] == [RECIPIENT]
    assert office.copies()[-1].symbols
    return place


def values(place: Place) -> set[str]:
    """What tells one person from another: keys and names, those of the decoys too."""
    table = demo_table()
    office = place.open()
    decoys = {key for keys in office.decoy_exclusion(REGISTER) for key in keys}
    assert len(decoys) == 8
    columns = "person_id household_id name_zh name_en address_zh address_en phone mobile email".split()
    return decoys | {cell for column in columns for cell in table[column] if cell}


def forms(word: str) -> Iterator[bytes]:
    """The bytes in which a word could stand in a file."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "unicode_escape", "cp950"):
        with suppress(UnicodeEncodeError):
            data = word.encode(encoding)
            yield data
            yield data.hex().encode()
            yield data.hex().upper().encode()


def found_in(content: bytes, words: Iterable[str]) -> list[str]:
    """The words of which some form of at least six bytes stands in the content."""
    return [word for word in words if any(len(form) >= 6 and form in content for form in forms(word))]


def stored(place: Place) -> dict[str, bytes]:
    files = [path for path in place.office.rglob("*") if path.is_file()]
    return {str(path.relative_to(place.office)): path.read_bytes() for path in files}


def test_no_person_recipient_or_purpose_is_in_any_file(used: Place) -> None:
    words = {RECIPIENT, OTHER, PURPOSE, WHERE, WHY_LEADS, PASSPHRASE, OWNER, *values(used)}
    files = stored(used)
    assert {name.partition("/")[0] for name in files} >= {"baseline", "decoys", "keys", "ledger", "muniment.toml"}
    for name, content in files.items():
        assert not found_in(content + name.encode(), words), name
    # The search does find: the register's own file, which is not part of the workspace.
    assert len(found_in(used.source.read_bytes(), words)) > 500


def test_every_file_is_for_its_owner_alone(used: Place) -> None:
    for path in [*used.office.rglob("*"), *used.folder.glob("copy-*"), used.folder / "verdict.zip"]:
        private = path.stat().st_mode & 0o077 == 0
        assert private or (path.is_dir() and path.parent == used.office and private), path


def test_a_bundle_holds_the_named_and_nothing_of_a_person(used: Place) -> None:
    with zipfile.ZipFile(used.folder / "verdict.zip") as archive:
        content = b"\n".join(archive.read(name) for name in archive.namelist())
    assert not found_in(content, {OTHER, PURPOSE, WHERE, WHY_LEADS, *values(used)})
    assert found_in(content, {RECIPIENT})
    ring = used.open()._parts.ring
    for purpose in ("mark", "pseudonym", "segment", "signing"):
        for key in ring.all(purpose):
            assert key.secret not in content
            assert key.secret.hex().encode() not in content


PUBLIC = ("ledger/log/", "ledger/second/checkpoint", "ledger/second/ordinals-head")
"""The public log says nothing of any person (tests/contracts/test_no_plaintext.py); a head is a number and a digest."""


def sealed_bytes(name: str, content: bytes) -> bytes:
    """The encrypted part of a file of the workspace."""
    if name == "ledger/head":
        return content[4:]
    if name != "ledger/journal.bin":
        return content[48:]
    boxes, offset = [], 32
    while offset < len(content):
        end = offset + 4 + int.from_bytes(content[offset : offset + 4], "big")
        boxes.append(content[offset + 8 : end])
        offset = end
    return b"".join(boxes)


def test_sealed_files_look_like_chance(used: Place) -> None:
    looked_at = 0
    for name, content in stored(used).items():
        if name.endswith(("muniment.toml", "lock", "ring.json")) or name.startswith(PUBLIC):
            continue
        data = sealed_bytes(name, content)
        assert len(zlib.compress(data, 9)) >= len(data), name
        if len(data) >= 4_000:
            looked_at += 1
            expected, counts = len(data) / 256, np.bincount(np.frombuffer(data, np.uint8), minlength=256)
            chi = float(((counts - expected) ** 2 / expected).sum())
            # 255 degrees of freedom: mean 255, deviation 22.6; beyond 7 of them is no chance.
            assert abs(chi - 255) < 7 * 22.6, (name, chi)
    assert looked_at >= 3
    assert len(zlib.compress(used.source.read_bytes(), 9)) < used.source.stat().st_size / 2, "the test can fail"


def reachable(start: object) -> Iterator[object]:
    """Every object of the package that an object holds on to, through fields, slots, containers and closures."""
    waiting, seen = [start], set()
    while waiting:
        here = waiting.pop()
        if id(here) in seen or isinstance(here, ModuleType | type | str | bytes | int | float | np.ndarray | None):
            continue
        seen.add(id(here))
        if isinstance(here, Mapping):
            waiting += [*here.keys(), *here.values()]
        elif isinstance(here, list | tuple | set | frozenset):
            waiting += here
        elif type(here).__module__.startswith("muniment"):
            yield here
            names = [name for cls in type(here).__mro__ for name in getattr(cls, "__slots__", ())]
            waiting += [getattr(here, name, None) for name in (*names, *getattr(here, "__dict__", ()))]
        elif inspect.isfunction(here):
            waiting += [cell.cell_contents for cell in here.__closure__ or ()]


def test_no_repr_shows_a_key_or_a_person(used: Place) -> None:
    office = used.open()
    parts = office._parts
    traced = trace(parts, Question(used.folder / "copy-3.csv"))
    leak = read_leak(used.folder / "copy-3.csv")
    before = parts.journal.head()
    aligned = align_leak(parts, parts.register(REGISTER), leak, {}, before)
    made = [office, traced, leak, aligned, office.suggest(REGISTER), plans(parts, parts.register(REGISTER))]
    shown = [repr(here) for start in made for here in reachable(start)]
    shown += [repr(start) for start in made]
    kinds = {text.partition("(")[0] for text in shown}
    assert kinds >= {"Workspace", "KeyRing", "Key", "Traced", "Verdict", "Aligned", "Leak", "Table", "Register"}
    text = "\n".join(shown)
    secrets = [key.secret for purpose in ("mark", "pseudonym", "segment", "signing") for key in parts.ring.all(purpose)]
    for secret in [*secrets, parts.ring._kek]:
        assert repr(secret)[2:-1] not in text
        assert secret.hex() not in text
    persons = {value for value in values(used) if len(value) > 3}
    loud = {line.partition("(")[0] for line in shown if any(value in line for value in persons)}
    assert not loud
    assert "array(" not in text


def test_no_traceback_of_an_error_shows_a_value(used: Place) -> None:
    """What a caller logs with `traceback.format_exc()`: messages, hints and the chain of causes."""
    table = demo_table()
    odd = used.folder / "odd.csv"
    attempts: list[Callable[[], object]] = [
        lambda: used.release("x.csv", where="CAST(name_en AS INTEGER) = 3"),
        lambda: used.release("x.csv", where="CAST(birth_date AS TIMESTAMP) - CAST(name_en AS INTERVAL) IS NULL"),
        lambda: used.release("x.csv", where="no_such_column = 3"),
        lambda: used.open().register("other", odd, key="person_id"),
        lambda: used.open().register("other", used.source, key="sex"),
        lambda: used.open().register("other", used.source, key="phone"),
        lambda: used.open().trace(odd, encoding="ascii"),
        lambda: used.open().trace(used.copy, mapping={"name_en": "no such"}),
        lambda: used.open().trace(used.copy, leads_purpose=""),
        lambda: mu.open(used.office, "not the passphrase"),
    ]
    write_csv(odd, table)
    odd.write_text(odd.read_text(encoding="utf-8") + "A999999999,too,few\r\n", encoding="utf-8")
    persons = {value for value in values(used) if len(value) > 3} | {"A999999999", PASSPHRASE, "not the passphrase"}
    for attempt in attempts:
        with pytest.raises(MunimentError) as caught:
            attempt()
        # As the default formatter has it: with causes, without source lines (this file would show its own words).
        lines = traceback.TracebackException.from_exception(caught.value, lookup_lines=False)
        text = f"{caught.value.hint}\n" + "".join(_messages(lines))
        assert not [value for value in persons if value in text], text


def _messages(told: traceback.TracebackException | None) -> Iterator[str]:
    while told is not None:
        yield from told.format_exception_only()
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
