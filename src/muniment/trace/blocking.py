"""Which pairs of leak row and record are worth a look, out of all of them.

A *pass* joins both sides on one or a few forms. Passes are chosen from the register's own counts, so that a block (the
records that share a key) holds a few records: single columns where they suffice, else pairs, else triples, each in the
loosest form that is selective enough. A column that is wrong in a row costs the passes it takes part in, no more.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.disclosure import Kind
from muniment.trace.fields import Field, Hashes, Keys

BLOCK_TARGET: Final = 12.0
"""Records in an average block of a pass that is used."""
BLOCK_MOST: Final = 60
"""Records in a block that is looked at: larger ones belong to frequent values and tell little."""
PASSES: Final = 16
"""Passes over the register: each costs some 0.1 s for a million records."""
TRIED: Final = 800
"""Groups of forms of one size whose blocks are measured: some 2 ms each."""
CROSSED_NAMES: Final = 4
"""Name columns that may have been swapped with one another."""
SAMPLE: Final = 20_000
"""Records from which the size of blocks is estimated."""
_TABLE_BITS: Final = 22
_MULTIPLIERS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)


@dataclass(frozen=True, slots=True, repr=False)
class Form:
    """One form of one field (or of several at once) on both sides."""

    fields: frozenset[int]
    rank: int
    """0 loose, 1 strict: looser forms are tried first. Forms of one rank do not stand for one another."""
    leak: Hashes
    register: Hashes


Pass = tuple[Form, ...]


def combined(keys: Sequence[Hashes]) -> Hashes:
    """Return one key for several: 0 (missing) where any of them is missing."""
    if len(keys) == 1:
        return keys[0]
    total = np.zeros(len(keys[0]), np.uint64)
    present = np.ones(len(keys[0]), bool)
    for key in keys:
        total = mixed(total, key)
        present &= key != 0
    return np.where(present, (total | np.uint64(1)).view(np.int64), 0)


def mixed(total: NDArray[np.uint64], key: Hashes) -> NDArray[np.uint64]:
    """Return the running hash `total` with one more key in it (multiply and shift; the order matters)."""
    total = (total ^ key.view(np.uint64)) * np.uint64(_MULTIPLIERS[0])
    return (total ^ (total >> np.uint64(29))) * np.uint64(_MULTIPLIERS[1])


def forms_of(fields: Sequence[Field], leak: Keys, register: Keys) -> list[Form]:
    """Return every form that a pass may use: strict and loose of each field, names in any order, all but numbers."""
    forms = []
    for number, field in enumerate(fields):
        rank = 0 if field.tolerance is not None else 1
        forms.append(Form(frozenset({number}), 0, leak.loose[number], register.loose[number]))
        forms.append(Form(frozenset({number}), rank, leak.strict[number], register.strict[number]))
    return forms + _crossed_forms(fields, leak, register) + _whole_form(fields, leak, register)


def _crossed_forms(fields: Sequence[Field], leak: Keys, register: Keys) -> list[Form]:
    """Return a form for each two of the first names: the same where they were swapped."""
    names = [number for number, field in enumerate(fields) if field.kind is Kind.NAME][:CROSSED_NAMES]
    return [Form(frozenset({one, other}), 1, _either(leak, one, other), _either(register, one, other))
            for one, other in itertools.combinations(names, 2)]


def _whole_form(fields: Sequence[Field], leak: Keys, register: Keys) -> list[Form]:
    """Return one form of all fields without a tolerance, where there are others: it joins with their grids."""
    exact = [number for number, field in enumerate(fields) if field.tolerance is None]
    if not 1 < len(exact) < len(fields):
        return []
    sides = [combined([keys.strict[number] for number in exact]) for keys in (leak, register)]
    return [Form(frozenset(exact), 1, *sides)]


def _either(keys: Keys, first: int, second: int) -> Hashes:
    """Return a key that is the same where two columns were swapped."""
    one, other = keys.strict[first], keys.strict[second]
    with np.errstate(over="ignore"):
        return np.where((one != 0) & (other != 0), (one + other) | 1, 0)


def collision(key: Hashes) -> float:
    """Return the chance that two records with a value share it (floored at what the sample can show)."""
    present = key[key != 0]
    if len(present) < 2:
        return 1.0
    present = np.sort(present)
    counts = np.diff(np.flatnonzero(np.r_[True, present[1:] != present[:-1], True])).astype(np.float64)
    pairs = float((counts * (counts - 1)).sum())
    return max(pairs, 1.0) / (len(present) * (len(present) - 1.0))


def choose_passes(forms: Sequence[Form], register_rows: int) -> list[Pass]:
    """Return the passes to make, most selective first; at most `PASSES`; triples where pairs do not suffice."""
    chosen: list[tuple[float, Pass]] = []
    covered: dict[frozenset[int], int] = {}
    for width in (1, 2, 3):
        if width == 3 and len(chosen) >= 3:
            break
        for fields, members in _groups(forms, width):
            if _stands(covered, fields, _rank(members)):
                continue
            block = register_rows * _collision_of(members, register_rows)
            if block <= BLOCK_TARGET:
                chosen.append((block, members))
                covered[fields] = min(_rank(members), covered.get(fields, _rank(members)))
    chosen.sort(key=lambda entry: (len(entry[1]), entry[0]))
    return [members for _, members in chosen[:PASSES]]


def _groups(forms: Sequence[Form], width: int) -> Iterator[tuple[frozenset[int], Pass]]:
    """Yield groups of forms on different fields, the loosest first; at most `TRIED`."""
    groups = []
    for members in itertools.islice(itertools.combinations(forms, width), 20 * TRIED):
        fields = frozenset[int]().union(*(form.fields for form in members))
        if len(fields) == sum(len(form.fields) for form in members):
            groups.append((fields, members))
    groups.sort(key=lambda group: _rank(group[1]))
    yield from groups[:TRIED]


def _collision_of(members: Pass, register_rows: int) -> float:
    stride = max(1, register_rows // SAMPLE)
    return collision(combined([form.register[::stride] for form in members]))


def _rank(members: Sequence[Form]) -> int:
    return sum(form.rank for form in members)


def _stands(covered: dict[frozenset[int], int], fields: frozenset[int], rank: int) -> bool:
    """Whether a looser pass on the same fields, or any pass on fewer of them, finds these pairs already."""
    return any(done < fields or (done == fields and best < rank) for done, best in covered.items())


def candidates(passes: Sequence[Pass], rows: NDArray[np.int64], register_rows: int) -> tuple[Hashes, Hashes]:
    """Return the distinct pairs (leak row, record) that share a block in any pass, sorted by leak row."""
    codes = [np.zeros(0, np.int64)]
    for members in passes:
        keys = combined([form.leak[rows] for form in members])
        first, record = _join(keys, combined([form.register for form in members]))
        codes.append(rows[first] * register_rows + record)
    pairs = np.unique(np.concatenate(codes))
    return pairs // max(1, register_rows), pairs % max(1, register_rows)


def _join(leak: Hashes, register: Hashes) -> tuple[Hashes, Hashes]:
    """Return the index pairs of equal keys, except in blocks above `BLOCK_MOST`."""
    mask = (1 << _TABLE_BITS) - 1
    table = np.zeros(1 << _TABLE_BITS, bool)
    table[leak[leak != 0] & mask] = True
    hits = np.flatnonzero(table[register & mask] & (register != 0))
    order = hits[np.argsort(register[hits], kind="stable")]
    ordered = register[order]
    start = np.searchsorted(ordered, leak, "left")
    count = np.searchsorted(ordered, leak, "right") - start
    count[(leak == 0) | (count > BLOCK_MOST)] = 0
    first = np.repeat(np.arange(len(leak)), count)
    within = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    return first, order[np.repeat(start, count) + within]


def chunks(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Return the rows in pieces of at most `size`."""
    for start in range(0, len(rows), size):
        yield rows[start:start + size]
