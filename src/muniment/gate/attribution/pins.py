"""Which columns a condition fixes: `... from person where id = 7` shows that person's row, whatever is selected.

Rules
1. One table in FROM, nothing joined to it. The condition is a list of conjuncts; nothing else is read of it.
2. A conjunct pins a column where it is exactly `column = literal`, either way round, the column qualified or not. OR
   and BETWEEN at the same level, or anything more in the conjunct, pin nothing.
3. What a literal means is said by the column's type, and is left to `plan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from muniment.gate.attribution.tokens import Sort, Token

_ENDS: Final = frozenset(("group", "having", "window", "order", "limit", "offset", "fetch", "for"))
_NOT_ALIAS: Final = _ENDS | {"where", "as", "join", "natural", "cross", "inner", "left", "right", "full", "tablesample"}


def pinned(words: Sequence[Token], relation: str) -> Mapping[str, str | int]:
    """Column (as stored) -> the literal's text, or the number of a parameter; empty where the rules do not hold."""
    start = _condition(words, relation.casefold())
    if start is None:
        return {}
    at, own = start
    conjuncts = _conjuncts(words[at:])
    found: dict[str, str | int] = {}
    for conjunct in conjuncts:
        pin = _pin(conjunct, own)
        if pin is not None:
            if pin[0] in found:
                return {}
            found[pin[0]] = pin[1]
    return found


def _condition(words: Sequence[Token], relation: str) -> tuple[int, frozenset[str]] | None:
    """Where the condition begins, and by which names the table is known in it."""
    starts = [at for at, token in enumerate(words) if _is(token, "from")]
    if len(starts) != 1:
        return None
    at = starts[0] + 1
    at += _is_at(words, at, "only")
    while at + 2 < len(words) and _sign(words[at + 1], "."):
        at += 2
    if not _named_at(words, at) or words[at].text.casefold() != relation:
        return None
    own = words[at].text
    at += 1
    at += _is_at(words, at, "as")
    if _named_at(words, at) and not (words[at].sort is Sort.WORD and words[at].text in _NOT_ALIAS):
        own = words[at].text
        at += 1
    return (at + 1, frozenset((own,))) if _is_at(words, at, "where") else None


def _is_at(words: Sequence[Token], at: int, word: str) -> bool:
    return at < len(words) and _is(words[at], word)


def _named_at(words: Sequence[Token], at: int) -> bool:
    return at < len(words) and _named(words[at])


def _conjuncts(words: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in words:
        if token.sort is Sort.SIGN:
            depth += (token.text in "([") - (token.text in ")]")
            if depth < 0:
                break  # the bracket around the query of a COPY
        elif depth == 0 and token.sort is Sort.WORD:
            if token.text in _ENDS:
                break
            if token.text in ("or", "between", "case"):
                return []
            if token.text == "and":
                parts.append([])
                continue
        parts[-1].append(token)
    return parts


def _pin(words: Sequence[Token], own: frozenset[str]) -> tuple[str, str | int] | None:
    for left, right in _sides(words):
        column = _column(left, own)
        literal = _literal(right)
        if column is not None and literal is not None:
            return column, literal
    return None


def _sides(words: Sequence[Token]) -> list[tuple[Sequence[Token], Sequence[Token]]]:
    equals = [at for at, token in enumerate(words) if _sign(token, "=")]
    if len(equals) != 1:
        return []
    left, right = words[: equals[0]], words[equals[0] + 1 :]
    return [(left, right), (right, left)]


def _column(words: Sequence[Token], own: frozenset[str]) -> str | None:
    if len(words) == 3 and _sign(words[1], ".") and words[0].text in own:
        words = words[2:]
    return words[0].text if len(words) == 1 and _named(words[0]) else None


def _literal(words: Sequence[Token]) -> str | int | None:
    if len(words) != 1:
        return None
    token = words[0]
    if token.sort is Sort.PARAMETER:
        return int(token.text)
    return token.text if token.sort in (Sort.STRING, Sort.NUMBER) else None


def _named(token: Token) -> bool:
    return token.sort in (Sort.WORD, Sort.NAME)


def _is(token: Token, word: str) -> bool:
    return token.sort is Sort.WORD and token.text == word


def _sign(token: Token, sign: str) -> bool:
    return token.sort is Sort.SIGN and token.text == sign
