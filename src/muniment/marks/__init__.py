"""Marks: which symbols a copy carries, how they are written into it and read back.

- `carriers`   a bit into a cell and back, one file a kind; they know no recipient, no key and no score
- `suggest`    which carriers a register could bear, what they would give and what they would cost its readers
- `laws`       how the bias of an address is drawn, by the coalition that a register must withstand
- `codebook`   the recipient's bit at an address, from the mark key; never stored
- `plan`       which carriers stand on which columns of a register, from what its owner allowed
- `write`, `read`, `rows`, `baseline`   a batch of a register to a copy; a leak's cells to symbols; rows as symbols;
  what the register looked like before it was marked

Lower layers (`disclosure`, `keys`, `prf`, `table`) are imported from here, never the other way round.
"""
