"""Watch: which account harvests a register, although every single read looks normal.

    ledger --reads--> days <--explain-- context (cases, staff, relations, calendar)
                       |
                       v
              signals, one e-value each --> detector (one clock: the account-day) --> findings --> alerts --> sinks

Rules
1. Watch is about accounts that read. No value here is about a person in a register: weights belong to columns and
   registers, relations and records are keyed ordinals, and no text that leaves holds a key, a name or an ordinal.
2. Everything but what reads files is a pure fold over the ledger in its order: a replay finds what was
   found live.
3. *Guaranteed* is said only where the null is true by design: a declared budget, a random challenge, a coin-drawn
   decoy. Everything learned from the past is *estimated*, and says so.
"""
