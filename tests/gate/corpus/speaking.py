
"""Shapes of the extended protocol, of COPY, cursors and portals: the same reads by other messages."""

from __future__ import annotations

import struct

from language.guarded_registers import person_key, resident_key
from language.observer import (
    bind,
    close,
    copy_in,
    describe,
    execute,
    extended,
    flush,
    function_call,
    message,
    parse,
    query,
    sync,
)
from language.shapes import Shape, honest, hostile

K = person_key
INT4, TEXT = 23, 25


def int4(value: int) -> bytes:
    """A parameter in binary."""
    return struct.pack(">i", value)


LIST = "SELECT id, surname, address FROM office.person WHERE points = $1"
SHAPES: tuple[Shape, ...] = (
    # --- extended ---
    honest("extended-one", extended("SELECT id, surname FROM office.person WHERE id = $1", str(K(1)))),
    honest("extended-one-binary", extended("SELECT id, surname FROM office.person WHERE id = $1", str(K(2)), binary=True)),
    honest("extended-binary-parameter", parse("SELECT id, surname FROM office.person WHERE id = $1", types=(INT4,))
           + bind(int4(K(3))) + describe("P") + execute() + sync()),
    honest("extended-list", extended(LIST, "3")),
    honest("extended-list-binary", extended(LIST, "4", binary=True)),
    honest("extended-star-binary", extended("SELECT * FROM office.person WHERE points = $1", "5", binary=True)),
    honest("extended-mixed-formats", parse(LIST) + bind("6", formats=(1, 0, 1)) + describe("P") + execute() + sync()),
    honest("extended-array-parameter", extended("SELECT id, surname FROM office.person WHERE id = ANY ($1)", f"{{{K(1)},{K(2)}}}")),
    honest("extended-no-describe", parse(LIST) + bind("7") + execute() + sync()),
    honest("extended-no-describe-binary", parse(LIST) + bind("8", formats=(1,)) + execute() + sync()),
    honest("extended-describe-statement", parse(LIST, "s1") + describe("S", "s1") + sync(), bind("9", name="s1") + execute() + sync()),
    honest("extended-described-long-before", parse(LIST, "s1") + describe("S", "s1") + sync(),
           "SELECT 1", f"SELECT id, given FROM office.person WHERE id = {K(5)}",
           bind("10", name="s1", formats=(1,)) + execute() + sync(), bind("11", name="s1") + execute() + sync()),
    honest("extended-many-executions", parse(LIST, "s1") + sync(),
           *(bind(str(n), name="s1") + describe("P") + execute() + sync() for n in range(5))),
    honest("extended-two-statements-alike", parse(LIST, "a") + parse("SELECT id, tax FROM office.person WHERE points = $1", "b") + sync(),
           bind("1", portal="p", name="a") + bind("2", portal="q", name="b") + execute(portal="q") + execute(portal="p") + sync()),
    honest("extended-name-used-again", parse(LIST, "s1") + describe("S", "s1") + sync(), close("S", "s1") + sync(),
           parse("SELECT surname, id FROM office.person WHERE points = $1", "s1") + sync(), bind("3", name="s1") + execute() + sync()),
    hostile("extended-name-used-again-hides", parse(LIST, "s1") + describe("S", "s1") + sync(), close("S", "s1") + sync(),
            parse("SELECT points, surname, address FROM office.person WHERE points = $1", "s1") + sync(),
            bind("3", name="s1") + execute() + sync()),
    hostile("extended-unnamed-changes", parse("SELECT id, surname FROM office.person WHERE points = $1") + describe("S") + sync(),
            parse("SELECT points, surname FROM office.person WHERE points = $1") + bind("2") + execute() + sync()),
    hostile("extended-parse-fails-keeps-old", parse("SELECT id, surname FROM office.person", "k") + describe("S", "k") + sync(),
            parse("SELECT surname, address FROM office.person", "k") + sync(), bind(name="k") + execute() + sync()),
    honest("extended-pinned", extended("SELECT surname, address FROM office.person WHERE id = $1", str(K(41))),
           expect=("attributed", "digest-matched")),
    honest("extended-pinned-binary", parse("SELECT surname FROM office.person WHERE id = $1", types=(INT4,)) + bind(int4(K(42))) + describe("P")
           + execute() + sync(), expect=("attributed", "digest-matched")),
    honest("extended-pinned-uuid", extended("SELECT name, street FROM office.resident WHERE code = $1", resident_key(7)),
           expect=("attributed", "digest-matched", "unattributed")),
    hostile("extended-pinned-bool", parse("SELECT surname FROM office.person WHERE id = $1 OR $2", types=(INT4, 16)) + bind(int4(K(1)), "t")
            + describe("P") + execute() + sync()),
    hostile("extended-no-key-binary", extended("SELECT surname, address FROM office.person", binary=True)),
    hostile("extended-mispaired", extended("SELECT a.id, b.surname FROM office.person a, office.person b WHERE a.id = $1", str(K(1)), binary=True)),
    hostile("extended-whole-row-binary", extended("SELECT p FROM office.person p WHERE points = 2", binary=True)),
    # --- portals, pipelines ---
    honest("portal-max-rows", parse(LIST) + bind("3", portal="p") + describe("P", "p") + execute(10, "p") + execute(10, "p") + execute(0, "p") + sync()),
    honest("portal-in-transaction", "BEGIN", parse(LIST) + bind("3", portal="p") + sync(), execute(7, "p") + sync(), execute(7, "p") + sync(), "COMMIT"),
    honest("portal-suspended-then-closed", parse("SELECT id, surname FROM office.person") + bind(portal="p") + describe("P", "p") + execute(5, "p") + close("P", "p") + sync()),
    honest("portal-two-interleaved", "BEGIN", parse("SELECT id, surname FROM office.person ORDER BY id", "a")
           + parse("SELECT state, plate, holder FROM office.vehicle", "b") + bind(portal="p", name="a") + bind(portal="q", name="b")
           + execute(3, "p") + execute(4, "q") + execute(3, "p") + execute(4, "q") + sync(), "ROLLBACK"),
    hostile("portal-drip-without-key", "BEGIN", parse("SELECT surname FROM office.person") + bind(portal="p") + sync(),
            *(execute(1, "p") + sync() for _ in range(12)), "COMMIT"),
    hostile("portal-formats-change", parse("SELECT id, surname FROM office.person WHERE points = 3", "s") + describe("S", "s")
            + bind(portal="p", name="s", formats=(0,)) + bind(portal="q", name="s", formats=(1,)) + execute(0, "q") + execute(0, "p") + sync()),
    honest("pipeline-three", parse("SELECT id, surname FROM office.person WHERE id = $1", "s") + bind(str(K(1)), name="s") + execute()
           + bind(str(K(2)), name="s") + execute() + bind(str(K(3)), name="s") + execute() + sync()),
    honest("pipeline-with-syncs", extended("SELECT id, surname FROM office.person WHERE id = 1007") + extended("SELECT code FROM office.district")
           + extended("SELECT id, address FROM office.person WHERE points = 9") + query("SELECT 1")),
    honest("pipeline-error-in-middle", extended("SELECT id, surname FROM office.person WHERE points = 9")
           + parse("SELECT nothing FROM office.person") + bind() + execute() + parse("SELECT id, surname FROM office.person") + bind() + execute() + sync()
           + extended("SELECT id, surname FROM office.person WHERE points = 10")),
    hostile("pipeline-error-shifts", parse("SELECT id, surname FROM office.person WHERE points = 1", "s") + describe("S", "s") + sync()
            + parse("broken", "t") + bind(name="s") + execute() + sync() + parse("SELECT points, surname FROM office.person", "s2")
            + bind(name="s2") + execute() + sync()),
    honest("pipeline-flush", parse(LIST) + bind("4") + describe("P") + flush() + execute() + flush() + sync()),
    honest("queries-in-a-row", query("SELECT 1") + query("SELECT id, surname FROM office.person WHERE points = 2") + query("SELECT code FROM office.district")),
    honest("multi-statement", "SELECT id, surname FROM office.person WHERE points = 1; SELECT code FROM office.district; SELECT id, given FROM office.person WHERE points = 2"),
    hostile("multi-statement-hides", f"SELECT id, surname FROM office.person WHERE id = {K(1)}; SELECT surname FROM office.person; SELECT 1"),
    hostile("multi-statement-error-after", "SELECT surname FROM office.person; SELECT 1/0"),
    hostile("multi-set-search-path", "SET search_path = office; SELECT surname FROM person"),
    # --- prepared by SQL ---
    honest("prepare-execute", "PREPARE q(int) AS SELECT id, surname FROM office.person WHERE id = $1", f"EXECUTE q({K(8)})"),
    honest("prepare-execute-again", "PREPARE q(int) AS SELECT id, surname FROM office.person WHERE points = $1", "EXECUTE q(1)", "EXECUTE q(2)", "DEALLOCATE q"),
    hostile("prepare-hides-mispairing", f"PREPARE q AS SELECT a.id, b.surname FROM office.person a, office.person b WHERE a.id = {K(1)}", "EXECUTE q"),
    hostile("prepare-hides-no-key", "PREPARE q AS SELECT surname FROM office.person", "EXECUTE q"),
    hostile("prepare-hides-agg", "PREPARE q AS SELECT string_agg(surname, ',') FROM office.person", "EXECUTE q"),
    hostile("prepare-extended-execute-sql", parse("SELECT string_agg(surname, ',') FROM office.person", "z") + sync(), "EXECUTE z"),
    hostile("prepare-sql-bind-extended", "PREPARE z AS SELECT string_agg(address, ',') FROM office.person", bind(name="z") + execute() + sync()),
    hostile("prepare-explain-execute", "PREPARE z AS SELECT string_agg(address, ',') FROM office.person", "EXPLAIN ANALYZE EXECUTE z"),
    # --- COPY ---
    honest("copy-text", "COPY office.person (id, surname, address) TO STDOUT"),
    honest("copy-all-columns", "COPY office.person TO STDOUT"),
    honest("copy-csv", "COPY office.person (id, surname) TO STDOUT (FORMAT csv, HEADER)"),
    honest("copy-csv-quoted", "COPY office.person (surname, id, notes) TO STDOUT WITH (FORMAT csv, FORCE_QUOTE *, DELIMITER ';', NULL 'none')"),
    honest("copy-binary", "COPY office.person (id, surname, given) TO STDOUT (FORMAT binary)"),
    honest("copy-old-syntax", "COPY office.person (id, surname) TO STDOUT CSV HEADER DELIMITER AS ','"),
    honest("copy-query", "COPY (SELECT id, surname FROM office.person WHERE points = 3) TO STDOUT"),
    honest("copy-query-csv", "COPY (SELECT address, id FROM office.person WHERE points = 4) TO STDOUT (FORMAT csv)"),
    honest("copy-query-binary", "COPY (SELECT id, surname FROM office.person ORDER BY id LIMIT 40) TO STDOUT (FORMAT binary)"),
    honest("copy-query-join", "COPY (SELECT p.id, p.surname, v.state, v.plate FROM office.person p JOIN office.vehicle v ON v.owner = p.id) TO STDOUT"),
    honest("copy-composite", "COPY office.vehicle TO STDOUT"),
    honest("copy-partition", "COPY office.matter_south_1 TO STDOUT"),
    honest("copy-partitioned-query", "COPY (SELECT * FROM office.matter) TO STDOUT"),
    honest("copy-quoted", 'COPY office."Pupil List" ("Pupil No", "Full Name") TO STDOUT'),
    honest("copy-extended", extended("COPY office.person (id, surname) TO STDOUT")),
    honest("copy-free", "COPY office.district TO STDOUT", expect="free"),
    honest("copy-child", "COPY office.resident_abroad TO STDOUT"),
    honest("copy-export", "COPY office.person TO STDOUT", account="exporter"),
    honest("copy-view", "COPY (SELECT * FROM office.v_person) TO STDOUT"),
    hostile("copy-without-key", "COPY office.person (surname, address) TO STDOUT"),
    hostile("copy-query-without-key", "COPY (SELECT surname FROM office.person) TO STDOUT"),
    hostile("copy-query-mispaired", f"COPY (SELECT a.id, b.surname FROM office.person a, office.person b WHERE a.id = {K(1)}) TO STDOUT"),
    hostile("copy-query-agg", "COPY (SELECT string_agg(surname, ',') FROM office.person) TO STDOUT"),
    hostile("copy-query-set", "COPY (SELECT id, surname FROM office.person UNION ALL SELECT id, surname FROM office.person) TO STDOUT"),
    hostile("copy-query-returning", "BEGIN", "COPY (UPDATE office.person SET points = points RETURNING surname, id) TO STDOUT", "ROLLBACK"),
    hostile("copy-odd-delimiter", "COPY office.person (surname, id) TO STDOUT (DELIMITER 'x')", expect=("attributed", "unattributed", "refused", "error")),
    hostile("copy-odd-null", "COPY office.person (notes, id) TO STDOUT (NULL 'N')"),
    hostile("copy-csv-key-as-text", "COPY (SELECT id::text || '' , surname FROM office.person) TO STDOUT (FORMAT csv)"),
    hostile("copy-comment-columns", "COPY office.person /* (id, */ (surname, /* ) */ tax) TO STDOUT"),
    hostile("copy-encoding", "COPY (SELECT surname, id FROM office.person) TO STDOUT (ENCODING 'LATIN1')"),
    hostile("copy-to-program", "COPY office.person TO PROGRAM 'cat > /dev/null'", account="boss", expect="refused"),
    hostile("copy-to-file", "COPY office.person TO '/tmp/muniment-corpus-must-not-exist'", account="boss", expect="refused"),
    hostile("copy-from-program", "CREATE TEMP TABLE t (x text)", "COPY t FROM PROGRAM 'echo x'", account="boss", expect="refused"),
    honest("copy-in", "CREATE TEMP TABLE incoming (id int, name text)", copy_in("COPY incoming FROM STDIN", b"1\ta\n2\tb\n"), expect="free"),
    hostile("copy-in-error-text", "CREATE TEMP TABLE t (x integer)", copy_in("COPY t FROM STDIN", b"7\nnot a number\n"), expect=("free", "error", "refused")),
    # --- cursors ---
    honest("cursor", "BEGIN", "DECLARE c CURSOR FOR SELECT id, surname FROM office.person ORDER BY id", "FETCH 5 FROM c", "FETCH 5 FROM c", "CLOSE c", "COMMIT"),
    honest("cursor-all", "BEGIN", "DECLARE c CURSOR FOR SELECT id, surname FROM office.person WHERE points = 3", "FETCH ALL FROM c", "COMMIT"),
    honest("cursor-scroll", "BEGIN", "DECLARE c SCROLL CURSOR FOR SELECT id, surname FROM office.person", "FETCH 3 c", "MOVE 10 c", "FETCH BACKWARD 4 c", "FETCH LAST c", "COMMIT"),
    honest("cursor-with-hold", "BEGIN", "DECLARE h CURSOR WITH HOLD FOR SELECT id, surname FROM office.person WHERE points = 4", "COMMIT", "FETCH 20 FROM h", "CLOSE h"),
    honest("cursor-binary", "BEGIN", "DECLARE b BINARY CURSOR FOR SELECT id, surname FROM office.person", "FETCH 9 FROM b", "COMMIT"),
    honest("cursor-extended-declare", "BEGIN", extended("DECLARE c CURSOR FOR SELECT id, given FROM office.person WHERE points = $1", "5"), "FETCH ALL c", "COMMIT"),
    honest("cursor-quoted-name", "BEGIN", 'DECLARE "My Cursor" CURSOR FOR SELECT id, surname FROM office.person', 'FETCH 6 FROM "My Cursor"', "COMMIT"),
    honest("cursor-fetch-extended", "BEGIN", "DECLARE c CURSOR FOR SELECT id, surname FROM office.person", extended("FETCH 4 FROM c", binary=True), "COMMIT"),
    hostile("cursor-without-key", "BEGIN", "DECLARE c CURSOR FOR SELECT surname FROM office.person", "FETCH 20 FROM c", "FETCH ALL FROM c", "COMMIT"),
    hostile("cursor-mispaired", "BEGIN", f"DECLARE c CURSOR FOR SELECT a.id, b.surname FROM office.person a, office.person b WHERE a.id = {K(1)}", "FETCH ALL FROM c", "COMMIT"),
    hostile("cursor-mispaired-hold", "BEGIN", f"DECLARE c CURSOR WITH HOLD FOR SELECT a.id, b.surname FROM office.person a, office.person b WHERE a.id = {K(1)}", "COMMIT", "DISCARD PLANS", "FETCH ALL FROM c"),
    hostile("cursor-name-used-again", "BEGIN", "DECLARE c CURSOR FOR SELECT id, surname FROM office.person WHERE points = 1", "CLOSE c",
            f"DECLARE c CURSOR FOR SELECT a.id, b.surname FROM office.person a, office.person b WHERE a.id = {K(1)}", "FETCH ALL FROM c", "COMMIT"),
    hostile("cursor-by-function", "BEGIN", "SELECT office.cursor_of(50)", "FETCH ALL FROM given", "COMMIT"),
    hostile("cursor-case-name", "BEGIN", f"DECLARE C CURSOR FOR SELECT a.id, b.surname FROM office.person a, office.person b WHERE a.id = {K(1)}", "FETCH 40 FROM c", "COMMIT"),
    hostile("cursor-portal-fetch", "BEGIN", parse(f"SELECT a.id, b.surname FROM office.person a, office.person b WHERE a.id = {K(1)}") + bind(portal="pp") + sync(), "FETCH ALL FROM pp", "COMMIT"),
    hostile("cursor-savepoint", "BEGIN", "DECLARE c CURSOR FOR SELECT id, surname FROM office.person WHERE points = 1", "SAVEPOINT s", "CLOSE c",
            f"DECLARE c CURSOR FOR SELECT a.id, b.surname FROM office.person a, office.person b WHERE a.id = {K(1)}", "FETCH 30 FROM c", "ROLLBACK TO s", "COMMIT"),
    # --- not a statement ---
    hostile("function-call", function_call(177, b"1", b"2"), expect=("refused", "error"), ends=True),
    hostile("unknown-message", message(b"y", b"") + sync(), expect=("refused", "error"), ends=True),
)  # fmt: skip
