"""Which association types join which objects, and by which numbers?

Source: developers.hubspot.com/docs/api-reference/latest/crm/associations, the table of HubSpot-defined
`associationTypeId` values. There is none between communications, tasks or notes and invoices.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class AssociationType:
    """One direction of an association: HUBSPOT_DEFINED, or USER_DEFINED with a label of the portal's own."""

    from_type: str
    to_type: str
    type_id: int
    category: str = "HUBSPOT_DEFINED"
    label: str | None = None
    inverse_id: int = 0

    def as_json(self) -> dict[str, object]:
        """As the association API lists it."""
        return {"category": self.category, "typeId": self.type_id, "label": self.label}


# (from, to, id, id of the way back, label); the unlabelled one of a pair is its default.
_PAIRS: tuple[tuple[str, str, int, int, str | None], ...] = (
    ("contacts", "deals", 4, 3, None),
    ("contacts", "tickets", 15, 16, None),
    ("contacts", "invoices", 178, 177, None),
    ("contacts", "companies", 279, 280, None),
    ("contacts", "companies", 1, 2, "Primary"),
    ("contacts", "commerce_payments", 388, 387, None),
    ("contacts", "orders", 508, 507, None),
    ("contacts", "carts", 587, 586, None),
    ("contacts", "appointments", 907, 906, None),
    ("companies", "orders", 510, 509, None),
    ("deals", "companies", 341, 342, None),
    ("deals", "companies", 5, 6, "Primary"),
    ("deals", "tickets", 27, 28, None),
    ("deals", "invoices", 176, 175, None),
    ("companies", "tickets", 340, 339, None),
    ("companies", "tickets", 25, 26, "Primary"),
    ("companies", "invoices", 180, 179, None),
    ("communications", "contacts", 81, 82, None),
    ("communications", "tickets", 83, 84, None),
    ("communications", "deals", 85, 86, None),
    ("communications", "companies", 87, 88, None),
    ("tasks", "contacts", 204, 203, None),
    ("tasks", "companies", 192, 191, None),
    ("tasks", "deals", 216, 215, None),
    ("tasks", "tickets", 230, 229, None),
    ("notes", "contacts", 202, 201, None),
    ("notes", "companies", 190, 189, None),
    ("notes", "deals", 214, 213, None),
    ("notes", "tickets", 228, 227, None),
)


def both_ways(
    start: str, end: str, type_id: int, inverse_id: int, label: str | None, category: str = "HUBSPOT_DEFINED"
) -> tuple[AssociationType, AssociationType]:
    """The two directions of one association."""
    return (
        AssociationType(start, end, type_id, category, label, inverse_id),
        AssociationType(end, start, inverse_id, category, label, type_id),
    )


HUBSPOT_DEFINED: tuple[AssociationType, ...] = tuple(
    direction
    for start, end, type_id, inverse_id, label in _PAIRS
    for direction in both_ways(start, end, type_id, inverse_id, label)
)
