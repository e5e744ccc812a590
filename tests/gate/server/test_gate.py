"""The gate as a whole on real sockets: begins, relays, drains, reloads, and turns away whom it has no room for."""

from __future__ import annotations

from pathlib import Path

import pytest

from language.servers import LOOPS, gate_bed, run

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
