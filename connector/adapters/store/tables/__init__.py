"""Which tables does the ledger have?

Ids are UUIDv7 text made by us; every row carries its account. Columns ending in `_sealed` hold ciphertext of
`adapters.secrets`, bound to account and column. `lease_until` marks a row some worker is at; a lease that ran out
belongs to nobody.
"""

from __future__ import annotations

from connector.adapters.store.tables.api import api_key, callback_secret
from connector.adapters.store.tables.columns import metadata
from connector.adapters.store.tables.crm import account, contact, crm_record, external_event, poll
from connector.adapters.store.tables.gateways import (
    attempt_part,
    gateway_health,
    incoming_piece,
    number_lookup,
    route_tally,
    spending,
)
from connector.adapters.store.tables.imports import import_run, import_trouble
from connector.adapters.store.tables.installing import account_secret, cursor, erasure, install_attempt
from connector.adapters.store.tables.journeys import (
    LIVE_ENROLLMENT,
    effect,
    enrollment,
    journey_version,
    publication,
    timeline_entry,
)
from connector.adapters.store.tables.splits import answer_count, split_assignment, split_winner
from connector.adapters.store.tables.texting import (
    OPEN_MESSAGE,
    attempt,
    click,
    consent_event,
    message,
    short_link,
    suppression,
)
from connector.adapters.store.tables.workflows import workflow_call

__all__ = [
    "LIVE_ENROLLMENT",
    "OPEN_MESSAGE",
    "account",
    "account_secret",
    "answer_count",
    "api_key",
    "attempt",
    "attempt_part",
    "callback_secret",
    "click",
    "consent_event",
    "contact",
    "crm_record",
    "cursor",
    "effect",
    "enrollment",
    "erasure",
    "external_event",
    "gateway_health",
    "import_run",
    "import_trouble",
    "incoming_piece",
    "install_attempt",
    "journey_version",
    "message",
    "metadata",
    "number_lookup",
    "poll",
    "publication",
    "route_tally",
    "short_link",
    "spending",
    "split_assignment",
    "split_winner",
    "suppression",
    "timeline_entry",
    "workflow_call",
]
