"""The log: a C2SP tlog-tiles folder of leaves, with signed checkpoints that third-party tools verify.

Pure: bytes and values, no file and no clock
- `tree`        hashes, inclusion and consistency proofs (RFC 6962, RFC 9162)
- `note`        signed notes, verifier keys and signatures (C2SP signed-note)
- `checkpoint`  what a note says about the tree (C2SP tlog-checkpoint), and cosignatures of witnesses
- `tiles`       which bytes lie at which path (C2SP tlog-tiles)
- `tiled`       a tree read from tiles that nobody vouches for, and the files it has more when it grows

Shell
- `second`  a place on another disk where the newest checkpoint is kept too
- `folder`  the log on disk: append, read, prove, verify
"""
