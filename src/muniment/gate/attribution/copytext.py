"""What a COPY statement says of its rows: the table and columns, or the query, and the form they come in.

Only what is read with certainty is told: an option that is not known, an encoding of its own, or an escape in an option
makes the whole of it unknown, and its rows are charged by their bytes. Source: PostgreSQL documentation, COPY.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from muniment.gate.attribution.tokens import Sort, Token

_TRUE: Final = frozenset(("true", "on", "1", "match"))
_FALSE: Final = frozenset(("false", "off", "0"))
_ESCAPES: Final = {"E'\\t'": "\t", "E'\\\\'": "\\", "E'\\n'": "\n", "E'\\b'": "\b"}
_TEXTS: Final = ("delimiter", "null", "quote", "escape")


@dataclass(frozen=True, slots=True)
class CopyTarget:
    """Where rows come from (`query`, or `schema` and `name` with `columns`, `None` for all), and their form."""

    schema: str = ""
    name: str = ""
    columns: tuple[str, ...] | None = None
    query: str | None = field(default=None, repr=False)
    format: str = "text"
    delimiter: str = ""
    null: str | None = None
    quote: str = '"'
    escape: str = '"'
    header: bool = False


def copy_target(sql: str, words: Sequence[Token]) -> CopyTarget | None:
    """Read the tokens of one COPY ... TO STDOUT of the text `sql`; `None` where it is not certain."""
    reader = _Reader(sql, words)
    try:
        return reader.read()
    except (_Unknown, IndexError):
        return None


class _Unknown(Exception):
    """This is not read with certainty."""


class _Reader:
    def __init__(self, sql: str, words: Sequence[Token]) -> None:
        self._sql = sql
        self._words = words
        self._at = 1

    def read(self) -> CopyTarget:
        target = self._query() if self._words[1].text == "(" else self._table()
        if not (self._word("to") and self._word("stdout")):
            raise _Unknown
        self._word("with")
        named = self._bracketed(target) if self._sign("(") else self._plain(target)
        if self._at != len(self._words):
            raise _Unknown
        return _completed(named)

    # --- what is copied ---

    def _query(self) -> CopyTarget:
        start, depth = self._words[1].end, 0
        while True:
            token = self._words[self._at]
            if token.sort is Sort.SIGN:
                depth += (token.text == "(") - (token.text == ")")
            self._at += 1
            if not depth:
                return CopyTarget(query=self._sql[start : token.start])

    def _table(self) -> CopyTarget:
        if self._word("binary"):
            raise _Unknown
        schema, name = "", self._name()
        if self._sign("."):
            schema, name = name, self._name()
        columns = None
        if self._sign("("):
            columns = [self._name()]
            while self._sign(","):
                columns.append(self._name())
            if not self._sign(")"):
                raise _Unknown
        return CopyTarget(schema, name, None if columns is None else tuple(columns))

    # --- its form ---

    def _bracketed(self, target: CopyTarget) -> CopyTarget:
        while True:
            target = self._option(target, self._name(), legacy=False)
            if self._sign(")"):
                return target
            if not self._sign(","):
                raise _Unknown

    def _plain(self, target: CopyTarget) -> CopyTarget:
        while self._at < len(self._words):
            target = self._option(target, self._name(), legacy=True)
        return target

    def _option(self, target: CopyTarget, name: str, *, legacy: bool) -> CopyTarget:
        if name in _TEXTS:
            if legacy:
                self._word("as")
            return _with(target, name, self._value())
        if legacy:
            return self._word_of_old(target, name)
        if name == "header":
            return replace(target, header=self._flag())
        if name == "force_quote":
            return self._quoted(target)
        form = self._value().lower() if name == "format" else ""
        if form not in ("text", "csv", "binary"):
            raise _Unknown
        return replace(target, format=form)

    def _word_of_old(self, target: CopyTarget, name: str) -> CopyTarget:
        """An option as it was written before version 9."""
        if name == "header":
            return replace(target, header=True)
        if name in ("csv", "binary"):
            return replace(target, format=name)
        raise _Unknown

    def _quoted(self, target: CopyTarget) -> CopyTarget:
        """Which columns are always quoted: it changes nothing of how they are read."""
        if self._sign("*"):
            return target
        if not self._sign("("):
            raise _Unknown
        self._name()
        while self._sign(","):
            self._name()
        if not self._sign(")"):
            raise _Unknown
        return target

    def _flag(self) -> bool:
        token = self._words[self._at]
        if token.sort is Sort.SIGN:
            return True
        value = self._value().lower()
        if value not in _TRUE | _FALSE:
            raise _Unknown
        return value in _TRUE

    # --- tokens ---

    def _value(self) -> str:
        token = self._words[self._at]
        self._at += 1
        if token.sort is Sort.ESCAPED:
            if token.text not in _ESCAPES:
                raise _Unknown
            return _ESCAPES[token.text]
        if token.sort not in (Sort.STRING, Sort.WORD, Sort.NAME, Sort.NUMBER):
            raise _Unknown
        return token.text

    def _name(self) -> str:
        token = self._words[self._at]
        if token.sort not in (Sort.WORD, Sort.NAME):
            raise _Unknown
        self._at += 1
        return token.text

    def _word(self, word: str) -> bool:
        return self._take(Sort.WORD, word)

    def _sign(self, sign: str) -> bool:
        return self._take(Sort.SIGN, sign)

    def _take(self, sort: Sort, text: str) -> bool:
        if self._at < len(self._words):
            token = self._words[self._at]
            if token.sort is sort and token.text == text:
                self._at += 1
                return True
        return False


def _with(target: CopyTarget, name: str, value: str) -> CopyTarget:
    if name == "delimiter":
        return replace(target, delimiter=value)
    if name == "null":
        return replace(target, null=value)
    return replace(target, quote=value) if name == "quote" else replace(target, escape=value)


def _completed(target: CopyTarget) -> CopyTarget:
    """With the defaults of its format, where nothing else was said."""
    csv = target.format == "csv"
    delimiter = target.delimiter or ("," if csv else "\t")
    null = target.null if target.null is not None else ("" if csv else "\\N")
    escape = target.escape if target.escape != '"' else target.quote
    return replace(target, delimiter=delimiter, null=null, escape=escape)
