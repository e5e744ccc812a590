"""Every bound in one place: a named constant, its unit, and why it is what it is.

A bound refuses with `LimitError` before memory or disk is spent; none of them changes a result silently.
"""

from __future__ import annotations

from typing import Final

# --- names and texts ---------------------------------------------------------------------------------------------
NAME_CHARACTERS: Final = 200
"""Characters in a recipient's, register's or column's name: longer ones break tables and terminals."""
PURPOSE_CHARACTERS: Final = 2_000
"""Characters in a purpose text: a sentence or two, not a document."""

# --- tables ------------------------------------------------------------------------------------------------------
BATCH_ROWS: Final = 16_384
"""Rows in one batch of a register or release: some 20 MB of Python strings at 20 columns."""
COLUMNS: Final = 4_096
"""Columns in one table: the column number of an address has 12 bits."""
CELL_CHARACTERS: Final = 1_000_000
"""Characters in one cell; the csv module's own default of 131,072 refuses some honest notes."""

# --- leaks -------------------------------------------------------------------------------------------------------
LEAK_BYTES: Final = 8 * 1024**3
"""Bytes of a leaked file that is read at all (after unpacking, all members together)."""
LEAK_ROWS: Final = 5_000_000
"""Rows of a leak that are used: far above what a verdict needs; the rest is counted and left out."""
ZIP_MEMBERS: Final = 1_000
"""Members of a zip that are looked at."""
ZIP_RATIO: Final = 200
"""Bytes out for each byte in, over a whole archive: honest text packs below 30, a bomb above 1,000."""

# --- recipients --------------------------------------------------------------------------------------------------
RECIPIENTS: Final = 2**42
"""Numbers that the address layout has room for (40 bits of block and two of lane)."""

# --- reading text files ------------------------------------------------------------------------------------------
DETECT_BYTES: Final = 256 * 1024
"""Bytes from which an encoding is told: some 4,000 records, far more than a code page needs to show itself."""
DETECT_SCAN_BYTES: Final = 64 * 1024**2
"""Bytes that are looked through for the first byte beyond ASCII: a tenth of a second, the first 500,000 records."""
SNIFF_CHARACTERS: Final = 64 * 1024
"""Characters from which a dialect is told: some 500 records."""
LINE_CHARACTERS: Final = 16 * 1024**2
"""Characters in one line: COLUMNS cells of 4,000 characters; a longer one is not a table, or its quote never closes."""

# --- found files: what may be kept in memory -----------------------------------------------------------------------
LEAK_CELLS: Final = 200_000_000
"""Cells of a leak that are kept, all tables together: 5,000,000 rows of 40 columns; the rest is only counted."""
LEAK_CHARACTERS: Final = 4 * 1024**3
"""Characters of a leak that are kept, all tables together; rows beyond are counted and left out."""
DOCUMENT_BYTES: Final = 256 * 1024**2
"""Bytes of a document that must be held whole (JSON that is no list of rows, a workbook or Parquet file in a zip)."""
WORKBOOK_BYTES: Final = 1024**3
"""Bytes of XML in one workbook, unpacked: a full sheet of 1,048,576 rows takes some 50 bytes a cell."""
XML_DEPTH: Final = 64
"""Elements inside one another in the XML of a workbook; a sheet has six levels."""
XML_TOKEN_BYTES: Final = 4 * 1024**2
"""Bytes of one tag or text piece of XML: parsing a longer one costs the square of its length."""
ARCHIVE_FLOOR_BYTES: Final = 16 * 1024**2
"""Bytes that any archive may unpack to, whatever its ratio: a tiny file of equal rows is no bomb."""
ARCHIVE_DIRECTORY_BYTES: Final = 16 * 1024**2
"""Bytes of a zip's directory: 16,000 bytes for each of ZIP_MEMBERS."""
JSON_DEPTH: Final = 8
"""Levels of nesting that become columns; what lies deeper stays JSON text in one cell."""
JSON_LIST: Final = 8
"""Entries of a list inside a record that become columns; a longer list stays JSON text in one cell."""
QUOTED_LINES: Final = 1_000
"""Lines in one quoted cell: an honest note is shorter, a quote that never closes is longer."""

# --- keys, journal and sealed files ------------------------------------------------------------------------------
LOCK_SECONDS: Final = 60.0
"""Seconds to wait for another writer: longer than any append, shorter than a person's patience."""
PASSPHRASE_CHARACTERS: Final = (8, 1_024)
"""Fewest and most characters of a passphrase: the lower bound holds for a new one only."""
KEY_RING_BYTES: Final = 4 * 1024**2
"""Bytes of a key ring: some 10,000 rotations."""
SCRYPT_BYTES: Final = 1024**3
"""Memory (128 n r bytes) that a key ring read from disk may ask of scrypt; the default asks for 32 MiB."""
SEALED_FRAME_BYTES: Final = 1024**2
"""Plaintext bytes in one frame of a sealed file: nothing unverified beyond a frame is ever in memory."""
SEALED_BYTES: Final = 16 * 1024**3
"""Bytes of a sealed file that is read into memory at all."""
RECORD_SET: Final = 2**28
"""Pseudonyms in one record set: 2 GiB as an array."""
JOURNAL_FRAME_BYTES: Final = 4 * 1024**2
"""Bytes of one journal entry: a register of 4,096 columns with long names still fits."""
JOURNAL_BYTES: Final = 2 * 1024**3
"""Bytes of a journal that is read into memory: some 4 million copies."""
LEDGER_TEXT_CHARACTERS: Final = 16_384
"""Characters of one text of a disclosure (party or template as JSON, case, fingerprint): a purpose and some names."""
LEDGER_ORDINALS: Final = 2**32 - 2**16
"""Ordinals of one ledger: they are 32 bits wide, and the last ones stay free for ranges that round up."""
CONFIG_BYTES: Final = 4 * 1024**2
"""Bytes of muniment.toml: thousands of registers."""
LEAK_TABLES: Final = 10_000
"""Tables in one SQL dump: a database has hundreds."""

# --- sealed bundles of a verdict -----------------------------------------------------------------------------------
BUNDLE_BYTES: Final = 2 * 1024**3
"""Bytes of a bundle that is read: some 50 million symbols of 38 bytes, and the codewords of the named."""
BUNDLE_JSON_BYTES: Final = 64 * 1024**2
"""Bytes of one JSON member of a bundle: codewords of some 60 named recipients over a million symbols."""
BUNDLE_MEMBERS: Final = 64
"""Members of a bundle: four, and two for each mark key under which somebody is named."""

# --- writing sheets ----------------------------------------------------------------------------------------------
SHEET_ROWS: Final = 1_048_575
"""Rows below the header of one sheet: 2**20 lines are all that spreadsheet programs open."""
SHEET_COLUMNS: Final = 16_384
"""Columns of one sheet (2**14, column XFD)."""
SHEET_CELL_CHARACTERS: Final = 32_767
"""Characters in one cell of a sheet; programs cut the rest without a word."""

# --- marks -------------------------------------------------------------------------------------------------------
ORDERED_ROWS: Final = 2_000_000
"""Rows that a release holds in memory where the order of rows is a mark (some 1 GB at 15 columns)."""
OPEN_FILES: Final = 200
"""Copies written in one pass over a register: many systems allow a process 256 open files."""

# --- command line ------------------------------------------------------------------------------------------------
RECIPIENT_FILE_BYTES: Final = 64 * 1024**2
"""Bytes of a file of recipients or of reserved record numbers: a million lines."""

# --- decoys ------------------------------------------------------------------------------------------------------
DECOYS: Final = 100_000
"""Decoys of one register: each is drawn in Python, and more would stand out by their number alone."""
DECOY_SAMPLE_ROWS: Final = 100_000
"""Records from which the habits of a register are learned: some 200 MB; more add little to what was seen."""
