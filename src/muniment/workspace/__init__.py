"""The workspace: one folder with settings, key ring, journal, baselines and decoys, and the actions on it.

- `office`: `Workspace`, `init` and `open_workspace` - what `import muniment` offers
- `registering`, `releasing`, `tracing`, `decoying`, `bundling`: one action each, as functions over `Parts`
- `subjects` (who, prove), `affecting`, `bookkeeping` (`Books`), `exchanging` (import, export), `doctoring`: the ledger
- `parts`: the opened parts; `plans`, `baselines`, `aligning`, `reading`, `opening`, `leading`, `strength`: their steps
- `ordinals`: from record keys to ordinals, under every epoch of the pseudonym key
"""
