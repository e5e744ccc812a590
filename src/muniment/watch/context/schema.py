"""The tables of a context as a keeper hands them in: their columns, what these mean, and an example of each.

Rules
1. Columns are known by name, in any order and any case; those that are not listed here are left alone, but in `orders`.
2. KEY stands for the key columns of the register, by their names there; `other_KEY` for the same columns of a second
   record, each name behind `other_`.
3. Only `FORM.END` may lie open: an empty end is none. A date as an end means the end of that day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

Space: TypeAlias = Literal["account", "office", "role", "case", "type"]


class Form(StrEnum):
    """How the cells of a column are read."""

    NAME = "name"
    SINCE = "since"
    UNTIL = "until"
    DATE = "date"
    COUNT = "count"
    YES = "yes"
    DAY_KIND = "day kind"
    GROUP = "group"
    KEY = "key"
    OTHER_KEY = "other key"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Given:
    """One column. `space`: whose code a name is given. `required`: the column must be there, and its cells filled."""

    name: str
    form: Form
    what: str
    example: str
    required: bool = False
    space: Space | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """One table: what it is about, and its columns."""

    name: str
    what: str
    columns: tuple[Given, ...]

    @property
    def of_register(self) -> bool:
        """Whether it has key columns."""
        return any(one.form is Form.KEY for one in self.columns)

    @property
    def more(self) -> bool:
        """Whether every further column has a meaning too."""
        return any(one.form is Form.ORDER for one in self.columns)


def _account(required: bool = True) -> Given:
    return Given("account", Form.NAME, "the account, as the ledger records it", "a.lin", required, "account")


def _case(what: str, required: bool = True) -> Given:
    return Given("case", Form.NAME, what, "2025-00417", required, "case")


def _office(what: str, required: bool = False) -> Given:
    return Given("office", Form.NAME, what, "Housing", required, "office")


def _since(what: str, name: str = "since", required: bool = False) -> Given:
    return Given(name, Form.SINCE, what, "2025-03-04", required)


def _until(what: str, name: str = "until", required: bool = False) -> Given:
    return Given(name, Form.UNTIL, what, "2025-06-30", required)


_KEY: Final = Given("KEY", Form.KEY, "the key columns of the register", "P0000123", required=True)
_OTHER: Final = Given("other_KEY", Form.OTHER_KEY, "the key columns of the other record", "P0000124", required=True)

SHAPES: Final[Mapping[str, Shape]] = {
    shape.name: shape
    for shape in (
        Shape(
            "staff",
            "who works where: one row a stay of an account in an office",
            (
                _account(),
                _office("the office; empty: none is known"),
                Given("role", Form.NAME, "what the account does there", "clerk", space="role"),
                _since("first day; empty: always"),
                _until("last day; empty: still there"),
            ),
        ),
        Shape(
            "cases",
            "cases: one row each, and one more for each time that a case was opened again",
            (
                _case("the case, as reads name it"),
                Given("type", Form.NAME, "its type", "housing benefit", space="type"),
                _since("when it was opened", "opened", required=True),
                _until("when it was closed; empty: it is open", "closed"),
                Given("opener", Form.NAME, "the account that opened it", "a.lin", space="account"),
                _office("the office that it belongs to, where it has no assignment"),
                Given("household", Form.YES, "whether it covers the households of its persons", "no"),
            ),
        ),
        Shape("covers", "which persons a case covers: one row a person", (_case("the case"), _KEY)),
        Shape(
            "assignments",
            "who works on which case: each row names an account, or an office for everybody in it",
            (
                _case("the case"),
                _account(required=False),
                _office("an office, where no account is named"),
                _since("first day; empty: as long as the case is open"),
                _until("last day; empty: no end"),
            ),
        ),
        Shape(
            "households",
            "which records live together: one row a record",
            (_KEY, Given("household", Form.GROUP, "any name of the household, or an address", "H0451", required=True)),
        ),
        Shape("family", "declared ties between two records, in no direction", (_KEY, _OTHER)),
        Shape(
            "calendar",
            "days that differ from the week",
            (
                Given("date", Form.DATE, "the day", "2025-10-10", required=True),
                Given("kind", Form.DAY_KIND, "holiday, busy (mass work) or workday (a weekend's day)", "holiday", True),
                _office("for one office alone; empty: for all"),
            ),
        ),
        Shape("shifts", "offices that work every day", (_office("the office", required=True),)),
        Shape(
            "jobs",
            "bulk work declared beforehand",
            (
                _account(),
                _case("the case that its reads must name; empty: any", required=False),
                _since("first day", required=True),
                _until("last day", required=True),
                Given("most", Form.COUNT, "how many records it may read at most", "5000", required=True),
            ),
        ),
        Shape(
            "orders",
            "where records stand in the orders in which they can be walked through",
            (
                _KEY,
                Given("born", Form.SINCE, "when the record was made", "2025-03-04"),
                Given("...", Form.ORDER, "any further column: what a list of records is sorted by", "Lin, Ai-ling"),
            ),
        ),
    )
}
"""All tables, by name."""
