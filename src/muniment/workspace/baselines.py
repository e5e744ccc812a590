"""The sealed baselines of a workspace: one file a register, read and written as a whole under the journal's lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from muniment.disclosure import Register
from muniment.durable import storage_faults
from muniment.marks.baseline import Baseline, CellDigest, State, baseline_column
from muniment.marks.plan import Plan
from muniment.marks.write import Prepared
from muniment.prf import hkdf
from muniment.sealed import read_sealed, write_sealed
from muniment.workspace.parts import Parts

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_PURPOSE = "muniment baseline 1"


def cell_digest(parts: Parts, register: str) -> CellDigest:
    """The keyed digest of a register's cells; under the first pseudonym key, so that rotation changes no digest."""
    return CellDigest(hkdf(parts.ring.all("pseudonym")[0].secret, "muniment cell digest 1", register))


def load_baseline(parts: Parts, register: str) -> Baseline:
    """The baseline of a register, empty where no copy was ever made."""
    path = _path(parts, register)
    if not path.exists():
        return Baseline.empty()
    return Baseline.from_bytes(read_sealed(path, parts.ring.all("segment")[0].secret, _purpose(register)))


def _path(parts: Parts, register: str) -> Path:
    # The name of a register may hold any printable character: the file is named by its number in the journal.
    from muniment.ledger.declarations import registers

    number = list(registers(parts.journal)).index(register)
    return parts.baseline_folder / f"{number:04}.bin"


def _purpose(register: str) -> str:
    return f"{_PURPOSE} {register}"


def column_of(plan: Plan, register: Register, name: str) -> int:
    """Where the baseline keeps a column that is marked by this plan."""
    return baseline_column(register.column(name).number, [family.carrier.name for family in plan.on(name)])


class Observed:
    """The digests of the markable cells that a release saw, gathered batch by batch."""

    def __init__(self, digest: CellDigest, columns: Sequence[tuple[str, int]], tolerance: frozenset[str]) -> None:
        self._digest = digest
        self._columns = tuple(columns)
        self._tolerance = tolerance
        self._pseudonyms: list[NDArray[np.uint64]] = []
        self._form: list[NDArray[np.uint32]] = []
        self._plain: list[NDArray[np.uint32]] = []

    def add(self, pseudonyms: NDArray[np.uint64], prepared: Prepared) -> None:
        """Take up one batch."""
        form = np.zeros((len(pseudonyms), len(self._columns)), np.uint32)
        plain = np.zeros_like(form)
        for column in prepared.columns:
            i = [name for name, _ in self._columns].index(column.name)
            form[:, i], plain[:, i] = cell_digests(self._digest, prepared, column.name, column.name in self._tolerance)
        self._pseudonyms.append(pseudonyms)
        self._form.append(form)
        self._plain.append(plain)

    @property
    def pseudonyms(self) -> NDArray[np.uint64]:
        """The pseudonyms of all records seen, in their order."""
        return np.concatenate(self._pseudonyms) if self._pseudonyms else np.zeros(0, np.uint64)

    def news(self, known: Baseline) -> Baseline | None:
        """The baseline of cells that are new or really changed; `None` where there is nothing new."""
        if not self._pseudonyms:
            return None
        pseudonyms = self.pseudonyms
        order = np.argsort(pseudonyms, kind="stable")
        form, plain = np.concatenate(self._form)[order], np.concatenate(self._plain)[order]
        pseudonyms = pseudonyms[order]
        numbers = tuple(number for _, number in self._columns)
        for i, number in enumerate(numbers):
            states = known.states(pseudonyms, number, form[:, i], plain[:, i])
            old = (states == State.SAME) | (states == State.FORM_ONLY)
            form[old, i] = plain[old, i] = 0
        some = form.any(axis=1)
        return Baseline(numbers, pseudonyms[some], form[some], plain[some]) if some.any() else None


def cell_digests(
    digest: CellDigest, prepared: Prepared, column: str, tolerance: bool
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """`form` and `plain` digests of one column of a batch; 0 where a cell has no place for a mark.

    For a column with a tolerance `plain` is 1 for every cell: any change then counts as one in form only.
    """
    at = next(c for c in prepared.columns if c.name == column)
    cells = prepared.table[column]
    placed = np.array([forms is not None for forms in at.forms], bool)
    form = np.where(placed, digest(cells), 0).astype(np.uint32)
    if tolerance:
        return form, placed.astype(np.uint32)
    # Most cells of a register are written in one form: only those that differ from their plain one take two digests.
    plain = form.copy()
    differs = [i for i, (cell, forms) in enumerate(zip(cells, at.forms, strict=True)) if forms and forms[0] != cell]
    plain[differs] = digest([at.forms[i][0] for i in differs])  # type: ignore[index]
    return form, plain


def extend_baseline(parts: Parts, register: str, observed: Observed) -> None:
    """Add what is new to the sealed baseline; call under the journal's lock, before any copy appears."""
    known = load_baseline(parts, register)
    news = observed.news(known)
    if news is not None:
        path = _path(parts, register)
        with storage_faults(path.parent, "make the folder"):
            path.parent.mkdir(mode=0o700, exist_ok=True)
        write_sealed(path, parts.ring.all("segment")[0].secret, [known.merged(news).to_bytes()], _purpose(register))
