"""Check the size budgets of the sources: what keeps each file and each function readable at one sitting.

Rules
1. Files: none over 600 lines, the median of a tree at most 180. Tables of data are exempt, by name; that list may
   only shrink.
2. Functions: none over 80 lines, nine of ten at most 35. The docstring does not count: a budget must not save words.
3. Cyclomatic complexity of a function at most 10, nested functions counted on their own. Counted are statements that
   branch or loop, conditional expressions and operands of `and` and `or` (ruff's C901 leaves the last two out). A
   comprehension is not: it is one expression, read as one (radon counts it).
4. Every public module, class and function has a docstring; an attribute that a Protocol only declares needs none.
5. No module is named after what it is not (`utils`, `helpers`, ...): such a name invites everything in.

Run as `python tools/budgets.py [FOLDER ...]`; prints `file:line: message` for each breach and exits 1 if there is one.
Budgets on medians and shares bind from 5 files and 20 functions on: below that they say nothing.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

FILE_LINES: Final = 600
FILE_MEDIAN: Final = 180
FUNCTION_LINES: Final = 80
FUNCTION_P90: Final = 35
COMPLEXITY: Final = 10
LEAST_FILES: Final = 5
LEAST_FUNCTIONS: Final = 20

FORBIDDEN_NAMES: Final = frozenset(
    {"util", "utils", "helper", "helpers", "misc", "common", "manager", "managers", "model", "models"}
)
TABLES: Final[frozenset[str]] = frozenset()
"""Paths (from the project's root) of pure data tables that may be longer than FILE_LINES. May only shrink."""

FOLDERS: Final = ("src", "tools", "bench")
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)
CHOICES: Final = (ast.If, ast.IfExp, ast.ExceptHandler, ast.match_case, ast.Assert)
NESTED: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """One budget that is not kept, and where."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(slots=True)
class Sizes:
    """What was measured over a tree: one number a file, and one a function."""

    files: list[int] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)


def functions_of(tree: ast.AST) -> Iterator[Function]:
    """Every function and method below a node, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def function_lines(function: Function) -> int:
    """Lines from `def` to the last statement, without decorators and docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def complexity(function: Function) -> int:
    """McCabe's number (1976) by rule 3: one, and one for each branch, loop, handler and further operand.

    Functions and classes inside are left out; they are counted on their own.
    """
    total, todo = 1, list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if isinstance(node, NESTED):
            continue
        total += isinstance(node, LOOPS + CHOICES)
        if isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        todo.extend(ast.iter_child_nodes(node))
    return total


def undocumented(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of every public class and function (methods too) without a docstring; line 1 for the module."""
    if ast.get_docstring(tree) is None and tree.body:
        yield 1, "module"
    yield from _undocumented(tree, "")


def _undocumented(parent: ast.AST, owner: str) -> Iterator[tuple[int, str]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.If | ast.Try):  # a definition under `if TYPE_CHECKING` or `try` is public all the same
            yield from _undocumented(node, owner)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not _needs_none(node):
            yield node.lineno, owner + node.name
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node, f"{owner}{node.name}.")


def _needs_none(node: Function | ast.ClassDef) -> bool:
    decorators = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    declared = "property" in decorators and isinstance(node.body[0], ast.Expr) and _is_dots(node.body[0].value)
    return declared or not decorators.isdisjoint({"overload", "setter", "override"})


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def check_file(path: str, source: str, sizes: Sizes) -> Iterator[Breach]:
    """The breaches within one file; adds what was measured to `sizes`. A file that is no Python is a breach too."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        yield Breach(path, error.lineno or 1, f"not valid Python: {error.msg}")
        return
    lines = len(source.splitlines())
    if path not in TABLES:
        sizes.files.append(lines)
        if lines > FILE_LINES:
            yield Breach(path, lines, f"file has {lines} lines: at most {FILE_LINES}; split it by noun")
    if Path(path).stem in FORBIDDEN_NAMES:
        yield Breach(path, 1, f"module name {Path(path).stem!r} says nothing; name it after what it holds")
    for function in functions_of(tree):
        yield from _check_function(path, function, sizes)
    for line, name in undocumented(tree):
        yield Breach(path, line, f"{name} is public and has no docstring")


def _check_function(path: str, function: Function, sizes: Sizes) -> Iterator[Breach]:
    length, branches = function_lines(function), complexity(function)
    sizes.functions.append(length)
    if length > FUNCTION_LINES:
        yield Breach(path, function.lineno, f"{function.name} has {length} lines: at most {FUNCTION_LINES}")
    if branches > COMPLEXITY:
        yield Breach(path, function.lineno, f"{function.name} has complexity {branches}: at most {COMPLEXITY}")


def check_sizes(folder: str, sizes: Sizes) -> Iterator[Breach]:
    """The budgets on a whole tree: median length of files, ninth decile of functions."""
    if len(sizes.files) >= LEAST_FILES and (median := statistics.median(sizes.files)) > FILE_MEDIAN:
        yield Breach(folder, 0, f"the median file has {median:g} lines: at most {FILE_MEDIAN}")
    if len(sizes.functions) >= LEAST_FUNCTIONS:
        tenth = statistics.quantiles(sizes.functions, n=10)[-1]
        if tenth > FUNCTION_P90:
            yield Breach(folder, 0, f"one function in ten has more than {tenth:.0f} lines: at most {FUNCTION_P90}")


def check_folder(root: Path, folder: str) -> tuple[list[Breach], Sizes]:
    """All breaches below `root / folder`, in order, and what was measured there."""
    sizes = Sizes()
    breaches: list[Breach] = []
    for file in sorted((root / folder).rglob("*.py")):
        path = file.relative_to(root).as_posix()
        breaches += check_file(path, file.read_text(encoding="utf-8"), sizes)
    return sorted(breaches) + list(check_sizes(folder, sizes)), sizes


def main(arguments: Sequence[str]) -> int:
    """Check the folders named (all by default) of the project this file lies in; 1 if a budget is not kept."""
    root = Path(__file__).resolve().parent.parent
    found = 0
    for folder in arguments or FOLDERS:
        breaches, sizes = check_folder(root, folder)
        found += len(breaches)
        for breach in breaches:
            print(breach)
        print(f"{folder}: {len(sizes.files)} files, {len(sizes.functions)} functions, {len(breaches)} over budget")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
