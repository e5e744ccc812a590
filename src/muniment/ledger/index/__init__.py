"""The record index: derived from the segments, never evidence, rebuilt whenever it is lost or wrong.

- `bits`      integers of one width, packed side by side (pure)
- `pages`     a file of encrypted pages in sections, and the cache that holds them in memory
- `postings`  one run: for every ordinal the events that hold it, for every event its account, dumps as bitmaps
- `build`     a run from a segment, and several runs as one, by slices of ordinals
- `runs`      the folder: runs over contiguous segments, merged in growing sizes; the catalogue that names them
- `commit`    the Merkle map over a run, and the leaf by which the log knows the whole index
"""
