"""Ordinals: the dense numbers that stand for persons in the ledger, and the table that knows whose they are.

- `permutation`  a keyed permutation of the numbers below n (pure)
- `ranges`       what is reserved, and the order in which it is handed out (pure)
- `runs`         pseudonyms in memory, searched by many values at once (pure)
- `contents`     what the table holds, and the rules it keeps (pure)
- `frames`       the bytes of its append file (pure)
- `files`        key and append file of a generation
- `base`         its base: everything as of its making, read frame by frame or whole
- `layers`       what an open table looks things up in
- `table`        `OrdinalTable`: look up, allocate, compact, shred
- `maps`         sorted Merkle maps: prove that a key has a value, or that it is absent (pure)
- `persons`      the table as a Merkle map, and what opens one person in it
"""
