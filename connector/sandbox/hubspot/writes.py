"""How does a checked write change the records, and which changes does it make known?

Everything here runs with the world's lock held.
"""

from datetime import datetime, timedelta

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.changes import Change
from connector.sandbox.hubspot.drafts import Draft
from connector.sandbox.hubspot.object_types import ObjectType
from connector.sandbox.hubspot.phones import calculated_phones
from connector.sandbox.hubspot.portal import Portal, Record
from connector.sandbox.hubspot.values import iso, webhook_value


class Writer:
    """Writes into portals. `search_lag` keeps writes out of searches for that long, as HubSpot's index does."""

    def __init__(self, clock: SandboxClock, search_lag: timedelta = timedelta()) -> None:
        self._clock = clock
        self.search_lag = search_lag
        self._last_id = 100

    def next_id(self) -> str:
        """A fresh id, unique across all portals and types."""
        self._last_id += 1
        return str(self._last_id)

    def write_new(self, portal: Portal, draft: Draft, source: str) -> tuple[Record, list[Change]]:
        """Write a checked creation; a creation and one propertyChange per value are its changes."""
        now, kind = self._clock.now(), draft.kind
        object_id = self.next_id()
        own = {"hs_object_id": object_id, kind.created_property: iso(now), "hs_object_source": source}
        record = Record(object_id, kind.name, now, [(now, own)])
        portal.records[kind.name][object_id] = record
        changes = [self.change(portal, record, "creation", source)]
        changes += self.write_over(portal, record, draft, source, now)
        record.versions = record.versions[-1:]
        for link, to_id in draft.links:
            portal.link(link, object_id, to_id)
        return record, changes

    def write_over(
        self, portal: Portal, record: Record, draft: Draft, source: str, now: datetime | None = None
    ) -> list[Change]:
        """Write checked values over a record; one propertyChange per value that differs."""
        now = now or self._clock.now()
        before = record.properties
        after = {**before, **draft.values}
        if draft.kind.name == "contacts":
            after |= calculated_phones(after)
            _move_email(portal, record.id, before.get("email"), after.get("email"))
        changed = [name for name, value in after.items() if value != before.get(name, "")]
        after[draft.kind.modified_property] = iso(now)
        record.versions.append((now, {name: value for name, value in after.items() if value}))
        self._forget_old_versions(record, now)
        for name in changed:
            record.history.setdefault(name, []).append((now, after[name], source))
        known = portal.properties[draft.kind.name]
        return [
            self.change(portal, record, "propertyChange", source, (name, webhook_value(known[name], after[name])))
            for name in changed
        ]

    def drop(self, portal: Portal, kind: ObjectType, record: Record) -> None:
        """Take a record and its associations out of the portal."""
        portal.unlink_all(kind.name, record.id)
        del portal.records[kind.name][record.id]
        if kind.name == "contacts":
            _move_email(portal, record.id, record.properties.get("email"), None)

    def move_links(self, portal: Portal, gone: Record, kept: Record) -> None:
        """Give one record's associations to another."""
        for other in portal.records:
            for to_id, kinds in portal.linked(gone.object_type, gone.id, other).items():
                for kind in set(kinds):
                    portal.link(kind, kept.id, to_id)

    def change(
        self,
        portal: Portal,
        record: Record,
        kind: str,
        source: str,
        new_value: tuple[str, str] | None = None,
        merged_ids: tuple[str, ...] = (),
    ) -> Change:
        """The Change of a record; `new_value` is (property name, value as a webhook carries it)."""
        name, value = new_value or (None, None)
        return Change(
            portal.id, record.object_type, record.id, kind, self._clock.now(), source, name, value, merged_ids
        )

    def _forget_old_versions(self, record: Record, now: datetime) -> None:
        seen_until = now - self.search_lag
        while len(record.versions) > 1 and record.versions[1][0] <= seen_until:
            record.versions.pop(0)


def _move_email(portal: Portal, record_id: str, before: str | None, after: str | None) -> None:
    if before and portal.emails.get(before.lower()) == record_id:
        del portal.emails[before.lower()]
    if after:
        portal.emails[after.lower()] = record_id
