"""Whether a statement may run, and whether its result may leave.

Rules
1. Asked twice: before a statement goes upstream, with what its text says, and when its result is described, with what
   it will bring. The text alone never lets anything through that the description refuses.
2. What is proved to touch no register needs no hours, no case and no budget. It may still not open a way around: files
   and programs of the server, large objects, statistics, and code of one's own, whose reading nobody can see.
3. What is read may leave by the result alone: a statement that reads a register and stores elsewhere is refused, also
   into the register itself (the row of one's own case would carry the others).
4. Where a fact is missing it is taken for the worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from muniment.gate.attribution.catalogue import Catalogue, RegisterShape
from muniment.gate.policy.rules import LABELS, WINDOWS, Rules
from muniment.gate.policy.texts import text
from muniment.gate.policy.windows import Sliding

REFUSED: Final = "42501"
"""insufficient_privilege."""
_READING: Final = frozenset(
    "select copy-out copy-query explain declare fetch prepare execute set listen transaction many show close "
    "deallocate discard empty".split()
)
"""Kinds that write nothing unless `Facts.writes` says so."""
_COPYING: Final = frozenset(("copy-out", "copy-query"))
_STORING: Final = frozenset(("insert", "update", "merge"))
_DEFINING: Final = frozenset(("create", "alter", "import", "security", "load"))
_HARMLESS_OBJECTS: Final = frozenset("table index sequence schema type domain statistics role user database".split())
"""What CREATE and ALTER may name without bringing code that runs later."""


class Facts(Protocol):
    """What the text of a statement says (`attribution.text.Facts`)."""

    @property
    def kind(self) -> str:
        """select, insert, copy-out ..."""

    @property
    def verb(self) -> str:
        """The first word, lower case."""

    @property
    def target(self) -> str:
        """The table that INSERT, UPDATE and MERGE write to; empty where it is not known (rule 4)."""

    @property
    def object(self) -> str:
        """The kind of thing that CREATE and ALTER name."""

    @property
    def mentions(self) -> Mapping[str, int]:
        """How often each guarded name occurs."""

    @property
    def register_free(self) -> bool:
        """Proved to touch no register."""

    @property
    def catalogue_flags(self) -> Iterable[str]:
        """Statistics views and large object functions that it names."""

    @property
    def writes(self) -> bool:
        """Whether it may write."""


class Plan(Protocol):
    """What a result will bring (`attribution.plan.ResultPlan`)."""

    @property
    def guarded(self) -> bool:
        """Whether rows of a register may be in it."""

    @property
    def mode(self) -> str:
        """keys, digests or charge."""

    @property
    def classes(self) -> Iterable[str]:
        """Of each column: register, harmless, expression or unknown."""

    @property
    def registers(self) -> Iterable[RegisterShape]:
        """Registers in it."""

    @property
    def columns(self) -> Mapping[str, Iterable[int]]:
        """Column numbers shown, by register."""


class Declared(Protocol):
    """What the client declared (`session.labels.Labels`)."""

    @property
    def case(self) -> str:
        """Its case, or nothing."""

    @property
    def purpose(self) -> str:
        """Its purpose, or nothing."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer to a client: five characters of SQLSTATE, message and hint in its language."""

    sqlstate: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question."""

    facts: Facts
    rules: Rules
    labels: Declared
    local: int
    lang: str

    def refuse(self, key: str, **values: str | int) -> Refusal:
        return Refusal(REFUSED, *text(key, self.lang, contact=self.rules.contact, **values))


def permit(
    facts: Facts, plan: Plan | None, rules: Rules, labels: Declared, now: int, *,
    lang: str = "en", offset_minutes: int = 0, columns: Mapping[str, Mapping[int, str]] | None = None,
) -> Refusal | None:  # fmt: skip
    """`None` where the statement may run (`plan` is `None`), or where its result may leave.

    `now`: ms since 1970; `offset_minutes`: the office's offset to UTC at that time. `columns`: by register the names of
    its column numbers (`column_names`); a number without a name is no allowed column.
    """
    if not rules.guarded:
        return None
    asked = _Asked(facts, rules, labels, now + offset_minutes * 60_000, lang)
    if plan is not None:
        return _result(asked, plan, columns or {}) if plan.guarded else None
    for check in _CHECKS if facts.register_free else (*_CHECKS, *_READING_CHECKS):
        refusal = check(asked)
        if refusal is not None:
            return refusal
    return None


def prepare(facts: Facts, rules: Rules, labels: Declared, now: int, *, lang: str = "en") -> Refusal | None:
    """`None` where a statement may be prepared by the protocol.

    SQL can EXECUTE it by its name later, where its text is not seen: what must not run under any declaration must not
    be prepared either. What depends on hours, case and purpose is asked when it runs.
    """
    if not rules.guarded:
        return None
    asked = _Asked(facts, rules, labels, now, lang)
    checks = _CHECKS if facts.register_free else (*_CHECKS, _derived)
    copying = facts.kind in _COPYING and not (rules.copy or rules.export)
    refusals = (check(asked) for check in checks)
    return asked.refuse("copy") if copying else next((one for one in refusals if one is not None), None)


def column_names(catalogue: Catalogue) -> dict[str, dict[int, str]]:
    """Register -> column number -> name, as the live tables call them (views may rename, tables do not)."""
    found: dict[str, dict[int, str]] = {}
    for relation in catalogue.relations.values():
        if relation.kind in ("r", "p", "f"):
            for attribute in relation.attributes.values():
                if attribute.register:
                    found.setdefault(attribute.register, {})[attribute.number] = attribute.name
    return found


# --- before it runs --------------------------------------------------------------------------------------------------


def _writing(asked: _Asked) -> Refusal | None:
    facts = asked.facts
    if asked.rules.read_only and (facts.writes or facts.kind not in _READING):
        return asked.refuse("read-only")
    return None


def _files(asked: _Asked) -> Refusal | None:
    return asked.refuse("file") if asked.facts.kind == "copy-file" else None


def _catalogues(asked: _Asked) -> Refusal | None:
    flags = sorted(asked.facts.catalogue_flags)
    # pg_dump reads them all; who may export a register learns nothing from its statistics.
    return asked.refuse("catalogue", name=flags[0]) if flags and not asked.rules.export else None


def _code(asked: _Asked) -> Refusal | None:
    facts = asked.facts
    if asked.rules.code:
        return None
    named = facts.object
    defines = facts.kind == "ddl" and facts.verb in _DEFINING and named not in _HARMLESS_OBJECTS
    return asked.refuse("code") if facts.kind in ("do", "other") or defines else None


def _derived(asked: _Asked) -> Refusal | None:
    facts = asked.facts
    if facts.kind == "create-as":
        return asked.refuse("derived")
    if facts.kind not in _STORING and not (facts.kind == "many" and facts.writes):
        return None
    target = facts.target
    mentioned = dict(facts.mentions)
    if target and mentioned.get(target, 0) <= 1:
        mentioned.pop(target, None)
    return asked.refuse("derived") if mentioned else None


def _hours(asked: _Asked) -> Refusal | None:
    hours = asked.rules.hours
    if hours is None or hours.open(asked.local):
        return None
    emergency = text("break-glass" if asked.rules.break_glass else "none", asked.lang)[0]
    return asked.refuse("hours", emergency=emergency)


def _labels(asked: _Asked) -> Refusal | None:
    rules, labels = asked.rules, asked.labels
    purposes = " | ".join(sorted(rules.purposes or ())) or "..."
    if labels.purpose and rules.purposes is not None and labels.purpose not in rules.purposes:
        return asked.refuse("unknown-purpose", purposes=purposes)
    for label in LABELS:
        if label in rules.require and not getattr(labels, label):
            return asked.refuse(label, purposes=purposes)
    return None


def _copying(asked: _Asked) -> Refusal | None:
    facts, rules = asked.facts, asked.rules
    if facts.kind not in _COPYING or rules.copy:
        return None
    if not rules.export:
        return asked.refuse("copy")
    return None if asked.labels.case else asked.refuse("case")


_CHECKS: Final[tuple[Callable[[_Asked], Refusal | None], ...]] = (_writing, _files, _catalogues, _code)
_READING_CHECKS: Final[tuple[Callable[[_Asked], Refusal | None], ...]] = (_derived, _hours, _labels, _copying)


# --- before its result leaves ----------------------------------------------------------------------------------------


def _result(asked: _Asked, plan: Plan, columns: Mapping[str, Mapping[int, str]]) -> Refusal | None:
    rules = asked.rules
    classes: Any = plan.classes
    blind = not {"expression", "unknown"}.isdisjoint(classes.values() if isinstance(classes, Mapping) else classes)
    if rules.unattributed == "refuse" and (plan.mode == "charge" or (blind and plan.mode != "keys")):
        return asked.refuse("unattributed", keys=", ".join(column for one in plan.registers for column in one.key))
    return None if rules.columns is None else _columns(asked, plan, columns, blind)


def _columns(asked: _Asked, plan: Plan, columns: Mapping[str, Mapping[int, str]], blind: bool) -> Refusal | None:
    for register, numbers in sorted(plan.columns.items()):
        refusal = _numbers(asked, register, numbers, columns.get(register, {}))
        if refusal is not None:
            return refusal
    return asked.refuse("expression") if blind else None


def _numbers(asked: _Asked, register: str, numbers: Iterable[int], names: Mapping[int, str]) -> Refusal | None:
    allowed = (asked.rules.columns or {}).get(register, frozenset())
    for number in numbers:
        if names.get(number, "") not in allowed:
            return asked.refuse("column", register=register, column=names.get(number) or f"#{number}")
    return None


# --- how many in a minute --------------------------------------------------------------------------------------------


class Rates:
    """Statements on registers in the last minute, by recipient; all sessions of a process share it.

    It is not kept over a restart: a minute is over by then.
    """

    def __init__(self) -> None:
        self._windows: dict[str, Sliding] = {}
        self._now = 0

    def take(self, rules: Rules, now: int, lang: str = "en") -> Refusal | None:
        """Count one statement that is not proved free of registers; one that is refused is not counted."""
        self._now = now = max(now, self._now)
        window = self._windows.get(rules.recipient)
        if window is None:
            window = self._windows[rules.recipient] = Sliding(WINDOWS["minute"])
        limit = rules.statements_per_minute
        if limit is not None and rules.mode in ("stop", "throttle") and window.count(now) >= limit:
            seconds = -(-max(window.below(now, limit) - now, 1_000) // 1_000)
            return Refusal(REFUSED, *text("rate", lang, contact=rules.contact, limit=limit, seconds=seconds))
        window.count(now)
        window.add(now, 1)
        return None
