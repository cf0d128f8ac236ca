"""Which CRM object types exist here, what are they called, and what does a plain read return of them?"""

from dataclasses import dataclass

from connector.sandbox.hubspot.refusals import invalid


@dataclass(frozen=True)
class ObjectType:
    """One object type: its plural (in paths), singular (in events) and HubSpot's `objectTypeId`."""

    name: str
    singular: str
    type_id: str
    read_scope: str
    write_scope: str
    default_properties: tuple[str, ...] = ()
    created_property: str = "hs_createdate"
    modified_property: str = "hs_lastmodifieddate"

    @property
    def always_read(self) -> tuple[str, ...]:
        """What every read returns, whichever properties were asked for."""
        return ("hs_object_id", self.created_property, self.modified_property)


CONTACTS_READ, CONTACTS_WRITE = "crm.objects.contacts.read", "crm.objects.contacts.write"

# Type ids and scopes: developers.hubspot.com/docs/api-reference/latest/crm (object guides). Logged messages,
# tasks and notes have no scope of their own: they go with the contacts' scopes.
OBJECT_TYPES: dict[str, ObjectType] = {
    kind.name: kind
    for kind in (
        ObjectType(
            "contacts",
            "contact",
            "0-1",
            CONTACTS_READ,
            CONTACTS_WRITE,
            ("email", "firstname", "lastname"),
            "createdate",
            "lastmodifieddate",
        ),
        ObjectType("companies", "company", "0-2", "crm.objects.companies.read", "crm.objects.companies.write",
                   ("name", "domain"), "createdate"),
        ObjectType("deals", "deal", "0-3", "crm.objects.deals.read", "crm.objects.deals.write",
                   ("amount", "closedate", "dealname", "dealstage", "pipeline"), "createdate"),
        ObjectType("tickets", "ticket", "0-5", "tickets", "tickets",
                   ("content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority", "subject"), "createdate"),
        ObjectType("communications", "communication", "0-18", CONTACTS_READ, CONTACTS_WRITE),
        ObjectType("tasks", "task", "0-27", CONTACTS_READ, CONTACTS_WRITE),
        ObjectType("notes", "note", "0-46", CONTACTS_READ, CONTACTS_WRITE),
        ObjectType("invoices", "invoice", "0-53", "crm.objects.invoices.read", "crm.objects.invoices.write"),
        ObjectType("commerce_payments", "commerce_payment", "0-101", "crm.objects.commercepayments.read",
                   "crm.objects.commercepayments.write"),
        ObjectType("orders", "order", "0-123", "crm.objects.orders.read", "crm.objects.orders.write"),
        ObjectType("carts", "cart", "0-142", "crm.objects.carts.read", "crm.objects.carts.write"),
        ObjectType("appointments", "appointment", "0-421", "crm.objects.appointments.read",
                   "crm.objects.appointments.write"),
    )
}  # fmt: skip

_BY_ANY_NAME = {alias: kind for kind in OBJECT_TYPES.values() for alias in (kind.name, kind.singular, kind.type_id)}


def object_type(name: str) -> ObjectType:
    """The type called `name`, plural, singular or type id as the API takes them; 400 for any other."""
    kind = _BY_ANY_NAME.get(name.lower())
    if kind is None:
        raise invalid(f"Unable to infer object type from: {name}")
    return kind
