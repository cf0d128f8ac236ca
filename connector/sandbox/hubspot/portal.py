"""What does one portal hold: records, associations, schema, owners, pipelines?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connector.sandbox.hubspot.association_types import HUBSPOT_DEFINED, AssociationType
from connector.sandbox.hubspot.object_types import OBJECT_TYPES, ObjectType
from connector.sandbox.hubspot.property_definitions import BUILT_IN, PropertyDefinition, default_group
from connector.sandbox.hubspot.refusals import not_found
from connector.sandbox.hubspot.values import iso


@dataclass(frozen=True)
class Owner:
    """A user of the portal records belong to."""

    id: str
    email: str
    first_name: str
    last_name: str
    user_id: int


@dataclass(frozen=True)
class Stage:
    """One column of a pipeline; `is_closed` and `probability` go into its metadata."""

    id: str
    label: str
    is_closed: bool = False
    probability: str | None = None


@dataclass(frozen=True)
class Pipeline:
    """A pipeline of deals or tickets, its stages in order."""

    id: str
    label: str
    stages: tuple[Stage, ...]


DEAL_PIPELINE = Pipeline(
    "default",
    "Sales Pipeline",
    (
        Stage("appointmentscheduled", "Appointment Scheduled", probability="0.2"),
        Stage("qualifiedtobuy", "Qualified To Buy", probability="0.4"),
        Stage("presentationscheduled", "Presentation Scheduled", probability="0.6"),
        Stage("decisionmakerboughtin", "Decision Maker Bought-In", probability="0.8"),
        Stage("contractsent", "Contract Sent", probability="0.9"),
        Stage("closedwon", "Closed Won", is_closed=True, probability="1.0"),
        Stage("closedlost", "Closed Lost", is_closed=True, probability="0.0"),
    ),
)
TICKET_PIPELINE = Pipeline(
    "0",
    "Support Pipeline",
    (
        Stage("1", "New"),
        Stage("2", "Waiting on contact"),
        Stage("3", "Waiting on us"),
        Stage("4", "Closed", is_closed=True),
    ),
)
ORDER_PIPELINE = Pipeline(
    "14a2e10e-5471-408a-906e-c51f3b04369e",
    "Order Pipeline",
    (
        Stage("4b27b500-f031-4927-9811-68a0b525cbae", "Open"),
        Stage("937ea84d-0a4f-4dcf-9028-3f9c2aafbf03", "Processed"),
        Stage("aa99e8d0-c1d5-4071-b915-d240bbb1aed9", "Shipped"),
        Stage("3c85a297-e9ce-400b-b42e-9f16853d69d6", "Delivered", is_closed=True),
        Stage("3725360f-519b-4b18-a593-494d60a29c9f", "Canceled", is_closed=True),
    ),
)


@dataclass
class Record:
    """One CRM record; `versions` are (since when, properties), oldest first, the last one current."""

    id: str
    object_type: str
    created_at: datetime
    versions: list[tuple[datetime, dict[str, str]]]
    history: dict[str, list[tuple[datetime, str, str]]] = field(default_factory=dict)  # (when, value, changeSource)

    @property
    def properties(self) -> dict[str, str]:
        """The current values, only those that are set."""
        return self.versions[-1][1]

    @property
    def updated_at(self) -> datetime:
        """When the current values came about."""
        return self.versions[-1][0]

    def properties_at(self, moment: datetime) -> dict[str, str] | None:
        """The values as they stood at `moment`; None before the record existed."""
        return next((values for since, values in reversed(self.versions) if since <= moment), None)

    def history_json(self, names: Iterable[str]) -> dict[str, Any]:
        """The versions of properties, the present one first, as a read `propertiesWithHistory` gives them."""
        return {
            name: [
                {"value": value, "timestamp": iso(at), "sourceType": source, "sourceId": "", "sourceLabel": ""}
                for at, value, source in reversed(self.history.get(name, []))
            ]
            for name in names
        }

    def as_json(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """The API's shape: the named properties (null when not set), or all that are set."""
        shown = {name: self.properties.get(name) for name in names} if names is not None else self.properties
        return {
            "id": self.id,
            "properties": dict(shown),
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "archived": False,
        }


@dataclass
class Portal:
    """One customer's HubSpot account, as data; the world keeps the lock and the rules."""

    id: int
    name: str
    time_zone: str
    created_at: datetime
    ui_domain: str = "app.hubspot.com"
    currency: str = "USD"
    records: dict[str, dict[str, Record]] = field(default_factory=lambda: {name: {} for name in OBJECT_TYPES})
    bin: dict[tuple[str, str], Record] = field(default_factory=dict)
    merged_into: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)
    task_queues: dict[str, str] = field(default_factory=dict)
    pipelines: dict[str, dict[str, Pipeline]] = field(
        default_factory=lambda: {
            "deals": {DEAL_PIPELINE.id: DEAL_PIPELINE},
            "tickets": {TICKET_PIPELINE.id: TICKET_PIPELINE},
            "orders": {ORDER_PIPELINE.id: ORDER_PIPELINE},
        }
    )
    properties: dict[str, dict[str, PropertyDefinition]] = field(
        default_factory=lambda: {name: dict(found) for name, found in BUILT_IN.items()}
    )
    groups: dict[str, dict[str, str]] = field(
        default_factory=lambda: {
            name: {default_group(kind): f"{kind.singular.capitalize()} information"}
            for name, kind in OBJECT_TYPES.items()
        }
    )
    association_types: list[AssociationType] = field(default_factory=lambda: list(HUBSPOT_DEFINED))
    links: dict[tuple[str, str, str], dict[str, set[AssociationType]]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def find(self, kind: ObjectType, object_id: str) -> Record | None:
        """The record, or the one it was merged into."""
        return self.records[kind.name].get(self.merged_into.get(object_id, object_id))

    def record(self, kind: ObjectType, object_id: str) -> Record:
        """The record; 404 when there is none."""
        found = self.find(kind, object_id)
        if found is None:
            raise not_found(
                f"Object not found. objectId: {object_id} of type {kind.singular.upper()}",
                context={"id": [object_id]},
            )
        return found

    def linked(self, from_type: str, from_id: str, to_type: str) -> Mapping[str, set[AssociationType]]:
        """Ids associated with a record and the types that join them, in the order they were joined."""
        return self.links.get((from_type, from_id, to_type), {})

    def link(self, kind: AssociationType, from_id: str, to_id: str) -> None:
        """Join two records both ways, with the unlabelled default beside a label."""
        for each in {kind, self.default_type(kind.from_type, kind.to_type) or kind}:
            back = self._inverse(each)
            self.links[each.from_type, from_id, each.to_type].setdefault(to_id, set()).add(each)
            self.links[back.from_type, to_id, back.to_type].setdefault(from_id, set()).add(back)

    def unlink(self, from_type: str, from_id: str, to_type: str, to_id: str) -> None:
        """Take every association between two records away."""
        self.links.get((from_type, from_id, to_type), {}).pop(to_id, None)
        self.links.get((to_type, to_id, from_type), {}).pop(from_id, None)

    def unlink_all(self, object_type: str, object_id: str) -> None:
        """Take a record out of every association."""
        for other in OBJECT_TYPES:
            for other_id in list(self.linked(object_type, object_id, other)):
                self.unlink(object_type, object_id, other, other_id)

    def default_type(self, from_type: str, to_type: str) -> AssociationType | None:
        """The unlabelled association type of a pair."""
        return next(
            (t for t in self.association_types if (t.from_type, t.to_type, t.label) == (from_type, to_type, None)),
            None,
        )

    def association_type(self, category: str, type_id: int, from_type: str) -> AssociationType | None:
        """The type with this number that starts at `from_type`."""
        wanted = (category, type_id, from_type)
        return next(
            (t for t in self.association_types if (t.category, t.type_id, t.from_type) == wanted),
            None,
        )

    def _inverse(self, kind: AssociationType) -> AssociationType:
        wanted = (kind.category, kind.inverse_id, kind.to_type, kind.from_type)
        return next(t for t in self.association_types if (t.category, t.type_id, t.from_type, t.to_type) == wanted)
