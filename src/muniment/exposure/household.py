"""Household and family as a joint key: whom the columns single out once it is shown who belongs with whom.

A person is looked for by its own values and by those of all with whom it lives: its class is that of the persons with
the same values in households with the same members, in any order. Joint keys over relations are those of
multirelational k-anonymity (Nergiz, Clifton, Nergiz 2009); the households of one class are found by order-free hashed
sums of their members (Clarke et al. 2003), and compared member by member.

A product of the members' own risks, as commonly used, takes members as independent and cannot see this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from muniment.errors import InputError
from muniment.exposure import household_kernels
from muniment.exposure.classes import classes
from muniment.exposure.extract import Classes, Coded
from muniment.exposure.floor import FLOOR, Count, check_rows
from muniment.exposure.relations import Ties
from muniment.exposure.shares import nested

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAFE_SIZES: Final = (11, 5)
"""Sizes of classes below which persons are counted: those of releases to the public and to a controlled setting."""


@dataclass(frozen=True, slots=True)
class Household:
    """What the columns single out without the relation, and with it.

    `alone`: persons whose values nobody else has. `joint`: persons whose values and household together nobody else
    has. `in_unique`: persons in a household that is the only one of its kind (two alike in it are not told apart).
    `below`: persons by size, in joint classes of fewer. `joint_classes` / `rows` is the marketer's share.
    """

    relation: str
    columns: tuple[str, ...]
    rows: int
    households: Count
    unique_households: Count
    alone: Count
    joint: Count
    in_unique: Count
    below: tuple[tuple[int, Count], ...]
    alone_classes: Count
    joint_classes: Count

    @property
    def alone_share(self) -> float:
        """Share of persons singled out by their own values."""
        return self.alone.share(self.rows)

    @property
    def joint_share(self) -> float:
        """Share of persons singled out by their own values and their household."""
        return self.joint.share(self.rows)

    @property
    def in_unique_share(self) -> float:
        """Share of persons in a household of its own kind."""
        return self.in_unique.share(self.rows)

    @property
    def unique_share(self) -> float:
        """Share of households of their own kind."""
        return self.unique_households.share(self.households.at_least)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Homes:
    """Households as joint keys: `ids` and `sizes` of the classes of households; `members` from `starts` on each.

    starts: int64, (households + 1,); members: own class ids, uint32, (rows,), ascending in each household; ids:
    uint32, (households,); sizes: households in each class, int64, (classes,).
    """

    starts: NDArray[np.int64]
    members: NDArray[np.uint32]
    ids: NDArray[np.uint32]
    sizes: NDArray[np.int64]


def homes(own: Classes, groups: Classes) -> Homes:
    """The households of rows in `groups`, each a multiset of its members' own classes; exact, in any row order.

    Raises `InputError` where both are not of the same rows.
    """
    if own.rows != groups.rows:
        raise InputError(f"the relation has {groups.rows:,} rows: expected the {own.rows:,} of the columns")
    starts, members = household_kernels.gathered(groups.ids, groups.sizes, own.ids)
    return Homes(starts, members, *household_kernels.matched(starts, members))


def household(columns: Sequence[Coded], ties: Ties, floor: int = FLOOR) -> Household:
    """What the columns tell of persons once `ties` are known: a household key is shown, or can be worked out.

    Raises `InputError` as `classes` and `homes`, and for fewer rows than the floor.
    """
    check_rows(ties.rows, f"relation {ties.name!r}", floor)
    own = classes(columns)
    alone, alone_classes = own.uniques, len(own.sizes)
    found = homes(own, ties.groups)
    del own
    told = household_kernels.persons_told(found.starts, found.members, found.ids, found.sizes)
    living = np.diff(found.starts)
    in_unique = int(living[found.sizes[found.ids] == 1].sum())
    unique = int((found.sizes == 1).sum())
    *below, joint = [int(told[1:size].sum()) for size in (*SAFE_SIZES, 2)]
    rows, *small, joint_told = nested((ties.rows, *below, joint), floor)
    alone_told = nested((joint_told.at_least, alone), floor)[1] if not joint_told.hidden else Count.of(alone, floor)
    home_counts = nested((len(living), unique), floor)
    return Household(
        relation=ties.name,
        columns=tuple(column.name for column in columns),
        rows=rows.at_least,
        households=home_counts[0],
        unique_households=home_counts[1],
        alone=alone_told,
        joint=joint_told,
        in_unique=_beside(in_unique, joint_told, ties.rows, floor),
        below=tuple(zip(SAFE_SIZES, small, strict=True)),
        alone_classes=Count.of(alone_classes, floor),
        joint_classes=Count.of(int(told[0]), floor),
    )


def _beside(count: int, inner: Count, rows: int, floor: int) -> Count:
    """A count of persons among whom those of `inner` are, told as these or as all rows where it is that near."""
    if count and 0 < rows - count < floor:
        return Count.of(rows, floor)
    near = not inner.hidden and inner.at_least > 0 and count - inner.at_least < floor
    return inner if near else Count.of(count, floor)
