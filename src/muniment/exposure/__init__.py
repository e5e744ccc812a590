"""Exposure: what an extract gives away, on top of what its recipient already holds.

    table, release, query --engine--> Extract --kernels--> Classes --> measures, sweep, household, cumulative --> result
                                                                                                        |
                                                          protect (hierarchies, lattice, recoding) <----+--> report

Rules
1. Aggregate by construction: no value that leaves holds a row, a key, a cell of a small class, or a count of persons
   below the floor other than as "fewer than".
2. Exact, or a stated refusal: never a silent sample. Where something is modelled or sampled, the value names the model
   and has its interval.
3. An exposure run tells its runner something: it is recorded as a disclosure, and one that would single somebody out is
   refused by rules that do not look at the secret values.
"""
