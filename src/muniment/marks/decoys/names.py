"""Names of decoys: the surname of one record, the given name of another of the same sex and about the same age.

Names in several columns (two scripts, given name and surname apart) are taken to pieces. Pieces that go together in
the sample (a character and its romanisation) form a *strand* and are never parted; the strand that members of a unit
share is the surname. A unit's surnames are exchanged one for one, so that who shares a name with whom stays as it was.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from muniment.marks.decoys.coins import Coins
from muniment.marks.decoys.habits import Habits, Role, split_name, tie
from muniment.marks.decoys.rarity import Rarity

Piece = tuple[str, int]
"""A name column and the position of a part in it."""
NEAREST = 60
"""Donors of about the same age from whom one is drawn."""
REACH, FEWEST = 400, 3
"""Days within which another is about as old; donors to draw from where fewer are."""


class NearDonors:
    """Rows by bucket, in order of their day: a donor of the same bucket and about the same age.

    Rows in `undated` are donors only in buckets that have no others.
    """

    def __init__(
        self, buckets: Sequence[Hashable], days: Sequence[int], undated: frozenset[int] = frozenset()
    ) -> None:
        self._rows: dict[Hashable, list[int]] = defaultdict(list)
        for row in sorted(range(len(days)), key=days.__getitem__):
            if row not in undated:
                self._rows[buckets[row]].append(row)
        for row in sorted(undated):
            if buckets[row] not in self._rows:
                self._rows[buckets[row]] = [row]
        self._days = {bucket: [days[row] for row in members] for bucket, members in self._rows.items()}

    def near(self, bucket: Hashable, day: int) -> int:
        """How many donors of a bucket are about as old."""
        days = self._days.get(bucket, ())
        return bisect_right(days, day + REACH) - bisect_left(days, day - REACH)

    def draw(self, bucket: Hashable, day: int, coins: Coins) -> int:
        """A donor of the bucket: one of the `NEAREST` by day, but of those farther than `REACH` only the `FEWEST`."""
        rows, days = self._rows[bucket], self._days[bucket]
        middle = coins.between(bisect_left(days, day), bisect_right(days, day))
        wanted = min(NEAREST, max(FEWEST, self.near(bucket, day)))
        low, high = max(0, middle - NEAREST), min(len(rows), middle + NEAREST)
        nearest = sorted(range(low, high), key=lambda at: (abs(days[at] - day), at))[:wanted]
        return rows[coins.pick(nearest)]


FEW = 200
"""Rows of one shape below which ties cannot be seen: parts in the same position are then taken to go together."""
_TRIES = 25


@dataclass(frozen=True, slots=True, repr=False)
class Strands:
    """Of one shape of names: its strands, which of them is the surname, and the rows that have this shape."""

    given: tuple[tuple[Piece, ...], ...]
    surname: tuple[Piece, ...]
    rows: tuple[int, ...]


class Namer:
    """Draws the names of decoys from the habits of a register."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits
        self._columns = habits.columns(Role.NAME)
        self._pieces = [self._read(row) for row in range(habits.table.rows)]
        self._sexes = [tuple(habits.table[name][row] for name in habits.columns(Role.SKELETON))
                       for row in range(habits.table.rows)]  # fmt: skip
        by_shape: dict[Hashable, list[int]] = defaultdict(list)
        for row, shape in enumerate(habits.shapes):
            by_shape[shape].append(row)
        self.strands = {shape: self._strands(tuple(rows)) for shape, rows in by_shape.items()}
        self._richest = self._richest_shapes()
        buckets: list[Hashable] = list(zip(habits.shapes, self._sexes, strict=True))
        self._near = NearDonors(buckets, habits.days, habits.undated)
        self._rarity = Rarity(self._given(habits.shapes[row], self._pieces[row]) for row in range(habits.table.rows))

    def _read(self, row: int) -> dict[Piece, str]:
        """The parts of all names of a row."""
        found: dict[Piece, str] = {}
        for column in self._columns:
            cell = self._habits.table[column][row]
            if cell is not None:
                found.update({(column, at): cell[slice(*span)] for at, span in enumerate(split_name(cell))})
        return found

    def _strands(self, rows: tuple[int, ...]) -> Strands:
        """Find which pieces go together and which strand is the surname, among rows of one shape."""
        pieces = list(self._pieces[rows[0]])
        values = {piece: [self._pieces[row].get(piece) for row in rows] for piece in pieces}
        label = {piece: number for number, piece in enumerate(pieces)}
        span = range(len(rows))
        for i, a in enumerate(pieces):
            for b in pieces[i + 1 :]:
                together = a[1] == b[1] if len(rows) < FEW else _tied(values[a], values[b], span)
                if a[0] != b[0] and label[a] != label[b] and together:
                    old, new = label[b], label[a]
                    label.update({piece: new for piece, at in label.items() if at == old})
        groups: dict[int, list[Piece]] = defaultdict(list)
        for piece in pieces:
            groups[label[piece]].append(piece)
        strands = [tuple(group) for group in groups.values()]
        shares = [self._shared(strand[0], rows) for strand in strands]
        best = max(range(len(strands)), key=shares.__getitem__, default=None)
        if best is None or shares[best] < 0.2:
            return Strands(tuple(strands), (), rows)
        return Strands(tuple(strand for at, strand in enumerate(strands) if at != best), strands[best], rows)

    def _shared(self, piece: Piece, rows: Sequence[int]) -> float:
        """How often neighbours in a unit agree in a piece."""
        agree: Counter[bool] = Counter()
        for a, b in pairwise(rows):
            if self._habits.unit_of[a] == self._habits.unit_of[b]:
                agree[self._pieces[a].get(piece) == self._pieces[b].get(piece)] += 1
        return agree[True] / agree.total() if agree.total() >= 5 else 0.0

    def _richest_shapes(self) -> Mapping[Piece, Hashable]:
        """For the first piece of a surname: the commonest shape that fills most columns, to draw whole strands from."""
        best: dict[Piece, tuple[int, int, Hashable]] = {}
        for shape, strands in self.strands.items():
            if strands.surname:
                offer = (len(strands.surname), len(strands.rows), shape)
                best[strands.surname[0]] = max(best.get(strands.surname[0], offer), offer, key=lambda one: one[:2])
        return {piece: offer[2] for piece, offer in best.items()}

    def _given(self, shape: Hashable, pieces: Mapping[Piece, str]) -> Hashable:
        """The given name: the parts of the first filled name column that are not the surname."""
        return tuple(pieces[strand[0]] for strand in self.strands[shape].given) or None

    def draw(self, row: int, day: int, surnames: dict[Hashable, int], coins: Coins) -> dict[str, str | None]:
        """New names for a decoy in the place of `row`, born about `day`; `surnames` is kept through one unit."""
        shape = self._habits.shapes[row]
        strands = self.strands[shape]
        new = self._given_parts(row, day, coins)
        if strands.surname:
            old = (strands.surname[0], self._pieces[row][strands.surname[0]])
            if old not in surnames:
                surnames[old] = coins.pick(self.strands[self._richest[strands.surname[0]]].rows)
            donor = self._pieces[surnames[old]]
            new.update({piece: donor.get(piece, self._pieces[row][piece]) for piece in strands.surname})
        return {column: self._written(column, row, new) for column in self._columns}

    def _given_parts(self, row: int, day: int, coins: Coins) -> dict[Piece, str]:
        """The given strands: from one donor, or, as often as given names stand alone in the register, a new one."""
        shape = self._habits.shapes[row]
        new = coins.chance(self._rarity.novel) or not self.strands[shape].surname
        parts: dict[Piece, str] = {}
        for _ in range(_TRIES):
            parts = self._joined(row, day, coins, apart=new)
            given = self._given(shape, parts)
            if self._rarity.is_new(given) if new else self._rarity.accept(given, coins):
                break
        return parts

    def _joined(self, row: int, day: int, coins: Coins, *, apart: bool) -> dict[Piece, str]:
        """The given strands of one donor, or each of another (`apart`)."""
        bucket = (self._habits.shapes[row], self._sexes[row])
        donor = self._near.draw(bucket, day, coins)
        new: dict[Piece, str] = {}
        for strand in self.strands[self._habits.shapes[row]].given:
            new.update({piece: self._pieces[donor][piece] for piece in strand})
            donor = self._near.draw(bucket, day, coins) if apart else donor
        return new

    def _written(self, column: str, row: int, new: Mapping[Piece, str]) -> str | None:
        """The name of a row with other parts in it; what stands between the parts stays."""
        cell = self._habits.table[column][row]
        if cell is None:
            return None
        out, at = [], 0
        for number, (start, end) in enumerate(split_name(cell)):
            out += [cell[at:start], new[column, number]]
            at = end
        return "".join([*out, cell[at:]])


def _tied(first: Sequence[Hashable], second: Sequence[Hashable], rows: range) -> bool:
    """Whether two parts are renderings of one: either one all but decides the other."""
    return max(tie(first, second, rows), tie(second, first, rows)) > 0.9
