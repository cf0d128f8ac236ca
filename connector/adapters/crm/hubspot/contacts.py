"""What does a HubSpot contact tell us about the person we text?

Property names: knowledge.hubspot.com, "HubSpot's default contact properties". Ours: `properties.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import phonenumbers
from phonenumbers import PhoneNumberFormat

from connector.adapters.crm.hubspot.batch_results import BatchRow, results
from connector.adapters.crm.hubspot.properties import OPTED_OUT
from connector.adapters.crm.hubspot.records import PortalRecords, Properties
from connector.adapters.crm.places import country_code, iana_zone
from connector.domain.event import ContactSnapshot
from connector.domain.locales import normalise_locale
from connector.domain.msisdn import normalise
from connector.domain.opt_out_fields import OptOutField, opt_out_fields
from connector.errors import CRMAmbiguousError, InvalidNumberError
from connector.ports.crm import OPTED_IN_AT, ContactFields, CRMAccount, SearchFilter

# As typed, with HubSpot's reading of it in international format; mobile first.
_PHONES = (
    ("mobilephone", "hs_calculated_mobile_number"),
    ("phone", "hs_calculated_phone_number"),
)
_COUNTRIES = ("hs_country_region_code", "country", "hs_calculated_mobile_number_region_code")
_MERGED = "hs_merged_object_ids"
_READ = (
    *(name for pair in _PHONES for name in pair),
    *_COUNTRIES,
    "firstname", "lastname", "email", "hubspot_owner_id", "hs_language", "hs_timezone",
    _MERGED, OPTED_OUT, OPTED_IN_AT,
)  # fmt: skip
_MODIFIED = "lastmodifieddate"
_SEARCHED = ("hs_searchable_calculated_mobile_number", "hs_searchable_calculated_phone_number")


@dataclass(frozen=True, slots=True)
class PortalContacts:
    """Reads contacts and finds them by number."""

    records: PortalRecords

    def read(
        self, account: CRMAccount, ids: Sequence[str], attributes: Mapping[str, str]
    ) -> dict[str, ContactSnapshot]:
        """Read contacts by id. An id that was merged away gives the contact it became, under the id asked for."""
        theirs = opt_out_fields(account.settings, "contact")
        names = tuple(dict.fromkeys([*_READ, *attributes.values(), *(each.property_name for each in theirs)]))
        held = self.records.read(account, "contact", ids, names)
        for crm_id, properties in list(held.items()):
            for merged in filter(None, (properties[_MERGED] or "").split(";")):
                held.setdefault(merged, {**properties, "hs_object_id": crm_id})
        return {each: _snapshot(each, held[each], attributes, theirs) for each in ids if each in held}

    def find_by_number(self, account: CRMAccount, e164: str) -> list[str]:
        """Find every contact with this number in one of its phone properties, the one changed last first.

        The search keys hold digits without the country code, so they find too many; what was found is read again
        and compared as E.164.
        """
        keys = _search_keys(e164)
        groups = [[SearchFilter(name, "IN", keys)] for name in _SEARCHED]
        groups += [[SearchFilter(typed, "EQ", e164)] for typed, _ in _PHONES]
        names = (*(name for pair in _PHONES for name in pair), *_COUNTRIES, _MODIFIED)
        default = str(account.settings.get("default_region") or "")
        found = self.records.search(account, "contact", groups, names)
        fitting = [(each.get(_MODIFIED) or "", crm_id) for crm_id, each in found if e164 in _numbers(each, default)]
        return [crm_id for _, crm_id in sorted(fitting, key=lambda each: each[0], reverse=True)]

    def create(self, account: CRMAccount, e164: str, ref: str) -> str:
        """Give the contact with a number; make one where none is found. See the port."""
        found = self.find_by_number(account, e164)
        if found:
            return found[0]
        row = BatchRow(ref, {"properties": {"mobilephone": e164}, "associations": [], "objectWriteTraceId": ref})
        what, body = "create a contact", {"inputs": [row.wire]}
        answer = self.records.calls.make(
            account, what, lambda api: api.batches.create("contacts", body), is_repeatable=False
        )
        made = results(what, [row], answer, is_repeatable=False)[ref]
        if made.error is not None or made.crm_record_id is None:
            raise made.error or CRMAmbiguousError(f"{what}: HubSpot's answer names no contact")
        return made.crm_record_id


def contact_fields(account: CRMAccount) -> ContactFields:
    """Give the properties of contacts that hold numbers and opt-outs; see the port."""
    ours = OptOutField("contact", OPTED_OUT)
    phones = frozenset(typed for typed, _ in _PHONES)
    return ContactFields(phones, (ours, *opt_out_fields(account.settings, "contact")))


def _snapshot(
    crm_id: str, held: Properties, attributes: Mapping[str, str], fields: Sequence[OptOutField]
) -> ContactSnapshot:
    opted_out_by = next((each.property_name for each in fields if each.says_so(held[each.property_name])), "")
    opted_out = held[OPTED_OUT] == "true" or bool(opted_out_by)
    opted_in_at = _moment(held[OPTED_IN_AT])
    return ContactSnapshot(
        crm_id=held.get("hs_object_id") or crm_id,
        phones=tuple(_phones(held)),
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


def _phones(held: Properties) -> Iterator[tuple[str, str]]:
    """A number typed with its country code needs no help; before any other goes HubSpot's own reading of it."""
    for typed, calculated in _PHONES:
        order = (typed, calculated) if (held[typed] or "").lstrip().startswith("+") else (calculated, typed)
        yield from ((text, name) for name in order if (text := held[name]))


def _country(held: Properties) -> str | None:
    return next((code for name in _COUNTRIES if (code := country_code(held[name]))), None)


def _numbers(held: Properties, default_region: str) -> set[str]:
    regions = [region for region in (_country(held), default_region) if region]
    numbers = set()
    for text, _ in _phones(held):
        try:
            numbers.add(normalise(text, regions).e164)
        except InvalidNumberError:
            continue
    return numbers


def _search_keys(e164: str) -> tuple[str, ...]:
    """The digits after the country code, with and without the prefix people dial inside the country."""
    number = phonenumbers.parse(e164)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    digits = "".join(char for char in national if char.isdigit())
    return tuple(dict.fromkeys([phonenumbers.national_significant_number(number), digits]))
