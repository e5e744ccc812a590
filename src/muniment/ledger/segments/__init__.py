"""Segments: sealed, immutable files of disclosures, each of them standard Parquet inside an encrypted container.

`segment` writes and opens them; `manifest` is what the log says of one; `commit` is what its Merkle roots stand for.
Below lie the bytes: `parquet` on `bits` and `thrift`, and `container` around it.
"""
