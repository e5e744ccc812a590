"""Messages of PostgreSQL that may be told in words, by their whole form: what no form fits is withheld whole.

A form is the English text of one message (sources up to 18). `%` and `$` stand for a part that is judged by itself,
`%` for one without a quote in it, `$` for any text, and `#` for one that is withheld always. A form has three parts at
most, and its words are fixed: nothing else can be said through it.

No looser rule will do, such as one about quotes: `operator does not exist: ...` and others end in a value without any.
Messages in other languages fit no form. A client cannot choose theirs, and nor can the gate (`lc_messages` belongs to
superusers): ALTER ROLE ... SET lc_messages = 'C' for guarded accounts, else their errors are told by code alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

WITHHELD: Final = "[withheld]"

_TYPES: Final = """
smallint|integer|bigint|numeric|real|double precision|money|boolean|text|character|character varying|name|"char"|bytea
date|time|timestamp|interval|time with time zone|time without time zone|timestamp with time zone
timestamp without time zone|uuid|json|jsonb|jsonpath|xml|inet|cidr|macaddr|macaddr8|bit|bit varying|point|line|lseg|box
path|polygon|circle|oid|xid|xid8|cid|tid|pg_lsn|tsvector|tsquery
"""
_COMMANDS: Final = """
SET LOCAL|SET TRANSACTION|SAVEPOINT|ROLLBACK TO SAVEPOINT|RELEASE SAVEPOINT|DECLARE CURSOR|LOCK TABLE|BEGIN|COMMIT
ROLLBACK|VACUUM|ANALYZE|CREATE DATABASE|DROP DATABASE|CREATE TABLESPACE|CREATE INDEX CONCURRENTLY|REINDEX CONCURRENTLY
DROP INDEX CONCURRENTLY|ALTER SYSTEM|CLUSTER|INSERT|UPDATE|DELETE|MERGE|SELECT FOR UPDATE|SELECT FOR SHARE|CREATE TABLE
DROP TABLE|ALTER TABLE|CREATE TABLE AS|TRUNCATE TABLE|COPY FROM|CREATE FUNCTION|GRANT|REVOKE|LISTEN|NOTIFY|nextval()
DISCARD ALL|COMMIT PREPARED|ROLLBACK PREPARED|CREATE VIEW|DROP VIEW|CREATE INDEX
"""

_FORMS: Final = r"""
division by zero
smallint out of range
integer out of range
bigint out of range
value out of range: overflow
value out of range: underflow
numeric field overflow
value "$" is out of range for type <type>
invalid input syntax for type <type>
invalid input syntax for type <type>: "$"
invalid input value for enum %: "$"
value too long for type <type>(#)
bit string length # does not match type bit(#)
malformed array literal: "$"
malformed record literal: "$"
malformed range literal: "$"
invalid value "$" for "%"
date/time field value out of range: "$"
date out of range
date out of range: "$"
timestamp out of range
timestamp out of range: "$"
interval out of range
time zone "$" not recognized
time zone displacement out of range: "$"
invalid byte sequence for encoding "%": #
character with byte sequence # in encoding "%" has no equivalent in encoding "%"
array subscript out of range
cannot take square root of a negative number
cannot take logarithm of zero
cannot take logarithm of a negative number
negative substring length not allowed
LIMIT must not be negative
OFFSET must not be negative
requested length too large
invalid memory alloc request size #
more than one row returned by a subquery used as an expression
duplicate key value violates unique constraint "%"
null value in column "%" of relation "%" violates not-null constraint
null value in column "%" violates not-null constraint
new row for relation "%" violates check constraint "%"
new row for relation "%" violates partition constraint
insert or update on table "%" violates foreign key constraint "%"
update or delete on table "%" violates foreign key constraint "%" on table "%"
update or delete on table "%" violates RESTRICT setting of foreign key constraint "%" on table "%"
conflicting key value violates exclusion constraint "%"
no partition of relation "%" found for row
value for domain % violates check constraint "%"
domain % does not allow null values
new row violates check option for view "%"
new row violates row-level security policy for table "%"
new row violates row-level security policy "%" for table "%"
ON CONFLICT DO UPDATE command cannot affect row a second time
permission denied for table %
permission denied for view %
permission denied for materialized view %
permission denied for schema %
permission denied for sequence %
permission denied for function %
permission denied to set role "$"
must be owner of table %
must be owner of view %
relation "$" does not exist
relation "$" already exists
relation "%" already exists, skipping
relation "%" does not exist, skipping
table "%" does not exist, skipping
schema "%" already exists, skipping
schema "$" does not exist
role "$" does not exist
type "$" does not exist
function "$" does not exist
unrecognized configuration parameter "$"
prepared statement "$" does not exist
prepared statement "$" already exists
unnamed prepared statement does not exist
portal "$" does not exist
portal "$" cannot be run
cursor "$" does not exist
cursor "$" already exists
savepoint "$" does not exist
cached plan must not change result type
cannot insert multiple commands into a prepared statement
bind message supplies # parameters, but prepared statement "$" requires #
could not obtain lock on relation "%"
could not obtain lock on row in relation "%"
deadlock detected
could not serialize access due to concurrent update
could not serialize access due to concurrent delete
could not serialize access due to read/write dependencies among transactions
current transaction is aborted, commands ignored until end of transaction block
there is no transaction in progress
there is already a transaction in progress
<command> can only be used in transaction blocks
<command> cannot run inside a transaction block
cannot execute <command> in a read-only transaction
canceling statement due to user request
canceling statement due to statement timeout
canceling statement due to lock timeout
canceling statement due to conflict with recovery
terminating connection due to administrator command
terminating connection due to conflict with recovery
terminating connection due to idle-in-transaction timeout
terminating connection due to idle-session timeout
terminating connection due to transaction timeout
terminating connection because of crash of another server process
the database system is shutting down
the database system is starting up
the database system is in recovery mode
sorry, too many clients already
remaining connection slots are reserved for roles with the SUPERUSER attribute
stack depth limit exceeded
out of memory
out of shared memory
missing data for column "%"
extra data after last expected column
unexpected EOF on client connection with an open transaction
COPY from stdin failed: $
"""
_PARTS: Final = {"%": '([^"]*)', "$": "(.*)"}


def _choice(words: str) -> str:
    return "(?:" + "|".join(re.escape(word) for line in words.split("\n") for word in line.split("|") if word) + ")"


_FIXED: Final = {"<type>": _choice(_TYPES), "<command>": _choice(_COMMANDS)}


def _pattern(form: str) -> re.Pattern[str]:
    pieces = []
    for number, piece in enumerate(re.split(r"([%$#]|<type>|<command>)", form)):
        never = f'(?P<never{number}>[^"]*)' if piece == "#" else ""
        pieces.append(never or _PARTS.get(piece) or _FIXED.get(piece) or re.escape(piece))
    return re.compile("".join(pieces), re.DOTALL)


PATTERNS: Final = tuple(map(_pattern, _FORMS.strip().splitlines()))


def told(message: str, may: Callable[[str], bool]) -> str:
    """`message` with the parts replaced for which `may` is false, or WITHHELD for one of no known form."""
    for pattern in PATTERNS:
        match = pattern.fullmatch(message)
        if match is not None:
            return _judged(message, match, may)
    return WITHHELD


def _judged(message: str, match: re.Match[str], may: Callable[[str], bool]) -> str:
    never = set(match.re.groupindex.values())
    parts, end = [], 0
    for number in range(1, match.re.groups + 1):
        kept = number not in never and may(match[number])
        parts += [message[end : match.start(number)], match[number] if kept else WITHHELD]
        end = match.end(number)
    return "".join([*parts, message[end:]])
