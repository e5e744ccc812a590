"""The ledger: what was given to whom, durable before it leaves.

Until the log of DESIGN section 5 exists, the journal holds it: one append-only, encrypted, hash-chained file.

- `frames`        the bytes of one entry, and the chain over them (pure)
- `journal`       the file: open and verify, append, lock, head
- `sets`          sealed, content-addressed sets of 64-bit pseudonyms
- `copies`        recipients and copies: the interface `CopyLedger`, and `JournalCopies` over the journal
- `declarations`  registers (columns, coalition, law) and key commitments, logged before the first copy
- `examinations`  how often one leak was looked at, and which codewords were opened
- `sketch`        whether two leaks share records, without keeping which
"""
