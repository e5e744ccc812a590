"""The command line: one file a noun over the Python API; nothing can be done here alone.

main       the program: all commands, and how it ends (exit codes)
options    what every command takes (`--json`, `--workspace`, ...), and `command`, which adds it
desk       what a command is given: options, the open workspace, standard output, talk on standard error
faults     errors -> two lines or JSON on standard error, and an exit code
aligned    rows of text in columns, wide characters counted as two
arguments  the texts a person types -> values: lists of columns, pairs, dates, small files
init, register, release, trace, keys, decoys, config, demo   the commands

Every command imports what it needs when it runs: `muniment --help` loads neither numpy nor duckdb.
"""
