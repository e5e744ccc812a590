"""What a statement puts where the next one finds it: values of a register in another table, or under another key.

Rules
1. A result says whose its rows are by table and key. So a statement that stores what it reads of a register elsewhere,
   or gives a row another key, makes every later result lie; it is a copy, whatever its first word is.
2. A statement that stores is looked for wherever it may stand: under WITH, EXPLAIN, PREPARE and COPY too.
3. Settings, locks, sequences and large objects carry values as well (`flagged`), and some built-in functions run SQL
   that stands in no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Final

from muniment.gate.attribution.catalogue import Catalogue
from muniment.gate.attribution.tokens import Sort, Token

FLAGS: Final = frozenset(
    "pg_stats pg_stats_ext pg_stats_ext_exprs pg_statistic pg_statistic_ext_data pg_largeobject pg_stat_activity "
    "pg_authid pg_shadow pg_user_mapping pg_user_mappings pg_stat_statements lo_get lo_put lo_export lo_import lo_open "
    "loread lowrite lo_creat lo_create lo_from_bytea lo_unlink".split()
)
"""Relations of PostgreSQL itself that may show values of a register, or secrets, and functions on large objects."""
READERS: Final = frozenset(
    "query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema table_to_xml "
    "table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema "
    "database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat ts_rewrite pg_read_file "
    "pg_read_binary_file pg_ls_dir dblink dblink_exec dblink_open dblink_fetch dblink_send_query dblink_get_result "
    "crosstab crosstab2 crosstab3 crosstab4 crosstabn connectby xpath_table".split()
)
"""Functions, built in or of the extensions that come with PostgreSQL, that run SQL or read what no text names."""
_NAMES: Final = (Sort.WORD, Sort.NAME)
_STORING: Final = frozenset(("insert", "update", "merge"))
_NO_STATEMENT: Final = frozenset(("for", "key", "do", "then", "on", "or", "of", "before", "after"))
"""Words before UPDATE that make it part of another clause."""
_NO_TABLE: Final = frozenset(("from", "on", "of"))
"""Words behind UPDATE that are no name of a table."""
_ENDS: Final = frozenset(("where", "from", "returning"))
"""What ends the assignments of UPDATE; in MERGE the next WHEN does."""


def stored_at(words: Sequence[Token]) -> list[int]:
    """Where a statement that stores begins: INSERT INTO, MERGE INTO, UPDATE name."""
    places = [at for at, token in enumerate(words) if token.text in _STORING and token.sort is Sort.WORD]
    return [at for at in places if not _behind_point(words, at) and _begins(words, at)]


def deletes(words: Sequence[Token]) -> bool:
    """Whether rows are deleted, wherever that stands."""
    return any(token.text == "delete" and _is(words, at + 1, "from") for at, token in enumerate(words))


def target_at(words: Sequence[Token], at: int) -> str:
    """The last part of the name of the table that is stored to; empty where it is not read."""
    at += 1 + _is(words, at + 1, "into")
    at += _is(words, at, "only")
    while at + 2 < len(words) and words[at].sort in _NAMES and _sign(words[at + 1], "."):
        at += 2
    return words[at].text if at < len(words) and words[at].sort in _NAMES else ""


def copies(words: Sequence[Token], mentions: Mapping[str, int], functions: Set[str], catalogue: Catalogue) -> bool:
    """Whether a statement may store elsewhere what it reads of a register (rule 1). `functions`: those it calls."""
    places = stored_at(words)
    if not places:
        return False
    if mentions and len(places) > 1:
        return True
    if any(_plain(name) in READERS or _plain(name) in catalogue.reading_functions for name in functions):
        return True
    target = target_at(words, places[0]).casefold()
    others = sum(times for name, times in mentions.items() if name.casefold() != target)
    own = sum(times for name, times in mentions.items() if name.casefold() == target)
    return bool(others) or own > 1 or (own == 1 and _gives_another_key(words, target, catalogue))


def flagged(
    words: Sequence[Token], mentions: Mapping[str, int], functions: Set[str], catalogue: Catalogue
) -> frozenset[str]:
    """Names by which values get out beside the rows (rule 3).

    What is kept beyond the statement (settings, locks, sequences) matters only where a register may be read.
    """
    found = {token.text for token in words if token.text in FLAGS and token.sort in _NAMES}
    called = {_plain(name) for name in functions}
    found |= called & READERS
    if mentions or not called.isdisjoint(READERS) or not called.isdisjoint(catalogue.reading_functions):
        found |= called & catalogue.keeping_functions
    return frozenset(found)


def flagged_somewhere(text: str, catalogue: Catalogue) -> frozenset[str]:
    """`flagged` for a text that is not read with certainty: every such name that stands in it at all."""
    folded = text.casefold()
    return frozenset(name for name in FLAGS | READERS | catalogue.keeping_functions if name in folded)


def _plain(name: str) -> str:
    return name.rpartition(".")[2]


def _begins(words: Sequence[Token], at: int) -> bool:
    if words[at].text != "update":
        return _is(words, at + 1, "into")
    if at and words[at - 1].sort is Sort.WORD and words[at - 1].text in _NO_STATEMENT:
        return False
    after = words[at + 1] if at + 1 < len(words) else None
    return after is not None and after.sort in _NAMES and not (after.sort is Sort.WORD and after.text in _NO_TABLE)


def _gives_another_key(words: Sequence[Token], target: str, catalogue: Catalogue) -> bool:
    """Whether a column of the key stands among the assignments of SET."""
    assigned = {token.text.casefold() for token in _assignments(words) if token.sort in _NAMES}
    return any(
        attribute.key >= 0 and attribute.name.casefold() in assigned
        for relation in (catalogue.relations.values() if assigned else ())
        if relation.guarded and relation.name.casefold() == target
        for attribute in relation.attributes.values()
    )


def _assignments(words: Sequence[Token]) -> list[Token]:
    """The tokens between SET and what ends it; CASE holds a WHEN of its own, IS DISTINCT FROM a FROM."""
    found: list[Token] = []
    inside, depth, cases = False, 0, 0
    for at, token in enumerate(words):
        if token.sort is Sort.SIGN:
            depth += (token.text in "([") - (token.text in ")]")
        elif token.sort is Sort.WORD and not _behind_point(words, at):
            if token.text == "set":
                inside, depth, cases = True, 0, 0
                continue
            cases += (token.text == "case") - (token.text == "end")
            inside = inside and not (depth <= 0 and cases <= 0 and _ends_set(words, at))
        if inside:
            found.append(token)
    return found


def _ends_set(words: Sequence[Token], at: int) -> bool:
    text = words[at].text
    return text == "when" or (text in _ENDS and not (text == "from" and _is(words, at - 1, "distinct")))


def _is(words: Sequence[Token], at: int, text: str) -> bool:
    return 0 <= at < len(words) and words[at].text == text and words[at].sort is Sort.WORD


def _behind_point(words: Sequence[Token], at: int) -> bool:
    return at > 0 and _sign(words[at - 1], ".")


def _sign(token: Token, sign: str) -> bool:
    return token.sort is Sort.SIGN and token.text == sign
