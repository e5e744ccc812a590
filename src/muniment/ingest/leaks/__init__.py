"""Found files of unknown shape -> tables of text. Every byte here is foreign, and may be hostile.

    read        `read_leak(path)`: the one door
    leak        the values that come out: `Leak`, `LeakTable`
    detect      bytes -> container (zip, gzip, workbook, Parquet, text); text -> form
    source      bytes with a name that can be read again, counted while they are read
    text        a source as lines of characters
    builder     rows -> one bounded table; layout: where the header is; records: rows that name their own fields
    delimited   CSV and its kin      json_text   JSON and JSON lines      pasted   text with one person a line or block
    sql_dump    INSERT and COPY, with sql_text (tokens) and sql_rows (tables)
    workbook    XLSX sheets, with workbook_parts (names, texts, number formats) and xml_stream (bounded XML)
    parquet     through the engine   archive     zip and gzip, nothing on disk

Data flow: read -> detect -> parser -> builder -> LeakTable. Bounds are enforced in three places alone: `source.Meter`
(bytes out of a file or archive), `builder.Budget` (rows, cells and characters kept) and each parser's longest token.
"""

from muniment.ingest.leaks.leak import Leak, LeakTable
from muniment.ingest.leaks.read import read_leak

__all__ = ["Leak", "LeakTable", "read_leak"]
