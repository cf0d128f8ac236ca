"""Which outbound messages must an organisation have, so that we hear of what journeys start on?

The flows of the package (`marketplace/salesforce/post-install`) fire them by these names. A message about somebody new
carries `CreatedDate` and one about a change does not: that is how `notices` tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connector.adapters.crm.salesforce.metadata_api import OutboundMessageSpec
from connector.adapters.crm.salesforce.names import OrgNames

CREATED = "CreatedDate"

_NEW_PERSON = ("Id", CREATED)
_PERSON = ("Id", "MobilePhone", "Phone", "SMS_Opt_Out__c", "SMS_Opted_In_At__c", "SystemModstamp")


@dataclass(frozen=True, slots=True)
class _Message:
    object_name: str
    name: str
    label: str
    description: str
    fields: tuple[str, ...]


_MESSAGES = (
    _Message(
        "Opportunity",
        "SMS_Opportunity_Changed",
        "SMS: opportunity changed",
        "A new opportunity, or one whose stage has changed.",
        ("Amount", "CloseDate", "Id", "Name", "OwnerId", "StageName", "SystemModstamp"),
    ),
    _Message(
        "Case",
        "SMS_Case_Changed",
        "SMS: case changed",
        "A new case, or one whose priority has changed.",
        ("CaseNumber", "ContactId", "Id", "OwnerId", "Priority", "Status", "SystemModstamp"),
    ),
    _Message("Lead", "SMS_Lead_Created", "SMS: lead created", "A new lead.", _NEW_PERSON),
    _Message("Lead", "SMS_Lead_Changed", "SMS: lead changed", "A lead whose number or opt-out has changed.", _PERSON),
    _Message("Contact", "SMS_Contact_Created", "SMS: contact created", "A new contact.", _NEW_PERSON),
    _Message(
        "Contact",
        "SMS_Contact_Changed",
        "SMS: contact changed",
        "A contact whose number or opt-out has changed.",
        _PERSON,
    ),
)
_INVOICE_FIELDS = ("Status__c", "Due_Date__c", "Balance__c")
"""Names of `mappings/events/salesforce.yaml`, which the account's `invoice_fields` turn into its own."""


def outbound_messages(names: OrgNames, endpoint_url: str, username: str) -> Iterator[OutboundMessageSpec]:
    """Give the outbound messages for one organisation; the one about invoices only where it has said what those are.

    Args:
        names: what our fields are called there.
        endpoint_url: where they are to go.
        username: of the integration user.
    """
    for each in _MESSAGES:
        fields = tuple(names.field(each.object_name, name) for name in each.fields)
        yield OutboundMessageSpec(
            each.object_name, each.name, each.label, each.description, fields, endpoint_url, username
        )
    invoice = names.object("invoice")
    if invoice is not None:
        fields = ("Id", "SystemModstamp", *(names.field(invoice, name) for name in _INVOICE_FIELDS))
        yield OutboundMessageSpec(
            invoice,
            "SMS_Invoice_Changed",
            "SMS: invoice changed",
            "A new invoice, or one whose status has changed.",
            tuple(dict.fromkeys(fields)),
            endpoint_url,
            username,
        )
