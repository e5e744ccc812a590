"""What of errors, notices, notifications and reported settings may reach a guarded client.

They carry values past every row: a failed cast quotes the value, a constraint its key, RAISE and NOTIFY whatever SQL
computes, and so does a setting that is reported when it changes. Whoever may run SQL is taken to try.

Rules
1. A message about the client's own text passes: PostgreSQL gives a position in that text ("P") only while it reads it,
   before anything is executed; RAISE cannot set one. So does everything of a statement proved to touch no register.
2. What a function raised is replaced whole: its text is the function's. It is known by the routine that raised it, or
   by a line of context that is not the engine's own.
3. Any other message stays if its whole form is known (`messages`), and in it the parts that are names of the catalogue
   or the client's own words. What has no known form is withheld whole: values also come without quotes.
4. Detail, hint, context and internal query go, the names of a violated constraint stay if they are names. A condition
   code that is not PostgreSQL's becomes P0001.
5. What could still be chosen - which of the client's words comes back, which code, how many notices - is bounded: a
   client that sends more than OWN_WORDS different words has none of its own, and notices and notifications are capped.
   It is then no wider than what any predicate can ask ("not covered", docs/gate.md).
6. A redacted part reads `[withheld]` in every language: it must not look like data.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.session.messages import WITHHELD
from muniment.gate.session.messages import told as told_form
from muniment.gate.session.sqlstates import RAISED, RAISED_WARNING, SQLSTATES

OWN_WORDS: Final = 256
"""Different words of a client's text up to which it proves that they are its own: 8 bits for a whole dictionary."""
OWN_CHARACTERS: Final = 65_536
"""Characters of a text that is looked through for words."""
NOTICES_PER_MINUTE: Final = 60
NOTIFICATIONS_PER_MINUTE: Final = 60
CHANNELS: Final = 16
"""Channels that a session may hear: which of them is told is worth four bits, not a dictionary."""
REMEMBERED: Final = 64
"""Values of settings that passed, and that may come back by RESET or ROLLBACK."""

_FUNCTION: Final[Mapping[str, str]] = {
    "en": "a function raised an error; its text is withheld",
    "zh-TW": "函式引發錯誤,其內容不予顯示",
}
_MINUTE: Final = 60_000

# --- what PostgreSQL's messages look like ----------------------------------------------------------------------------

_SEVERITIES: Final = frozenset("ERROR FATAL PANIC WARNING NOTICE DEBUG INFO LOG".split())
_ALWAYS: Final = ("S", "V", "C", "M")
_SOURCE: Final = ("F", "L", "R")
_OBJECTS: Final = "stcdn"
"""Schema, table, column, data type, constraint."""
_RAISERS: Final = frozenset(
    "exec_stmt_raise exec_stmt_assert PLy_elog PLy_elog_impl plperl_call_perl_func plperl_call_perl_trigger_func "
    "pltcl_func_handler throw_tcl_error dblink_res_error pgfdw_report_error pgfdw_report".split()
)
"""Routines whose message is made by somebody's function, or by another server."""
_CONTEXT: Final = re.compile(
    r"""COPY\ .+,\ line\ \d+(,\ column\ .+)?(:\ ".*")?
    |JSON\ data,\ line\ \d+:.*
    |while\ (inserting|updating|deleting|locking|rechecking|checking|merging).*in\ relation\ "[^"]*"
    |(unnamed\ portal|portal\ "[^"]*")\ (with\ parameters:|parameter\ \$\d+).*
    |parallel\ worker""",
    re.VERBOSE,
)
"""Lines of context that the engine itself writes; any other is a function's."""
_WORD: Final = re.compile(r"""'((?:[^']|'')*)'|"((?:[^"]|"")*)"|(\w+)""")

# --- settings that are reported --------------------------------------------------------------------------------------

_SWITCH: Final = re.compile("on|off")
_CLOSED: Final[Mapping[str, re.Pattern[str]]] = {
    "is_superuser": _SWITCH,
    "integer_datetimes": _SWITCH,
    "standard_conforming_strings": _SWITCH,
    "in_hot_standby": _SWITCH,
    "default_transaction_read_only": _SWITCH,
    "IntervalStyle": re.compile("postgres|postgres_verbose|sql_standard|iso_8601"),
    "DateStyle": re.compile("(ISO|SQL|Postgres|German), (DMY|MDY|YMD)"),
    "client_encoding": re.compile(
        "SQL_ASCII|UTF8|MULE_INTERNAL|EUC_(JP|CN|KR|TW|JIS_2004)|LATIN([1-9]|10)|WIN(1250|1251|1252|1253|1254|1255|1256"
        "|1257|1258|866|874)|KOI8[RU]|ISO_8859_[5-8]|SJIS|BIG5|GBK|UHC|GB18030|JOHAB|SHIFT_JIS_2004"
    ),
}
"""Settings that have a few values only, all of which a driver must be told; beyond 64 values it is free text."""
_OFFSET: Final = re.compile(r"<[+-]\d{2}(?::\d{2}){0,2}>[+-]\d{1,2}(?::\d{2}){0,2}")
"""What PostgreSQL calls a time zone that was given as a number."""


def known_names(catalogue: Catalogue) -> frozenset[str]:
    """The names that an error may quote: schemas, tables, columns, and what `Catalogue.names` adds to them."""
    found = set(catalogue.guarded_names) | set(catalogue.names)
    for relation in catalogue.relations.values():
        found |= {relation.schema, relation.name}
        found.update(attribute.name for attribute in relation.attributes.values())
    return frozenset(found)


class Redaction:
    """One session's; it is made where `rules.guarded` and `rules.redact`.

    `names`: whether a text is a name of the catalogue (`known_names(catalogue).__contains__`).
    """

    def __init__(self, names: Callable[[str], bool], lang: str = "en") -> None:
        self._names = names
        self._raised = _FUNCTION.get(lang, _FUNCTION["en"])
        self._notices = _Cap(NOTICES_PER_MINUTE)
        self._notifications = _Cap(NOTIFICATIONS_PER_MINUTE)
        self._channels: list[str] = []
        self._passed: OrderedDict[tuple[str, str], None] = OrderedDict()

    def error(self, fields: Mapping[str, str], own: Iterable[str] = (), harmless: bool = False) -> dict[str, str]:
        """The fields of an ErrorResponse that may pass.

        `own`: texts that the client itself sent (the statement, bound values). `harmless`: the statement is proved to
        touch no register (`Facts.register_free`).
        """
        return self._told(fields, own, harmless, RAISED)

    def notice(
        self, fields: Mapping[str, str], now: int, own: Iterable[str] = (), harmless: bool = False
    ) -> dict[str, str] | None:
        """The same of a NoticeResponse at `now` (ms since 1970); `None` where it is one too many in this minute."""
        return self._told(fields, own, harmless, RAISED_WARNING) if self._notices.take(now) else None

    def listen(self, channel: str) -> None:
        """The client said LISTEN; the name as PostgreSQL folds it."""
        if channel not in self._channels and len(self._channels) < CHANNELS:
            self._channels.append(channel)

    def unlisten(self, channel: str = "*") -> None:
        """The client said UNLISTEN. The place stays taken: channels by turns would be a dictionary after all."""

    def notification(self, channel: str, payload: str, now: int) -> tuple[str, str] | None:
        """Channel and payload of a NotificationResponse that may pass; `None` where nothing may."""
        if channel not in self._channels or not self._notifications.take(now):
            return None
        return channel, ""

    def parameter(self, name: str, value: str, own: Iterable[str] = (), startup: bool = False) -> str:
        """The value of a ParameterStatus that may pass. `startup`: it came before the first ReadyForQuery."""
        closed = _CLOSED.get(name)
        if closed is not None and closed.fullmatch(value):
            return value
        if startup or (name, value) in self._passed or self._said(value, own):
            self._remember(name, value)
            return value
        return WITHHELD

    def _remember(self, name: str, value: str) -> None:
        self._passed[name, value] = None
        self._passed.move_to_end((name, value))
        while len(self._passed) > REMEMBERED:
            self._passed.popitem(last=False)

    def _said(self, value: str, own: Iterable[str]) -> bool:
        """Whether a setting is what the client's own text says, or names of the catalogue (a search path)."""
        words = _own_words(own)
        if _OFFSET.fullmatch(value):
            spoken = {word.lstrip("0") for text in words for word in re.findall(r"\d+", text)}
            return all(number.strip("0") == "" or number.lstrip("0") in spoken for number in re.findall(r"\d+", value))
        parts = [value] if value in words else [part.strip().strip('"') for part in value.split(",")]
        return all(part in words or self._names(part) for part in parts)

    def _told(self, fields: Mapping[str, str], own: Iterable[str], harmless: bool, raised: str) -> dict[str, str]:
        told = {code: fields[code] for code in (*_ALWAYS, *_SOURCE) if code in fields}
        if fields.get("V", "ERROR") not in _SEVERITIES:
            told["V"] = "ERROR"
        if fields.get("R", "") in _RAISERS or _by_function(fields.get("W", "")):
            told["M"] = self._raised
            if fields.get("C", "") not in SQLSTATES:
                told["C"] = raised
            return told
        if harmless or _about_own_text(fields):
            return dict(fields)
        words = _own_words(own)
        told["M"] = told_form(fields.get("M", ""), lambda part: part in words or self._names(part))
        if fields.get("C", "") not in SQLSTATES:
            told["C"] = raised
        told |= {code: fields[code] for code in _OBJECTS if code in fields and self._names(fields[code])}
        return told


class _Cap:
    """At most so many in any minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: deque[int] = deque()

    def take(self, now: int) -> bool:
        while self._times and self._times[0] <= now - _MINUTE:
            self._times.popleft()
        if len(self._times) >= self._most:
            return False
        self._times.append(now)
        return True


def _by_function(context: str) -> bool:
    """Whether any line of a context is not the engine's own. A value with a line break in it makes one that is not."""
    return any(line and not _CONTEXT.fullmatch(line) for line in context.split("\n"))


def _about_own_text(fields: Mapping[str, str]) -> bool:
    """Rule 1: a position in the client's text, none in an inner one, and no context."""
    return fields.get("P", "").isascii() and fields.get("P", "").isdigit() and not fields.keys() & {"p", "q", "W"}


def _own_words(texts: Iterable[str]) -> frozenset[str]:
    """The words of the client's texts: whole literals, quoted names, words. Too many of them are none (rule 5)."""
    words = {""}
    characters = 0
    for text in texts:
        characters += len(text)
        if characters > OWN_CHARACTERS:
            return frozenset()
        if len(text) <= OWN_WORDS:
            words.add(text)
        for literal, name, word in _WORD.findall(text):
            words |= {literal.replace("''", "'") or name.replace('""', '"') or word, word.lower()}
            if len(words) > OWN_WORDS:
                return frozenset()
    return frozenset(words)
