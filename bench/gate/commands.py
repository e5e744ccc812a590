"""PostgreSQL's own programs through the gate: psql's commands, pgbench, and pg_dump by the export account; same output?

    python bench/gate/commands.py

Each command runs direct and through the gate, by the same guarded account, on the registers of the tests; what they
print must be equal byte for byte (pg_dump's random \\restrict key and dates left out). pgbench must end without an
error.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Final

from parties import show

from measurement import Measurement

PSQL: Final = (
    r"\conninfo", r"\l", r"\dt *.*", r"\d office.person", r"\d+ office.matter", r"\dv office.*", r"\df office.*",
    r"\dn+",
    r"\du", r"\dp office.*", r"\di office.*", r"\d+ office.v_person", r"\sf office.fee_of(text)", r"\dconfig work_mem",
    r"\encoding", r"\timing off", r"\set", "SHOW ALL", "SELECT * FROM office.district",
    "SELECT id, surname FROM office.person ORDER BY id LIMIT 20", "TABLE office.settings",
    r"\copy (SELECT id, surname FROM office.person WHERE points = 3) TO STDOUT CSV HEADER",
    "COPY office.district TO STDOUT", "SELECT 1/0", "SELECT nothing FROM office.person", "BEGIN; SELECT 1; ROLLBACK",
    r"SELECT id, surname FROM office.person WHERE points = 4 ORDER BY id \gx", r"\d nothing", r"SELECT 1 \gdesc",
    r"SELECT id, surname FROM office.person WHERE points = 2 \gdesc", r"\crosstabview", r"\dx", r"\dT", r"\dD", r"\z",
)  # fmt: skip
STRAY: Final = re.compile(
    rb"^(\\(un)?restrict .*|-- (Started|Completed) on .*|.*port \"?\d+\"?.*|Server port.*|Client port.*|PORT = .*"
    rb"|.*Backend PID.*|.*[Cc]hannel [Bb]inding.*|.*TLS.*|.*SSL.*)$",
    re.M,
)
"""Lines that tell the two ways apart rightly."""


def main() -> list[Measurement]:
    """psql, pgbench and pg_dump."""
    from language.gates import gate_running

    policy = '[defaults]\nmode = "stop"\ncopy = true\nredact = false\n[roles.exporters]\nexport = true\n'
    with gate_running(policy=policy) as bed:
        bed.account("operator")
        bed.account("dumper", "exporter")
        bed.account("bencher", "boss")
        psql = [command for command in PSQL if not same(bed, "operator", [bed.server.programs / "psql", "-X"], command)]
        dumps = [
            words for words in (("--schema=office",), ("--schema=office", "--inserts"), ("-t", "office.person"))
            if not same(bed, "dumper", [bed.server.programs / "pg_dump", "--no-sync", *words], case=True)
        ]  # fmt: skip
        benched = [*pgbench(bed)]
    return [
        _equal("psql's own commands", len(PSQL), psql),
        _equal("pg_dump by the export account", 3, dumps),
        Measurement("pgbench, built-in scripts and modes", "no error", "; ".join(benched) or "no error", not benched),
    ]


def _equal(what: str, number: int, differing: Sequence[object]) -> Measurement:
    told = f"{number - len(differing)} of {number} equal; {differing}"
    return Measurement(what, "equal output", told, not differing)


def same(bed: Any, user: str, command: Sequence[Any], typed: str = "", *, case: bool = False) -> bool:
    """Whether a command prints the same direct and through the gate; what differs goes to standard error."""
    outs = []
    for port in (bed.server.port, bed.port):
        done = ran(bed, user, port, command, "-c muniment.case=export-1" if case else "", typed)
        outs.append((done.returncode, STRAY.sub(b"", done.stdout), STRAY.sub(b"", done.stderr)))
    if outs[0] != outs[1]:
        _tell([*command, typed], outs)
    return outs[0] == outs[1]


def _tell(command: Sequence[Any], outs: Sequence[tuple[int, bytes, bytes]]) -> None:
    (code, out, error), (other_code, other_out, other_error) = outs
    lines, others = out.splitlines(), other_out.splitlines()
    odd = [pair for pair in zip(lines, others, strict=False) if pair[0] != pair[1]][:3]
    print(f"differs: {command[1:]}: codes {code} {other_code}, lines {len(lines)} {len(others)}, {odd}, "
          f"{error[-300:]!r} {other_error[-300:]!r}", file=sys.stderr)  # fmt: skip


def ran(
    bed: Any, user: str, port: int, command: Sequence[Any], options: str = "", typed: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Run a client program against a port; `typed` is its standard input."""
    from language.tls_server import PASSWORD

    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    env = kept | {
        "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": user, "PGPASSWORD": PASSWORD, "PGDATABASE": bed.database,
        "PGSSLMODE": "require", "PGOPTIONS": options,
    }  # fmt: skip
    words = [str(word) for word in command]
    return subprocess.run(words, env=env, input=typed.encode(), capture_output=True, timeout=120, check=False)


def pgbench(bed: Any) -> Sequence[str]:
    """Faults of pgbench's own scripts through the gate."""
    program = bed.server.programs / "pgbench"
    faults = []
    runs = [("-i", "-q"), *((*("-t", "50", "-c", "4", "-M", mode), *script)
            for mode in ("simple", "extended", "prepared") for script in ((), ("-S",), ("-N",)))]  # fmt: skip
    for words in runs:
        done = ran(bed, "bencher", bed.port, [program, *words])
        text = done.stdout.decode() + done.stderr.decode()
        if done.returncode or ("-i" not in words and "number of failed transactions: 0 " not in text):
            faults.append(f"{' '.join(words)}: {text[-200:]}")
    return faults


if __name__ == "__main__":
    sys.exit(show(main()))
