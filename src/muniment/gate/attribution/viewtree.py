"""The columns of a view, out of the rule that PostgreSQL stores for it (`pg_rewrite.ev_action`, a `pg_node_tree`).

PostgreSQL writes into each target of the query which column of which table it shows (`resorigtbl`, `resorigcol`) - the
same that RowDescription says - and of which entry of the range table its value is taken. Only an entry that is a table
or view itself says that two columns are of one row; every other one is a source of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from muniment.errors import InputError

DEPTH: Final = 200
"""Nodes inside one another; a deeper tree is not read."""
ALONE: Final = 1_000_000
"""Sources from here on are one column each."""
_ATOM: Final = re.compile(r"\s*(\{|\}|\(|\)|\"(?:[^\"\\]|\\.)*\"|(?:[^\s(){}\\]|\\.)+)", re.DOTALL)
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One column of a view: the relation and attribute that it shows (0: an expression), and its source."""

    number: int
    relation: int
    attribute: int
    source: int


def view_columns(tree: str) -> list[ViewColumn]:
    """The columns of a view's query. Raises `InputError` where the tree is of another shape than is known."""
    try:
        atoms = _atoms(tree)
        return _columns(_value(next(atoms), atoms, 0))
    except (StopIteration, KeyError, ValueError, TypeError) as error:
        raise InputError("the rule of a view is of a shape that is not known: its columns are expressions") from error


def _columns(queries: object) -> list[ViewColumn]:
    if not isinstance(queries, list) or len(queries) != 1 or not isinstance(queries[0], dict):
        raise ValueError("not one query")
    query = queries[0]
    tables = [_is_table(entry) for entry in _nodes(query.get("rtable"))]
    found = []
    for target in _nodes(query.get("targetList")):
        if target["resjunk"] == "true":
            continue
        number = int(target["resno"])
        source = _source(target["expr"], tables)
        found.append(ViewColumn(number, int(target["resorigtbl"]), int(target["resorigcol"]), source or ALONE + number))
    if not found:
        raise ValueError("no columns")
    return found


def _source(expression: object, tables: list[bool]) -> int:
    """The entry of the range table that a column is taken from; 0 where that is not one row of a table."""
    if not isinstance(expression, dict) or expression.get("") != "VAR" or expression.get("varlevelsup") != "0":
        return 0
    number = int(expression["varno"])
    return number if 1 <= number <= len(tables) and tables[number - 1] else 0


def _is_table(entry: Node) -> bool:
    return entry.get("rtekind") == "0"


def _nodes(value: object) -> list[Node]:
    return [node for node in value if isinstance(node, dict)] if isinstance(value, list) else []


def _atoms(tree: str) -> Iterator[str]:
    return (match[1] for match in _ATOM.finditer(tree))


def _value(atom: str, atoms: Iterator[str], depth: int) -> object:
    if depth > DEPTH:
        raise ValueError("nodes too deep")
    if atom == "(":
        items: list[object] = []
        while (atom := next(atoms)) != ")":
            items.append(_value(atom, atoms, depth + 1))
        return items
    return _node(atoms, depth) if atom == "{" else atom


def _node(atoms: Iterator[str], depth: int) -> Node:
    """A node: its label under the empty name, each field with its last value (a field may have several atoms)."""
    node: Node = {"": next(atoms)}
    name = ""
    while (atom := next(atoms)) != "}":
        if atom.startswith(":"):
            name = atom[1:]
            node[name] = None
        else:
            value = _value(atom, atoms, depth + 1)
            if node.get(name) is None:
                node[name] = value
    return node
