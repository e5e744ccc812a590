"""The context of a watch in a workspace: imported from where the keeper has it, kept sealed, version by version.

Rules
1. What is kept are ordinals and the names of accounts, offices, cases and types; record keys are asked for and
   forgotten. Nothing lies here in clear: each file is sealed, under a key of its own label, as what its name says.
2. An import makes one new version of one table and changes none before it: the context of version V holds of each
   table the newest that is not above V. A watch notes which version it used from when on, and replays with that.
3. A file appears whole or not at all. Whoever has no ordinal is given one before: a crash leaves an ordinal more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.disclosure import Register
from muniment.durable import locked, storage_faults, sync_folder
from muniment.errors import InputError
from muniment.ingest.sources import open_source
from muniment.ledger.declarations import registers
from muniment.marks.stream import record_keys
from muniment.prf import hkdf
from muniment.sealed import read_sealed, write_sealed
from muniment.watch.context.assemble import DECOYS, Ruled, assemble
from muniment.watch.context.faults import Fault, joined
from muniment.watch.context.parse import Ground, Parsed, parse
from muniment.watch.context.schema import SHAPES
from muniment.watch.context.tables import Context
from muniment.watch.reads import Names, Spaces
from muniment.workspace.decoying import all_decoys
from muniment.workspace.ordinals import given_ordinals
from muniment.workspace.parts import Parts, located

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from muniment.ledger.appender import Appender

_LABEL: Final = "muniment watch context 1"
_NAME: Final = re.compile(r"(\d{8})-([a-z]+)-(\d{4})\.bin")
_FLOOR: Final = "floor.bin"
"""The oldest version that can still be loaded: written before anything is deleted."""
_SPACES: Final = ("account", "office", "role", "case", "type")


@dataclass(frozen=True, slots=True)
class Held:
    """One version of one table, by its file's name. `register`: its number in the journal from 1, 0 for none."""

    version: int
    table: str
    register: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.version:08}-{self.table}-{self.register:04}.bin"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import took up: rows that came, rows that are kept, what was wrong, and the version that it made."""

    table: str
    register: str
    version: int
    rows: int
    kept: int
    faults: tuple[Fault, ...]

    def to_json(self) -> dict[str, object]:
        """The JSON of `muniment watch import --json`."""
        return {
            "table": self.table,
            "register": self.register or None,
            "version": self.version,
            "rows": self.rows,
            "kept": self.kept,
            "faults": [
                {"kind": one.kind.value, "count": one.count, "row": one.row, "column": one.column, "kept": one.kept}
                for one in self.faults
            ],
        }


@dataclass(frozen=True, slots=True, repr=False)
class Loaded:
    """A context as of a version (0: nothing was ever imported), and what is wrong between its tables."""

    context: Context
    version: int
    faults: tuple[Fault, ...]


def import_table(parts: Parts, table: str, source: str, register: str | None = None, *, zone: str = "UTC") -> Imported:
    """Read a table of `schema.SHAPES` from a file, a database file or PostgreSQL; `zone`: where its times are local.

    Raises:
        InputError: no such table, place, column or register; or several registers and none named.
        UnreachableError: the source, the disk or the writer of the ledger cannot be reached.
        IntegrityError: the ordinal table does not verify.
    """
    shape = SHAPES.get(table)
    if shape is None:
        raise InputError(f"there is no table {table!r} of a context; the tables are {', '.join(SHAPES)}")
    opened = open_source(located(parts.folder, source))
    if not shape.of_register:
        return _keep(parts, parse(table, opened.batches(), opened.location, Ground(zone)), None)
    its = _register(parts, register)
    with parts.ledger.writing() as appender:
        ground = Ground(zone, its.key, _Given(parts, appender, its.name))
        parsed = parse(table, opened.batches(), opened.location, ground)
    return _keep(parts, parsed, its.name)


def take_up_decoys(parts: Parts) -> list[Imported]:
    """Make the decoys of all plans known to the watch, one table a register that has any. Errors as `import_table`."""
    return [
        _keep(parts, Parsed(DECOYS, {"record": ordinals}, read=len(ordinals)), name)
        for name, ordinals in _decoys(parts)
    ]


def load(parts: Parts, spaces: Spaces, ruled: Ruled, version: int | None = None) -> Loaded:
    """The context of a version, the newest where none is named; `spaces` gets names that it does not have yet.

    Raises `InputError` where there is no such version (any more), `IntegrityError` where a file does not verify.
    """
    there = held(parts)
    newest = max((one.version for one in there), default=0)
    asked = newest if version is None else version
    oldest = _oldest(parts)
    if not oldest <= asked <= newest:
        raise InputError(f"there is no version {asked} of the watch's context; it has {oldest} to {newest}")
    chosen = _as_of(there, asked)
    assembled = assemble([_opened(parts, one) for one in chosen], spaces, ruled)
    return Loaded(assembled.context, asked, assembled.faults)


def held(parts: Parts) -> list[Held]:
    """The versions that are kept, old ones first."""
    folder = context_folder(parts)
    if not folder.is_dir():
        return []
    with storage_faults(folder, "read"):
        found = [_NAME.fullmatch(path.name) for path in folder.iterdir()]
    return sorted(
        (Held(int(one[1]), one[2], int(one[3])) for one in found if one is not None), key=lambda one: one.version
    )


def forget(parts: Parts, before: int) -> int:
    """Delete what no version from `before` on needs; returns how many files that were."""
    folder = context_folder(parts)
    if not folder.is_dir():
        return 0
    with locked(folder / "lock"):
        there = held(parts)
        needed = set(_as_of(there, before))
        if (floor := min(before, there[-1].version if there else 0)) > _oldest(parts):
            write_sealed(folder / _FLOOR, _key(parts), [str(floor).encode()], f"{_LABEL} {_FLOOR}")
        old = [one for one in there if one.version < before and one not in needed]
        with storage_faults(folder, "delete an old version"):
            for one in old:
                (folder / one.name).unlink(missing_ok=True)
            sync_folder(folder)
    return len(old)


def context_folder(parts: Parts) -> Path:
    """Where the sealed tables lie."""
    return parts.folder / "watch" / "context"


# --- registers and records -------------------------------------------------------------------------------------------


class _Given:
    """Ordinals of records of one register; who has none is given one. A `parse.Persons`."""

    def __init__(self, parts: Parts, appender: Appender, register: str) -> None:
        self._parts, self._appender, self._register = parts, appender, register

    def ordinals(self, keys: Sequence[bytes]) -> NDArray[np.uint32]:
        return given_ordinals(self._parts, self._appender, self._register, keys)


def _register(parts: Parts, name: str | None) -> Register:
    names = [setting.name for setting in parts.config.registers]
    if name is None and len(names) != 1:
        raise InputError(
            f"this table speaks of records of a register, and there are {len(names)}: {', '.join(names) or 'none'}",
            hint="name one with --register",
        )
    return parts.register(names[0] if name is None else name)


def _decoys(parts: Parts) -> Iterator[tuple[str, NDArray[np.uint32]]]:
    for setting in parts.config.registers:
        register = parts.register(setting.name)
        decoys = all_decoys(parts, register)
        if decoys is not None and decoys.rows:
            with parts.ledger.writing() as appender:
                found = given_ordinals(parts, appender, register.name, record_keys(decoys, register.key, 0))
            yield register.name, np.unique(found)


# --- sealed files ----------------------------------------------------------------------------------------------------


def _keep(parts: Parts, parsed: Parsed, register: str | None) -> Imported:
    folder = context_folder(parts)
    with storage_faults(folder, "make the folder"):
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    number = 0 if register is None else list(registers(parts.journal)).index(register) + 1
    with locked(folder / "lock"):
        version = 1 + max((one.version for one in held(parts)), default=0)
        made = Held(version, parsed.table, number)
        write_sealed(folder / made.name, _key(parts), _packed(parsed), _purpose(made))
    return Imported(parsed.table, register or "", version, parsed.read, len(parsed), joined(parsed.faults))


def _oldest(parts: Parts) -> int:
    path = context_folder(parts) / _FLOOR
    return int(read_sealed(path, _key(parts), f"{_LABEL} {_FLOOR}")) if path.is_file() else 0


def _as_of(there: Iterable[Held], version: int) -> list[Held]:
    """Of each table and register the newest that is not above a version."""
    newest = {(one.table, one.register): one for one in there if one.version <= version}  # ascending: the last stays
    return sorted(newest.values(), key=lambda one: (one.table, one.register))


def _opened(parts: Parts, one: Held) -> Parsed:
    data = read_sealed(context_folder(parts) / one.name, _key(parts), _purpose(one))
    with np.load(BytesIO(data)) as arrays:
        about = json.loads(arrays["about"].tobytes())
        columns = {name[1:]: arrays[name] for name in arrays.files if name.startswith("_")}
    spaces = Spaces(**{name: Names(texts) for name, texts in about["names"].items()})
    return Parsed(one.table, columns, spaces, about["read"], orders=tuple(about["orders"]))


def _packed(parsed: Parsed) -> Iterator[bytes]:
    names = {name: list(getattr(parsed.names, name).texts) for name in _SPACES}
    about = json.dumps({"read": parsed.read, "orders": parsed.orders, "names": names}).encode()
    buffer = BytesIO()
    columns = {f"_{name}": column for name, column in parsed.columns.items()}
    np.savez(buffer, about=np.frombuffer(about, np.uint8), **columns)  # type: ignore[arg-type]
    yield buffer.getvalue()


def _key(parts: Parts) -> bytes:
    return hkdf(parts.ring.all("segment")[0].secret, _LABEL, length=32)


def _purpose(one: Held) -> str:
    return f"{_LABEL} {one.name}"
