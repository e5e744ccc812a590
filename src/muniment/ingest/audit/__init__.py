"""Audit logs that keepers already have -> readings: who received what, when, as far as the log can tell.

    reader      `read_audit(stream, source)`: the one door; strict or skipping, with a summary at the end
    reading     the values that come out: `Reading`, and the disclosure that a reading becomes
    tally       what was read, refused and left open: `Summary`, `Question`, `Policy`
    csvlog      PostgreSQL csvlog     jsonlog   PostgreSQL jsonlog     fhir    FHIR AuditEvent, IHE BALP
    ocsf        OCSF 6005             plain     any CSV, by a mapping
    postgres    what both PostgreSQL logs share: pgaudit lines, sessions, errors
    relations   which relation of a database is which register, and its key columns
    statement   SQL text -> the keys it asks for, if that is beyond doubt; tokens: its words
    lines       bounded lines and JSON values         records   bounded CSV records        times   time stamps

Data flow: stream -> source (one file each) -> readings, checked and counted by the reader. Rules: nothing is guessed -
a record key is taken from a statement only where the statement can give no other record; a malformed line is counted
with its number and a reason, never with what stood in it; memory is bounded by one line.
"""

from muniment.ingest.audit.csvlog import CsvLog
from muniment.ingest.audit.fhir import FhirAudit
from muniment.ingest.audit.jsonlog import JsonLog
from muniment.ingest.audit.ocsf import OcsfAudit
from muniment.ingest.audit.plain import PlainAudit, PlainMapping
from muniment.ingest.audit.reader import AuditReader, AuditSource, read_audit
from muniment.ingest.audit.reading import Reading
from muniment.ingest.audit.relations import KeyForm, Relation, Relations
from muniment.ingest.audit.tally import Fault, Policy, Question, Summary

__all__ = [
    "AuditReader",
    "AuditSource",
    "CsvLog",
    "Fault",
    "FhirAudit",
    "JsonLog",
    "KeyForm",
    "OcsfAudit",
    "PlainAudit",
    "PlainMapping",
    "Policy",
    "Question",
    "Reading",
    "Relation",
    "Relations",
    "Summary",
    "read_audit",
]
