"""How alike two texts are: for the few pairs that hashes leave open.

`level` is the one question asked from outside. The measures are the optimal string alignment distance (Damerau 1964,
Levenshtein 1966) and Jaro-Winkler (Winkler 1990), on texts cut to `COMPARED_CHARACTERS`.
"""

from __future__ import annotations

from typing import Final

from muniment.disclosure import Kind

MISSING, SAME, CLOSE, PARTIAL, DIFFERENT = range(5)
"""Levels of agreement between two cells; `MISSING` where one of the two says nothing."""
LEVELS: Final = 5

COMPARED_CHARACTERS: Final = 64
"""Characters that are compared: the cost of a distance grows with the square."""
_CLOSE_NAMES: Final = 0.92
_PARTIAL_NAMES: Final = 0.80
_SAME_PARTS: Final = {
    (True, True, True): SAME, (True, True, False): CLOSE, (True, False, True): CLOSE, (True, False, False): PARTIAL,
    (False, True, True): PARTIAL, (False, True, False): DIFFERENT, (False, False, True): DIFFERENT,
    (False, False, False): DIFFERENT,
}
"""Level of two dates by whether year, month and day are equal."""
_DIGIT_KINDS: Final = frozenset({Kind.CODE, Kind.PHONE, Kind.NUMBER, Kind.TIMESTAMP})


def distance(first: str, second: str, most: int) -> int:
    """Return the number of signs put in, left out, changed or swapped with their neighbour; `most + 1` above `most`."""
    first, second = _trimmed(first, second)
    if abs(len(first) - len(second)) > most:
        return most + 1
    if not first or not second:
        return len(first) + len(second)
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        last, row = row, [i]
        for j, b in enumerate(second, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before = last
    return min(row[-1], most + 1)


def one_edit(first: str, second: str) -> bool:
    """Return whether at most one edit lies between two texts: `distance(...) <= 1` without a table."""
    a, b = _trimmed(first, second)
    if len(a) <= 1 and len(b) <= 1:
        return True
    return len(a) == len(b) == 2 and a == b[::-1]


def _trimmed(first: str, second: str) -> tuple[str, str]:
    """Return both texts without what they share at the start and at the end."""
    shortest = min(len(first), len(second))
    start = 0
    while start < shortest and first[start] == second[start]:
        start += 1
    end = 0
    while end < shortest - start and first[-1 - end] == second[-1 - end]:
        end += 1
    return first[start:len(first) - end], second[start:len(second) - end]


def jaro_winkler(first: str, second: str) -> float:
    """Return the Jaro-Winkler similarity in [0, 1]: shared signs in nearly the same place, a shared start favoured."""
    if first == second:
        return 1.0
    common, others = _common(first, second)
    if not common:
        return 0.0
    moved = sum(a != b for a, b in zip(common, others, strict=True)) / 2
    shared = len(common)
    jaro = (shared / len(first) + shared / len(second) + (shared - moved) / shared) / 3
    start = 0
    while start < min(4, len(first), len(second)) and first[start] == second[start]:
        start += 1
    return jaro + 0.1 * start * (1 - jaro)


def _common(first: str, second: str) -> tuple[list[str], list[str]]:
    """Return the signs that both share in nearly the same place, in the order of the one and of the other."""
    reach = max(len(first), len(second), 2) // 2 - 1
    taken = [False] * len(second)
    common = []
    for i, sign in enumerate(first):
        for j in range(max(0, i - reach), min(i + reach + 1, len(second))):
            if not taken[j] and second[j] == sign:
                taken[j] = True
                common.append(sign)
                break
    return common, [sign for sign, hit in zip(second, taken, strict=True) if hit]


def level(first: str, second: str, kind: Kind) -> int:
    """Return how far two forms agree: one of the levels above. Texts come as words, all else in the strict form."""
    if not first or not second:
        return MISSING
    if first == second:
        return SAME
    first, second = first[:COMPARED_CHARACTERS], second[:COMPARED_CHARACTERS]
    if kind is Kind.DATE:
        return _dates(first, second)
    if kind in _DIGIT_KINDS:
        return _digits(first, second)
    return _words(first, second)


def _dates(first: str, second: str) -> int:
    """Compare by component: the year and one more, one edit, or the same digits in another order, is close."""
    if sorted(first) == sorted(second) or one_edit(first, second):
        return CLOSE
    if len(first) != 8 or len(second) != 8:
        return DIFFERENT
    return _SAME_PARTS[first[:4] == second[:4], first[4:6] == second[4:6], first[6:] == second[6:]]


def _digits(first: str, second: str) -> int:
    """Compare signs in their places: one edit is close; two edits, or a longer half in common, is partial."""
    if len(first) >= 3 and one_edit(first, second):
        return CLOSE
    if len(first) >= 5 and (sorted(first) == sorted(second) or distance(first, second, 2) <= 2):
        return PARTIAL
    shared = max(3, (max(len(first), len(second)) + 1) // 2)
    return PARTIAL if first[:shared] == second[:shared] and len(second) >= shared else DIFFERENT


def _words(first: str, second: str) -> int:
    """Compare letters, then words: every word of the shorter text in the longer one (or its initial) is much."""
    shorter, longer = sorted((first.replace(" ", ""), second.replace(" ", "")), key=len)
    long_enough = len(shorter) >= (4 if shorter.isascii() else 3)
    alike = jaro_winkler(shorter, longer)
    if alike >= _CLOSE_NAMES or (long_enough and one_edit(shorter, longer)):
        return CLOSE
    if " " in first or " " in second:
        return _word_sets(first.split(), second.split(), alike)
    inside = shorter in longer if long_enough else longer.startswith(shorter)
    return PARTIAL if inside or alike >= _PARTIAL_NAMES else DIFFERENT


def _word_sets(first: list[str], second: list[str], alike: float) -> int:
    shorter, longer = (first, second) if len(first) <= len(second) else (second, first)
    shared = set(shorter) & set(longer)
    if len(shared) >= 2 and len(shared) == len(set(shorter)):
        return CLOSE
    initials = sum(any(word.startswith(each) or each.startswith(word) for each in longer) for word in shorter)
    return PARTIAL if shared or initials == len(shorter) or alike >= _PARTIAL_NAMES else DIFFERENT
