"""What are our kinds of record and our fields called in one organisation?

Standard objects have their own names everywhere. Invoices have none in Salesforce's core, so their object and fields
are settings of the account; the fields of our package carry the namespace they were installed with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from connector.adapters.crm.salesforce.ids import CONTACT, LEAD
from connector.domain.opt_out_fields import OptOutField, opt_out_fields
from connector.errors import CRMRefusedError
from connector.ports.crm import HANDOFF, OPTED_IN_AT, CRMAccount

_OBJECTS = MappingProxyType(
    {
        "contact": CONTACT,
        "lead": LEAD,
        "deal": "Opportunity",
        "ticket": "Case",
        "task": "Task",
        "company": "Account",
        "order": "Order",
    }
)
_OURS = MappingProxyType({name: ours for ours, name in _OBJECTS.items()})
_INVOICE = re.compile(r"invoice", re.IGNORECASE)
_API_NAME = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)?", re.ASCII)

OPT_OUT = "SMS_Opt_Out__c"
OPT_OUT_AT = "SMS_Opt_Out_At__c"
OPT_OUT_SOURCE = "SMS_Opt_Out_Source__c"
OPTED_IN_FIELD = "SMS_Opted_In_At__c"
HANDOFF_FIELD = "SMS_Handoff__c"
REF = "SMS_Ref__c"
MESSAGE = "SMS_Message__c"
MESSAGE_ID = "External_Id__c"
PERSON_FIELDS = (OPT_OUT, OPT_OUT_AT, OPT_OUT_SOURCE, OPTED_IN_FIELD, HANDOFF_FIELD)
"""Fields our package adds to contacts and leads."""

_PORT_FIELDS = MappingProxyType({HANDOFF: HANDOFF_FIELD, OPTED_IN_AT: OPTED_IN_FIELD})

# A contact says of its account or its mailing address what a lead says of itself: one mapping file reads both.
_OF_CONTACTS = MappingProxyType(
    {
        "Company": "Account.Name",
        "Street": "MailingStreet",
        "City": "MailingCity",
        "State": "MailingState",
        "PostalCode": "MailingPostalCode",
        "Country": "MailingCountry",
        "CountryCode": "MailingCountryCode",
    }
)
_PHONES = ("MobilePhone", "Phone")


def our_name(api_name: str) -> str:
    """Give our name for an object: `deal` for `Opportunity`, `invoice` for any custom object that is called one."""
    ours = _OURS.get(api_name)
    return ours or ("invoice" if _INVOICE.search(api_name) else api_name)


@dataclass(frozen=True, slots=True)
class OrgNames:
    """The names of one account's organisation, by its settings."""

    settings: Mapping[str, Any]

    @classmethod
    def of(cls, account: CRMAccount) -> OrgNames:
        """Give the names of an account."""
        return cls(account.settings)

    def object(self, object_type: str) -> str | None:
        """Give the API name of one of our kinds of record; None where the organisation has no such thing."""
        if object_type == "invoice":
            chosen = str(self.settings.get("invoice_object") or "")
            return checked(chosen) if chosen else None
        return _OBJECTS.get(object_type) or (checked(object_type) if object_type[:1].isupper() else None)

    def packaged(self, name: str) -> str:
        """Give the name of something in our package as it is called here: `acme__SMS_Ref__c`."""
        namespace = str(self.settings.get("salesforce_namespace") or "")
        return checked(f"{namespace}__{name}" if namespace else name)

    def field(self, api_name: str, name: str) -> str:
        """Give the API name of a field as event files and the port call it.

        Raises:
            CRMRefusedError: it can be no field of any object.
        """
        if name in _PORT_FIELDS or name in PERSON_FIELDS:
            return self.packaged(_PORT_FIELDS.get(name, name))
        if api_name == CONTACT and name in _OF_CONTACTS:
            return _OF_CONTACTS[name]
        if api_name == self.object("invoice"):
            return checked(str(_mapping(self.settings.get("invoice_fields")).get(name) or name))
        return checked(name)

    def opt_outs(self, api_name: str) -> tuple[OptOutField, ...]:
        """Give the fields that say of a Contact or Lead that they opted out: our package's, then the account's own."""
        kind = our_name(api_name)
        ours = OptOutField(kind, self.packaged(OPT_OUT))
        own = opt_out_fields(self.settings, kind)
        return (
            ours,
            *(
                replace(each, property_name=checked(each.property_name))
                for each in own
                if each.property_name != ours.property_name
            ),
        )

    def chosen(self, api_name: str) -> tuple[str, ...]:
        """Give the fields of a Contact or Lead that the account's own settings name: for opt-outs and numbers."""
        own = [each.property_name for each in self.opt_outs(api_name)[1:]]
        phones = self.phones(api_name) if _mapping(self.settings.get("phone_fields")).get(api_name) else ()
        return tuple(dict.fromkeys([*own, *phones]))

    def phones(self, api_name: str) -> tuple[str, ...]:
        """Give the phone fields of a Contact or Lead, best first."""
        said = _mapping(self.settings.get("phone_fields")).get(api_name)
        chosen = (said,) if isinstance(said, str) else said
        return tuple(checked(str(name)) for name in chosen) if isinstance(chosen, Sequence) and chosen else _PHONES


def checked(name: str) -> str:
    """Give a name back that can stand in a query as it is.

    Raises:
        CRMRefusedError: it cannot; no setting and no event file may write a query of its own.
    """
    if not _API_NAME.fullmatch(name):
        raise CRMRefusedError("a setting or mapping names an object or field that Salesforce cannot have")
    return name


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
