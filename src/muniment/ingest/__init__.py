"""Reading what keepers and finders have: registers and leaks of any usual source, as batches of `Table`.

    encoding    bytes -> which code page; a text stream that fails with a place
    dialect     text -> delimiter, quotes, header
    delimited   CSV and TSV files as a source
    sqlite      tables of SQLite files as a source
    postgres    PostgreSQL tables as a source (Parquet and DuckDB files: `engine.duck`)
    sources     `open_source(location)`: one call for all of them
    kinds       what each column is (name, address, phone, ...), by its name and its values
    survey      one pass over a register before it is added: its key, its rows, its kinds
    leaks       found files of unknown shape
    audit       foreign audit logs -> who received what, as far as the log can tell
"""
