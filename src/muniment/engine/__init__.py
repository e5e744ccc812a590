"""Running work over batches and files: SQL by DuckDB, writing of releases. The only package that imports duckdb.

    duck        hardened DuckDB connections; conditions over batches; Parquet and DuckDB files as batches
    writers     `open_writer(path, ...)`: CSV, and the door to the others
    parquet     Parquet with restored types
    xlsx        sheets of text cells
    writing     what every writer keeps: protocol, disk errors, giving up
    tables      names of tables: the one that is meant, and quoting
    collector   building a batch without the garbage collector looking through it
"""
