"""The gate: a PostgreSQL proxy that knows which persons each account received, and stops a harvest while it happens.

    client --TLS--> server ==events==> session ==commands==> server --> PostgreSQL
                                        |
                  identity . attribution . policy . ledger

- `protocol`     bytes <-> messages: framing, codecs, `scan` over rows; no I/O
- `identity`     who is asking: SCRAM with and without channel binding, certificates, signed actors; no I/O
- `attribution`  whose rows these are: columns to registers, rows to persons, what stays unattributed; no I/O
- `policy`       what an account may receive: rules, budgets of distinct persons, break-glass; no I/O, no clock
- `session`      one client's conversation as a pure machine: events in, commands out; nothing leaves unrecorded
- `server`       the only sockets: listeners, TLS, upstream, the ledger's futures, metrics, reload and drain

The invariant in the shape: rows that are to leave stand behind the `Append` that records them (`session.outbox`), and
nothing passes it until `Appended` came back.
"""
