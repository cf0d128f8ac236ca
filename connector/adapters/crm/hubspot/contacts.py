"""What does a HubSpot contact tell us about the person we text?

Property names: knowledge.hubspot.com, "HubSpot's default contact properties". Ours: `properties.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.adapters.crm.hubspot.batch_results import BatchRow, results
from connector.adapters.crm.hubspot.batches import batched, fitting
from connector.adapters.crm.hubspot.phones import (
    DEFAULT,
    chosen_phones,
    names_to_read,
    number_filters,
    phone_properties,
    typed_numbers,
)
from connector.adapters.crm.hubspot.portal_facts import PortalFacts
from connector.adapters.crm.hubspot.properties import OPTED_OUT
from connector.adapters.crm.hubspot.records import PortalRecords, Properties
from connector.adapters.crm.people import by_value
from connector.adapters.crm.places import country_code, iana_zone
from connector.domain.event import ContactSnapshot
from connector.domain.locales import normalise_locale
from connector.domain.msisdn import normalise
from connector.domain.opt_out_fields import OptOutField, opt_out_fields
from connector.errors import CRMAmbiguousError, InvalidNumberError
from connector.ports.crm import OPTED_IN_AT, ContactFields, CRMAccount, SearchFilter

_MOST_GROUPS = 5  # of filters in one search, of which a record has to meet one
_COUNTRIES = ("hs_country_region_code", "country", "hs_calculated_mobile_number_region_code")
_MERGED = "hs_merged_object_ids"
_READ = (
    *_COUNTRIES,
    "firstname", "lastname", "email", "hubspot_owner_id", "hs_language", "hs_timezone",
    _MERGED, OPTED_OUT, OPTED_IN_AT,
)  # fmt: skip
_MODIFIED = "lastmodifieddate"


@dataclass(frozen=True, slots=True)
class PortalContacts:
    """Reads contacts and finds them by number."""

    records: PortalRecords
    facts: PortalFacts

    def read(
        self, account: CRMAccount, ids: Sequence[str], attributes: Mapping[str, str]
    ) -> dict[str, ContactSnapshot]:
        """Read contacts by id. An id that was merged away gives the contact it became, under the id asked for."""
        phones, theirs = phone_properties(account.settings), opt_out_fields(account.settings, "contact")
        read = [*names_to_read(phones), *_READ]
        names = tuple(dict.fromkeys([*read, *attributes.values(), *(each.property_name for each in theirs)]))
        held = self.records.read(account, "contact", ids, names)
        for crm_id, properties in list(held.items()):
            for merged in filter(None, (properties[_MERGED] or "").split(";")):
                held.setdefault(merged, {**properties, "hs_object_id": crm_id})
        return {each: _snapshot(each, held[each], attributes, phones, theirs) for each in ids if each in held}

    def find_by_number(self, account: CRMAccount, e164: str) -> list[str]:
        """Find every contact with this number in one of its phone properties, the one changed last first.

        The search keys hold digits without the country code, so they find too many; what was found is read again
        and compared as E.164.
        """
        phones = self._present(account)
        names = (*names_to_read(phones), *_COUNTRIES, _MODIFIED)
        default = str(account.settings.get("default_region") or "")
        found: dict[str, str] = {}
        for some in batched([[each] for each in number_filters(e164, phones)], _MOST_GROUPS):
            for crm_id, each in self.records.search(account, "contact", some, names):
                if e164 in _numbers(each, phones, default):
                    found[crm_id] = each.get(_MODIFIED) or ""
        return sorted(found, key=lambda crm_id: found[crm_id], reverse=True)

    def find_by_email(self, account: CRMAccount, emails: Sequence[str], name: str) -> dict[str, list[str]]:
        """Find contacts by e-mail address; see the port."""
        found = [
            row
            for some in fitting([each.lower() for each in emails])
            for row in self.records.search(
                account, "contact", [[SearchFilter(name, "IN", tuple(some))]], (name, _MODIFIED)
            )
        ]
        return by_value(found, name, _MODIFIED)

    def create(self, account: CRMAccount, e164: str, ref: str) -> str:
        """Give the contact with a number; make one where none is found. See the port."""
        found = self.find_by_number(account, e164)
        if found:
            return found[0]
        phone = next(iter(self._present(account)), DEFAULT[0])
        row = BatchRow(ref, {"properties": {phone: e164}, "associations": [], "objectWriteTraceId": ref})
        what, body = "create a contact", {"inputs": [row.wire]}
        answer = self.records.calls.make(
            account, what, lambda api: api.batches.create("contacts", body), is_repeatable=False
        )
        made = results(what, [row], answer, is_repeatable=False)[ref]
        if made.error is not None or made.crm_record_id is None:
            raise made.error or CRMAmbiguousError(f"{what}: HubSpot's answer names no contact")
        return made.crm_record_id

    def _present(self, account: CRMAccount) -> tuple[str, ...]:
        """Give the phone properties the portal has: HubSpot refuses a whole search for one that was taken away."""
        chosen = chosen_phones(account.settings)
        if not chosen:
            return DEFAULT
        known = self.facts.contact_properties(account, chosen)
        return tuple(name for name in chosen if name in known)


def contact_fields(account: CRMAccount) -> ContactFields:
    """Give the properties of contacts that hold numbers and opt-outs; see the port."""
    ours = OptOutField("contact", OPTED_OUT)
    return ContactFields(
        frozenset(phone_properties(account.settings)), (ours, *opt_out_fields(account.settings, "contact"))
    )


def _snapshot(
    crm_id: str, held: Properties, attributes: Mapping[str, str], phones: Sequence[str], fields: Sequence[OptOutField]
) -> ContactSnapshot:
    opted_out_by = next((each.property_name for each in fields if each.says_so(held[each.property_name])), "")
    opted_out = held[OPTED_OUT] == "true" or bool(opted_out_by)
    opted_in_at = _moment(held[OPTED_IN_AT])
    return ContactSnapshot(
        crm_id=held.get("hs_object_id") or crm_id,
        phones=tuple(typed_numbers(held, phones)),
        locale=normalise_locale(held["hs_language"] or ""),
        time_zone=iana_zone(held["hs_timezone"]),
        country=_country(held),
        owner_id=held["hubspot_owner_id"],
        attributes=_named(held) | {ours: held[theirs] for ours, theirs in attributes.items()},
        opted_out=opted_out,
        opted_out_by=opted_out_by,
        opted_in=opted_in_at is not None and not opted_out,
        opted_in_at=opted_in_at,
        opted_in_property=OPTED_IN_AT,
    )


def _moment(text: str | None) -> datetime | None:
    """Read a time as HubSpot writes it; None for anything that does not say in which zone it is."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _named(held: Properties) -> dict[str, str | None]:
    """The attributes every contact has, whatever the mapping reads."""
    name = " ".join(part for part in (held["firstname"], held["lastname"]) if part)
    return {
        "name": name or held["email"],
        "first_name": held["firstname"],
        "last_name": held["lastname"],
        "email": held["email"],
    }


def _country(held: Properties) -> str | None:
    return next((code for name in _COUNTRIES if (code := country_code(held[name]))), None)


def _numbers(held: Properties, phones: Sequence[str], default_region: str) -> set[str]:
    regions = [region for region in (_country(held), default_region) if region]
    numbers = set()
    for text, _ in typed_numbers(held, phones):
        try:
            numbers.add(normalise(text, regions).e164)
        except InvalidNumberError:
            continue
    return numbers
