"""SQL text -> the record keys that it asks for, where no other record can come out. Pure, and deliberately narrow.

What is understood is one statement of one shape, perhaps behind `PREPARE name (types) AS`:

    SELECT list FROM relation [[AS] alias] WHERE condition AND condition ... [GROUP BY ... | ORDER BY ... | LIMIT ...]

in which some conditions are `column = value`, `value = column`, `column IN (value, ...)` or `column = ANY (values)` for
every key column. Then each row that comes out has one of those keys.

Rules
1. Any other relation, sub-select, join, set operation, WITH, OR, BETWEEN or CASE on the outer level, and any function
   that is not on a short list: no keys. `select a.* from person a, person b where a.id = 7` reads everyone.
2. A value is a literal or a logged parameter, perhaps cast to a type that cannot change it. NULL, an expression, a
   parameter that was not logged: no keys.
3. Keys are what was *asked for*. A view or operator of the database's owner can still do anything: the keeper declares
   relations, and is trusted to know them.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from muniment.ingest.audit.reading import Keys
from muniment.ingest.audit.relations import Relation, Relations
from muniment.ingest.audit.tokens import Sort, Token, Unclear, fingerprint, tokens

Parameters: TypeAlias = Sequence[str | None] | None
"""The values of $1, $2, ...: `None` inside is NULL or not logged; `None` as a whole: none are known."""

_FUNCTIONS: Final = frozenset(
    "count min max sum avg coalesce nullif greatest least lower upper initcap trim btrim ltrim rtrim length char_length"
    " substr substring left right replace concat concat_ws round trunc abs to_char to_date date_part date_trunc extract"
    " now cast any in and or not as distinct row is where select by limit offset over filter when then else".split()
)
"""Functions of PostgreSQL that read no relation, and keywords that may stand before a bracket."""
_FOREIGN: Final = frozenset(
    "select from where join lateral union intersect except with table values into case between or having returning"
    " window tablesample cross natural exists".split()
)
"""Words that may not stand in a condition or behind it."""
_ONE: Final = r'[ \t]*+(?:"([^"\\]++)"|([^\s",{}\\]++))[ \t]*+'
_ELEMENT: Final = re.compile(_ONE)
_ANY: Final = re.sub(r"\((?!\?)", "(?:", _ONE)
_ARRAY: Final = re.compile(rf"\{{((?:{_ANY}(?:,{_ANY})*+)?)\}}")
"""An array in PostgreSQL's output form, of one dimension and nothing that needs unescaping."""
_DIGITS: Final = 40
"""Digits of an integer key: `numeric` keys of national numbers have fewer."""
_KNOWN: Final = 256
"""Statements with parameters that are remembered: the usual ones of an application."""
_KNOWN_CHARACTERS: Final = 4_096
"""Characters of a statement that is remembered."""
_BRACKETS: Final = 8
"""Brackets around brackets that are looked into; what lies deeper is taken for a condition on something else."""
_OTHERS: Final = frozenset({"table", "with"})
"""Words that may stand nowhere: they bring in relations without SELECT."""
_TAIL: Final = frozenset({"group", "order", "limit", "offset", "fetch", "for"})
_CASTS: Final = {
    **dict.fromkeys("int int2 int4 int8 integer bigint smallint text varchar uuid".split(), 0),
    **dict.fromkeys("int[] int4[] int8[] integer[] bigint[] text[] varchar[] uuid[]".split(), 1),
}
"""Types that a value may be cast to, and how many dimensions they have. None of them cuts a value short."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a statement says of itself. `keys` is `None` where they are not beyond doubt, `columns` where unknown."""

    relations: tuple[Relation, ...] = ()
    fingerprint: str = ""
    keys: Keys | None = field(default=None, repr=False)
    columns: tuple[str, ...] | None = None
    verb: str = ""
    """The first word, in lower case; "" where it is none."""
    returns: bool = False
    """Whether it holds the word RETURNING: a write that gives rows out."""

    def of(self, relation: Relation) -> Keys | None:
        """The keys asked of one relation."""
        return self.keys if self.relations == (relation,) else None


def asked(statement: str, relations: Relations, parameters: Parameters = None) -> Asked:
    """Read a statement. Never raises: what is not understood is left open."""
    return _Parsed.of(statement, relations).asked(parameters)


class Statements:
    """Reads the statements of one log. Owns the last few that had parameters: programs send the same ones again."""

    def __init__(self, relations: Relations) -> None:
        self._relations = relations
        self._known: OrderedDict[str, _Parsed] = OrderedDict()

    def asked(self, statement: str, parameters: Parameters = None) -> Asked:
        """`asked` of this log's relations."""
        if not parameters or len(statement) > _KNOWN_CHARACTERS:
            return asked(statement, self._relations, parameters)
        parsed = self._known.pop(statement, None) or _Parsed.of(statement, self._relations)
        self._known[statement] = parsed
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return parsed.asked(parameters)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What is known of a statement before its parameters. `conditions` are empty where its shape is another."""

    whole: Asked
    conditions: tuple[tuple[Token, ...], ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, statement: str, relations: Relations) -> _Parsed:
        """Read a statement, as far as it is understood."""
        found: list[Token] = []
        try:
            found.extend(tokens(statement))
        except Unclear:
            return cls(Asked(_loosely_named(statement, relations)))
        whole = Asked(
            _named(found, relations),
            fingerprint(found) if found else "",
            verb=found[0].text if found and found[0].sort is Sort.NAME else "",
            returns=any(token.is_word("returning") for token in found),
        )
        try:
            select = _Select.of(found, relations)
        except Unclear:
            return cls(whole)
        return cls(replace(whole, columns=select.columns), select.conditions)

    def asked(self, parameters: Parameters) -> Asked:
        """The same with its keys, where they are beyond doubt."""
        if len(self.whole.relations) != 1 or not self.conditions:
            return self.whole
        try:
            return replace(self.whole, keys=_keys(self.conditions, self.whole.relations[0], parameters))
        except Unclear:
            return self.whole


def _named(found: Sequence[Token], relations: Relations) -> tuple[Relation, ...]:
    """The declared relations that stand anywhere in the statement, in their order."""
    named: dict[Relation, None] = {}
    for place, token in enumerate(found):
        if not token.is_name():
            continue
        qualified = place >= 2 and found[place - 1].is_mark(".") and found[place - 2].is_name()
        name = (found[place - 2].text, token.text) if qualified else (token.text,)
        if relation := relations.find(name):
            named[relation] = None
    return tuple(named)


def _loosely_named(statement: str, relations: Relations) -> tuple[Relation, ...]:
    """The same for a text that could not be cut into tokens: too many rather than too few."""
    words = {word.strip('"').lower() for word in statement.replace(".", " ").split()}
    words |= {word.strip('"();,') for word in words}
    return tuple({found: None for word in sorted(words) if (found := relations.find((word,)))})


@dataclass(frozen=True, slots=True)
class _Select:
    """The parts of the one shape: the columns, and the conditions that are joined by AND."""

    columns: tuple[str, ...] | None
    conditions: tuple[tuple[Token, ...], ...]

    @classmethod
    def of(cls, found: Sequence[Token], relations: Relations) -> _Select:
        """Cut a statement into its parts; `Unclear` for any other shape."""
        body = _body(found)
        _check_calls(body)
        start, where = _outer(body, "from"), _outer(body, "where")
        if not 1 < start < where:
            raise Unclear
        name, alias = _relation(body[start + 1 : where])
        if relations.find(name) is None:
            raise Unclear
        return cls(_columns(body[1:start], {alias, name[-1]}), _conditions(_without_tail(body[where + 1 :])))


def _body(found: Sequence[Token]) -> list[Token]:
    """The one SELECT, without PREPARE before it and semicolons behind it."""
    body = list(found)
    while body and body[-1].is_mark(";"):
        body.pop()
    if len(body) > 3 and body[0].is_word("prepare"):
        start = _closing(body, 2) + 1 if body[2].is_mark("(") else 2
        body = body[start + 1 :] if [token.is_word("as") for token in body[start : start + 1]] == [True] else []
    selects = [place for place, token in enumerate(body) if token.is_word("select")]
    if selects != [0] or any(token.is_mark(";") or token.is_any(_OTHERS) for token in body):
        raise Unclear
    return body


def _closing(body: Sequence[Token], start: int) -> int:
    """Where the bracket that opens at `start` closes."""
    depth = 0
    for place in range(start, len(body)):
        depth += _step(body[place])
        if depth == 0:
            return place
    raise Unclear


def _step(token: Token) -> int:
    if token.sort is not Sort.MARK:
        return 0
    return 1 if token.text in "([" else -1 if token.text in ")]" else 0


def _check_calls(body: Sequence[Token]) -> None:
    """`Unclear` if a function is called that is not on the list, or brackets do not match."""
    depth = 0
    for place, token in enumerate(body):
        depth += _step(token)
        called = place and token.is_mark("(") and body[place - 1].is_name()
        qualified = place > 1 and body[place - 2].is_mark(".")
        if depth < 0 or (called and (qualified or not body[place - 1].is_any(_FUNCTIONS))):
            raise Unclear
    if depth:
        raise Unclear


def _outer(body: Sequence[Token], word: str) -> int:
    """Where a keyword stands outside all brackets: exactly once."""
    depth, places = 0, []
    for place, token in enumerate(body):
        depth += _step(token)
        if depth == 0 and token.is_word(word):
            places.append(place)
    if len(places) != 1:
        raise Unclear
    return places[0]


def _relation(part: Sequence[Token]) -> tuple[tuple[str, ...], str]:
    """Name and alias of the one relation between FROM and WHERE."""
    rest = part[1:] if part and part[0].is_word("only") else part
    length = 1
    while length < len(rest) and rest[length].is_mark("."):
        length += 2
    alias = rest[length:]
    if alias and alias[0].is_word("as"):
        alias = alias[1:]
    if not _column(rest[:length]) or len(alias) > 1 or not all(token.is_name() for token in alias):
        raise Unclear
    return tuple(token.text for token in rest[:length:2]), "".join(token.text for token in alias)


def _columns(part: Sequence[Token], rows: set[str]) -> tuple[str, ...] | None:
    """The columns of a plain list; `None` for all of them, or for anything but plain names. `rows`: names that stand
    for a whole row, as in `select p from person p`."""
    columns: list[str] = []
    for item in _split(part, lambda token: token.is_mark(",")):
        column = _column(item)
        if not column or column in rows:
            return None
        columns.append(column)
    return tuple(dict.fromkeys(columns))


def _column(part: Sequence[Token]) -> str:
    """The column that `id`, `p.id` or `public.person.id` names; "" for anything else. There is only one relation."""
    named = len(part) % 2 == 1 and all(token.is_name() for token in part[::2])
    return part[-1].text if named and all(token.is_mark(".") for token in part[1::2]) else ""


def _split(part: Sequence[Token], cuts: Callable[[Token], bool]) -> list[tuple[Token, ...]]:
    """The pieces of a part between the tokens outside brackets for which `cuts` holds."""
    pieces: list[list[Token]] = [[]]
    depth = 0
    for token in part:
        depth += _step(token)
        if depth == 0 and cuts(token):
            pieces.append([])
        else:
            pieces[-1].append(token)
    return [tuple(piece) for piece in pieces]


def _without_tail(part: Sequence[Token]) -> Sequence[Token]:
    """What stands behind WHERE, without what follows the condition; `Unclear` if a foreign word is in either."""
    depth, end = 0, len(part)
    for place, token in enumerate(part):
        depth += _step(token)
        if depth == 0 and end == len(part) and token.is_any(_TAIL):
            end = place
        if depth == 0 and token.is_any(_FOREIGN):
            raise Unclear
    return part[:end]


def _conditions(part: Sequence[Token], depth: int = 0) -> tuple[tuple[Token, ...], ...]:
    """The conditions that all must hold: those between the outer ANDs, and within brackets that hold nothing else."""
    conditions: list[tuple[Token, ...]] = []
    for piece in _split(part, lambda token: token.is_word("and")):
        inside = _inside(piece)
        if inside and depth < _BRACKETS and not any(token.is_any(_FOREIGN) for token in inside):
            conditions += _conditions(inside, depth + 1)
        else:
            conditions.append(piece)
    return tuple(conditions)


def _keys(conditions: Sequence[Sequence[Token]], relation: Relation, parameters: Parameters) -> Keys:
    """The keys that the conditions bind; `Unclear` where a key column is not bound, or several have many values."""
    bound: dict[str, list[str]] = {}
    for condition in conditions:
        for place, column in enumerate(relation.key):
            values = _values(condition, column, parameters)
            if values is None or column in bound:  # two conditions on one column: the first is bound enough
                continue
            canonical = [relation.form(place).canonical(value) for value in values]
            if None in canonical:
                raise Unclear
            bound[column] = [value for value in dict.fromkeys(canonical) if value is not None]
    if set(bound) != set(relation.key) or sum(len(values) > 1 for values in bound.values()) > 1:
        raise Unclear
    longest = max(len(values) for values in bound.values())
    if min(len(values) for values in bound.values()) == 0:
        return ()
    columns = [bound[column] if len(bound[column]) > 1 else bound[column] * longest for column in relation.key]
    return tuple(zip(*columns, strict=True))


def _values(condition: Sequence[Token], column: str, parameters: Parameters) -> list[str] | None:
    """The values that one condition allows a column; `None` where it is another condition."""
    for place, token in enumerate(condition):
        if token.sort is Sort.OPERATOR and token.text == "=":
            left, right = condition[:place], condition[place + 1 :]
            if _column(left) == column:
                return _one(right, parameters) or _any(right, parameters)
            return _one(left, parameters) if _column(right) == column else None
        if token.is_word("in"):
            inside = _inside(condition[place + 1 :])
            return _list(inside, parameters) if inside and _column(condition[:place]) == column else None
    return None


def _inside(part: Sequence[Token]) -> Sequence[Token]:
    """What stands in brackets that are the whole part; empty where they are not."""
    if len(part) > 2 and part[0].is_mark("(") and _closing(part, 0) == len(part) - 1:
        return part[1:-1]
    return ()


def _list(part: Sequence[Token], parameters: Parameters) -> list[str] | None:
    values: list[str] = []
    for item in _split(part, lambda token: token.is_mark(",")):
        value = _one(item, parameters)
        if value is None:
            return None
        values += value
    return values


def _any(part: Sequence[Token], parameters: Parameters) -> list[str] | None:
    """The values of `ANY (...)`: an array literal, an array parameter or ARRAY[...]."""
    inside = _inside(part[1:]) if part and part[0].is_word("any") else ()
    if len(inside) > 3 and inside[0].is_word("array") and inside[1].is_mark("["):
        plain = _uncast(inside, 1)
        return _list(plain[2:-1], parameters) if plain and _closing(plain, 1) == len(plain) - 1 else None
    text = _literal(_uncast(inside, 1), parameters)
    return None if text is None else _array(text)


def _array(text: str) -> list[str] | None:
    """The elements of `{1,2,"a b"}`; `None` with NULL, a nested array, a backslash or an empty element inside."""
    match = _ARRAY.fullmatch(text)
    if not match:
        return None
    found = [quoted or plain for quoted, plain in _ELEMENT.findall(match[1] or "")]
    return None if any(element.lower() == "null" for element in found) else found


def _one(part: Sequence[Token], parameters: Parameters) -> list[str] | None:
    value = _literal(_uncast(part, 0), parameters)
    return None if value is None else [value]


def _uncast(part: Sequence[Token], dimensions: int) -> Sequence[Token]:
    """The value without a cast that cannot change it; empty where there is another cast."""
    for place, token in enumerate(part):
        if token.is_mark("::"):
            cast = "".join(word.text for word in part[place + 1 :])
            return part[:place] if _CASTS.get(cast) == dimensions else ()
    return part


def _literal(part: Sequence[Token], parameters: Parameters) -> str | None:
    """The text of a literal or of a logged parameter."""
    if len(part) == 2 and part[0].sort is Sort.OPERATOR and part[0].text == "-":
        return _integer(part[1], "-")
    if len(part) != 1:
        return None
    token = part[0]
    if token.sort is Sort.NUMBER:
        return _integer(token, "")
    if token.sort is Sort.PARAMETER:
        number = int(token.text)
        return parameters[number - 1] if parameters is not None and 0 < number <= len(parameters) else None
    return token.text if token.sort is Sort.STRING else None


def _integer(token: Token, sign: str) -> str | None:
    whole = token.sort is Sort.NUMBER and token.text.isdigit() and len(token.text) <= _DIGITS
    return str(int(sign + token.text)) if whole else None
