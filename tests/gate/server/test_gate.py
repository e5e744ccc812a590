"""The gate as a whole on real sockets: begins, relays, drains, reloads, and turns away whom it has no room for."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest

from language.ledgers import LedgerFolder
from language.servers import (
    LOOPS,
    ScriptedControl,
    Upstream,
    client_tls,
    gate_bed,
    make_certificate,
    parts_of,
    patience,
    run,
)
from muniment.errors import InputError, UnreachableError
from muniment.gate.server.gate import Gate
from muniment.gate.session.events import VerifierFound

loops = pytest.mark.parametrize("loop", LOOPS)


@loops
def test_what_a_client_sends_goes_upstream_and_what_comes_back_comes_back(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            assert await client.ask("hello") == "hello"
            client.writer.write(b"5000000 bytes\n")
            assert await client.reader.readexactly(5_000_000) == b"x" * 5_000_000

    run(main(), loop)


@loops
def test_rows_leave_only_after_their_disclosure_is_in_the_ledger(tmp_path: Path, loop: str) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, recorded=True) as bed:
            client = await bed.client()
            for number in range(1, 4):
                assert await client.ask("a row") == "a row"
                assert bed.ledger.cases() == list(range(1, number + 1))

    run(main(), loop)
    made = LedgerFolder(tmp_path / "office")
    assert len(made.open().segments()) == 1, "what was appended is sealed at the end"


def test_nobody_comes_in_while_the_gate_is_full(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, connections=2) as bed:
            first, second = await bed.client(), await bed.connect()
            third = await bed.connect()
            told = await third.reader.read()
            assert told.startswith(b"E") and b"C53300\0" in told
            await second.close()
            with patience() as wait:
                await wait(bed.gate._room)
            assert await first.ask("still") == "still"
            await bed.client("another")

    run(main())


def test_who_is_silent_or_does_not_log_in_is_closed(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, login_seconds=0.2) as bed:
            silent, slow = await bed.connect(), await bed.connect()
            slow.writer.write(b"\0\0\0")
            assert await silent.reader.read() == b""
            assert (await slow.reader.read()) in (b"", b"who\n")
            client = await bed.client()
            await asyncio.sleep(0.3)
            assert await client.ask("still here") == "still here"

    run(main())


def test_draining_lets_sessions_end_and_takes_nobody_any_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            client = await bed.client()
            port = bed.gate.port
            bed.gate.drain()
            assert await client.reader.readline() == b"draining\n"
            assert await client.reader.read() == b""
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", port)
            assert bed.gate.port == 0

    run(main())


def test_a_reload_takes_a_new_certificate_and_keeps_the_old_one_where_it_cannot(tmp_path: Path) -> None:
    first = make_certificate(tmp_path / "office-tls", "gate")

    async def shown(bed: object) -> bytes:
        client = await bed.connect()  # type: ignore[attr-defined]
        await client.start_tls(client_tls())
        tls = client.writer.get_extra_info("ssl_object")
        return tls.getpeercert(True)  # type: ignore[no-any-return]

    async def main() -> None:
        async with gate_bed(tmp_path, certificate=str(first.path), certificate_key=str(first.key)) as bed:
            assert await shown(bed) == first.der
            second = make_certificate(tmp_path / "office-tls", "gate")
            await bed.gate.reload()
            assert await shown(bed) == second.der
            second.path.write_text("no certificate")
            await bed.gate.reload()
            assert await shown(bed) == second.der
            assert '"event": "reload-failed"' in bed.log.read_text()

    run(main())


def test_a_change_of_tables_reaches_every_session(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path) as bed:
            first, second = await bed.client(), await bed.client()
            assert await first.ask("!refresh") == "catalogue 3"
            assert (await second.reader.readline()) == b"catalogue 3\n"
            assert bed.gate.kit.catalogue.version == 3

    run(main())


def test_metrics_count_and_the_log_holds_no_value(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, recorded=True, metrics="127.0.0.1:0") as bed:
            client = await bed.client()
            assert await client.ask("secret cell") == "secret cell"
            client.writer.write(b"!report\n")
            address = f"http://127.0.0.1:{bed.gate.metrics_port}/metrics"
            text = await asyncio.to_thread(lambda: urlopen(address).read().decode())
            assert "muniment_gate_sessions 1\n" in text
            assert 'muniment_gate_rows_total{outcome="given"} 1\n' in text
            assert "muniment_gate_append_seconds_count 1\n" in text
            assert 'muniment_gate_reports_total{event="stopped"} 1\n' in text
            assert "muniment_gate_alarms_total 1\n" in text
            lines = [json.loads(line) for line in bed.log.read_text().splitlines()]
            assert {"event": "stopped", "session": 1, "alarm": True, "account": "clerk"}.items() <= lines[-1].items()
            assert "secret" not in bed.log.read_text() and "secret" not in text

    run(main())


def test_what_cannot_start_does_not_listen(tmp_path: Path) -> None:
    class Deaf(ScriptedControl):
        def catalogue(self) -> object:  # type: ignore[override]
            raise UnreachableError("nobody answers")

    async def main() -> None:
        parts = parts_of(LedgerFolder.made(tmp_path / "office"), 1, [])
        with pytest.raises(UnreachableError, match="nobody answers"):
            await Gate(replace(parts, new_control=Deaf)).start()
        with pytest.raises(InputError, match="listen has"):
            await Gate(replace(parts, settings=replace(parts.settings, listen=("nonsense",)))).start()
        gate = Gate(parts)
        await gate.start()
        await gate.close(0)

    run(main())


def test_an_account_that_cannot_be_asked_for_is_told_nothing_else(tmp_path: Path) -> None:
    class Broken(ScriptedControl):
        def verifier(self, account: str) -> VerifierFound:
            raise UnreachableError("the control connection broke")

    async def main() -> None:
        async with gate_bed(tmp_path, new_control=Broken) as bed:
            client = await bed.connect()
            assert await client.ask("clerk") == "upstream the control connection broke"

    run(main())


def test_an_upstream_that_is_not_there_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with gate_bed(tmp_path, Upstream(), upstream_port=1) as bed:
            client = await bed.connect()
            assert "ConnectionRefusedError" in await client.ask("clerk")

    run(main())
