"""The only sockets of the gate: bytes and time turned into events of a session, its commands into bytes and futures.

- `workers`     `run`: one process, or a keeper with several workers; `keeper` is what they share
- `gate`        one process: listeners, what connections share, reload and drain
- `accept`      who gets in; `tls`, `sides`, `upstream`, `cancel`: the connections themselves
- `connection`  one client and its session
- `recording`   appends to the ledger with a bounded wait; `holding`, `seals`, `spool`: the ledger and its second place
- `persons`     record keys to ordinals; `budgeting`: what an account received before
- `directory`   what PostgreSQL is asked on the gate's own account; `control`: how
- `metrics`, `logs`
"""
