"""The write-ahead files: disclosures that are durable, and not yet sealed into a segment.

- `frames`  the bytes of a file: header, frames, the chain over them, and the sealed head (pure)
- `files`   the folder of files: recover, append, rotate, remove; and read-only access to the tail

`muniment.ledger.writer` owns the folder while it runs; readers use `files.read_tail`.
"""
