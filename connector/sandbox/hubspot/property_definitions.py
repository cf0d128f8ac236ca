"""Which properties do the object types have before anybody adds one?

Names and types follow the vendor's default property lists; only what an SMS connector meets is here.
"""

from dataclasses import dataclass, replace
from typing import Any

from connector.sandbox.hubspot.object_types import OBJECT_TYPES, ObjectType

FIELD_TYPES = {
    "string": frozenset({"text", "textarea", "phonenumber", "html", "file"}),
    "number": frozenset({"number"}),
    "bool": frozenset({"booleancheckbox"}),
    "enumeration": frozenset({"select", "radio", "checkbox", "booleancheckbox"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"date"}),
}


@dataclass(frozen=True)
class Option:
    """One value of an enumeration."""

    value: str
    label: str


@dataclass(frozen=True)
class PropertyDefinition:
    """A property: its type decides which values a write may carry."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = ""
    options: tuple[Option, ...] = ()
    description: str = ""
    read_only: bool = False
    is_calculated: bool = False
    is_unique: bool = False
    built_in: bool = True
    form_field: bool = False
    display_order: int = -1

    def as_json(self, at: str) -> dict[str, Any]:
        """As the properties API lists it; `at` stands for both times of a definition."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": [
                {"label": o.label, "value": o.value, "displayOrder": n, "hidden": False, "description": ""}
                for n, o in enumerate(self.options)
            ],
            "createdAt": at,
            "updatedAt": at,
            "displayOrder": self.display_order,
            "calculated": self.is_calculated,
            "externalOptions": False,
            "archived": False,
            "hasUniqueValue": self.is_unique,
            "hidden": False,
            "hubspotDefined": self.built_in,
            "formField": self.form_field,
            "modificationMetadata": {
                "archivable": not self.built_in,
                "readOnlyDefinition": self.built_in,
                "readOnlyValue": self.read_only,
            },
        }


def _text(*names: str) -> list[PropertyDefinition]:
    return [PropertyDefinition(name, _label(name)) for name in names]


def _long_text(*names: str) -> list[PropertyDefinition]:
    return [PropertyDefinition(name, _label(name), field_type="textarea") for name in names]


def _number(*names: str) -> list[PropertyDefinition]:
    return [PropertyDefinition(name, _label(name), "number", "number") for name in names]


def _datetime(*names: str) -> list[PropertyDefinition]:
    return [PropertyDefinition(name, _label(name), "datetime", "date") for name in names]


def _choice(name: str, *values: str) -> PropertyDefinition:
    options = tuple(Option(value, value.replace("_", " ").capitalize()) for value in values)
    return PropertyDefinition(name, _label(name), "enumeration", "select", options=options)


def _calculated(*names: str) -> list[PropertyDefinition]:
    return [PropertyDefinition(name, _label(name), read_only=True, is_calculated=True) for name in names]


def _label(name: str) -> str:
    return name.removeprefix("hs_").replace("_", " ").capitalize()


# Worked out from `phone` and `mobilephone` by phones.py.
PHONE_KINDS = {"phone": "phone_number", "mobilephone": "mobile_number"}
_PHONE_RESULTS = _calculated(
    *(f"hs_calculated_{kind}{part}" for kind in PHONE_KINDS.values() for part in ("", "_country_code", "_region_code")),
    *(f"hs_searchable_calculated_{kind}" for kind in PHONE_KINDS.values()),
    *(f"hs_searchable_calculated_international_{kind}" for kind in PHONE_KINDS.values()),
)  # fmt: skip

_OWNER = PropertyDefinition("hubspot_owner_id", "Owner", "enumeration", "select")

# Options of these come from the portal's pipelines, owners and task queues, see drafts.py.
DYNAMIC = frozenset(
    {"hubspot_owner_id", "hs_queue_membership_ids", "dealstage", "pipeline", "hs_pipeline", "hs_pipeline_stage"}
)

_BUILT_IN: dict[str, list[PropertyDefinition]] = {
    "contacts": [
        *_text("firstname", "lastname", "phone", "mobilephone", "hs_whatsapp_phone_number", "hs_timezone"),
        *_text("hs_language", "country", "city", "state", "zip", "company", "jobtitle"),
        PropertyDefinition("email", "Email", is_unique=True),
        _choice("lifecyclestage", "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead",
                "opportunity", "customer", "evangelist", "other"),
        *_datetime("recent_conversion_date"),
        *_text("recent_conversion_event_name"),
        PropertyDefinition("hs_merged_object_ids", "Merged object ids", read_only=True),
        *_PHONE_RESULTS,
        _OWNER,
    ],
    "companies": [*_text("name", "domain", "phone", "city", "country"), _OWNER],
    "deals": [
        *_text("dealname", "deal_currency_code"),
        PropertyDefinition("dealstage", "Deal stage", "enumeration", "radio"),
        PropertyDefinition("pipeline", "Pipeline", "enumeration", "select"),
        *_number("amount"),
        *_datetime("closedate"),
        *_long_text("description"),
        _OWNER,
    ],
    "tickets": [
        *_text("subject"),
        *_long_text("content"),
        PropertyDefinition("hs_pipeline", "Pipeline", "enumeration", "select"),
        PropertyDefinition("hs_pipeline_stage", "Ticket status", "enumeration", "select"),
        _choice("hs_ticket_priority", "LOW", "MEDIUM", "HIGH", "URGENT"),
        _choice("hs_ticket_category", "PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST", "GENERAL_INQUIRY"),
        _OWNER,
    ],
    "invoices": [
        *_text("hs_number", "hs_title", "hs_currency", "hs_invoice_link"),
        _choice("hs_invoice_status", "draft", "open", "paid", "voided"),
        *_datetime("hs_due_date", "hs_invoice_date"),
        *_number("hs_balance_due", "hs_amount_billed"),
        _OWNER,
    ],
    "commerce_payments": [
        *_text("hs_currency_code"),
        _choice("hs_latest_status", "succeeded", "failed", "processing", "refunded"),
        *_number("hs_initial_amount"),
        _OWNER,
    ],
    "orders": [
        *_text("hs_order_name", "hs_external_order_id", "hs_fulfillment_status", "hs_currency_code"),
        *_text("hs_shipping_status_url", "hs_shipping_tracking_number"),
        PropertyDefinition("hs_pipeline", "Pipeline", "enumeration", "select"),
        PropertyDefinition("hs_pipeline_stage", "Order stage", "enumeration", "select"),
        *_number("hs_total_price"),
        _OWNER,
    ],
    "carts": [
        *_text("hs_cart_name", "hs_external_cart_id", "hs_external_status", "hs_currency_code", "hs_cart_url"),
        *_number("hs_total_price"),
        _OWNER,
    ],
    "appointments": [
        *_text("hs_appointment_name", "hs_appointment_status"),
        *_datetime("hs_appointment_start", "hs_appointment_end"),
        _OWNER,
    ],
    "communications": [
        _choice("hs_communication_channel_type", "SMS", "WHATS_APP", "LINKEDIN_MESSAGE"),
        _choice("hs_communication_logged_from", "CRM"),
        *_long_text("hs_communication_body"),
        *_datetime("hs_timestamp"),
        _OWNER,
    ],
    "tasks": [
        *_text("hs_task_subject"),
        *_long_text("hs_task_body"),
        _choice("hs_task_status", "NOT_STARTED", "IN_PROGRESS", "WAITING", "DEFERRED", "COMPLETED"),
        _choice("hs_task_priority", "NONE", "LOW", "MEDIUM", "HIGH"),
        _choice("hs_task_type", "TODO", "CALL", "EMAIL"),
        PropertyDefinition("hs_queue_membership_ids", "Queue", "enumeration", "checkbox"),
        *_datetime("hs_timestamp"),
        _OWNER,
    ],
    "notes": [
        *_long_text("hs_note_body"),
        *_datetime("hs_timestamp"),
        *_text("hs_attachment_ids"),
        _OWNER,
    ],
}  # fmt: skip

# What a record cannot be created without.
REQUIRED: dict[str, tuple[str, ...]] = {
    "communications": ("hs_communication_channel_type", "hs_communication_logged_from", "hs_timestamp"),
    "tasks": ("hs_timestamp",),
    "notes": ("hs_timestamp",),
}


def default_group(kind: ObjectType) -> str:
    """The group HubSpot files a type's own properties under."""
    return f"{kind.singular}information"


def built_in_properties(kind: ObjectType) -> dict[str, PropertyDefinition]:
    """A type's own properties by name, its id and times included."""
    times = _datetime(kind.created_property, kind.modified_property)
    read_only = [PropertyDefinition("hs_object_id", "Record ID", "number", "number"), *times]
    read_only += _text("hs_object_source")
    found = [*_BUILT_IN[kind.name], *(replace(each, read_only=True) for each in read_only)]
    return {each.name: replace(each, group=default_group(kind)) for each in found}


BUILT_IN = {name: built_in_properties(kind) for name, kind in OBJECT_TYPES.items()}
