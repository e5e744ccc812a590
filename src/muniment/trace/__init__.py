"""From a leaked table to a verdict. Nothing up to the score looks at a codeword (evidence.md section 3).

The map, in the order in which a trace runs
- `columns`    what a register column is to this package: name, kind, normal form, tolerance
- `mapping`    which leak column shows which register column (`propose_mapping`)
  - `probes`   the share of leaked values that the register knows
  - `merged`   a leak column that holds two register columns, and the other way round
- `align`      which leak row shows which record (`align`), never printed and never kept
  - `fold`     when two texts are the same, and when they are alike
  - `fields`   the columns that are compared, as arrays of hashes; one pass over the register
  - `exact`    rows that equal one record, and how far such a match may be trusted
  - `scored`   the other rows: `blocking` (which pairs are worth a look), `weights` (Fellegi-Sunter with frequencies),
               `strings` and `similarity` (the text of open pairs), `calibrate` (what a stranger would reach)
- `verdict`    the result as frozen values

`mapping` calls `align` on a sample of rows to settle what values alone cannot; nothing else goes upwards.
The register is seen through `Scan`: batches in a fixed order, as often as needed, never held as text.
"""
