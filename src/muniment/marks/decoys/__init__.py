"""Decoys: fictitious records drawn from a register's own joint distributions, known to the keeper alone.

- `plan`      the decoys of one register with their share, expiry, consent and exclusion list
- `draw`      a register's sample in, fictitious records out, with numbers from those the keeper reserved
- `likeness`  whether a decoy resembles a real record: asked at the draw and again at every refresh
- `habits`    what a register is like: which records live together, which columns go together
- `units`     one fictitious household, put together from `calendar`, `names`, `places`, `donors`, `mail`
- `rarity`, `coins`, `dates`   values as rare among decoys as among records; keyed choices; dates in their layouts
"""

from muniment.marks.decoys.coins import choose_ids
from muniment.marks.decoys.draw import draw_decoys
from muniment.marks.decoys.likeness import like_records, recheck
from muniment.marks.decoys.plan import Consent, DecoyPlan

__all__ = ["Consent", "DecoyPlan", "choose_ids", "draw_decoys", "like_records", "recheck"]
