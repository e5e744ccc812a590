"""The PostgreSQL protocol, versions 3.0 and 3.2, as bytes and values: nothing here reads a socket or a clock.

- `wire`      what all messages share, and `ProtocolError`
- `framing`   bytes -> messages, rows still raw; long messages in pieces
- `startup`   the packets before the first message: start, encryption, cancel
- `frontend`  what a client sends, as values: `parse(kind, body)`, `.build()`
- `backend`   what PostgreSQL sends, likewise
- `scan`      many rows at once: where each ends, and the cells that matter (`typedscan`: the same for a compiler)
- `copyscan`  the same for COPY in its three formats
- `values`    the text of a key, whatever format it came in
"""

from __future__ import annotations

from muniment.gate.protocol.wire import ProtocolError

__all__ = ["ProtocolError"]
