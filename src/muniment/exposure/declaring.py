"""Relations as a person writes them, and the ties of an extract that they mean.

    address,phone          rows with the same values in all of these columns
    mother_id->person_id   a column that names another row's key
    heads:role             row order: a household begins at each row with the role of the first row
    runs:address           row order: neighbours with the same values

A name with a comma or an arrow in it cannot be declared: rename it in a view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from muniment.errors import InputError

if TYPE_CHECKING:
    from muniment.exposure.extract import Extract
    from muniment.exposure.relations import Ties

FORMS: Final = "COLUMN,COLUMN or COLUMN->COLUMN or heads:COLUMN or runs:COLUMN,COLUMN"
_Tying = Callable[["Extract", tuple[str, ...]], "Ties"]


@dataclass(frozen=True, slots=True)
class Declared:
    """A relation: the columns it needs, and in which of the four ways they tie rows."""

    text: str
    way: str
    columns: tuple[str, ...]

    def ties(self, extract: Extract) -> Ties:
        """The ties in an extract that was read with labels; `InputError` as the functions of `relations`."""
        return _ways()[self.way](extract, self.columns)


def declared(text: str) -> Declared:
    """Read a relation; `InputError` where it has none of the forms."""
    if "->" in text:
        columns = tuple(name.strip() for name in text.split("->"))
        way = "referred"
    else:
        prefix, mark, rest = text.partition(":")
        way = prefix if mark and prefix in ("heads", "runs") else "shared"
        columns = tuple(name.strip() for name in (rest if way != "shared" else text).split(","))
    expected = {"referred": 2, "heads": 1}.get(way, len(columns))
    if not all(columns) or len(columns) != expected or len(set(columns)) < len(columns):
        raise InputError(f"relation {text!r}: expected {FORMS}")
    return Declared(text, way, columns)


def _ways() -> Mapping[str, _Tying]:
    from muniment.exposure.relations import by_heads, in_runs, referred, shared

    return {
        "shared": shared,
        "referred": lambda extract, names: referred(extract, names[0], names[1]),
        "heads": lambda extract, names: by_heads(extract, names[0]),
        "runs": in_runs,
    }
