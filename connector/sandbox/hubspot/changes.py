"""What changed in a portal, in the words webhooks are made from?"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Change:
    """One change of one record.

    `kind` is creation, deletion, restore, propertyChange, merge or privacyDeletion. `value` is the new property value
    as a webhook carries it (times in epoch milliseconds, empty text when cleared). `source` is HubSpot's
    `changeSource`: CRM_UI for a person, INTEGRATION for the API, IMPORT, WORKFLOW, FORM.
    """

    portal_id: int
    object_type: str
    object_id: str
    kind: str
    occurred_at: datetime
    source: str
    property_name: str | None = None
    value: str | None = None
    merged_ids: tuple[str, ...] = ()
