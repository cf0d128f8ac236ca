"""What does HubSpot call the records we call `deal`, `ticket` or `invoice`?

Source: developers.hubspot.com/docs/api-reference/latest/crm/understanding-the-crm (object type ids).
"""

from __future__ import annotations

from types import MappingProxyType

_BY_TYPE_ID = MappingProxyType(
    {
        "0-1": "contact",
        "0-2": "company",
        "0-3": "deal",
        "0-5": "ticket",
        "0-18": "communication",
        "0-27": "task",
        "0-46": "note",
        "0-53": "invoice",
        "0-101": "commerce_payment",
        "0-123": "order",
        "0-136": "lead",
        "0-142": "cart",
        "0-421": "appointment",
    }
)
_PLURALS = MappingProxyType({"company": "companies"})
_TYPE_IDS = MappingProxyType({name: each for each, name in _BY_TYPE_ID.items()})
_OURS = frozenset(_BY_TYPE_ID.values())


def path_name(object_type: str) -> str:
    """Give the name used in API paths: `deals` for `deal`; what we have no name for stays, such as `2-3453932`."""
    return _PLURALS.get(object_type, f"{object_type}s") if object_type in _OURS else object_type


def type_id(object_type: str) -> str:
    """Give the `objectTypeId` of our name: `0-53` for `invoice`; what we have no name for stays."""
    return _TYPE_IDS.get(object_type, object_type)


def our_name(type_id: str) -> str:
    """Give our name for an `objectTypeId`: `invoice` for `0-53`; what we have no name for stays."""
    return _BY_TYPE_ID.get(type_id, type_id)
