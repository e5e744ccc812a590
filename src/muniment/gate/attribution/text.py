"""What the text of a statement proves: nothing is decided by it alone, and what it does not prove is charged.

Rules
1. Whose rows these are is said by PostgreSQL's own description (`plan`). The text may only prove that a description
   means one row of one table (`single`), that an expression is made of that row alone (`row_local`), that a condition
   fixes the key (`pins`), or that no register can be read (`register_free`).
2. Names are counted, not understood: a name of a guarded relation counts wherever it stands, except before a point, or
   behind one that stands behind no schema of such a relation.
   Counting too often costs the client; counting too seldom would cost somebody else.
3. Whatever is not read with certainty (`tokens.Doubt`, other quoting rules, an unsafe encoding) proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.attribution.copytext import CopyTarget, copy_target
from muniment.gate.attribution.pins import pinned
from muniment.gate.attribution.storing import copies, deletes, flagged, flagged_somewhere, stored_at
from muniment.gate.attribution.tokens import Doubt, Sort, Token, tokens

TEXT_CHARACTERS: Final = 1 << 20
"""Characters of a text that is read; a longer one proves nothing."""
PLAIN: Final = frozenset(
    "count sum avg min max array_agg string_agg bool_and bool_or every coalesce version generate_series pg_backend_pid "
    "current_database current_schema clock_timestamp random gen_random_uuid pg_is_in_recovery".split()
)
"""Functions that run no SQL and read nothing but what the statement names, though they are not scalar."""
Setting = tuple[str, str | None, bool]
"""Name, value (`None`: as it was at the start), and whether it ends with the transaction."""

_FOREIGN: Final = re.compile("[\udc80-\udcff]")
"""A byte that is no UTF-8, as it was decoded."""
_VERBS: Final = {
    "select": "select", "values": "select", "table": "select", "insert": "insert", "update": "update",
    "delete": "delete", "merge": "merge", "explain": "explain", "declare": "declare", "fetch": "fetch", "move": "fetch",
    "prepare": "prepare", "execute": "execute", "set": "set", "reset": "set", "do": "do", "call": "call",
    "listen": "listen", "unlisten": "listen", "notify": "notify", "begin": "transaction", "start": "transaction",
    "commit": "transaction", "end": "transaction", "rollback": "transaction", "abort": "transaction",
    "savepoint": "transaction", "release": "transaction", "show": "show", "deallocate": "deallocate",
    "discard": "discard", "close": "close", "lock": "lock", "truncate": "truncate", "vacuum": "vacuum",
    "analyze": "analyze", "comment": "comment", "grant": "grant", "revoke": "grant", "create": "ddl", "alter": "ddl",
    "drop": "ddl", "refresh": "ddl", "import": "ddl", "reassign": "ddl", "security": "ddl", "reindex": "ddl",
    "cluster": "ddl", "checkpoint": "checkpoint", "load": "other",
}  # fmt: skip
_NAMES: Final = (Sort.WORD, Sort.NAME)
_ROWS: Final = frozenset(("select", "insert", "update", "delete", "merge", "declare", "copy-query"))
"""Kinds whose rows may be proved to be of one row of one table."""
_FREE: Final = _ROWS | {"show", "set", "transaction", "deallocate", "discard", "close", "explain"}
_CHANGES: Final = frozenset(("insert", "update", "delete", "merge"))
_LASTING: Final = _CHANGES | {"create-as", "copy-in", "ddl", "truncate", "grant", "comment", "notify", "other"}
_STORING: Final = frozenset(("insert", "update", "merge"))
_QUALIFIES: Final = frozenset("or replace temp temporary unlogged global local unique materialized recursive".split())
_NO_CTE: Final = frozenset(("hold", "time", "ties", "ordinality", "check"))
"""What may stand behind WITH where no query is named by it."""
_DEFINES: Final = frozenset(("(", "not", "materialized"))
"""What stands behind NAME AS where a query is named."""
NO_CALL: Final = frozenset(
    "in and or not where on having when then else case select from join using as by any all some exists values over "
    "filter within group partition distinct between like ilike similar is returning set limit offset fetch union "
    "except intersect materialized array row cast coalesce nullif greatest least trim with only lateral cube rollup "
    "grouping sets into to conflict key cross inner left right full copy explain vacuum analyze reindex "
    "numeric decimal varchar character char bit varying "
    "time timestamp interval float precision bpchar dec".split()
)
"""Words before a bracket that call no function: syntax, types with a length, and what the grammar itself computes."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is proved of one text. Without proof every proof is False, every mapping empty; `kind` is the best guess.

    `kind`: the sort of statement ('many' for several, 'other' where it is not known); `verb`: its first word.
    `mentions`: guarded names, as stored, and how often each stands there. `functions`: names before a bracket.
    `target`: the table that INSERT, UPDATE and MERGE write to (as in `mentions` where it is guarded); `object`: what
    kind of thing CREATE and ALTER name. `pins`: column -> literal (text), or number of the parameter (int), that the
    condition fixes it to. `sets`: what SET and RESET statements change, in order. `names`: cursors, prepared
    statements, channels, savepoints.
    """

    kind: str
    verb: str
    statements: int
    provable: bool
    fingerprint: str
    mentions: Mapping[str, int] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    catalogue_flags: frozenset[str] = frozenset()
    target: str = ""
    object: str = ""
    with_: bool = False
    one_select: bool = False
    single: bool = False
    row_local: bool = False
    register_free: bool = False
    writes: bool = True
    pins: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    copy: CopyTarget | None = None
    sets: tuple[Setting, ...] = field(default=(), repr=False)
    names: tuple[str, ...] = ()


def facts(sql: str, catalogue: Catalogue, *, conforming: bool, safe_encoding: bool) -> Facts:
    """Read one text.

    `conforming`: `standard_conforming_strings` is on; `safe_encoding`: no byte of a longer character of the client's
    encoding can be taken for a quote. Never raises.
    """
    try:
        if len(sql) > TEXT_CHARACTERS:
            raise Doubt("a text that is too long")
        found = tokens(sql)
    except Doubt:
        return Facts("other", "", 1, provable=False, fingerprint=_digest(["?"]))
    foreign = _FOREIGN.search(sql) is not None and not all(map(str.isascii, catalogue.guarded_names))
    provable = conforming and safe_encoding and not foreign
    parts = _statements(found)
    read = _one(sql, parts[0], catalogue, provable=provable) if len(parts) == 1 else _several(parts, found, catalogue)
    return read if provable or not (foreign or "\\" in sql) else _blurred(read, sql, catalogue, foreign=foreign)


def _blurred(found: Facts, sql: str, catalogue: Catalogue, *, foreign: bool) -> Facts:
    """Facts of a text whose quotes may end elsewhere: whatever stands in it may be code.

    `foreign`: it is in an encoding in which names that are not ASCII are not recognised.
    """
    folded = sql.casefold()
    names = {
        name: 2 for name in catalogue.guarded_names if name.casefold() in folded or (foreign and not name.isascii())
    }
    stores = any(word in folded for word in ("insert", "update", "merge", "into", "create"))
    return replace(
        found,
        kind="create-as" if names and stores else found.kind,
        mentions={**found.mentions, **names},
        catalogue_flags=found.catalogue_flags | flagged_somewhere(sql, catalogue),
        writes=True,
    )


def _one(sql: str, words: Sequence[Token], catalogue: Catalogue, *, provable: bool) -> Facts:
    kind, verb = _kind(words)
    mentions, functions = _mentions(words, catalogue), _functions(words, catalogue)
    found = Facts(
        kind="create-as" if copies(words, mentions, functions, catalogue) else kind,
        verb=verb,
        statements=1,
        provable=provable,
        fingerprint=_fingerprint(words),
        mentions=mentions,
        functions=functions,
        catalogue_flags=flagged(words, mentions, functions, catalogue),
        target=_target(words, kind, catalogue.guarded_names),
        object=_object(words) if verb in ("create", "alter") else "",
        with_=_names_a_query(words) and _named_inside(words, kind, catalogue.guarded_names),
        writes=_writes(words, kind),
        copy=copy_target(sql, words) if kind.startswith("copy") else None,
        sets=_sets(words),
        names=_names(words, kind),
    )
    return _proved(found, words, catalogue) if provable else found


def _proved(found: Facts, words: Sequence[Token], catalogue: Catalogue) -> Facts:
    """With what a text proves that is read as the server reads it."""
    selects = _selects(words)
    one_select = selects <= 1 if found.kind in _CHANGES else selects == 1
    single = found.kind in _ROWS and not found.with_ and set(found.mentions.values()) <= {1}
    lone = single and one_select and len(found.mentions) == 1
    return replace(
        found,
        one_select=one_select,
        single=single,
        row_local=lone and _computed(found, catalogue.scalar_functions, catalogue),
        register_free=_touches_nothing(found) and _computed(found, catalogue.scalar_functions | PLAIN, catalogue),
        pins=pinned(words, next(iter(found.mentions))) if lone and found.kind not in _CHANGES else {},
    )


def _computed(found: Facts, functions: frozenset[str], catalogue: Catalogue) -> bool:
    """Whether expressions are made by these functions and by operators that came with PostgreSQL."""
    return found.functions <= functions and not catalogue.user_operators


def _touches_nothing(found: Facts) -> bool:
    return found.kind in _FREE and not found.mentions and not found.catalogue_flags


def _target(words: Sequence[Token], kind: str, guarded: frozenset[str]) -> str:
    """The last part of the name behind INTO or UPDATE."""
    if kind not in _STORING:
        return ""
    texts = [token.text if token.sort in _NAMES or token.text == "." else "" for token in words]
    before = "update" if kind == "update" else "into"
    if before not in texts:
        return ""
    at = texts.index(before) + 1
    at += at < len(texts) and texts[at] == "only"
    while at + 2 < len(texts) and texts[at + 1] == ".":
        at += 2
    name = texts[at] if at < len(texts) else ""
    return next((stored for stored in guarded if stored.casefold() == name.casefold()), name)


def _object(words: Sequence[Token]) -> str:
    """The first word behind CREATE or ALTER that is no qualification."""
    return next((token.text for token in words[1:] if token.sort is Sort.WORD and token.text not in _QUALIFIES), "")


def _selects(words: Sequence[Token]) -> int:
    return sum(token.sort is Sort.WORD and token.text in ("select", "values", "table") for token in words)


def _writes(words: Sequence[Token], kind: str) -> bool:
    """Whether something lasting may change; in doubt it may."""
    return kind in _LASTING or bool(stored_at(words)) or deletes(words)


def _several(parts: Sequence[Sequence[Token]], found: Sequence[Token], catalogue: Catalogue) -> Facts:
    """Several statements in one text prove nothing; an empty text discloses nothing."""
    if not parts:
        return Facts("empty", "", 0, provable=True, fingerprint=_digest([]), register_free=True, writes=False)
    mentions, functions = _mentions(found, catalogue), _functions(found, catalogue)
    return Facts(
        kind="create-as" if any(copies(part, mentions, functions, catalogue) for part in parts) else "many",
        verb=_kind(parts[0])[1],
        statements=len(parts),
        provable=False,
        fingerprint=_fingerprint(found),
        mentions=mentions,
        functions=functions,
        catalogue_flags=flagged(found, mentions, functions, catalogue),
        with_=_names_a_query(found),
        writes=any(_writes(part, _kind(part)[0]) for part in parts),
        sets=tuple(one for part in parts for one in _sets(part)),
        names=tuple(name for part in parts for name in _names(part, _kind(part)[0])),
    )


# --- the parts of a text -------------------------------------------------------------------------------------------


def _statements(found: Sequence[Token]) -> list[Sequence[Token]]:
    """The statements of a text, split at semicolons outside of brackets; empty ones are left out."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        if token.sort is Sort.SIGN:
            depth += (token.text == "(") - (token.text == ")")
            if token.text == ";" and depth <= 0:
                parts.append([])
                continue
        parts[-1].append(token)
    return [part for part in parts if part]


def _kind(words: Sequence[Token]) -> tuple[str, str]:
    first = next((token for token in words if token.text != "("), words[0])
    verb = first.text if first.sort is Sort.WORD else ""
    if verb == "with":
        verb = _verb_behind_with(words)
    if verb == "copy":
        return _copy_kind(words), verb
    keywords = {token.text for token in words if token.sort is Sort.WORD}
    kind, verb = _refined(_VERBS.get(verb, "other"), verb, words, keywords)
    if kind == "explain" and keywords & {"execute", "call"}:
        return "execute", verb
    if kind == "prepare" and len(words) > 1 and words[1].text == "transaction":
        return "transaction", verb
    return kind, verb


def _refined(kind: str, verb: str, words: Sequence[Token], keywords: Set[str]) -> tuple[str, str]:
    """A copy of rows under a new name is a kind of its own, however it is written."""
    if kind in ("select", "explain", "prepare") and "into" in keywords and not stored_at(words):
        return "create-as", "create"
    if verb == "create" and _object(words) in ("table", "view") and _as_outside(words):
        return ("create-as", verb) if {"table", "materialized"} & keywords else (kind, verb)
    return ("create-as", verb) if kind == "explain" and {"create", "as"} <= keywords else (kind, verb)


def _as_outside(words: Sequence[Token]) -> bool:
    """Whether AS stands outside of brackets; within them it belongs to a column that is generated."""
    depth = 0
    for token in words:
        if token.sort is Sort.SIGN:
            depth += (token.text == "(") - (token.text == ")")
        elif depth == 0 and token.sort is Sort.WORD and token.text == "as":
            return True
    return False


def _verb_behind_with(words: Sequence[Token]) -> str:
    """The first verb outside of brackets behind WITH."""
    depth = 0
    for token in words[1:]:
        if token.sort is Sort.SIGN:
            depth += (token.text == "(") - (token.text == ")")
        elif depth == 0 and token.sort is Sort.WORD and token.text in ("select", "values", "table", *_CHANGES):
            return token.text
    return ""


def _copy_kind(words: Sequence[Token]) -> str:
    """COPY by where its rows go: 'copy-file' reads or writes files and programs of the server."""
    keywords = [token.text for token in words if token.sort is Sort.WORD]
    if "program" in keywords or not {"stdout", "stdin"} & set(keywords):
        return "copy-file"
    if len(words) > 1 and words[1].text == "(":
        return "copy-query"
    return "copy-in" if "stdin" in keywords else "copy-out"


# --- names ---------------------------------------------------------------------------------------------------------


def _mentions(words: Sequence[Token], catalogue: Catalogue) -> dict[str, int]:
    folded = {name.casefold(): name for name in catalogue.guarded_names}
    schemas = {schema.casefold() for schema in catalogue.guarded_schemas}
    if schemas:
        schemas.add("pg_temp")  # another name of the session's own pg_temp_N
    found: dict[str, int] = {}
    for at, token in enumerate(words):
        name = folded.get(token.text.casefold()) if token.sort in _NAMES else None
        if name is None or _is_point(words, at + 1):
            continue
        if schemas and _is_point(words, at - 1) and words[at - 2].text.casefold() not in schemas:
            continue  # a column of that name
        found[name] = found.get(name, 0) + 1
    return found


def _is_point(words: Sequence[Token], at: int) -> bool:
    return 0 < at < len(words) and words[at].sort is Sort.SIGN and words[at].text == "."


def _functions(words: Sequence[Token], catalogue: Catalogue) -> frozenset[str]:
    """Names before a bracket; of another schema than pg_catalog with the schema, so that no built-in has that name.

    Also names behind a point that call a function with a whole row: `p.json_agg` is `json_agg(p)`.
    """
    found: set[str] = set()
    for at, token in enumerate(words):
        if token.sort not in _NAMES:
            continue
        if _opens(words, at + 1):
            found |= _called(words, at)
        elif token.text in catalogue.row_functions and _is_point(words, at - 1):
            found.add(token.text)
    return frozenset(found)


def _called(words: Sequence[Token], at: int) -> set[str]:
    """The function whose name stands before a bracket, if it is one."""
    token, schema = words[at], _qualifier(words, at)
    if (token.sort is Sort.WORD and token.text in NO_CALL) or (not schema and _lists_columns(words, at)):
        return set()
    return {token.text if schema in ("", "pg_catalog") else f"{schema}.{token.text}"}


def _opens(words: Sequence[Token], at: int) -> bool:
    return at < len(words) and words[at].text == "(" and words[at].sort is Sort.SIGN


def _qualifier(words: Sequence[Token], at: int) -> str:
    behind_point = at > 1 and words[at - 1].sort is Sort.SIGN and words[at - 1].text == "."
    return words[at - 2].text if behind_point else ""


def _lists_columns(words: Sequence[Token], at: int) -> bool:
    """Whether the bracket behind a name lists columns: INSERT INTO name (...), COPY name (...)."""
    return at > 0 and words[at - 1].sort is Sort.WORD and words[at - 1].text in ("into", "copy")


def _names_a_query(words: Sequence[Token]) -> bool:
    """Whether WITH names a query that may be used more than once.

    A query that is named twice, where it is defined and once more, is a subquery. One with a list of columns, and a
    recursive one, is not looked at more closely.
    """
    named = [at + 1 for at, token in enumerate(words) if token.text == "with" and _cte(words, at)]
    if not named:
        return False
    texts = [token.text.casefold() if token.sort in _NAMES else token.text for token in words]
    defined = [at for at in range(1, len(texts) - 2) if texts[at + 1] == "as" and texts[at + 2] in _DEFINES]
    if not set(named) <= set(defined) or any(texts[at] == ")" for at in defined):
        return True
    used = [text for text, after in zip(texts, [*texts[1:], ""], strict=True) if after != "."]
    return any(used.count(texts[at]) > 2 for at in defined)


def _named_inside(words: Sequence[Token], kind: str, guarded: frozenset[str]) -> bool:
    """Whether a guarded name stands within brackets, and so may be part of a query that WITH names."""
    depth = -1 if kind == "copy-query" else 0
    folded = {name.casefold() for name in guarded}
    for token in words:
        if token.sort is Sort.SIGN:
            depth += (token.text == "(") - (token.text == ")")
        elif depth > 0 and token.sort in _NAMES and token.text.casefold() in folded:
            return True
    return False


def _cte(words: Sequence[Token], at: int) -> bool:
    """Whether the WITH at this place is followed by a name."""
    if words[at].sort is not Sort.WORD:
        return False
    after = words[at + 1] if at + 1 < len(words) else words[at]
    return after.sort is Sort.NAME or (after.sort is Sort.WORD and after.text not in _NO_CTE)


def _names(words: Sequence[Token], kind: str) -> tuple[str, ...]:
    """The names a statement of this kind is about."""
    texts = [token.text for token in words if token.sort in _NAMES]
    if kind in ("declare", "prepare", "execute") and texts[0] == kind:
        return tuple(texts[1:2])
    if kind in ("fetch", "listen", "close", "deallocate"):
        return _last_name(words)
    if kind == "transaction" and (texts[0] in ("savepoint", "release") or "to" in texts):
        return (texts[-1],)
    return ()


def _last_name(words: Sequence[Token]) -> tuple[str, ...]:
    """The name at the end; none for ALL, `*` or nothing."""
    last = words[-1]
    if len(words) == 1 or last.sort not in _NAMES or (last.sort is Sort.WORD and last.text == "all"):
        return ()
    return (last.text,)


def _sets(words: Sequence[Token]) -> tuple[Setting, ...]:
    """What SET or RESET changes; empty for any other statement."""
    verb = words[0].text if words[0].sort is Sort.WORD else ""
    if verb not in ("set", "reset") or len(words) == 1:
        return ()
    scope = _scope(words) if verb == "set" else ""
    at = 2 if scope else 1
    end = at + 1
    while end + 1 < len(words) and words[end].text == ".":
        end += 2
    name = "".join(token.text for token in words[at:end]).lower()
    return ((name, None if verb == "reset" else _value(words[end:]), scope == "local"),)


def _scope(words: Sequence[Token]) -> str:
    return words[1].text if len(words) > 3 and words[1].text in ("session", "local") else ""


def _value(words: Sequence[Token]) -> str | None:
    """The value behind `=` or TO; `None` for DEFAULT."""
    rest = words[1:] if words and words[0].text in ("to", "=") and words[0].sort is not Sort.STRING else words
    if len(rest) == 1 and rest[0].sort is Sort.WORD and rest[0].text == "default":
        return None
    return "".join(token.text for token in rest)


# --- fingerprint ---------------------------------------------------------------------------------------------------


def _fingerprint(words: Sequence[Token]) -> str:
    """16 hex digits for the shape of a statement: literals are left out, lists of them are one."""
    shape: list[str] = []
    for token in words:
        literal = token.sort in (Sort.STRING, Sort.ESCAPED, Sort.NUMBER, Sort.PARAMETER)
        if literal and shape[-2:] == ["?", ","]:
            shape.pop()
        else:
            shape.append("?" if literal else token.text)
    return _digest(shape)


def _digest(shape: Sequence[str]) -> str:
    return sha256("\x1f".join(shape).encode("utf-8", "surrogateescape")).hexdigest()[:16]
