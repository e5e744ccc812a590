"""Sigma rules over the OCSF export of the ledger: what a SIEM can find by itself, while watch finds the rest.

Rules
1. Sigma correlations (specification 2.0) count in a fixed time against a fixed number. They have no past, no calendar,
   no cases and no relations, and no false-alarm rate: each rule says so.
2. They read what `muniment ledger export --format ocsf` writes (class 6005). Accounts there are pseudonyms of that
   export: in one stream that is exported with one secret they group as names would.
3. No rule groups by record: who is read by many is a question about a person, and only watch asks it, sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from muniment.errors import InputError

_PSEUDONYMOUS: Final = ("actor.user.uid", "src_endpoint.name")
_NAMED: Final = ("actor.user.name", "src_endpoint.ip")
"""Account and device in the events of `ledger.export.ocsf`."""
_HEAD: Final = """\
# Sigma correlation rules for the OCSF export of a muniment ledger (Datastore Activity, class 6005).
# Fixed counts in a fixed time: no baseline, no calendar, no cases of your own, and no stated rate of false alarms.
# They find bulk. A few records a day, reads inside cases of others, and harvests along relatives they cannot find:
# that is what `muniment watch` is for. Tune the counts to your own quiet months before you let them wake anybody.
"""

_BASE: Final = """\
title: Records disclosed
id: 5a0f9a52-7a1e-4f0c-9d55-0a3c3f1f7b01
name: muniment_disclosed
status: stable
description: A disclosure of records that was handed out.
logsource:
    product: muniment
    service: ledger
detection:
    selection:
        class_uid: 6005
        status_id: 1
    condition: selection
level: informational
---
title: Records disclosed without a case
id: 5a0f9a52-7a1e-4f0c-9d55-0a3c3f1f7b02
name: muniment_without_case
status: stable
description: A disclosure of records that names no case.
logsource:
    product: muniment
    service: ledger
detection:
    selection:
        class_uid: 6005
        status_id: 1
        metadata.correlation_uid: null
    condition: selection
level: informational
---
title: Records asked for in vain
id: 5a0f9a52-7a1e-4f0c-9d55-0a3c3f1f7b03
name: muniment_refused
status: stable
description: A request that the gate refused or stopped.
logsource:
    product: muniment
    service: ledger
detection:
    selection:
        class_uid: 6005
        status_id:
            - 2
            - 99
    condition: selection
level: informational
---
title: A large disclosure at once
id: 5a0f9a52-7a1e-4f0c-9d55-0a3c3f1f7b04
name: muniment_bulk
status: stable
description: One disclosure of {bulk} records or more.
logsource:
    product: muniment
    service: ledger
detection:
    selection:
        class_uid: 6005
        status_id: 1
        unmapped.muniment.records|gte: {bulk}
    condition: selection
falsepositives:
    - Lawful mass work, such as a mailing or a yearly list
level: medium
"""

_CORRELATION: Final = """\
---
title: {title}
id: {id}
status: stable
description: {description}
correlation:
    type: {type}
    rules:
        - {rule}
    group-by:
        - {group}
    timespan: {timespan}
    condition:
        {condition}
falsepositives:
    - {innocent}
level: {level}
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """The fixed numbers. `bulk`: records of one disclosure; `day`: disclosures of an account in a day; `without_case`:
    those without a case; `cases`: distinct cases of an account in a day; `refused`: in an hour; `accounts`: distinct
    accounts from one device in a day."""

    bulk: int = 500
    day: int = 300
    without_case: int = 40
    cases: int = 120
    refused: int = 20
    accounts: int = 4


def rules(counts: Counts | None = None, *, staff_named: bool = False) -> str:
    """All rules as one YAML text of several documents. Raises `InputError` for a count below 2.

    `staff_named`: whether the export names staff and devices; they stand in other fields then.
    """
    counts = counts or Counts()
    for name in ("bulk", "day", "without_case", "cases", "refused", "accounts"):
        if getattr(counts, name) < 2:
            raise InputError(f"sigma: {name} is {getattr(counts, name)}; expected 2 or more")
    correlations = (_CORRELATION.format(**one) for one in _correlations(counts, staff_named))
    return _HEAD + _BASE.format(bulk=counts.bulk) + "".join(correlations)


def _correlations(counts: Counts, staff_named: bool) -> tuple[dict[str, str], ...]:
    account, device = _NAMED if staff_named else _PSEUDONYMOUS
    return (
        {
            "title": "Many disclosures to one account in a day", "id": "5a0f9a52-7a1e-4f0c-9d55-0a3c3f1f7b11",
            "description": f"{counts.day} disclosures or more to one account within a day.",
            "type": "event_count", "rule": "muniment_disclosed", "group": account, "timespan": "1d",
            "condition": f"gte: {counts.day}", "innocent": "Mass work, a counter on a busy day", "level": "medium",
        },
        {
            "title": "Many disclosures without a case in a day", "id": "5a0f9a52-7a1e-4f0c-9d55-0a3c3f1f7b12",
            "description": f"{counts.without_case} disclosures or more that name no case, to one account within a day.",
            "type": "event_count", "rule": "muniment_without_case", "group": account, "timespan": "1d",
            "condition": f"gte: {counts.without_case}", "innocent": "Cases that are recorded after the read",
            "level": "medium",
        },
        {
            "title": "Many different cases by one account in a day", "id": "5a0f9a52-7a1e-4f0c-9d55-0a3c3f1f7b13",
            "description": f"One account names {counts.cases} different cases or more within a day.",
            "type": "value_count", "rule": "muniment_disclosed", "group": account, "timespan": "1d",
            "condition": f"field: metadata.correlation_uid\n        gte: {counts.cases}",
            "innocent": "A registry that opens the cases of others", "level": "low",
        },
        {
            "title": "Many refused requests in an hour", "id": "5a0f9a52-7a1e-4f0c-9d55-0a3c3f1f7b14",
            "description": f"{counts.refused} refused or stopped requests or more by one account within an hour.",
            "type": "event_count", "rule": "muniment_refused", "group": account, "timespan": "1h",
            "condition": f"gte: {counts.refused}", "innocent": "A program with a wrong query", "level": "medium",
        },
        {
            "title": "Many accounts on one device in a day", "id": "5a0f9a52-7a1e-4f0c-9d55-0a3c3f1f7b15",
            "description": f"{counts.accounts} different accounts or more from one device within a day.",
            "type": "value_count", "rule": "muniment_disclosed", "group": device, "timespan": "1d",
            "condition": f"field: {account}\n        gte: {counts.accounts}",
            "innocent": "A shared counter, a terminal server, an address behind which many stand", "level": "low",
        },
    )  # fmt: skip
