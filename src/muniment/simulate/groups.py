"""Small grouped arrays: members of groups laid end to end, and a draw of one member for each of many groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Groups:
    """Members of group g: `members[starts[g]:starts[g + 1]]`; `starts` shape (groups + 1,)."""

    starts: NDArray[np.int64]
    members: NDArray[np.int64]

    @classmethod
    def of(cls, group: NDArray[np.int64], member: NDArray[np.int64], groups: int) -> Groups:
        """From pairs (group, member), in the order of the pairs."""
        order = np.argsort(group, kind="stable")
        counts = np.bincount(group, minlength=groups)
        return cls(np.concatenate(([0], np.cumsum(counts))).astype(np.int64), member[order].astype(np.int64))

    def sizes(self, groups: NDArray[np.int64]) -> NDArray[np.int64]:
        """Members of each of some groups."""
        return self.starts[groups + 1] - self.starts[groups]

    def draw(self, groups: NDArray[np.int64], rng: np.random.Generator, missing: int = -1) -> NDArray[np.int64]:
        """One member of each, `missing` where a group has none."""
        sizes = self.sizes(groups)
        if not len(self.members):
            return np.full(len(groups), missing, np.int64)
        at = self.starts[groups] + (rng.random(len(groups)) * sizes).astype(np.int64)
        return np.where(sizes > 0, self.members[np.minimum(at, len(self.members) - 1)], missing)

    def all(self, groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All members of some groups: (row of `groups`, member), in order."""
        sizes = self.sizes(groups)
        owner = np.repeat(np.arange(len(groups)), sizes)
        begin = np.cumsum(sizes) - sizes
        at = np.repeat(self.starts[groups] - begin, sizes) + np.arange(len(owner))
        return owner, self.members[at]


def first_of_each(key: NDArray[np.int64], rank: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows that are the least of their key by rank, ascending."""
    order = np.lexsort((rank, key))
    sorted_key = key[order]
    new = np.concatenate(([True], sorted_key[1:] != sorted_key[:-1])) if len(key) else np.zeros(0, bool)
    return np.sort(order[new])
