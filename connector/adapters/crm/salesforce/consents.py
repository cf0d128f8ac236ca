"""How is an opt-out told to the consent objects of organisations that keep them?

*Data Protection and Privacy* gives every contact or lead an `Individual`; what that one agreed to stands in
`ContactPointTypeConsent`. There is no channel for texts, so the phone's is used, under a name of ours
(developer.salesforce.com, ContactPointTypeConsent). Only what was asked for by the account setting
`salesforce_consent_objects` is written; the flag on the contact is what counts, and our ledger before it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.adapters.crm.salesforce.collections import Collections, Row
from connector.adapters.crm.salesforce.fields import OrgFields, timestamp
from connector.adapters.crm.salesforce.ids import full_id, is_id, person_of, short
from connector.adapters.crm.salesforce.records import OrgRecords
from connector.adapters.crm.salesforce.soql import batched, compares, is_in, select
from connector.errors import CRMAmbiguousError, CRMRefusedError
from connector.ports.crm import CRMAccount

log = logging.getLogger(__name__)

CONSENT = "ContactPointTypeConsent"
CONSENT_SETTING = "salesforce_consent_objects"
"""Names the account's setting that has them written."""

_NAME = "SMS"


@dataclass(frozen=True, slots=True)
class OrgConsents:
    """Writes consent records."""

    records: OrgRecords
    collections: Collections
    fields: OrgFields

    def tell(
        self, account: CRMAccount, contact_ids: Sequence[str], *, opted_out: bool, at: datetime, source: str
    ) -> None:
        """Write what people decided; one record per person, found again by its name.

        Who has no `Individual` is left out, and a refusal is logged: neither undoes the flag on the contact.

        Raises:
            CRMUnavailableError: the whole can be done again later.
        """
        known = self.fields.of(account, CONSENT)
        parties = self._parties(account, contact_ids) if known else []
        if not parties:
            return
        there = self._there(account, parties)
        said: dict[str, Any] = {
            "PrivacyConsentStatus": "OptOut" if opted_out else "Seen",  # lifting an opt-out is no opt-in
            "CaptureDate": timestamp(at),
            "CaptureSource": source,
            "CaptureContactPointType": "Phone",
            "EffectiveFrom": timestamp(at),
        }
        said = {name: known[name].cut(value) for name, value in said.items() if name in known}
        fresh = {"Name": _NAME, "ContactPointType": "Phone"}
        old = [Row(each, CONSENT, {"Id": there[short(each)], **said}) for each in parties if short(each) in there]
        new = [Row(each, CONSENT, {**fresh, "PartyId": each, **said}) for each in parties if short(each) not in there]
        try:
            found = self.collections.update(account, "write consents", old)
            found |= self.collections.create(account, "write consents", new)
        except (CRMRefusedError, CRMAmbiguousError) as error:
            log.warning("account %s: consent objects were not written: %s", account.account_id, error)
            return
        for reason in {str(result.error) for result in found.values() if result.error is not None}:
            log.warning("account %s: a consent object was not written: %s", account.account_id, reason)

    def _parties(self, account: CRMAccount, contact_ids: Sequence[str]) -> list[str]:
        """Give the `Individual` behind each contact or lead that has one."""
        parties: dict[str, None] = {}
        for api_name in dict.fromkeys(map(person_of, contact_ids)):
            some = [each for each in contact_ids if person_of(each) == api_name and is_id(each)]
            people = self.records.read_object(account, api_name, some, ["IndividualId"])
            parties |= {
                full_id(str(each["IndividualId"])): None for each in people.values() if each.get("IndividualId")
            }
        return list(parties)

    def _there(self, account: CRMAccount, parties: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for some in batched(sorted(parties)):
            where = [is_in("PartyId", some), compares("Name", "=", _NAME), compares("ContactPointType", "=", "Phone")]
            soql = select(("PartyId",), CONSENT, where, order="Id")
            for each in self.records.calls.query(account, "read consents", soql):
                found.setdefault(short(str(each["PartyId"])), str(each["Id"]))
        return found
