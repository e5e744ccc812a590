"""What the gate knows of the tables: which attribute of which relation is which column of which register.

Frozen values only; `server.control` reads them from PostgreSQL, `plan` asks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a relation: where it comes from.

    `register` is empty for an attribute that is no register's. `number` is the column's number in the register, `key`
    its place in the register's record key (0 first) or -1. `source` tells attributes of one relation apart that may
    come from different rows: for a table always 0; for a view the range-table entry of its query.
    """

    name: str
    type_oid: int
    register: str = ""
    number: int = 0
    key: int = -1
    source: int = 0
    deterministic: bool = True
    """Equal under the column's collation means equal bytes; else a literal in a query does not pin the key."""
    harmless: bool = False
    """Shown for nothing: declared so, or, in a view over a register, the plain column of an unguarded table."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, partition, child, view or materialised view. `attributes` by attribute number (1 first)."""

    oid: int
    schema: str
    name: str
    kind: str
    """`pg_class.relkind`."""
    guarded: bool
    """Whether rows of a register can be read through it."""
    temporary: bool
    attributes: Mapping[int, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegisterShape:
    """One declared register as the gate charges it: its key's columns, and the mean bytes of one row in a result."""

    name: str
    schema: int
    """Version of the register's declaration, for the template of a disclosure."""
    key: tuple[str, ...]
    mean_row_bytes: float


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A snapshot. `guarded_names`: every name, case as stored, by which rows of a register can be read in SQL text."""

    version: int
    relations: Mapping[int, Relation]
    registers: Mapping[str, RegisterShape]
    guarded_names: frozenset[str]
    scalar_functions: frozenset[str]
    """Names of built-in functions that return one value made of their arguments alone, under every overload."""
    user_operators: bool
    """Whether an operator or cast was added that could read tables: then no expression is taken to be row-local."""
    names: frozenset[str] = frozenset()
    """Further names that an error text may quote: constraints, indexes, types, functions, roles."""
    quiet_functions: frozenset[str] = frozenset()
    """Names of built-in functions that run no SQL, change no setting and read no register, under every overload."""
    guarded_schemas: frozenset[str] = frozenset()
    """Schemas of the guarded relations; `x.person` is none of them where `x` is no such schema. Empty: not known."""
    row_functions: frozenset[str] = frozenset()
    """Names of functions and aggregates that may be called with a whole row, as `p.json_agg` calls one."""
    keeping_functions: frozenset[str] = frozenset()
    """Names of built-in functions that leave something behind for later statements: settings, locks, sequences."""
    reading_functions: frozenset[str] = frozenset()
    """Names of functions that were added, and whose text names a guarded relation or runs SQL that it does not show."""
