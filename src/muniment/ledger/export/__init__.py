"""Disclosures of the ledger in the forms that others read. Pure: entries in, lines of text out.

    entry   `Entry`, one disclosure with its number and time; `View`, how staff and records are named
    ocsf    OCSF 1.8 Datastore Activity (class 6005), one JSON object a line
    fhir    FHIR R4B AuditEvent in the shape of IHE BALP PrivacyDisclosure.Source, one resource a line
    csv     one row a disclosure, for spreadsheets

Rules: no record key is ever in the ledger, so none can be exported: records are counts and keyed references. Staff are
pseudonymous unless the view says otherwise (CJEU C-579/21: the recipient is told, the employee only where essential).
Disclosures that an order withholds (`suspensions`) are for the caller to leave out.
"""

from muniment.ledger.export.entry import Entry, View

__all__ = ["Entry", "View"]
