"""The demonstration: an invented bilingual register of persons in households, and what is done with it.

people     the register: persons, households, names, addresses, contacts (seeded; the same rows whole or in batches)
families   who lives with whom: sizes, roles, ages, sexes, surnames
dwellings  where they live: addresses in both languages, postcodes, telephone numbers
numbers    record numbers with check digits, and those kept back for decoys
retype     what a leaker's retyping does to a table
words, places   the tables
"""
