"""What is in an org on its first day?"""

from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.package_schema import (
    allow_activities,
    consent_objects,
    currency_fields,
    install_package,
    invoice_object,
)
from connector.sandbox.salesforce.schema import STANDARD_LISTS, standard_objects
from connector.sandbox.salesforce.usage import Usage
from connector.sandbox.salesforce.values import stamp
from connector.sandbox.salesforce.writes import Writer

_NOBODY = "005Sb0000000000AAA"  # who made the first user


class OrgMaker:
    """Makes orgs with their lists, their organization row and their first user."""

    def __init__(self, clock: SandboxClock, writer: Writer) -> None:
        self._clock = clock
        self._writer = writer

    def make(
        self,
        org_id: str,
        *,
        username: str,
        name: str,
        time_zone: str,
        currency: str,
        is_multi_currency: bool,
        namespace: str,
        api_limit: int,
    ) -> Org:
        """An org with its standard objects, lists, one administrator and the row that describes it."""
        objects = {each.name: each for each in standard_objects()}
        if is_multi_currency:
            currency_fields(objects.values())
        org = Org(org_id, _NOBODY, Usage(self._clock, api_limit), objects, namespace=namespace, currency=currency)
        org.is_multi_currency = is_multi_currency
        for list_name, rows in STANDARD_LISTS.items():
            for number, row in enumerate(rows, 1):
                self.add_row(org, list_name, _list_row(list_name, number, *row))
        org.user_id = self.add_user(org, username, {"TimeZoneSidKey": time_zone})
        self._describe(org, name or f"Org {org_id[:15]}", time_zone)
        return org

    def fit_out(self, org: Org, *, package: bool, consent: bool, invoices: bool) -> None:
        """Add what not every org has."""
        if package:
            install_package(org.objects, org.namespace)
        if consent:
            org.objects |= {each.name: each for each in consent_objects()}
        if invoices:
            invoice = invoice_object()
            org.objects[invoice.name] = invoice
            allow_activities(org.objects, invoice.name)

    def add_row(self, org: Org, object_name: str, values: dict[str, Any]) -> str:
        """Write a row of an object nobody writes through the API; its id."""
        defaults = {f.name: f.default for f in org.objects[object_name].fields.values()}
        return self._writer.write_new(org, org.objects[object_name], defaults | values, org.user_id)[0].id

    def add_user(self, org: Org, username: str, values: dict[str, Any]) -> str:
        """Write a user; their id."""
        name = username.partition("@")[0]
        known = {
            "Username": username,
            "Email": username,
            "LastName": name,
            "Alias": name[:8],
            "IsActive": True,
            "UserType": "Standard",
            "TimeZoneSidKey": "America/New_York",
            "LocaleSidKey": "en_US",
            "LanguageLocaleKey": "en_US",
        }
        return self.add_row(org, "User", known | values)

    def _describe(self, org: Org, name: str, time_zone: str) -> None:
        """The one row of Organization, whose id is the org's own."""
        record_id = self.add_row(
            org,
            "Organization",
            {
                "Name": name,
                "TimeZoneSidKey": time_zone,
                "DefaultLocaleSidKey": "en_US",
                "LanguageLocaleKey": "en_US",
                "OrganizationType": "Enterprise Edition",
                "InstanceName": "SB1",
                "CreatedDate": stamp(self._clock.now()),
            }
            | ({"CurrencyIsoCode": org.currency} if org.is_multi_currency else {}),
        )
        record = org.records["Organization"].pop(record_id)
        record.id = record.values["Id"] = org.id
        org.records["Organization"][org.id] = record


def _list_row(
    list_name: str, number: int, value: str, is_closed: bool, is_special: bool, chance: float
) -> dict[str, Any]:
    row: dict[str, Any] = {"ApiName": value, "MasterLabel": value, "SortOrder": number, "IsClosed": is_closed}
    if list_name == "OpportunityStage":
        return row | {"IsActive": True, "IsWon": is_special, "DefaultProbability": chance}
    return row | ({"IsConverted": is_special} if list_name == "LeadStatus" else {}) | {"IsDefault": number == 1}
