"""Each budget is shown to bite: one planted offender for each rule, and its harmless neighbour."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import budgets


def breaches(source: str, path: str = "src/muniment/example.py") -> list[str]:
    return [str(breach) for breach in budgets.check_file(path, source, budgets.Sizes())]


def function(source: str) -> budgets.Function:
    return next(budgets.functions_of(ast.parse(source)))


def long_function(lines: int, docstring: str = '"""Doc."""') -> str:
    return f'"""Doc."""\ndef f() -> None:\n    {docstring}\n' + "    x = 1\n" * (lines - 1)


def test_a_clean_file_passes() -> None:
    assert breaches(long_function(10)) == []


def test_a_long_file_is_named() -> None:
    body = '"""Doc."""\n' + "x = 1\n" * (budgets.FILE_LINES - 1)
    assert breaches(body) == []
    assert breaches(body + "y = 2\n") == [
        "src/muniment/example.py:601: file has 601 lines: at most 600; split it by noun"
    ]


def test_a_table_may_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "TABLES", frozenset({"src/muniment/table_of_names.py"}))
    assert breaches('"""Doc."""\n' + "x = 1\n" * 700, "src/muniment/table_of_names.py") == []


def test_a_long_function_is_named() -> None:
    assert breaches(long_function(budgets.FUNCTION_LINES)) == []
    assert breaches(long_function(budgets.FUNCTION_LINES + 1)) == [
        "src/muniment/example.py:2: f has 81 lines: at most 80"
    ]


def test_a_docstring_is_not_counted() -> None:
    docstring = '"""Doc.\n' + "    words\n" * 30 + '    """'
    assert budgets.function_lines(function(long_function(20, docstring))) == 20


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 1", 1),
        ("if a:\n        pass\n    elif b:\n        pass\n    else:\n        pass", 3),
        ("return 1 if a and b or c else 2", 4),
        ("return [x for x in a if x if not x]", 1),
        ("return [x or y for x in a]", 2),
        ("try:\n        pass\n    except ValueError:\n        pass\n    finally:\n        pass", 2),
        ("while a:\n        for x in b:\n            assert x", 4),
        ("match a:\n        case 1:\n            pass\n        case _:\n            pass", 3),
        ("def g():\n        if a:\n            pass\n    return g", 1),
        ("return sorted(a, key=lambda x: x if x else 0)", 1),
    ],
)
def test_complexity(body: str, expected: int) -> None:
    assert budgets.complexity(function(f"def f(a, b, c):\n    {body}\n")) == expected


def test_a_complex_function_is_named() -> None:
    body = "".join(f"    if x == {number}:\n        return {number}\n" for number in range(budgets.COMPLEXITY))
    source = f'"""Doc."""\n\ndef f(x):\n    """Doc."""\n{body}'
    assert breaches(source) == ["src/muniment/example.py:3: f has complexity 11: at most 10"]


def test_missing_docstrings_are_named() -> None:
    source = (
        "class A:\n    def m(self): ...\n    def _private(self): ...\n    @property\n    def p(self):\n"
        '        """Doc."""\n    @p.setter\n    def p(self, value): ...\n'
        "    @property\n    def declared(self) -> int: ...\n\n"
        "def f():\n    def inner(): ...\n\ndef _g(): ...\n"
        "if True:\n    def under_a_condition(): ...\n"
    )
    path = "src/muniment/example.py"
    assert breaches(source) == [
        f"{path}:{line}: {name} is public and has no docstring"
        for line, name in [(1, "module"), (1, "A"), (2, "A.m"), (12, "f"), (17, "under_a_condition")]
    ]


@pytest.mark.parametrize("name", ["utils", "helpers", "misc", "common", "manager", "models"])
def test_empty_names_are_refused(name: str) -> None:
    path = f"src/muniment/{name}.py"
    assert breaches('"""Doc."""', path) == [f"{path}:1: module name '{name}' says nothing; name it after what it holds"]


def test_broken_python_is_a_breach_not_a_crash() -> None:
    assert breaches("def f(:\n") == ["src/muniment/example.py:1: not valid Python: invalid syntax"]


def test_the_median_file_binds() -> None:
    short = budgets.Sizes(files=[100, 100, 180, 600, 600])
    assert list(budgets.check_sizes("src", short)) == []
    long = budgets.Sizes(files=[100, 100, 181, 181, 600])
    assert [str(breach) for breach in budgets.check_sizes("src", long)] == [
        "src:0: the median file has 181 lines: at most 180"
    ]


def test_the_longest_tenth_of_functions_binds() -> None:
    assert list(budgets.check_sizes("src", budgets.Sizes(functions=[5] * 37 + [80] * 3))) == []
    (breach,) = budgets.check_sizes("src", budgets.Sizes(functions=[5] * 34 + [60] * 6))
    assert breach.message == "one function in ten has more than 60 lines: at most 35"


def test_a_folder_is_read_and_reported(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "good.py").write_text('"""Doc."""\n')
    (tmp_path / "src" / "bad.py").write_text("def f(): ...\n")
    found, sizes = budgets.check_folder(tmp_path, "src")
    assert [breach.path for breach in found] == ["src/bad.py", "src/bad.py"]
    assert sizes.files == [1, 1]
