"""PostgreSQL as a source: what needs no server here, and the rest against a real one (marker `live`)."""

from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from muniment.errors import InputError, UnreachableError
from muniment.ingest.postgres import PostgresSource, duck_type, split_location
from muniment.ingest.sources import open_source
from muniment.limits import BATCH_ROWS

# --- without a server --------------------------------------------------------------------------------------------


def test_locations():
    assert split_location("postgresql://u@h:5/db/t") == ("postgresql://u@h:5/db", None, "t")
    assert split_location("postgresql://u@h/db/s.t?sslmode=require") == (
        "postgresql://u@h/db?sslmode=require", "s", "t"
    )
    assert split_location("postgres:///d%20b/t%20x?host=/run") == ("postgres:///d%20b?host=/run", None, "t x")


@pytest.mark.parametrize(
    "location",
    ["postgresql://u:SECRET@h/d/t", "postgresql://u@h/d/t?password=SECRET", "postgresql://u@h/d/t?sslpassword=SECRET"],
)
def test_a_password_is_refused_and_not_shown(location):
    with pytest.raises(InputError, match="would be stored and shown") as caught:
        open_source(location)
    assert "SECRET" not in str(caught.value) + caught.value.hint
    assert "PGPASSWORD" in caught.value.hint


@pytest.mark.parametrize("location", ["postgresql://u@h", "postgresql://u@h/d", "postgresql://u@h/d/s/t"])
def test_a_table_is_needed(location):
    with pytest.raises(InputError, match="expected a database and a table"):
        open_source(location)


def test_no_server():
    with pytest.raises(UnreachableError, match=r"^postgresql://u@127\.0\.0\.1:1/d/t: .*refused"):
        open_source("postgresql://u@127.0.0.1:1/d/t")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("integer", "INTEGER"),
        ("numeric(10,2)", "DECIMAL(10,2)"),
        ("numeric(50,2)", "VARCHAR"),
        ("numeric", "VARCHAR"),
        ("character varying(20)", "VARCHAR"),
        ("timestamp(3) without time zone", "TIMESTAMP"),
        ("timestamp with time zone", "TIMESTAMP WITH TIME ZONE"),
        ("integer[]", "VARCHAR"),
    ],
)
def test_types(kind, expected):
    assert duck_type(kind) == expected


# --- with one ----------------------------------------------------------------------------------------------------

SETUP = """
CREATE SCHEMA registers;
CREATE TABLE registers.people (
  b int, a int, d date, ts timestamp(3), tz timestamptz, x float8, r real, m numeric(10,2), bo boolean, t text, u uuid,
  raw bytea, PRIMARY KEY (a, b));
INSERT INTO registers.people VALUES
  (2, 1, '2020-01-02', '2020-01-02 03:04:05.5', '2020-01-02 03:04:05+08', 0.1, 0.1, 1.50, true,
   E'tab\\tline\\nend\\rback\\\\slash \\\\N', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff'),
  (1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '\\N', NULL, NULL),
  (1, 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL);
CREATE SEQUENCE registers.counter;
CREATE VIEW registers.names AS SELECT t, a FROM registers.people;
CREATE TABLE registers."We ird" ("Na ""me" text);
INSERT INTO registers."We ird" VALUES ('z'), (NULL), ('a');
CREATE TABLE registers.many AS SELECT n, 'v' || n AS v FROM generate_series(1, {many}) n;
CREATE TABLE registers.parted (n int, t text) PARTITION BY LIST (n);
CREATE TABLE registers.part_one PARTITION OF registers.parted FOR VALUES IN (1);
INSERT INTO registers.parted VALUES (1, 'x');
"""


@pytest.fixture(scope="module")
def server(postgres_url):
    """The location of a schema, up to the name of a table."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(SETUP.replace("{many}", str(BATCH_ROWS + 5)))
    parts = urlsplit(postgres_url)
    yield lambda table: urlunsplit((*parts[:2], f"{parts.path}/registers.{table}", *parts[3:]))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA registers CASCADE")


def rows(source, *args):
    return [row for table in source.batches(*args) for row in table.iter_rows()]


@pytest.mark.live
def test_values_become_text_in_the_order_of_the_key(server):
    source = open_source(server("people"))
    assert rows(source) == [
        ("1", "0", None, None, None, None, None, None, None, "\\N", None, None),
        (
            "2", "1", "2020-01-02", "2020-01-02 03:04:05.5", "2020-01-01 19:04:05+00", "0.1", "0.1", "1.50", "true",
            "tab\tline\nend\rback\\slash \\N", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "\\x00ff",
        ),
        ("1", "2", None, None, None, None, None, None, None, "", None, None),
    ]  # fmt: skip
    assert source.types["m"] == "DECIMAL(10,2)"
    assert source.types["raw"] == "VARCHAR"
    assert source.location == server("people")


@pytest.mark.live
def test_a_condition_sees_the_types_and_the_other_columns(server):
    assert rows(open_source(server("people")), ["a"], "t LIKE '%tab%' AND m > 1 -- one") == [("1",)]


@pytest.mark.live
def test_views_partitions_and_names_that_need_quotes(server):
    assert rows(open_source(server("names"))) == [("", "2"), ("\\N", "0"), ("tab\tline\nend\rback\\slash \\N", "1")]
    assert rows(open_source(server("parted"))) == [("1", "x")]
    assert rows(open_source(server("We%20ird"))) == [("z",), (None,), ("a",)]


@pytest.mark.live
def test_batches_are_bounded_and_the_same_twice(server):
    source = open_source(server("many"))
    tables = list(source.batches())
    assert [table.rows for table in tables] == [BATCH_ROWS, 5]
    assert tables == list(source.batches())


@pytest.mark.live
def test_a_pass_that_is_given_up_leaves_nothing_open(server, postgres_url):
    batches = open_source(server("many")).batches()
    next(batches)
    batches.close()
    with psycopg.connect(postgres_url) as connection:
        left = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'muniment' AND state = 'active'"
        ).fetchone()
    assert left == (0,)


@pytest.mark.live
@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("zz = 1", 'column "zz" does not exist; the columns are b, a'),
        ("a = (", "syntax error"),
        ("1=1); DROP VIEW registers.names; SELECT (1=1", "multiple commands"),
        ("1=1)) TO STDOUT; COMMIT; DROP VIEW registers.names; COPY (SELECT 1 WHERE (1=1", "syntax error"),
        ("a = 1 AND pg_terminate_backend(pg_backend_pid())", "terminat"),
    ],
)
def test_bad_conditions(server, where, message):
    with pytest.raises((InputError, UnreachableError), match=message):
        rows(open_source(server("people")), None, where)
    assert open_source(server("names")).columns == ("t", "a")


@pytest.mark.live
def test_a_cell_that_does_not_convert_is_not_quoted(server):
    with pytest.raises(InputError, match="SQLSTATE 22P02") as caught:
        rows(open_source(server("people")), None, "t::int > 1")
    assert "tab" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.live
def test_nothing_can_be_written(server):
    with pytest.raises(InputError, match="read-only"):
        rows(open_source(server("people")), None, "nextval('registers.counter') > 0")


@pytest.mark.live
def test_a_missing_table_or_column(server):
    with pytest.raises(InputError, match="no table or view 'nope'"):
        open_source(server("nope"))
    with pytest.raises(InputError, match="no column 'zz'"):
        rows(PostgresSource(server("many")), ["zz"])


@pytest.mark.live
def test_a_missing_database(postgres_url):
    parts = urlsplit(postgres_url)
    with pytest.raises(UnreachableError, match="does not exist"):
        open_source(urlunsplit((*parts[:2], "/nope/t", *parts[3:])))
