"""Notice: who is affected by a leak, and who has read one person.

- `envelope`  a list that only the holder of a notice key opens
- `subject`   the disclosures of one person in two views: for the person, and for the keeper
"""
