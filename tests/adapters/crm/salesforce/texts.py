"""Which texts do the tests of writing write, and how?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from connector.ports.crm_writing import RecordWrite, SMSFacts
from tests.adapters.crm.contract import NOON, a_text
from tests.adapters.crm.salesforce.conftest import CLIENT_ID, ORG, Salesforce


def an_sms(ref: str, contact_id: str, **changes: object) -> RecordWrite:
    """A text that is a record of its own as well."""
    facts = SMSFacts(
        is_inbound=False,
        state="delivered",
        body="Hello Maya",
        sender="+12025550111",
        recipient="+12025550143",
        segments=1,
        sent_at=NOON,
        delivered_at=NOON + timedelta(seconds=4),
    )
    return a_text(ref, contact_id, sms=facts, **changes)


def create(salesforce: Salesforce, *rows: RecordWrite) -> Sequence[str | None]:
    results = salesforce.crm.create(salesforce.account, rows)
    assert [each.error for each in results] == [None] * len(rows)
    return [each.crm_record_id for each in results]


def without_package(salesforce: Salesforce) -> None:
    """Take our package away; that ends the tokens, so the account gets others."""
    salesforce.world.uninstall_package(ORG)
    issued = salesforce.world.grant(ORG, client_id=CLIENT_ID)
    salesforce.grant(issued.access_token, issued.refresh_token)
