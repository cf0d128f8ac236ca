"""What does a Salesforce contact or lead tell us about the person we text, and who has a number?

Contacts and leads share one space of ids: the first three characters say which it is. A lead that was converted
answers with the contact it became, a contact or lead that was merged with the one that survived (`MasterRecordId`,
which only `queryAll` shows, since the merged one is in the recycle bin).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import phonenumbers

from connector.adapters.crm.people import by_value
from connector.adapters.crm.places import country_code, iana_zone
from connector.adapters.crm.salesforce.calls import Record
from connector.adapters.crm.salesforce.collections import Collections, Row
from connector.adapters.crm.salesforce.fields import has, parsed_moment
from connector.adapters.crm.salesforce.ids import CONTACT, LEAD, person_of, short
from connector.adapters.crm.salesforce.names import OPTED_IN_FIELD, OrgNames
from connector.adapters.crm.salesforce.records import OrgRecords, text_at
from connector.adapters.crm.salesforce.soql import compares, digits_like, select
from connector.domain.event import ContactSnapshot
from connector.domain.locales import normalise_locale
from connector.domain.msisdn import normalise
from connector.errors import CRMAmbiguousError, InvalidNumberError
from connector.ports.crm import ContactFields, CRMAccount, SearchFilter

PERSON_FIELD_SETTINGS = ("locale_field", "time_zone_field")
"""Names the account's settings that name a field of people each."""

_READ = ("Name", "FirstName", "LastName", "Email", "OwnerId", "IsDeleted", "MasterRecordId")
_OF_LEADS = ("IsConverted", "ConvertedContactId")
_COUNTRIES = ("CountryCode", "Country")
_MODIFIED = "SystemModstamp"
_NO_COMPANY = "[not provided]"  # a lead must have one; these are Salesforce's own words for leads that come without
_MOST_HOPS = 5  # a lead that was merged, converted and merged again thrice; more is a circle


@dataclass(frozen=True, slots=True)
class OrgContacts:
    """Reads people, follows them through merges and conversions, and finds them by number."""

    records: OrgRecords

    def read(
        self, account: CRMAccount, ids: Sequence[str], attributes: Mapping[str, str]
    ) -> dict[str, ContactSnapshot]:
        """Read people by id; each stands under the id asked for, with the id they have now."""
        return {
            each: _Person(account, record, attributes).snapshot()
            for each, record in self._standing(account, ids, tuple(attributes.values())).items()
        }

    def successors(self, account: CRMAccount, ids: Sequence[str]) -> dict[str, str]:
        """Give who those of `ids` are now that were merged or converted into somebody else."""
        found = self._standing(account, ids, ())
        return {each: str(record["Id"]) for each, record in found.items() if short(str(record["Id"])) != short(each)}

    def find_by_number(self, account: CRMAccount, e164: str) -> list[str]:
        """Find everybody with this number in one of the account's phone fields, who changed last first.

        Numbers stand there as people typed them, so the digits are searched for with anything between them; what was
        found is compared as E.164.
        """
        found = [each for api_name in (CONTACT, LEAD) for each in self._with_number(account, api_name, e164)]
        return [crm_id for _, crm_id in sorted(found, key=lambda each: each[0], reverse=True)]

    def find_by_email(self, account: CRMAccount, emails: Sequence[str], name: str) -> dict[str, list[str]]:
        """Find contacts, and leads that were not converted, by e-mail address; see the port."""
        conditions = [SearchFilter(name, "IN", tuple(emails))]
        return by_value(self.records.search(account, "contact", conditions, (name, _MODIFIED)), name, _MODIFIED)

    def create(self, account: CRMAccount, e164: str, ref: str) -> str:
        """Give whoever has a number; make somebody new where nobody has. See the port.

        A lead, unless the account's `new_person` says `contact`: nothing is known of them yet.
        """
        found = self.find_by_number(account, e164)
        if found:
            return found[0]
        api_name = CONTACT if account.settings.get("new_person") == "contact" else LEAD
        phone = OrgNames.of(account).phones(api_name)[0]
        fields = {"LastName": e164, phone: e164, "Description": f"Wrote a text from this number. Ref {ref}"}
        more = {"Company": _NO_COMPANY} if api_name == LEAD else {}
        row = Row(ref, api_name, fields | more)
        made = Collections(self.records.calls).create(account, f"create a {api_name}", [row])[ref]
        if made.error is not None or made.crm_record_id is None:
            raise made.error or CRMAmbiguousError(f"create a {api_name}: Salesforce's answer names nobody")
        return made.crm_record_id

    def _with_number(self, account: CRMAccount, api_name: str, e164: str) -> Iterator[tuple[str, str]]:
        known = self.records.fields.of(account, api_name)
        phones = [name for name in OrgNames.of(account).phones(api_name) if has(known, name)]
        if not phones:
            return
        digits = phonenumbers.national_significant_number(phonenumbers.parse(e164))
        any_phone = " OR ".join(digits_like(name, digits) for name in phones)
        where = [f"({any_phone})", *([compares("IsConverted", "=", False)] if api_name == LEAD else [])]
        wanted = [*phones, *_countries(account, api_name, known), _MODIFIED]
        soql = select(wanted, api_name, where, order="Id")
        for record in self.records.calls.query(account, f"find {api_name}s by number", soql):
            if e164 in _Person(account, record, {}).numbers():
                yield str(record.get(_MODIFIED) or ""), str(record["Id"])

    def _standing(self, account: CRMAccount, ids: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        """Give the record each id stands for now."""
        read, asked_for = dict[str, Record](), set[str]()
        now = {each: each for each in ids}
        for _ in range(_MOST_HOPS):
            # Whom Salesforce did not know in one round it does not know in the next.
            unread = {short(each): each for each in now.values() if short(each) not in asked_for}
            if not unread:
                break
            asked_for |= unread.keys()
            read |= self._read(account, list(unread.values()), names)
            following = {each: _next(read.get(short(now[each]))) for each in ids}
            now |= {each: then for each, then in following.items() if then is not None}
        found = {each: read.get(short(now[each])) for each in ids}
        return {each: record for each, record in found.items() if record is not None and not record.get("IsDeleted")}

    def _read(self, account: CRMAccount, ids: Sequence[str], names: Sequence[str]) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for api_name in dict.fromkeys(map(person_of, ids)):
            some = [each for each in ids if person_of(each) == api_name]
            wanted = [*_READ, *_person_fields(account, api_name), *(_OF_LEADS if api_name == LEAD else ())]
            wanted += [OrgNames.of(account).field(api_name, name) for name in names]
            found |= self.records.read_object(account, api_name, some, wanted, with_deleted=True)
        return found


@dataclass(frozen=True, slots=True)
class _Person:
    """One record read, which knows by its id what it is."""

    account: CRMAccount
    record: Record
    attributes: Mapping[str, str]

    @property
    def api_name(self) -> str:
        return person_of(str(self.record["Id"]))

    def at(self, name: str) -> str | None:
        """Give a field by the name event files and leads use for it."""
        return text_at(self.record, OrgNames.of(self.account).field(self.api_name, name))

    def snapshot(self) -> ContactSnapshot:
        flag, own = self._opt_outs()
        opted_out, opted_in_at = flag or bool(own), self._opted_in_at()
        named = {
            "name": self.at("Name") or self.at("Email"),
            "first_name": self.at("FirstName"),
            "last_name": self.at("LastName"),
            "email": self.at("Email"),
        }
        settings = self.account.settings
        return ContactSnapshot(
            crm_id=str(self.record["Id"]),
            phones=tuple(self._phones()),
            locale=normalise_locale(self._chosen(settings.get("locale_field")) or ""),
            time_zone=iana_zone(self._chosen(settings.get("time_zone_field"))),
            country=self._country(),
            owner_id=self.at("OwnerId"),
            attributes=named | {ours: self.at(theirs) for ours, theirs in self.attributes.items()},
            opted_out=opted_out,
            opted_out_by=own,
            opted_in=opted_in_at is not None and not opted_out,
            opted_in_at=opted_in_at,
            opted_in_property=OrgNames.of(self.account).packaged(OPTED_IN_FIELD),
        )

    def numbers(self) -> set[str]:
        """Every number of theirs that can be one, as E.164."""
        default = str(self.account.settings.get("default_region") or "")
        regions = [region for region in (self._country(), default) if region]
        numbers = set()
        for text, _ in self._phones():
            try:
                numbers.add(normalise(text, regions).e164)
            except InvalidNumberError:
                continue
        return numbers

    def _phones(self) -> Iterator[tuple[str, str]]:
        for name in OrgNames.of(self.account).phones(self.api_name):
            if text := text_at(self.record, name):
                yield text, name

    def _country(self) -> str | None:
        return next((code for name in _COUNTRIES if (code := country_code(self.at(name)))), None)

    def _opt_outs(self) -> tuple[bool, str]:
        """Whether our own flag says that they opted out, and which field of the account's does, if one."""
        ours, *own = OrgNames.of(self.account).opt_outs(self.api_name)
        says = [each for each in own if each.says_so(text_at(self.record, each.property_name))]
        return ours.says_so(text_at(self.record, ours.property_name)), says[0].property_name if says else ""

    def _opted_in_at(self) -> datetime | None:
        return parsed_moment(self.at(OPTED_IN_FIELD) or "")

    def _chosen(self, name: object) -> str | None:
        return self.at(name) if isinstance(name, str) and name else None


def contact_fields(account: CRMAccount) -> ContactFields:
    """Give the fields of contacts and leads that hold numbers and opt-outs; see the port."""
    names = OrgNames.of(account)
    flags = dict.fromkeys(each for api_name in (CONTACT, LEAD) for each in names.opt_outs(api_name))
    return ContactFields(frozenset({*names.phones(CONTACT), *names.phones(LEAD)}), tuple(flags))


def _person_fields(account: CRMAccount, api_name: str) -> list[str]:
    names = OrgNames.of(account)
    chosen = [str(account.settings.get(each) or "") for each in PERSON_FIELD_SETTINGS]
    said = [*_COUNTRIES, OPTED_IN_FIELD, *(each for each in chosen if each)]
    flags = [each.property_name for each in names.opt_outs(api_name)]
    return [*names.phones(api_name), *flags, *(names.field(api_name, each) for each in said)]


def _countries(account: CRMAccount, api_name: str, known: Mapping[str, object]) -> list[str]:
    called = [OrgNames.of(account).field(api_name, each) for each in _COUNTRIES]
    return [name for name in called if name in known]


def _next(record: Record | None) -> str | None:
    """Give the record that stands for this one, if another does."""
    if record is None:
        return None
    became = record.get("MasterRecordId") if record.get("IsDeleted") else record.get("ConvertedContactId")
    return str(became) if became else None
