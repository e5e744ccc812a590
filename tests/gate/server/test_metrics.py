"""Counters as Prometheus reads them, added up over workers; and a server that is not held up by anybody."""

from __future__ import annotations

import asyncio

from language.servers import run
from muniment.gate.server.metrics import BUCKETS, FAMILIES, Metrics, merged, serve


def test_the_text_names_every_family_once_and_buckets_add_up() -> None:
    metrics = Metrics()
    for seconds in (0.00005, 0.0003, 0.0003, 99.0):
        metrics.appended(seconds)
    metrics.add("rows_total", 3, "given")
    text = metrics.render()
    for name in FAMILIES:
        assert text.count(f"# TYPE muniment_gate_{name} ") == 1
    assert 'muniment_gate_append_seconds_bucket{le="0.0001"} 1\n' in text
    assert 'muniment_gate_append_seconds_bucket{le="0.0005"} 3\n' in text
    assert f'muniment_gate_append_seconds_bucket{{le="{BUCKETS[-1]}"}} 3\n' in text
    assert 'muniment_gate_append_seconds_bucket{le="+Inf"} 4\nmuniment_gate_append_seconds_sum 99.0006' in text
    assert 'muniment_gate_rows_total{outcome="given"} 3\n' in text


def test_workers_are_added_up_but_a_version_is_not() -> None:
    first, second = Metrics(), Metrics()
    for metrics, version in ((first, 7), (second, 5)):
        metrics.add("sessions_total", 2)
        metrics.put("catalogue_version", version)
        metrics.appended(0.01)
    text = merged([first.snapshot(), second.snapshot(), {}, {"values": {"unknown": {"": 1}}}]).render()
    assert "muniment_gate_sessions_total 4\n" in text and "muniment_gate_catalogue_version 7\n" in text
    assert "muniment_gate_append_seconds_count 2\n" in text and "unknown" not in text


def test_only_get_metrics_is_answered() -> None:
    async def ask(port: int, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    async def main() -> None:
        server = await serve("127.0.0.1:0", lambda: "text\n")
        port = server.sockets[0].getsockname()[1]
        assert (await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")).endswith(b"\r\n\r\ntext\n")
        for request in (b"GET / HTTP/1.1\r\n\r\n", b"POST /metrics HTTP/1.1\r\n\r\n", b"\r\n\r\n"):
            assert (await ask(port, request)).startswith(b"HTTP/1.1 404 ")
        assert await ask(port, b"x" * 20_000) == b""
        server.close()

    run(main())
