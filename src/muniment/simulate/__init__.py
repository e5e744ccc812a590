"""Simulate: invented offices that read a register in good faith, and attackers among them, for measuring watch.

    settings -> population + offices -> load -> work, lookups, mass -> cases -> ledger --> World
                                                                       World + attacks --> Injected

Rules
1. Written from published figures and cases before the signals of watch, and frozen by a hash (`tests/simulate/FROZEN`):
   a simulator that follows the detector proves nothing. It knows no signal and no threshold.
2. The same settings give the same world: every part draws from a generator of its own, seeded by (seed, part).
3. Every person, account, office and case is invented. A figure measured here is one of the simulator, and says so.
"""
