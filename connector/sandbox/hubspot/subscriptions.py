"""Which changes does the app hear of, and how does an event read?"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connector.sandbox.hubspot.changes import Change
from connector.sandbox.hubspot.object_types import OBJECT_TYPES

# Types with event names of their own; all others only come as `object.*` with an objectTypeId.
_CLASSIC = frozenset({"contacts", "companies", "deals", "tickets"})


@dataclass(frozen=True)
class Subscription:
    """One line of the app's webhook settings.

    `kind` as in Change; `property_name` narrows propertyChange to one property. `is_generic` asks for
    `object.propertyChange` with an `objectTypeId` instead of `deal.propertyChange`.
    """

    id: int
    object_type: str
    kind: str
    property_name: str | None = None
    is_generic: bool = False

    def wants(self, change: Change) -> bool:
        """Whether a change is what this subscription is about."""
        return (change.object_type, change.kind) == (self.object_type, self.kind) and self.property_name in {
            None,
            change.property_name,
        }

    @property
    def event_type(self) -> str:
        """The `subscriptionType` its events carry."""
        generic = self.is_generic or self.object_type not in _CLASSIC
        return f"{'object' if generic else OBJECT_TYPES[self.object_type].singular}.{self.kind}"

    def event(self, change: Change, event_id: int, app_id: int) -> dict[str, Any]:
        """The event of a change, as it stands in the array HubSpot posts."""
        shown: dict[str, Any] = {
            "eventId": event_id,
            "subscriptionId": self.id,
            "portalId": change.portal_id,
            "appId": app_id,
            "occurredAt": int(change.occurred_at.timestamp() * 1000),
            "subscriptionType": self.event_type,
            "attemptNumber": 0,
            "objectId": int(change.object_id),
            "changeSource": change.source,
        }
        return shown | self._details(change)

    def _details(self, change: Change) -> dict[str, Any]:
        details: dict[str, Any] = {}
        if self.event_type.startswith("object."):
            details["objectTypeId"] = OBJECT_TYPES[self.object_type].type_id
        if change.kind == "propertyChange":
            details |= {"propertyName": change.property_name, "propertyValue": change.value, "isSensitive": False}
        if change.kind in {"creation", "deletion"}:
            details["changeFlag"] = {"creation": "CREATED", "deletion": "DELETED"}[change.kind]
        if change.kind == "merge":
            details |= {
                "primaryObjectId": int(change.object_id),
                "mergedObjectIds": [int(each) for each in change.merged_ids],
                "newObjectId": int(change.object_id),
                "numberOfPropertiesMoved": 0,
            }
        return details


def _numbered(wanted: Iterable[tuple[str, str, str | None]]) -> tuple[Subscription, ...]:
    return tuple(Subscription(200 + n, *each) for n, each in enumerate(wanted))


DEFAULT_SUBSCRIPTIONS = _numbered(
    [
        ("contacts", "creation", None),
        ("contacts", "propertyChange", "mobilephone"),
        ("contacts", "propertyChange", "phone"),
        ("contacts", "propertyChange", "lifecyclestage"),
        ("contacts", "propertyChange", "hubspot_owner_id"),
        ("contacts", "privacyDeletion", None),
        ("contacts", "merge", None),
        ("contacts", "deletion", None),
        ("deals", "propertyChange", "dealstage"),
        ("tickets", "creation", None),
        ("tickets", "propertyChange", "hs_ticket_priority"),
        ("invoices", "propertyChange", "hs_invoice_status"),
        ("invoices", "propertyChange", "hs_due_date"),
        ("invoices", "propertyChange", "hs_balance_due"),
        ("contacts", "propertyChange", "sms_connector_opt_in_requested_at"),
        ("contacts", "propertyChange", "sms_connector_code_requested_at"),
        ("contacts", "restore", None),
        ("contacts", "propertyChange", "sms_connector_opted_out"),
        ("deals", "propertyChange", "hubspot_owner_id"),
        ("tickets", "propertyChange", "hs_pipeline_stage"),
        ("carts", "creation", None),
        ("carts", "propertyChange", "hs_external_status"),
        ("orders", "creation", None),
        ("orders", "propertyChange", "hs_fulfillment_status"),
        ("appointments", "creation", None),
        ("appointments", "propertyChange", "hs_appointment_start"),
        ("appointments", "propertyChange", "hs_appointment_status"),
        ("commerce_payments", "propertyChange", "hs_latest_status"),
        ("tasks", "propertyChange", "hs_task_status"),
    ]
)
