"""What the map of tables says of a relation: of which registers its rows are, and by which columns they are told.

A *source* is what columns have in common that show one row: 0 in a table, the entry of its query's range table in a
view. All columns of a table are of its row, also those that are not declared.
"""

from __future__ import annotations

from typing import Final

from muniment.gate.attribution.catalogue import Attribute, Catalogue, RegisterShape, Relation

_TABLES: Final = frozenset("rpf")
"""`pg_class.relkind` of what is no view: tables, partitioned and foreign ones."""


def source_of(relation: Relation, attribute: Attribute | None) -> int | None:
    """The source of a column; `None` for what a view computes, or for a column of a view that is not known."""
    if relation.kind in _TABLES:
        return 0
    return attribute.source if attribute is not None and attribute.register else None


def sources(relation: Relation) -> list[int]:
    """The sources that rows of a register are in."""
    return sorted({one.source for one in relation.attributes.values() if one.register})


def opaque(relation: Relation) -> bool:
    """Whether there are columns in it of which nobody knows what they show."""
    shown = relation.attributes.values()
    return relation.kind not in _TABLES and not all(one.register or one.harmless for one in shown)


def shape_of(catalogue: Catalogue, relation: Relation, source: int) -> RegisterShape | None:
    """The one register that the rows of a source are of."""
    found = {one.register for one in relation.attributes.values() if one.register and one.source == source}
    return catalogue.registers.get(found.pop()) if len(found) == 1 else None


def key_of(catalogue: Catalogue, relation: Relation, source: int) -> list[tuple[int, Attribute]]:
    """Number and attribute of each column of the key, in its order; empty where one of them is not there."""
    shape = shape_of(catalogue, relation, source)
    places = {
        one.key: (number, one)
        for number, one in sorted(relation.attributes.items(), reverse=True)
        if one.register and one.source == source and one.key >= 0
    }
    wanted = range(len(shape.key)) if shape else range(0)
    return [places[place] for place in wanted] if places.keys() >= set(wanted) else []


def meant_by(catalogue: Catalogue, name: str) -> list[Relation]:
    """The guarded relations of a name, of whatever schema."""
    return [one for one in catalogue.relations.values() if one.guarded and one.name == name]
