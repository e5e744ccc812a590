"""The program as a person runs it: in this process, or as one of its own without a terminal."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "five words that nobody guesses"
SCHEMAS = ROOT / "docs" / "schemas"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    def json(self, schema: str) -> Any:
        """Standard output as the JSON of a documented schema."""
        return checked(self.out, schema)

    def error(self) -> Any:
        """Standard error as the JSON of an error; nothing may be on standard output."""
        assert self.out == ""
        return checked(self.err, "error")


def checked(text: str, schema: str) -> Any:
    """One JSON document that fits the schema of docs/schemas."""
    value = json.loads(text)
    release = json.loads((SCHEMAS / "release.json").read_text(encoding="utf-8"))
    registry = jsonschema.validators.validator_for(release)
    from referencing import Registry, Resource

    known = Registry().with_resource(release["$id"], Resource.from_contents(release))
    registry(json.loads((SCHEMAS / f"{schema}.json").read_text(encoding="utf-8")), registry=known).validate(value)
    return value


def environment(**more: str) -> dict[str, str]:
    """What a command finds in the environment: a passphrase, and nothing of the person who runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT / "src"), "MUNIMENT_PASSPHRASE": PASSPHRASE} | more


def muniment(*arguments: object, env: Mapping[str, str] | None = None) -> Outcome:
    """Run the program in this process, without a terminal."""
    from muniment.cli.main import run

    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, environment(**(env or {})), clear=True),
        patch.object(sys, "stdin", io.StringIO()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = run([str(argument) for argument in arguments])
    return Outcome(code, out.getvalue(), err.getvalue())


def started(*arguments: object, env: Mapping[str, str] | None = None, **more: Any) -> subprocess.Popen[str]:
    """Start the program as a process of its own, with no controlling terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "muniment", *map(str, arguments)],
        env=environment(**(env or {})),
        stdin=subprocess.DEVNULL,
        stdout=more.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
        **more,
    )


def process(*arguments: object, env: Mapping[str, str] | None = None, **more: Any) -> Outcome:
    """Run the program as a process of its own and wait for its end."""
    with started(*arguments, env=env, **more) as running:
        out, err = running.communicate(timeout=60)
        return Outcome(running.returncode, out or "", err)


def write_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[str | None]]) -> Path:
    """Write a table as CSV, empty cells for `None`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *([cell or "" for cell in row] for row in rows)])
    return path
