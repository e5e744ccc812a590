"""Single reads by key: pgbench -S through the gate and through pgbouncer, beside a direct connection.

    python bench/gate/points.py [SECONDS] [ROUNDS]

pgbench_accounts is a declared register, so every read is attributed, charged and durable in the ledger before its row
leaves; every account was read once before, so that it has an ordinal. Claims: at 1 client the added latency over
direct is at most one durable append of the ledger plus 150 us; at 8 and at 64 clients the rate is at least 0.60 and
0.80 of pgbouncer's in session mode. Run it again with MUNIMENT_BENCH_FOLDER=/dev/shm for the same with the ledger's
fsync off. TLS and SCRAM everywhere; pgbench's simple and prepared modes; server, proxies and pgbench share the
machine's cores.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from parties import DATABASE, bench_folder, bulk_read, durable_append, label, make_accounts, middle, show

from measurement import Measurement

SECONDS: Final = 5
ROUNDS: Final = 9
CLIENTS: Final = (1, 8, 64)
MODES: Final = ("simple", "prepared")
SCALE: Final = 5
WANTED: Final = {8: 0.60, 64: 0.80}
ALLOWED_SECONDS: Final = 150e-6
BOUNCER: Final = "/usr/sbin/pgbouncer"
USER: Final = "pgbench_reader"
TABLE: Final = "public.pgbench_accounts"
COLUMNS: Final = ("aid", "bid", "abalance", "filler")


def main(seconds: int = SECONDS, rounds: int = ROUNDS) -> list[Measurement]:
    """Every path in turn, in every round."""
    from language.gates import small_gate
    from language.tls_server import tls_server

    with tls_server(settings=("shared_buffers=256MB", "jit=off", "max_connections=300")) as server:
        server.sql(f"CREATE DATABASE {DATABASE}")
        subprocess.run(
            [server.programs / "pgbench", "-i", "-q", "-s", str(SCALE), server.url_of_superuser(DATABASE)],
            check=True, capture_output=True,
        )  # fmt: skip
        make_accounts(server, [USER])
        append = durable_append(bench_folder())
        with (
            bouncing(server) as bouncer,
            small_gate(server, DATABASE, TABLE, columns=COLUMNS, key=("aid",), connections=300) as bed,
        ):
            bulk_read(bed.port, USER, "SELECT aid, abalance FROM pgbench_accounts")  # everybody has an ordinal then
            ports = {"direct": server.port, "pgbouncer": bouncer, "gate": bed.port}
            rates = measured(server, ports, seconds, rounds)
    return judged(rates, append)


def measured(server: Any, ports: dict[str, int], seconds: int, rounds: int) -> dict[tuple[str, int, str], list[float]]:
    """Transactions a second by path, clients and mode; one value a round."""
    rates: dict[tuple[str, int, str], list[float]] = {}
    for number in range(rounds):
        for clients in CLIENTS:
            for mode in MODES:
                for path, port in ports.items():
                    rate = pgbench(server.programs, port, clients, mode, seconds)
                    rates.setdefault((path, clients, mode), []).append(rate)
                last = {path: round(rates[path, clients, mode][-1]) for path in ports}
                print(f"round {number}, {clients} clients, {mode}: {last}", file=sys.stderr, flush=True)
    return rates


def judged(rates: dict[tuple[str, int, str], list[float]], append: float) -> list[Measurement]:
    """The claims."""
    found = []
    for mode in MODES:
        gate, direct = rates["gate", 1, mode], rates["direct", 1, mode]
        added = sorted(1 / one - 1 / other for one, other in zip(gate, direct, strict=True))
        wanted, median = append + ALLOWED_SECONDS, added[len(added) // 2]
        found.append(
            Measurement(
                f"single reads, 1 client, {mode}, {label()}: latency added to direct",
                f"<= one durable append + 150 us = {1e6 * wanted:.0f} us",
                f"{1e6 * median:.0f} us ({1e6 * added[0]:.0f}-{1e6 * added[-1]:.0f}); "
                f"direct {1e6 / middle_of(direct):.0f} us, "
                f"pgbouncer {1e6 / middle_of(rates['pgbouncer', 1, mode]):.0f} us, append {1e6 * append:.0f} us",
                median <= wanted,
            )
        )
        for clients, least in WANTED.items():
            pairs = zip(rates["gate", clients, mode], rates["pgbouncer", clients, mode], strict=True)
            ratios = [one / other for one, other in pairs]
            found.append(
                Measurement(
                    f"single reads, {clients} clients, {mode}, {label()}, {len(ratios)} rounds",
                    f">= {least:.2f} of pgbouncer",
                    f"{middle(ratios)}; gate {middle_of(rates['gate', clients, mode]):.0f}/s, pgbouncer "
                    f"{middle_of(rates['pgbouncer', clients, mode]):.0f}/s, direct "
                    f"{middle_of(rates['direct', clients, mode]):.0f}/s",
                    middle_of(ratios) >= least,
                )
            )
    return found


def middle_of(values: list[float]) -> float:
    """The median."""
    return sorted(values)[len(values) // 2]


def pgbench(programs: Path, port: int, clients: int, mode: str, seconds: int) -> float:
    """Transactions a second of pgbench -S; connecting is not counted."""
    from language.tls_server import PASSWORD

    command = [str(programs / "pgbench"), "-n", "-S", "-M", mode, "-c", str(clients), "-j", "1", "-T", str(seconds)]
    env = {**os.environ, "PGPASSWORD": PASSWORD, "PGSSLMODE": "require"}
    done = subprocess.run(
        [*command, "-h", "127.0.0.1", "-p", str(port), "-U", USER, DATABASE],
        env=env, capture_output=True, text=True, timeout=seconds + 120, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("tps = ")]
    if done.returncode or not lines:
        raise RuntimeError(f"pgbench -c {clients} -M {mode} failed on port {port}: {done.stderr[-500:]}")
    return float(lines[-1].split()[2])


@contextmanager
def bouncing(server: Any) -> Iterator[int]:
    """pgbouncer in session mode with TLS on both sides; its port. It refuses to run as root."""
    from language.gates import VERIFIER
    from language.postgres import free_port, unprivileged_user
    from language.servers import make_certificate

    folder = Path(tempfile.mkdtemp(prefix="bouncer-"))
    port, certificate = free_port(), make_certificate(folder, "bouncer")
    (folder / "users.txt").write_text(f'"{USER}" "{VERIFIER}"\n', encoding="ascii")
    (folder / "bouncer.ini").write_text(
        f"[databases]\n{DATABASE} = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr=127.0.0.1\n"
        f"listen_port={port}\nunix_socket_dir=\npool_mode=session\nauth_type=scram-sha-256\nlogfile={folder}/log\n"
        f"auth_file={folder}/users.txt\nmax_client_conn=500\ndefault_pool_size=200\nclient_tls_sslmode=require\n"
        f"client_tls_cert_file={certificate.path}\nclient_tls_key_file={certificate.key}\nserver_tls_sslmode=require\n"
        "ignore_startup_parameters=extra_float_digits\n",
        encoding="ascii",
    )
    user = unprivileged_user()
    identity: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    if user:
        for path in (folder, *folder.iterdir()):
            os.chown(path, user.pw_uid, user.pw_gid)
    process = subprocess.Popen([BOUNCER, "-q", folder / "bouncer.ini"], cwd=folder, **identity)
    try:
        time.sleep(1.0)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(show(main(*(int(word) for word in sys.argv[1:]))))
