"""What changed in an org, in the words that flows and outbound messages are fired by?"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Change:
    """One change of one record.

    `kind` is created, updated or deleted (a merge's loser included). `fields` are the names whose values
    differ. `user_id` is who did it: a person, or the integration's own user.
    """

    org_id: str
    object_name: str
    record_id: str
    kind: str
    at: datetime
    user_id: str
    fields: frozenset[str] = frozenset()
