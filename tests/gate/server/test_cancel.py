"""Cancel keys of the gate's own, and requests to PostgreSQL that count as delivered when it has closed."""

from __future__ import annotations

import asyncio

import pytest

from language.servers import Upstream, run
from muniment.gate.protocol.startup import CancelRequest
from muniment.gate.server import cancel as module
from muniment.gate.server.cancel import CancelKeys, deliver
from muniment.gate.server.upstream import Target

SECRET = bytes(range(32))


class Asked:
    """Counts."""

    def __init__(self) -> None:
        self.times = 0

    def cancel_asked(self) -> None:
        self.times += 1


@pytest.mark.parametrize(
    ("process", "secret", "times"),
    [
        (7, SECRET, 1),
        (7, SECRET[:4], 1),
        (7, SECRET[:3], 0),
        (7, b"", 0),
        (7, SECRET + b"\0", 0),
        (7, SECRET[:-1] + b"x", 0),
        (8, SECRET, 0),
    ],
)
def test_a_key_finds_its_session_only(process: int, secret: bytes, times: int) -> None:
    keys, session = CancelKeys(), Asked()
    keys.put(7, SECRET, session)
    assert keys.ask(process, secret) is bool(times) and session.times == times
    keys.drop(7)
    keys.drop(7)
    assert len(keys) == 0 and not keys.ask(7, SECRET)


def test_a_request_is_delivered_when_the_server_has_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        upstream = Upstream(cancel_seconds=0.05)
        server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
        target = Target("127.0.0.1", server.sockets[0].getsockname()[1])
        assert await deliver(target, 7, b"secret")
        assert upstream.cancels == [CancelRequest(7, b"secret").build()]
        monkeypatch.setattr(module, "CANCEL_SECONDS", 0.05)
        upstream.cancel_seconds = 0.5
        assert not await deliver(target, 7, b"secret"), "it keeps the connection open: who knows whether it has read"
        server.close()
        await server.wait_closed()
        assert not await deliver(target, 7, b"secret"), "nobody is there"

    run(main())
