"""The disclosure ledger: who received which columns of which records, when and why; durable before anything leaves.

- `batch`         disclosures in columns: the one form between writing, sealing and reading
- `appender`      what everybody writes to: `writer` (the one writer), `intake` (queue), `service` and `link` (socket)
- `wal`           write-ahead files: encrypted, chained, acknowledged in the second place
- `ordinals`      keyed pseudonym -> ordinal, under a key that can be destroyed
- `segments`      a batch <-> Parquet in an encrypted container; commitments, openings, the manifest
- `log`           tlog-tiles, signed notes, witnesses, the second place
- `index`         record-major postings, derived; `reader` and `sources` answer from them
- `proving`, `completeness`  that an answer about one person is all there is: making it, and checking it without keys
- `store`         the folder, opened; `logged`, `sealing`, `pruning`, `fsck`
- `export`        OCSF, FHIR, CSV

and the catalogue beside it, one append-only, encrypted, hash-chained file:

- `frames`, `journal`  the bytes of an entry; the file
- `declarations`  registers (columns, coalition, law), key commitments and public keys
- `copies`        recipients and copies: the interface `CopyLedger`, and `LedgerCopies`
- `families`      which marks under which law, before the first copy that has them
- `examinations`, `sketch`, `sets`  how often one leak was looked at, and which codewords were opened
- `suspensions`   orders not to tell
"""
