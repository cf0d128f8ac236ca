"""What does the webhooks journal of the app tell, and to whom?

The app follows portals by subscriptions and reads entries, each a file behind an address that needs no token, for three
days. What happens is written into the entry that is open; reading closes it. Source:
developers.hubspot.com/docs/api-reference/latest/webhooks-journal/guide. The files' shape is documented by example only.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from connector.sandbox.hubspot.changes import Change
from connector.sandbox.hubspot.gate import Gate, bearer_token, json_object
from connector.sandbox.hubspot.object_types import OBJECT_TYPES
from connector.sandbox.hubspot.refusals import invalid, not_found
from connector.sandbox.hubspot.values import iso
from connector.sandbox.hubspot.world import HubSpotWorld

VERSION = "2026-03"
KEPT_FOR = timedelta(days=3)
UNINSTALLED = "4-1916193"
READ = "developer.webhooks_journal.read"
SEE, MAKE = "developer.webhooks_journal.subscriptions.read", "developer.webhooks_journal.subscriptions.write"
_ACTIONS = {
    "creation": "CREATE",
    "propertyChange": "UPDATE",
    "deletion": "DELETE",
    "merge": "MERGE",
    "restore": "RESTORE",
    "privacyDeletion": "GDPR_DELETE",
}
_TYPES = frozenset(
    {"OBJECT", "ASSOCIATION", "EVENT", "APP_LIFECYCLE_EVENT", "LIST_MEMBERSHIP", "GDPR_PRIVACY_DELETION"}
)

Event = dict[str, Any]


@dataclass
class _Entry:
    published_at: datetime
    events: list[Event]
    offset: str = field(default_factory=lambda: str(uuid.uuid4()))


class Journal:
    """The app's journal over all portals. `entries` are the closed ones, oldest first."""

    def __init__(self, world: HubSpotWorld) -> None:
        self._world = world
        self.subscriptions: list[dict[str, Any]] = []
        self.entries: list[_Entry] = []
        self._open: list[Event] = []
        world.on_change(self.hear)

    def hear(self, change: Change) -> None:
        """Write a change down if a subscription asks for it."""
        kind = OBJECT_TYPES[change.object_type]
        if not any(_wants(each, change, kind.type_id) for each in self.subscriptions):
            return
        event: Event = {
            "type": "crmObject",
            "portalId": change.portal_id,
            "occurredAt": iso(change.occurred_at),
            "action": _ACTIONS[change.kind],
            "objectTypeId": kind.type_id,
            "objectId": int(change.object_id),
            "changeSource": change.source,
        }
        if change.property_name is not None:
            event["propertyChanges"] = {change.property_name: change.value}
        if change.merged_ids:
            event["mergedObjectIds"] = [int(each) for each in change.merged_ids]
        self._open.append(event)

    def uninstalled(self, portal_id: int) -> None:
        """Let somebody take the app out of a portal."""
        self._world.tokens.uninstall(portal_id)
        event = {"type": "appLifecycleEvent", "eventTypeId": UNINSTALLED, "portalId": portal_id}
        if any(each["subscriptionType"] == "APP_LIFECYCLE_EVENT" for each in self.subscriptions):
            self._open.append(event | {"occurredAt": iso(self._world.clock.now())})

    def close(self) -> None:
        """Publish what happened since the last entry, and forget what is older than three days."""
        now = self._world.clock.now()
        if self._open:
            self.entries.append(_Entry(now, self._open))
            self._open = []
        self.entries = [each for each in self.entries if now - each.published_at < KEPT_FOR]

    def behind(self, offset: str | None) -> _Entry | None:
        """The entry behind an offset, the earliest for None; 404 when the offset is no longer kept."""
        self.close()
        if offset is None:
            return self.entries[0] if self.entries else None
        places = {each.offset: number for number, each in enumerate(self.entries)}
        if offset not in places:
            raise not_found(f"no journal entry {offset}")
        later = self.entries[places[offset] + 1 :]
        return later[0] if later else None


def journal_routes(gate: Gate, journal: Journal) -> Blueprint:
    """`/webhooks-journal/journal/2026-03/…`, `/webhooks-journal/subscriptions/2026-03`, and the files."""
    routes = Blueprint("journal", __name__)
    views = _JournalViews(gate, journal)
    base = f"/webhooks-journal/journal/{VERSION}"
    routes.get(f"{base}/earliest")(views.earliest)
    routes.get(f"{base}/latest")(views.latest)
    routes.get(f"{base}/offset/<offset>/next")(views.next)
    routes.get("/journal-files/<offset>.json")(views.file)
    routes.get(f"/webhooks-journal/subscriptions/{VERSION}")(views.subscriptions)
    routes.post(f"/webhooks-journal/subscriptions/{VERSION}")(views.subscribe)
    return routes


class _JournalViews:
    """One method per operation."""

    def __init__(self, gate: Gate, journal: Journal) -> None:
        self._gate, self._journal = gate, journal

    def earliest(self) -> ResponseReturnValue:
        return self._call("journal.earliest", READ, lambda: self._told(self._journal.behind(None)))

    def latest(self) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            self._journal.close()
            return self._told(self._journal.entries[-1] if self._journal.entries else None)

        return self._call("journal.latest", READ, work)

    def next(self, offset: str) -> ResponseReturnValue:
        return self._call("journal.next", READ, lambda: self._told(self._journal.behind(offset)))

    def file(self, offset: str) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            entry = next((each for each in self._journal.entries if each.offset == offset), None)
            if entry is None:
                raise not_found(f"no file {offset}")
            return {"offset": offset, "journalEvents": entry.events, "publishedAt": iso(entry.published_at)}

        return self._gate.open_call("journal.file", work)

    def subscriptions(self) -> ResponseReturnValue:
        return self._call("journal.subscriptions", SEE, lambda: {"results": self._journal.subscriptions})

    def subscribe(self) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            keys = ("subscriptionType", "portalId", "objectTypeId", "actions", "properties", "objectIds", "eventTypeId")
            body = json_object(keys, ("subscriptionType",))
            if body["subscriptionType"] not in _TYPES:
                raise invalid(f"{body['subscriptionType']} is no subscription type")
            if body["subscriptionType"] == "OBJECT" and not {"portalId", "objectTypeId", "actions"} <= body.keys():
                raise invalid("an OBJECT subscription needs portalId, objectTypeId and actions")
            made = {"id": len(self._journal.subscriptions) + 1, **body}
            self._journal.subscriptions.append(made)
            return made, 201

        return self._call("journal.subscribe", MAKE, work)

    def _call(self, operation: str, scope: str, work: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        """Run `work` for a token of the app itself; a portal's opens nothing here."""

        def admitted() -> ResponseReturnValue:
            self._gate.world.tokens.app_grant(bearer_token(), scope)
            return work()

        return self._gate.open_call(operation, admitted)

    def _told(self, entry: _Entry | None) -> ResponseReturnValue:
        if entry is None:
            return "", 204
        return {
            "currentOffset": entry.offset,
            "expiresAt": iso(entry.published_at + KEPT_FOR),
            "url": f"{request.host_url.rstrip('/')}/journal-files/{entry.offset}.json",
        }


def _wants(subscription: dict[str, Any], change: Change, type_id: str) -> bool:
    if subscription.get("portalId") != change.portal_id:
        return False
    if subscription["subscriptionType"] == "GDPR_PRIVACY_DELETION":
        return change.kind == "privacyDeletion"
    if subscription["subscriptionType"] != "OBJECT" or subscription["objectTypeId"] != type_id:
        return False
    if _ACTIONS[change.kind] not in subscription["actions"]:
        return False
    watched = subscription.get("properties") or ()
    return change.kind != "propertyChange" or not watched or change.property_name in watched
